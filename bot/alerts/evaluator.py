"""The live calls as each look shows them → which rules hold on which calls, and since when. Pure; time is an argument.

A look is `begin`, `see` for each part of what the PBX shows, `end`. What has not changed since the last look is not
judged anew: ten thousand calls that stay as they are cost a few milliseconds.

Which rules are about an extension and its callers is `covering`, since when what a call shows can be true `sightings`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from bot.alerts.alert import AlertRule, When
from bot.alerts.rule_index import RuleIndex
from bot.alerts.tracked_call import AT_ONCE, NEVER, FirstSeen, Held, RuleMatch, TrackedCall
from bot.domain.calls import OBJECT_ID, PhoneCall, PhoneCallView, Status

__all__ = ["Evaluator", "RuleMatch"]

REMEMBERED = timedelta(minutes=1)
"""How long a call is remembered that no look shows: a list may be empty for a moment."""
MOST_MIXTURES = 2**12
"""Sets of rules that are remembered in their order."""
_RINGING, _ON_CALL = Status.RINGING, Status.ON_CALL


_Side: TypeAlias = tuple[str, int, PhoneCallView]
"""A view by its id, which no other of the call has, and the bits of the rules that it may be about."""


class _Keyed(NamedTuple):
    longer_than: timedelta
    key: str
    rule: AlertRule


class Evaluator:
    """What was seen of the live calls, and which rules hold on them."""

    def __init__(self) -> None:
        self._calls: dict[str, TrackedCall] = {}
        self._look = 0
        self._looked_at: datetime | None = None
        self._whole_look: datetime | None = None
        self._forgotten: list[TrackedCall] = []
        self._unusable: list[tuple[When, str]] = []
        self._heed((), {})

    def use_rules(self, rules: tuple[AlertRule, ...], teams: Mapping[str, frozenset[str]]) -> None:
        """The rules of now, and the teams of the directory. What was matched before is forgotten when they differ."""
        if rules == self._rules and teams == self._teams:
            return
        self._heed(rules, teams)
        for seen in self._calls.values():
            seen.held, seen.ripe, seen.again = (), (), AT_ONCE

    def _heed(self, rules: tuple[AlertRule, ...], teams: Mapping[str, frozenset[str]]) -> None:
        self._rules = rules
        self._teams = teams
        self._rule_index = RuleIndex(rules, teams)
        about = {when: sum(1 << place for place, rule in enumerate(rules) if rule.when is when) for when in When}
        self._about = about
        self._may_be = dict.fromkeys(Status, 0)
        self._may_be[Status.RINGING] = about[When.RINGING]
        self._may_be[Status.ON_CALL] = about[When.TALKING] | about[When.ON_HOLD]
        self._keyed = tuple(_Keyed(rule.longer_than, rule.key, rule) for rule in rules)
        self._bits_of: dict[str, int] = {}
        for place, rule in enumerate(rules):
            self._bits_of[rule.key] = self._bits_of.get(rule.key, 0) | 1 << place
        self._rules_of = lru_cache(MOST_MIXTURES)(self._find_rules)

    # ── a look ──

    def begin_scan(self) -> None:
        """A look begins."""
        self._look += 1
        self._looked_at = None

    def evaluate(self, calls: Sequence[PhoneCall], now: datetime) -> list[RuleMatch]:
        """What a part of the look shows: what is due by now on these calls. The first of two with one id counts."""
        if self._looked_at is None:
            self._looked_at = now
        sight = FirstSeen(now, self._whole_look)
        due: list[RuleMatch] = []
        for call in calls:
            seen = self._calls.get(call.id)
            if seen is None:
                seen = self._calls[call.id] = TrackedCall(call, sight)
            elif seen.look == self._look:
                continue
            elif call is not seen.shown and call != seen.shown:
                if call.is_another_than(seen.call):
                    seen = self._calls[call.id] = TrackedCall(call, sight)
                else:
                    seen.change(call, sight)
                    seen.again = AT_ONCE
            if now >= seen.again:
                self._judge(seen, now)
            seen.look = self._look
            seen.seen_at = now
            if seen.ripe:
                due += seen.ripe
        return due

    def end_scan(self, now: datetime, *, complete: bool) -> None:
        """The look is over; `complete` where every scope answered. Calls that none has shown for a minute are forgotten.

        A call that is forgotten while a scope does not answer may come back from there as if it were new. So from then
        until the next whole look no date is too old to be true.
        """
        gone = [
            call_id
            for call_id, seen in self._calls.items()
            if seen.look != self._look and now - seen.seen_at >= REMEMBERED
        ]
        self._forgotten = [self._calls.pop(call_id) for call_id in gone]
        if complete:
            self._whole_look = self._looked_at or now
        elif gone:
            self._whole_look = None

    def free_forgotten(self, at_a_time: int) -> Iterator[None]:
        """Free the memory of the calls that are forgotten, so many at each step: thousands at once take long."""
        while self._forgotten:
            del self._forgotten[-at_a_time:]
            yield

    # ── what it has shown ──

    def call(self, call_id: str) -> PhoneCall | None:
        """The call as this look shows it, the last one begun; None where it does not."""
        seen = self._calls.get(call_id)
        return seen.call if seen is not None and seen.look == self._look else None

    def match(self, rule_key: str, call_id: str) -> RuleMatch | None:
        """How that rule holds on that call as of the last look that showed it, due or not; None where it does not."""
        seen = self._calls.get(call_id)
        if seen is None:
            return None
        found = [
            RuleMatch(rule, seen.call, view, since)
            for view, since, bits in seen.held
            for _, key, rule in self._rules_of(bits)
            if key == rule_key
        ]
        return min(found, key=lambda match: match.fires_at, default=None)

    def is_about(self, rule_key: str, view: PhoneCallView) -> bool:
        """Whether a rule of that key, of those taken last, is about this side of a call."""
        bits = self._rule_index.of_extension[view.extension] & self._rule_index.of_callers(view)
        return bool(bits & self._bits_of.get(rule_key, 0))

    def unusable_dates(self) -> list[tuple[When, str]]:
        """The dates that could not be used since this was asked last: each of a call is told once, with why."""
        told, self._unusable = self._unusable, []
        return told

    # ── one call ──

    def _judge(self, seen: TrackedCall, now: datetime) -> None:
        """Find which rules hold on a call, which of them are due, and when that may change though the call does not."""
        seen.again = NEVER
        sides = self._sides(seen.call)
        seen.held = self._hold(seen, sides, now) if sides else ()
        due: dict[str, RuleMatch] = {}
        for view, since, bits in seen.held:
            for longer_than, key, rule in self._rules_of(bits):
                moment = since + longer_than
                if moment > now:
                    seen.again = min(seen.again, moment)
                    break
                if key not in due or moment < due[key].fires_at:
                    due[key] = RuleMatch(rule, seen.call, view, since)
        seen.ripe = tuple(due.values())

    def _sides(self, call: PhoneCall) -> list[_Side]:
        """The views that can be acted on and that some rule may be about, in the order of their ids."""
        may_be, of_extension = self._may_be, self._rule_index.of_extension
        sides: list[_Side] = []
        ids = set()
        for view in call.views:
            view_id = view.id
            if view_id in ids:
                continue
            ids.add(view_id)  # the first is what an id means that is said twice
            bits = may_be[view.status]
            if view.parked is not None:
                bits |= self._about[When.PARKED]
            bits &= of_extension[view.extension]
            if bits & self._rule_index.choosy:
                bits &= self._rule_index.of_callers(view)
            if bits and _can_be_named(view_id):
                sides.append((view_id, bits, view))
        sides.sort()
        return sides

    def _hold(self, seen: TrackedCall, sides: list[_Side], now: datetime) -> list[Held]:
        """Each rule that holds, on one view: on the one that it held on before, else on that of the smallest id."""
        held: list[Held] = []
        left = ~0
        if seen.held:
            before: dict[str, int] = {}
            for view, _, bits in seen.held:
                before[view.id] = before.get(view.id, 0) | bits
            sides = [(view_id, bits & before.get(view_id, 0), view) for view_id, bits, view in sides] + sides
        for _, bits, view in sides:
            if not bits & left:
                continue
            for when, date in _conditions(seen.call, view):
                of_it = bits & left & self._about[when]
                if of_it:
                    since, wrong = seen.since(date, now)
                    if wrong:
                        self._tell(seen, when, wrong)
                    if since is not None:
                        held.append(Held(view, since, of_it))
                        left &= ~of_it
        return held

    def _tell(self, seen: TrackedCall, when: When, wrong: str) -> None:
        if (when, wrong) not in seen.told:
            seen.told |= {(when, wrong)}
            self._unusable.append((when, wrong))

    def _find_rules(self, bits: int) -> tuple[_Keyed, ...]:
        """The rules of these bits, the one that is due first before the others."""
        rules = (keyed for place, keyed in enumerate(self._keyed) if bits >> place & 1)
        return tuple(sorted(rules, key=lambda keyed: keyed.longer_than))


def _conditions(call: PhoneCall, view: PhoneCallView) -> list[tuple[When, datetime | None]]:
    """What alerts may be about on this view, each with the date since when it is so."""
    found: list[tuple[When, datetime | None]] = []
    if view.status is _RINGING:
        found.append((When.RINGING, call.published))
    elif view.status is _ON_CALL:
        found.append((When.TALKING, view.answered or call.answered))
        if view.on_hold is not None:
            found.append((When.ON_HOLD, view.on_hold))
    if view.parked is not None:
        found.append((When.PARKED, view.parked))
    return found


@lru_cache(1024)
def _can_be_named(view_id: str) -> bool:
    """Whether a view of that id can be acted on; the same few ids stand in every call."""
    return OBJECT_ID.fullmatch(view_id) is not None
