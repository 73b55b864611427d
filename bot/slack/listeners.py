"""The Bolt listeners: each starts a task for what was typed or clicked, and acks. Nothing is awaited before that.

A listener returns as soon as it has acked, so the app runs with `process_before_response`: Bolt answers with what
the listener said when it returns. Otherwise Bolt would poll for the ack every 10 ms.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.commands import Command, Help, ListCalls, Request
from bot.domain.errors import BadCommand, Refusal
from bot.interventions.service import Asker
from bot.slack.button_codec import unpack
from bot.slack.command_parser import parse
from bot.slack.outbox import Outbox
from bot.slack.private_answers import PrivateAnswers
from bot.tasks import Tasks

MOST_UNDER_WAY = 500
"""Requests under way at a time."""
MOST_LISTS = 300
"""From so many requests under way, no list is started: the rest is kept for interventions."""
MOST_UNKNOWN = 30
"""Requests under way of all people together whom the configuration does not name."""
MOST_EACH = 10
"""Lists of one person under way, and as many interventions."""
MOST_ANSWERS = 500
"""Clicks beyond the limits that are being answered; from so many on, a click beyond them gets no answer."""
TOO_MUCH_TO_DO = "callbot has too much to do at the moment. Nothing was sent. Please try again in a minute."
STILL_AT_WORK = (
    "callbot is still at work on what you asked for before. Nothing was sent. Please wait for those answers first."
)
STOPPING = "callbot is being restarted. Nothing was sent. Please ask again in a moment."
LONGEST_SAID = 3000

_log = structlog.get_logger("callbot.slack")


class Handle(Protocol):
    """Carries a request out, or tells the person why not. It is `bot.app.dispatch.Dispatch.handle`."""

    def __call__(self, request: Request, meant: Command | Refusal, asker: Asker) -> Coroutine[Any, Any, None]:
        """`meant`: the command, or why the line could not be read. Raises nothing."""


# ── who asks ──


class Home(NamedTuple):
    """The workspace in which callbot is installed, and its organisation; empty where there is none."""

    team_id: str
    enterprise_id: str = ""


def is_external(body: Mapping[str, Any], home: Home) -> bool:
    """Whether a command or click comes from an external user: of another workspace than callbot's, or another organisation.

    In shared channels (Slack Connect) people of other workspaces type and click, too. In an organisation
    with several workspaces (Enterprise Grid) `user.team_id` of a click may be the workspace in which it was clicked, the
    person's home workspace, or the id of the organisation itself (bolt-js issue 1875); a command names the workspace where
    it was typed. So the organisation decides where Slack names it, and a payload that names neither counts as external.
    """
    user, team = _mapping(body.get("user")), _text(body, "team_id")
    if user:
        team = _text(user, "team_id") or _text(_mapping(body.get("team")), "id")
    if not home.enterprise_id:
        return team != home.team_id
    organisations = {
        _text(body, "enterprise_id"),
        _text(_mapping(body.get("enterprise")), "id"),
        _text(user, "enterprise_id"),
        _text(_mapping(user.get("enterprise_user")), "enterprise_id"),
    } - {""}
    if organisations - {home.enterprise_id}:
        return True
    return team not in home and home.enterprise_id not in organisations


@dataclass(frozen=True)
class Origin:
    """Where a request comes from: who asks, and whether for an act."""

    slack_user: str
    external: bool
    known: bool
    """The configuration names this person, who is no external user."""
    acts: bool
    """Everything but a list, help, or a line that cannot be read: somebody waits at a phone, or for a person."""


class RequestLimits:
    """How many requests may be under way: in all, for each person, and for people whom the configuration does not name.

    Interventions come before lists and help, and the people of callbot.toml before everybody else. `closed`: callbot stops,
    so no further request is started.
    """

    def __init__(self) -> None:
        self.closed = False
        self._all = 0
        self._unknown = 0
        self._of_each: Counter[tuple[str, bool]] = Counter()

    def refusal(self, origin: Origin) -> str:
        """Why a request from there is not started now; empty where it may start."""
        if self.closed:
            return STOPPING
        if self._all >= (MOST_UNDER_WAY if origin.acts and origin.known else MOST_LISTS):
            return TOO_MUCH_TO_DO
        if self._of_each[origin.slack_user, origin.acts] >= MOST_EACH:
            return STILL_AT_WORK
        return TOO_MUCH_TO_DO if not origin.known and self._unknown >= MOST_UNKNOWN else ""

    def count(self, origin: Origin, number: int) -> None:
        """Count a request from there that is started (1), or is done (-1)."""
        self._all += number
        self._unknown += 0 if origin.known else number
        of_each = (origin.slack_user, origin.acts)
        self._of_each[of_each] += number
        if not self._of_each[of_each]:
            del self._of_each[of_each]


# ── what is typed and clicked ──


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

    @property
    def under_way(self) -> int:
        """How many requests are acked and not done."""
        return len(self._tasks)

    async def drain(self, seconds: float) -> None:
        """Refuse new requests, and wait at most so many seconds for those under way."""
        self._limits.closed = True
        await self._tasks.drain(seconds)

    async def command(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A slash command. A request beyond the limits is refused in the ack."""
        command, text = _text(body, "command"), _text(body, "text")
        meant: Command | Refusal
        try:
            meant = parse(command, text)
        except Refusal as invalid:
            meant = invalid
        origin = self._origin(body, _text(body, "user_id"), meant)
        if refusal := self._limits.refusal(origin):
            await ack(refusal, response_type="ephemeral")
            return
        self._start(body, meant, origin, channel=_text(body, "channel_id"), said=f"{command} {text}".strip())
        await ack()

    async def click(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A click. It counts as coming from the channel that the button carries, for the person who clicks.

        Slack does not show what the ack of a click says, so a request beyond the limits is refused in an answer
        like any other, for as long as there are not too many of those.
        """
        user, action = _mapping(body.get("user")), _mapping((body.get("actions") or [None])[0])
        channel = _text(_mapping(body.get("channel")), "id") or _text(_mapping(body.get("container")), "channel_id")
        meant: Command | Refusal
        try:
            offer = unpack(_text(action, "value"))
            channel, meant = offer.channel, offer.command
        except BadCommand as too_old:
            meant = too_old
        origin = self._origin(body, _text(user, "id"), meant)
        refusal = self._limits.refusal(origin)
        if refusal and self._answers_to_refused >= MOST_ANSWERS:
            await ack()
            return
        if refusal:
            meant = Refusal(refusal)
        label = _text(_mapping(action.get("text")), "text") or _text(action, "action_id")
        said = f"[{label}]"
        self._start(body, meant, origin, channel=channel, said=said, clicked=True, refused=bool(refusal))
        await ack()

    def _origin(self, body: Mapping[str, Any], slack_user: str, meant: Command | Refusal) -> Origin:
        external = is_external(body, self._home)
        return Origin(
            slack_user,
            external=external,
            known=not external and self._knows(slack_user),
            acts=not isinstance(meant, Refusal | ListCalls | Help),
        )

    def _start(
        self,
        body: Mapping[str, Any],
        meant: Command | Refusal,
        origin: Origin,
        *,
        channel: str,
        said: str,
        clicked: bool = False,
        refused: bool = False,
    ) -> None:
        request = Request(
            id=self._new_id(),
            trigger=_text(body, "trigger_id") or self._new_id(),
            slack_user=origin.slack_user,
            external=origin.external,
            channel=channel,
            clicked=clicked,
            said=said[:LONGEST_SAID],
            at=self._now(),
        )
        asker = PrivateAnswers(
            outbox=self._outbox,
            response_url=_text(body, "response_url"),
            slack_user=origin.slack_user,
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
            self._limits.count(origin, 1)
            task.add_done_callback(lambda _: self._limits.count(origin, -1))

    def _refused_answered(self) -> None:
        self._answers_to_refused -= 1


# ── Bolt ──


def build_app(listeners: Listeners, client: AsyncWebClient, authorized: AuthorizeResult) -> AsyncApp:
    """The Bolt app. `authorized`: who the bot token belongs to, known from the start, so Bolt never asks Slack for it.

    bot.slack.http checks signatures on the raw bytes before. Bolt's middlewares for events and functions are left out:
    callbot subscribes to neither.
    """

    async def already_authorized() -> AuthorizeResult:
        return authorized

    logger = logging.getLogger("callbot.bolt")
    logger.setLevel(logging.ERROR)
    app = AsyncApp(
        name="callbot",
        logger=logger,
        client=client,
        authorize=already_authorized,
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


class Acks(Protocol):
    """The metrics of acks, which `bot.app.metrics.Metrics` keeps. `kind` is command, button or other."""

    def acked(self, kind: str, seconds: float) -> None:
        """Bolt has acked a delivery, this many seconds after it was given it."""

    def ack_lost(self, kind: str) -> None:
        """Slack gets no ack of a delivery."""


async def deliver(app: AsyncApp, request: AsyncBoltRequest, acks: Acks) -> BoltResponse:
    """Bolt's answer. Any status but 200 counts as a lost ack, and so does an exception."""
    kind, start, status = kind_of(request.body), time.monotonic(), 500
    try:
        response = await app.async_dispatch(request)
        status = response.status
    finally:
        if status == 200:
            acks.acked(kind, time.monotonic() - start)
        else:
            acks.ack_lost(kind)
    return response


def kind_of(body: Mapping[str, Any]) -> str:
    """What a payload is, for the metrics: command, button or other."""
    command = body.get("command")
    if isinstance(command, str) and command.startswith("/"):
        return "command"
    return "button" if body.get("type") == "block_actions" else "other"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
