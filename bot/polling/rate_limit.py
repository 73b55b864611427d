"""How often the PBX may be asked: `[watch] max_requests_per_second`, and who goes first. No I/O here.

Every request of a poll waits for its turn first. Requests of interventions do not: they are never held back.
"""

import math
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from itertools import count
from typing import NamedTuple

MOST_PER_SECOND = 1000
"""The highest `max_requests_per_second` that callbot.toml may have: so many turns are remembered."""
LONGEST_NAP = 1.0
"""Seconds after which a waiting request checks again: the rate, and who is ahead of it, may have changed."""
_INSTANT = 1e-6
"""Seconds that count as none: clocks and sums are not more exact."""


class Priority(Enum):
    """How urgent a read is. The value is how far behind the others of its kind it is placed: twice as far is half as often."""

    URGENT = 1.0
    """A person waits for it."""
    BACKGROUND = 2.0
    """Nobody waits for it."""


class Place(NamedTuple):
    """A place in a queue. The lowest goes first."""

    turn: float
    number: int
    priority: Priority


class FairOrder:
    """Who goes first: of three turns URGENT gets two and BACKGROUND one while both wait; within a priority, first come, first served."""

    def __init__(self) -> None:
        self._served = 0.0
        self._numbers = count()

    def place(self, priority: Priority, queue: Iterable[Place]) -> Place:
        """The place of somebody who joins this queue."""
        last = max((place.turn for place in queue if place.priority is priority), default=0.0)
        return Place(max(self._served, last) + priority.value, next(self._numbers), priority)

    def serve(self, place: Place) -> None:
        """That place has its turn: those who join from now on are placed behind it."""
        self._served = max(self._served, place.turn)


class PbxRateLimit:
    """Turns, at most `per_second()` in any second; below one per second, one each `1 / per_second()` seconds.

    `per_second` is asked anew each time. `clock` counts seconds and never goes back. How many wait is bounded by `Poller`.
    """

    def __init__(
        self,
        per_second: Callable[[], float],
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._taken: deque[float] = deque(maxlen=MOST_PER_SECOND)
        self._queue: list[Place] = []
        self._order = FairOrder()

    async def turn(self, priority: Priority) -> None:
        """Wait for a turn to send one request."""
        place = self._order.place(priority, self._queue)
        insort(self._queue, place)
        try:
            while (pause := self._until_turn(self._queue.index(place))) > _INSTANT:
                await self._sleep(min(pause, LONGEST_NAP))
            self._taken.append(self._clock())
            self._order.serve(place)
        finally:
            self._queue.remove(place)

    def _until_turn(self, ahead: int) -> float:
        """Seconds until the request that has so many ahead of it in the queue may be sent, as things are."""
        rate = self._per_second()
        in_a_span = math.ceil(rate)
        span = in_a_span / rate
        latest = list(self._taken)[-in_a_span:]
        too_many = len(latest) + ahead - in_a_span
        if too_many < 0:
            return 0.0
        if too_many >= len(latest):
            return span  # room is made by a turn that is still to be taken
        return latest[too_many] + span - self._clock()
