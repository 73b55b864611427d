"""The Web API methods that the bot may use, except the opening of Socket Mode connections.

Arguments, answers and errors are those of each method's page (docs.slack.dev/reference/methods).
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox.workspace.conversations import Channel, Conversations, Message
from bot.sandbox.workspace.limits import RateGate
from bot.sandbox.workspace.message_rules import FORMATTING, MOST_UPDATED_TEXT, SlackRefusal, content_of, flag
from bot.sandbox.workspace.web_api import Method, RateLimited

SENDER = frozenset({"as_user", "icon_emoji", "icon_url", "username"})
POST = FORMATTING | SENDER | {"channel", "thread_ts", "reply_broadcast", "client_msg_id"}
UPDATE = FORMATTING | {"channel", "ts", "as_user", "reply_broadcast"}
EPHEMERAL = FORMATTING | SENDER | {"channel", "user", "thread_ts"}

Args = Mapping[str, Any]


class ChatMethods:
    """The methods, by name."""

    def __init__(
        self, conversations: Conversations, gate: RateGate, team_url: str = "https://local.example.com/"
    ) -> None:
        self._rooms = conversations
        self._gate = gate
        self._team_url = team_url

    def by_name(self) -> dict[str, Method]:
        """The methods by the names in their addresses."""
        return {
            "auth.test": self.auth_test,
            "chat.postMessage": self.post_message,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "conversations.open": self.open_conversation,
            "conversations.info": self.conversation_info,
            "users.info": self.user_info,
        }

    def auth_test(self, args: Args) -> dict[str, Any]:
        """Whose token it is."""
        return {
            "url": self._team_url,
            "team": "Local",
            "user": "callbot",
            "team_id": self._rooms.team_id,
            "user_id": self._rooms.bot_user_id,
            "bot_id": self._rooms.bot_id,
            "is_enterprise_install": False,
        } | ({"enterprise_id": self._rooms.enterprise_id} if self._rooms.enterprise_id else {})

    def post_message(self, args: Args) -> dict[str, Any]:
        """Post into a channel, or to a person by user id; one second apart in one channel, but for bursts."""
        content = content_of(args, POST)
        channel = self._rooms.open_to_bot(args.get("channel"))
        thread = self._rooms.thread(channel.id, args.get("thread_ts"))
        wait = self._gate.post(channel.id)
        if wait is not None:
            raise RateLimited(wait)
        message = self._rooms.post(channel.id, content, thread_ts=thread)
        return self._about(message)

    def post_ephemeral(self, args: Args) -> dict[str, Any]:
        """Show something to one person in a channel."""
        content = content_of(args, EPHEMERAL)
        channel = self._rooms.open_to_bot(args.get("channel"))
        user = args.get("user")
        if user not in self._rooms.people or channel.person not in (None, user):
            raise SlackRefusal("user_not_in_channel")
        thread = self._rooms.thread(channel.id, args.get("thread_ts"))
        message = self._rooms.post(channel.id, content, ephemeral_to=user, thread_ts=thread)
        return {"message_ts": message.ts}

    def update(self, args: Args) -> dict[str, Any]:
        """Change a message of the bot; text without blocks removes the blocks."""
        content = content_of(args, UPDATE, most_text=MOST_UPDATED_TEXT)
        message = self._own(args, "cant_update_message")
        self._rooms.replace(message, content)
        return self._about(message) | {"text": content.text}

    def delete(self, args: Args) -> dict[str, Any]:
        """Delete a message of the bot."""
        message = self._own(args, "cant_delete_message")
        self._rooms.delete(message)
        return {"channel": message.channel, "ts": message.ts}

    def open_conversation(self, args: Args) -> dict[str, Any]:
        """Open the direct message with one person."""
        user = args.get("users")
        if user not in self._rooms.people:
            raise SlackRefusal("user_not_found")
        return {"channel": {"id": self._rooms.people[user].dm}}

    def conversation_info(self, args: Args) -> dict[str, Any]:
        """A channel, as far as the bot may know it."""
        return {"channel": _channel(self._known_channel(args))}

    def user_info(self, args: Args) -> dict[str, Any]:
        """A person, as far as the bot may know them."""
        person = self._rooms.people.get(str(args.get("user")))
        if person is None:
            raise SlackRefusal("user_not_found")
        names = {"name": person.name, "real_name": person.name, "profile": {"display_name": person.name}}
        return {"user": {"id": person.id, "team_id": person.team_id, "is_bot": False, "deleted": False} | names}

    def _known_channel(self, args: Args) -> Channel:
        found = self._rooms.channels.get(str(args.get("channel")))
        if found is None:
            raise SlackRefusal("channel_not_found")
        return found

    def _own(self, args: Args, code: str) -> Message:
        """A message of the bot in a channel that it may write in; unlike a post it takes no user id."""
        channel = self._known_channel(args)
        message = self._rooms.find(self._rooms.open_to_bot(channel.id).id, args.get("ts"))
        if message.user != self._rooms.bot_user_id:
            raise SlackRefusal(code)
        return message

    def _about(self, message: Message) -> dict[str, Any]:
        """A message as the answers to a post and an update show it."""
        shown = message.as_slack_sends_it(self._rooms.bot_id, self._rooms.app_id)
        return {"channel": message.channel, "ts": message.ts, "message": shown}


def _channel(channel: Channel) -> dict[str, Any]:
    """A channel as conversations.info shows it."""
    if channel.person:
        return {"id": channel.id, "is_im": True, "user": channel.person, "is_archived": False}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_im": False,
        "is_member": channel.bot_is_member,
        "is_archived": channel.archived,
    }


ARGUMENTS = frozenset({"channel", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"})
MOST = 999
"""Messages of one page."""
TS = re.compile(r"\d+(\.\d{1,6})?")


class History:
    """The history of every channel that the bot is in."""

    def __init__(self, conversations: Conversations) -> None:
        self._rooms = conversations

    def conversations_history(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """One page. Archived channels can be read, threads and ephemeral messages are not in it."""
        if set(args) - ARGUMENTS:
            raise SlackRefusal("invalid_arguments")
        channel = self._rooms.channels.get(str(args.get("channel")))
        if channel is None:
            raise SlackRefusal("channel_not_found")
        if not channel.bot_is_member:
            raise SlackRefusal("not_in_channel")
        limit, metadata = _limit(args), flag(args, "include_all_metadata")
        found = [each for each in self._between(channel.id, args) if each.thread_ts in (None, each.ts)]
        start = _start(args, found)
        page = found[start : start + limit]
        more = start + limit < len(found)
        return {
            "messages": [self._shown(each, metadata=metadata) for each in page],
            "has_more": more,
            "response_metadata": {"next_cursor": f"next_ts:{page[-1].ts}" if more else ""},
        }

    def _between(self, channel: str, args: Mapping[str, Any]) -> list[Message]:
        """What was posted after `oldest` and before `latest`, newest first."""
        oldest, latest, inclusive = _ts(args, "oldest", 0.0), _ts(args, "latest", float("inf")), flag(args, "inclusive")
        found = self._rooms.shown(lambda each: each.channel == channel and each.ephemeral_to is None)
        return [
            each
            for each in reversed(found)
            if oldest < float(each.ts) < latest or (inclusive and float(each.ts) in (oldest, latest))
        ]

    def _shown(self, message: Message, *, metadata: bool) -> dict[str, Any]:
        shown = message.as_slack_sends_it(self._rooms.bot_id, self._rooms.app_id)
        if metadata and message.metadata:
            shown["metadata"] = copy.deepcopy(message.metadata)
        return shown


def _limit(args: Mapping[str, Any]) -> int:
    text = str(args.get("limit", 100))
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise SlackRefusal("invalid_limit")
    return int(text)


def _ts(args: Mapping[str, Any], name: str, default: float) -> float:
    if name not in args:
        return default
    if not TS.fullmatch(str(args[name])):
        raise SlackRefusal(f"invalid_ts_{name}")
    return float(args[name])


def _start(args: Mapping[str, Any], found: list[Message]) -> int:
    """Where the page begins that a cursor names."""
    cursor = str(args.get("cursor") or "")
    if not cursor:
        return 0
    last = cursor.removeprefix("next_ts:")
    start = next((number + 1 for number, each in enumerate(found) if each.ts == last), None)
    if start is None:
        raise SlackRefusal("invalid_cursor")
    return start
