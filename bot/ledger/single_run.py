"""The lock that lets one `callbot run` at a time use a ledger. It dies with the process that holds it."""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import structlog

from bot.errors import CallbotError
from bot.ledger.address import Address
from bot.ledger.database import connector, cut, talking_to_postgresql
from bot.ledger.failures import LedgerUnavailable, failing_clearly

RUNNING = 0x72756E
"""The first key of the advisory lock: "run" in ASCII. The second one is the schema, so each ledger has its own."""
LOOK_EVERY = 2.0
"""Seconds between two looks whether the session that holds the lock still lives."""
ANSWER = 5.0
"""Seconds after which a session that does not answer counts as gone."""

_log = structlog.get_logger("callbot.ledger")


class LedgerInUse(CallbotError):
    """Another `callbot run` holds the ledger."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Another `callbot run` is using the ledger already ({place}). Two of them would act twice on one call. "
            "Stop the other one first, or give this one a DATABASE_URL of its own."
        )


class LedgerLost(CallbotError):
    """Another `callbot run` took the ledger while this one was cut off from it."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Another `callbot run` has taken the ledger ({place}) while this one had lost its connection to it. This one "
            "has stopped, or two of them would act twice on one call. Look which of the two is to run, and start only it."
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


class _AdvisoryLock:
    """PostgreSQL: a session-level advisory lock, on a connection that is kept for it ("Advisory Locks").

    The session may end while this process lives, and the lock with it: PostgreSQL is restarted or fails over, an
    administrator ends the session, the network forgets the connection. So it is looked at, and taken again.
    """

    def __init__(self, dsn: str, place: str) -> None:
        self._connect = connector(dsn)
        self._place = place
        self._held: Any = None
        """The session of asyncpg that holds the lock, or held it last."""
        self._named: tuple[object, object] | None = None
        """What tells that session from all others of the server: its pid and when it began."""

    async def acquire(self) -> None:
        lock = (
            "SELECT pg_try_advisory_lock($1, hashtext(current_schema())) AS taken, pid, backend_start "
            "FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        session = await self._connect()
        taken = False
        try:
            with talking_to_postgresql():
                await self._end_former(session)
                row = await session.fetchrow(lock, RUNNING)
            taken = row["taken"]
        finally:
            if not taken:
                cut(session)
        if not taken:
            raise LedgerInUse(self._place)
        self._held, self._named = session, (row["pid"], row["backend_start"])

    async def _end_former(self, session: Any) -> None:
        """The server may not have noticed yet that our former session is gone, and keep the lock for it: end it there.

        pg_terminate_backend waits so many milliseconds for its end ("Server Signaling Functions", from PostgreSQL 14).
        """
        if self._named is not None and self._held.is_closed():
            end = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2"
            await session.execute(end, *self._named)

    async def keep(self, sleep: Callable[[float], Awaitable[None]]) -> NoReturn:
        lost = False
        while True:
            await sleep(LOOK_EVERY)
            if await self._lives():
                continue
            if not lost:
                _log.error("ledger_session_lost")
            lost = not await self._taken_again()

    async def _lives(self) -> bool:
        try:
            with talking_to_postgresql():
                await self._held.execute("SELECT 1", timeout=ANSWER)
        except LedgerUnavailable:
            cut(self._held)
            return False
        return True

    async def _taken_again(self) -> bool:
        """False where PostgreSQL cannot be reached: nothing can be claimed then either. Raises LedgerLost."""
        try:
            await self.acquire()
        except LedgerInUse:
            raise LedgerLost(self._place) from None
        except LedgerUnavailable as error:
            _log.warning("ledger_not_reached", reason=error.why)
            return False
        _log.info("ledger_session_renewed")
        return True

    async def release(self) -> None:
        held, self._held, self._named = self._held, None, None
        if held is None:
            return
        try:
            with talking_to_postgresql():
                await held.close(timeout=ANSWER)
        except LedgerUnavailable as error:
            _log.warning("ledger_session_cut", reason=error.why)
        finally:
            cut(held)
