"""New truths on their way into the ledger: each gets there in the end, though the ledger may not take it now.

A card waits for the row a moment, and not longer. A row that is never brought up to date would hold its claim for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import islice
from typing import Generic, Protocol, TypeVar

import structlog

from bot.domain.errors import CallbotError
from bot.tasks import Tasks

PATIENCE = 0.2
"""Seconds that whoever saves waits for the ledger; what is to be shown then is shown first."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the ledger is tried again: each pause twice as long as the one before."""
LAST_WORDS = 1.0
"""Seconds that what is not written yet gets at the end."""

_log = structlog.get_logger("callbot.saving")


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


class Saving(Generic[T]):
    """Writes what has an id down with `write`, the newest truth of each, oldest first; `saved` hears of each.

    `at_once`: so many at a time, where the ledger takes so many together.
    """

    def __init__(
        self,
        write: Callable[[T], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]],
        saved: Callable[[T], None] = lambda _: None,
        at_once: int = 1,
    ) -> None:
        self._write_down = write
        self._sleep = sleep
        self._saved = saved
        self._at_once = at_once
        self._unsaved: dict[str, T] = {}
        self._progress = asyncio.Event()
        self._writing = False
        self._tasks = Tasks(apart=True)

    def waits(self, id_: str) -> bool:
        """Whether the ledger does not know the newest truth of it yet."""
        return id_ in self._unsaved

    def begin(self, truth: T) -> None:
        """Have it written down, now or as soon as the ledger takes it."""
        self._unsaved[truth.id] = truth
        if not self._writing:
            self._writing = True
            self._tasks.spawn(self._write(), name="what is to be written down")

    async def save(self, truth: T) -> None:
        """The same, and wait a moment for it. Nothing is raised."""
        self.begin(truth)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._unsaved.get(truth.id) is truth:
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
                    for truth, done in zip(oldest, written, strict=True):
                        if not done:
                            self._unsaved[truth.id] = self._unsaved.pop(truth.id)  # others go first next time
                    await self._sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._writing = False  # whatever ended it: the next truth begins it again

    async def _written(self, truth: T) -> bool:
        """Whether the ledger took it. What is newer meanwhile is still to be written. Nothing is raised."""
        try:
            await self._write_down(truth)
        except CallbotError as error:
            _log.error("not_saved", id=truth.id, error=type(error).__name__)
            return False
        except Exception:  # noqa: BLE001 - one that cannot be written must not keep the others from being written
            _log.exception("not_saved", id=truth.id)
            return False
        if self._unsaved.get(truth.id) is truth:
            del self._unsaved[truth.id]
        self._progress.set()
        self._progress = asyncio.Event()
        self._tell(truth)
        return True

    def _tell(self, truth: T) -> None:
        """That it is written, unless there is a newer one. What goes wrong then is no reason to write it again."""
        if truth.id in self._unsaved:
            return
        try:
            self._saved(truth)
        except Exception:  # noqa: BLE001 - what is to be written next does not hang on whoever hears of it
            _log.exception("saved_not_heard", id=truth.id)
