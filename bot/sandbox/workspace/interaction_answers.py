"""What the bot answers to a command or click, by acknowledgement or response URL ("Handling user interaction")."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.workspace.conversations import Conversations
from bot.sandbox.workspace.faults import SlackFaults, loses_the_answer, refused_by, spoiled_by
from bot.sandbox.workspace.journal import Journal
from bot.sandbox.workspace.limits import RateGate, SlackLimits
from bot.sandbox.workspace.message_rules import FORMATTING, Content, SlackRefusal, content_of, flag
from bot.sandbox.workspace.messages_shown import Message
from bot.sandbox.workspace.web_api import RateLimited, json_object, refusal_response

ANSWER = FORMATTING | {"response_type", "replace_original", "delete_original", "thread_ts"}
RESPONSE_TYPES = (None, "ephemeral", "in_channel")


@dataclass(frozen=True)
class Origin:
    """Where a command or click came from: `typed` for a command, `source` (the message) for a click."""

    person: str
    channel: str
    typed: str | None = None
    source: Message | None = None


class InteractionAnswers:
    """Shows answers to people, and keeps the response URLs."""

    def __init__(
        self,
        conversations: Conversations,
        *,
        gate: RateGate,
        limits: SlackLimits,
        clock: Callable[[], float],
        journal: Journal,
        faults: SlackFaults,
    ) -> None:
        self._rooms = conversations
        self._gate = gate
        self._limits = limits
        self._clock = clock
        self._journal = journal
        self._faults = faults
        self._urls: dict[str, tuple[Origin, float]] = {}
        self._uses: dict[str, int] = {}

    def new_url(self, base: str, origin: Origin) -> str:
        """A response URL under `base`, good for some uses within some time."""
        key = secrets.token_urlsafe(18)
        self._urls[key] = (origin, self._clock())
        self._uses[key] = 0
        return f"{base}/{key}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A request to a response URL."""
        fault = self._faults.take("response_url")
        try:
            response = await refused_by(fault)
            if response is None:
                origin = self._use(request.match_info["key"])
                self.show(json_object(await request.read()), origin)
                response = web.json_response({"ok": True})
        except SlackRefusal as refusal:
            self._journal.refused("response_url", refusal)
            refusal.status = 400 if refusal.status == 200 else refusal.status
            response = refusal_response(refusal)
        response = await spoiled_by(fault, response)
        loses_the_answer(fault, request)
        return response

    def _use(self, key: str) -> Origin:
        """Count one use of a response URL; raises `SlackRefusal`."""
        if key not in self._urls:
            raise SlackRefusal("no_service", status=404)
        origin, since = self._urls[key]
        if self._clock() - since > self._limits.response_url_lifetime:
            raise SlackRefusal("expired_url", status=404)
        if self._uses[key] >= self._limits.response_url_uses:
            raise SlackRefusal("used_url", status=404)
        self._uses[key] += 1
        return origin

    def show(self, args: dict[str, Any], origin: Origin) -> None:
        """Do what an answer says; raises `SlackRefusal`.

        `replace_original` and `delete_original` act on the message of a click. A command has none: what would
        replace it is shown as a new message. An ephemeral message stays ephemeral.
        """
        if args.get("response_type") not in RESPONSE_TYPES:
            raise SlackRefusal(
                "invalid_arguments", ["[ERROR] must be ephemeral or in_channel [json-pointer:/response_type]"]
            )
        if flag(args, "delete_original"):
            self._rooms.delete(self._source(origin))
            return
        content = content_of(args, ANSWER)
        if origin.source is not None and flag(args, "replace_original"):
            self._rooms.replace(self._source(origin), content)
        elif args.get("response_type") == "in_channel":
            self._show_to_all(content, origin, self._rooms.thread(origin.channel, args.get("thread_ts")))
        else:
            thread = self._rooms.thread(origin.channel, args.get("thread_ts"))
            self._rooms.post(origin.channel, content, ephemeral_to=origin.person, thread_ts=thread)

    def _source(self, origin: Origin) -> Message:
        if origin.source is None or origin.source.deleted:
            raise SlackRefusal("message_not_found", status=404)
        return origin.source

    def _show_to_all(self, content: Content, origin: Origin, thread_ts: str | None) -> None:
        """Post into the channel; with a command, what was typed is published too, before the answer."""
        wait = self._gate.post(origin.channel)
        if wait is not None:
            raise RateLimited(wait)
        if origin.typed is not None:
            self._rooms.post(origin.channel, Content(origin.typed, []), user=origin.person)
        self._rooms.post(origin.channel, content, thread_ts=thread_ts)
