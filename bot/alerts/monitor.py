"""Scans all live calls, one scan after the other, and says what each scan means for the alerts.

    poller.scan          every scope is listed once; open interventions are updated by the same lists
    evaluator            which rules fire on which calls, and since when; whether open alerts go on
    manager              alerts are raised, updated, resolved: first in the ledger, then on their cards

Without rules and open alerts nothing is scanned. A condition counts as over at once if the call shows why, else after the
second scan in a row that does not show it: a list may be empty for a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NoReturn

import structlog

from bot.alerts.alert import ALERT_GIVEN_UP_AFTER, HELP_REQUEST_KEY, Alert, Resolution, When, resolved, still_firing
from bot.alerts.evaluator import Evaluator, RuleMatch, view_that_goes_on, why_over
from bot.alerts.manager import AlertConfig, AlertManager, AlertMetrics, OpenInterventions
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.clock import Clock, ServerClock
from bot.domain.commands import new_id
from bot.domain.errors import CallbotError
from bot.domain.intervention import POLLS_TO_BELIEVE
from bot.polling.poller import Haste, Poller
from bot.polling.scan import Scan
from bot.tasks import Tasks, in_slices

AT_A_TIME = 25
"""Calls that are evaluated without a break: about 1 ms."""
RAISED_TOGETHER = 50
"""Alerts that are saved in one commit and shown together: a few milliseconds."""
TICK = 1.0

_log = structlog.get_logger("callbot.alerts")


class AlertMonitor:
    """Scans while it is `needed`. The dates of calls are by the clock of the PBX."""

    def __init__(
        self,
        *,
        poller: Poller,
        manager: AlertManager,
        config: AlertConfig,
        open_interventions: OpenInterventions,
        metrics: AlertMetrics,
        clock: Clock,
        pbx_clock: ServerClock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._poller = poller
        self._manager = manager
        self._config = config
        self._open_interventions = open_interventions
        self._metrics = metrics
        self._clock = clock
        self._pbx_clock = pbx_clock
        self._sleep = sleep
        self._evaluator = Evaluator()
        self._with_legs: dict[str, PhoneCall] = {}
        """The calls of the last scan that have legs, as the PBX shows them."""
        self._misses: dict[str, int] = {}
        """How many scans in a row have not shown what an alert is about."""
        self._being_read: set[str] = set()
        """The alerts whose call is being read by itself."""
        self._in_doubt = False
        """An alert may be over: the next scan comes soon."""
        self._started_at = clock.now()
        self._raising: asyncio.Task[None] | None = None
        self._scanned_at: datetime | None = None
        self.live_calls = 0
        """How many calls the last scan showed."""
        self._tasks = Tasks(apart=True)

    def start(self) -> None:
        """Scan from now on, until `stop`."""
        self._tasks.spawn(self._keep_scanning(), name="alert monitor")
        self._tasks.spawn(self._keep_time(), name="age of alerts")

    async def stop(self) -> None:
        """Scan no more."""
        await self._tasks.cancel()

    @property
    def needed(self) -> bool:
        """Whether there are rules or open alerts."""
        return bool(self._config.alert_rules() or self._manager.open)

    def scan_age(self) -> float:
        """Seconds since the last scan that the PBX answered; 0 while the monitor is not needed."""
        if self._scanned_at is None or not self.needed:
            return 0.0
        return (self._clock.now() - self._scanned_at).total_seconds()

    def config_changed(self) -> None:
        """Resolve at once the alerts that lost their rule or are protected now; changed patterns count from the next scan."""
        self._tasks.spawn(self._apply_changed_config(), name="alerts by the changed configuration")

    async def _apply_changed_config(self) -> None:
        now, keys = self._clock.now(), {HELP_REQUEST_KEY, *(rule.key for rule in self._config.alert_rules())}
        async for one in in_slices(self._manager.open):
            alert = self._manager.by_id(one.id)
            if alert is None or not alert.open:
                continue
            if alert.rule not in keys:
                self._manager.update(self._over(alert, now, Resolution.RULE_GONE))
            elif self._config.permissions().protects(alert.call):
                self._manager.update(self._over(alert, now, Resolution.PROTECTED))
        await self._manager.refresh_cards()

    # ── the loops ──

    async def _keep_scanning(self) -> NoReturn:
        while True:
            if self.needed:
                try:
                    await self._scan()
                except Exception:  # noqa: BLE001 - if this loop ended, open alerts would stay open for ever
                    _log.exception("scan_failed")
            else:
                self._poller.stop_scanning()
            in_doubt, self._in_doubt = self._in_doubt, False
            await self._poller.pause(Haste.DOUBTING if in_doubt else Haste.WATCHING, before_scan=True)

    async def _keep_time(self) -> NoReturn:
        while True:
            await self._sleep(TICK)
            try:
                await self._manager.pass_time()
            except Exception:  # noqa: BLE001 - if this loop ended, snoozes would last for ever
                _log.exception("time_failed")

    async def _scan(self) -> None:
        begun = self._clock.now()
        scan = await self._poller.scan()
        self._metrics.scanned((self._clock.now() - begun).total_seconds(), len(scan.calls), scan.unread, scan.skipped)
        if not scan.read:
            return
        self.live_calls = len(scan.calls)
        firing = await self._evaluate(scan)
        now = self._clock.now()
        async for one in in_slices(self._manager.open):
            alert = self._manager.by_id(one.id)
            if alert is not None and alert.open:
                self._manager.update(self._after_scan(alert, scan, now))
        if self._raising is None or self._raising.done():  # while the ledger hangs, scans go on
            self._raising = self._tasks.spawn(self._raise(firing, now, self._scanned_at or now), name="new alerts")
        self._scanned_at = now

    async def _evaluate(self, scan: Scan) -> list[RuleMatch]:
        """The rules that fire by now. Between slices of a long list other tasks run."""
        ahead = self._pbx_clock.ahead()
        self._evaluator.use_rules(self._config.alert_rules(), self._config.permissions().directory.teams)
        self._evaluator.begin_scan()
        self._with_legs.clear()
        firing: list[RuleMatch] = []
        parts = (scan.calls[start : start + AT_A_TIME] for start in range(0, len(scan.calls), AT_A_TIME))
        async for part in in_slices(parts):
            shown = tuple(map(self._open_interventions.without_legs, part))
            # `without_legs` returns the same object where there is no leg.
            self._with_legs |= {call.id: call for call, other in zip(part, shown, strict=True) if other is not call}
            firing += self._evaluator.evaluate(shown, self._clock.now() + ahead)
        complete = not (scan.unread or scan.skipped)
        async for _ in in_slices(self._evaluator.end_scan(self._clock.now() + ahead, complete=complete)):
            pass
        for when, why in self._evaluator.unusable_dates():
            self._metrics.date_unusable(when, why)
        return firing

    # ── one open alert ──

    def _after_scan(self, alert: Alert, scan: Scan, now: datetime) -> Alert:
        """The alert as it is after this scan."""
        call = self._evaluator.call(alert.call.id)
        if call is not None:
            return self._as_shown(alert, call, now)
        if alert.when is When.HELP_REQUESTED or scan.skipped:
            # No scope need list the call of a help request, and an entry that could not be read may be any call.
            if alert.id not in self._being_read:
                self._being_read.add(alert.id)
                self._tasks.spawn(self._read_call(alert), name=f"alert {alert.id}")
            return alert
        if scan.misses(alert.call.id):
            return self._missed(alert, Resolution.CALL_OVER, now)
        shown_or_started = max(alert.seen_at, self._started_at)
        return self._over(alert, now, Resolution.NOT_SEEN) if now - shown_or_started >= ALERT_GIVEN_UP_AFTER else alert

    def _as_shown(self, alert: Alert, call: PhoneCall, now: datetime) -> Alert:
        """The alert as it is while the PBX shows this call under the id of its call."""
        if call.is_another_than(alert.call):
            return self._over(alert, now, Resolution.CALL_OVER)
        if self._config.permissions().protects(call):
            return self._over(alert, now, Resolution.PROTECTED)
        match = self._evaluator.match(alert.rule, call.id)
        if match is not None and match.since != alert.since and match.fires_at > now + self._pbx_clock.ahead():
            return self._over(alert, now, Resolution.CONDITION_OVER)  # it has ended, and begun anew
        view = match.view if match is not None else view_that_goes_on(alert, call)
        if view is None:
            reason = why_over(alert, self._with_legs.get(call.id, call), call, self._config.permissions())
            if reason is not None:
                return self._over(alert, now, *reason)
            only_legs = not call.views
            return self._missed(alert, Resolution.CALL_OVER if only_legs else Resolution.CONDITION_OVER, now)
        return self._going_on(alert, call, view, alert.since if match is None else match.since, now)

    def _going_on(self, alert: Alert, call: PhoneCall, view: PhoneCallView, since: datetime, now: datetime) -> Alert:
        if alert.when is not When.HELP_REQUESTED and not self._evaluator.is_about(alert.rule, view):
            return self._over(alert, now, Resolution.RULE_GONE)
        self._misses.pop(alert.id, None)
        return still_firing(alert, call, view, since, now)

    async def _read_call(self, missed: Alert) -> None:
        """Read the call of an alert by itself, and update the alert by it."""
        path = (self._config.permissions().owner(missed.extension), missed.extension, missed.call.id)
        try:
            poll = await self._poller.poll(path, Haste.DOUBTING)
        finally:
            self._being_read.discard(missed.id)
        alert, now = self._manager.by_id(missed.id), self._clock.now()
        if alert is None or not alert.open or not poll.readable:
            return
        if poll.call is None:
            self._manager.update(self._missed(alert, Resolution.CALL_OVER, now))
        else:
            self._manager.update(self._as_shown(alert, self._open_interventions.without_legs(poll.call), now))

    def _missed(self, alert: Alert, how: Resolution, now: datetime) -> Alert:
        """Resolved, if enough scans in a row have not shown what it is about."""
        self._misses[alert.id] = self._misses.get(alert.id, 0) + 1
        self._in_doubt = True
        return self._over(alert, now, how) if self._misses[alert.id] >= POLLS_TO_BELIEVE else alert

    def _over(self, alert: Alert, now: datetime, how: Resolution, by: str = "") -> Alert:
        self._misses.pop(alert.id, None)
        return resolved(alert, how, now, by)

    # ── new alerts ──

    async def _raise(self, firing: list[RuleMatch], now: datetime, scan_before: datetime) -> None:
        """Raise the new ones. What the ledger does not take now still fires at the next scan.

        What fired already before `scan_before` could not be raised sooner than that scan, which did not show it.
        """
        permissions, alert_rules, ahead = (
            self._config.permissions(),
            self._config.alert_rules(),
            self._pbx_clock.ahead(),
        )
        new: list[RuleMatch] = []
        async for match in in_slices(firing):
            known = any(alert.open for alert in self._manager.of_call(match.rule.key, match.call))
            if not known and match.rule in alert_rules and not permissions.protects(match.call):
                new.append(match)
        for start in range(0, len(new), RAISED_TOGETHER):
            together = new[start : start + RAISED_TOGETHER]
            alerts = [self._new_alert(match, now) for match in together]
            try:
                await self._manager.raise_alerts(
                    alerts, [max(match.fires_at - ahead, scan_before) for match in together]
                )
            except CallbotError as error:
                _log.error("alerts_not_raised", number=len(new) - start, error=type(error).__name__)
                return

    def _new_alert(self, match: RuleMatch, now: datetime) -> Alert:
        return Alert(
            id=new_id(),
            rule=match.rule.key,
            name=match.rule.name,
            when=match.rule.when,
            longer_than=match.rule.longer_than,
            channel=match.rule.channel,
            call=match.call,
            extension=match.view.extension,
            view_id=match.view.id,
            since=match.since,
            raised_at=now,
            seen_at=now,
        )
