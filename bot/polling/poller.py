"""When and how the live calls are looked at: everything that is due in as few requests as may be, and never too often.

A look at followed calls: while no more calls are due than listing all scopes would cost in requests, each is read
by itself, what is undecided first. Where more are due, the scopes are listed, and one list tells of every call that it
shows; one that no list shows, and one whose end is in doubt, is read by itself before anything is believed gone. A look
begins after it was asked for, so what it shows is never older than the question.

A snapshot is every scope listed once, for somebody who waits for it. A sweep is the same for the watch that judges
alerts: while it runs, the calls that are followed are looked at by it, and only what is undecided is read besides.

How often a request may be sent is the pace's affair (`pace`), inside of the PBX that is handed in.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import TypeAlias

import structlog

from bot.domain.calls import PhoneCall
from bot.domain.errors import PbxError
from bot.domain.intervention import UNREADABLE, Poll
from bot.domain.presence import Presence
from bot.polling.ports import PartlyRead, PhoneCalls
from bot.polling.rate_limit import FairOrder, Place, Priority
from bot.polling.scan import AT_ONCE, Scan, Scans, Snapshot, Snapshots, says_no
from bot.polling.sides import Sides
from bot.polling.sight import Scope, Sight
from bot.tasks import Tasks

MORE_THAN_ONE, MORE_THAN_TWO = 1000, 5250
"""Calls in one list from which on it takes a second request, and a third."""
LONGEST_PAUSE = 10.0
"""Seconds between two looks at a PBX that does not answer."""
NAP = 1.0
"""Seconds after which a long pause looks whether the PBX is back."""
AN_INSTANT = 1e-9
"""Seconds that are none: clocks and sums are not more exact."""
QUICK = 2.0
"""Seconds that a sweep may take where the followed calls wait for it."""

CallPath: TypeAlias = tuple[str, str, str]
"""A UnifiedAPI user, an extension, the id of one call."""

_log = structlog.get_logger("callbot.looking")


class Haste(Enum):
    """How soon a call is looked at again; the value is a multiple of `[watch] every`."""

    DOUBTING = 0.3
    """To be sure that something is gone."""
    EXPECTING = 0.5
    """While something is expected."""
    WATCHING = 1.0
    """In the middle of a call."""


@dataclass
class _Due:
    """A call that is to be looked at. `alone`: not by a list."""

    haste: Haste
    alone: bool
    place: Place
    waiting: "list[asyncio.Future[Poll]]" = field(default_factory=list)

    def tell(self, look: Poll) -> None:
        """Give the look to all who wait for it, as far as they still do."""
        for one in self.waiting:
            if not one.done():
                one.set_result(look)


class Poller:
    """All looks at live calls. `asked` and `own` are the PBX at the pace of what a person waits for, and of the rest.

    `scopes` and `every` (`[watch]`, seconds) are asked anew; `clock` counts seconds and never goes back; `random` gives
    0 to 1. What the lists show is kept in `sides`.
    """

    def __init__(
        self,
        *,
        asked: PhoneCalls,
        own: PhoneCalls,
        scopes: Callable[[], tuple[Scope, ...]],
        every: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
        random: Callable[[], float],
        sides: Sides | None = None,
    ) -> None:
        self._asked = asked
        self._own = own
        self._scopes = scopes
        self._every = every
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._due: dict[CallPath, _Due] = {}
        self._under_way = 0
        self._listing = False
        self._scans = Scans()
        self._swept_in: float | None = None
        self._order = FairOrder()
        self._pages: dict[Scope, int] = {}
        self._failing_since: float | None = None
        self._sides = Sides(clock) if sides is None else sides
        self._snapshots = Snapshots(asked, scopes, self._sides.note)
        self.sight = Sight(scopes, clock)
        """What the sweeps can read."""
        self._tasks = Tasks(apart=True)
        self._stopped = False

    def __len__(self) -> int:
        """How many calls wait for their next look."""
        return len(self._due)

    async def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        self._snapshots.stop()
        await self._tasks.cancel()

    # ── a snapshot ──

    async def snapshot(self, within: float) -> Snapshot:
        """Every scope, as far as it can be read in so many seconds. Raises PbxError where no scope at all can be read."""
        taken = await self._snapshots.take(within)
        return replace(taken, calls=self._sides.complete_all(taken.calls)) if taken.unread else taken

    # ── a sweep ──

    async def scan(self) -> Scan:
        """Every scope listed once, for whoever judges all live calls, and for the followed calls that wait. Never two at once."""
        begun = self._clock()
        self.sight.begin()
        waiting = {call: due for call, due in self._due.items() if not due.alone}
        self._due = {call: due for call, due in self._due.items() if due.alone}
        taking = asyncio.ensure_future(
            self._scans.take(self._own, self._scopes(), partial(self._shown, waiting), self._not_listed)
        )
        patience = asyncio.ensure_future(self._sleep(QUICK))
        try:
            await asyncio.wait({taking, patience}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                self._swept_in = float("inf")
                self._back(waiting)
            return await taking
        finally:
            taking.cancel()
            patience.cancel()
            self._swept_in = self._clock() - begun
            self._back(waiting)

    def scans_no_more(self) -> None:
        """Nobody judges all live calls for now: the followed calls are looked at without."""
        self._swept_in = None
        self.sight.end()
        self._begin()

    @property
    def _sweeps_are_quick(self) -> bool:
        return self._swept_in is not None and self._swept_in <= QUICK

    # ── one phone ──

    async def presence(self, user: str, extension: str) -> Presence | None:
        """What the PBX knows of one phone, asked in turn with the rest. Raises PbxError."""
        return await self._asked.presence(user, extension)

    # ── looks at followed calls ──

    async def pause(self, haste: Haste, *, before_sweep: bool = False) -> None:
        """Wait until the next look: `every` times the haste, and longer, the longer the PBX has not answered.

        A call that the next sweep will tell of does not wait here besides.
        """
        if haste is Haste.WATCHING and self._sweeps_are_quick and not before_sweep:
            return
        begun, jitter = self._clock(), (1 + self._random()) / 2
        while (left := begun + self._length(haste, jitter) - self._clock()) > AN_INSTANT:
            await self._sleep(min(left, NAP))

    def _length(self, haste: Haste, jitter: float) -> float:
        length = self._every() * haste.value
        if self._failing_since is None:
            return length
        return max(length, jitter * min(LONGEST_PAUSE, (self._clock() - self._failing_since) / 2))

    async def at(self, call: CallPath, haste: Haste) -> Poll:
        """One look at one call, begun after this. Whatever the PBX does, it ends with a look."""
        due = self._due.get(call)
        if due is None:
            priority = Priority.OWN if haste is Haste.WATCHING else Priority.ASKED
            place = self._order.place(priority, (due.place for due in self._due.values()))
            due = self._due[call] = _Due(haste, haste is Haste.DOUBTING, place)
        look: asyncio.Future[Poll] = asyncio.get_running_loop().create_future()
        due.waiting.append(look)
        self._begin()
        return await look

    def _begin(self) -> None:
        """Begin as many reads as may be under way. The lists are read once at a time: who comes meanwhile waits for them."""
        while self._due and self._under_way < AT_ONCE:
            by_list = self._by_list()
            alone = [call for call in self._due if call not in by_list]
            if by_list and self._swept_in is None and not self._listing:
                self._listing = True
                waiting = {call: self._due.pop(call) for call in by_list}
                self._tasks.spawn(self._look_in_lists(waiting), name="look in the lists")
            elif alone:
                call = min(alone, key=lambda call: self._due[call].place)
                due = self._due.pop(call)
                self._order.serve(due.place)
                self._tasks.spawn(self._look_alone(call, due), name=f"look at {call[2]}")
            else:
                return
            self._under_way += 1

    def _by_list(self) -> frozenset[CallPath]:
        """The calls that are not read by themselves: all, where that would cost more, and what a quick sweep tells in time."""
        listable = frozenset(call for call, due in self._due.items() if not due.alone)
        patient = frozenset(call for call in listable if self._due[call].haste is Haste.WATCHING)
        alone = listable - patient if self._sweeps_are_quick else listable
        if len(alone) >= 2 and len(alone) > self._cost_of_listing():
            return listable
        return listable - alone

    def _cost_of_listing(self) -> int:
        """Requests that it takes to list every scope, as far as is known."""
        return sum(self._pages.get(scope, 1) for scope in self._scopes())

    async def _look_alone(self, call: CallPath, due: _Due) -> None:
        pbx = self._own if due.place.priority is Priority.OWN else self._asked
        try:
            shown = await pbx.get(*call)
            due.tell(Poll(call=None if shown is None else self._sides.complete(shown)))
            self._failing_since = None
        except PbxError as failure:
            self._note(failure)
            _log.warning("call_unreadable", call=call[2], error=type(failure).__name__)
        finally:
            due.tell(UNREADABLE)
            self._ended()

    async def _look_in_lists(self, waiting: dict[CallPath, _Due]) -> None:
        """Tell what the lists show; what they do not show is read alone."""
        try:
            for scope in self._scopes():
                try:
                    self._shown(waiting, scope, await self._own.list(*scope))
                except PartlyRead as partly:
                    self._shown(waiting, scope, partly.calls)
                except PbxError as failure:
                    self._not_listed(scope, failure)
                    _log.warning("scope_unreadable", error=type(failure).__name__)
                if not waiting:
                    break
        finally:
            self._listing = False
            self._under_way -= 1
            self._back(waiting)

    def _shown(self, waiting: dict[CallPath, _Due], scope: Scope, calls: tuple[PhoneCall, ...]) -> None:
        """Tell those who wait for a call of this list; the others go on waiting."""
        self._failing_since = None
        self.sight.read(scope)
        self._sides.note(scope, calls)
        self._pages[scope] = requests_for(len(calls))
        if waiting:
            shown = {call.id: call for call in calls}
            for path in [path for path in waiting if _tells(shown.get(path[2]), path)]:
                waiting.pop(path).tell(Poll(call=self._sides.complete(shown[path[2]])))

    def _not_listed(self, scope: Scope, failure: PbxError) -> None:
        self.sight.failed(scope)
        self._note(failure)

    def _back(self, waiting: dict[CallPath, _Due]) -> None:
        """What no list has told of, or not soon enough, is read alone: once, also for those who have asked for it since."""
        while waiting:
            path, before = waiting.popitem()
            due = self._due.setdefault(path, before)
            due.alone = True
            if due is not before:
                due.waiting += before.waiting
        if not self._stopped:
            self._begin()

    def _note(self, failure: PbxError) -> None:
        """Since when the PBX does not answer. A no is an answer, unless it says that the PBX is busy or broken."""
        if says_no(failure):
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = self._clock()

    def _ended(self) -> None:
        self._under_way -= 1
        if not self._stopped:
            self._begin()


def _tells(call: PhoneCall | None, path: CallPath) -> bool:
    """Whether a list shows this call with the side that it is followed for: a scope may show only its own user's."""
    return call is not None and any(view.extension == path[1] for view in call.views)


def requests_for(calls: int) -> int:
    """Requests that a list of so many calls takes (`bot.uapi.wire`)."""
    return 1 + (calls > MORE_THAN_ONE) + (calls > MORE_THAN_TWO)
