"""What others do to the file of the ledger: they lock it, or move a backup into its place."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

TRIES, PAUSE = 100, 0.01
"""How often, and how many seconds apart, the lock is asked for: the bot has it for a moment at each commit."""


class LedgerFile:
    """The SQLite file at `path`. One thing at a time is done to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._one_at_a_time = asyncio.Lock()

    async def locked(self, seconds: float) -> None:
        """Nobody else can write for so long; where the lock cannot be had, nothing happens."""
        async with self._one_at_a_time:
            with closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as other:
                for _ in range(TRIES):
                    with suppress(sqlite3.OperationalError):
                        other.execute("BEGIN IMMEDIATE")
                        await asyncio.sleep(seconds)
                        other.execute("ROLLBACK")
                        return
                    await asyncio.sleep(PAUSE)

    @asynccontextmanager
    async def replaced_by_a_backup(self) -> AsyncIterator[Path]:
        """Meanwhile a copy lies in its place; where the file itself lies then. The bot has to be gone at the end."""
        async with self._one_at_a_time:
            kept, backup = self.path.with_name("kept.db"), self.path.with_name("backup.db")
            with closing(self._connected()) as source, closing(sqlite3.connect(backup)) as copy:
                source.backup(copy)
            self._move(self.path, kept)
            backup.replace(self.path)
            try:
                yield kept
            finally:
                for each in (self.path, *self._beside(self.path)):
                    each.unlink(missing_ok=True)
                self._move(kept, self.path)

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5.0)

    def _move(self, old: Path, new: Path) -> None:
        for source, target in zip((old, *self._beside(old)), (new, *self._beside(new)), strict=True):
            with suppress(FileNotFoundError):
                source.replace(target)

    def _beside(self, file: Path) -> tuple[Path, Path]:
        """The write-ahead log and its index."""
        return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")
