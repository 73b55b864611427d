"""The tables are brought up to date at the start."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.ledger import schema
from bot.ledger.address import Address
from bot.ledger.database import Database
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.tables import metadata
from tests.ledger.conftest import OtherProcess

Now = Callable[[], datetime]
Start = Callable[..., OtherProcess]


@pytest.fixture
async def postgresql_address(new_database: Callable[..., Awaitable[str]], request: pytest.FixtureRequest) -> str:
    """An empty database: here the start itself is looked at."""
    return await new_database(f"empty_{abs(hash(request.node.nodeid)):x}")


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_the_tables_of_a_new_ledger_are_those_of_the_code(address: str, clock: Now) -> None:
    ledger = await Ledger.open(address, now=clock)
    try:
        assert await ledger._database.read(_differences) == []
    finally:
        await ledger.close()


def test_the_newest_script_is_the_one_that_the_start_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


async def test_what_was_written_outlives_the_next_start(address: str, ledger: Ledger, clock: Now) -> None:
    await ledger.save_posted("card1", "C0FLOOR", "1700000000.000100")
    again = await Ledger.open(address, now=clock)
    try:
        assert (await again.posted("card1")).address == ("C0FLOOR", "1700000000.000100")
    finally:
        await again.close()


async def test_a_ledger_of_an_older_callbot_keeps_its_rows(address: str, clock: Now) -> None:
    database = await Database.open(Address(address))
    await database.write(_first_form)
    row = "VALUES ('card1', 'C0FLOOR', '1700000000.000100', '2026-03-02 12:00:00+00')"
    insert = f"INSERT INTO cards (id, channel, ts, updated_at) {row}"
    await database.write(lambda connection: connection.exec_driver_sql(insert))
    await database.close()
    ledger = await Ledger.open(address, now=clock)
    try:
        assert (await ledger.posted("card1")).address == ("C0FLOOR", "1700000000.000100")
        assert (await ledger.posted("card1")).pending is None
    finally:
        await ledger.close()


def _first_form(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


async def test_a_ledger_of_a_newer_callbot_is_refused(address: str, ledger: Ledger, clock: Now) -> None:
    newer = "UPDATE alembic_version SET version_num = '9999'"
    await ledger._database.write(lambda connection: connection.exec_driver_sql(newer))
    with pytest.raises(LedgerUnavailable, match="newer callbot"):
        await Ledger.open(address, now=clock)


async def test_starts_at_the_same_moment_are_safe(address: str, another_process: Start) -> None:
    processes = [another_process("open", address) for _ in range(4)]
    assert [process.said() for process in processes] == ["ready"] * 4
    for process in processes:
        process.tell()
    assert [process.said() for process in processes] == ["opened"] * 4
