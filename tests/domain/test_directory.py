"""agents.csv: what may stand there in whatever dress, and every error by its line, all at once."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.directory import LARGEST_FILE, MOST_LISTED, MOST_ROWS, Agent, Directory, read_directory
from bot.domain.errors import ConfigErrors

HEADER = "extension,name,team,uapi_user,slack_user\n"
BOB = Agent("0003*210", "Bob Ionescu", "sales", "12", "U0BOB")
BOBS_LINE = "0003*210,Bob Ionescu,sales,12,U0BOB\n"


def agents(text: str) -> list[Agent]:
    return list(read_directory(text.encode(), "agents.csv").agents)


def errors_of(raw: bytes) -> ConfigErrors:
    with pytest.raises(ConfigErrors) as caught:
        read_directory(raw, "agents.csv")
    return caught.value


def said(text: str) -> list[str]:
    return errors_of(text.encode()).errors


# ── what is right ──

DRESSES = {
    "plainly": HEADER + BOBS_LINE,
    "with the mark that Excel writes": "\ufeff" + HEADER + BOBS_LINE,
    "with Windows' line ends": (HEADER + BOBS_LINE).replace("\n", "\r\n"),
    "with an old Mac's line ends": (HEADER + BOBS_LINE).replace("\n", "\r"),
    "without a last line end": HEADER + BOBS_LINE.rstrip(),
    "in quotation marks": HEADER + '"0003*210","Bob Ionescu","sales","12","U0BOB"\n',
    "with spaces around": "extension, name ,team,uapi_user,slack_user\n 0003*210 , Bob Ionescu,sales ,12, U0BOB \n",
    "between empty lines": "\n\n" + HEADER + "\n" + BOBS_LINE + "\n,,,,\n   \n",
    "with the commas of a wider sheet": HEADER.replace("\n", ",,\n") + BOBS_LINE.replace("\n", ",,\n") + ",,,,,,\n",
    "with a user that a spreadsheet takes for a number": HEADER + BOBS_LINE.replace(",12,", ",12.0,"),
    "in another order": "slack_user,team,extension,uapi_user,name\nU0BOB,sales,0003*210,12,Bob Ionescu\n",
}


@pytest.mark.parametrize("text", DRESSES.values(), ids=DRESSES)
def test_a_row_is_the_same_in_every_dress(text: str) -> None:
    assert agents(text) == [BOB]


@pytest.mark.parametrize(
    "text",
    ["extension\n0003*210\n", HEADER + "0003*210,,,,\n", HEADER + "0003*210\n"],
    ids=["no other column", "empty values", "a short row"],
)
def test_only_the_extension_is_required(text: str) -> None:
    assert agents(text) == [Agent("0003*210")]


def test_a_name_may_have_a_comma_and_any_script() -> None:
    assert agents(HEADER + '0003*210,"Țepeș, Ștefan",,,\n')[0].name == "Țepeș, Ștefan"


@pytest.mark.parametrize(
    ("text", "user"), [("007", "007"), ("15.00", "15"), ("0", "0"), ("a.0", "a.0"), ("@me", "@me")]
)
def test_a_user_keeps_its_zeros(text: str, user: str) -> None:
    assert agents(HEADER + f"0003*210,,,{text},\n")[0].uapi_user == user


@pytest.mark.parametrize("text", ["1.5E+1", "1.23457E+11", "2e3", "15.5", "15."])
def test_a_user_that_a_spreadsheet_has_rounded_is_a_mistake(text: str) -> None:
    assert said(HEADER + f"0003*210,,,{text},\n") == [
        f"agents.csv line 2: uapi_user “{text}” is no user of UnifiedAPI; write @me or its id, in a column of text"
    ]


def test_a_header_alone_is_a_directory_of_nobody() -> None:
    assert agents(HEADER) == []


def test_as_many_rows_as_are_allowed_are_read() -> None:
    assert len(agents("extension\n" + "".join(f"0003*{number}\n" for number in range(MOST_ROWS)))) == MOST_ROWS


# ── what is wrong: the text, and the line that says so ──

WRONG = {
    "a short extension": ("210,,,,", "line 2: extension “210” is no extension; write it like 0003*210"),
    "a pattern": ("0003*2XX,,,,", "line 2: extension “0003*2XX” is no extension; write it like 0003*210"),
    "foreign digits": ("0003*\u0661,,,,", "line 2: extension “0003*\u0661” is no extension; write it like 0003*210"),
    "no extension": (",Bob,,,", "line 2: the extension is missing"),
    "an extension twice": ("0003*1,,,,\n0003*2,,,,\n0003*1,,,,", "line 4: “0003*1” stands on line 2 already"),
    "a path for a user": (
        "0003*1,,,../3,",
        "line 2: uapi_user “../3” is no user of UnifiedAPI; write @me or its id, in a column of text",
    ),
    "two dots for a user": (
        "0003*1,,,..,",
        "line 2: uapi_user “..” is no user of UnifiedAPI; write @me or its id, in a column of text",
    ),
    "a Slack name": ("0003*1,,,,bob", "line 2: slack_user “bob” is no Slack user id; write it like U012AB3CD"),
    "a team of two words": (
        "0003*1,,a b,,",
        "line 2: team “a b” is no team; write up to 80 characters without spaces and colons",
    ),
    "a team with a colon": (
        "0003*1,,a:b,,",
        "line 2: team “a:b” is no team; write up to 80 characters without spaces and colons",
    ),
    "a team with something invisible": (
        "0003*1,,sales\u200b,,",
        "line 2: team “sales\\u200b” is no team; write up to 80 characters without spaces and colons",
    ),
    "a long team": (
        f"0003*1,,{'s' * 81},,",
        f"line 2: team “{'s' * 40}” is no team; write up to 80 characters without spaces and colons",
    ),
    "a name of two lines": (
        '0003*1,"a\nb",,,',
        "line 2: name “a\\nb” is no name; write one line of 1 to 80 characters",
    ),
    "a name that turns around": (
        "0003*1,a\u202eb,,,",
        "line 2: name “a\\u202eb” is no name; write one line of 1 to 80 characters",
    ),
    "a long name": (
        f"0003*1,{'E' * 81},,,",
        f"line 2: name “{'E' * 40}” is no name; write one line of 1 to 80 characters",
    ),
    "a value too many": ("0003*1,,,,,x", "line 2: has 6 values for 5 columns"),
    "an open quotation mark": (
        '0003*1,,,,\n0003*2,"Bob,,,\n0003*3,,,,\n',
        "line 3: cannot be read from here on; a quotation mark is opened and not closed, or stands inside a value",
    ),
    "a line after one of two lines": (
        '0003*1,,,,"\n"\n210,,,,',
        "line 4: extension “210” is no extension; write it like 0003*210",
    ),
}


@pytest.mark.parametrize(("rows", "line"), WRONG.values(), ids=WRONG)
def test_each_error_is_said_with_its_line(rows: str, line: str) -> None:
    assert said(HEADER + rows) == [f"agents.csv {line}"]


NO_HEADER = {
    "nothing": ("", "line 1: the header line is missing"),
    "empty lines": ("\n\n", "line 1: the header line is missing"),
    "a row instead": ("0003*210,Bob\n", "line 1: “0003*210” is no column"),
    "semicolons": ("extension;name\n0003*210;Bob\n", "line 1: “extension;name” is no column"),
    "a column that nobody knows": ("extension,phone\n", "line 1: “phone” is no column"),
    "a column without a name": ("extension,,name\n", "line 1: “” is no column"),
    "a column twice": ("extension,name,name\n", "line 1: column name stands there twice"),
    "no extension": ("name,team\n", "line 1: column extension is missing"),
}


@pytest.mark.parametrize(("text", "line"), NO_HEADER.values(), ids=NO_HEADER)
def test_a_wrong_header_is_said(text: str, line: str) -> None:
    assert said(text)[0].startswith(f"agents.csv {line}")


def test_every_error_is_said_at_once() -> None:
    lines = [line.partition(": ")[0] for line in said("extension,phone,name\n210,,\n0003*1,,\n0003*1,,a\u202eb\n")]
    assert lines == ["agents.csv line 1", "agents.csv line 2", "agents.csv line 4", "agents.csv line 4"]


def test_of_hundreds_of_errors_the_first_are_shown_and_how_many_more() -> None:
    wrong = errors_of((HEADER + "210,,,,\n" * 400).encode())
    assert (len(wrong.errors), wrong.number, str(wrong).splitlines()[-1]) == (MOST_LISTED, 400, "  … and 380 more")


def test_what_is_not_utf_8_is_said_with_its_line() -> None:
    assert errors_of(
        HEADER.encode() + "0003*1,,,,\n0003*2,Ștefan,,,\n".encode("cp1250", "replace") + b"\xff"
    ).errors == ["agents.csv line 4: is not UTF-8; save the file as “CSV UTF-8”"]


def test_a_file_that_is_too_large_is_refused_kindly() -> None:
    assert errors_of(b"x" * (LARGEST_FILE + 1)).errors == [
        "agents.csv: is larger than 4 MiB; leave out people whose calls nobody acts on"
    ]


def test_a_file_of_too_many_rows_is_refused_kindly() -> None:
    rows = "".join(f"0003*{number}\n" for number in range(MOST_ROWS + 1))
    assert said("extension\n" + rows) == [
        "agents.csv: has more than 20,000 rows; leave out people whose calls nobody acts on"
    ]


def test_one_slack_user_stands_for_so_many_extensions_and_no_more() -> None:
    rows = "".join(f"0003*{number},U0BOB\n" for number in range(30))
    assert said("extension,slack_user\n" + rows) == ["agents.csv line 22: “U0BOB” stands on more than 20 lines"]


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='ab0*3,;"\n\r\t ', max_size=200).map(lambda text: (HEADER + text).encode()),
    )
)
def test_whatever_stands_there_is_a_directory_or_a_list_of_errors(raw: bytes) -> None:
    with suppress(ConfigErrors):
        directory = read_directory(raw, "agents.csv")
        assert len(directory.by_extension) == len(directory.agents)


# ── what is asked of it ──


def test_teams_and_slack_users_are_found_by_their_extensions() -> None:
    tom, nia = Agent("0003*310", team="sales", slack_user="U0TOM"), Agent("0003*311", team="sales", slack_user="U0TOM")
    directory = Directory((BOB, tom, nia, Agent("0003*400")))
    assert directory.teams == {"sales": frozenset({"0003*210", "0003*310", "0003*311"})}
    assert directory.by_slack_user == {"U0BOB": ("0003*210",), "U0TOM": ("0003*310", "0003*311")}


def test_a_team_is_the_same_however_its_accents_are_written() -> None:
    assert agents(HEADER + "0003*210,,Bucures\u0326ti,,\n")[0].team == "Bucure\u0219ti"
