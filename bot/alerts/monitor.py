"""Looks at all live calls, one look after the other, and says what each means for the alerts.

    looks.sweep          every scope listed once; the followed interventions are told of by the same look
    watch.see            which rules hold on which calls, and since when (`watching`, pure)
    alarms               raised, gone on, resolved: written down and shown

While there are no rules and nothing is open, nothing is looked at. A condition is believed over at once where the call
shows why, and else at the second look in a row: a list may be empty for a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import NoReturn

import structlog

from bot.alerts.alert import GIVE_UP, HELP_REQUESTS, Alert, How, Rule, When, resolved, seen
from bot.alerts.evaluator import Evaluator, Holding
from bot.alerts.manager import AlertManager
from bot.alerts.ports import AlertMeasures
from bot.alerts.resolution import view_that_goes_on, why_over
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.errors import CallbotError
from bot.domain.intervention import LOOKS_TO_BELIEVE
from bot.domain.permissions import Permissions
from bot.polling.poller import Haste, Poller
from bot.polling.scan import Scan
from bot.tasks import Tasks, in_slices

AT_A_TIME = 25
"""Calls that are judged before the clock is looked at, whether others get their turn."""
RAISED_TOGETHER = 50
"""Alerts that are written down and shown at a time: one commit, and a few milliseconds."""
A_SECOND = 1.0

_log = structlog.get_logger("callbot.lookout")


class AlertMonitor:
    """The watch over all live calls. `alert_rules` are those of callbot.toml as they hold now; `clock` counts seconds.

    `without_legs` gives a call without the views that are or may be supervisors' legs: whatever is judged and kept of a call
    is there for everybody to see. Dates of the PBX are compared with its own time, which is `pbx_ahead` of `now`.
    """

    def __init__(
        self,
        *,
        poller: Poller,
        manager: AlertManager,
        alert_rules: Callable[[], tuple[Rule, ...]],
        rules: Callable[[], Permissions],
        without_legs: Callable[[PhoneCall], PhoneCall],
        now: Callable[[], datetime],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        measures: AlertMeasures,
        pbx_ahead: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._pbx_ahead = pbx_ahead
        self._poller = poller
        self._manager = manager
        self._alert_rules = alert_rules
        self._rules = rules
        self._without_legs = without_legs
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._new_id = new_id
        self._measures = measures
        self._evaluator = Evaluator()
        self._whole: dict[str, PhoneCall] = {}
        self._unseen: dict[str, int] = {}
        self._asked_for: set[str] = set()
        self._doubts = False
        self._began = now()
        self._raising: asyncio.Task[None] | None = None
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
        if self._looked_at is None or not self.wanted:
            return 0.0
        return (self._now() - self._looked_at).total_seconds()

    def calls(self) -> int:
        """How many calls the last look has shown."""
        return self._calls

    def rules_changed(self) -> None:
        """Resolve at once what has lost its rule or is protected now; changed patterns hold from the next look."""
        self._tasks.spawn(self._follow_rules(), name="alerts by the changed rules")

    async def _follow_rules(self) -> None:
        now, keys = self._now(), {HELP_REQUESTS, *(rule.key for rule in self._alert_rules())}
        async for one in in_slices(self._manager.open):
            alert = self._manager.of_id(one.id)
            if alert is None or not alert.open:
                continue
            if alert.rule not in keys:
                self._manager.change(self._over(alert, now, How.RULE_GONE))
            elif self._rules().protects(alert.call):
                self._manager.change(self._over(alert, now, How.PROTECTED))
        await self._manager.show_all()

    # ── the loops ──

    @property
    def wanted(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._alert_rules() or self._manager.open)

    async def _keep_looking(self) -> NoReturn:
        """One look after the other. What goes wrong in one must not end the looking."""
        while True:
            if self.wanted:
                try:
                    await self._look()
                except Exception:  # noqa: BLE001 - alerts that nobody judges any more would lie
                    _log.exception("look_failed")
            else:
                self._poller.scans_no_more()
            doubts, self._doubts = self._doubts, False
            await self._poller.pause(Haste.DOUBTING if doubts else Haste.WATCHING, before_sweep=True)

    async def _keep_time(self) -> NoReturn:
        while True:
            await self._sleep(A_SECOND)
            try:
                await self._manager.grow_older()
            except Exception:  # noqa: BLE001 - the same
                _log.exception("time_failed")

    async def _look(self) -> None:
        begun = self._clock()
        scan = await self._poller.scan()
        self._measures.looked(self._clock() - begun, len(scan.calls), scan.unread, scan.skipped)
        if not scan.read:
            return
        self._calls = len(scan.calls)
        due = await self._see(scan)
        now = self._now()
        async for alert in in_slices(self._manager.open):
            self._judge(alert.id, scan, now)
        if self._raising is None or self._raising.done():  # a ledger that hangs must not keep anybody from looking
            self._raising = self._tasks.spawn(self._raise(due, now, self._looked_at or now), name="new alerts")
        self._looked_at = now

    async def _see(self, scan: Scan) -> list[Holding]:
        """What is due by now; between slices of a long list others get their turn."""
        rules, ahead = self._alert_rules(), self._pbx_ahead()
        self._evaluator.take(rules, self._rules().directory.teams)
        self._evaluator.begin()
        self._whole.clear()
        due: list[Holding] = []
        calls = iter(scan.calls)
        async for part in in_slices(iter(lambda: tuple(islice(calls, AT_A_TIME)), ())):
            due += self._evaluator.see(self._of_parties(part), self._now() + ahead)
        self._evaluator.end(self._now() + ahead, complete=not (scan.unread or scan.skipped))
        async for _ in in_slices(self._evaluator.let_go(AT_A_TIME)):
            pass
        for when, why in self._evaluator.unusable():
            self._measures.date_unusable(when, why)
        return due

    def _of_parties(self, calls: tuple[PhoneCall, ...]) -> tuple[PhoneCall, ...]:
        """These calls without legs; as the PBX shows them they are kept where that is something else."""
        shown = tuple(map(self._without_legs, calls))
        self._whole |= {call.id: call for call, part in zip(calls, shown, strict=True) if part is not call}
        return shown

    # ── one alert ──

    def _judge(self, alert_id: str, scan: Scan, now: datetime) -> None:
        alert = self._manager.of_id(alert_id)
        if alert is not None and alert.open:
            self._manager.change(self._judged(alert, scan, now))

    def _judged(self, alert: Alert, scan: Scan, now: datetime) -> Alert:
        """What is true of an open alert after this look."""
        shown = self._evaluator.call(alert.call.id)
        return self._not_shown(alert, scan, now) if shown is None else self._as_shown(alert, shown, now)

    def _as_shown(self, alert: Alert, call: PhoneCall, now: datetime) -> Alert:
        """What is true of it while the PBX shows this call under its id."""
        if call.is_another_than(alert.call):
            return self._over(alert, now, How.CALL_OVER)
        if self._rules().protects(call):
            return self._over(alert, now, How.PROTECTED)
        held = self._evaluator.holding(alert.rule, call.id)
        if held is not None and held.since != alert.since and held.due > now + self._pbx_ahead():
            return self._over(alert, now, How.CONDITION_OVER)  # it has ended, and begun anew
        view = held.view if held is not None else view_that_goes_on(alert, call)
        if view is None:
            reason = why_over(alert, self._whole.get(call.id, call), call, self._rules())
            how = How.CONDITION_OVER if call.views else How.CALL_OVER  # legs alone are no call
            return self._doubted(alert, how, now) if reason is None else self._over(alert, now, *reason)
        return self._going_on(alert, call, view, alert.since if held is None else held.since, now)

    def _going_on(self, alert: Alert, call: PhoneCall, view: PhoneCallView, since: datetime, now: datetime) -> Alert:
        if alert.when is not When.HELP_REQUESTED and not self._evaluator.is_about(alert.rule, view):
            return self._over(alert, now, How.RULE_GONE)
        self._unseen.pop(alert.id, None)
        return seen(alert, call, view, since, now)

    def _not_shown(self, alert: Alert, scan: Scan, now: datetime) -> Alert:
        """No list shows its call. Of a raised hand the call was found otherwise, so it is looked at by itself.

        So is one that may be among the entries of a list that could not be read.
        """
        if alert.when is When.HELP_REQUESTED or scan.skipped:
            if alert.id not in self._asked_for:
                self._asked_for.add(alert.id)
                self._tasks.spawn(self._look_at(alert), name=f"alert {alert.id}")
            return alert
        if scan.misses(alert.call.id):
            return self._doubted(alert, How.CALL_OVER, now)
        seen_or_began = max(alert.seen_at, self._began)
        return self._over(alert, now, How.NOT_SEEN) if now - seen_or_began >= GIVE_UP else alert

    async def _look_at(self, hidden: Alert) -> None:
        path = (self._rules().owner(hidden.extension), hidden.extension, hidden.call.id)
        try:
            look = await self._poller.at(path, Haste.DOUBTING)
        finally:
            self._asked_for.discard(hidden.id)
        alert, now = self._manager.of_id(hidden.id), self._now()
        if alert is None or not alert.open or not look.readable:
            return
        if look.call is None:
            self._manager.change(self._doubted(alert, How.CALL_OVER, now))
        else:
            self._manager.change(self._as_shown(alert, self._without_legs(look.call), now))

    def _doubted(self, alert: Alert, how: How, now: datetime) -> Alert:
        """Over, when enough looks in a row say so."""
        self._unseen[alert.id] = self._unseen.get(alert.id, 0) + 1
        self._doubts = True  # the next look comes soon, and no other for that
        return self._over(alert, now, how) if self._unseen[alert.id] >= LOOKS_TO_BELIEVE else alert

    def _over(self, alert: Alert, now: datetime, how: How, by: str = "") -> Alert:
        self._unseen.pop(alert.id, None)
        return resolved(alert, how, now, by)

    async def _raise(self, due: list[Holding], now: datetime, last_look: datetime) -> None:
        """Raise what is new. What the ledger does not take now is still due at the next look.

        What was due before the last look, which had not seen it yet, could not have been raised sooner.
        """
        rules, alert_rules, ahead = self._rules(), self._alert_rules(), self._pbx_ahead()
        new: list[Holding] = []
        async for held in in_slices(due):
            known = self._manager.about(held.rule.key, held.call) is not None
            if not known and held.rule in alert_rules and not rules.protects(held.call):
                new.append(held)
        for start in range(0, len(new), RAISED_TOGETHER):
            together = new[start : start + RAISED_TOGETHER]
            alerts = [self._alert(held, now) for held in together]
            try:
                await self._manager.raise_(alerts, [max(held.due - ahead, last_look) for held in together])
            except CallbotError as error:
                _log.error("alerts_not_raised", number=len(new) - start, error=type(error).__name__)
                return

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
