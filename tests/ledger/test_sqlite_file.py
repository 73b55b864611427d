"""An SQLite ledger: writes at the same time share a commit, and after an orderly stop the file has everything."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.domain.commands import Request
from bot.domain.errors import AlreadyAsked
from bot.domain.intervention import Intervention
from bot.ledger.audit_log import AuditLog
from bot.ledger.failures import Reason
from bot.ledger.ledger import Ledger, LedgerUnavailable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Asked = Callable[..., Request]
Wanted = Callable[..., Intervention]


@pytest.fixture
async def written(tmp_path: Path, clock: Callable[[], datetime]) -> AsyncIterator[tuple[Path, Ledger]]:
    ledger = await Ledger.open(f"sqlite:///{tmp_path}/callbot.db", now=clock)
    yield tmp_path / "callbot.db", ledger
    await ledger.close()


@contextmanager
def somebody_writing(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def commits(path: Path) -> int:
    """How many there are in the write-ahead log: frames that say how large the file is after them ("WAL-mode File Format")."""
    log = path.with_name(path.name + "-wal").read_bytes()
    frame = 24 + int.from_bytes(log[8:12])
    return sum(any(log[start + 4 : start + 8]) for start in range(32, len(log), frame))


async def begun(*works: Callable[[], object]) -> list[asyncio.Future[object]]:
    """All of them, asked for and not written yet."""
    tasks = [asyncio.ensure_future(work()) for work in works]  # type: ignore[call-overload]
    for _ in range(5):  # turns of the loop, so that each has reached the database
        await asyncio.wait(tasks, timeout=0)
    return tasks


async def test_what_waits_for_one_commit_shares_the_next(written: tuple[Path, Ledger], asked: Asked) -> None:
    path, ledger = written
    await ledger.begin(asked())
    before = commits(path)
    with somebody_writing(path):
        waiting = await begun(*(lambda: ledger.begin(asked()) for _ in range(20)))
    assert await asyncio.gather(*waiting) == [True] * 20
    assert commits(path) - before <= 2


async def test_one_that_fails_takes_no_other_with_it(written: tuple[Path, Ledger], asked: Asked) -> None:
    path, ledger = written
    await ledger.begin(asked(id="same"))
    with somebody_writing(path):
        waiting = await begun(
            lambda: ledger.begin(asked(id="first")),
            lambda: ledger.begin(asked(id="second")),
            lambda: ledger.begin(asked(id="same")),
            lambda: ledger.begin(asked(id="third")),
        )
    came = await asyncio.gather(*waiting, return_exceptions=True)
    assert [one is True for one in came] == [True, True, False, True]
    assert isinstance(came[2], LedgerUnavailable)
    assert {request.id for request in await ledger.interrupted()} == {"same", "first", "second", "third"}


async def test_of_two_claims_in_one_commit_one_wins(written: tuple[Path, Ledger], asked: Asked, wanted: Wanted) -> None:
    path, ledger = written
    for name in ("ana", "dan"):
        await ledger.begin(asked(id=name))
    with somebody_writing(path):
        waiting = await begun(
            lambda: ledger.begin(asked()),
            lambda: ledger.claim("ana", wanted("PickUp", slack_user="U0ANA"), rule="supervisor"),
            lambda: ledger.claim("dan", wanted("PickUp", slack_user="U0DAN"), rule="supervisor"),
        )
    came = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in came] == [bool, type(None), AlreadyAsked]
    assert [one.slack_user for one in await ledger.tracked()] == ["U0ANA"]


async def test_a_new_request_does_not_wait_for_all_that_may_be_written_later(
    written: tuple[Path, Ledger], asked: Asked
) -> None:
    path, ledger = written
    with somebody_writing(path):
        posts = await begun(*(lambda n=n: ledger.save_pending_post(f"card{n}", "C0FLOOR", NOW) for n in range(100)))
        (request,) = await begun(lambda: ledger.begin(asked()))
    assert await request
    assert sum(post.done() for post in posts) < 50
    await asyncio.gather(*posts)


async def test_what_is_written_later_is_written_in_its_order(written: tuple[Path, Ledger]) -> None:
    path, ledger = written
    with somebody_writing(path):
        posts = await begun(*(lambda n=n: ledger.save_pending_post("card", f"C0{n:03}", NOW) for n in range(40)))
    await asyncio.gather(*posts)
    pending_post = (await ledger.posted("card")).pending
    assert pending_post is not None
    assert pending_post[0] == "C0039"


async def test_what_is_cancelled_while_it_waits_is_written_all_the_same(
    written: tuple[Path, Ledger], asked: Asked
) -> None:
    path, ledger = written
    with somebody_writing(path):
        (waiting,) = await begun(lambda: ledger.begin(asked(id="left")))
        waiting.cancel()
    assert await ledger.begin(asked(id="next"))
    assert {request.id for request in await ledger.interrupted()} == {"left", "next"}


async def test_where_a_commit_cannot_be_begun_all_hear_of_it_and_nothing_is_written(
    written: tuple[Path, Ledger], clock: Callable[[], datetime], asked: Asked
) -> None:
    """The ledger is closed while another process has the file: neither what is at its turn is done, nor what waits."""
    path, ledger = written
    with somebody_writing(path):
        waiting = await begun(*(lambda: ledger.begin(asked()) for _ in range(3)))
        waiting += await begun(*(lambda: ledger.begin(asked()) for _ in range(3)))
        closed = asyncio.get_running_loop().time()
        await ledger.close()
        came = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in came] == [LedgerUnavailable] * 6
    assert asyncio.get_running_loop().time() - closed < 8  # and not the ten seconds that a writer else waits
    again = await Ledger.open(f"sqlite:///{path}", now=clock)
    try:
        assert await again.interrupted() == ()
    finally:
        await again.close()


def defer(connection: Connection) -> None:
    """A foreign key that is checked at the end only fails the COMMIT, which leaves the transaction open ("COMMIT")."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    connection.exec_driver_sql("UPDATE requests SET intervention = 'nobody' WHERE id = 'there'")


