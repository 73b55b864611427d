"""A ledger whose file is removed or replaced while callbot runs is lost: nothing is claimed, and callbot stops."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from bot.domain.commands import Request
from bot.domain.intervention import Intervention
from bot.ledger.failures import LedgerLost
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import SingleRun

Now = Callable[[], datetime]
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


async def hardly(_seconds: float) -> None:
    await asyncio.sleep(0.01)


@pytest.fixture
async def run(sqlite_address: str) -> AsyncIterator[SingleRun]:
    async with SingleRun(sqlite_address) as run:
        yield run


@pytest.fixture
async def ledger(run: SingleRun, sqlite_address: str, clock: Now) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(sqlite_address, now=clock, replaced=run.replaced)
    yield ledger
    await ledger.close()


happens = pytest.mark.parametrize("happens", [removed, copied_over, emptied_lock, removed_wal, removed_shm, moved_away])


@happens
async def test_nothing_is_claimed_in_a_ledger_that_was_replaced(
    ledger: Ledger, tmp_path: Path, asked: Asked, wanted: Wanted, happens: Happens
) -> None:
    await ledger.begin(asked(id="r"))
    happens(tmp_path / "callbot.db")
    with pytest.raises(LedgerUnavailable):
        await ledger.claim("r", wanted(), rule="action")


@happens
async def test_a_run_whose_ledger_was_replaced_is_told_to_stop(
    run: SingleRun, ledger: Ledger, tmp_path: Path, asked: Asked, happens: Happens
) -> None:
    await ledger.begin(asked())
    happens(tmp_path / "callbot.db")
    async with asyncio.timeout(10):
        with pytest.raises(LedgerLost, match="removed or replaced"):
            await run.keep(hardly)


async def test_a_run_stops_also_where_a_claim_was_refused_before(
    run: SingleRun, ledger: Ledger, tmp_path: Path, asked: Asked
) -> None:
    await ledger.begin(asked())
    removed_wal(tmp_path / "callbot.db")
    with pytest.raises(LedgerUnavailable):
        await ledger.begin(asked())
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
        await ledger.following()
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
