"""Whether a PostgreSQL server can keep a ledger: checked when callbot takes its lock, and by `callbot check`."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from bot.ledger.failures import LedgerUnavailable
from bot.ledger.postgresql import connector, cut, talking_to_postgresql
from bot.ledger.reasons import Reason
from bot.ledger.schema import REVISION
from bot.ledger.tables import metadata

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
    connect = connector(dsn)
    session = await connect()
    try:
        await refuse_shared(session, connect)
        await refuse_unfit(session)
    finally:
        cut(session)


async def refuse_shared(session: Any, connect: Callable[[], Awaitable[Any]]) -> None:
    """Raise LedgerUnavailable where a pooler shares the session; `connect` makes another session to find that out."""
    with talking_to_postgresql():
        if await _is_shared(session, connect):
            raise LedgerUnavailable(
                "sessions are shared",
                "DATABASE_URL leads to a pooler that gives each transaction another session (PgBouncer with "
                "pool_mode = transaction or statement), and callbot holds its ledger with a session of its own. "
                "Set pool_mode = session for this database, or name PostgreSQL itself in DATABASE_URL.",
            )


async def refuse_unfit(session: Any) -> None:
    """Raise LedgerUnavailable where the database of that session can keep no ledger."""
    with talking_to_postgresql():
        database = await session.fetchrow(_DATABASE)
        tables = await session.fetchrow(_TABLES, [REVISION.name, *(table.name for table in metadata.sorted_tables)])
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
            cut(other)
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        return True  # prepared in one session, executed in another
    return len(ours) > 1
