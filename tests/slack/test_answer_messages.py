"""What callbot says privately: each answer fits into Slack, and its examples are right."""

import html
import re
from collections.abc import Callable
from datetime import datetime

import pytest

from bot.domain.actions import ActionName
from bot.domain.commands import AskForHelp, Help, Intervene, ListCalls, Request
from bot.interventions.card import CardElsewhere
from bot.slack.answer_messages import (
    card_elsewhere_message,
    help_coming_message,
    help_message,
    help_requested_message,
    interrupted_message,
    refusal_message,
)
from bot.slack.command_parser import OPTIONS, Verb, parse
from bot.slack.messages import Message

Texts = Callable[[Message], list[str]]


# ── refusals ──


def test_a_refusal_and_its_text_say_why(shown: Texts) -> None:
    message = refusal_message("Nothing was sent.", "r1")
    assert shown(message) == ["Nothing was sent.", "Request r1"]
    assert message.text == "Nothing was sent."


# ── help ──


def examples() -> list[str]:
    texts = (block["text"]["text"] for block in help_message().blocks)
    return list(dict.fromkeys(html.unescape(found) for text in texts for found in re.findall("`([^`]*)`", text)))


@pytest.mark.parametrize("line", examples())
def test_every_example_of_the_help_is_right(line: str) -> None:
    command, _, text = line.partition(" ")
    assert isinstance(parse(command, text), Intervene | ListCalls | AskForHelp | Help)


@pytest.mark.parametrize("command", [*(f"/{verb}" for verb in Verb), "/calls"])
def test_the_help_shows_every_command(command: str) -> None:
    assert (any(line.split()[0] == command for line in examples()), command in help_message().text) == (True, True)


def test_the_help_shows_one_example_of_each_verb() -> None:
    read = [parse(*line.split(" ", 1)) for line in examples()]
    actions = [one.action for one in read if isinstance(one, Intervene)]
    assert (len(actions), set(actions)) == (5, set(ActionName) - {ActionName.STOP_RECORDING})


def test_the_help_shows_how_to_stop_a_recording(shown: Texts) -> None:
    assert any("with stop, stop recording" in text for text in shown(help_message()))


@pytest.mark.parametrize("option", sorted({option for options in OPTIONS.values() for option in options}))
def test_the_help_explains_every_option(shown: Texts, option: str) -> None:
    lines = [line for text in shown(help_message()) for line in text.split("\n")]
    assert [line for line in lines if line.startswith((f"{option}=", f"{option}:"))]


def test_the_help_says_with_which_command_an_option_goes(shown: Texts) -> None:
    lines = [line for text in shown(help_message()) for line in text.split("\n")]
    not_with_record = {line.partition("=")[0] for line in lines if line.endswith("(not with record)")}
    assert not_with_record == set(OPTIONS[Verb.MONITOR]) - set(OPTIONS[Verb.RECORD])


def test_the_help_is_no_markup_but_its_code() -> None:
    texts = [block["text"] for block in help_message().blocks]
    assert not [text for text in texts if text["type"] == "mrkdwn" and set(text["text"]) & set("<>")]


def test_the_help_shows_how_to_ask_ones_team_for_help() -> None:
    assert AskForHelp(about="the customer wants a refund") in [parse(*line.split(" ", 1)) for line in examples()]


# ── a help request ──


def test_who_asked_for_help_is_told_where_that_is_seen(shown: Texts) -> None:
    told = help_requested_message("C0FLOOR")
    words = "Your help request is in <#C0FLOOR>. A direct message from callbot will tell you who is coming."
    assert (told.text, shown(told)) == (words, [words])


@pytest.mark.parametrize("channel", ["", "c0floor", "C0FLOOR|x>", "<!channel>", "U0ANA", "C0FLOOR\n"])
def test_what_is_no_id_of_a_channel_is_not_made_a_link(channel: str) -> None:
    assert "is in your team's channel." in help_requested_message(channel).text


def test_who_asked_for_help_is_told_who_is_coming(shown: Texts) -> None:
    assert shown(help_coming_message("Ana Pop")) == ["Ana Pop is on it: help is coming."]


# ── where the card is, and what a restart cut off ──

REASONS = [
    (CardElsewhere.SILENT, "an agent may read this channel"),
    (CardElsewhere.THERE_ALREADY, "direct message"),
    (CardElsewhere.NO_ACCESS, "/invite @callbot"),
]


@pytest.mark.parametrize(("why", "words"), REASONS)
def test_who_asked_is_told_where_the_card_is_and_why(shown: Texts, why: CardElsewhere, words: str) -> None:
    told = card_elsewhere_message(why)
    assert (words in told.text, shown(told)) == (True, [told.text])


def test_every_reason_is_told() -> None:
    assert {why for why, _ in REASONS} == set(CardElsewhere) - {CardElsewhere.NO}


def test_a_request_that_a_restart_cut_off_is_named_and_was_not_sent(noon: datetime) -> None:
    asked = Request(id="r1", trigger="t", slack_user="U0ANA", channel="C0FLOOR", said="/monitor <!here>", at=noon)
    told = interrupted_message(asked)
    assert ("/monitor &lt;!here&gt;" in told.text, "Nothing was sent" in told.text) == (True, True)
