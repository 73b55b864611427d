"""One run at a time uses a ledger."""

import subprocess
from collections.abc import Callable
from datetime import datetime

import asyncpg
import pytest

from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import LedgerInUse, SingleRun

Now = Callable[[], datetime]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def postgresql_address(own_postgresql_address: str) -> str:
    """A database of its own: what happens to it here is no other test's business."""
    return own_postgresql_address


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def test_a_second_run_is_refused(address: str) -> None:
    async with SingleRun(address):
        with pytest.raises(LedgerInUse):
            await SingleRun(address).acquire()


async def test_a_second_run_in_another_process_is_refused(address: str, another_process: Start) -> None:
    async with SingleRun(address):
        assert said(another_process("hold", address)) == "refused"


async def test_a_second_run_is_told_what_to_do(address: str) -> None:
    async with SingleRun(address):
        with pytest.raises(LedgerInUse, match="Stop the other one first"):
            await SingleRun(address).acquire()


async def test_when_a_run_has_stopped_the_next_one_may_start(address: str) -> None:
    async with SingleRun(address):
        pass
    async with SingleRun(address):
        pass


async def test_a_run_that_was_refused_may_try_again(address: str) -> None:
    second = SingleRun(address)
    async with SingleRun(address):
        with pytest.raises(LedgerInUse):
            await second.acquire()
    async with second:
        with pytest.raises(LedgerInUse):
            await SingleRun(address).acquire()


async def test_a_refused_run_does_not_free_the_lock_of_the_first(address: str) -> None:
    async with SingleRun(address):
        for _ in range(2):
            with pytest.raises(LedgerInUse):
                await SingleRun(address).acquire()


async def test_the_lock_dies_with_a_process_that_is_killed(address: str, another_process: Start) -> None:
    process = another_process("hold", address)
    assert said(process) == "held"
    process.kill()
    process.wait(timeout=10)
    await _free(address)
    async with SingleRun(address):
        pass


async def _free(address: str) -> None:
    """PostgreSQL notices a moment later that its client is gone: wait until it has no other session here."""
    if not address.startswith("postgresql"):
        return
    server = await asyncpg.connect(address)
    try:
        await server.execute(
            "DO $$ BEGIN FOR i IN 1..500 LOOP "
            "PERFORM pg_stat_clear_snapshot(); "
            "EXIT WHEN NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'); "
            "PERFORM pg_sleep(0.02); END LOOP; END $$"
        )
    finally:
        await server.close()


async def test_a_ledger_is_read_beside_a_run(address: str, clock: Now) -> None:
    async with SingleRun(address):
        ledger = await Ledger.open(address, now=clock)
        assert await ledger.requests_since() == ()
        await ledger.close()


async def test_one_run_holds_its_ledger_once(address: str) -> None:
    async with SingleRun(address) as run:
        with pytest.raises(LedgerInUse):
            await run.acquire()


async def test_releasing_what_is_not_held_does_nothing(address: str) -> None:
    run = SingleRun(address)
    await run.release()
    async with run:
        pass


async def test_another_ledger_of_the_same_server_is_not_held(postgresql: str, postgresql_address: str) -> None:
    async with SingleRun(postgresql_address), SingleRun(postgresql % "postgres"):
        pass


async def test_a_lock_whose_connection_was_cut_is_released_without_a_fuss(postgresql_address: str) -> None:
    run = SingleRun(postgresql_address)
    await run.acquire()
    server = await asyncpg.connect(postgresql_address)
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await server.close()
    await run.release()
    async with run:
        pass


async def test_where_the_ledger_cannot_be_reached_nobody_runs() -> None:
    with pytest.raises(LedgerUnavailable, match="cannot be opened"):
        await SingleRun("postgresql://ana@127.0.0.1:1/callbot").acquire()
