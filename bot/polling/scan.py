"""The live calls of all scopes: listed a few scopes at a time, and put together so that each call is one.

A scope that does not answer tells nothing: what it showed before is in doubt then, and not gone. One that the PBX does not
know has no calls to show.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.domain.calls import PhoneCall
from bot.domain.errors import ExtensionInvalid, PbxBusy, PbxError, PbxFault, PbxRefused, PbxUnreachable, UserInvalid
from bot.polling.ports import PartlyRead, PhoneCalls
from bot.polling.sight import Scope
from bot.tasks import in_slices

AT_ONCE = 4
"""Lists under way at a time. The session to the PBX has 32 connections: the others are for interventions."""

_log = structlog.get_logger("callbot.looking")


@dataclass(frozen=True)
class Snapshot:
    """The live calls, each once, and how much of them it is: so many scopes, of which so many could not be read."""

    calls: tuple[PhoneCall, ...]
    scopes: int
    unread: int = 0


@dataclass(frozen=True)
class Scan:
    """One look at all live calls: what the scopes that answered show, each call once."""

    calls: tuple[PhoneCall, ...] = ()
    read: int = 0
    """Scopes that answered."""
    unread: int = 0
    """Scopes that did not."""
    doubtful: frozenset[str] = frozenset()
    """Calls that a scope has shown which does not answer now."""
    skipped: int = 0
    """Entries of lists that could not be read: each may be a call that this look does not show."""
    blind: bool = False
    """A scope has never answered yet, so a call that is not shown may be anywhere."""

    def misses(self, call_id: str) -> bool:
        """Whether a call that this look does not show is not there, for all the PBX says."""
        return not self.blind and call_id not in self.doubtful


class Scans:
    """One look after the other, with the memory of what each scope showed last."""

    def __init__(self) -> None:
        self._last: dict[Scope, tuple[PhoneCall, ...]] = {}
        self._before: dict[Scope, tuple[PhoneCall, ...]] = {}
        """The lists before the last ones: one empty list, and then no answer, is no second look without the call."""

    async def take(
        self,
        pbx: PhoneCalls,
        scopes: tuple[Scope, ...],
        told: Callable[[Scope, tuple[PhoneCall, ...]], None],
        failed: Callable[[Scope, PbxError], None],
    ) -> Scan:
        """List every scope once. `told` hears of each list as it comes, `failed` of each failure. Raises no PbxError."""
        lists: dict[Scope, tuple[PhoneCall, ...]] = {}
        skipped: dict[Scope, int] = {}

        def read(scope: Scope, calls: tuple[PhoneCall, ...]) -> None:
            lists[scope] = calls
            told(scope, calls)

        def not_read(scope: Scope, failure: PbxError) -> None:
            if isinstance(failure, PartlyRead):
                skipped[scope] = failure.skipped
                read(scope, failure.calls)
                return
            _log.warning("scope_unreadable", error=type(failure).__name__)
            unknown = isinstance(failure, UserInvalid | ExtensionInvalid)
            if unknown or (says_no(failure) and not self._last.get(scope)):
                read(scope, ())  # it shows no calls: the PBX does not know it, or has always refused it
            else:
                failed(scope, failure)

        await read_lists(pbx, scopes, read, not_read)
        unread = [scope for scope in scopes if scope not in lists]
        remembered = {scope: self._last[scope] for scope in unread if scope in self._last}
        partly = {scope: (*lists[scope], *self._hidden(scope, lists)) for scope in skipped}
        shown = {scope: (*calls, *self._before.get(scope, ())) for scope, calls in remembered.items()}
        self._before = {scope: (self._last if scope in lists else self._before).get(scope, ()) for scope in scopes}
        self._last = lists | remembered | partly
        return Scan(
            calls=await _with_every_side(lists, remembered | partly, scopes),
            read=len(lists),
            unread=len(unread),
            doubtful=frozenset(call.id for calls in shown.values() for call in calls),
            skipped=sum(skipped.values()),
            blind=len(remembered) < len(unread),
        )

    def _hidden(self, scope: Scope, lists: Mapping[Scope, tuple[PhoneCall, ...]]) -> tuple[PhoneCall, ...]:
        """What this scope has shown of calls that only others show now: one of its entries could not be read."""
        own = {call.id for call in lists[scope]}
        others = {call.id for other, calls in lists.items() if other != scope for call in calls}
        return tuple(call for call in self._last.get(scope, ()) if call.id in others - own)


class Snapshots:
    """Every scope listed once, for a person who waits for it. `told` hears of each list as it comes."""

    def __init__(
        self,
        pbx: PhoneCalls,
        scopes: Callable[[], tuple[Scope, ...]],
        told: Callable[[Scope, tuple[PhoneCall, ...]], None],
    ) -> None:
        self._pbx = pbx
        self._scopes = scopes
        self._told = told
        self._taking: asyncio.Task[Snapshot] | None = None

    async def take(self, within: float) -> Snapshot:
        """As much as can be read in so many seconds. Who comes while one is taken gets the same one.

        Raises PbxError where no scope at all can be read.
        """
        if self._taking is None or self._taking.done():
            self._taking = asyncio.create_task(self._take(within), name="snapshot of the live calls")
            self._taking.add_done_callback(self._taken)
        taken = self._taking
        await asyncio.wait({taken})  # who is cancelled here does not cancel it
        return taken.result()

    def stop(self) -> None:
        """Look no more."""
        if self._taking is not None:
            self._taking.cancel()

    def _taken(self, task: asyncio.Task[Snapshot]) -> None:
        """Forget it: a snapshot is large, and a failure holds on to all that was read until then.

        Its outcome is looked at, so that asyncio does not report it as forgotten where every waiter was cancelled.
        """
        self._taking = None
        if not task.cancelled():
            task.exception()

    async def _take(self, within: float) -> Snapshot:
        scopes = self._scopes()
        lists: dict[Scope, tuple[PhoneCall, ...]] = {}
        failures: list[PbxError] = []
        partly: set[Scope] = set()

        def read(scope: Scope, calls: tuple[PhoneCall, ...]) -> None:
            lists[scope] = calls
            self._told(scope, calls)

        def not_read(scope: Scope, failure: PbxError) -> None:
            if isinstance(failure, PartlyRead):
                read(scope, failure.calls)
                partly.add(scope)
            else:
                failures.append(failure)

        try:
            async with asyncio.timeout(within):
                await read_lists(self._pbx, scopes, read, not_read)
        except TimeoutError:
            failures.append(PbxUnreachable(f"timed out after {within:g} s"))
        if scopes and not lists:
            raise failures[0]
        unread = len(scopes) - len(lists) + len(partly)
        if unread:
            _log.warning("scopes_unread", scopes=len(scopes), unread=unread)
        return Snapshot(await each_once(lists, scopes), len(scopes), unread)


async def read_lists(
    pbx: PhoneCalls,
    scopes: tuple[Scope, ...],
    read: Callable[[Scope, tuple[PhoneCall, ...]], None],
    failed: Callable[[Scope, PbxError], None],
) -> None:
    """The list of every scope, a few at a time; `read` and `failed` hear of each."""
    left = iter(scopes)

    async def reader() -> None:
        for scope in left:
            try:
                calls = await pbx.list(*scope)
            except PbxError as failure:
                failed(scope, failure)
            else:
                read(scope, calls)

    async with asyncio.TaskGroup() as readers:
        for _ in range(min(AT_ONCE, len(scopes))):
            readers.create_task(reader(), name="list of live calls")


def says_no(failure: PbxError) -> bool:
    """Whether this is an answer: a no, unless it says that the PBX is busy or broken."""
    return isinstance(failure, PbxRefused) and not isinstance(failure, PbxBusy | PbxFault)


async def _with_every_side(
    lists: Mapping[Scope, tuple[PhoneCall, ...]],
    remembered: Mapping[Scope, tuple[PhoneCall, ...]],
    scopes: tuple[Scope, ...],
) -> tuple[PhoneCall, ...]:
    """The calls that the lists show, with the sides besides that scopes have shown which do not answer now.

    One of those sides could be the protected one.
    """
    if not remembered:
        return await each_once(lists, scopes)
    fresh = {call.id for calls in lists.values() for call in calls}
    both = await each_once({**lists, **remembered}, (*lists, *remembered))
    return tuple(call for call in both if call.id in fresh)


async def each_once(lists: Mapping[Scope, tuple[PhoneCall, ...]], scopes: tuple[Scope, ...]) -> tuple[PhoneCall, ...]:
    """Each call once, with every side of it that any scope shows: another user's list may leave some out.

    A side left out could be the protected one.
    """
    calls: dict[str, PhoneCall] = {}
    async for call in in_slices(call for scope in scopes for call in lists.get(scope, ())):
        known = calls.setdefault(call.id, call)
        if known is call or known.views == call.views:
            continue
        more = tuple(view for view in call.views if view not in known.views and view.id not in known.named_views)
        if more:
            calls[call.id] = known.model_copy(update={"views": known.views + more})
    return tuple(calls.values())
