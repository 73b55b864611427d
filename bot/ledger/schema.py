"""Creates the tables and brings them up to date at the start, with Alembic.

Alembic takes 9 MB and 0.2 s, so it is imported only where there is something to do.
"""

from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy import inspect as inspector_of

from bot.ledger.database import Database
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet
from bot.ledger.tables import alembic_version

HEAD = "0006"
"""The newest script in migrations/versions."""
SCRIPTS = Path(__file__).parent / "migrations"
MIGRATING = 0x63616C6C626F74
"""The key of the advisory lock that PostgreSQL keeps while one start migrates: "callbot" in ASCII."""


async def bring_up_to_date(database: Database) -> None:
    """Create or migrate the tables. Two starts at once are safe: the second waits and finds nothing to do.

    Raises LedgerUnavailable, also where the ledger was written by a newer callbot.
    """
    if await database.read(_version) == HEAD:
        return
    await database.write(_bring_up_alone if database.on_postgresql else _bring_up)


async def readable_revision(database: Database) -> str:
    """The revision of a ledger that is only read; no column of the audit log has changed since the first one.

    Raises NoLedgerYet where there are no tables, LedgerUnavailable where they are those of a newer callbot.
    """
    revision = await database.read(_version)
    if revision is None:
        raise NoLedgerYet(f"{database.address.place} has no tables")
    if revision > HEAD:
        raise _written_by_a_newer_one(revision)
    return revision


def touch(connection: Connection) -> None:
    """Write what is there already: this succeeds where the ledger takes rows."""
    connection.execute(alembic_version.update(), {"version_num": HEAD})


def _written_by_a_newer_one(revision: str) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"revision {revision} is unknown here",
        f"The ledger was written by a newer callbot (revision {revision}; this one knows up to {HEAD}). "
        "Install that version again, or give this one another DATABASE_URL.",
    )


def _version(connection: Connection) -> str | None:
    """The revision of the ledger; None for an empty one."""
    if not inspector_of(connection).has_table(alembic_version.name):
        return None
    return connection.execute(select(alembic_version.c.version_num)).scalar()


def _bring_up_alone(connection: Connection) -> None:
    """On PostgreSQL, where two transactions may write at the same time."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # another start may migrate for minutes
    connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
    _bring_up(connection)


def _bring_up(connection: Connection) -> None:
    current = _version(connection)
    if current == HEAD:
        return
    if current is not None and current > HEAD:
        raise _written_by_a_newer_one(current)
    from alembic import command  # noqa: PLC0415  (most starts do not need it)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
