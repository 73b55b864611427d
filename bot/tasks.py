"""Work that goes on after its starter has returned: held, named, waited for at the end.

asyncio keeps only weak references to tasks, so a task that nobody holds may vanish in the middle of its work.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

import structlog

_log = structlog.get_logger("callbot.tasks")


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
