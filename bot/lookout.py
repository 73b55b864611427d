"""Looks at all live calls, one look after the other, and says what each means for the alerts.

    looks.sweep          every scope listed once; the followed interventions are told of by the same look
    watch.see            which rules hold on which calls, and since when (`watching`, pure)
    alarms               raised, gone on, resolved: written down and shown

While there are no rules and nothing is open, nothing is looked at. A condition is believed over at once where the call
shows why, and else at the second look in a row: a list may be empty for a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import islice
from typing import NoReturn

import structlog

from bot.alarms import Alarms
from bot.alert_ports import AlertMeasures
from bot.alerts import HANDS, Alert, How, Rule, key_of, resolved, seen
from bot.authorization import AuthorizationMap
from bot.errors import CallbotError
from bot.following import LOOKS_TO_BELIEVE
from bot.judging import go_on, why_over
from bot.looking import Haste, Looks
from bot.phonecalls import PhoneCall
from bot.sweeping import Sweep
from bot.tasks import Tasks
from bot.watching import Holding, Watch

AT_A_TIME = 250
"""Calls that are judged before others get their turn."""
A_SECOND = 1.0

_log = structlog.get_logger("callbot.lookout")


class Lookout:
    """The watch over all live calls. `alert_rules` are those of callbot.toml as they hold now; `clock` counts seconds.

    `legs` are the views of a call that came with interventions of ours: a supervisor's phone that rings is no caller who waits.
    """

    def __init__(
        self,
        *,
        looks: Looks,
        alarms: Alarms,
        alert_rules: Callable[[], tuple[Rule, ...]],
        rules: Callable[[], AuthorizationMap],
        legs: Callable[[PhoneCall], frozenset[str]],
        now: Callable[[], datetime],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        measures: AlertMeasures,
    ) -> None:
        self._looks = looks
        self._alarms = alarms
        self._alert_rules = alert_rules
        self._rules = rules
        self._legs = legs
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._new_id = new_id
        self._measures = measures
        self._watch = Watch()
        self._unseen: dict[str, int] = {}
        self._looked_at: datetime | None = None
        self._calls = 0
        self._tasks = Tasks(apart=True)

    def start(self) -> None:
        """Look from now on, until `stop`."""
        self._tasks.spawn(self._keep_looking(), name="lookout")
        self._tasks.spawn(self._keep_time(), name="age of alerts")

    async def stop(self) -> None:
        """Look no more."""
        await self._tasks.cancel()

    def age(self) -> float:
        """Seconds since the last look that the PBX answered; 0 where nothing is to be looked at."""
        if self._looked_at is None or not self._wanted:
            return 0.0
        return (self._now() - self._looked_at).total_seconds()

    def calls(self) -> int:
        """How many calls the last look has shown."""
        return self._calls

    def rules_changed(self) -> None:
        """Let the rules of now hold at once, also while the PBX does not answer."""
        now, keys = self._now(), {HANDS, *(rule.key for rule in self._alert_rules())}
        for alert in self._alarms.open:
            if alert.rule not in keys:
                self._alarms.change(resolved(alert, How.RULE_GONE, now))
            elif self._rules().protects(alert.call):
                self._alarms.change(resolved(alert, How.PROTECTED, now))
        self._alarms.show_all()

    # ── the loops ──

    @property
    def _wanted(self) -> bool:
        return bool(self._alert_rules() or self._alarms.open)

    async def _keep_looking(self) -> NoReturn:
        """One look after the other. What goes wrong in one must not end the looking."""
        while True:
            if self._wanted:
                try:
                    await self._look()
                except Exception:  # noqa: BLE001 - alerts that nobody judges any more would lie
                    _log.exception("look_failed")
            else:
                self._looks.sweeps_no_more()
            await self._looks.pause(Haste.DOUBTING if self._unseen else Haste.WATCHING, before_sweep=True)

    async def _keep_time(self) -> NoReturn:
        while True:
            await self._sleep(A_SECOND)
            try:
                self._alarms.grow_older()
            except Exception:  # noqa: BLE001 - the same
                _log.exception("time_failed")

    async def _look(self) -> None:
        begun = self._clock()
        sweep = await self._looks.sweep()
        self._measures.looked(self._clock() - begun, len(sweep.calls), sweep.unread)
        if not sweep.read:
            return
        self._calls = len(sweep.calls)
        due = await self._see(sweep)
        now = self._now()
        for alert in self._alarms.open:
            self._alarms.change(self._judged(alert, sweep, now))
        await self._raise(due, now)
        self._looked_at = now

    async def _see(self, sweep: Sweep) -> list[Holding]:
        """What is due by now; between slices of a long list others get their turn."""
        rules = self._alert_rules()
        self._watch.take(rules, self._rules().directory.teams)
        self._watch.begin()
        due: list[Holding] = []
        calls = iter(sweep.calls)
        while part := tuple(islice(calls, AT_A_TIME)):
            due += self._watch.see(part, self._now())
            await asyncio.sleep(0)
        self._watch.end(self._now(), complete=not sweep.unread)
        for when, why in self._watch.unusable():
            self._measures.date_unusable(when, why)
        return due

    # ── one alert ──

    def _judged(self, alert: Alert, sweep: Sweep, now: datetime) -> Alert:
        """What is true of an open alert after this look."""
        shown = self._watch.call(alert.call.id)
        if shown is None:
            return self._doubted(alert, How.CALL_OVER, now) if sweep.misses(alert.call.id) else alert
        if shown.is_another_than(alert.call):
            return self._over(alert, How.CALL_OVER, now)
        if self._rules().protects(shown):
            return self._over(alert, How.PROTECTED, now)
        held = self._watch.holding(alert.rule, shown.id)
        view = held.view if held is not None else go_on(alert, shown)
        if view is not None:
            self._unseen.pop(alert.id, None)
            since = held.since if held is not None else alert.since
            return seen(alert, shown, view, since, now)
        reason = why_over(alert, shown, self._rules())
        if reason is None:
            return self._doubted(alert, How.CONDITION_OVER, now)
        how, by = reason
        return self._over(alert, how, now, by)

    def _doubted(self, alert: Alert, how: How, now: datetime) -> Alert:
        """Over, when enough looks in a row say so."""
        self._unseen[alert.id] = self._unseen.get(alert.id, 0) + 1
        return self._over(alert, how, now) if self._unseen[alert.id] >= LOOKS_TO_BELIEVE else alert

    def _over(self, alert: Alert, how: How, now: datetime, by: str = "") -> Alert:
        self._unseen.pop(alert.id, None)
        return resolved(alert, how, now, by)

    async def _raise(self, due: list[Holding], now: datetime) -> None:
        """Raise what is new. What the ledger does not take now is still due at the next look."""
        rules, before = self._rules(), self._looked_at or now
        new = [
            held
            for held in due
            if self._alarms.of_key(key_of(held.rule.key, held.call)) is None
            and not rules.protects(held.call)
            and held.view.id not in self._legs(held.call)
        ]
        if not new:
            return
        try:
            await self._alarms.raise_([self._alert(held, now) for held in new], [max(held.due, before) for held in new])
        except CallbotError as error:
            _log.error("alerts_not_raised", number=len(new), error=type(error).__name__)

    def _alert(self, held: Holding, now: datetime) -> Alert:
        return Alert(
            id=self._new_id(),
            rule=held.rule.key,
            name=held.rule.name,
            when=held.rule.when,
            longer_than=held.rule.longer_than,
            channel=held.rule.channel,
            call=held.call,
            extension=held.view.extension,
            view_id=held.view.id,
            since=held.since,
            raised_at=now,
            seen_at=now,
        )
