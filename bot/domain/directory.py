"""agents.csv: names, teams and owners of extensions whose people need not be in Slack. Pure: from its bytes to rows.

A row lets nobody do anything. It names people on cards and in lists, says in whose name their calls are asked for, which
team `team:sales` means, and which extensions a mention stands for.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.calls import EXTENSION, USER_ID
from bot.domain.errors import ConfigErrors
from bot.domain.foreign_text import cleaned, visible_line

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes of the file."""
MOST_ROWS = 20_000
MOST_LISTED = 20
"""Errors that are written out; a file that is wrong throughout is wrong in the same way."""
MOST_EXTENSIONS = 20
"""Rows of one Slack user: a mention asks the PBX about each."""
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_DECEIVING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Line ends and controls, and what turns the direction of a text."""
TEAM = re.compile(r"[^\s:]{1,80}")


def is_name(text: str) -> bool:
    """Whether it is one line of 1 to 80 characters of any script, none of which turns the line around."""
    return _DECEIVING.search(text) is None and 1 <= len(visible_line(text)) <= 80


def _is_team(text: str) -> bool:
    return TEAM.fullmatch(text) is not None and cleaned(text) == text


_DECIMAL = re.compile(r"[0-9]+\.0+")
_ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+|[0-9]+\.(?:[0-9]*[1-9][0-9]*)?")
"""A number as a spreadsheet shows it where it has too many digits, or a fraction: which id was meant is lost."""


def is_user(text: str) -> bool:
    """Whether it is a user of UnifiedAPI: `@me` or an id."""
    return USER_ID.fullmatch(text) is not None and _ROUNDED.fullmatch(text) is None


def user_meant(text: str) -> str:
    """The id without what a spreadsheet adds: it takes 15 for a number, and writes 15.0. Leading zeros are text."""
    return text.partition(".")[0] if _DECIMAL.fullmatch(text) else text


CSV_COLUMNS: dict[str, tuple[Callable[[str], object], str]] = {
    "extension": (EXTENSION.fullmatch, "is no extension; write it like 0003*210"),
    "name": (is_name, "is no name; write one line of 1 to 80 characters"),
    "team": (_is_team, "is no team; write up to 80 characters without spaces and colons"),
    "uapi_user": (is_user, "is no user of UnifiedAPI; write @me or its id, in a column of text"),
    "slack_user": (SLACK_USER.fullmatch, "is no Slack user id; write it like U012AB3CD"),
}
"""What may stand in each column, and what is said of anything else. Only the first is required."""


@dataclass(frozen=True)
class Agent:
    """One row: an extension, and what the file says of it."""

    extension: str
    name: str | None = None
    team: str | None = None
    uapi_user: str | None = None
    slack_user: str | None = None
    line: int = field(default=0, compare=False)
    """Where it stands in the file, for errors."""


@dataclass(frozen=True)
class Directory:
    """All rows, found by what is asked for. Each index is made once."""

    agents: tuple[Agent, ...] = ()

    @cached_property
    def by_extension(self) -> Mapping[str, Agent]:
        """The row of each extension."""
        return {agent.extension: agent for agent in self.agents}

    @cached_property
    def teams(self) -> Mapping[str, frozenset[str]]:
        """The extensions of each team."""
        teams: dict[str, set[str]] = {}
        for agent in self.agents:
            if agent.team is not None:
                teams.setdefault(agent.team, set()).add(agent.extension)
        return {team: frozenset(extensions) for team, extensions in teams.items()}

    @cached_property
    def by_slack_user(self) -> Mapping[str, tuple[str, ...]]:
        """The extensions of each Slack user, in the order of the file."""
        found: dict[str, list[str]] = {}
        for agent in self.agents:
            if agent.slack_user is not None:
                found.setdefault(agent.slack_user, []).append(agent.extension)
        return {slack_user: tuple(extensions) for slack_user, extensions in found.items()}


def read_directory(raw: bytes, file: str) -> Directory:
    """Read the file; `file` is its name, for the errors. Raises ConfigErrors: “agents.csv line 7: …”, all at once."""
    if len(raw) > LARGEST_FILE:
        raise ConfigErrors(file, [f"{file}: is larger than 4 MiB; leave out people whose calls nobody acts on"])
    try:
        text = unicodedata.normalize("NFC", raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigErrors(file, [f"{file} line {line}: is not UTF-8; save the file as “CSV UTF-8”"]) from None
    rows, errors = _rows(text)
    if len(rows) > MOST_ROWS + 1:
        raise ConfigErrors(
            file, [f"{file}: has more than {MOST_ROWS:,} rows; leave out people whose calls nobody acts on"]
        )
    agents, more = _agents(rows)
    errors = more + errors
    if errors:
        lines = [f"{file} line {line}: {text}" for line, text in errors]
        raise ConfigErrors(file, lines[:MOST_LISTED], unlisted=len(lines[MOST_LISTED:]))
    return Directory(tuple(agents))


_Errors = list[tuple[int, str]]
"""Line and what is wrong there."""
_Rows = list[tuple[int, list[str]]]
"""The line that a row begins on, and its values."""
_NO_CSV = "cannot be read from here on; a quotation mark is opened and not closed, or stands inside a value"


def _rows(text: str) -> tuple[_Rows, _Errors]:
    """Every row that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: _Rows = []
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error:
            return rows, [(line, _NO_CSV)]
        if row is None or len(rows) > MOST_ROWS + 1:
            return rows, []
        values = [value.strip() for value in row]
        while values and not values[-1]:  # a spreadsheet writes as many commas as its widest row has
            values.pop()
        if values:
            rows.append((line, values))


