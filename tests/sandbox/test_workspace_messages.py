"""What a reader sees of a message."""

import time
from typing import Any

import pytest

from bot.sandbox.workspace.conversations import Message

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
