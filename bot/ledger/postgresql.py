"""A PostgreSQL server: its transactions, whether it can keep a ledger, and the lock of a run.

It is used through asyncpg, with a timeout for everything that a server or a network may not answer.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar
from weakref import WeakSet

import asyncpg
import structlog
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from bot.ledger.failures import LedgerInUse, LedgerTaken, LedgerUnavailable, Reason, failing_clearly, unavailable
from bot.ledger.tables import alembic_version, metadata

_T = TypeVar("_T")
RUNNING = 0x72756E
"""The first key of the advisory lock: "run" in ASCII. The second one is the schema, so each ledger has its own."""
ANSWER = 5.0
"""Seconds after which a session that does not answer counts as lost."""
_CONNECT = 10.0
_COMMAND = 30.0
_CONNECTIONS = 5
"""For transactions; one more holds the lock of the run."""
_SETTINGS = "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; SET lock_timeout = '3s'"
"""For each session, in seconds. They are no startup parameters, of which PgBouncer takes few ("ignore_startup_parameters")."""

_log = structlog.get_logger("callbot.ledger")


class Sessions:
    """The transactions of one server."""

    together = 1
    """So many of them leave sessions for a new request."""

    def __init__(self, dsn: str) -> None:
        self._sessions = WeakSet[Any]()
        self._closed = False
        self._new_session = _connector(dsn)
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
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
        """Drop every connection, without telling the server, which may not answer. No new one is made."""
        self._closed = True
        for session in tuple(self._sessions):
            _cut(session)

    async def _connect(self) -> Any:
        """A new session; none after `cut`: what waits for its turn then is not written, as the next run may have the ledger."""
        if not self._closed:
            session = await self._new_session()
            self._sessions.add(session)
            if not self._closed:
                return session
            _cut(session)
        raise LedgerUnavailable("closed")


def _connector(dsn: str) -> Callable[[], Awaitable[Any]]:
    """A function that connects to PostgreSQL, with timeouts, and notices a lost peer ("Connection Settings")."""

    async def connect() -> Any:
        with _talking_to_postgresql():
            session = await asyncpg.connect(dsn, timeout=_CONNECT, command_timeout=_COMMAND)
            await session.execute(_SETTINGS, timeout=_CONNECT)
        return session

    return connect


@contextmanager
def _talking_to_postgresql() -> Iterator[None]:
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


def _cut(session: Any) -> None:
    """Drop a connection of asyncpg, without telling the server, which may not answer. Does nothing where it is closed."""
    if not session.is_closed():
        session.terminate()


# ── whether it can keep a ledger ──

_PID = "SELECT pg_backend_pid()"
_DATABASE = """
SELECT current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
       current_schema() AS schema,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create
