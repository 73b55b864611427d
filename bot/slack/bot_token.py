"""Whether Slack still accepts the bot token. Without it no card can be posted, so no phone is rung.

Slack does not announce that a token is revoked, and commands still arrive (they need the app token, or none). So callbot
asks every few seconds, and while it reads the call of each intervention. Only a clear refusal counts: with a Slack that
is slow, limits requests or is down, interventions go on, and their cards come late.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from bot.domain.errors import Refusal
from bot.slack.rate_limits import RESPOND
from bot.slack.web_client import SlackError
from bot.tasks import Tasks

REVOKED = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})
"""Errors that mean the token itself is invalid (error table of auth.test, docs.slack.dev)."""
EVERY = 10.0
"""Seconds between two checks."""
PATIENCE = 0.5
"""Seconds from the start of a check for which an intervention waits for its result."""

_log = structlog.get_logger("callbot.slack")


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
        """Wait for the check that `ask` started, until PATIENCE after its start. Raises BotTokenRevoked."""
        if self._asking is not None:
            left = self._asked_at + PATIENCE - self._clock()
            await asyncio.wait({self._asking}, timeout=max(left, 0.0))
        if not self.accepted:
            raise BotTokenRevoked

    async def keep_asking(self) -> NoReturn:
        """Check every few seconds, for as long as callbot runs."""
        while True:
            self.ask()
            await self._sleep(EVERY)

    async def close(self) -> None:
        """Stop checking."""
        await self._tasks.cancel()

    async def _ask(self) -> None:
        try:
            await self._test()
        except SlackError as error:
            _log.debug("bot_token_not_tested", reason=error.reason)
