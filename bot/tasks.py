"""Work beside the request that started it: tasks that are held, states written behind, long work in slices, orderly ends.

asyncio keeps only weak references to tasks, so a task that nobody holds may vanish in the middle of its work.
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

PATIENCE = 0.2
"""Seconds that whoever saves waits for the ledger; what is to be shown then is shown first."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the ledger is tried again: each pause twice as long as the one before."""
LAST_WORDS = 1.0
"""Seconds that what is not written yet gets at the end."""
SHORTEST = 0.05
"""Seconds that even the last has, where those before it have used up theirs."""
SLICE = 0.005
"""Seconds that a slice may take; one that has begun an item ends with it."""
EVERY = 0.05
"""Seconds between two looks of the watchdog: what stops the event loop for as long is seen."""

_log = structlog.get_logger("callbot.tasks")
T = TypeVar("T")


# ── tasks ──


class Tasks:
    """A set of running tasks. An exception that a task lets out is logged, never lost.

    `apart`: they serve others than whoever starts them, so their log lines carry nothing of that request.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self._apart = apart
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start the work and hold it until it is done."""
        context = Context() if self._apart else None
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def drain(self, seconds: float) -> None:
        """Wait for what is running, and what it or others start meanwhile, at most so many seconds; cancel the rest."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while (waiting := self._running - {asyncio.current_task()}) and (left := end - clock()) > 0:
            await asyncio.wait(waiting, timeout=left)
        await self.cancel()

    async def cancel(self) -> None:
        """End what is running now; what it has not done is taken up at the next start."""
        await self._cancel(self._running - {asyncio.current_task()})

    async def _cancel(self, tasks: set[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("task_failed", task=task.get_name(), exc_info=task.exception())


# ── states on their way into the ledger ──


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


class WriteBehind(Generic[N]):
    """States on their way into the ledger: each gets there in the end, though the ledger may not take it now.

    Writes what has an id down with `write`, the newest state of each, oldest first; `saved` hears of each. A card waits
    for the row a moment, and not longer. A row that is never brought up to date would hold its claim for ever.
    `at_once`: so many at a time, where the ledger takes so many together.
    """

    def __init__(
        self,
        write: Callable[[N], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]],
        saved: Callable[[N], None] = lambda _: None,
        at_once: int = 1,
    ) -> None:
        self._write_down = write
        self._sleep = sleep
        self._saved = saved
        self._at_once = at_once
        self._unsaved: dict[str, N] = {}
        self._progress = asyncio.Event()
        self._writing = False
        self._tasks = Tasks(apart=True)

    def waits(self, id_: str) -> bool:
        """Whether the ledger does not know the newest state of it yet."""
        return id_ in self._unsaved

    def begin(self, state: N) -> None:
        """Have it written down, now or as soon as the ledger takes it."""
        self._unsaved[state.id] = state
        if not self._writing:
            self._writing = True
            self._tasks.spawn(self._write(), name="what is to be written down")

    async def save(self, state: N) -> None:
        """Have it written down, and wait a moment for that. Nothing is raised."""
        self.begin(state)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._unsaved.get(state.id) is state:
                    await self._progress.wait()

    async def stop(self) -> None:
        """Write what can be written in a moment. The rest is found out again at the next start."""
        await self._tasks.drain(LAST_WORDS)

    async def _write(self) -> None:
        pause = FIRST_PAUSE
        try:
            while self._unsaved:
                oldest = tuple(islice(self._unsaved.values(), self._at_once))
                written = await asyncio.gather(*map(self._written, oldest))
                if any(written):
                    pause = FIRST_PAUSE
                if not all(written):
                    for state, done in zip(oldest, written, strict=True):
                        if not done:
                            self._unsaved[state.id] = self._unsaved.pop(state.id)  # others go first next time
                    await self._sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._writing = False  # whatever ended it: the next state begins it again

    async def _written(self, state: N) -> bool:
        """Whether the ledger took it. What is newer meanwhile is still to be written. Nothing is raised."""
        try:
            await self._write_down(state)
        except CallbotError as error:
            _log.error("not_saved", id=state.id, error=type(error).__name__)
            return False
        except Exception:  # noqa: BLE001 - one that cannot be written must not keep the others from being written
            _log.exception("not_saved", id=state.id)
            return False
        if self._unsaved.get(state.id) is state:
            del self._unsaved[state.id]
        self._progress.set()
        self._progress = asyncio.Event()
        self._tell(state)
        return True

    def _tell(self, state: N) -> None:
        """That it is written, unless there is a newer one. What goes wrong then is no reason to write it again."""
        if state.id in self._unsaved:
            return
        try:
            self._saved(state)
        except Exception:  # noqa: BLE001 - what is to be written next does not hang on whoever hears of it
            _log.exception("saved_not_heard", id=state.id)


# ── what is open, and its end ──


class Closing:
    """What is open, in the order of its opening."""

    def __init__(self) -> None:
        self._open: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    def later(self, name: str, close: Callable[[], Awaitable[object]]) -> None:
        """Remember how to close what was just opened."""
        self._open.append((name, close))

    async def close(self, seconds: float) -> None:
        """Close everything, in about so many seconds at most. What fails or hangs is logged, and the next one follows.

        Each may take half of what is left, so that there is something left for the next one.
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
    """These items; between two of them others get their turn, whenever a slice is over."""
    begun = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - begun >= SLICE:
            await asyncio.sleep(0)
            begun = time.perf_counter()


async def watch_loop(
    lagged: Callable[[float], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> NoReturn:
    """The watchdog: `lagged` hears again and again how many seconds too late a turn of the event loop came."""
    while True:
        due = clock() + EVERY
        await sleep(EVERY)
        lagged(max(0.0, clock() - due))
