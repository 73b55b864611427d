"""PostgreSQL: sessions of asyncpg, with an end to everything that a server or a network may not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar
from weakref import WeakSet

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from bot.ledger.failures import LedgerUnavailable, failing_clearly, unavailable

_T = TypeVar("_T")
_CONNECT = 10.0
_COMMAND = 30.0
_CONNECTIONS = 5
"""For transactions; one more holds the lock of the run."""
_SETTINGS = "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; SET lock_timeout = '3s'"
"""Of each session, in seconds. Not among the parameters of its start, where PgBouncer takes few ("ignore_startup_parameters")."""


class Sessions:
    """The transactions of one server."""

    together = 1

    def __init__(self, dsn: str) -> None:
        self._sessions = WeakSet[Any]()
        self._later = asyncio.Lock()
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connector(dsn, self._sessions),
            isolation_level="READ COMMITTED",
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
        )

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """In a transaction; a single statement in it sees one state."""
        return await self.write(work)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """In a transaction that is written as a whole or not at all."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def write_later(self, work: Callable[[Connection], _T]) -> _T:
        """One at a time, so that a storm of them leaves a new request its session."""
        async with self._later:
            return await self.write(work)

    async def reserve(self) -> None:
        """Open as many sessions as will be used at the same time: the server, or a pooler, may have too few."""
        got = 0
        try:
            with failing_clearly():
                async with AsyncExitStack() as sessions:
                    for got in range(_CONNECTIONS):  # noqa: B007 - it is how many there were before the one that fails
                        await sessions.enter_async_context(self._engine.connect())
        except LedgerUnavailable as error:
            message = (
                f"callbot needs {_CONNECTIONS + 1} connections to PostgreSQL, and was given {got + 1}: {error.why}. Raise "
                "max_connections of the server, the CONNECTION LIMIT of the user or of the database, or the pool_size of "
                "PgBouncer."
            )
            raise LedgerUnavailable(error.why, message, error.reason) from error

    async def close(self) -> None:
        """Give every session back."""
        await self._engine.dispose()

    def cut(self) -> None:
        """End every session, without a word to a server that may not listen."""
        for session in tuple(self._sessions):
            cut(session)


def connector(dsn: str, sessions: WeakSet[Any] | None = None) -> Callable[[], Awaitable[Any]]:
    """What connects to PostgreSQL, within an end, and notices a peer that is gone ("Connection Settings").

    Each session is also put among the `sessions`.
    """

    async def connect() -> Any:
        with talking_to_postgresql():
            session = await asyncpg.connect(dsn, timeout=_CONNECT, command_timeout=_COMMAND)
            await session.execute(_SETTINGS, timeout=_CONNECT)
        if sessions is not None:
            sessions.add(session)
        return session

    return connect


@contextmanager
def talking_to_postgresql() -> Iterator[None]:
    """Turn whatever asyncpg raises, where SQLAlchemy is not between, into LedgerUnavailable."""
    try:
        yield
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # a session that the server has just ended is used before that is noticed
        KeyError,  # see Reason.NO_NAME
        OSError,
        TimeoutError,
        ValueError,
    ) as error:
        raise unavailable(error) from error


def cut(session: Any) -> None:
    """End a session of asyncpg without a word to the server, which may not listen. Does nothing where it has ended."""
    if not session.is_closed():
        session.terminate()
