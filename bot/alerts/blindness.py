"""Says in every alert channel, on one card, that the live calls cannot be read: silence would look like calm.

The card ends when every scope is read again. It survives restarts, and a channel that goes blind again soon goes on with
the same card. It is no alert: nobody can acknowledge or snooze it, and it is not counted.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

import structlog

from bot.alerts.card import BlindCard
from bot.alerts.manager import AlertConfig
from bot.alerts.monitor import AlertMonitor
from bot.domain.clock import Clock
from bot.domain.commands import new_id
from bot.domain.errors import CallbotError
from bot.polling.scan import Outage, ScopeHealth
from bot.tasks import Tasks

BLIND_AFTER = 30.0
"""Seconds without a list after which a channel is told."""
REUSED_FOR = timedelta(minutes=2)
"""How long a card that has ended is reused if the channel goes blind again."""
BLINDNESS_CHECK_EVERY = 1.0

_log = structlog.get_logger("callbot.blindness")


class BlindnessCards(Protocol):
    """The cards in Slack, sent by `bot.slack.card_publisher.CardPublisher`."""

    def show(self, card: BlindCard) -> None:
        """Post the card, or update the posted one. Returns at once."""


class BlindnessLedger(Protocol):
    """The blindness cards in the ledger (`bot.ledger.alerts.StoredAlerts`). Every method may raise CallbotError."""

    async def save_blind(self, card: BlindCard, *, done: bool = False) -> None:
        """Save the card; `done`: `blind` returns it no more."""

    async def blind(self) -> tuple[BlindCard, ...]:
        """The cards that are not done."""


class Blindness:
    """Keeps the cards, while the monitor is needed. `after`: seconds without a list until a card is posted."""

    def __init__(
        self,
        *,
        scope_health: ScopeHealth,
        monitor: AlertMonitor,
        config: AlertConfig,
        ledger: BlindnessLedger,
        cards: BlindnessCards,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        after: float = BLIND_AFTER,
    ) -> None:
        self._scope_health = scope_health
        self._monitor = monitor
        self._config = config
        self._ledger = ledger
        self._cards = cards
        self._clock = clock
        self._sleep = sleep
        self._after = after
        self._known: dict[str, BlindCard] = {}
        """By channel: the open cards, and those that ended less than REUSED_FOR ago."""
        self._tasks = Tasks(apart=True)

    async def start(self) -> None:
        """Take up the cards of an earlier process. Raises CallbotError."""
        now = self._clock.now()
        for found in await self._ledger.blind():
            # The clock may have been set back since: no time may be in the future.
            ended = None if found.ended is None else min(found.ended, now)
            card = found.model_copy(update={"since": min(found.since, now), "ended": ended})
            self._known[card.place] = card
            self._cards.show(card)

    def watch(self) -> None:
        """Watch from now on, until `stop`."""
        self._tasks.spawn(self._watch(), name="blindness")

    async def stop(self) -> None:
        """Stop. Open cards stay open in the ledger."""
        await self._tasks.cancel()

    async def _watch(self) -> NoReturn:
        while True:
            await self._sleep(BLINDNESS_CHECK_EVERY)
            try:
                await self._check()
            except CallbotError as error:
                _log.error("blindness_not_saved", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - if this loop ended, blindness would look like calm
                _log.exception("blindness_failed")

    async def _check(self) -> None:
        wanted = self._monitor.needed
        outage = self._scope_health.outage(self._after) if wanted else None
        now = self._clock.now()
        if outage is not None:
            channels = [rule.channel for rule in self._config.alert_rules()]
            if (help_channel := self._config.help_channel()) is not None:
                channels.append(help_channel)
            for channel in dict.fromkeys(channels):
                await self._save_and_show(self._card(channel, outage, now))
        elif not wanted or self._scope_health.all_read:  # in between each card stays as it is
            for card in tuple(self._known.values()):
                await self._end(card, now)

    def _card(self, channel: str, outage: Outage, now: datetime) -> BlindCard:
        """The card of that channel. It stays as it is while the blindness is of the same kind."""
        known = self._known.get(channel)
        if known is not None and known.ended is None and known.whole is outage.whole:
            return known
        since = now - timedelta(seconds=outage.seconds)
        return BlindCard(id=new_id() if known is None else known.id, place=channel, since=since, whole=outage.whole)

    async def _end(self, card: BlindCard, now: datetime) -> None:
        if card.ended is None:
            await self._save_and_show(card.model_copy(update={"ended": now}))
        elif now - card.ended >= REUSED_FOR:
            await self._ledger.save_blind(card, done=True)
            del self._known[card.place]

    async def _save_and_show(self, card: BlindCard) -> None:
        """Save it, then show it: after a crash between the two the next process shows the saved card, not a second one."""
        if card == self._known.get(card.place):
            return
        await self._ledger.save_blind(card)
        self._known[card.place] = card
        self._cards.show(card)
        _log.warning("blind" if card.ended is None else "seeing", whole=card.whole)
