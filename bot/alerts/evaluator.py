"""Which rules fire on the live calls of each scan, since when, and whether what an open alert is about goes on. Pure.

A scan is `begin_scan`, `evaluate` for each part of what the PBX shows, `end_scan`. A call that has not changed since the last
scan is not evaluated again before something of it is due: if 1 in 100 of 10,000 calls has changed, that takes 11 ms in
place of 130 ms (20 rules).

Dates are not believed blindly: the samples of the action pages show a call with dates in two time zones, answered almost an
hour before it was published. A missing date, and one in the future, tells nothing. A date before `published`, and one that
is much older than the last complete scan which did not show it, counts from when it can be true.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from bot.alerts.alert import Alert, AlertRule, Resolution, When
from bot.domain.calls import EXTENSION, PhoneCall, PhoneCallView, Status, caller_numbers
from bot.domain.permissions import Permissions
from bot.domain.phone_numbers import in_ascii

FORGOTTEN_AFTER = timedelta(minutes=1)
"""A call that no scan has shown for this long is forgotten: a list may be empty for a moment."""
FORGOTTEN_TOGETHER = 25
"""Calls that are freed in one step: about 0.1 ms."""
AHEAD = timedelta(seconds=5)
"""How far a date may be in the future: the clocks of two machines differ."""
ZONES_APART = timedelta(minutes=15)
"""Time zones differ by multiples of this, so a date in the wrong zone is wrong by at least as much."""
MOST_DATES = 64
"""Dates of one call that are remembered besides those that it shows."""
NEVER = datetime.max.replace(tzinfo=UTC)
EXTENSIONS_KNOWN = 2**14
"""Extensions of which it is remembered which rules are about them: a floor of 10,000 calls has fewer."""
_NO_DIGITS = re.compile(r"[^0-9]+")


# ── one call over many scans ──


class RuleMatch(NamedTuple):
    """The condition of a rule holds on a call: on this view, since then. It fires once it has held for long enough."""

    rule: AlertRule
    call: PhoneCall
    view: PhoneCallView
    since: datetime

    @property
    def fires_at(self) -> datetime:
        """When the rule fires, or has fired."""
        return self.since + self.rule.longer_than


class FirstSeen(NamedTuple):
    """The scan that showed something first, and the complete scan before that did not show it, if there was one."""

    at: datetime
    not_before: datetime | None


@dataclass(eq=False)
class TrackedCall:
    """A call, and the rules that match it."""

    call: PhoneCall
    """The call with the `published` that it had before, if the PBX leaves that out now."""
    first: FirstSeen
    shown: PhoneCall
    """The call as the PBX shows it."""
    scan: int
    """The number of the last scan that showed it."""
    seen_at: datetime
    dates: dict[datetime, FirstSeen] = field(default_factory=dict)
    """When each date was seen first; one that is not here was there from the first scan."""
    reported: set[tuple[When, str]] = field(default_factory=set)
    """The conditions whose dates could not be used, and why: each is reported once."""
    matches: dict[int, RuleMatch] = field(default_factory=dict)
    """By the position of the rule."""
    firing: tuple[RuleMatch, ...] = ()
    check_at: datetime | None = None
    """When it has to be evaluated again though it stays as it is: a rule fires then, or a date is in the future no more."""

    def change(self, call: PhoneCall, seen: FirstSeen) -> None:
        """The PBX shows the call differently than at the scan before."""
        known = self.dates or dict.fromkeys(_dates(self.call), self.first)
        if len(known) > MOST_DATES:
            known = {date: known[date] for date in _dates(self.call)}
        self.shown = call
        if call.published is None and self.call.published is not None:
            call = call.model_copy(update={"published": self.call.published})
        self.call = call
        self.dates = dict.fromkeys(_dates(call), seen) | known

    def since(self, date: datetime | None, now: datetime) -> tuple[datetime | None, str]:
        """Since when something is so by that date, None if it tells nothing; and what is wrong with the date."""
        if date is None:
            return None, "missing"
        if date > now + AHEAD:
            self.check_at = min(self.check_at or NEVER, date - AHEAD)
            return None, "future"
        published, seen = self.call.published, self.dates.get(date, self.first)
        if published is not None and date < published <= self.dates.get(published, self.first).at + AHEAD:
            # A complete scan after `published` has not shown this date: it came since, so it counts from the scan that did.
            is_new = seen.not_before is not None and seen.not_before > published
            return (seen.at if is_new else published), "contradictory"
        if seen.not_before is not None and date < seen.not_before and seen.at - date >= ZONES_APART:
            return seen.at, "implausible"
        return date, ""


def _dates(call: PhoneCall) -> list[datetime]:
    """Every date of a call that a condition may count from."""
    dates = [call.published, call.answered]
    for view in call.views:
        dates += (view.answered, view.on_hold, view.parked)
    return [date for date in dates if date is not None]


# ── which rules are about whom ──


class RuleIndex:
    """Rules by what they are about. A rule is named by its position in `rules`; `teams` are those of the directory."""

    def __init__(self, rules: tuple[AlertRule, ...], teams: Mapping[str, frozenset[str]]) -> None:
        self.rules = rules
        self._teams = teams
        self._beginnings = [_beginnings(rule) for rule in rules]
        self.on_extension = lru_cache(EXTENSIONS_KNOWN)(self._on_extension)

    def _on_extension(self, extension: str) -> Mapping[When, tuple[int, ...]]:
        """The rules about an extension, by their condition. A text that is no extension has none."""
        found: dict[When, tuple[int, ...]] = {}
        if EXTENSION.fullmatch(extension) is None:
            return found
        for position, rule in enumerate(self.rules):
            patterns = rule.extensions
            if patterns is None or any(pattern.covers(extension, self._teams) for pattern in patterns):
                found[rule.when] = (*found.get(rule.when, ()), position)
        return found

    def is_about_caller(self, position: int, view: PhoneCallView) -> bool:
        """Whether a rule is about somebody who calls on this view, or says nothing of callers."""
        callers = self.rules[position].callers
        if callers is None:
            return True
        # Nearly all callers are none of the rule's, which this shows in 2 µs in place of 20: to evaluate 10,000 new calls by
        # 20 rules takes 130 ms with it and 600 ms without.
        written = "".join((*view.source, view.caller_id))
        digits = (_NO_DIGITS.sub("", in_ascii(text)) for text in {written, unquote(written)})
        if not any(map(self._beginnings[position].search, digits)):
            return False
        numbers = callers_of(view)
        return any(caller.covers(number) for caller in callers for number in numbers)


def callers_of(view: PhoneCallView) -> set[str]:
    """The numbers of those who call on this view: its sources and its caller id. An extension does not call itself."""
    itself = {view.extension, view.extension.partition("*")[2]}
    found: set[str] = set()
    for text in (*view.source, view.caller_id):
        numbers = caller_numbers(text)
        if not itself.issuperset(numbers or (text,)):
            found |= {text, *numbers}
    return found - itself


def _beginnings(rule: AlertRule) -> re.Pattern[str]:
    """Finds the digits with which the numbers of a rule begin. The national numbers of a country may begin with any."""
    callers = rule.callers or ()
    digits = {"" if caller.country else form.partition("X")[0] for caller in callers for form in caller.forms}
    return re.compile("|".join(sorted(digits)))


# ── all calls of a scan ──


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
        if self._scanned_at is None:  # the first part of this scan
            self._scanned_at = now
        seen = FirstSeen(now, self._complete_scan)
        firing: list[RuleMatch] = []
        for call in calls:
            tracked = self._calls.get(call.id)
            if tracked is None or (tracked.scan != self._scan and call.is_another_than(tracked.call)):
                tracked = self._calls[call.id] = TrackedCall(call, seen, call, self._scan, now)
            elif tracked.scan == self._scan:  # the second call with this id
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
            index.rules[position].key == rule_key and index.is_about_caller(position, view)
            for positions in index.on_extension(view.extension).values()
            for position in positions
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
                for position in on_extension.get(when, ()):
                    if position in found and (position not in before or before[position].view.id != view_id):
                        continue  # only the view that the rule matched before replaces an earlier one
                    if not index.is_about_caller(position, view):
                        continue
                    since = since or self._since(tracked, when, date, now)  # the same for all rules of this condition
                    if since is None:
                        break
                    found[position] = RuleMatch(index.rules[position], call, view, since)
        return found

    def _since(self, tracked: TrackedCall, when: When, date: datetime | None, now: datetime) -> datetime | None:
        """Since when a condition holds by its date; None if the date tells nothing. Notes what is wrong with the date."""
        since, wrong = tracked.since(date, now)
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


# ── an open alert ──


_SHOWS: Mapping[When, Callable[[PhoneCallView], bool]] = {
    When.RINGING: lambda view: view.status is Status.RINGING,
    When.TALKING: lambda view: view.on_call,
    When.ON_HOLD: lambda view: view.on_call and view.on_hold is not None,
    When.PARKED: lambda view: view.parked is not None,
    When.HELP_REQUESTED: lambda view: True,
}
"""Whether a view shows the condition; its dates do not matter here."""


def view_that_goes_on(alert: Alert, call: PhoneCall) -> PhoneCallView | None:
    """The view of the same extension that shows the condition: the one from before, if it does; None if none does."""
    views = [view for view in call.named_views.values() if view.extension == alert.extension]
    showing = [view for view in views if _SHOWS[alert.when](view)]
    return min(showing, key=lambda view: (view.id != alert.view_id, view.id), default=None)


def why_over(
    alert: Alert, call: PhoneCall, parts: PhoneCall, permissions: Permissions
) -> tuple[Resolution, str] | None:
    """Why the condition is over, and the extension that answered; None if the call does not show why, so that it may go on.

    `parts` is the call without all views that may be legs of supervisors: a view that was picked up looks like a leg.
    """
    view = call.view(alert.view_id)
    if alert.when is When.RINGING:
        return _answered(alert, call, parts, permissions)
    if alert.when is When.HELP_REQUESTED and _rang(alert):
        answered = _answered(alert, call, parts, permissions)
        return answered if answered is not None and answered[0] is Resolution.PICKED_UP else None
    if alert.when in {When.ON_HOLD, When.PARKED} and view is not None and view.on_call:
        return Resolution.CONDITION_OVER, ""
    return None


def _rang(alert: Alert) -> bool:
    """Whether its view rang when it was last shown."""
    view = alert.call.view(alert.view_id)
    return view is not None and view.status is Status.RINGING


def _answered(
    alert: Alert, call: PhoneCall, parts: PhoneCall, permissions: Permissions
) -> tuple[Resolution, str] | None:
    """The extension that is on call now and was not before.

    After a PickUp, the source of the view is the extension that picked up ("PickUp PhoneCalls").
    """
    before = alert.call.view(alert.view_id)
    callers = frozenset() if before is None else frozenset(before.source)
    talked = {view.extension for view in alert.call.views if view.on_call}
    answered = [
        view.extension
        for view in sorted(parts.named_views.values(), key=lambda view: view.id != alert.view_id)
        if view.on_call and EXTENSION.fullmatch(view.extension) and view.extension not in callers | talked
    ]
    if answered:
        return Resolution.ANSWERED, answered[0]
    view = call.view(alert.view_id)
    if view is not None and view.on_call and view.extension == alert.extension:
        supervisors = permissions.supervisors_of(alert.extension) - callers
        picked = next((number for number in view.source if number in supervisors), None)
        return (Resolution.ANSWERED, view.extension) if picked is None else (Resolution.PICKED_UP, picked)
    return (Resolution.ANSWERED, "") if call.answered is not None else None
