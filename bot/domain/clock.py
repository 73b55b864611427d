"""The time: what callbot measures by, what the wall clock says besides, and how far the clocks of PBX and Slack are off.

Durations must not jump with the wall clock, which NTP or an administrator may step by an hour at any time. So every instant
that is kept in memory comes from `Clock.now`, which counts seconds from the start on. How far the wall clock has been stepped
since is added where an instant leaves: to Slack, to the ledger. The dates of the PBX stay as it said them; its `ServerClock`
knows by how much they differ. Slack goes by its own time, too, where one of its messages is looked for.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

from pydantic import BaseModel

from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.intervention import Intervention

A_STEP = timedelta(seconds=1)
"""What the wall clock may differ by before it counts as stepped: reading two clocks takes time."""
HEARD = 9
"""Dates of the last answers by which the clock of a server is judged: one that is wrong says nothing against the others."""
QUICK_ANSWER = timedelta(seconds=2)
"""An answer that takes longer says too little of the moment at which it was dated."""
SURE = timedelta(seconds=2)
"""Differences of up to this are none: half a second for the resolution of `Date`, and half of what an answer takes."""
A_CENTURY = timedelta(days=36525)


_wall = partial(datetime.now, UTC)
_seconds = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic
"""Seconds that never go back. A machine that slept has aged, so CLOCK_BOOTTIME where there is one."""


class Clock:
    """The time of one process. `wall` gives an aware instant, `seconds` counts and never goes back."""

    def __init__(self, wall: Callable[[], datetime] = _wall, seconds: Callable[[], float] = _seconds) -> None:
        self._wall = wall
        self._seconds = seconds
        self._start, self._started = wall(), seconds()
        self._stepped = timedelta()

    def now(self) -> datetime:
        """The wall time at the start, and the seconds since."""
        return self._start + timedelta(seconds=self._seconds() - self._started)

    def stepped(self) -> timedelta:
        """How far the wall clock has been stepped since the start, in whole seconds."""
        stepped = self._wall() - self.now()
        if abs(stepped - self._stepped) >= A_STEP:
            self._stepped = timedelta(seconds=round(stepped.total_seconds()))
        return self._stepped

    def wall(self) -> datetime:
        """The time as the wall clock has it now."""
        return self.now() + self.stepped()


class ServerClock:
    """How far the clock of a server is ahead of `now`, by the `Date` headers of its answers."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self._heard: deque[timedelta] = deque(maxlen=HEARD)
        self._ahead = timedelta()

    def heard(self, date: str, asked: datetime) -> None:
        """An answer to what was asked then has come just now, and bears this `Date`; one that is unusable tells nothing."""
        answered = self.now()
        try:
            said = parsedate_to_datetime(date)
        except (ValueError, TypeError, OverflowError):
            return
        said = said.replace(tzinfo=UTC) if said.tzinfo is None else said
        # It was written in between, and its second may have been at its end.
        ahead = said + timedelta(seconds=0.5) - (asked + (answered - asked) / 2)
        if answered - asked > QUICK_ANSWER or abs(ahead) >= A_CENTURY:
            return
        self._heard.append(ahead)
        # The middle of what was heard last; of two middles the one that is nearer to what was believed before.
        heard = sorted(self._heard)
        middles = heard[(len(heard) - 1) // 2], heard[len(heard) // 2]
        middle = min(middles, key=lambda ahead: abs(ahead - self._ahead))
        if abs(middle - self._ahead) > SURE:
            self._ahead = timedelta() if abs(middle) <= SURE else timedelta(seconds=round(middle.total_seconds()))

    @property
    def known(self) -> bool:
        """Whether any answer has borne a date."""
        return bool(self._heard)

    def ahead(self) -> timedelta:
        """What its dates are ahead of ours; negative where its clock is behind."""
        return self._ahead


# ── dates by the wall clock, where they leave to Slack or the ledger ──
#
# In memory, the times of interventions and alerts count by `Clock`, the dates of calls by the PBX's. `own` and `pbx` are what is
# added to the one and to the other. Alerts and cards have their own functions, beside their models.

_T = TypeVar("_T", bound=BaseModel)


def shift_intervention(one: Intervention, own: timedelta, pbx: timedelta = timedelta()) -> Intervention:
    """The intervention with its times shifted, and those of its steps and its call."""
    if not (own or pbx):
        return one
    steps = tuple(shift_times(step, ("at",), own) for step in one.steps)
    changed = shift_times(one, ("asked_at", "unread_since"), own)
    return changed.model_copy(update={"steps": steps, "call": shift_call(one.call, pbx)})


def taken_up(on_card: Iterable[Intervention], now: datetime) -> tuple[Intervention, ...]:
    """The interventions of one card, as earlier processes wrote them to the ledger, with no time after `now`.

    A time after `now` was written while the clock was ahead. All such interventions are moved back by the same duration:
    nothing waits for that time, and their order stays.
    """
    newest = [(one, max((one.asked_at, *(step.at for step in one.steps)))) for one in on_card]
    by = now - max((at for _, at in newest), default=now)
    return tuple(shift_intervention(one, by) if at > now else one for one, at in newest)


def shift_call(call: PhoneCall, pbx: timedelta) -> PhoneCall:
    """The call with its times shifted, and those of its views."""
    if not pbx:
        return call
    views = tuple(shift_view(view, pbx) for view in call.views)
    return shift_times(call, ("published", "answered"), pbx).model_copy(update={"views": views})


def shift_view(view: PhoneCallView, pbx: timedelta) -> PhoneCallView:
    """The view with its times shifted."""
    return shift_times(view, ("ringing", "answered", "recording", "on_hold", "parked"), pbx)


def shift_times(thing: _T, names: Iterable[str], by: timedelta) -> _T:
    """The model with these of its times shifted, where it has them. A time that would leave the calendar stays as it is."""
    if not by:
        return thing
    changes = {name: _plus(at, by) for name in names if (at := getattr(thing, name)) is not None}
    return thing.model_copy(update=changes)


def _plus(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at
