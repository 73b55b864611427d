"""The live calls of each scan → which rules match which calls, since when, and which of them fire. Pure: time is an argument.

A scan is `begin_scan`, `evaluate` for each part of what the PBX shows, `end_scan`. A call that has not changed since the last
scan is not evaluated again before something of it is due: if 1 in 100 of 10,000 calls has changed, that takes 11 ms in
place of 130 ms (20 rules).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.alerts.alert import AlertRule, When
from bot.alerts.rule_index import RuleIndex
from bot.alerts.tracked_call import AHEAD, NEVER, FirstSeen, RuleMatch, TrackedCall
from bot.domain.calls import PhoneCall, PhoneCallView, Status

FORGOTTEN_AFTER = timedelta(minutes=1)
"""A call that no scan has shown for this long is forgotten: a list may be empty for a moment."""
FORGOTTEN_TOGETHER = 25
"""Calls that are freed in one step: about 0.1 ms."""


class Evaluator:
    """The calls that were seen, and the rules that match them."""

    def __init__(self) -> None:
        self._index = RuleIndex((), {})
        self._teams: Mapping[str, frozenset[str]] = {}
        self._calls: dict[str, TrackedCall] = {}
        self._scan = 0
        self._scanned_at: datetime | None = None
        self._complete_scan: datetime | None = None
        """When the last complete scan began; None while calls may be back that were forgotten."""
        self._unusable: list[tuple[When, str]] = []

    def use_rules(self, rules: tuple[AlertRule, ...], teams: Mapping[str, frozenset[str]]) -> None:
        """Use these rules and teams of the directory. If they changed, all that matched before is forgotten."""
        if rules == self._index.rules and teams == self._teams:
            return
        self._index, self._teams = RuleIndex(rules, teams), teams
        for tracked in self._calls.values():
            tracked.matches, tracked.firing, tracked.check_at = {}, (), None

    # ── a scan ──

    def begin_scan(self) -> None:
        """A scan begins."""
        self._scan += 1
        self._scanned_at = None

    def evaluate(self, calls: Sequence[PhoneCall], now: datetime) -> list[RuleMatch]:
        """What fires by now on these calls, which are a part of the scan. Of two calls with one id the first counts."""
        if self._scanned_at is None:
            self._scanned_at = now
        seen = FirstSeen(now, self._complete_scan)
        firing: list[RuleMatch] = []
        for call in calls:
            tracked = self._calls.get(call.id)
            if tracked is None or (tracked.scan != self._scan and call.is_another_than(tracked.call)):
                tracked = self._calls[call.id] = TrackedCall(call, seen, call, self._scan, now)
            elif tracked.scan == self._scan:
                continue
            elif call is not tracked.shown and call != tracked.shown:
                tracked.change(call, seen)
                tracked.check_at = None
            if tracked.check_at is None or now >= tracked.check_at:
                self._evaluate(tracked, now)
            tracked.scan = self._scan
            tracked.seen_at = now
            firing += tracked.firing
        return firing

    def end_scan(self, now: datetime, *, complete: bool) -> Iterator[None]:
        """The scan is over; `complete` if every scope answered. Calls that no scan has shown for a minute are forgotten.

        In steps, all of which have to be taken: to free 10,000 calls at once takes 40 ms.

        A call that is forgotten while a scope does not answer may come back from there as if it were new. So from then
        until the next complete scan no date counts as too old to be true.
        """
        gone = [
            call_id
            for call_id, tracked in self._calls.items()
            if tracked.scan != self._scan and now - tracked.seen_at >= FORGOTTEN_AFTER
        ]
        if complete:
            self._complete_scan = self._scanned_at or now
        elif gone:
            self._complete_scan = None
        for number, call_id in enumerate(gone):
            del self._calls[call_id]
            if number % FORGOTTEN_TOGETHER == 0:
                yield

    # ── what it has shown ──

    def call(self, call_id: str) -> PhoneCall | None:
        """The call as the current scan shows it, or the last one if none is under way; None if it does not."""
        tracked = self._calls.get(call_id)
        return tracked.call if tracked is not None and tracked.scan == self._scan else None

    def match(self, rule_key: str, call_id: str) -> RuleMatch | None:
        """How the rule matches the call by the last scan that showed it, whether it fires or not; None if it does not."""
        tracked = self._calls.get(call_id)
        found = [] if tracked is None else [one for one in tracked.matches.values() if one.rule.key == rule_key]
        return min(found, key=lambda match: match.fires_at, default=None)

    def is_about(self, rule_key: str, view: PhoneCallView) -> bool:
        """Whether a rule with that key is about this view: its extension and those who call there."""
        index = self._index
        return any(
            index.rules[place].key == rule_key and index.is_about_caller(place, view)
            for places in index.on_extension(view.extension).values()
            for place in places
        )

    def unusable_dates(self) -> list[tuple[When, str]]:
        """The dates that could not be used since this was asked last: the condition and why, once for each call."""
        unusable, self._unusable = self._unusable, []
        return unusable

    # ── one call ──

    def _evaluate(self, tracked: TrackedCall, now: datetime) -> None:
        """Find the rules that match a call, those of them that fire, and when that changes though the call does not."""
        tracked.check_at = NEVER
        tracked.matches = self._matches(tracked, now)
        firing: dict[str, RuleMatch] = {}
        for match in tracked.matches.values():
            fires_at = match.fires_at
            if fires_at > now:
                tracked.check_at = min(tracked.check_at, fires_at)
                continue
            key = match.rule.key  # two rules of one key are one, which fires as soon as one of them does
            if key not in firing or fires_at < firing[key].fires_at:
                firing[key] = match
        tracked.firing = tuple(firing.values())

    def _matches(self, tracked: TrackedCall, now: datetime) -> dict[int, RuleMatch]:
        """Each rule that matches, on one view: on the one that it matched before, else on that of the smallest id."""
        call, before, index = tracked.call, tracked.matches, self._index
        found: dict[int, RuleMatch] = {}
        views = call.named_views
        for view_id in sorted(views):
            view = views[view_id]
            on_extension = index.on_extension(view.extension)
            for when, date in _conditions(call, view):
                since: datetime | None = None
                for place in on_extension.get(when, ()):
                    if place in found and (place not in before or before[place].view.id != view_id):
                        continue
                    if not index.is_about_caller(place, view):
                        continue
                    since = since or self._since(tracked, when, date, now)
                    if since is None:
                        break
                    found[place] = RuleMatch(index.rules[place], call, view, since)
        return found

    def _since(self, tracked: TrackedCall, when: When, date: datetime | None, now: datetime) -> datetime | None:
        """Since when a condition holds by its date; None if the date tells nothing."""
        if date is None:
            since, wrong = None, "missing"
        else:
            since, wrong = tracked.since(date, now)
            if since is None:
                tracked.check_at = min(tracked.check_at or NEVER, date - AHEAD)
        if wrong and (when, wrong) not in tracked.reported:
            tracked.reported.add((when, wrong))
            self._unusable.append((when, wrong))
        return since


def _conditions(call: PhoneCall, view: PhoneCallView) -> Iterator[tuple[When, datetime | None]]:
    """The conditions that a view shows, each with the date since when it does."""
    if view.status is Status.RINGING:
        yield When.RINGING, call.published
    elif view.status is Status.ON_CALL:
        yield When.TALKING, view.answered or call.answered
        if view.on_hold is not None:
            yield When.ON_HOLD, view.on_hold
    if view.parked is not None:
        yield When.PARKED, view.parked
