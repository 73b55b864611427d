"""The PBX as the bot uses it: one HTTP session, one token, and one rate limit with two priorities.

Interventions and help requests ask at once, without the limit. Polls, lists and scans share it: what a person waits for
gets more turns than what runs by itself (`bot.polling.rate_limit`).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn

import structlog

from bot.app.live_config import LiveConfig
from bot.app.metrics import Metrics
from bot.app.settings import Settings
from bot.domain.calls import PhoneCall
from bot.domain.clock import Clock, ServerClock
from bot.domain.errors import PbxError
from bot.domain.legs import NOTHING_KNOWN, without_legs
from bot.polling.known_parties import KnownParties, WithEveryParty
from bot.polling.poller import Poller
from bot.polling.rate_limit import PbxRateLimit, Priority
from bot.tasks import back_off
from bot.uapi.client import WHOLE_READ, UnifiedApi, pbx_session
from bot.uapi.list_reader import LastLists
from bot.uapi.token import token_source

WHOLE_SCAN = 60.0
"""Seconds for all pages of one list under the rate limit: many pages take long at few requests a second."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
"""Seconds between two requests to a PBX that does not answer; each pause is twice as long as the one before."""
IDLE = 30.0
"""Seconds without any request after which the PBX is asked whether it is there."""
NO_ANSWER = frozenset({"not connected", "answer lost", "answer cut off"})
"""How a request without an answer ends (`bot.uapi.exchange`)."""

_log = structlog.get_logger("callbot")


class Telephony:
    """The PBX of these settings. Build it on the event loop, and `close` it. Raises OSError for a bad UAPI_CA_FILE."""

    def __init__(self, settings: Settings, live_config: LiveConfig, metrics: Metrics, clock: Clock) -> None:
        self.clock = ServerClock(clock.now)
        """How far the clock of the PBX is ahead or behind."""
        self._url = settings.uapi_url
        self._live_config = live_config
        self._metrics = metrics
        self._asked_at = float("-inf")
        self.up = False
        """Whether the last request to the PBX was answered, and not with 5xx."""
        self._session = pbx_session(settings.uapi_ca_file)
        self._token = token_source(self._session, self._url, *settings.credentials(), measure=self._measure)
        self._last_lists = LastLists()
        self._known_parties = KnownParties(time.monotonic, self._parties_of)
        self.phone_calls = WithEveryParty(
            self._unified_api(),
            self._known_parties,
            lambda user: self._live_config.permissions().protected_elsewhere(user),
        )
        """For interventions and help requests: no rate limit."""
        self.poller = self._poller()

    async def close(self) -> None:
        """Close the HTTP session."""
        await self._session.close()

    async def keep_asking(self) -> NoReturn:
        """Ask the PBX when nothing else does, so that `up` is up to date."""
        failures = 0
        while True:
            if not self.up or time.monotonic() - self._asked_at > IDLE:
                try:
                    await self.phone_calls.list(self._live_config.permissions().default_user, "@self")
                except PbxError as error:
                    _log.warning("pbx_not_ready", error=type(error).__name__)
                except Exception:  # noqa: BLE001 - without this loop `up` would never change again
                    _log.exception("pbx_not_asked")
            failures = 0 if self.up else failures + 1
            await asyncio.sleep(IDLE if self.up else back_off(failures, _FIRST_PAUSE, _LONGEST_PAUSE))

    def _parties_of(self, call: PhoneCall) -> frozenset[str]:
        """The parties of a call, without those who only listen."""
        return without_legs(call, NOTHING_KNOWN, self._live_config.permissions()).parties

    def _measure(self, name: str, seconds: float, error: str) -> None:
        """Count one request to the PBX. One that callbot itself broke off says nothing about the PBX."""
        self._metrics.answered("pbx", name, seconds, error)
        if error != "not finished":
            self.up = not (error in NO_ANSWER or error.startswith("HTTP 5"))
            self._asked_at = time.monotonic()

    def _unified_api(self, turn: Callable[[], Awaitable[None]] | None = None) -> UnifiedApi:
        """A client of the PBX; `turn` waits for the rate limit before each request."""
        whole_read = WHOLE_READ if turn is None else WHOLE_SCAN
        return UnifiedApi(
            self._session,
            self._url,
            self._token,
            whole_read=whole_read,
            turn=turn,
            measure=self._measure,
            last_lists=self._last_lists,
            clock=self.clock,
        )

    def _poller(self) -> Poller:
        rate_limit = PbxRateLimit(
            lambda: self._live_config.config().watch.max_requests_per_second, clock=time.monotonic, sleep=asyncio.sleep
        )
        return Poller(
            urgent=self._unified_api(partial(rate_limit.turn, Priority.URGENT)),
            background=self._unified_api(partial(rate_limit.turn, Priority.BACKGROUND)),
            scopes=lambda: self._live_config.permissions().scopes,
            every=lambda: self._live_config.config().watch.every,
            clock=time.monotonic,
            sleep=asyncio.sleep,
            random=random.random,
            known_parties=self._known_parties,
        )