def roll_back(connection: Connection) -> None:
    """SQLite rolls the whole transaction back by itself, as it may on a full disk ("The ON CONFLICT Clause")."""
    connection.exec_driver_sql("INSERT OR ROLLBACK INTO requests SELECT * FROM requests WHERE id = 'there'")


@pytest.mark.parametrize("fail", [defer, roll_back])
async def test_a_commit_that_fails_tells_all_of_it_and_the_next_one_is_made(
    written: tuple[Path, Ledger], asked: Asked, fail: Callable[[Connection], None]
) -> None:
    path, ledger = written
    await ledger.begin(asked(id="there"))
    with somebody_writing(path):
        waiting = await begun(lambda: ledger.begin(asked(id="beside")), lambda: ledger._database.write(fail))
    came = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(one, LedgerUnavailable) and one.reason for one in came] == [Reason.CONFLICT] * 2
    assert await ledger.begin(asked(id="next"))
    assert {request.id for request in await ledger.interrupted()} == {"there", "next"}


async def test_what_is_committed_survives_a_loss_of_power(written: tuple[Path, Ledger]) -> None:
    """2 is FULL ("PRAGMA synchronous"): the write-ahead log is synced at each commit."""
    _, ledger = written
    pragma = "PRAGMA synchronous"
    assert await ledger._database.write(lambda connection: connection.exec_driver_sql(pragma).scalar()) == 2


# ── the file ──


Now = Callable[[], datetime]

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
    await ledger.tracked()
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
    await ledger.tracked()
    with closing(sqlite3.connect(tmp_path / "callbot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        posts = (lambda n=n: ledger.save_pending_post(f"card{n}", "C0FLOOR", NOW) for n in range(40))
        waiting = await begun(lambda: ledger.begin(asked()), *posts)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ledger.close()
        came = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in came} == {LedgerUnavailable}
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
    """A copy of the stopped ledger, in a folder where nobody but root may write anything."""
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
