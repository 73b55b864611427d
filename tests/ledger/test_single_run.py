"""One run at a time uses a ledger, and it notices when the ledger is no longer its own."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from bot.domain.commands import Request
from bot.domain.intervention import Intervention
from bot.ledger.audit_log import AuditEntry
from bot.ledger.failures import LedgerInUse, LedgerLost
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import SingleRun
from tests.ledger.conftest import OtherProcess
from tests.ledger.lossy_proxy import LossyProxy

Now = Callable[[], datetime]
Entries = Callable[..., Awaitable[list[AuditEntry]]]
Start = Callable[..., OtherProcess]


@pytest.fixture
def postgresql_address(own_postgresql_address: str) -> str:
    """A database of its own: what happens to it here is no other test's business."""
    return own_postgresql_address


async def test_a_second_run_is_refused_again_and_again_and_told_what_to_do(address: str) -> None:
    async with SingleRun(address):
        for _ in range(2):
            with pytest.raises(LedgerInUse, match="Stop the other one first"):
                await SingleRun(address).acquire()


async def test_a_second_run_in_another_process_is_refused(address: str, another_process: Start) -> None:
    async with SingleRun(address):
        assert another_process("hold", address).said() == "refused"


async def test_a_run_that_was_refused_may_try_again(address: str) -> None:
    second = SingleRun(address)
    async with SingleRun(address):
        with pytest.raises(LedgerInUse):
            await second.acquire()
    async with second:
        with pytest.raises(LedgerInUse):
            await SingleRun(address).acquire()


async def test_the_lock_dies_with_a_process_that_is_killed(address: str, another_process: Start) -> None:
    process = another_process("hold", address)
    assert process.said() == "held"
    process.kill()
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


async def test_a_ledger_is_read_beside_a_run(address: str, entries: Entries, clock: Now) -> None:
    async with SingleRun(address):
        ledger = await Ledger.open(address, now=clock)
        assert await entries() == []
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


# ── a session that ends while its process lives ──


async def hardly(_seconds: float) -> None:
    await asyncio.sleep(0.01)


