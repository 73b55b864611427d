"""What Slack refuses in blocks, texts and buttons."""

from typing import Any

import pytest

from bot.sandbox.workspace.message_rules import check_blocks

Block = dict[str, Any]


def plain(text: str = "Whisper") -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "*talking*") -> Block:
    return {"type": "mrkdwn", "text": text}


def button(**fields: Any) -> Block:
    return {"type": "button", "text": plain(), "action_id": "whisper", "value": "v1"} | fields


def confirm(**fields: Any) -> Block:
    return {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain()} | fields


def section(**fields: Any) -> Block:
    return {"type": "section", "text": mrkdwn()} | fields


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def context(*elements: Block) -> Block:
    return {"type": "context", "elements": list(elements)}


IMAGE = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a phone"}


TAKEN: list[Block] = [
    section(),
    section(text=mrkdwn("x" * 3000)),
    section(text=mrkdwn() | {"verbatim": True}),
    section(text=plain() | {"emoji": False}),
    {"type": "section", "fields": [mrkdwn("x" * 2000)] * 10},
    section(accessory=button()),
    section(accessory=IMAGE),
    {"type": "header", "text": plain("x" * 150)},
    context(*[mrkdwn()] * 10),
    context(IMAGE, plain()),
    actions(*[button(action_id=f"a{number}") for number in range(25)]),
    actions(button(text=plain("x" * 75), value="x" * 2000, action_id="x" * 255, style="danger")),
    actions(button(confirm=confirm(title=plain("x" * 100), text=plain("x" * 300), style="primary"))),
    actions(button(url="https://example.com", accessibility_label="x" * 75)),
    {"type": "divider", "block_id": "x" * 255},
    IMAGE | {"title": plain()},
    {"type": "markdown", "text": "x" * 12_000},
]


def test_slack_takes() -> None:
    assert [block for block in TAKEN if check_blocks([block])] == []


REFUSED: list[tuple[Any, str]] = [
    (section(text=mrkdwn("x" * 3001)), "/blocks/0/text/text"),
    (section(text=mrkdwn("")), "/blocks/0/text/text"),
    (section(text={"type": "mrkdwn", "text": 3}), "/blocks/0/text/text"),
    (section(text="bare"), "/blocks/0/text"),
    (section(text={"type": "markdown", "text": "x"}), "/blocks/0/text/type"),
    (section(text=mrkdwn() | {"emoji": True}), "/blocks/0/text"),
    (section(text=plain() | {"verbatim": True}), "/blocks/0/text"),
    (section(text=mrkdwn() | {"verbatim": "yes"}), "/blocks/0/text/verbatim"),
    ({"type": "section"}, "/blocks/0"),
    ({"type": "section", "fields": []}, "/blocks/0/fields"),
    ({"type": "section", "fields": [mrkdwn()] * 11}, "/blocks/0/fields"),
    ({"type": "section", "fields": [mrkdwn("x" * 2001)]}, "/blocks/0/fields/0/text"),
    (section(colour="red"), "/blocks/0"),
    (section(expand="yes"), "/blocks/0/expand"),
    (section(block_id="x" * 256), "/blocks/0/block_id"),
    (section(accessory=plain()), "/blocks/0/accessory"),
    ({"type": "header", "text": mrkdwn()}, "/blocks/0/text/type"),
    ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text"),
    (context(), "/blocks/0/elements"),
    (context(*[mrkdwn()] * 11), "/blocks/0/elements"),
    (context(button()), "/blocks/0/elements/0/type"),
    (actions(), "/blocks/0/elements"),
    (actions(*[button(action_id=f"a{number}") for number in range(26)]), "/blocks/0/elements"),
    (actions(button(), button()), "/blocks/0/elements/1"),
    (actions(button(text=mrkdwn())), "/blocks/0/elements/0/text/type"),
    (actions(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text"),
    (actions(button(value="x" * 2001)), "/blocks/0/elements/0/value"),
    (actions(button(value=7)), "/blocks/0/elements/0/value"),
    (actions(button(url="x" * 3001)), "/blocks/0/elements/0/url"),
    (actions(button(action_id="x" * 256)), "/blocks/0/elements/0/action_id"),
    (actions(button(action_id="")), "/blocks/0/elements/0/action_id"),
    (actions(button(accessibility_label="x" * 76)), "/blocks/0/elements/0/accessibility_label"),
    (actions(button(style="warning")), "/blocks/0/elements/0/style"),
    (actions(button(label="x")), "/blocks/0/elements/0"),
    (actions(button(confirm="sure?")), "/blocks/0/elements/0/confirm"),
    (actions(button(confirm=confirm(title=mrkdwn()))), "/blocks/0/elements/0/confirm/title/type"),
    (actions(button(confirm=confirm(title=plain("x" * 101)))), "/blocks/0/elements/0/confirm/title/text"),
    (actions(button(confirm=confirm(text=plain("x" * 301)))), "/blocks/0/elements/0/confirm/text/text"),
    (actions(button(confirm=confirm(confirm=plain("x" * 31)))), "/blocks/0/elements/0/confirm/confirm/text"),
    (actions(button(confirm=confirm(deny=plain("x" * 31)))), "/blocks/0/elements/0/confirm/deny/text"),
    (actions(button(confirm=confirm(deny=None))), "/blocks/0/elements/0/confirm/deny"),
    (actions(button(confirm=confirm(style="warning"))), "/blocks/0/elements/0/confirm/style"),
    (actions({"type": "knob"}), "/blocks/0/elements/0"),
    ({"type": "divider", "text": plain()}, "/blocks/0"),
    ({"type": "image", "image_url": "https://example.com/a.png"}, "/blocks/0/alt_text"),
    ({"type": "image", "alt_text": "a phone"}, "/blocks/0/image_url"),
    (IMAGE | {"title": mrkdwn()}, "/blocks/0/title/type"),
    ({"type": "markdown", "text": ""}, "/blocks/0/text"),
    ({"type": "marquee"}, "/blocks/0/type"),
    ("text", "/blocks/0"),
]


def pointers(blocks: object) -> list[str]:
    """Where something is wrong in the blocks, as Slack's messages point to it."""
    return [reason.rpartition("[json-pointer:")[2].removesuffix("]") for reason in check_blocks(blocks)]


def test_slack_refuses_and_points_to() -> None:
    assert [(block, where) for block, where in REFUSED if pointers([block]) != [where]] == []


@pytest.mark.parametrize(
    "blocks",
    [
        [section(block_id="call"), section(block_id="call")],
        [section()] * 51,
        [{"type": "markdown", "text": "x" * 6001}] * 2,
        {"type": "divider"},
    ],
    ids=["a block_id twice", "51 blocks", "too much markdown", "no list"],
)
def test_slack_refuses_together(blocks: object) -> None:
    assert pointers(blocks) == ["/blocks"]


def test_slack_takes_fifty_blocks() -> None:
    assert check_blocks([section()] * 50) == []


def test_the_same_action_id_may_stand_in_two_blocks() -> None:
    assert check_blocks([actions(button()), actions(button())]) == []
