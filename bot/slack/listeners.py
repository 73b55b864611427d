"""The Bolt listeners: each starts a task for what was typed or clicked, and acknowledges. Nothing is awaited before that.

A listener returns as soon as it has acknowledged, so the app runs with `process_before_response`: Bolt answers with what
the listener said when it returns. Otherwise Bolt would poll for the acknowledgement every 10 ms.
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
from bot.slack.outbox import Outbox
from bot.slack.private_answers import PrivateAnswers
from bot.slack.request_limits import Requester, RequestLimits, acts
from bot.tasks import Tasks

MOST_ANSWERS = 500
"""Clicks beyond the limits that are being answered; from so many on, a click beyond them gets no answer."""
STOPPING = "callbot is being restarted. Nothing was sent. Please ask again in a moment."
LONGEST_SAID = 3000

_log = structlog.get_logger("callbot.slack")


class Handle(Protocol):
    """Carries a request out, or tells the person why not."""

    def __call__(self, request: Request, meant: Command | Refusal, asker: Asker) -> Coroutine[Any, Any, None]:
        """`meant`: the command, or why the line could not be read. Raises nothing."""


class Listeners:
    """Turns what Slack delivers into requests.

    `handle` carries a request out. `knows`: whether the configuration names a Slack user. `now` and `pbx_behind` are those
    of `PrivateAnswers`.
    """

    def __init__(
        self,
        *,
        handle: Handle,
        outbox: Outbox,
        home: Home,
        knows: Callable[[str], bool],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        pbx_behind: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._pbx_behind = pbx_behind
        self._handle = handle
        self._outbox = outbox
        self._sleep = sleep
        self._home = home
        self._knows = knows
        self._limits = RequestLimits()
        self._answers_to_refused = 0
        self._now = now
        self._new_id = new_id
        self._tasks = Tasks()
        self.closed = False

    @property
    def under_way(self) -> int:
        """How many requests are acknowledged and not done."""
        return len(self._tasks)

    async def drain(self, seconds: float) -> None:
        """Refuse new requests, and wait at most so many seconds for those under way."""
        self.closed = True
        await self._tasks.drain(seconds)

    async def command(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A slash command. A request beyond the limits is refused in the acknowledgement."""
        command, text = _text(body, "command"), _text(body, "text")
        meant = _read(command, text)
        requester = self._requester(body, _text(body, "user_id"), meant)
        if refusal := self._refusal(requester):
            await ack(refusal, response_type="ephemeral")
            return
        self._start(body, meant, requester, channel=_text(body, "channel_id"), said=f"{command} {text}".strip())
        await ack()

    async def click(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A click. It counts as coming from the channel that the button carries, for the person who clicks.

        Slack does not show what the acknowledgement of a click says, so a request beyond the limits is refused in an answer
        like any other, for as long as there are not too many of those.
        """
        user, action = _mapping(body.get("user")), _mapping((body.get("actions") or [None])[0])
        channel = _text(_mapping(body.get("channel")), "id") or _text(_mapping(body.get("container")), "channel_id")
        meant: Command | Refusal
        try:
            button = unpack(_text(action, "value"))
            channel, meant = button.channel, button.command
        except BadCommand as too_old:
            meant = too_old
        requester = self._requester(body, _text(user, "id"), meant)
        refusal = self._refusal(requester)
        if refusal and self._answers_to_refused >= MOST_ANSWERS:
            await ack()
            return
        if refusal:
            meant = Refusal(refusal)
        label = _text(_mapping(action.get("text")), "text") or _text(action, "action_id")
        said = f"[{label}]"
        self._start(body, meant, requester, channel=channel, said=said, clicked=True, refused=bool(refusal))
        await ack()

    def _requester(self, body: Mapping[str, Any], slack_user: str, meant: Command | Refusal) -> Requester:
        known = not is_external(body, self._home) and self._knows(slack_user)
        return Requester(slack_user, acts=acts(meant), known=known)

    def _refusal(self, requester: Requester) -> str:
        """Why a request of this person is not started now; empty where it may start."""
        return STOPPING if self.closed else self._limits.refusal(requester)

    def _start(
        self,
        body: Mapping[str, Any],
        meant: Command | Refusal,
        requester: Requester,
        *,
        channel: str,
        said: str,
        clicked: bool = False,
        refused: bool = False,
    ) -> None:
        request = Request(
            id=self._new_id(),
            trigger=_text(body, "trigger_id") or self._new_id(),
            slack_user=requester.slack_user,
            external=is_external(body, self._home),
            channel=channel,
            clicked=clicked,
            said=said[:LONGEST_SAID],
            at=self._now(),
        )
        asker = PrivateAnswers(
            outbox=self._outbox,
            response_url=_text(body, "response_url") or None,
            slack_user=requester.slack_user,
            clicked=clicked,
            now=self._now,
            sleep=self._sleep,
            pbx_behind=self._pbx_behind,
        )
        task = self._tasks.spawn(self._handle(request, meant, asker), name=f"request {request.id}")
        if refused:
            self._answers_to_refused += 1
            task.add_done_callback(lambda _: self._refused_answered())
        else:
            self._limits.started(requester)
            task.add_done_callback(lambda _: self._limits.ended(requester))

    def _refused_answered(self) -> None:
        self._answers_to_refused -= 1


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
    """The command that a typed line stands for, or why it stands for none."""
    try:
        return parse(command, text)
    except Refusal as wrong:
        return wrong


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
