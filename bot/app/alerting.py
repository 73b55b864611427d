"""Builds what alerts need, of parts that assembly has: alarms, lookout and helping, on the same looks as interventions."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.alerts.blindness import Blindness
from bot.alerts.manager import AlertManager
from bot.alerts.monitor import AlertMonitor
from bot.alerts.ports import AlertLedger
from bot.alerts.responses import AlertResponses
from bot.app.live_config import LiveConfig
from bot.app.metrics import Metrics
from bot.domain.intervention import Intervention
from bot.interventions.tracker import InterventionTracker
from bot.ledger.alerts import AlertBook
from bot.polling.poller import Poller
from bot.polling.ports import PhoneCalls
from bot.slack.feed import Feed


class Alerting:
    """The alerts of one bot. `follower` is asked what came with interventions of ours; it is made after this."""

    def __init__(
        self,
        *,
        live_config: LiveConfig,
        ledger: AlertBook,
        cards: Feed,
        poller: Poller,
        phone_calls: PhoneCalls,
        tracker: Callable[[], InterventionTracker],
        metrics: Metrics,
        now: Callable[[], datetime],
        pbx_ahead: Callable[[], timedelta],
        new_id: Callable[[], str],
        blind_after: float,
    ) -> None:
        self._live_config = live_config
        self._tracker = tracker
        self._now = now
        self._pbx_ahead = pbx_ahead
        self._new_id = new_id
        self._manager = AlertManager(
            ledger=ledger,
            cards=cards,
            rules=live_config.rules,
            without_legs=lambda call: tracker().without_legs(call),
            interventions=lambda: tracker().open,
            now=now,
            sleep=asyncio.sleep,
            new_id=new_id,
            measures=metrics,
        )
        self._blindness = Blindness(
            sight=poller.sight,
            wanted=lambda: self._monitor.wanted,
            channels=self._channels,
            ledger=ledger,
            cards=cards,
            now=now,
            sleep=asyncio.sleep,
            new_id=new_id,
            after=blind_after,
        )
        self.responses = self._responses(ledger, phone_calls)
        self._monitor = self._monitor_on(poller, metrics)
        metrics.watch_alerts_open(lambda: len(self._manager.open))
        metrics.watch_look_age(self._monitor.age)
        metrics.watch_calls(self._monitor.calls)

    def _responses(self, ledger: AlertLedger, phone_calls: PhoneCalls) -> AlertResponses:
        return AlertResponses(
            manager=self._manager,
            ledger=ledger,
            phone_calls=phone_calls,
            rules=self._live_config.rules,
            without_legs=lambda call: self._tracker().without_legs(call),
            channel=lambda: self._live_config.config().help.channel,
            now=self._now,
            sleep=asyncio.sleep,
            new_id=self._new_id,
            pbx_ahead=self._pbx_ahead,
        )

    def _monitor_on(self, poller: Poller, metrics: Metrics) -> AlertMonitor:
        return AlertMonitor(
            poller=poller,
            manager=self._manager,
            alert_rules=self._live_config.alert_rules,
            rules=self._live_config.rules,
            without_legs=lambda call: self._tracker().without_legs(call),
            now=self._now,
            clock=time.monotonic,
            sleep=asyncio.sleep,
            new_id=self._new_id,
            measures=metrics,
            pbx_ahead=self._pbx_ahead,
        )

    async def start(self) -> None:
        """Take up what is open. Raises LedgerUnavailable."""
        await self._manager.start()
        await self._blindness.start()

    def look(self) -> None:
        """Look at all live calls from now on."""
        self._monitor.start()
        self._blindness.watch()

    def _channels(self) -> tuple[str, ...]:
        """Where alerts go, and calls for help."""
        hands = self._live_config.config().help.channel
        return (*(rule.channel for rule in self._live_config.alert_rules()), *((hands,) if hands else ()))

    def intervened(self, interventions: tuple[Intervention, ...]) -> None:
        """What one person has asked for in one call, as it is now."""
        self._manager.intervened(interventions)

    def posted(self, card_id: str) -> None:
        """A card has come to stand in Slack."""
        self._manager.posted(card_id)

    def rules_changed(self) -> None:
        """Resolve at once what has lost its rule or is protected now."""
        self._monitor.rules_changed()

    async def stop(self) -> None:
        """Look no more. What is open stays open in the ledger."""
        await self._blindness.stop()
        await self._monitor.stop()
        await self._manager.stop()
