"""Scans and snapshots: the lists of all scopes, read a few at a time and merged; and which scopes cannot be read.

Each call occurs once. If the list of a scope cannot be read, the calls that it showed before are in doubt, not gone. A
scope that the PBX does not know has no calls.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.domain.calls import PhoneCall
from bot.domain.errors import ExtensionInvalid, PbxBusy, PbxError, PbxFault, PbxRefused, PbxUnreachable, UserInvalid
from bot.domain.permissions import Scope
from bot.polling.phone_calls import PartlyRead, PhoneCalls
from bot.tasks import in_slices

READS_AT_A_TIME = 4
"""Reads under way at a time. The session to the PBX has 32 connections: the others are for interventions."""

_log = structlog.get_logger("callbot.polling")


@dataclass(frozen=True)
class Snapshot:
    """The live calls, each once, for somebody who waits for them. `unread` of the `scopes` could not be read."""

    calls: tuple[PhoneCall, ...]
    scopes: int
    unread: int = 0


@dataclass(frozen=True)
class Scan:
    """The result of one scan: the live calls of the scopes that could be read, each once."""

    calls: tuple[PhoneCall, ...] = ()
    read: int = 0
    """Scopes that could be read."""
    unread: int = 0
    """Scopes that could not."""
    doubtful: frozenset[str] = frozenset()
    """Calls that were shown before by a scope that cannot be read now."""
    skipped: int = 0
    """Entries that could not be read: each may be a call that this scan does not show."""
    blind: bool = False
    """A scope could never be read yet, so any call may be there."""

    def misses(self, call_id: str) -> bool:
        """Whether a call that this scan does not show is gone, as far as the PBX says."""
        return not self.blind and call_id not in self.doubtful


class ScopeScanner:
    """Does one scan after the other. It remembers what each scope showed last."""

    def __init__(self) -> None:
        self._last: dict[Scope, tuple[PhoneCall, ...]] = {}
        self._before: dict[Scope, tuple[PhoneCall, ...]] = {}
        """The lists before the last ones: a scope that shows an empty list and then fails has not missed a call twice."""

    async def take(
        self,
        pbx: PhoneCalls,
        scopes: tuple[Scope, ...],
        on_list: Callable[[Scope, tuple[PhoneCall, ...]], None],
        on_failure: Callable[[Scope, PbxError], None],
    ) -> Scan:
        """List every scope once. Calls `on_list` with each list as it comes, and `on_failure` with each failure. Raises no PbxError."""
        lists: dict[Scope, tuple[PhoneCall, ...]] = {}
        skipped: dict[Scope, int] = {}

        def keep(scope: Scope, calls: tuple[PhoneCall, ...]) -> None:
            lists[scope] = calls
            on_list(scope, calls)

        def keep_failure(scope: Scope, failure: PbxError) -> None:
            if isinstance(failure, PartlyRead):
                skipped[scope] = failure.skipped
                keep(scope, failure.calls)
                return
            _log.warning("scope_unreadable", error=type(failure).__name__)
            unknown = isinstance(failure, UserInvalid | ExtensionInvalid)
            if unknown or (is_refusal(failure) and not self._last.get(scope)):
                keep(scope, ())  # it has no calls: the PBX does not know it, or has always refused it
            else:
                on_failure(scope, failure)

        await read_lists(pbx, scopes, keep, keep_failure)
        unread = [scope for scope in scopes if scope not in lists]
        remembered = {scope: self._last[scope] for scope in unread if scope in self._last}
        partly = {scope: (*lists[scope], *self._hidden(scope, lists)) for scope in skipped}
        shown = {scope: (*calls, *self._before.get(scope, ())) for scope, calls in remembered.items()}
        self._before = {scope: (self._last if scope in lists else self._before).get(scope, ()) for scope in scopes}
        self._last = lists | remembered | partly
        return Scan(
            calls=await _with_every_view(lists, remembered | partly, scopes),
            read=len(lists),
            unread=len(unread),
            doubtful=frozenset(call.id for calls in shown.values() for call in calls),
            skipped=sum(skipped.values()),
            blind=len(remembered) < len(unread),
        )

    def _hidden(self, scope: Scope, lists: Mapping[Scope, tuple[PhoneCall, ...]]) -> tuple[PhoneCall, ...]:
        """The calls that this scope showed before and only other scopes show now: one may be the entry that could not be read."""
        own = {call.id for call in lists[scope]}
        others = {call.id for other, calls in lists.items() if other != scope for call in calls}
        return tuple(call for call in self._last.get(scope, ()) if call.id in others - own)


async def take_snapshot(
    pbx: PhoneCalls,
    scopes: tuple[Scope, ...],
    on_list: Callable[[Scope, tuple[PhoneCall, ...]], None],
    within: float,
) -> Snapshot:
    """List every scope once, as far as that is possible in so many seconds. Calls `on_list` with each list as it comes.

    Raises PbxError if no scope can be read.
    """
    lists: dict[Scope, tuple[PhoneCall, ...]] = {}
    failures: list[PbxError] = []
    partly: set[Scope] = set()

    def keep(scope: Scope, calls: tuple[PhoneCall, ...]) -> None:
        lists[scope] = calls
        on_list(scope, calls)

    def keep_failure(scope: Scope, failure: PbxError) -> None:
        if isinstance(failure, PartlyRead):
            keep(scope, failure.calls)
            partly.add(scope)
        else:
            failures.append(failure)

    try:
        async with asyncio.timeout(within):
            await read_lists(pbx, scopes, keep, keep_failure)
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
    on_list: Callable[[Scope, tuple[PhoneCall, ...]], None],
    on_failure: Callable[[Scope, PbxError], None],
) -> None:
    """Read the list of every scope, a few at a time. Calls `on_list` or `on_failure` for each."""
    left = iter(scopes)  # shared: each reader takes the next scope

    async def reader() -> None:
        for scope in left:
            try:
                calls = await pbx.list(*scope)
            except PbxError as failure:
                on_failure(scope, failure)
            else:
                on_list(scope, calls)

    async with asyncio.TaskGroup() as readers:
        for _ in range(min(READS_AT_A_TIME, len(scopes))):
            readers.create_task(reader(), name="list of live calls")


def is_refusal(failure: PbxError) -> bool:
    """Whether the PBX answered and refused. An answer that it is busy or broken is a failure."""
    return isinstance(failure, PbxRefused) and not isinstance(failure, PbxBusy | PbxFault)


async def _with_every_view(
    lists: Mapping[Scope, tuple[PhoneCall, ...]],
    remembered: Mapping[Scope, tuple[PhoneCall, ...]],
    scopes: tuple[Scope, ...],
) -> tuple[PhoneCall, ...]:
    """The calls of these lists, also with the views that scopes showed before which cannot be read now.

    One of those views could be of a protected extension.
    """
    if not remembered:
        return await each_once(lists, scopes)
    fresh = {call.id for calls in lists.values() for call in calls}
    both = await each_once({**lists, **remembered}, (*lists, *remembered))
    return tuple(call for call in both if call.id in fresh)


async def each_once(lists: Mapping[Scope, tuple[PhoneCall, ...]], scopes: tuple[Scope, ...]) -> tuple[PhoneCall, ...]:
    """Each call once, with every view of it that any scope shows: another user's list may leave some out.

    A view that is left out could be of a protected extension.
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


