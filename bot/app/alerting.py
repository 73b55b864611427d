"""Puts together what alerts are made of: manager, monitor, responses, and the cards that say that calls cannot be read."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.alerts.blindness import Blindness
from bot.alerts.manager import AlertManager
from bot.alerts.monitor import AlertMonitor
from bot.alerts.responses import AlertResponses
from bot.app.live_config import LiveConfig
from bot.app.metrics import Metrics
from bot.domain.calls import PhoneCall
from bot.domain.intervention import Intervention
from bot.interventions.tracker import InterventionTracker
from bot.ledger.alerts import AlertBook
from bot.polling.phone_calls import PhoneCalls
from bot.polling.poller import Poller
from bot.slack.card_publisher import CardPublisher


@dataclass(frozen=True)
class Alerting:
    """The parts of the alerts of one bot, from start to stop."""

    manager: AlertManager
    monitor: AlertMonitor
    responses: AlertResponses
    blindness: Blindness

    async def start(self) -> None:
        """Take up the open alerts. Raises LedgerUnavailable."""
        await self.manager.start()
        await self.blindness.start()

    def scan(self) -> None:
        """Scan the live calls from now on."""
        self.monitor.start()
        self.blindness.watch()

    async def stop(self) -> None:
        """Scan no more. Open alerts stay open in the ledger."""
        await self.blindness.stop()
        await self.monitor.stop()
        await self.manager.stop()


def build_alerting(
    *,
    live_config: LiveConfig,
    ledger: AlertBook,
    cards: CardPublisher,
    poller: Poller,
    phone_calls: PhoneCalls,
    tracker: Callable[[], InterventionTracker],
    metrics: Metrics,
    now: Callable[[], datetime],
    pbx_ahead: Callable[[], timedelta],
    new_id: Callable[[], str],
    blind_after: float,
) -> Alerting:
    """The alerts of one bot. `tracker` is made after this: it tells the manager about interventions."""

    def without_legs(call: PhoneCall) -> PhoneCall:
        return tracker().without_legs(call)

    def interventions() -> tuple[Intervention, ...]:
        return tracker().open

    def help_channel() -> str | None:
        return live_config.config().help.channel

    def channels() -> tuple[str, ...]:
        """Where alerts and help requests go."""
        channel = help_channel()
        return (*(rule.channel for rule in live_config.alert_rules()), *((channel,) if channel else ()))

    manager = AlertManager(
        ledger=ledger,
        cards=cards,
        permissions=live_config.permissions,
        without_legs=without_legs,
        interventions=interventions,
        now=now,
        sleep=asyncio.sleep,
        new_id=new_id,
        metrics=metrics,
    )
    monitor = AlertMonitor(
        poller=poller,
        manager=manager,
        alert_rules=live_config.alert_rules,
        permissions=live_config.permissions,
        without_legs=without_legs,
        now=now,
        clock=time.monotonic,
        sleep=asyncio.sleep,
        new_id=new_id,
        metrics=metrics,
        pbx_ahead=pbx_ahead,
    )
    responses = AlertResponses(
        manager=manager,
        ledger=ledger,
        phone_calls=phone_calls,
        permissions=live_config.permissions,
        without_legs=without_legs,
        channel=help_channel,
        now=now,
        sleep=asyncio.sleep,
        new_id=new_id,
        pbx_ahead=pbx_ahead,
    )
    blindness = Blindness(
        scope_health=poller.scope_health,
        wanted=lambda: monitor.needed,
        channels=channels,
        ledger=ledger,
        cards=cards,
        now=now,
        sleep=asyncio.sleep,
        new_id=new_id,
        after=blind_after,
    )
    metrics.watch_alerts_open(lambda: len(manager.open))
    metrics.watch_scan_age(monitor.scan_age)
    metrics.watch_calls(monitor.live_calls)
    return Alerting(manager, monitor, responses, blindness)
