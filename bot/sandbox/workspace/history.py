"""conversations.history: what stands in a channel, newest first, a page at a time (the page of the method)."""

import copy
import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox.workspace.conversations import Conversations
from bot.sandbox.workspace.message_rules import SlackRefusal, flag
from bot.sandbox.workspace.messages_shown import Message

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
