"""New truths on their way into the ledger: each gets there in the end, though the ledger may not take it now.

A card waits for the row a moment, and not longer. A row that is never brought up to date would hold its claim for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from bot.errors import CallbotError
from bot.following import Intervention
from bot.ports import Ledger
from bot.tasks import Tasks

PATIENCE = 0.2
"""Seconds that whoever saves waits for the ledger; what is to be shown then is shown first."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the ledger is tried again: each pause twice as long as the one before."""
LAST_WORDS = 1.0
"""Seconds that what is not written yet gets at the end."""

_log = structlog.get_logger("callbot.saving")


class Saving:
    """Writes interventions down one after the other, the newest truth of each; `saved` hears of each that is written."""

    def __init__(
        self,
        ledger: Ledger,
        sleep: Callable[[float], Awaitable[None]],
        saved: Callable[[Intervention], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._sleep = sleep
        self._saved = saved
        self._unsaved: dict[str, Intervention] = {}
        self._progress = asyncio.Event()
        self._writing = False
        self._tasks = Tasks(apart=True)

    def waits(self, intervention: str) -> bool:
        """Whether the ledger does not know the newest truth of it yet."""
        return intervention in self._unsaved

    async def save(self, intervention: Intervention) -> None:
        """Write it down, now or as soon as the ledger takes it. Nothing is raised."""
        self._unsaved[intervention.id] = intervention
        if not self._writing:
            self._writing = True
            self._tasks.spawn(self._write(), name="what is to be written down")
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._unsaved.get(intervention.id) is intervention:
                    await self._progress.wait()

    async def stop(self) -> None:
        """Write what can be written in a moment. The rest is found out again at the next start."""
        await self._tasks.drain(LAST_WORDS)

    async def _write(self) -> None:
        pause = FIRST_PAUSE
        while self._unsaved:
            intervention = next(iter(self._unsaved.values()))
            if await self._written(intervention):
                pause = FIRST_PAUSE
            else:
                self._unsaved[intervention.id] = self._unsaved.pop(intervention.id)  # another one goes first next time
                await self._sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        self._writing = False

    async def _written(self, intervention: Intervention) -> bool:
        """Whether the ledger took it. What is newer meanwhile is still to be written."""
        try:
            await self._ledger.save(intervention)
        except CallbotError as error:
            _log.error("not_saved", intervention=intervention.id, error=type(error).__name__)
            return False
        if self._unsaved.get(intervention.id) is intervention:
            del self._unsaved[intervention.id]
            self._saved(intervention)
        self._progress.set()
        self._progress = asyncio.Event()
        return True
