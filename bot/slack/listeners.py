"""The Bolt listeners: each starts a task for what was typed or clicked, and acknowledges. Nothing is awaited before that.

A listener returns as soon as it has acknowledged, so the app runs with `process_before_response`: Bolt answers with what
the listener said when it returns. Its default runner looks for an acknowledgement every 10 ms.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.commands import Command
from bot.domain.errors import BadCommand, Refusal
from bot.domain.request import Request
from bot.interventions.ports import Asker
from bot.slack.button_codec import unpack
from bot.slack.command_parser import parse
from bot.slack.external_users import Home, is_external
from bot.slack.outgoing import Outgoing
from bot.slack.private_answers import PrivateAnswers
from bot.slack.room import Guest, Room, acts
from bot.tasks import Tasks

MOST_ANSWERS = 500
"""Refusals for want of room that are on their way to those who clicked; beyond that clicks are refused in silence."""
STOPPING = "callbot is being restarted. Nothing was sent. Please ask again in a moment."
LONGEST_SAID = 3000

_log = structlog.get_logger("callbot.slack")


class Handle(Protocol):
    """Does what was asked, or says why not."""

    def __call__(self, request: Request, meant: Command | Refusal, asker: Asker) -> Coroutine[Any, Any, None]:
        """`meant`: the command, or why it is none. Nothing is raised."""


class Listeners:
    """What Slack sends, turned into requests. `now` and `pbx_behind` are those of `PrivateAnswers`."""

    def __init__(
        self,
        *,
        handle: Handle,
        outgoing: Outgoing,
        home: Home,
        knows: Callable[[str], bool],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        pbx_behind: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._pbx_behind = pbx_behind
        self._handle = handle
        self._outgoing = outgoing
        self._sleep = sleep
        self._home = home
        self._knows = knows
        self._room = Room()
        self._refusals = 0
        self._now = now
        self._new_id = new_id
        self._tasks = Tasks()
        self.closed = False

    @property
    def under_way(self) -> int:
        """Requests that are acknowledged and not yet done with."""
        return len(self._tasks)

    async def drain(self, seconds: float) -> None:
        """Take no more work, and wait for the answers to what has arrived."""
        self.closed = True
        await self._tasks.drain(seconds)

    async def command(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A slash command. Where there is no room for it the acknowledgement says so."""
        command, text = _text(body, "command"), _text(body, "text")
        meant = _read(command, text)
        guest = self._guest(body, _text(body, "user_id"), meant)
        if why_not := self._no_room(guest):
            await ack(why_not, response_type="ephemeral")
            return
        self._start(body, meant, guest, channel=_text(body, "channel_id"), said=f"{command} {text}".strip())
        await ack()

    async def click(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A click. It counts as coming from the channel that the button carries, for the person who clicks.

        Slack shows nothing of what an acknowledgement of a click says, so a refusal for want of room is an answer like
        others, as long as there is room for that.
        """
        user, action = _mapping(body.get("user")), _mapping((body.get("actions") or [None])[0])
        channel = _text(_mapping(body.get("channel")), "id") or _text(_mapping(body.get("container")), "channel_id")
        meant: Command | Refusal
        try:
            button = unpack(_text(action, "value"))
            channel, meant = button.channel, button.command
        except BadCommand as too_old:
            meant = too_old
        guest = self._guest(body, _text(user, "id"), meant)
        why_not = self._no_room(guest)
        if why_not and self._refusals >= MOST_ANSWERS:
            await ack()
            return
        if why_not:
            meant = Refusal(why_not)
        label = _text(_mapping(action.get("text")), "text") or _text(action, "action_id")
        said = f"[{label}]"
        self._start(body, meant, guest, channel=channel, said=said, clicked=True, refused=bool(why_not))
        await ack()

    def _guest(self, body: Mapping[str, Any], slack_user: str, meant: Command | Refusal) -> Guest:
        known = not is_external(body, self._home) and self._knows(slack_user)
        return Guest(slack_user, acts=acts(meant), known=known)

    def _no_room(self, guest: Guest) -> str:
        """Why nothing more of this kind is taken at the moment; empty where there is room."""
        return STOPPING if self.closed else self._room.why_not(guest)

    def _start(
        self,
        body: Mapping[str, Any],
        meant: Command | Refusal,
        guest: Guest,
        *,
        channel: str,
        said: str,
        clicked: bool = False,
        refused: bool = False,
    ) -> None:
        request = Request(
            id=self._new_id(),
            trigger=_text(body, "trigger_id") or self._new_id(),
            slack_user=guest.slack_user,
            external=is_external(body, self._home),
            channel=channel,
            clicked=clicked,
            said=said[:LONGEST_SAID],
            at=self._now(),
        )
        asker = PrivateAnswers(
            outgoing=self._outgoing,
            response_url=_text(body, "response_url") or None,
            slack_user=guest.slack_user,
            clicked=clicked,
            now=self._now,
            sleep=self._sleep,
            pbx_behind=self._pbx_behind,
        )
        task = self._tasks.spawn(self._handle(request, meant, asker), name=f"request {request.id}")
        if refused:
            self._refusals += 1
            task.add_done_callback(lambda _: self._refusal_told())
        else:
            self._room.enter(guest)
            task.add_done_callback(lambda _: self._room.leave(guest))

    def _refusal_told(self) -> None:
        self._refusals -= 1


def build_app(listeners: Listeners, client: AsyncWebClient, authorized: AuthorizeResult) -> AsyncApp:
    """The Bolt app. `authorized`: who the bot token belongs to, known from the start, so Bolt never asks Slack for it.

    bot.slack.http checks signatures on the raw bytes before. Bolt's middlewares for events and functions are left out:
    callbot subscribes to neither.
    """

    async def authorize() -> AuthorizeResult:
        return authorized

    logger = logging.getLogger("callbot.bolt")
    logger.setLevel(logging.ERROR)
    app = AsyncApp(
        name="callbot",
        logger=logger,
        client=client,
        authorize=authorize,
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        signing_secret="",
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.command(re.compile("^/"))(listeners.command)
    app.action({"type": "block_actions", "action_id": re.compile("")})(listeners.click)
    app.error(_failed)
    return app


async def _failed(error: Exception) -> BoltResponse:
    """The answer to what no listener takes, and to a bug in one; one line in the log, without the body."""
    if isinstance(error, BoltUnhandledRequestError):
        _log.warning("unhandled_request")
        return BoltResponse(status=404, body="")
    _log.error("listener_failed", error=type(error).__name__)
    return BoltResponse(status=500, body="")


def _read(command: str, text: str) -> Command | Refusal:
    """What a typed line means, or why it means nothing."""
    try:
        return parse(command, text)
    except Refusal as wrong:
        return wrong


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
