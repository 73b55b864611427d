"""One call over many scans, and since when what it shows can be true. Pure: time is an argument.

Dates are not believed blindly: the samples of the action pages show a call with dates in two time zones, answered almost an
hour before it was published. A missing date, and one in the future, tells nothing. A date before `published`, and one that
is much older than the last complete scan which did not show it, counts from when it can be true.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.alerts.alert import AlertRule, When
from bot.domain.calls import PhoneCall, PhoneCallView

AHEAD = timedelta(seconds=5)
"""How far a date may be in the future: the clocks of two machines differ."""
ZONES_APART = timedelta(minutes=15)
"""Time zones differ by multiples of this, so a date in the wrong zone is wrong by at least as much."""
MOST_DATES = 64
"""Dates of one call that are remembered besides those that it shows."""
NEVER = datetime.max.replace(tzinfo=UTC)


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
    dates: dict[datetime, FirstSeen] | None = None
    """When each date was seen first; None while all were there from the first scan."""
    reported: set[tuple[When, str]] = field(default_factory=set)
    """The conditions whose dates could not be used, and why: each is reported once."""
    matches: dict[int, RuleMatch] = field(default_factory=dict)
    """By the place of the rule."""
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

    def since(self, date: datetime, now: datetime) -> tuple[datetime | None, str]:
        """Since when something is so by that date, None if it is in the future; and what is wrong with the date."""
        if date > now + AHEAD:
            return None, "future"
        published, seen = self.call.published, self._first_seen(date)
        if published is not None and date < published <= self._first_seen(published).at + AHEAD:
            is_new = seen.not_before is not None and seen.not_before > published
            return (seen.at if is_new else published), "contradictory"
        if seen.not_before is not None and date < seen.not_before and seen.at - date >= ZONES_APART:
            return seen.at, "implausible"
        return date, ""

    def _first_seen(self, date: datetime) -> FirstSeen:
        return self.first if self.dates is None else self.dates[date]


def _dates(call: PhoneCall) -> list[datetime]:
    """Every date of a call that a condition may count from."""
    dates = [call.published, call.answered]
    for view in call.views:
        dates += (view.answered, view.on_hold, view.parked)
    return [date for date in dates if date is not None]
