"""Blindness looks like calm: while the live calls cannot be read, each channel that alerts go to says so, on one card.

The card goes on over restarts, and ends when every scope is read again. What goes blind again soon goes on with the same card.
It is no alert: nobody can take or snooze it, and it is not counted.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

import structlog

from bot.alerts.ports import BlindCard
from bot.domain.errors import CallbotError
from bot.polling.sight import Blind, Sight
from bot.tasks import Tasks

AFTER = 30.0
"""Seconds without a list after which it is said."""
KEPT = timedelta(minutes=2)
"""How long a card that has ended is remembered: what goes blind again meanwhile goes on with it."""
A_SECOND = 1.0

_log = structlog.get_logger("callbot.blindness")


class BlindCards(Protocol):
    """The cards in Slack."""

    def show(self, card: BlindCard) -> None:
        """Post the card, or bring the posted one up to date. Returns at once."""


class BlindLedger(Protocol):
    """The memory of them. Every method may raise CallbotError."""

    async def save_blind(self, card: BlindCard, *, done: bool = False) -> None:
        """Write it down; `done`: it is not to be found any more."""

    async def blind(self) -> tuple[BlindCard, ...]:
        """Those that are not done."""


class Blindness:
    """The cards of channels whose alerts cannot come. `wanted`: whether anything is to be looked at; `after`: seconds."""

    def __init__(
        self,
        *,
        sight: Sight,
        wanted: Callable[[], bool],
        channels: Callable[[], Iterable[str]],
        ledger: BlindLedger,
        cards: BlindCards,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        after: float = AFTER,
    ) -> None:
        self._sight = sight
        self._wanted = wanted
        self._channels = channels
        self._ledger = ledger
        self._cards = cards
        self._now = now
        self._sleep = sleep
        self._new_id = new_id
        self._after = after
        self._known: dict[str, BlindCard] = {}
        self._tasks = Tasks(apart=True)

    async def start(self) -> None:
        """Take up what an earlier process has said. Raises CallbotError."""
        now = self._now()
        for found in await self._ledger.blind():
            ended = None if found.ended is None else min(found.ended, now)
            card = found.model_copy(update={"since": min(found.since, now), "ended": ended})
            self._known[card.place] = card
            self._cards.show(card)

    def watch(self) -> None:
        """Say it from now on, until `stop`."""
        self._tasks.spawn(self._keep_watching(), name="blindness")

    async def stop(self) -> None:
        """Say no more. What is blind stays so in the ledger."""
        await self._tasks.cancel()

    async def _keep_watching(self) -> NoReturn:
        while True:
            await self._sleep(A_SECOND)
            try:
                await self._judge()
            except CallbotError as error:
                _log.error("blindness_not_saved", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - what nobody watches any more would look like calm
                _log.exception("blindness_failed")

    async def _judge(self) -> None:
        wanted = self._wanted()
        blind = self._sight.blind(self._after) if wanted else None
        now = self._now()
        if blind is not None:
            for channel in dict.fromkeys(self._channels()):
                await self._become(self._card(channel, blind, now))
        elif not wanted or self._sight.known:
            for card in tuple(self._known.values()):
                await self._end(card, now)

    def _card(self, channel: str, blind: Blind, now: datetime) -> BlindCard:
        """What the channel is told. `since` stays what it was while the same goes on."""
        known = self._known.get(channel)
        if known is not None and known.ended is None and known.whole is blind.whole:
            return known
        since = now - timedelta(seconds=blind.seconds)
        return BlindCard(
            id=self._new_id() if known is None else known.id, place=channel, since=since, whole=blind.whole
        )

    async def _end(self, card: BlindCard, now: datetime) -> None:
        if card.ended is None:
            await self._become(card.model_copy(update={"ended": now}))
        elif now - card.ended >= KEPT:
            await self._ledger.save_blind(card, done=True)
            del self._known[card.place]

    async def _become(self, card: BlindCard) -> None:
        """Written down before it is shown, so that no restart says it twice."""
        if card == self._known.get(card.place):
            return
        await self._ledger.save_blind(card)
        self._known[card.place] = card
        self._cards.show(card)
        _log.warning("blind" if card.ended is None else "seeing", whole=card.whole)
