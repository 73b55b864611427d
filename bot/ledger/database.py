"""The database behind the ledger: one engine, and transactions to read and to write in.

Nothing of SQLAlchemy, SQLite or PostgreSQL leaves it as an exception: every failure is LedgerUnavailable.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from functools import wraps
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import URL, Connection, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.ledger.address import Address
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet, failing_clearly, first_line

_P = ParamSpec("_P")
_T = TypeVar("_T")
_BUSY = 10.0
"""Seconds that a writer waits for another process, before SQLite says that the database is locked."""
_CONNECT = 10.0
_COMMAND = 30.0
_FINISH = 5.0
"""Seconds that `close` takes at most."""
_CONNECTIONS = 5
_WRITES = "callbot_writes"


class Database:
    """One engine for one ledger. Made by `open`; `close` it in the end."""

    def __init__(self, address: Address, engine: AsyncEngine, sessions: WeakSet[Any] | None = None) -> None:
        self.address = address
        self.on_postgresql = address.file is None
        self._engine = engine
        self._sessions = WeakSet[Any]() if sessions is None else sessions
        """Those with PostgreSQL. SQLite has none that could hang."""
        self._writer = engine.execution_options(**{_WRITES: True})
        self._open = True
        self._unfinished: set[asyncio.Task[Any]] = set()
        self._turn: AbstractAsyncContextManager[object] = nullcontext() if self.on_postgresql else asyncio.Lock()
        """SQLite has one writer at a time, and whoever finds it busy sleeps up to 0.1 s at a go and may be overtaken;
        waiting for one's turn here is fair, and no longer than the transactions before it."""
        self._later = asyncio.Lock()

    @classmethod
    async def open(cls, address: Address) -> "Database":
        """The engine; for SQLite also the file, readable by its owner alone. Raises LedgerUnavailable."""
        if address.file is None:
            return cls._with_sessions(address)
        with failing_clearly():
            await asyncio.to_thread(_prepare, address.file)
        return cls(address, _sqlite(address.file))

    @classmethod
    def open_to_read(cls, address: Address) -> "Database":
        """The engine for whoever only reads. Nothing is created. Raises NoLedgerYet."""
        if address.file is None:
            return cls._with_sessions(address)
        if not address.file.exists():
            raise NoLedgerYet(f"{address.file} does not exist")
        return cls(address, _sqlite(address.file, only_to_read=True))

    @classmethod
    def _with_sessions(cls, address: Address) -> "Database":
        sessions = WeakSet[Any]()
        return cls(address, _postgresql(connector(address.dsn, sessions)), sessions)

    async def close(self) -> None:
        """Let what was begun finish, within an end, and give every connection back.

        Whatever is asked of the database from now on raises LedgerUnavailable. A PostgreSQL that hangs is not waited
        for: its sessions are cut, also where the closing itself is cancelled.
        """
        self._open = False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FINISH):
                    if self._unfinished:
                        await asyncio.wait(self._unfinished)
                    await self._engine.dispose()
        finally:
            for session in tuple(self._sessions):
                cut(session)

    async def finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of the work, which goes on to its end even where whoever waits for it is cancelled.

        A statement that is abandoned half-way still runs in SQLite's thread, and may leave its connection with the
        lock of the whole file.
        """
        task = asyncio.create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not complain where nobody waits for it any more

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that sees one state of the ledger. Raises LedgerUnavailable."""
        return self._transaction(self._engine, nullcontext())

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that is written as a whole or not at all. Raises LedgerUnavailable."""
        return self._transaction(self._writer, self._turn)

    @asynccontextmanager
    async def writing_later(self) -> AsyncIterator[AsyncConnection]:
        """The same for what nobody waits for: one at a time, so that a storm of them never stands before a new request."""
        async with self._later, self.writing() as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(
        self, engine: AsyncEngine, turn: AbstractAsyncContextManager[object]
    ) -> AsyncIterator[AsyncConnection]:
        if not self._open:
            raise LedgerUnavailable("closed")
        with failing_clearly():
            async with turn, engine.begin() as connection:
                yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, which both databases write alike and SQLAlchemy keeps apart."""
        return postgresql.insert(table) if self.on_postgresql else sqlite.insert(table)


class _Keeper(Protocol):
    """Whoever keeps something in a database."""

    _database: Database


_Self = TypeVar("_Self", bound=_Keeper)


def to_the_end(
    method: Callable[Concatenate[_Self, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate[_Self, _P], Coroutine[Any, Any, _T]]:
    """A method whose transaction is finished, even where its caller is cancelled meanwhile."""

    @wraps(method)
    async def finished(self: _Self, /, *arguments: _P.args, **named: _P.kwargs) -> _T:
        return await self._database.finish(method(self, *arguments, **named))

    return finished


# ── SQLite ──


def _prepare(file: Path) -> None:
    """Create the file for its owner alone (SQLite gives -wal and -shm the mode of the file), and turn WAL on.

    WAL stays on for as long as the file lives ("Write-Ahead Logging", Persistence of WAL Mode). Two processes that
    turn it on at once may be told that the database is locked without being kept waiting, so this is tried again.
    """
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(file, timeout=_BUSY, isolation_level=None)
    try:
        end = monotonic() + _BUSY
        while not _turn_wal_on(connection) and monotonic() < end:
            sleep(0.01)
    finally:
        connection.close()


def _turn_wal_on(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return False
        raise
    return True


def _sqlite(file: Path, *, only_to_read: bool = False) -> AsyncEngine:
    # isolation_level None: sqlite3 begins no transaction by itself; `_begin` does.
    url = URL.create("sqlite+aiosqlite", database=str(file))
    if only_to_read:  # "Uniform Resource Identifiers" of SQLite: such a file is never created, nor written
        url = URL.create("sqlite+aiosqlite", database=f"file:{quote(str(file))}", query={"mode": "ro", "uri": "true"})
    engine = create_async_engine(
        url,
        connect_args={"timeout": _BUSY, "isolation_level": None},
        pool_size=_CONNECTIONS,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    """FULL: what is committed survives a loss of power, so the row is there before the deed."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes the lock at once: one that reads first and writes later could be refused without waiting."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


# ── PostgreSQL ──


def _postgresql(connect: Callable[[], Awaitable[Any]]) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        isolation_level="READ COMMITTED",
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def connector(dsn: str, sessions: WeakSet[Any] | None = None) -> Callable[[], Awaitable[Any]]:
    """What connects to PostgreSQL, within an end, and notices a peer that is gone ("Connection Settings").

    Each session is also put among the `sessions`.
    """

    async def connect() -> Any:
        import asyncpg  # noqa: PLC0415  (only where the ledger is a PostgreSQL)

        keepalive = {"tcp_keepalives_idle": "20", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
        with talking_to_postgresql():
            session = await asyncpg.connect(dsn, timeout=_CONNECT, command_timeout=_COMMAND, server_settings=keepalive)
        if sessions is not None:
            sessions.add(session)
        return session

    return connect


@contextmanager
def talking_to_postgresql() -> Iterator[None]:
    """Turn whatever asyncpg raises, where SQLAlchemy is not between, into LedgerUnavailable."""
    import asyncpg  # noqa: PLC0415  (only where the ledger is a PostgreSQL)

    try:
        yield
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # a session that the server has just ended is used before that is noticed
        OSError,
        TimeoutError,
        ValueError,
    ) as error:
        raise LedgerUnavailable(first_line(error)) from error


def cut(session: Any) -> None:
    """End a session of asyncpg without a word to the server, which may not listen. Does nothing where it has ended."""
    if not session.is_closed():
        session.terminate()
