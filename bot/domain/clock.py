"""The time: what callbot measures by, what the wall clock says besides, and how far the clocks of PBX and Slack are off.

Durations must not jump with the wall clock, which NTP or an administrator may step by an hour at any time. So every instant
that is kept in memory comes from `Clock.now`, which counts seconds from the start on. How far the wall clock has been stepped
since is added where an instant leaves: to Slack, to the ledger. The dates of the PBX stay as it said them; its `ServerClock`
knows by how much they differ. Slack goes by its own time, too, where one of its messages is looked for.
"""

import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

A_STEP = timedelta(seconds=1)
"""What the wall clock may differ by before it counts as stepped: reading two clocks takes time."""
HEARD = 9
"""Dates of the last answers by which the clock of a server is judged: one that is wrong says nothing against the others."""
QUICK = timedelta(seconds=2)
"""An answer that takes longer says too little of the moment at which it was dated."""
SURE = timedelta(seconds=2)
"""Differences of up to this are none: half a second for the resolution of `Date`, and half of what an answer takes."""
A_CENTURY = timedelta(days=36525)


def _wall() -> datetime:
    return datetime.now(UTC)


def _seconds() -> float:
    """Seconds that never go back. A machine that slept has aged, so CLOCK_BOOTTIME where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


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
        if answered - asked <= QUICK and abs(ahead) < A_CENTURY:
            self._heard.append(ahead)
            self._judge()

    @property
    def known(self) -> bool:
        """Whether any answer has borne a date."""
        return bool(self._heard)

    def ahead(self) -> timedelta:
        """What its dates are ahead of ours; negative where its clock is behind."""
        return self._ahead

    def _judge(self) -> None:
        """The middle of what was heard last; of two middles the one that is nearer to what was believed before."""
        heard = sorted(self._heard)
        middles = heard[(len(heard) - 1) // 2], heard[len(heard) // 2]
        middle = min(middles, key=lambda ahead: abs(ahead - self._ahead))
        if abs(middle - self._ahead) > SURE:
            self._ahead = timedelta() if abs(middle) <= SURE else timedelta(seconds=round(middle.total_seconds()))
