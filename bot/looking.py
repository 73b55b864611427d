"""When and how the live calls are looked at: everything that is due in as few requests as may be, and never too often.

A look at followed calls: while no more calls are due than listing all scopes would cost in requests, each is read
by itself, what is undecided first. Where more are due, the scopes are listed, and one list tells of every call that it
shows; one that no list shows, and one whose end is in doubt, is read by itself before anything is believed gone. A look
begins after it was asked for, so what it shows is never older than the question.

A snapshot is every scope listed once, for somebody who waits for it.

How often a request may be sent is the pace's affair (`pace`), inside of the PBX that is handed in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import structlog

from bot.errors import PbxBusy, PbxError, PbxFault, PbxRefused, PbxUnreachable
from bot.following import UNREADABLE, Look
from bot.phonecalls import PhoneCall
from bot.ports import PhoneCalls
from bot.tasks import Tasks

AT_ONCE = 4
"""Reads under way at a time for the followed calls, and as many again for a snapshot. The session to the PBX has 32
connections: the others are for interventions."""
A_PAGE = 100
"""Calls in one page of a list, so in one request."""
LONGEST_PAUSE = 10.0
"""Seconds between two looks at a PBX that does not answer."""
NAP = 1.0
"""Seconds after which a long pause looks whether the PBX is back."""

Scope: TypeAlias = tuple[str, str]
"""A UnifiedAPI user, and an extension or `@self`."""
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


@dataclass(frozen=True)
class Snapshot:
    """The live calls, each once, and how much of them it is: so many scopes, of which so many could not be read."""

    calls: tuple[PhoneCall, ...]
    scopes: int
    unread: int = 0


@dataclass
class _Due:
    """A call that is to be looked at. `alone`: not by a list."""

    haste: Haste
    look: "asyncio.Future[Look]"
    alone: bool

    def tell(self, look: Look) -> None:
        """Give the look to whoever waits for it, if somebody still does."""
        if not self.look.done():
            self.look.set_result(look)


class Looks:
    """All looks at live calls. `asked` and `own` are the PBX at the pace of what a person waits for, and of the rest.

    `scopes` and `every` (`[watch]`, seconds) are asked anew; `clock` counts seconds and never goes back; `random` gives
    0 to 1.
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
        self._begun = 0
        self._pages: dict[Scope, int] = {}
        self._failing_since: float | None = None
        self._snapshot: asyncio.Task[Snapshot] | None = None
        self._tasks = Tasks(apart=True)
        self._stopped = False

    def __len__(self) -> int:
        """How many calls wait for their next look."""
        return len(self._due)

    async def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        if self._snapshot is not None:
            self._snapshot.cancel()
        await self._tasks.cancel()

    # ── a snapshot ──

    async def snapshot(self, within: float) -> Snapshot:
        """Every scope, as far as it can be read in so many seconds. Who comes while one is taken gets the same one.

        Raises PbxError where no scope at all can be read.
        """
        if self._snapshot is None or self._snapshot.done():
            self._snapshot = asyncio.create_task(self._take(within), name="snapshot of the live calls")
            self._snapshot.add_done_callback(_seen)
        taken = self._snapshot
        await asyncio.wait({taken})  # who is cancelled here does not cancel it
        return taken.result()

    async def _take(self, within: float) -> Snapshot:
        scopes = self._scopes()
        lists: dict[Scope, tuple[PhoneCall, ...]] = {}
        failures: list[PbxError] = []
        left = iter(scopes)
        readers = {asyncio.create_task(self._list_on(left, lists, failures)) for _ in range(AT_ONCE)}
        try:
            await asyncio.wait(readers, timeout=within)
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
        if scopes and not lists:
            raise failures[0] if failures else PbxUnreachable(f"timed out after {within:g} s")
        unread = len(scopes) - len(lists)
        if unread:
            _log.warning("scopes_unread", scopes=len(scopes), unread=unread)
        return Snapshot(_each_once(lists, scopes), len(scopes), unread)

    async def _list_on(
        self, left: Iterator[Scope], lists: dict[Scope, tuple[PhoneCall, ...]], failures: list[PbxError]
    ) -> None:
        for scope in left:
            try:
                lists[scope] = await self._asked.list(*scope)
            except PbxError as failure:
                failures.append(failure)

    # ── looks at followed calls ──

    async def pause(self, haste: Haste) -> None:
        """Wait until the next look: `every` times the haste, and longer, the longer the PBX has not answered."""
        begun, jitter = self._clock(), (1 + self._random()) / 2
        while (left := begun + self._length(haste, jitter) - self._clock()) > 0:
            await self._sleep(min(left, NAP))

    def _length(self, haste: Haste, jitter: float) -> float:
        length = self._every() * haste.value
        if self._failing_since is None:
            return length
        return max(length, jitter * min(LONGEST_PAUSE, (self._clock() - self._failing_since) / 2))

    async def at(self, call: CallPath, haste: Haste) -> Look:
        """One look at one call, begun after this. Whatever the PBX does, it ends with a look."""
        due = self._due.get(call)
        if due is None:
            due = _Due(haste, asyncio.get_running_loop().create_future(), alone=haste is Haste.DOUBTING)
            self._due[call] = due
        self._begin()
        return await due.look

    def _begin(self) -> None:
        """Begin as many reads as may be under way. The lists are read once at a time: who comes meanwhile waits for them."""
        while self._due and self._under_way < AT_ONCE:
            listable = {call: due for call, due in self._due.items() if not due.alone}
            if len(listable) < 2 or len(listable) <= self._cost_of_listing():
                listable = {}
            alone = [call for call in self._due if call not in listable]
            if listable and not self._listing:
                self._listing = True
                self._due = {call: self._due[call] for call in alone}
                self._tasks.spawn(self._look_in_lists(listable), name="look in the lists")
            elif alone:
                call = self._next(alone)
                self._tasks.spawn(self._look_alone(call, self._due.pop(call)), name=f"look at {call[2]}")
            else:
                return
            self._under_way += 1

    def _cost_of_listing(self) -> int:
        """Requests that it takes to list every scope, as far as is known."""
        return sum(self._pages.get(scope, 1) for scope in self._scopes())

    def _next(self, alone: list[CallPath]) -> CallPath:
        """Which call is read now: of three, two that are in a hurry and one that is not, while both wait."""
        hurried = next((call for call in alone if self._due[call].haste is not Haste.WATCHING), None)
        patient = next((call for call in alone if self._due[call].haste is Haste.WATCHING), None)
        self._begun += 1
        turn = (patient, hurried) if self._begun % 3 == 0 else (hurried, patient)
        return next(call for call in turn if call is not None)

    async def _look_alone(self, call: CallPath, due: _Due) -> None:
        pbx = self._own if due.haste is Haste.WATCHING else self._asked
        try:
            due.tell(Look(call=await pbx.get(*call)))
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
                shown = {call.id: call for call in await self._listed(scope)}
                for path in [path for path in waiting if _tells(shown.get(path[2]), path)]:
                    waiting.pop(path).tell(Look(call=shown[path[2]]))
                if not waiting:
                    break
        finally:
            self._listing = False
            for path, due in waiting.items():
                due.alone = True
                self._due[path] = due
            self._ended()

    async def _listed(self, scope: Scope) -> tuple[PhoneCall, ...]:
        try:
            calls = await self._own.list(*scope)
        except PbxError as failure:
            self._note(failure)
            _log.warning("scope_unreadable", error=type(failure).__name__)
            return ()
        self._failing_since = None
        self._pages[scope] = 1 + len(calls) // A_PAGE
        return calls

    def _note(self, failure: PbxError) -> None:
        """Since when the PBX does not answer. A no is an answer, unless it says that the PBX is busy or broken."""
        if isinstance(failure, PbxRefused) and not isinstance(failure, PbxBusy | PbxFault):
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = self._clock()

    def _ended(self) -> None:
        self._under_way -= 1
        if not self._stopped:
            self._begin()


def _seen(task: asyncio.Task[Snapshot]) -> None:
    """Look at the outcome, so that asyncio does not report it as forgotten where every waiter was cancelled."""
    if not task.cancelled():
        task.exception()


def _tells(call: PhoneCall | None, path: CallPath) -> bool:
    """Whether a list shows this call with the side that it is followed for: a scope may show only its own user's."""
    return call is not None and any(view.extension == path[1] for view in call.views)


def _each_once(lists: dict[Scope, tuple[PhoneCall, ...]], scopes: tuple[Scope, ...]) -> tuple[PhoneCall, ...]:
    """Each call once, with every side of it that any scope shows: another user's list may leave some out.

    A side left out could be the protected one.
    """
    calls: dict[str, PhoneCall] = {}
    for call in (call for scope in scopes for call in lists.get(scope, ())):
        known = calls.setdefault(call.id, call)
        more = tuple(view for view in call.views if view not in known.views and view.id not in known.named_views)
        if more:
            calls[call.id] = known.model_copy(update={"views": known.views + more})
    return tuple(calls.values())
