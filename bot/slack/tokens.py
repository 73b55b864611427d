"""Both tokens of Slack: whether it accepts them at the start, and the bot token for as long as callbot runs.

At the start Slack may be busy, or the network not up yet, so callbot tries for half a minute. A refusal is final.

Without the bot token no card can be posted, so no phone is rung. Slack does not announce that it is revoked, and commands
still arrive (they need the app token, or none). So callbot asks every few seconds, and while it reads the call of each
intervention. Only a clear refusal counts: with a Slack that is slow, limits requests or is down, interventions go on, and
their cards come late.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, NoReturn, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import CallbotError, Refusal
from bot.slack.listeners import Home
from bot.slack.rate_limits import RESPOND
from bot.slack.socket_mode import Sockets
from bot.slack.web_client import CertificateProblem, RateLimited, SlackError, SlackRefusal, answer_of, required_text
from bot.tasks import Tasks, back_off

START_TRIES = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
"""How often each first request is tried at the start, and the seconds between: half a minute in all."""
REVOKED = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})
"""Errors that mean the token itself is invalid (error table of auth.test, docs.slack.dev)."""
BOT_TOKEN_CHECK_EVERY = 10.0
"""Seconds between two checks."""
TOKEN_CHECK_TIMEOUT = 0.5
"""Seconds from the start of a check for which an intervention waits for its result."""

_log = structlog.get_logger("callbot.slack")
T = TypeVar("T")


# ── at the start ──


class SlackUnavailable(CallbotError):
    """At the start, Slack does not accept a token or cannot be reached."""


class Workspace(NamedTuple):
    """The bot's workspace and its ids there, from auth.test."""

    home: Home
    bot_id: str
    bot_user_id: str


async def workspace_of(client: AsyncWebClient, sleep: Callable[[float], Awaitable[None]]) -> Workspace:
    """Ask Slack which workspace and bot the token belongs to. Raises SlackUnavailable."""
    refusal = "Slack does not accept SLACK_BOT_TOKEN: {}. Copy it anew from the app's page."

    async def ask() -> Workspace:
        answer = await answer_of(client.auth_test())
        home = Home(required_text(answer, "team_id"), str(answer.get("enterprise_id") or ""))
        return Workspace(home, str(answer.get("bot_id", "")), str(answer.get("user_id", "")))

    return await _patiently(ask, refusal, sleep)


async def connect(sockets: Sockets, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Open Socket Mode. Raises SlackUnavailable."""
    refusal = "Slack does not accept SLACK_APP_TOKEN: {}. Make a new one, with connections:write."
    await _patiently(sockets.connect, refusal, sleep)


async def _patiently(ask: Callable[[], Awaitable[T]], refusal: str, sleep: Callable[[float], Awaitable[None]]) -> T:
    """Try `ask` until it succeeds. It raises SlackError. `refusal`: the message for a refusal, with {} for its reason."""
    problem = ""
    for tries in range(1, START_TRIES + 1):
        try:
            return await ask()
        except SlackRefusal as error:
            raise SlackUnavailable(refusal.format(error.reason)) from None
        except SlackError as error:
            _log.warning("slack_not_ready", reason=error.reason)
            problem = error.problem if isinstance(error, CertificateProblem) else ""
            if tries < START_TRIES:
                asked_to_wait = error.seconds if isinstance(error, RateLimited) else 0.0
                await sleep(max(back_off(tries, _FIRST_PAUSE, _LONGEST_PAUSE), asked_to_wait))
    if problem:
        raise SlackUnavailable(
            f"The certificate at SLACK_API_URL is {problem}, so nothing was sent to Slack. Check this machine's clock, and "
            "that no proxy answers in Slack's place with a certificate of its own."
        )
    raise SlackUnavailable(
        "Slack cannot be reached at SLACK_API_URL, though asked for half a minute, or what answers there is not Slack. "
        "Check the network, and SLACK_API_URL where it is set."
    )


# ── while callbot runs ──


class BotTokenRevoked(Refusal):
    """Slack does not accept the bot token."""

    rule = "bot token revoked"

    def __init__(self) -> None:
        super().__init__(
            "Slack no longer accepts callbot's bot token, so no card could show you what your phone rings for. "
            "Nothing was sent. Ask the people who run callbot to copy SLACK_BOT_TOKEN anew (OAuth & Permissions on the app's "
            "page) and to restart it."
        )


class BotToken:
    """The state of the token. `test` asks Slack whether it accepts it, and raises SlackError; its result comes to `heard`."""

    def __init__(
        self,
        test: Callable[[], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._test = test
        self._sleep = sleep
        self._clock = clock
        self._tasks = Tasks(apart=True)
        self._asking: asyncio.Task[None] | None = None
        self._asked_at = 0.0
        self.accepted = True

    def heard(self, method: str, reason: str) -> None:
        """Note the result of a request to Slack: `reason` of its failure, empty if it succeeded."""
        if method == RESPOND:  # it carries no token
            return
        if reason in REVOKED and self.accepted:
            self.accepted = False
            _log.error("bot_token_refused", reason=reason, advice="copy SLACK_BOT_TOKEN anew and restart callbot")
        elif not reason and not self.accepted:
            self.accepted = True
            _log.warning("bot_token_accepted_again")

    def ask(self) -> None:
        """Start a check in the background, unless one is under way."""
        if self._asking is None or self._asking.done():
            self._asked_at = self._clock()
            self._asking = self._tasks.spawn(self._ask(), name="bot token")

    async def refuse_if_revoked(self) -> None:
        """Wait for the check that `ask` started, until TOKEN_CHECK_TIMEOUT after its start. Raises BotTokenRevoked."""
        if self._asking is not None:
            left = self._asked_at + TOKEN_CHECK_TIMEOUT - self._clock()
            await asyncio.wait({self._asking}, timeout=max(left, 0.0))
        if not self.accepted:
            raise BotTokenRevoked

    async def keep_asking(self) -> NoReturn:
        """Check every few seconds, for as long as callbot runs."""
        while True:
            self.ask()
            await self._sleep(BOT_TOKEN_CHECK_EVERY)

    async def close(self) -> None:
        """Stop checking."""
        await self._tasks.cancel()

    async def _ask(self) -> None:
        try:
            await self._test()
        except SlackError as error:
            _log.debug("bot_token_not_tested", reason=error.reason)
