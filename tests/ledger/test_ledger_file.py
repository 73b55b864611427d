"""The file of an SQLite ledger: after an orderly stop it holds everything, and nobody holds it."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from bot.domain.commands import Request
from bot.ledger.audit_log import AuditLog
from bot.ledger.ledger import Ledger

Now = Callable[[], datetime]
Asked = Callable[..., Request]

linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc shows which files a process has open")


def held(folder: Path) -> list[str]:
    """The files of that folder that this process has open."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(Path(os.readlink(descriptor)))  # noqa: PTH115 - a removed file has no path to resolve
    return sorted(file.name for file in found if file.parent == folder)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nobody tells when a thread has closed its file
            await asyncio.sleep(0)


@pytest.fixture
async def stopped(tmp_path: Path, clock: Now, asked: Asked) -> Path:
    """The file of a ledger that was used, read and closed."""
    ledger = await Ledger.open(f"sqlite:///{tmp_path}/callbot.db", now=clock)
    for number in range(20):
        await ledger.begin(asked(id=f"r{number}"))
    await ledger.following()
    await ledger.close()
    return tmp_path / "callbot.db"


async def test_a_closed_ledger_leaves_its_file_alone(stopped: Path) -> None:
    assert [file.name for file in stopped.parent.iterdir()] == ["callbot.db"]


async def test_a_copy_of_the_file_of_a_closed_ledger_has_everything(stopped: Path) -> None:
    copied = shutil.copy(stopped, stopped.with_name("copied.db"))
    audit_log = await AuditLog.open(f"sqlite:///{copied}")
    entries = [entry async for piece in audit_log.pieces() for entry in piece]
    await audit_log.close()
    assert len(entries) == 20


async def test_a_file_that_was_damaged_meanwhile_is_closed_without_a_raw_error(
    stopped: Path, clock: Now, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = await Ledger.open(f"sqlite:///{stopped}", now=clock)
    await ledger.begin(asked())
    # By another process: closing the file in this one would let go of SQLite's locks on it.
    for size, file in (("0", f"{stopped}-wal"), ("4096", str(stopped))):
        truncating = await asyncio.create_subprocess_exec("truncate", "-s", size, file)
        assert await truncating.wait() == 0
    await ledger.close()
    assert "ledger_not_closed" in capsys.readouterr().out


async def test_a_reader_beside_it_keeps_nothing_out_of_the_file(tmp_path: Path, clock: Now, asked: Asked) -> None:
    url = f"sqlite:///{tmp_path}/callbot.db"
    ledger = await Ledger.open(url, now=clock)
    audit_log = await AuditLog.open(url)
    await ledger.begin(asked())
    await ledger.close()
    copied = shutil.copy(tmp_path / "callbot.db", tmp_path / "copied.db")
    await audit_log.close()
    with closing(sqlite3.connect(copied)) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (1,)


@linux
async def test_a_closed_ledger_has_no_file_open(stopped: Path) -> None:
    assert held(stopped.parent) == []


@linux
async def test_a_ledger_that_was_read_has_no_file_open_after_it_is_closed(stopped: Path) -> None:
    audit_log = await AuditLog.open(f"sqlite:///{stopped}")
    await audit_log.close()
    assert held(stopped.parent) == []


@linux
async def test_a_closing_that_is_cut_short_closes_the_file_a_moment_later(
    tmp_path: Path, clock: Now, asked: Asked
) -> None:
    ledger = await Ledger.open(f"sqlite:///{tmp_path}/callbot.db", now=clock)
    await ledger.following()
    with closing(sqlite3.connect(tmp_path / "callbot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(ledger.begin(asked()))
        await asyncio.wait([writing], timeout=0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ledger.close()
        await asyncio.wait([writing])
        assert writing.exception() is not None
    await until(lambda: held(tmp_path) == [])


# ── a user who may not write ──


@contextmanager
def another_user() -> Iterator[None]:
    """Root may do everything: for as long as this lasts it is nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def shown_only(stopped: Path) -> Iterator[Path]:
    """The same file, in a folder where nobody but root may write anything."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own folders let no other user in
    copied = Path(shutil.copy(stopped, folder))
    copied.chmod(0o444)
    folder.chmod(0o555)
    with another_user():
        yield copied
    folder.chmod(0o755)
    shutil.rmtree(folder)


async def test_the_ledger_of_a_callbot_that_has_stopped_is_read_where_nothing_can_be_written(shown_only: Path) -> None:
    audit_log = await AuditLog.open(f"sqlite:///{shown_only}")
    entries = [entry async for piece in audit_log.pieces() for entry in piece]
    await audit_log.close()
    assert len(entries) == 20
