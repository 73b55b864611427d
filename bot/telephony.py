"""The PBX as the bot asks it: one session and one token for all, at three paces.

What an intervention asks goes at once; what a person waits for, and what runs by itself, take turns (`pace`).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from bot.clock import Clock, PbxClock
from bot.errors import PbxError
from bot.looking import Looks
from bot.metrics import Metrics
from bot.pace import Pace
from bot.rulebook import Rulebook
from bot.settings import Settings
from bot.sides import Sides, WithEveryParty
from bot.uapi.client import WHOLE_READ, UnifiedApi, pbx_session
from bot.uapi.pages import Remembered
from bot.uapi.token import token_source

WHOLE_LOOK = 60.0
"""Seconds for a whole read of a look: with few requests per second many pages take their time."""
LONGEST_PAUSE = 10.0
"""Seconds between two questions to a PBX that has not answered yet."""

_log = structlog.get_logger("callbot")


class Telephony:
    """The PBX of these settings. Made on the event loop; `close` it in the end. Raises OSError for a bad UAPI_CA_FILE."""

    def __init__(self, settings: Settings, rulebook: Rulebook, metrics: Metrics, clock: Clock) -> None:
        self.clock = PbxClock(clock.now)
        """How far the clock of the PBX is off."""
        metrics.watch_pbx_clock(lambda: self.clock.ahead().total_seconds())
        self._url = settings.uapi_url
        self._rulebook = rulebook
        self._measure = partial(metrics.answered, "pbx")
        self._session = pbx_session(settings.uapi_ca_file)
        self._token = token_source(self._session, self._url, *settings.credentials(), measure=self._measure)
        self._remembered = Remembered()
        self._asking: list[UnifiedApi] = []
        self._sides = Sides(time.monotonic)
        self.phone_calls = WithEveryParty(
            self._unified_api(), self._sides, lambda user: self._rulebook.rules().protected_elsewhere(user)
        )
        """For interventions, which are never held back."""
        self.looks = self._looks()

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    @property
    def answered(self) -> bool:
        """Whether the PBX has answered since the start."""
        return any(one.answered for one in self._asking)

    async def until_it_answers(self) -> None:
        """Ask the PBX until it answers once, so that /readyz can tell."""
        pause = 0.5
        while not self.answered:
            try:
                await self.phone_calls.list(self._rulebook.rules().default_user, "@self")
            except PbxError as error:
                _log.warning("pbx_not_ready", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _unified_api(self, turn: Callable[[], Awaitable[None]] | None = None) -> UnifiedApi:
        """The PBX; with `turn` it is asked no oftener than looks may be."""
        whole_read = WHOLE_READ if turn is None else WHOLE_LOOK
        made = UnifiedApi(
            self._session,
            self._url,
            self._token,
            whole_read=whole_read,
            turn=turn,
            measure=self._measure,
            remembered=self._remembered,
            clock=self.clock,
        )
        self._asking.append(made)
        return made

    def _looks(self) -> Looks:
        pace = Pace(
            lambda: self._rulebook.config().watch.max_requests_per_second, clock=time.monotonic, sleep=asyncio.sleep
        )
        return Looks(
            asked=self._unified_api(pace.asked),
            own=self._unified_api(pace.own),
            scopes=lambda: self._rulebook.rules().scopes(),
            every=lambda: self._rulebook.config().watch.every,
            clock=time.monotonic,
            sleep=asyncio.sleep,
            random=random.random,
            sides=self._sides,
        )
