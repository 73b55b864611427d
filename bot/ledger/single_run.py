"""The lock that lets one `callbot run` at a time use a ledger. It dies with the process that holds it."""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Protocol, Self

from bot.ledger.address import Address
from bot.ledger.failures import LedgerInUse, LedgerUnavailable, failing_clearly


class _Lock(Protocol):
    async def acquire(self) -> None: ...

    async def keep(self, sleep: Callable[[float], Awaitable[None]]) -> NoReturn: ...

    async def release(self) -> None: ...


class SingleRun:
    """`async with SingleRun(url):` holds the ledger. Raises LedgerInUse, LedgerUnavailable."""

    def __init__(self, url: str) -> None:
        address = Address(url)
        self._place = address.place
        self._lock: _Lock = _advisory(address) if address.file is None else _FileLock(address.file)

    async def acquire(self) -> None:
        """Take the lock, or raise LedgerInUse at once; LedgerUnavailable where that cannot be found out."""
        try:
            await self._lock.acquire()
        except LedgerUnavailable as error:
            raise error.at_start(self._place) from error

    async def keep(self, sleep: Callable[[float], Awaitable[None]]) -> NoReturn:
        """Hold on to the lock that was acquired, for as long as this is awaited. Raises LedgerLost."""
        await self._lock.keep(sleep)

    async def release(self) -> None:
        """Let go of it. Does nothing where it is not held."""
        await self._lock.release()

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()


class _FileLock:
    """SQLite: flock on a file beside the database. The file stays when the lock is gone, or two could hold two files.

    flock and not SQLite's own lock: others may read beside a run.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: int | None = None

    async def acquire(self) -> None:
        with failing_clearly():
            try:
                self._held = await asyncio.to_thread(self._flock)
            except BlockingIOError as error:
                raise LedgerInUse(str(self._database)) from error

    def _flock(self) -> int:
        path = self._database.with_name(self._database.name + ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    async def keep(self, _sleep: Callable[[float], Awaitable[None]]) -> NoReturn:
        """Nothing to do: the system holds the lock for as long as this process has the file open (flock(2))."""
        while True:
            await asyncio.Event().wait()

    async def release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            os.close(held)


def _advisory(address: Address) -> _Lock:
    from bot.ledger.advisory_lock import AdvisoryLock  # noqa: PLC0415  (it brings asyncpg, for which SQLite has no use)

    return AdvisoryLock(address.dsn, address.place)
