"""Channels that refuse alerts, and the cards that wait until they accept them: an /invite usually fixes it.

An alert has no addressee, so it does not go to a direct message instead. A waiting card that changes is tried at once.
Besides, one waiting card is tried every minute, so a closed channel costs one request a minute for any number of cards.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bot.tasks import Tasks

REST = 60.0
"""Seconds between two tries in a closed channel."""

_log = structlog.get_logger("callbot.feed")


@dataclass
class _Closed:
    """A closed channel: the reasons logged so far, and the waiting cards, the longest wait first."""

    reasons: set[str] = field(default_factory=set)
    waiting: dict[str, None] = field(default_factory=dict)
    timed: bool = False


class ClosedChannels:
    """The closed channels. `again` tries a card once more, and returns whether there was anything to try."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], again: Callable[[str], bool], tasks: Tasks) -> None:
        self._sleep = sleep
        self._again = again
        self._tasks = tasks
        self._closed: dict[str, _Closed] = {}

    def refused(self, where: str, reason: str, card: str = "") -> None:
        """A card was refused; `card`, if given, waits. Each reason is logged once until the channel accepts a card."""
        closed = self._closed.setdefault(where, _Closed())
        if reason not in closed.reasons:
            closed.reasons.add(reason)
            _log.error("alerts_refused", where=where, reason=reason)
        if card:
            closed.waiting.pop(card, None)
            closed.waiting[card] = None
        if closed.waiting and not closed.timed:
            closed.timed = True
            self._tasks.spawn(self._try_one(where, closed), name=f"closed {where}")

    def accepted(self, where: str) -> None:
        """The channel accepted a card: try all that wait for it."""
        closed = self._closed.pop(where, None)
        for card in () if closed is None else tuple(closed.waiting):
            self._again(card)

    async def _try_one(self, where: str, closed: _Closed) -> None:
        await self._sleep(REST)
        if self._closed.get(where) is not closed:
            return
        closed.timed = False
        while closed.waiting:
            card = next(iter(closed.waiting))
            del closed.waiting[card]
            if self._again(card):
                return