async def holder(address: str) -> int | None:
    """The pid of the session that holds the ledger."""
    server = await asyncpg.connect(address)
    try:
        pid: int | None = await server.fetchval(
            "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        return pid
    finally:
        await server.close()


async def end_session(address: str) -> int | None:
    """As an administrator does it, or a restart: wait until the session that holds the ledger is gone."""
    pid = await holder(address)
    server = await asyncpg.connect(address)
    try:
        assert await server.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    finally:
        await server.close()
    return pid


async def held_by_another_session(address: str, than: int | None) -> None:
    async with asyncio.timeout(10):
        while await holder(address) in {None, than}:
            pass


async def test_a_lock_that_went_with_its_session_is_taken_again(postgresql_address: str) -> None:
    async with SingleRun(postgresql_address) as run:
        keeping = asyncio.create_task(run.keep(hardly))
        await held_by_another_session(postgresql_address, than=await end_session(postgresql_address))
        with pytest.raises(LedgerInUse):
            await SingleRun(postgresql_address).acquire()
        keeping.cancel()


async def test_a_run_whose_ledger_another_one_has_taken_meanwhile_is_told_to_stop(postgresql_address: str) -> None:
    async with SingleRun(postgresql_address) as run:
        await end_session(postgresql_address)
        async with SingleRun(postgresql_address):
            with pytest.raises(LedgerLost, match="has stopped"):
                await run.keep(hardly)


@pytest.fixture
async def proxy(postgresql: str, postgresql_address: str) -> AsyncIterator[LossyProxy]:
    """Stands before the database."""
    name = postgresql_address.partition("?host=")[0].rpartition("/")[2]
    proxy = LossyProxy(postgresql.partition("?host=")[2], name)
    await proxy.start()
    yield proxy
    await proxy.stop()


async def test_a_lock_that_the_server_still_keeps_for_our_lost_session_is_no_other_run(
    postgresql_address: str, proxy: LossyProxy
) -> None:
    async with SingleRun(proxy.url) as run:
        before = await holder(postgresql_address)
        proxy.cut()
        keeping = asyncio.create_task(run.keep(hardly))
        await held_by_another_session(postgresql_address, than=before)
        assert not keeping.done()
        keeping.cancel()


async def test_while_the_ledger_cannot_be_reached_the_lock_is_asked_for_again_and_again(
    postgresql_address: str, proxy: LossyProxy
) -> None:
    async with SingleRun(proxy.url) as run:
        proxy.passable = False
        before, looks = await end_session(postgresql_address), 0

        async def look(_seconds: float) -> None:
            nonlocal looks
            looks += 1
            proxy.passable = looks > 3
            await hardly(_seconds)

        keeping = asyncio.create_task(run.keep(look))
        await held_by_another_session(postgresql_address, than=before)
        keeping.cancel()
        assert looks > 3


async def test_on_sqlite_there_is_no_session_that_could_end(sqlite_address: str) -> None:
    async with SingleRun(sqlite_address) as run:
        keeping = asyncio.create_task(run.keep(hardly))
        with pytest.raises(LedgerInUse):
            await SingleRun(sqlite_address).acquire()
        assert not keeping.done()
        keeping.cancel()


# ── a file that is removed or replaced ──


Asked = Callable[..., Request]
Wanted = Callable[..., Intervention]
Happens = Callable[[Path], None]


def removed(file: Path) -> None:
    file.unlink()


def copied_over(file: Path) -> None:
    """As a restored backup is moved into its place."""
    shutil.copy(file, file.with_name("backup"))
    file.with_name("backup").replace(file)


def emptied_lock(file: Path) -> None:
    lock = file.with_name("callbot.db.lock")
    lock.unlink()
    lock.touch()


def removed_shm(file: Path) -> None:
    file.with_name("callbot.db-shm").unlink()


def removed_wal(file: Path) -> None:
    file.with_name("callbot.db-wal").unlink()


def moved_away(file: Path) -> None:
    file.rename(file.with_name("old.db"))


@pytest.fixture
async def run(sqlite_address: str) -> AsyncIterator[SingleRun]:
    async with SingleRun(sqlite_address) as run:
        yield run


@pytest.fixture
async def ledger(run: SingleRun, sqlite_address: str, clock: Now) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(sqlite_address, now=clock, replaced=run.replaced)
    yield ledger
    await ledger.close()


@pytest.mark.parametrize("happens", [removed, copied_over, emptied_lock, removed_wal, removed_shm, moved_away])
async def test_nothing_is_written_into_a_ledger_that_was_replaced_and_its_run_is_told_to_stop(
    run: SingleRun, ledger: Ledger, tmp_path: Path, asked: Asked, happens: Happens
) -> None:
    await ledger.begin(asked())
    happens(tmp_path / "callbot.db")
    with pytest.raises(LedgerUnavailable):
        await ledger.begin(asked())
    async with asyncio.timeout(10):
        with pytest.raises(LedgerLost, match="removed or replaced"):
            await run.keep(hardly)


async def test_a_run_whose_ledger_was_replaced_is_told_to_stop_though_nothing_is_written(
    run: SingleRun, ledger: Ledger, tmp_path: Path, asked: Asked
) -> None:
    await ledger.begin(asked())
    copied_over(tmp_path / "callbot.db")
    async with asyncio.timeout(10):
        with pytest.raises(LedgerLost):
            await run.keep(hardly)


async def test_a_ledger_that_is_written_read_and_copied_is_not_lost(
    run: SingleRun, ledger: Ledger, tmp_path: Path, asked: Asked
) -> None:
    looks = 0

    async def look(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 20:
            raise TimeoutError
        await ledger.begin(asked())
        await ledger.tracked()
        await asyncio.to_thread(shutil.copy, tmp_path / "callbot.db", tmp_path / "copied.db")

    with pytest.raises(TimeoutError):
        await run.keep(look)


async def test_another_name_of_the_same_file_is_the_same_ledger(
    run: SingleRun, ledger: Ledger, tmp_path: Path, asked: Asked
) -> None:
    await asyncio.to_thread(os.link, tmp_path / "callbot.db", tmp_path / "other.db")
    assert (await ledger.begin(asked()), run.replaced()) == (True, False)


async def test_a_link_that_leads_to_another_folder_meanwhile_is_another_ledger(
    tmp_path: Path, clock: Now, asked: Asked
) -> None:
    """As a symbolic link is moved from one volume to the next."""
    for volume in ("old", "new"):
        (tmp_path / volume).mkdir()
    (tmp_path / "data").symlink_to("old")
    url = f"sqlite:///{tmp_path}/data/callbot.db"
    async with SingleRun(url) as run:
        ledger = await Ledger.open(url, now=clock, replaced=run.replaced)
        (tmp_path / "next").symlink_to("new")
        (tmp_path / "next").replace(tmp_path / "data")
        with pytest.raises(LedgerUnavailable):
            await ledger.begin(asked())
        await ledger.close()
