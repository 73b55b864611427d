"""Builds what alerts need, of parts that assembly has: alarms, lookout and helping, on the same looks as interventions."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.alerts.blindness import Blindness
from bot.alerts.manager import Alarms
from bot.alerts.monitor import Lookout
from bot.alerts.ports import AlertLedger
from bot.alerts.responses import Helping
from bot.app.live_config import Rulebook
from bot.app.metrics import Metrics
from bot.domain.intervention import Intervention
from bot.interventions.tracker import Follower
from bot.ledger.alerts import AlertBook
from bot.polling.poller import Looks
from bot.polling.ports import PhoneCalls
from bot.slack.feed import Feed


class Alerting:
    """The alerts of one bot. `follower` is asked what came with interventions of ours; it is made after this."""

    def __init__(
        self,
        *,
        rulebook: Rulebook,
        ledger: AlertBook,
        cards: Feed,
        looks: Looks,
        phone_calls: PhoneCalls,
        follower: Callable[[], Follower],
        metrics: Metrics,
        now: Callable[[], datetime],
        pbx_ahead: Callable[[], timedelta],
        new_id: Callable[[], str],
        blind_after: float,
    ) -> None:
        self._rulebook = rulebook
        self._follower = follower
        self._now = now
        self._pbx_ahead = pbx_ahead
        self._new_id = new_id
        self._alarms = Alarms(
            ledger=ledger,
            cards=cards,
            rules=rulebook.rules,
            without_legs=lambda call: follower().without_legs(call),
            interventions=lambda: follower().open,
            now=now,
            sleep=asyncio.sleep,
            new_id=new_id,
            measures=metrics,
        )
        self._blindness = Blindness(
            sight=looks.sight,
            wanted=lambda: self._lookout.wanted,
            channels=self._channels,
            ledger=ledger,
            cards=cards,
            now=now,
            sleep=asyncio.sleep,
            new_id=new_id,
            after=blind_after,
        )
        self.helping = self._helping(ledger, phone_calls)
        self._lookout = self._lookout_on(looks, metrics)
        metrics.watch_alerts_open(lambda: len(self._alarms.open))
        metrics.watch_look_age(self._lookout.age)
        metrics.watch_calls(self._lookout.calls)

    def _helping(self, ledger: AlertLedger, phone_calls: PhoneCalls) -> Helping:
        return Helping(
            alarms=self._alarms,
            ledger=ledger,
            phone_calls=phone_calls,
            rules=self._rulebook.rules,
            without_legs=lambda call: self._follower().without_legs(call),
            channel=lambda: self._rulebook.config().help.channel,
            now=self._now,
            sleep=asyncio.sleep,
            new_id=self._new_id,
            pbx_ahead=self._pbx_ahead,
        )

    def _lookout_on(self, looks: Looks, metrics: Metrics) -> Lookout:
        return Lookout(
            looks=looks,
            alarms=self._alarms,
            alert_rules=self._rulebook.alert_rules,
            rules=self._rulebook.rules,
            without_legs=lambda call: self._follower().without_legs(call),
            now=self._now,
            clock=time.monotonic,
            sleep=asyncio.sleep,
            new_id=self._new_id,
            measures=metrics,
            pbx_ahead=self._pbx_ahead,
        )

    async def start(self) -> None:
        """Take up what is open. Raises LedgerUnavailable."""
        await self._alarms.start()
        await self._blindness.start()

    def look(self) -> None:
        """Look at all live calls from now on."""
        self._lookout.start()
        self._blindness.watch()

    def _channels(self) -> tuple[str, ...]:
        """Where alerts go, and calls for help."""
        hands = self._rulebook.config().help.channel
        return (*(rule.channel for rule in self._rulebook.alert_rules()), *((hands,) if hands else ()))

    def intervened(self, interventions: tuple[Intervention, ...]) -> None:
        """What one person has asked for in one call, as it is now."""
        self._alarms.intervened(interventions)

    def posted(self, card_id: str) -> None:
        """A card has come to stand in Slack."""
        self._alarms.posted(card_id)

    def rules_changed(self) -> None:
        """Resolve at once what has lost its rule or is protected now."""
        self._lookout.rules_changed()

    async def stop(self) -> None:
        """Look no more. What is open stays open in the ledger."""
        await self._blindness.stop()
        await self._lookout.stop()
        await self._alarms.stop()