"""
_TABLES = """
SELECT coalesce(bool_and(has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                         AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')), true) AS may_write,
       count(*) AS number
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname = ANY($1::text[])
"""


async def check_server(dsn: str) -> None:
    """Raise LedgerUnavailable, whose text says what to do, where no ledger can be kept there."""
    connect = _connector(dsn)
    session = await connect()
    try:
        await _refuse_shared(session, connect)
        await _refuse_unfit(session)
    finally:
        _cut(session)


async def _refuse_shared(session: Any, connect: Callable[[], Awaitable[Any]]) -> None:
    """Raise LedgerUnavailable where a pooler shares the session; `connect` makes another session to find that out."""
    with _talking_to_postgresql():
        if await _is_shared(session, connect):
            raise LedgerUnavailable(
                "sessions are shared",
                "DATABASE_URL leads to a pooler that gives each transaction another session (PgBouncer with "
                "pool_mode = transaction or statement), and callbot holds its ledger with a session of its own. "
                "Set pool_mode = session for this database, or name PostgreSQL itself in DATABASE_URL.",
            )


async def _refuse_unfit(session: Any) -> None:
    """Raise LedgerUnavailable where the database of that session can keep no ledger."""
    with _talking_to_postgresql():
        database = await session.fetchrow(_DATABASE)
        tables = await session.fetchrow(
            _TABLES, [alembic_version.name, *(table.name for table in metadata.sorted_tables)]
        )
    if database["encoding"] != "UTF8":
        raise LedgerUnavailable(
            Reason.ENCODING,
            "The database of DATABASE_URL cannot hold every name: its encoding is not UTF-8. Make one that can "
            "(CREATE DATABASE callbot ENCODING 'UTF8' TEMPLATE template0), and name it in DATABASE_URL.",
            Reason.ENCODING,
        )
    if database["read_only"]:
        raise LedgerUnavailable(
            Reason.READ_ONLY,
            "The database of DATABASE_URL is read-only: it is a standby, or default_transaction_read_only is on. "
            "Name one in DATABASE_URL that can be written.",
            Reason.READ_ONLY,
        )
    if not (tables["may_write"] if tables["number"] else database["may_create"]):
        raise LedgerUnavailable(
            Reason.NO_RIGHTS,
            "The user of DATABASE_URL has no right to write the ledger. Make it the owner of the database, or GRANT it "
            "CREATE on the schema, and SELECT, INSERT, UPDATE and DELETE on the tables in it.",
            Reason.NO_RIGHTS,
        )


async def _is_shared(session: Any, connect: Callable[[], Awaitable[Any]]) -> bool:
    """Whether two clients get one session of the server in turn: then they see one pid, or one client sees several.

    The second client holds a transaction, so that the pooler cannot give the first one its session back.
    """
    try:
        ours = {await session.fetchval(_PID) for _ in range(2)}
        other = await connect()
        try:
            async with other.transaction():
                if await other.fetchval(_PID) in ours:
                    return True
                ours.add(await session.fetchval(_PID))
        finally:
            _cut(other)
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        return True  # prepared in one session, executed in another
    return len(ours) > 1


# ── the lock of a run ──


class AdvisoryLock:
    """PostgreSQL: a session-level advisory lock, on a connection that is kept for it ("Advisory Locks").

    The session may end while this process lives, and the lock with it: PostgreSQL is restarted or fails over, an
    administrator ends the session, the network drops the connection. So it is checked, and the lock taken again.
    """

    def __init__(self, dsn: str, place: str) -> None:
        self._connect = _connector(dsn)
        self._place = place
        self._held: Any = None
        """The session of asyncpg that holds the lock, or held it last."""
        self._named: tuple[object, object] | None = None
        """The pid of that session and when it began: together they identify it."""
        self._lost = False

    async def acquire(self) -> None:
        """Take the lock. Raises LedgerInUse, LedgerUnavailable."""
        lock = (
            "SELECT pg_try_advisory_lock($1, hashtext(current_schema())) AS taken, pid, backend_start "
            "FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        session = await self._connect()
        taken = False
        try:
            if self._named is None:  # at the start alone: it takes one more connection, and all may be in use later
                await _refuse_shared(session, self._connect)
            await _refuse_unfit(session)
            with _talking_to_postgresql():
                await self._end_former(session)
                row = await session.fetchrow(lock, RUNNING)
            taken = row["taken"]
        finally:
            if not taken:
                _cut(session)
        if not taken:
            raise LedgerInUse(self._place)
        self._held, self._named = session, (row["pid"], row["backend_start"])

    async def _end_former(self, session: Any) -> None:
        """End our former session on the server, which may not have noticed its end and may keep the lock for it.

        pg_terminate_backend waits that many milliseconds for its end ("Server Signaling Functions", from PostgreSQL 14).
        """
        if self._named is not None and self._held.is_closed():
            end = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2"
            await session.execute(end, *self._named)

    async def check(self) -> None:
        """Check the session; where it is lost, take the lock again. Raises LedgerTaken."""
        if await self._lives():
            return
        if not self._lost:
            _log.error("ledger_session_lost")
        self._lost = not await self._taken_again()

    def replaced(self) -> bool:
        """False: a database of a server has no file that could be replaced."""
        return False

    async def _lives(self) -> bool:
        try:
            with _talking_to_postgresql():
                await self._held.execute("SELECT 1", timeout=ANSWER)
        except LedgerUnavailable:
            _cut(self._held)
            return False
        return True

    async def _taken_again(self) -> bool:
        """Whether the lock is held again; not where PostgreSQL cannot be reached, where nothing can be claimed either."""
        try:
            await self.acquire()
        except LedgerInUse:
            raise LedgerTaken(self._place) from None
        except LedgerUnavailable as error:
            _log.warning("ledger_not_reached", reason=error.why)
            return False
        _log.info("ledger_session_renewed")
        return True

    async def release(self) -> None:
        """Release the lock, at the latest with its session."""
        held, self._held, self._named = self._held, None, None
        if held is None:
            return
        try:
            with _talking_to_postgresql():
                await held.close(timeout=ANSWER)
        except LedgerUnavailable as error:
            _log.warning("ledger_session_cut", reason=error.why)
        finally:
            _cut(held)
