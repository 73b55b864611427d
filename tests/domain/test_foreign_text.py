# ruff: noqa: RUF001 - letters of other scripts are what this is about
"""Text of any script is taken and shown whole; what could deceive is not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app.config import read_config
from bot.app.output import visible
from bot.domain.commands import AskForHelp, Help, Intervene, ListCalls
from bot.domain.directory import read_directory
from bot.domain.foreign_text import cleaned, folded, visible_line
from bot.slack.command_parser import parse
from bot.slack.messages import escaped, plain

NAMES = {
    "Persian, with its joiner": "علی\u200cرضا",
    "Arabic, with a joiner behind": "ه\u200dم",
    "Devanagari, with a joiner behind the virama": "क्\u200dष",
    "Malayalam, as older keyboards write it": "രാജന്\u200d",
    "Sinhala": "ශ්\u200dරී",
    "Bengali": "র\u200d্যাম",
    "Hebrew, with points": "שָׁלוֹם",
    "Thai": "น้ำ",
    "Vietnamese": "Nguyễn Thị Ánh",
    "Japanese, with a variant": "渡邉\U000e0101",
    "Chinese": "王小明",
    "Korean": "김민수",
    "a family of emoji": "Ana 👩\u200d👩\u200d👧",
    "a profession": "Bob 👨🏽\u200d⚕\ufe0f",
    "a rainbow flag": "🏳\ufe0f\u200d🌈 Desk",
    "a keycap": "1\ufe0f\u20e3 Desk",
    "an emoji that is newer than this Python": "Desk \U0001fadf",
    "an Arabic sign of a number": "\u0601 12",
    "Latin, with accents": "Țepeș Łukasz Åsa",
}


def config_name(name: str) -> str:
    text = f'[users.U0EVE]\nname = "{name}"\nextension = "0003*210"\n'
    return read_config(text.encode(), "callbot.toml").users["U0EVE"].name


def directory_name(name: str) -> str | None:
    return read_directory(f"extension,name\n0003*210,{name}\n".encode(), "agents.csv").agents[0].name


TAKEN = [visible_line, config_name, directory_name, plain]
"""Where a name comes in or is shown."""


@pytest.mark.parametrize("taken", [*TAKEN, escaped, visible])
def test_a_name_of_any_script_is_taken_and_shown_whole(taken: type[str]) -> None:
    whole = [unicodedata.normalize("NFC", name) for name in NAMES.values()]
    assert [taken(name) for name in whole] == whole


@pytest.mark.parametrize("taken", TAKEN)
def test_a_space_of_a_spreadsheet_is_a_space(taken: type[str]) -> None:
    assert {taken(f"Ana{space}Pop") for space in "\u00a0\u202f\u2007\u3000"} == {"Ana Pop"}


@pytest.mark.parametrize("taken", TAKEN)
def test_letters_and_their_accents_are_one(taken: type[str]) -> None:
    assert taken("Rene\u0301") == "René"


DECEIVING = {
    "a joiner between Latin letters": "An\u200da",
    "a joiner in front": "\u200cAna",
    "a joiner behind": "Ana\u200d",
    "many joiners": "An\u200c\u200d\u200c\u200da",
    "a zero-width space": "An\u200ba",
    "a word joiner": "An\u2060a",
    "a mark of byte order": "\ufeffAna",
    "a soft hyphen": "An\u00ada",
    "a mark of direction": "\u200fAna\u200e",
    "a combining joiner": "An\u034fa",
    "a filler of Hangul": "An\u3164a",
    "a variant of a Latin letter": "An\ufe0fa",
    "a variant of a variant": "A\U000e0100na",
    "tags": "Ana\U000e0041\U000e0042",
}


@pytest.mark.parametrize("taken", TAKEN)
def test_what_could_deceive_is_taken_out(taken: type[str]) -> None:
    assert {kind: taken(name) for kind, name in DECEIVING.items()} == dict.fromkeys(DECEIVING, "Ana")


@pytest.mark.parametrize("hidden", ["\u202e", "\u202d", "\u2066", "\u2069", "\x07", "\x9b"], ids=ascii)
def test_what_turns_a_line_or_moves_a_cursor_is_not_shown(hidden: str) -> None:
    assert plain(f"An{hidden}a") == "Ana"


def test_marks_cannot_cover_the_lines_around() -> None:
    assert visible_line("A" + "\u0316" * 40) == "A" + "\u0316" * 4


def test_a_mark_without_a_letter_strikes_nothing_of_ours_out() -> None:
    assert plain("\u0338\u0338Ana \u0338Pop") == "Ana Pop"


def test_what_is_cut_ends_in_no_joiner() -> None:
    assert plain("علی\u200cرضا", 5) == "علی…"


@given(st.text(st.characters() | st.sampled_from("\u200c\u200d\ufe0f\u0338्ا👩a "), max_size=40))
def test_what_is_clean_stays(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)


@given(st.text())
def test_no_control_and_no_mark_of_direction_is_left(text: str) -> None:
    assert not [c for c in visible_line(text) if unicodedata.category(c) in {"Cc", "Co", "Cs", "Zl", "Zp"}]
    assert not set(visible_line(text)) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


# ── search, and what is typed ──


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("علی\u200cرضا", "علیرضا"),
        ("علیرضا", "علی\u200cرضا"),
        ("Ana\u00a0Pop", "ana pop"),
        ("Țepeș", "tepes"),
        ("Straße", "STRASSE"),
        ("रा\u200dम", "राम"),
        ("ＡＮＡ", "ana"),
    ],
)
def test_a_name_is_found_without_its_capitals_accents_and_joiners(name: str, word: str) -> None:
    assert folded(word) in folded(name)


SPACES = ["\u00a0", "\u1680", "\u2003", "\u2007", "\u2009", "\u202f", "\u205f", "\u3000"]


@pytest.mark.parametrize("space", SPACES, ids=ascii)
def test_any_space_stands_between_and_around_the_words_of_a_command(space: str) -> None:
    command = parse("/calls", f"{space}monitor{space}0003*210{space}wait=20{space}")
    assert isinstance(command, Intervene)
    assert (command.target.text, command.wait) == ("0003*210", 20)
    assert parse("/calls", f"{space}help{space}") == Help()


def test_a_call_for_help_is_in_any_script() -> None:
    for text in [*NAMES.values(), "مشتری ۱۲ بار زنگ زد", "顧客が２回"]:
        assert parse("/calls", f"help-me {text}") == AskForHelp(about=unicodedata.normalize("NFC", text))


def test_a_search_is_in_any_script() -> None:
    for text in NAMES.values():
        command = parse("/calls", text)
        assert isinstance(command, ListCalls)
        assert " ".join(command.words) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\ufeff", "\x07"], ids=ascii)
def test_what_is_hidden_in_a_call_for_help_is_taken_out(hidden: str) -> None:
    assert parse("/calls", f"help-me please{hidden} now") == AskForHelp(about="please now")


@pytest.mark.parametrize(("text", "shown"), [("1\ufe0fx", "1x"), ("\U0001f600\u200d\ufe0fx", "\U0001f600x")], ids=ascii)
def test_what_stood_beside_something_that_is_taken_out_is_taken_out_too(text: str, shown: str) -> None:
    assert visible_line(text) == shown
