"""`callbot audit`: who asked for what, when, on whom, from where, allowed or not and by which rule, what came of it.

It reads the ledger while callbot runs, and writes as it reads. The configuration is read for names alone.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TextIO

from rich import box
from rich.table import Table
from rich.text import Text

from bot.app.live_config import check_files, read_files
from bot.app.output import console, visible
from bot.app.settings import OwnSettings
from bot.domain.errors import ConfigErrors, WrongUsage
from bot.domain.foreign_text import folded
from bot.domain.permissions import Permissions
from bot.interventions.outcomes import Outcome
from bot.ledger.audit_log import AuditEntry, AuditLog
from bot.slack.intervention_card import STATE

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
NOT_ON_A_TERMINAL = 160
"""The width of a table that goes into a file, in characters."""
AUDIT_COLUMNS = (
    "at",
    "user",
    "name",
    "external",
    "channel",
    "said",
    "extension",
    "agent",
    "call",
    "allowed",
    "rule",
    "outcome",
    "state",
    "request",
)
"""The fields of each request in CSV and JSON. Outcomes and states are codes, which no release changes."""
OUTCOME = {
    Outcome.RECEIVED: "received",
    Outcome.REFUSED: "refused",
    Outcome.ASKED_WHICH_CALL: "asked which call",
    Outcome.ANSWERED: "answered",
    Outcome.MODE_NOT_CHANGED: "mode not changed",
    Outcome.SENT: "sent",
    Outcome.INTERRUPTED: "interrupted before anything was sent",
}
"""The words of the table for outcomes; those for states are the cards'."""
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take these for the same
"""The characters that begin a formula in a spreadsheet."""
_FORMULA_BEGINS = re.compile(rf"(?:^|(?<=[;|]))(?=[\"\s]*[{re.escape(''.join(FORMULA))}])")
"""The places where a formula may begin: a cell, and what follows `;` or `|`, which separate cells in some spreadsheets."""


class Form(StrEnum):
    """The formats of `--format`."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


# ── what is asked for ──


def since_of(text: str, now: datetime) -> datetime:
    """The instant that `--since` means: a time before `now`, a day, or an instant; UTC where no zone is given.

    Raises WrongUsage.
    """
    try:
        if span := re.fullmatch(r"([0-9]{1,9})([smhdw])", text):
            return now - timedelta(**{UNITS[span[2]]: int(span[1])})
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise WrongUsage(
            f"--since {visible(text[:40])} is no time. Write how long ago (30m, 2h, 7d), a day (2026-11-20), or an instant "
            "(2026-11-20T10:00+02:00); UTC where no zone is given."
        ) from None


def user_of(text: str, permissions: Permissions) -> str:
    """The Slack user id that `--user` means: an id, or a name of the configuration or a part of one.

    Raises WrongUsage where nobody or several people have that name.
    """
    if re.fullmatch(r"[UW][A-Z0-9]{2,20}", text):
        return text
    wanted = folded(text)
    named = [person for person in permissions.people.values() if folded(person.name) == wanted]
    found = named or [person for person in permissions.people.values() if wanted and wanted in folded(person.name)]
    if len(found) == 1:
        return found[0].slack_user
    if not found:
        raise WrongUsage(
            f"--user {visible(text[:40])}: nobody in the configuration has this name. Write a Slack user id, for example U012AB3CD."
        )
    people = ", ".join(f"{person.slack_user} ({person.name})" for person in found[:20])
    more = f" and {len(found) - 20} more" if len(found) > 20 else ""
    raise WrongUsage(f"--user {visible(text[:40])} may be {people}{more}. Write the id.")


# ── what is written ──


async def write_audit(
    settings: OwnSettings,
    out: TextIO,
    remark: Callable[[str], None],
    *,
    since: str | None,
    user: str | None,
    form: Form,
    now: datetime,
) -> None:
    """Resolve the options, open the ledger, and write. `remark` gets sentences that belong beside the output.

    Raises WrongUsage, LedgerUnavailable.
    """
    from_when = None if since is None else since_of(since, now)
    permissions = Permissions()
    try:
        path = Path(settings.callbot_config)
        permissions = check_files(read_files(path), str(path)).permissions
    except ConfigErrors:
        remark(
            f"{settings.callbot_config} cannot be read or has errors (`callbot check` lists them), so ids stand for names."
        )
    slack_user = None if user is None else user_of(user, permissions)
    audit_log = await AuditLog.open(settings.database_url)
    try:
        if not await audit(audit_log, permissions, out, since=from_when, user=slack_user, form=form):
            remark("Nothing was asked in that time." if since else "Nothing was asked yet.")
    finally:
        await audit_log.close()


async def audit(
    audit_log: AuditLog, permissions: Permissions, out: TextIO, *, since: datetime | None, user: str | None, form: Form
) -> int:
    """Write the requests, newest last, and return their number. Raises LedgerUnavailable."""
    writer = _WRITERS[form](out)
    written = 0
    async for piece in audit_log.pieces(since, user=user):
        writer.write([record(entry, permissions) for entry in piece])
        written += len(piece)
    writer.end()
    return written


def record(entry: AuditEntry, permissions: Permissions) -> dict[str, Any]:
    """One request by the names of AUDIT_COLUMNS; None where something was never known."""
    person = permissions.people.get(entry.slack_user)
    agent = permissions.name_of(entry.extension) if entry.extension else ""
    return {
        "at": entry.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "user": entry.slack_user,
        "name": person.name if person is not None and not entry.external else None,
        "external": entry.external,
        "channel": entry.channel,
        "said": entry.said,
        "extension": entry.extension or None,
        "agent": agent if agent != entry.extension else None,
        "call": entry.call_id or None,
        "allowed": entry.allowed,
        "rule": entry.rule or None,
        "outcome": entry.outcome,
        "state": entry.state,
        "request": entry.id,
    }


def cell(value: object) -> str:
    """A value as one cell of a spreadsheet: on one line, and never a formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else visible(str(value))
    return _FORMULA_BEGINS.sub("'", text)


