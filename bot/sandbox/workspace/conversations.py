"""People, channels, direct messages, and the messages in them."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.changes import Changes
from bot.sandbox.workspace.message_rules import Content, SlackRefusal
from bot.sandbox.workspace.messages_shown import Message


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
