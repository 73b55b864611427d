"""`/calls help-me`: what an agent writes, and what the buttons of alerts carry."""

from datetime import UTC, datetime

import pytest

from bot.domain.buttons import AlertButton, HelpButton, pack_alert, pack_help, unpack_alert, unpack_help
from bot.domain.commands import LONGEST_ABOUT, AnswerAlert, AskForHelp
from bot.domain.errors import BadCommand
from bot.slack.command_parser import parse

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ALERT = "0f" * 16
HAND = HelpButton(hand=AskForHelp(extension="0003*210", call="b817d2618fe6f1804333", published=NOON), channel="C0FLOOR")
TAKE = AlertButton(answer=AnswerAlert(alert=ALERT, answer="take"), channel="C0ALERTS")


@pytest.mark.parametrize(
    ("typed", "about"),
    [
        ("help-me", ""),
        ("help-me the customer wants a refund", "the customer wants a refund"),
        ("  help-me   two  spaces ", "two  spaces"),
        ('help-me he said "no', 'he said "no'),
        ("help-me <@U0ANA|ana> knows", "<@U0ANA> knows"),
        ("help-me &lt;b&gt; &amp; more", "<b> & more"),
        ("help-me “curly” \u00a0 quotes", '"curly"   quotes'),
        ("help-me call=1 whisper", "call=1 whisper"),
    ],
)
def test_what_stands_behind_help_me_is_what_it_is_about(typed: str, about: str) -> None:
    assert parse("/calls", typed) == AskForHelp(about=about)


@pytest.mark.parametrize("word", ["helpme", "help-me!", "help-mexico"])
def test_another_word_is_looked_for_like_any_other(word: str) -> None:
    assert not isinstance(parse("/calls", word), AskForHelp)


@pytest.mark.parametrize("typed", ["Help-me now", "HELP-ME"])
def test_capitals_are_not_guessed_but_asked_about(typed: str) -> None:
    with pytest.raises(BadCommand, match="did you mean “help-me”"):
        parse("/calls", typed)


def test_as_much_fits_as_is_said_and_no_more() -> None:
    assert parse("/calls", f"help-me {'x' * LONGEST_ABOUT}") == AskForHelp(about="x" * LONGEST_ABOUT)
    with pytest.raises(BadCommand, match=f"at most {LONGEST_ABOUT}") as refused:
        parse("/calls", f"help-me {'x' * (LONGEST_ABOUT + 1)}")
    assert refused.value.example.startswith("/calls help-me")


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\x07"], ids=ascii)
def test_what_cannot_be_seen_is_taken_out(character: str) -> None:
    assert parse("/calls", f"help-me please{character} now") == AskForHelp(about="please now")


def test_a_line_end_is_a_space() -> None:
    assert parse("/calls", "help-me please\nnow") == AskForHelp(about="please now")


def test_what_the_buttons_carry_reads_back() -> None:
    assert (unpack_help(pack_help(HAND)), unpack_alert(pack_alert(TAKE))) == (HAND, TAKE)


OLD_HANDS = {
    "nothing": "",
    "another button": pack_alert(TAKE),
    "without a call": '{"v": 1, "o": "C0FLOOR", "h": {"extension": "0003*210"}}',
    "without an extension": '{"v": 1, "o": "C0FLOOR", "h": {"call": "c1"}}',
    "a call that walks up a path": '{"v": 1, "o": "C0FLOOR", "h": {"call": "..", "extension": "0003*210"}}',
}


@pytest.mark.parametrize("value", OLD_HANDS.values(), ids=OLD_HANDS)
def test_a_hand_that_is_not_known_says_so(value: str) -> None:
    with pytest.raises(BadCommand, match="too old"):
        unpack_help(value)


OLD_ANSWERS = {
    "nothing": "",
    "another button": pack_help(HAND),
    "an id that is none of ours": '{"v": 1, "o": "C0FLOOR", "a": {"alert": "1 OR 1=1", "answer": "take"}}',
    "an answer that there is not": f'{{"v": 1, "o": "C0FLOOR", "a": {{"alert": "{ALERT}", "answer": "delete"}}}}',
}


@pytest.mark.parametrize("value", OLD_ANSWERS.values(), ids=OLD_ANSWERS)
def test_an_answer_that_is_not_known_says_so(value: str) -> None:
    with pytest.raises(BadCommand, match="too old"):
        unpack_alert(value)