# ── which scopes cannot be read ──


@dataclass(frozen=True)
class Outage:
    """What cannot be read: every scope (`whole`) or some of them. `seconds`: for how long."""

    whole: bool
    seconds: float


class ScopeHealth:
    """When the list of each scope was read last, and which failed. `clock` counts seconds and never goes back."""

    def __init__(self, scopes: Callable[[], tuple[Scope, ...]], clock: Callable[[], float]) -> None:
        self._scopes = scopes
        self._clock = clock
        self._began: float | None = None
        self._read_at: dict[Scope, float] = {}
        self._failed: set[Scope] = set()

    def begin(self) -> None:
        """A scan begins. The time of a scope that was never read counts from the first scan."""
        if self._began is None:
            self._began = self._clock()

    def end(self) -> None:
        """No more scans for now. What was read until now no longer counts."""
        self._began = None
        self._read_at.clear()
        self._failed.clear()

    def succeeded(self, scope: Scope) -> None:
        """The list of that scope was read."""
        self._read_at[scope] = self._clock()
        self._failed.discard(scope)

    def failed(self, scope: Scope) -> None:
        """The list of that scope could not be read."""
        self._failed.add(scope)

    def outage(self, after: float) -> Outage | None:
        """What could not be read for `after` seconds, None if there is nothing.

        One scope of many counts only if a read of it failed: with many scopes it may be long before one has its turn.
        """
        if self._began is None:
            return None
        now, scopes = self._clock(), self._scopes()
        ages = {scope: now - self._read_at.get(scope, self._began) for scope in scopes}
        if ages and min(ages.values()) >= after:
            return Outage(whole=True, seconds=min(ages.values()))
        late = [age for scope, age in ages.items() if age >= after and scope in self._failed]
        return Outage(whole=False, seconds=max(late)) if late else None

    @property
    def all_read(self) -> bool:
        """Whether every scope was read since the first scan."""
        return self._began is not None and all(scope in self._read_at for scope in self._scopes())