class _Writer(Protocol):
    """One format of the audit log: `_Csv`, `_Json` or `_Table`."""

    def write(self, records: Iterable[dict[str, Any]]) -> None: ...

    def end(self) -> None: ...


class _Csv:
    """A header, and a line for each request."""

    def __init__(self, out: TextIO) -> None:
        self._rows = csv.writer(out, lineterminator="\n")
        self._rows.writerow(AUDIT_COLUMNS)

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        self._rows.writerows([cell(one[name]) for name in AUDIT_COLUMNS] for one in records)

    def end(self) -> None:
        """Nothing follows the last line."""


class _Json:
    """One array, an object on a line for each request."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._before = "[\n"

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        for one in records:
            self._out.write(self._before + json.dumps(one))  # ASCII alone: no character of it can act on a terminal
            self._before = ",\n"

    def end(self) -> None:
        self._out.write("[]\n" if self._before == "[\n" else "\n]\n")


class _Table:
    """Columns for people, as wide as the terminal. All pieces have the same widths, so that they look like one table."""

    def __init__(self, out: TextIO) -> None:
        width = None if out.isatty() else NOT_ON_A_TERMINAL
        self._console = console(out, width=width, wraps=True)
        self._first = True

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        table = Table(box=box.SIMPLE_HEAD, show_header=self._first, expand=True, pad_edge=False, show_edge=False)
        table.add_column("When (UTC)", width=19)
        for title, ratio in (
            ("Who, from", 3),
            ("Asked for", 4),
            ("On whom", 3),
            ("Allowed", 3),
            ("What came of it", 3),
        ):
            table.add_column(title, ratio=ratio, overflow="fold")
        for one in records:
            table.add_row(*(Text(visible(text)) for text in _row(one)))
        self._console.print(table)
        self._first = False

    def end(self) -> None:
        """Nothing follows the last row."""


_WRITERS: dict[Form, Callable[[TextIO], _Writer]] = {Form.TABLE: _Table, Form.CSV: _Csv, Form.JSON: _Json}


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    verdict = {True: "yes", False: "no", None: "not decided"}[one["allowed"]]
    who = one["name"] or one["user"]
    external = " (of another workspace)" if one["external"] else ""
    agent = f"{one['agent']} {one['extension']}" if one["agent"] else one["extension"]
    return (
        one["at"].replace("T", " ").removesuffix("Z"),
        f"{who}{external}, {one['channel']}",
        one["said"],
        agent or "–",  # noqa: RUF001 - a dash is what is read here
        f"{verdict}: {one['rule']}" if one["rule"] else verdict,
        OUTCOME[one["outcome"]] + (f": {STATE[one['state']]}" if one["state"] else ""),
    )
