"""People, channels, direct messages, and the messages in them: what a reader reads, the buttons, and every version."""

import copy
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.changes import Changes
from bot.sandbox.workspace.message_rules import Content, SlackRefusal

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


@dataclass(frozen=True)
class Person:
    """A person with a Slack account, perhaps of another workspace; `enterprise_id`: their organisation, if any."""

    id: str
    name: str
    team_id: str
    enterprise_id: str | None = None

    @property
    def dm(self) -> str:
        """The id of their direct message with the bot."""
        return "D" + self.id[1:]


@dataclass(frozen=True)
class Channel:
    """A channel, or a direct message, which has a `person`."""

    id: str
    name: str
    bot_is_member: bool = True
    archived: bool = False
    person: str | None = None


class Conversations:
    """People, channels and messages of one workspace; `enterprise_id`: its organisation (Enterprise Grid)."""

    def __init__(self, team_id: str, changes: Changes, enterprise_id: str | None = None) -> None:
        self.team_id = team_id
        self.enterprise_id = enterprise_id
        self.changes = changes
        self.app_id = "A0LOCAL"
        self.bot_id = "B0LOCAL"
        self.bot_user_id = "U0" + secrets.token_hex(4).upper()
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.posted: list[Message] = []
        self._stamp = 0

    def add_person(self, user: str, name: str, team_id: str | None, enterprise_id: str | None = None) -> None:
        """Add a person, with a direct message to the bot."""
        organisation = self.enterprise_id if team_id is None else enterprise_id
        person = Person(user, name, team_id or self.team_id, organisation)
        self.people[user] = person
        self.channels[person.dm] = Channel(person.dm, "directmessage", person=user)
        self.changes.tell()

    def add_channel(self, channel: Channel) -> None:
        """Open a channel, or replace it with its new state."""
        self.channels[channel.id] = channel
        self.changes.tell()

    def person(self, user: str) -> Person:
        """Find a person; raises `LookupError` that lists who is there."""
        if user not in self.people:
            raise LookupError(f"nobody is {user}; here are {', '.join(sorted(self.people)) or 'none'}")
        return self.people[user]

    def channel(self, channel: str) -> Channel:
        """Find a channel or direct message; raises `LookupError` that lists what there is."""
        if channel not in self.channels:
            raise LookupError(f"no channel {channel}; there are {', '.join(sorted(self.channels)) or 'none'}")
        return self.channels[channel]

    def open_to_bot(self, channel: object) -> Channel:
        """The channel that the bot may write in; a user id is their direct message. Raises `SlackRefusal`."""
        if not isinstance(channel, str) or not channel:
            raise SlackRefusal("channel_not_found")
        if channel in self.people:
            channel = self.people[channel].dm
        found = self.channels.get(channel)
        if found is None:
            raise SlackRefusal("channel_not_found")
        if found.archived:
            raise SlackRefusal("is_archived")
        if not found.bot_is_member:
            raise SlackRefusal("not_in_channel")
        return found

    def post(
        self,
        channel: str,
        content: Content,
        *,
        user: str | None = None,
        ephemeral_to: str | None = None,
        thread_ts: str | None = None,
    ) -> Message:
        """Add a message; without `user` it is the bot's."""
        message = Message(
            channel=channel,
            ts=self._next_ts(),
            text="",
            blocks=[],
            user=user or self.bot_user_id,
            ephemeral_to=ephemeral_to,
            thread_ts=thread_ts,
            metadata=content.metadata or {},
        )
        message.show(time.monotonic(), content.text, content.blocks)
        self.posted.append(message)
        self.changes.tell()
        return message

    def replace(self, message: Message, content: Content) -> None:
        """Replace the content of a message; metadata that is not named stays."""
        if content.metadata is not None:
            message.metadata = content.metadata
        message.show(time.monotonic(), content.text, content.blocks)
        self.changes.tell()

    def delete(self, message: Message) -> None:
        """Remove a message."""
        message.deleted = True
        self.changes.tell()

    def find(self, channel: str, ts: object) -> Message:
        """A message that all in the channel see; raises `SlackRefusal` (for ephemeral ones too, as Slack does)."""
        for message in self.shown(lambda each: each.ephemeral_to is None):
            if (message.channel, message.ts) == (channel, ts):
                return message
        raise SlackRefusal("message_not_found")

    def thread(self, channel: str, thread_ts: object) -> str | None:
        """The thread of a message, or None; raises `SlackRefusal` for an unknown thread."""
        if thread_ts in (None, ""):
            return None
        try:
            return self.find(channel, thread_ts).ts
        except SlackRefusal:
            raise SlackRefusal("thread_not_found") from None

    def shown(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """The current messages, oldest first."""
        return [each for each in self.posted if not each.deleted and wanted(each)]

    def description(self) -> str:
        """All that people see, as text."""
        lines: list[str] = []
        for each in self.shown(lambda _: True):
            place = f"{each.channel} to {each.ephemeral_to} alone" if each.ephemeral_to else each.channel
            lines += [f"{place} {each.ts}:", *(f"    {line}" for line in each.lines())]
        return "\n".join(lines) or "no messages"

    def _next_ts(self) -> str:
        """A new unique ts, as Slack writes it: seconds and six digits."""
        self._stamp = max(time.time_ns() // 1000, self._stamp + 1)
        return f"{self._stamp // 1_000_000}.{self._stamp % 1_000_000:06d}"
