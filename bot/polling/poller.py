"""When and how the live calls are read: in as few requests as possible, and never too often.

A **poll** is one read of one tracked call. If few calls are due, each is read by itself, the urgent ones first. If that
would take more requests than listing all scopes, the scopes are listed, and each list answers every poll of a call that it
shows. A call that no list shows, and one whose end is in doubt, is read by itself before it is believed to be over.
A poll begins after it was asked for, so its answer is never older than the question.

A **snapshot** lists every scope once, for somebody who waits for it. A **scan** does the same for the alerts. While scans
run, they also answer the polls of tracked calls, and only urgent polls are read besides.

How often requests may be sent is bounded by `rate_limit`, inside `urgent` and `background`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import TypeAlias

import structlog

from bot.domain.calls import PhoneCall, Presence
from bot.domain.errors import PbxError
from bot.domain.intervention import UNREADABLE, Poll
from bot.domain.permissions import Scope
from bot.polling.known_parties import KnownParties
from bot.polling.phone_calls import PartlyRead, PhoneCalls
from bot.polling.rate_limit import FairOrder, Place, Priority
from bot.polling.scan import (
    READS_AT_A_TIME,
    Scan,
    ScopeHealth,
    ScopeScanner,
    Snapshot,
    is_refusal,
    take_snapshot,
)
from bot.tasks import SharedRun, Tasks

CALLS_IN_ONE_REQUEST, CALLS_IN_TWO_REQUESTS = 1000, 5250
"""A longer list takes a second request, and a third: PAGE_SIZE, then 1000 - 50 + LONG_PAGE (`bot.uapi.exchange.next_start`)."""
_LONGEST_PAUSE = 10.0
"""Seconds, at most, between two polls while the PBX does not answer."""
NAP = 1.0
"""Seconds after which a long pause checks whether the PBX is back."""
ROUNDING = 1e-9
"""Seconds that count as none: clocks and sums are not more exact."""
QUICK_SCAN = 2.0
"""Seconds that a poll waits for a scan under way, at most; then its call is read by itself. While scans take longer, polls
do not wait for the next one, unless a list of all scopes takes fewer requests than reading each call."""

CallPath: TypeAlias = tuple[str, str, str]
"""A UnifiedAPI user, an extension, the id of one call."""

_log = structlog.get_logger("callbot.polling")


class Haste(Enum):
    """How soon a call is polled again; the value is a multiple of `[watch] every`."""

    DOUBTING = 0.3
    """To be sure that a call is over."""
    EXPECTING = 0.5
    """While a change is expected."""
    WATCHING = 1.0
    """In the middle of a call."""


@dataclass
class _Due:
    """A call that is due for a poll. `alone`: it is read by itself, no list will do."""

    haste: Haste
    alone: bool
    place: Place
    waiting: "list[asyncio.Future[Poll]]" = field(default_factory=list)

    def answer(self, poll: Poll) -> None:
        """Give the result to all who still wait for it."""
        for one in self.waiting:
            if not one.done():
                one.set_result(poll)


class Poller:
    """Reads the live calls. `urgent` is the PBX with the priority of what a person waits for, `background` with that of the rest.

    `scopes` and `every` (`[watch]`, seconds) are asked anew each time; `clock` counts seconds and never goes back; `random`
    gives 0 to 1. Every list is remembered in `known_parties`.
    """

    def __init__(
        self,
        *,
        urgent: PhoneCalls,
        background: PhoneCalls,
        scopes: Callable[[], tuple[Scope, ...]],
        every: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
        random: Callable[[], float],
        known_parties: KnownParties | None = None,
    ) -> None:
        self._urgent = urgent
        self._background = background
        self._scopes = scopes
        self._every = every
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._due: dict[CallPath, _Due] = {}
        """The calls that wait for a poll; not those whose poll is under way."""
        self._under_way = 0
        """Reads of one call, and readings of all lists, that are under way."""
        self._reading_lists = False
        self._scanner = ScopeScanner()
        self._scan_took: float | None = None
        """Seconds of the last scan. None: no scans run. Infinite: the one under way takes longer than QUICK_SCAN already."""
        self._order = FairOrder()
        self._pages: dict[Scope, int] = {}
        """How many requests each scope took when it was listed last."""
        self._failing_since: float | None = None
        """When the PBX gave no answer first, by `clock`; None while it answers."""
        self._known_parties = KnownParties(clock) if known_parties is None else known_parties
        self._snapshots = SharedRun[Snapshot]("snapshot of the live calls")
        self.scope_health = ScopeHealth(scopes, clock)
        """Which scopes the scans can read."""
        self._tasks = Tasks(apart=True)
        self._stopped = False

    def __len__(self) -> int:
        """How many calls wait for a poll."""
        return len(self._due)

    async def stop(self) -> None:
        """Read no more."""
        self._stopped = True
        self._snapshots.cancel()
        await self._tasks.cancel()

    # ── a snapshot ──

    async def snapshot(self, within: float) -> Snapshot:
        """Every scope, as far as it can be read in so many seconds. Requests that come meanwhile share it.

        Raises PbxError if no scope can be read.
        """
        taken = await self._snapshots.result(
            lambda: take_snapshot(self._urgent, self._scopes(), self._known_parties.remember, within)
        )
        return replace(taken, calls=self._known_parties.complete_all(taken.calls)) if taken.unread else taken

    # ── a scan ──

    async def scan(self) -> Scan:
        """List every scope once. This also answers the polls that wait. Never start two at once."""
        begun = self._clock()
        self.scope_health.begin()
        waiting = {call: due for call, due in self._due.items() if not due.alone}
        self._due = {call: due for call, due in self._due.items() if due.alone}
        taking = asyncio.create_task(
            self._scanner.take(self._background, self._scopes(), partial(self._listed, waiting), self._not_read),
            name="scan",
        )
        patience = asyncio.ensure_future(self._sleep(QUICK_SCAN))
        try:
            await asyncio.wait({taking, patience}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                self._scan_took = float("inf")
                self._read_alone_later(waiting)
            return await taking
        finally:
            taking.cancel()
            patience.cancel()
            self._scan_took = self._clock() - begun
            self._read_alone_later(waiting)

    def stop_scanning(self) -> None:
        """No scan for now: tracked calls are polled without."""
        self._scan_took = None
        self.scope_health.end()
        self._begin()

    @property
    def _scans_are_quick(self) -> bool:
        return self._scan_took is not None and self._scan_took <= QUICK_SCAN

    # ── one phone ──

    async def presence(self, user: str, extension: str) -> Presence | None:
        """What the PBX knows of one phone, asked in turn with the rest. Raises PbxError."""
        return await self._urgent.presence(user, extension)

    # ── polls of tracked calls ──

    async def pause(self, haste: Haste, *, before_scan: bool = False) -> None:
        """Wait until the next poll: `every` times the haste, and longer, the longer the PBX has not answered.

        A poll that the next scan will answer does not wait here: it waits for the scan. `before_scan`: the next read is that
        scan, so it does wait.
        """
        if haste is Haste.WATCHING and self._scans_are_quick and not before_scan:
            return
        begun, jitter = self._clock(), (1 + self._random()) / 2
        while (left := begun + self._length(haste, jitter) - self._clock()) > ROUNDING:
            await self._sleep(min(left, NAP))

    def _length(self, haste: Haste, jitter: float) -> float:
        length = self._every() * haste.value
        if self._failing_since is None:
            return length
        return max(length, jitter * min(_LONGEST_PAUSE, (self._clock() - self._failing_since) / 2))

    async def poll(self, call: CallPath, haste: Haste) -> Poll:
        """Read one call. Raises nothing: if the PBX does not answer, the poll is UNREADABLE."""
        due = self._due.get(call)
        if due is None:
            priority = Priority.BACKGROUND if haste is Haste.WATCHING else Priority.URGENT
            place = self._order.place(priority, (due.place for due in self._due.values()))
            due = self._due[call] = _Due(haste, haste is Haste.DOUBTING, place)
        answer: asyncio.Future[Poll] = asyncio.get_running_loop().create_future()
        due.waiting.append(answer)
        self._begin()
        return await answer

    def _begin(self) -> None:
        """Begin as many reads as may be under way. The lists are read once at a time; later polls wait for the next time."""
        while self._due and self._under_way < READS_AT_A_TIME:
            by_list = self._by_list()
            alone = [call for call in self._due if call not in by_list]
            if by_list and self._scan_took is None and not self._reading_lists:
                self._reading_lists = True
                waiting = {call: self._due.pop(call) for call in by_list}
                self._tasks.spawn(self._poll_by_lists(waiting), name="poll by lists")
            elif alone:
                call = min(alone, key=lambda call: self._due[call].place)
                due = self._due.pop(call)
                self._order.serve(due.place)
                self._tasks.spawn(self._poll_alone(call, due), name=f"poll of {call[2]}")
            else:
                return
            self._under_way += 1

    def _by_list(self) -> frozenset[CallPath]:
        """The calls that a list will answer: all, if that takes fewer requests, else those that can wait for a quick scan."""
        listable = frozenset(call for call, due in self._due.items() if not due.alone)
        patient = frozenset(call for call in listable if self._due[call].haste is Haste.WATCHING)
        alone = listable - patient if self._scans_are_quick else listable
        requests = sum(self._pages.get(scope, 1) for scope in self._scopes())  # to list every scope, as far as is known
        return listable if len(alone) > max(1, requests) else listable - alone

    async def _poll_alone(self, call: CallPath, due: _Due) -> None:
        pbx = self._background if due.place.priority is Priority.BACKGROUND else self._urgent
        try:
            # Without the protected lists that interventions read besides (`WithEveryParty`): nothing is sent because of a
            # poll. Who else is in the call, scans and interventions have told within the last minute.
            shown = await pbx.get(*call)
            due.answer(Poll(call=None if shown is None else self._known_parties.complete(shown)))
            self._failing_since = None
        except PbxError as failure:
            self._note_failure(failure)
            _log.warning("call_unreadable", call=call[2], error=type(failure).__name__)
        finally:
            due.answer(UNREADABLE)  # no effect where it was answered
            self._under_way -= 1
            if not self._stopped:
                self._begin()

    async def _poll_by_lists(self, waiting: dict[CallPath, _Due]) -> None:
        """Answer polls from the lists; calls that no list shows are then read alone."""
        try:
            for scope in self._scopes():
                try:
                    self._listed(waiting, scope, await self._background.list(*scope))
                except PartlyRead as partly:
                    self._listed(waiting, scope, partly.calls)
                except PbxError as failure:
                    self._not_read(scope, failure)
                    _log.warning("scope_unreadable", error=type(failure).__name__)
                if not waiting:
                    break
        finally:
            self._reading_lists = False
            self._under_way -= 1
            self._read_alone_later(waiting)

    def _listed(self, waiting: dict[CallPath, _Due], scope: Scope, calls: tuple[PhoneCall, ...]) -> None:
        """Answer the polls of calls in this list; the others go on waiting."""
        self._failing_since = None
        self.scope_health.succeeded(scope)
        self._known_parties.remember(scope, calls)
        self._pages[scope] = requests_for(len(calls))
        if waiting:
            shown = {call.id: call for call in calls}
            for path in [path for path in waiting if _shows(shown.get(path[2]), path)]:
                waiting.pop(path).answer(Poll(call=self._known_parties.complete(shown[path[2]])))

    def _not_read(self, scope: Scope, failure: PbxError) -> None:
        self.scope_health.failed(scope)
        self._note_failure(failure)

    def _read_alone_later(self, waiting: dict[CallPath, _Due]) -> None:
        """Polls that no list has answered, or not soon enough, are read alone, together with later polls of the same call."""
        while waiting:
            path, before = waiting.popitem()
            due = self._due.setdefault(path, before)
            due.alone = True
            if due is not before:
                due.waiting += before.waiting
        if not self._stopped:
            self._begin()

    def _note_failure(self, failure: PbxError) -> None:
        """Note since when the PBX does not answer. A refusal is an answer."""
        if is_refusal(failure):
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = self._clock()


def _shows(call: PhoneCall | None, path: CallPath) -> bool:
    """Whether a list shows this call with a view of the polled extension: a scope may show only its own user's views."""
    return call is not None and any(view.extension == path[1] for view in call.views)


def requests_for(calls: int) -> int:
    """How many requests a list of so many calls takes (`bot.uapi.exchange.get_page`)."""
    return 1 + (calls > CALLS_IN_ONE_REQUEST) + (calls > CALLS_IN_TWO_REQUESTS)
