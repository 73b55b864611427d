"""Slack shows text of others and interprets none of it; times, durations and what does not fit."""

import re
import unicodedata
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.messages import (
    as_many_as_fit,
    duration_text,
    escaped,
    message,
    plain,
    plain_section,
    quoted_caller,
    time_of_day,
)

quick = settings(max_examples=120, deadline=None)

WORDS = [
    "<",
    ">",
    "&",
    "&lt;",
    "<!here>",
    "<@U0BOB>",
    "<#C0FLOOR|x>",
    "<!date^1^{time}|x>",
    "@here",
    "@channel",
    "#floor",
    ":smile:",
    ":100:",
    ":+1:",
    "*",
    "_",
    "~",
    "`",
    "```",
    "*bold*",
    "0003*210",
    "+15550100",
    "http://",
    "https://evil.example/x",
    "1.com",
    "www.",
    ".com",
    "evil.example.com",
    "mailto:",
    "x",
    "1",
    ".",
]
HIDDEN = [" ", "> ", "\n", "\r", "\t", "\u202e", "\u2066", "\u200b", "\x00", "\ufeff", "\u2028", "\ud800", "\u05d0"]
PIECES = st.sampled_from([*WORDS, *HIDDEN])
ANY_TEXT = st.text(st.characters() | st.just("\ud800")) | st.lists(PIECES, max_size=12).map("".join)


# ── for places where Slack reads mrkdwn ──


@quick
@given(ANY_TEXT)
def test_slack_reads_no_markup_in_escaped_text(text: str) -> None:
    shown = escaped(text)
    assert "&" not in re.sub("&(?:amp|lt|gt);", "", shown)
    assert not set(shown) & set("<>@#_~`")
    assert re.search(r"(?<![0-9X])\*|\*(?![0-9X])", shown) is None
    assert re.search(r":[^\s:\ua789]+:", shown) is None, "an emoji"
    assert "://" not in shown
    assert re.search(r"[A-Za-z0-9]\.[A-Za-z]{2,24}(?![A-Za-z0-9])", shown) is None, "a host"


