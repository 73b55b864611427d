"""Whether Slack still takes the bot token. Without it no card can be posted, so no phone is rung.

A token is revoked without a word, and commands still arrive (they need the app token, or none). So Slack is asked every
few seconds, and beside the reading of each call on which somebody wants to intervene. Only a clear no of Slack's counts: a
Slack that is slow, limits or is down holds nobody up, for what it takes late it shows late.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from bot.domain.errors import Refusal
from bot.slack.failures import SlackError
from bot.slack.rates import RESPOND
from bot.tasks import Tasks

REVOKED = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})
"""Reasons that say of the token itself that it is good for nothing (error table of auth.test, docs.slack.dev)."""
EVERY = 10.0
"""Seconds between two questions where nothing else is asked of Slack: so long may a new token take to be noticed."""
PATIENCE = 0.5
"""Seconds that an intervention waits for the answer, from the question on; less than until its card says Asked."""

_log = structlog.get_logger("callbot.slack")


class BotTokenRevoked(Refusal):
    """Slack takes nothing from callbot."""

    rule = "bot token revoked"

    def __init__(self) -> None:
        super().__init__(
            "Slack no longer accepts callbot's bot token, so no card could show you what your phone rings for. "
            "Nothing was sent. Ask those who run callbot to copy SLACK_BOT_TOKEN anew (OAuth & Permissions on the app's "
            "page) and to restart it."
        )


class BotToken:
    """The state of the token. `test` asks Slack whether it is accepted, and raises SlackError; `heard` is told the answer."""

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
        """What Slack answered to a request: `reason` is that of a failure, empty where all went well."""
        if method == RESPOND:  # it carries no token
            return
        if reason in REVOKED and self.accepted:
            self.accepted = False
            _log.error("bot_token_refused", reason=reason, advice="copy SLACK_BOT_TOKEN anew and restart callbot")
        elif not reason and not self.accepted:
            self.accepted = True
            _log.warning("bot_token_accepted_again")

    def ask(self) -> None:
        """Ask Slack in the background, unless that is under way."""
        if self._asking is None or self._asking.done():
            self._asked_at = self._clock()
            self._asking = self._tasks.spawn(self._ask(), name="bot token")

    async def refuse_if_revoked(self) -> None:
        """Wait for the answer to `ask`, no longer than PATIENCE from the question on. Raises BotTokenRevoked."""
        if self._asking is not None:
            left = self._asked_at + PATIENCE - self._clock()
            await asyncio.wait({self._asking}, timeout=max(left, 0.0))
        if not self.accepted:
            raise BotTokenRevoked

    async def keep_asking(self) -> NoReturn:
        """Ask every few seconds, for as long as callbot runs."""
        while True:
            self.ask()
            await self._sleep(EVERY)

    async def close(self) -> None:
        """Ask no more."""
        await self._tasks.cancel()

    async def _ask(self) -> None:
        try:
            await self._test()
        except SlackError as error:
            _log.debug("bot_token_not_tested", reason=error.reason)
