"""Messages as people see them: what a reader reads, which buttons there are, and every version there has been."""

import copy
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LIVE_MARKUP = re.compile(r"<(.*?)>")
"""How Slack finds control sequences in mrkdwn ("Formatting text", retrieving messages)."""


@dataclass(frozen=True)
class Version:
    """A message as it was from `at` on (seconds of `time.monotonic`)."""

    at: float
    text: str
    blocks: list[dict[str, Any]]


@dataclass(frozen=True)
class Button:
    """A button of a message; `confirm` is its dialog, if it asks first."""

    label: str
    action_id: str
    value: str | None
    block_id: str
    style: str | None
    confirm: dict[str, Any] | None


@dataclass(eq=False)
class Message:
    """A message as it is shown now; an update changes the same object."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    user: str
    ephemeral_to: str | None = None
    thread_ts: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    """What the app has attached to it; nobody sees it."""
    versions: list[Version] = field(default_factory=list)
    deleted: bool = False

    def show(self, at: float, text: str, blocks: list[dict[str, Any]]) -> None:
        """Show another text and blocks from `at` on (seconds of `time.monotonic`)."""
        self.text, self.blocks = text, with_ids(blocks)
        self.versions.append(Version(at, text, copy.deepcopy(self.blocks)))

    def lines(self) -> list[str]:
        """Everything a reader sees, top to bottom: one entry per text, mrkdwn unescaped; the labels of buttons too."""
        return [seen(text) for text in self.texts()]

    def texts(self) -> Iterator[Mapping[str, Any]]:
        """Every text object that is shown, top to bottom; the top-level text only where there are no blocks."""
        if not self.blocks:
            yield {"type": "mrkdwn", "text": self.text}
        for block in self.blocks:
            yield from _texts_of_block(block)

    def live_markup(self) -> list[str]:
        """What Slack would turn into mentions, links, dates or notifications, in the top-level text and the blocks."""
        texts = [self.text, *(str(each["text"]) for each in self.texts() if each["type"] == "mrkdwn")]
        return [found for text in dict.fromkeys(texts) for found in LIVE_MARKUP.findall(text)]

    def buttons(self) -> list[Button]:
        """The buttons that can be clicked now, top to bottom."""
        return [
            Button(
                label=element["text"]["text"],
                action_id=element["action_id"],
                value=element.get("value"),
                block_id=block["block_id"],
                style=element.get("style"),
                confirm=element.get("confirm"),
            )
            for block in self.blocks
            for element in _elements(block)
            if element["type"] == "button"
        ]

    def as_slack_sends_it(self, bot_id: str, app_id: str) -> dict[str, Any]:
        """The message as Slack puts it into answers and payloads; its metadata is only in the history."""
        found: dict[str, Any] = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        if self.blocks:
            found["blocks"] = copy.deepcopy(self.blocks)
        if self.thread_ts:
            found["thread_ts"] = self.thread_ts
        return found | {"bot_id": bot_id, "app_id": app_id}


def unescaped(text: str) -> str:
    """Mrkdwn as it is read: the three escapes that Slack knows are undone, once."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def seen(text: Mapping[str, Any]) -> str:
    """A text object as it is read."""
    shown = str(text["text"])
    return unescaped(shown) if text["type"] == "mrkdwn" else shown


def with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks as Slack keeps them: it gives each block and button an id where the app gave none."""
    kept = copy.deepcopy(blocks)
    for block in kept:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in _elements(block):
            if element["type"] == "button":
                element.setdefault("action_id", secrets.token_urlsafe(4))
    return kept


def _elements(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The elements of a block, an accessory too."""
    return [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())]


def _texts_of_block(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The text objects of one block, in reading order."""
    if block["type"] == "markdown":
        yield {"type": "markdown", "text": block["text"]}
        return
    if block["type"] == "image":
        yield block.get("title") or {"type": "plain_text", "text": block["alt_text"]}
        return
    if "text" in block:
        yield block["text"]
    yield from block.get("fields", ())
    for element in _elements(block):
        match element["type"]:
            case "button":
                yield element["text"]
            case "image":
                yield {"type": "plain_text", "text": element["alt_text"]}
            case _:
                yield element