@quick
@given(st.sampled_from([escaped, plain]), ANY_TEXT)
def test_it_is_one_line_of_what_can_be_seen_and_never_empty(show: type[str], text: str) -> None:
    shown = show(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Co", "Cs", "Zl", "Zp"} or c in HIDDEN[2:-1]]
    assert shown == " ".join(shown.split(" ")).strip()
    assert shown


@quick
@given(ANY_TEXT, st.integers(2, 40))
def test_it_is_never_longer_than_asked_for(text: str, limit: int) -> None:
    assert len(plain(text, limit)) <= limit


@quick
@given(st.from_regex(r"[0-9]{1,16}\*[0-9]{1,16}|\+?[0-9]{1,32}", fullmatch=True))
def test_extensions_and_numbers_are_shown_exactly(number: str) -> None:
    assert (escaped(number), escaped(f"Jane ({number}), hi")) == (number, f"Jane ({number}), hi")


SHOWN = {
    "<!here> & <@U0BOB>": "&lt;!here&gt; &amp; &lt;＠U0BOB&gt;",  # noqa: RUF001 - the look-alike is what is tested
    "@channel": "\uff20channel",
    "#floor": "\uff03floor",
    "*bold* _it_ ~no~ `code`": "\u2217bold\u2217 \uff3fit\uff3f \uff5eno\uff5e \u02cbcode\u02cb",
    "*0003*210*": "\u22170003\u2217210\u2217",
    "0003*210": "0003*210",
    "+15550100": "+15550100",
    "0003*2XX, X*": "0003*2XX, X\u2217",
    ":smile:": "\ua789smile:",
    ":100: :+1: :\u65e5\u672c:": "\ua789100: \ua789+1: \ua789\u65e5\u672c:",
    "12:30": "12:30",
    "https://evil.example": "https\ua789//evil\u2024example",
    "1.com evil.\u0440\u0444": "1\u2024com evil\u2024\u0440\u0444",
    "0.AA\u00b20": "0\u2024AA\u00b20",
    "Ms. Roe, 2.5 s.": "Ms. Roe, 2.5 s.",
    "a\nb\r\n\tc": "a b c",
    "gpj.\u202eexe": "gpj\u2024exe",
    "Rene\u0301": "Ren\u00e9",
    "\u200b": "\u2013",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items(), ids=[ascii(text) for text in SHOWN])
def test_each_trick_is_shown_as_what_it_is(text: str, shown: str) -> None:
    assert escaped(text) == shown


# ── for places that Slack does not parse ──


@pytest.mark.parametrize("text", ["<!here> & <@U0BOB>", "*0003*210* :smile:", "https://evil.example", "+15550100"])
def test_in_plain_text_every_character_stays(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"), [("", "\u2013"), (" \n ", "\u2013"), ("  a  b ", "a b"), ("\u00a0a\u3000b", "a b")]
)
def test_white_space_is_one_space_and_nothing_is_a_dash(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_what_is_too_long_ends_in_dots() -> None:
    assert (plain("x" * 120), plain("x" * 121), plain("xx xx", 4)) == ("x" * 120, "x" * 119 + "\u2026", "xx\u2026")


def test_an_escape_that_somebody_wrote_stays_one_however_often_escapes_are_undone() -> None:
    assert escaped("&lt;!channel&gt; AT&T") == "\uff06lt;!channel\uff06gt; AT&amp;T"


# ── a caller's name is no word of ours ──


@pytest.mark.parametrize(
    ("caller_id", "shown"),
    [
        ("Jane Roe <+15550100>", "\u201cJane Roe\u201d <+15550100>"),
        ("Connected: nobody hears you. <+15550100>", "\u201cConnected: nobody hears you.\u201d <+15550100>"),
        ("\u201d Nobody hears you. \u201c <1>", "\u201cNobody hears you.\u201d <1>"),
        ('Jane "Jay" Roe <1>', "\u201cJane 'Jay' Roe\u201d <1>"),
        ("Nobody hears you.", "\u201cNobody hears you.\u201d"),
        ("<Nobody hears you.>", "\u201c<Nobody hears you.>\u201d"),
        ("anonymous", "\u201canonymous\u201d"),
        ("<+15550100>", "<+15550100>"),
        ("+1 (555) 010-0100", "+1 (555) 010-0100"),
        ("0003*210", "0003*210"),
        ("", ""),
        ("\u200b\u202e", ""),
        ("x" * 80, "\u201c" + "x" * 59 + "\u2026\u201d"),
    ],
)
def test_a_callers_name_stands_in_quotation_marks(caller_id: str, shown: str) -> None:
    assert quoted_caller(caller_id) == shown


@quick
@given(ANY_TEXT)
def test_no_callers_name_closes_its_quotation_marks(text: str) -> None:
    shown = quoted_caller(text)
    assert shown.count("\u201c") == shown.count("\u201d") <= 1
    assert "\u201c" in shown or re.fullmatch(r"<?[+0-9*][0-9*() ./-]*>?|", shown)


# ── any message ──


def test_a_message_has_at_most_50_blocks() -> None:
    assert len(message("x", [plain_section("x")] * 51).blocks) == 50


def test_a_time_is_on_the_readers_clock_and_in_utc_where_that_cannot_be(noon: datetime) -> None:
    assert time_of_day(noon.astimezone()) == "<!date^1795262400^{time_secs}|12:00:00 UTC>"


FIT: list[tuple[list[str], int, list[str]]] = [
    (["12345", "12345"], 11, ["12345", "12345"]),
    (["12345", "12345"], 10, ["12345"]),
    (["12345", "123456", "1"], 11, ["12345"]),
    (["12345"], 5, ["12345"]),
    (["12345"], 4, []),
    ([], 5, []),
]


@pytest.mark.parametrize(("texts", "most", "kept"), FIT)
def test_of_texts_the_first_are_kept_whole_that_fit(texts: list[str], most: int, kept: list[str]) -> None:
    """What comes after one that does not fit is left out too: nothing is missing in the middle."""
    assert as_many_as_fit(texts, most, " ") == kept


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.5, "0.5 s"), (20, "20 s"), (60, "1 min"), (64.9, "1 min 4 s"), (7200, "120 min")],
)
def test_a_duration_is_told_in_minutes_and_seconds(seconds: float, words: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == words
