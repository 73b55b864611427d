"""One call as looks have shown it, and since when what it shows can be true. Pure; time is an argument.

Dates are not believed blindly: the pages of the actions show a call with dates of two zones, which was answered almost an
hour before it entered the system. A date that is missing or in the future tells nothing. One that comes before
`published`, or that would be much older than the last whole look, which did not show it, counts from when it can be true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.alerts.alert import AlertRule, When
from bot.domain.calls import PhoneCall, PhoneCallView

AHEAD = timedelta(seconds=5)
"""How far a date may lie in the future: the clocks of two machines differ."""
ZONES_APART = timedelta(minutes=15)
"""Zones differ by this or multiples of it, so a date that is wrong by its zone is wrong by as much at least."""
MOST_DATES = 64
"""Dates of one call that are remembered beside those that it shows."""
NEVER = datetime.max.replace(tzinfo=UTC)
AT_ONCE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class RuleMatch:
    """What a rule is about holds on a call: on this view of it, since then."""

    rule: AlertRule
    call: PhoneCall
    view: PhoneCallView
    since: datetime

    @property
    def fires_at(self) -> datetime:
        """From when on it has held for too long."""
        return self.since + self.rule.longer_than


class Held(NamedTuple):
    """Rules, by their bits, that hold on one view since the same instant."""

    view: PhoneCallView
    since: datetime
    bits: int


class FirstSeen(NamedTuple):
    """When something was seen first, and the last whole look before that, which did not show it, if there was one."""

    at: datetime
    after: datetime | None


class TrackedCall:
    """One call, and what holds on it."""

    __slots__ = ("again", "call", "dates", "first", "held", "look", "ripe", "seen_at", "shown", "told")

    def __init__(self, call: PhoneCall, first: FirstSeen) -> None:
        self.shown = self.call = call
        """As the PBX shows it, and with the `published` that it has shown before."""
        self.first = first
        self.dates: dict[datetime, FirstSeen] | None = None
        """When each date was seen first; None while all were there from the first."""
        self.look = 0
        """The number of the last look that showed it."""
        self.seen_at = first.at
        self.told: frozenset[tuple[When, str]] = frozenset()
        """The dates that could not be used."""
        self.held: Sequence[Held] = ()
        self.ripe: tuple[RuleMatch, ...] = ()
        """What is due."""
        self.again = AT_ONCE
        """When it is to be judged again though it stays as it is: something is due then, or a date no longer ahead."""

    def change(self, call: PhoneCall, sight: FirstSeen) -> None:
        """A look shows it otherwise than the one before. A call whose `published` is left out has kept it."""
        known = self.dates or dict.fromkeys(_dates(self.call), self.first)
        if len(known) > MOST_DATES:
            known = {date: known[date] for date in _dates(self.call)}
        self.shown = call
        if call.published is None and self.call.published is not None:
            call = call.model_copy(update={"published": self.call.published})
        self.call = call
        self.dates = dict.fromkeys(_dates(call), sight) | known

    def since(self, date: datetime | None, now: datetime) -> tuple[datetime | None, str]:
        """Since when it is so by what one of its dates says, None where that says nothing; and what is wrong with it."""
        if date is None:
            return None, "missing"
        if date > now and date - now > AHEAD:
            self.again = min(self.again, date - AHEAD)
            return None, "future"
        published, sight = self.call.published, self._sight_of(date)
        if published is not None and date < published <= self._sight_of(published).at + AHEAD:
            return (published if sight.after is None or sight.after <= published else sight.at), "contradictory"
        if sight.after is not None and date < sight.after and sight.at - date >= ZONES_APART:
            return sight.at, "implausible"
        return date, ""

    def _sight_of(self, date: datetime) -> FirstSeen:
        return self.first if self.dates is None else self.dates[date]


def _dates(call: PhoneCall) -> list[datetime]:
    """Every date of a call that an alert may count from."""
    dates = [call.published, call.answered]
    for view in call.views:
        dates += (view.answered, view.on_hold, view.parked)
    return [date for date in dates if date is not None]
