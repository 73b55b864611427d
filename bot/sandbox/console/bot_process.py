"""The bot's process beside the sandbox: started, watched, stopped, and restarted on the same ledger."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from bot.sandbox.changes import Changes

ENDING = 12.0
"""Seconds that the bot may take to stop."""
BotState = Literal["running", "restarting", "ended"]


class BotProcess:
    """One program, at most one process of it at a time. `command` begins with the program; `folder` is where it runs."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._command = tuple(command)
        self._folder = folder
        self._environment = dict(environment)
        self._changes = Changes()
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.state: BotState = "ended"
        self.exit_code: int | None = None
        """The exit code of the last process, once it has ended."""
        self.starts = 0

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` after every change, until the returned function is called."""
        return self._changes.subscribe(callback)

    async def start(self) -> None:
        """Start it, unless it runs."""
        async with self._turn:
            await self._start()

    async def restart(self) -> None:
        """End it, if it runs, and start it again."""
        async with self._turn:
            self._now("restarting")
            await self._end()
            await self._start()

    async def stop(self) -> None:
        """End it for good."""
        async with self._turn:
            await self._end()
            self._now("ended")

    async def wait(self) -> int | None:
        """Wait until the process that runs now has ended; its exit code."""
        if self._process is not None:
            await self._process.wait()
            return self._process.returncode
        return self.exit_code

    async def _start(self) -> None:
        if self._process is not None and self._process.returncode is None:
            return
        self._process = await asyncio.create_subprocess_exec(*self._command, cwd=self._folder, env=self._environment)
        self.starts += 1
        self.exit_code = None
        self._watching = asyncio.create_task(self._watch(self._process))
        self._now("running")

    async def _end(self) -> None:
        """Send SIGTERM; kill it if it does not end in time."""
        process, watching = self._process, self._watching
        if process is None or watching is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), ENDING)
            except TimeoutError:
                process.kill()
        await watching

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Notify when the process ends, for whatever reason."""
        self.exit_code = await process.wait()
        if self.state == "running":
            self._now("ended")
        else:
            self._changes.tell()

    def _now(self, state: BotState) -> None:
        self.state = state
        self._changes.tell()
