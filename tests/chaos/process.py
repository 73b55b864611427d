"""`python -m bot run` in a process of its own: started, killed, ended in order. Every line of its log is kept."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import bot as bot_package

STARTED_WITHIN = 30.0
ENDED_WITHIN = 15.0
LONGEST_LINE = 1 << 20


class BotProcess:
    """One process of the bot, `module` the program. `say` is told every line that it writes."""

    def __init__(self, folder: Path, module: str, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._module = module
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._port: int | None = None
        self._started_or_ended = asyncio.Event()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self, environment: Mapping[str, str]) -> int | None:
        """Start it and wait until it says that it has; the port it listens on, None where it ended instead."""
        inherited = {"PATH": os.environ["PATH"], "HOME": str(self._folder)}
        root = str(Path(bot_package.__file__).parents[1])
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module, "run"),
            cwd=self._folder,
            env={**inherited, "PYTHONPATH": root, "LOG_FORMAT": "json", **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE,
        )
        self._reading = asyncio.create_task(self._read(self._process), name=f"log of {self._process.pid}")
        async with asyncio.timeout(STARTED_WITHIN):
            await self._started_or_ended.wait()
        return self._port

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := (await process.stdout.readline()).decode(errors="replace"):
            self._say(line.rstrip("\n"))
            if '"event": "started"' in line:
                self._port = json.loads(line)["port"]
                self._started_or_ended.set()
        self._started_or_ended.set()

    @property
    def waited(self) -> float:
        """For how many seconds its threads were ready to run and had no processor (proc(5), schedstat).

        All of them together: the ledger of an SQLite file works in threads, and what waits for it waits with them.
        """
        if self._process is None:
            return 0.0
        try:
            threads = list(Path(f"/proc/{self._process.pid}/task").iterdir())
            return sum(int((each / "schedstat").read_text().split()[1]) for each in threads) / 1e9
        except (OSError, IndexError):
            return 0.0

    def kill(self) -> None:
        """`kill -9`, now."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)

    async def gone(self) -> int:
        """Wait for the end of a killed or ended process; its exit code."""
        if self._process is None or self._reading is None:
            return 0
        async with asyncio.timeout(ENDED_WITHIN):
            code = await self._process.wait()
            await self._reading
        return code

    async def end(self) -> tuple[int, float]:
        """SIGTERM; the exit code and how many seconds it took."""
        since = time.monotonic()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await self.gone(), time.monotonic() - since
