"""`/calls help-me`: what an agent asks for help with."""

import pytest

from bot.domain.commands import LONGEST_ABOUT, AskForHelp
from bot.domain.errors import BadCommand
from bot.slack.command_parser import parse


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
