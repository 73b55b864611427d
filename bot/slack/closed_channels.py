"""Channels that take no alert for now, and the cards that rest until one of them does: an /invite mends it.

Nobody in particular waits for an alert, so none is told in a direct message instead. A card rests with its newest truth.
When it changes it is tried at once; and once a minute one of those that rest is tried, so that a channel which stays
closed costs one request a minute, however many cards it has.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bot.tasks import Tasks

REST = 60.0
"""Seconds between two tries in a channel that refuses."""

_log = structlog.get_logger("callbot.feed")


@dataclass
class _Closed:
    """What refuses: why, as far as that was said, and which cards rest, the one that has rested longest first."""

    reasons: set[str] = field(default_factory=set)
    resting: dict[str, None] = field(default_factory=dict)
    timed: bool = False


class ClosedChannels:
    """The channels that refuse. `again` tries a card once more, and says whether there is anything to try."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], again: Callable[[str], bool], tasks: Tasks) -> None:
        self._sleep = sleep
        self._again = again
        self._tasks = tasks
        self._closed: dict[str, _Closed] = {}

    def refused(self, where: str, reason: str, card: str = "") -> None:
        """A card was refused: `card` rests, where it is to be tried again. Each reason is said once until one is taken."""
        closed = self._closed.setdefault(where, _Closed())
        if reason not in closed.reasons:
            closed.reasons.add(reason)
            _log.error("alerts_refused", where=where, reason=reason)
        if card:
            closed.resting.pop(card, None)
            closed.resting[card] = None
        if closed.resting and not closed.timed:
            closed.timed = True
            self._tasks.spawn(self._try_one(where, closed), name=f"closed {where}")

    def took(self, where: str) -> None:
        """A card was taken: try all that rest there."""
        closed = self._closed.pop(where, None)
        for card in () if closed is None else tuple(closed.resting):
            self._again(card)

    async def _try_one(self, where: str, closed: _Closed) -> None:
        await self._sleep(REST)
        if self._closed.get(where) is not closed:
            return
        closed.timed = False
        while closed.resting:
            card = next(iter(closed.resting))
            del closed.resting[card]
            if self._again(card):
                return
