"""How often the PBX is looked at: `[watch] max_requests_per_second`, in turns. No I/O here.

Whoever sends a request for a look awaits a turn first. Of three turns two go to what a person waits for and one to what
runs by itself, while both wait, so that neither starves; of one rank, who came first goes first. Interventions take no
turn: they are never held back.
"""

import math
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum
from itertools import count

MOST_PER_SECOND = 1000
"""The highest `max_requests_per_second` that the map allows: so many turns are remembered."""
LONGEST_NAP = 1.0
"""Seconds after which who waits looks again: the rate, and who stands before them, may have changed."""
_INSTANT = 1e-6
"""Seconds that are none: clocks and sums are not more exact."""


class Rank(Enum):
    """Who waits. The value is how far behind those who wait its turn comes: who pays double goes half as often."""

    ASKED = 1.0
    """A person waits for it."""
    OWN = 2.0
    """It runs by itself."""


class RateLimit:
    """Turns, at most `per_second()` in any second; below one per second, one each `1 / per_second()` seconds.

    `per_second` is asked anew each time. `clock` counts seconds and never goes back. Who waits is not counted here:
    looks are bounded where they begin (`looking`).
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
        self._line: list[tuple[float, int]] = []
        self._came_to = 0.0
        self._last = dict.fromkeys(Rank, 0.0)
        self._numbers = count()

    async def asked(self) -> None:
        """Wait for a turn to send one request that a person waits for."""
        await self._turn(Rank.ASKED)

    async def own(self) -> None:
        """Wait for a turn to send one request that nobody waits for."""
        await self._turn(Rank.OWN)

    async def _turn(self, rank: Rank) -> None:
        self._last[rank] = max(self._came_to, self._last[rank]) + rank.value
        place = (self._last[rank], next(self._numbers))
        insort(self._line, place)
        try:
            while (pause := self._until_turn(self._line.index(place))) > _INSTANT:
                await self._sleep(min(pause, LONGEST_NAP))
            self._taken.append(self._clock())
            self._came_to = max(self._came_to, place[0])
        finally:
            self._line.remove(place)

    def _until_turn(self, before: int) -> float:
        """Seconds until whoever has so many before them in the line may go, as things are."""
        rate = self._per_second()
        in_a_span = math.ceil(rate)
        span = in_a_span / rate
        latest = list(self._taken)[-in_a_span:]
        too_many = len(latest) + before - in_a_span
        if too_many < 0:
            return 0.0
        if too_many >= len(latest):
            return span  # room is made by a turn that is still to be taken
        return latest[too_many] + span - self._clock()
