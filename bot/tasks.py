"""Background tasks, shared runs, write-behind to the ledger, orderly closing, and long work in slices.

asyncio keeps only weak references to tasks: one that nobody holds may be garbage-collected before it is done.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from contextvars import Context
from itertools import islice
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import structlog

from bot.domain.errors import CallbotError

SAVE_TIMEOUT = 0.2
"""Seconds that a caller of `save` waits for the ledger before it goes on."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the ledger is tried again; each pause is twice as long as the one before."""
LAST_WORDS = 1.0
"""Seconds at the stop for states that are not written yet."""
SHORTEST = 0.05
"""Seconds for each resource to close, even when the earlier ones took too long."""
SLICE = 0.005
"""Seconds that slices may take between two turns of others, plus the rest of the item at hand."""
LAG_MEASURED_EVERY = 0.05
"""Seconds between two measurements of the watchdog: it sees a block of the event loop that is as long."""

_log = structlog.get_logger("callbot.tasks")
T = TypeVar("T")


# ── tasks ──


class Tasks:
    """A set of running tasks. An exception that escapes from a task is logged.

    `apart`: the tasks do not belong to the request that starts them, so their log lines do not carry its id.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self._apart = apart
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task and hold it until it is done."""
        context = Context() if self._apart else None
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def drain(self, seconds: float) -> None:
        """Wait at most so many seconds for the tasks, new ones included; cancel the rest."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while (waiting := self._running - {asyncio.current_task()}) and (left := end - clock()) > 0:
            await asyncio.wait(waiting, timeout=left)
        await self.cancel()

    async def cancel(self) -> None:
        """Cancel the running tasks, and wait a second for them to end."""
        tasks = self._running - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("task_failed", task=task.get_name(), exc_info=task.exception())


class SharedRun(Generic[T]):
    """One run of some work for all who want its result meanwhile. It goes on if one of them is cancelled."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[T] | None = None

    async def result(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of the run that is under way, or of a new one. Raises what that raises."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(work(), name=self._name)
            self._task.add_done_callback(self._ended)
        task = self._task
        await asyncio.wait({task})  # so that a waiter who is cancelled does not cancel it for the others
        return task.result()

    def cancel(self) -> None:
        """End the run that is under way."""
        if self._task is not None:
            self._task.cancel()

    def _ended(self, task: asyncio.Task[T]) -> None:
        """Free it: a result may be large, and a failure keeps alive all that was read until then.

        The exception is retrieved, so that asyncio does not report it if every waiter was cancelled.
        """
        if self._task is task:
            self._task = None
        if not task.cancelled():
            task.exception()


# ── pauses after failures ──


def back_off(failures: int, first: float, longest: float, jitter: float = 1.0) -> float:
    """Seconds to wait after so many failures in a row, 1 or more: each pause is twice as long as the one before.

    `jitter`, from 0 to 1, shortens it by up to a half, so that not all who wait come back together.
    """
    return min(longest, first * 2.0 ** min(failures - 1, 30)) * (1 + jitter) / 2


# ── write-behind ──


class _Named(Protocol):
    """What `WriteBehind` writes: an intervention, an alert, what came of a request."""

    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


class WriteBehind(Generic[N]):
    """Writes states to the ledger, again and again until the ledger takes them.

    A row that is never updated would hold its claim for ever, so no state may be dropped. `write` gets the newest state of
    each id, the oldest id first. `saved` is called with each that is written, unless a newer one is still to be written: the
    normal way to its card. `at_once`: how many are written at the same time.
    """

    def __init__(
        self,
        write: Callable[[N], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        saved: Callable[[N], None] = lambda _: None,
        at_once: int = 1,
    ) -> None:
        self._write = write
        self._sleep = sleep
        self._saved = saved
        self._at_once = at_once
        self._unsaved: dict[str, N] = {}
        self._progress = asyncio.Event()
        self._writing = False
        self._tasks = Tasks(apart=True)

    def is_unsaved(self, id_: str) -> bool:
        """Whether the newest state of this id is not written yet."""
        return id_ in self._unsaved

    def save_soon(self, state: N) -> None:
        """Write it now, or as soon as the ledger takes it."""
        self._unsaved[state.id] = state
        if not self._writing:
            self._writing = True
            self._tasks.spawn(self._write_all(), name="write-behind")

    async def save(self, state: N) -> None:
        """Write it, and wait for that, SAVE_TIMEOUT at most. Raises nothing."""
        self.save_soon(state)
        with suppress(TimeoutError):
            async with asyncio.timeout(SAVE_TIMEOUT):
                while self._unsaved.get(state.id) is state:
                    await self._progress.wait()

    async def stop(self) -> None:
        """Write what can be written within LAST_WORDS. The next start finds out the rest from the PBX."""
        await self._tasks.drain(LAST_WORDS)

    async def _write_all(self) -> None:
        """Write until nothing is left, with a pause after each failure."""
        failures = 0
        try:
            while self._unsaved:
                oldest = tuple(islice(self._unsaved.values(), self._at_once))
                written = await asyncio.gather(*map(self._write_one, oldest))
                if any(written):
                    failures = 0
                if not all(written):
                    for state, done in zip(oldest, written, strict=True):
                        if not done:
                            self._unsaved[state.id] = self._unsaved.pop(state.id)  # the others go first next time
                    failures += 1
                    await self._sleep(back_off(failures, FIRST_PAUSE, LONGEST_PAUSE))
        finally:
            self._writing = False  # however it ended, the next state starts it again

    async def _write_one(self, state: N) -> bool:
        """Write it; returns whether the ledger took it. A newer state of the same id is still to be written. Raises nothing."""
        try:
            await self._write(state)
        except CallbotError as error:
            _log.error("not_saved", id=state.id, error=type(error).__name__)
            return False
        except Exception:  # noqa: BLE001 - one state that cannot be written must not block the others
            _log.exception("not_saved", id=state.id)
            return False
        if self._unsaved.get(state.id) is state:
            del self._unsaved[state.id]
        self._progress.set()
        self._progress = asyncio.Event()
        if state.id not in self._unsaved:
            try:
                self._saved(state)
            except Exception:  # noqa: BLE001 - it is written all the same, and the other states are still to be
                _log.exception("saved_callback_failed", id=state.id)
        return True


# ── closing ──


class Closing:
    """The open resources, closed in the reverse order of their opening."""

    def __init__(self) -> None:
        self._open: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    def later(self, name: str, close: Callable[[], Awaitable[object]]) -> None:
        """Remember how to close what has just been opened."""
        self._open.append((name, close))

    async def close(self, seconds: float) -> None:
        """Close everything, in about so many seconds at most. What fails or hangs is logged, and the next one follows.

        Each may take half of the remaining time, so that the next one has some, too.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while self._open:
            name, close = self._open.pop()
            await _close(name, close, max(SHORTEST, (end - clock()) / 2))


async def _close(name: str, close: Callable[[], Awaitable[object]], seconds: float) -> None:
    closing = asyncio.ensure_future(close())
    await asyncio.wait({closing}, timeout=seconds)
    if not closing.done():
        _log.error("closed_late", what=name)
        closing.cancel()
        await asyncio.wait({closing}, timeout=SHORTEST)
    elif not closing.cancelled() and (error := closing.exception()) is not None:
        _log.error("not_closed", what=name, error=type(error).__name__)


# ── long work in slices ──


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """The items one by one. After each slice, other tasks get a turn.

    A slice takes SLICE seconds, shared with all who work in slices at the same time: four long lists that are read together
    would else keep a person waiting for 75 ms.
    """
    this = object()
    begun = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - begun >= SLICE / (len(_between_slices) + 1):
            _between_slices.add(this)
            try:
                await asyncio.sleep(0)
            finally:
                _between_slices.discard(this)
            begun = time.perf_counter()


_between_slices: set[object] = set()
"""Who works in slices, and lets others have their turn."""


async def watch_loop(
    lagged: Callable[[float], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> NoReturn:
    """The watchdog: `lagged` is called every LAG_MEASURED_EVERY seconds with how many seconds late the event loop is."""
    while True:
        due = clock() + LAG_MEASURED_EVERY
        await sleep(LAG_MEASURED_EVERY)
        lagged(max(0.0, clock() - due))
