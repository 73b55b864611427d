"""What a reader sees of a message; what people type, as Slack passes it on; and Slack's signature."""

import time
from typing import Any

import pytest

from bot.sandbox.changes import Changes
from bot.sandbox.workspace.conversations import Channel, Conversations, Message
from bot.sandbox.workspace.interactions import command_and_text, signature

IMAGE = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a phone"}
GO = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def shown(*blocks: dict[str, Any]) -> Message:
    message = Message("C0FLOOR", "1.000001", "", [], "U0BOT")
    message.show(time.monotonic(), "the text", list(blocks))
    return message


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        ({"type": "header", "text": plain("Bob &lt;1&gt;")}, ["Bob &lt;1&gt;"]),
        ({"type": "section", "text": mrkdwn("Bob &lt;1&gt; &amp;lt;")}, ["Bob <1> &lt;"]),
        ({"type": "section", "text": mrkdwn("a"), "fields": [mrkdwn("b"), plain("c")]}, ["a", "b", "c"]),
        ({"type": "section", "text": mrkdwn("a"), "accessory": GO}, ["a", "Go"]),
        ({"type": "section", "text": mrkdwn("a"), "accessory": IMAGE}, ["a", "a phone"]),
        ({"type": "context", "elements": [IMAGE, mrkdwn("since 12:00")]}, ["a phone", "since 12:00"]),
        ({"type": "actions", "elements": [GO, GO | {"text": plain("Stop")}]}, ["Go", "Stop"]),
        ({"type": "markdown", "text": "**a**"}, ["**a**"]),
        (IMAGE, ["a phone"]),
        (IMAGE | {"title": plain("The floor")}, ["The floor"]),
        ({"type": "divider"}, []),
    ],
)
def test_a_reader_sees_the_lines(block: dict[str, Any], lines: list[str]) -> None:
    assert shown(block).lines() == lines


def test_a_reader_sees_the_text_where_there_are_no_blocks() -> None:
    assert shown().lines() == ["the text"]


def test_an_accessory_can_be_clicked() -> None:
    assert [each.label for each in shown({"type": "section", "text": mrkdwn("a"), "accessory": GO}).buttons()] == ["Go"]


def test_an_image_cannot_be_clicked() -> None:
    assert shown({"type": "context", "elements": [IMAGE]}).buttons() == []


def test_plain_text_holds_no_live_markup() -> None:
    blocks = [
        {"type": "header", "text": plain("<!here>")},
        {"type": "section", "text": mrkdwn("<!channel> <@U0ANA|a>")},
    ]
    assert shown(*blocks).live_markup() == ["!channel", "@U0ANA|a"]


def test_a_version_stays_what_it_was() -> None:
    message = shown({"type": "section", "text": mrkdwn("a")})
    message.blocks[0]["text"]["text"] = "b"
    assert message.versions[0].blocks[0]["text"]["text"] == "a"


# ── what people type ──


BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url="
    b"https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
    b"398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


@pytest.fixture
def conversations() -> Conversations:
    conversations = Conversations("T0LOCAL", Changes())
    conversations.add_person("U0BO", "bo", None)
    conversations.add_person("U0BOB", "bob", None)
    conversations.add_person("U0BORG", "bo.rg", None)
    conversations.add_channel(Channel("C0FLOOR", "support-floor"))
    return conversations


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("/monitor 0003*210", "0003*210"),
        ("/monitor   0003*210  ", "0003*210"),
        ("/monitor", ""),
        ('/monitor 210 as="John Doe <+3334444>"', '210 as="John Doe &lt;+3334444&gt;"'),
        ("/monitor a & b &lt;", "a &amp; b &amp;lt;"),
        ("/monitor @bob", "<@U0BOB|bob>"),
        ("/monitor @bo.", "<@U0BO|bo>."),
        ("/monitor @bo.rg", "<@U0BORG|bo.rg>"),
        ("/monitor @bobby", "@bobby"),
        ("/monitor @self", "@self"),
        ("/monitor ana@bob", "ana@bob"),
        ("/monitor #support-floor", "<#C0FLOOR|support-floor>"),
        ("/monitor #support-floors", "#support-floors"),
        ("/monitor #directmessage", "#directmessage"),
        ("/monitor https://example.com/@bob?a=1&b=2", "<https://example.com/@bob?a=1&amp;b=2>"),
        ("/monitor two\nlines", "two\nlines"),
    ],
)
def test_slack_passes_on(conversations: Conversations, typed: str, text: str) -> None:
    assert command_and_text(typed, conversations, raw=False) == ("/monitor", text)


def test_raw_text_is_passed_on_as_it_is(conversations: Conversations) -> None:
    typed = "/monitor <@U0BOB> <tel:+15550100|+15550100> &"
    assert command_and_text(typed, conversations, raw=True) == (
        "/monitor",
        "<@U0BOB> <tel:+15550100|+15550100> &",
    )


def test_text_without_a_slash_is_no_command(conversations: Conversations) -> None:
    with pytest.raises(ValueError, match="not a slash command"):
        command_and_text("monitor 210", conversations, raw=False)


def test_the_signature_is_that_of_slacks_example() -> None:
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", BODY) == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )
