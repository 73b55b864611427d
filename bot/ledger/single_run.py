"""The lock that lets one `callbot run` at a time use a ledger. It dies with the process that holds it."""

import asyncio
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import CallbotError
from bot.ledger.address import Address
from bot.ledger.database import connector
from bot.ledger.failures import LedgerUnavailable, failing_clearly

RUNNING = 0x72756E
"""The first key of the advisory lock: "run" in ASCII. The second one is the schema, so each ledger has its own."""


class LedgerInUse(CallbotError):
    """Another `callbot run` holds the ledger."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Another `callbot run` is using the ledger already ({place}). Two of them would act twice on one call. "
            "Stop the other one first, or give this one a DATABASE_URL of its own."
        )


class SingleRun:
    """`async with SingleRun(url):` holds the ledger. Raises LedgerInUse, LedgerUnavailable."""

    def __init__(self, url: str) -> None:
        address = Address(url)
        self._place = address.place
        self._lock: _FileLock | _AdvisoryLock
        if address.file is None:
            self._lock = _AdvisoryLock(address.dsn, address.place)
        else:
            self._lock = _FileLock(address.file)

    async def acquire(self) -> None:
        """Take the lock, or raise LedgerInUse at once; LedgerUnavailable where that cannot be found out."""
        try:
            await self._lock.acquire()
        except LedgerUnavailable as error:
            raise error.at_start(self._place) from error

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

    async def release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            os.close(held)


class _AdvisoryLock:
    """PostgreSQL: a session-level advisory lock, on a connection that is kept for it ("Advisory Locks")."""

    def __init__(self, dsn: str, place: str) -> None:
        self._dsn = dsn
        self._place = place
        self._held: AsyncConnection | None = None

    async def acquire(self) -> None:
        # AUTOCOMMIT: the session idles for days, and not in a transaction.
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connector(self._dsn),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        lock = select(func.pg_try_advisory_lock(RUNNING, func.hashtext(func.current_schema())))
        with failing_clearly():
            session = await engine.connect()
            try:
                taken = (await session.execute(lock)).scalar()
            except BaseException:
                await session.close()
                raise
        if not taken:
            await session.close()
            raise LedgerInUse(self._place)
        self._held = session

    async def release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            await held.close()
