"""The lock that lets one `callbot run` at a time use a ledger. It ends with the process that holds it."""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Protocol, Self

import structlog

from bot.ledger.address import Address
from bot.ledger.failures import LedgerInUse, LedgerReplaced, LedgerUnavailable, failing_clearly

LOCK_CHECK_EVERY = 2.0
"""Seconds between two checks that the lock is still held and the ledger was not replaced."""


_log = structlog.get_logger("callbot.ledger")


class _Lock(Protocol):
    """The lock of one kind of database: `_FileLock`, or that of `_advisory`."""

    async def acquire(self) -> None: ...

    async def check(self) -> None: ...

    def replaced(self) -> bool: ...

    async def release(self) -> None: ...


class SingleRun:
    """`async with SingleRun(url):` holds the ledger. Raises LedgerInUse, LedgerUnavailable."""

    def __init__(self, url: str) -> None:
        address = Address(url)
        self._place = address.place
        self._lock: _Lock = _advisory(address) if address.file is None else _FileLock(address.file, address.written)
        self.replaced: Callable[[], bool] = self._lock.replaced
        """Whether a file of the ledger is not the one that was locked. For a thread: it asks the disk. Raises OSError."""

    async def acquire(self) -> None:
        """Take the lock. Raises LedgerInUse at once where another run has it, LedgerUnavailable where that cannot be known."""
        try:
            await self._lock.acquire()
        except LedgerUnavailable as error:
            raise error.at_start(self._place) from error

    async def keep(self, sleep: Callable[[float], Awaitable[None]]) -> NoReturn:
        """Check the lock until this is cancelled. Raises LedgerLost."""
        while True:
            await sleep(LOCK_CHECK_EVERY)
            await self._lock.check()

    async def release(self) -> None:
        """Release the lock. Does nothing where it is not held."""
        await self._lock.release()

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()


class _FileLock:
    """SQLite: flock on a file beside the database. The file is never removed, or two runs could each lock one of their own.

    flock and not SQLite's own lock, because others may read during a run. The database's file is kept open, too: so it is
    known which one was locked, and no other file gets its inode. It is closed after the ledger, because the system drops
    all of SQLite's locks on a file as soon as the process closes it once ("How To Corrupt An SQLite Database File", 2.2).
    """

    def __init__(self, database: Path, written: Path) -> None:
        self._database = database
        self._written = written
        """The path that the next start will follow: a symbolic link in it may lead elsewhere by then."""
        self._beside = tuple(database.with_name(database.name + ending) for ending in ("-wal", "-shm"))
        self._held: dict[Path, int] = {}
        """The descriptors of the lock's file and of the database's, which may have two names."""
        self._known: dict[Path, os.stat_result] = {}
        """The files of the ledger as they were found first; the -wal and the -shm stay for as long as it is open."""

    async def acquire(self) -> None:
        with failing_clearly():
            try:
                await asyncio.to_thread(self._flock)
            except BlockingIOError as error:
                raise LedgerInUse(str(self._database)) from error

    def _flock(self) -> None:
        lock = self._database.with_name(f"{self._database.name}.lock")
        held = {lock: _opened(lock)}
        try:
            fcntl.flock(held[lock], fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in {self._database, self._written}:
                held[path] = _opened(path)
        except OSError:
            _close(held)
            raise
        self._held = held
        self._known = {path: os.fstat(descriptor) for path, descriptor in held.items()}

    async def check(self) -> None:
        """The lock itself is held for as long as this process has the file open (flock(2)). Raises LedgerReplaced."""
        try:
            replaced = await asyncio.to_thread(self.replaced)
        except OSError as error:
            _log.warning("ledger_not_reached", reason=type(error).__name__)
            return
        if replaced:
            raise LedgerReplaced(str(self._database))

    def replaced(self) -> bool:
        for path in (*self._held, *self._beside):
            try:
                found = path.stat()
            except FileNotFoundError:
                if path in self._known:
                    return True
            else:
                if not os.path.samestat(found, self._known.setdefault(path, found)):
                    return True
        return False

    async def release(self) -> None:
        held, self._held = self._held, {}
        _close(held)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _close(held: Mapping[Path, int]) -> None:
    for descriptor in held.values():
        os.close(descriptor)


def _advisory(address: Address) -> _Lock:
    from bot.ledger.postgresql import AdvisoryLock  # noqa: PLC0415  (it brings asyncpg, for which SQLite has no use)

    return AdvisoryLock(address.dsn, address.place)
