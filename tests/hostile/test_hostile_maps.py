"""Whatever stands in callbot.toml and agents.csv: rules that can be asked, or errors that say where they are."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.app.config import read_config
from bot.domain.actions import ActionName
from bot.domain.directory import CSV_COLUMNS, Directory, read_directory
from bot.domain.errors import ConfigErrors, NotAuthorized
from bot.domain.permissions import Permissions

quick = settings(max_examples=40, deadline=None)
EXAMPLE = (Path(__file__).parents[2] / "callbot.example.toml").read_text().splitlines()

# ── callbot.toml ──

VALUES = [
    *("0", "-1", "1.5", "nan", "inf", "1e400", "9" * 30, "true", "[]", "{}", "[[]]", '""', "1979-05-27T07:32:00Z"),
    *('"0003*2XX"', '"0003*2*"', '"0003*024"', '"team:sales"', '"team:"', '"@self"', '"U0ANA"', '"u0ana"', '"C0X"'),
    *('["Monitor"]', '["Listen"]', '["0003*2XX", 1]', '["supervisor"]', '["nobody"]', '["X*X"]', '["+X"]', '["X"]'),
    *(
        '{ user = "@me", extension = "@self" }',
        '[{ user = ".." }]',
        '"\\u202e\\u0000"',
        '"""a\nb"""',
        f'"{"x" * 99}"',
    ),
]
LITERALS = st.sampled_from(VALUES)
KEYS = st.sampled_from(
    [
        *("name", "extension", "uapi_user", "roles", "actions", "extensions", "channels", "callers", "every", "scopes"),
        *(
            "file",
            "contact",
            "silent_in",
            "default_user",
            "when",
            "longer_than",
            "channel",
            "users",
            "Name",
            '"\\u202e"',
        ),
    ]
)
TABLES = st.sampled_from(
    [
        *("[users.U0ANA]", "[users.U0EVE]", "[users.eve]", "[users]", '[users."\\u0000"]', "[roles.supervisor]"),
        *("[roles.agent]", '[roles.""]', "[protected]", "[directory]", "[watch]", "[help]", "[[alerts]]", "[alerts]"),
        *("[a.b.c]", "[[users]]", "[", "]", "=", "\x00", "[uapi]", "[cards]"),
    ]
)
LINES = st.one_of(
    st.sampled_from(EXAMPLE),
    TABLES,
    st.tuples(KEYS, LITERALS).map(" = ".join),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


@st.composite
def spoilt_maps(draw: st.DrawFn) -> bytes:
    """The example with some lines gone, some in other places, some twice, and some of another kind between them."""
    lines = list(EXAMPLE)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["gone", "new", "instead", "another value"])):
            case "gone":
                del lines[at]
            case "new":
                lines.insert(at, draw(LINES))
            case "instead":
                lines[at] = draw(LINES)
            case _:
                lines[at] = re.sub("=.*", lambda _: f"= {draw(LITERALS)}", lines[at])
    return "\n".join(lines).encode()


MAPS = spoilt_maps() | st.lists(LINES, max_size=12).map(lambda lines: "\n".join(lines).encode()) | st.binary()


def rules_of(raw: bytes, directory: Directory | None = None) -> Permissions | ConfigErrors:
    try:
        return read_config(raw, "callbot.toml", directory).permissions(directory)
    except ConfigErrors as errors:
        return errors


def unclear(raw: bytes) -> list[str]:
    """Those errors of a map that do not say where they are, or that hide something."""
    found = rules_of(raw, Directory())
    said = found.errors if isinstance(found, ConfigErrors) else []
    return [error for error in said if not re.match(r"[^:]+: .", error) or not error.isprintable()]


@quick
@given(MAPS)
@example(b"a." * 3000 + b"a = 1")
@example(b"a = " + b"[" * 20_000)
@example(b"a = " + b"9" * 5000)
@example(b"\xef\xbb\xbf[watch]")
def test_every_error_of_a_map_says_where_it_is(raw: bytes) -> None:
    assert unclear(raw) == []


@pytest.mark.parametrize("at", [at for at, line in enumerate(EXAMPLE) if re.match(r"[a-z_]+ =", line)])
def test_every_error_in_a_value_says_where_it_is(at: int) -> None:
    key = EXAMPLE[at].partition("=")[0]
    maps = ["\n".join([*EXAMPLE[:at], f"{key}= {value}", *EXAMPLE[at + 1 :]]) for value in VALUES]
    assert [error for text in maps for error in unclear(text.encode())] == []


@quick
@given(spoilt_maps())
def test_whatever_is_allowed_is_allowed_by_a_role_that_the_person_has(raw: bytes) -> None:
    rules = rules_of(raw)
    if isinstance(rules, ConfigErrors):
        return
    for person in rules.people.values():
        for action in ActionName:
            if rules.allows(person, action, "0003*210", "C0FLOOR"):
                assert any(action in rules.roles[role].actions for role in person.roles)


@quick
@given(spoilt_maps(), st.text(max_size=12))
def test_who_is_not_in_the_configuration_stays_unknown(raw: bytes, slack_user: str) -> None:
    rules = rules_of(raw)
    if not isinstance(rules, ConfigErrors) and slack_user not in rules.people:
        with pytest.raises(NotAuthorized, match="I don't know you yet"):
            rules.person(slack_user)


# ── agents.csv ──

CELLS = st.sampled_from(
    [
        *("0003*210", "0003*211", "0003*2XX", "210", "Bob Ionescu", "sales", "team:sales", "12", "@me", "@self", ".."),
        *(
            "U0BOB",
            "u0bob",
            "",
            " ",
            '"',
            '"a"',
            '""',
            "a\nb",
            "\u202e",
            "\x00",
            "x" * 200,
            "=1+1",
            "\ufeff",
            "\u0660*1",
        ),
    ]
) | st.text(st.characters(codec="utf-8"), max_size=6)
HEADERS = st.permutations(sorted(CSV_COLUMNS)).flatmap(
    lambda names: st.integers(0, len(names)).map(lambda number: names[:number])
) | st.lists(CELLS, max_size=6)


@st.composite
def directories(draw: st.DrawFn) -> bytes:
    """A header, right or not, and rows of right and wrong values."""
    rows = [draw(HEADERS), *draw(st.lists(st.lists(CELLS, max_size=6), max_size=6))]
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join(",".join(row) for row in rows).encode()


@quick
@given(directories())
def test_every_error_of_the_directory_says_its_line(raw: bytes) -> None:
    try:
        read_directory(raw, "agents.csv")
    except ConfigErrors as errors:
        assert [one for one in errors.errors if not re.match(r"agents\.csv line \d+: .", one)] == []  # noqa: PT017


@quick
@given(directories())
def test_no_row_of_the_directory_lets_anybody_do_anything(raw: bytes) -> None:
    try:
        directory = read_directory(raw, "agents.csv")
    except ConfigErrors:
        return
    rules = rules_of("\n".join(EXAMPLE).encode(), directory)
    assert isinstance(rules, Permissions)
    assert set(rules.people) == {"U0ANA", "U0BOB"}
