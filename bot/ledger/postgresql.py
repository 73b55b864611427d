"""PostgreSQL through asyncpg, with a timeout for everything that a server or a network may not answer."""

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
"""For each session, in seconds. They are no startup parameters, of which PgBouncer takes few ("ignore_startup_parameters")."""


class Sessions:
    """The transactions of one server."""

    together = 1
    """So many of them leave sessions for a new request."""

    def __init__(self, dsn: str) -> None:
        self._sessions = WeakSet[Any]()
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
        """In a transaction; each statement sees one state."""
        return await self.write(work)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """In a transaction that is written as a whole or not at all."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def reserve(self) -> None:
        """Open all sessions now: the server or a pooler may have too few."""
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
        """Close every session."""
        await self._engine.dispose()

    def cut(self) -> None:
        """Drop every connection, without telling the server, which may not answer."""
        for session in tuple(self._sessions):
            cut(session)


def connector(dsn: str, sessions: WeakSet[Any] | None = None) -> Callable[[], Awaitable[Any]]:
    """A function that connects to PostgreSQL, with timeouts, and notices a lost peer ("Connection Settings").

    It adds each session to `sessions`.
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
    """Turn what asyncpg raises into LedgerUnavailable, where it is used without SQLAlchemy."""
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
    """Drop a connection of asyncpg, without telling the server, which may not answer. Does nothing where it is closed."""
    if not session.is_closed():
        session.terminate()