def _agents(rows: _Rows) -> tuple[list[Agent], _Errors]:
    names = ",".join(CSV_COLUMNS)
    if not rows:
        return [], [(1, f"the header line is missing; it names the columns: {names}")]
    (first, header), *others = rows
    errors = [
        (first, f"{_shown(name)} is no column; they are {names}, with commas between them")
        for name in header
        if name not in CSV_COLUMNS
    ]
    errors += [(first, f"column {name} stands there twice") for name in CSV_COLUMNS if header.count(name) > 1]
    if "extension" not in header:
        return [], [*errors, (first, "column extension is missing")]
    agents: list[Agent] = []
    lines: dict[str, int] = {}
    mentioned = Counter[str]()
    for line, values in others:
        row = {name: value for name, value in zip(header, values, strict=False) if value and name in CSV_COLUMNS}
        wrong = _wrong(row)
        extension = row.get("extension", "")
        if EXTENSION.fullmatch(extension) and lines.setdefault(extension, line) != line:
            wrong.append(f"{_shown(extension)} stands on line {lines[extension]} already")
        if len(values) > len(header):
            wrong.append(f"has {len(values)} values for {len(header)} columns")
        slack_user = row.get("slack_user", "")
        mentioned[slack_user] += 1
        if slack_user and mentioned[slack_user] == MOST_EXTENSIONS + 1:
            wrong.append(f"{_shown(slack_user)} stands on more than {MOST_EXTENSIONS} lines")
        errors += [(line, text) for text in wrong]
        if not wrong:
            agents.append(_agent(row, line))
    return agents, errors


def _agent(row: Mapping[str, str], line: int) -> Agent:
    """A row that is right."""
    name, user = row.get("name"), row.get("uapi_user")
    return Agent(
        extension=row["extension"],
        name=None if name is None else visible_line(name),
        team=row.get("team"),
        uapi_user=None if user is None else user_meant(user),
        slack_user=row.get("slack_user"),
        line=line,
    )


def _wrong(row: Mapping[str, str]) -> list[str]:
    """What is wrong with the values of one row."""
    missing = [] if "extension" in row else ["the extension is missing"]
    return missing + [
        f"{name} {_shown(value)} {sentence}"
        for name, (is_right, sentence) in CSV_COLUMNS.items()
        if (value := row.get(name)) is not None and not is_right(value)
    ]


def _shown(text: str) -> str:
    """The text between quotation marks, with what is invisible in it written out."""
    return f"“{repr(text[:40])[1:-1]}”"
