"""Addresses, files and failures: nothing but LedgerUnavailable leaves the ledger."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from bot.domain.commands import Request
from bot.domain.intervention import Intervention
from bot.ledger.address import Address
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import SingleRun
from tests.ledger.conftest import OtherProcess

Asked = Callable[..., Request]
Wanted = Callable[..., Intervention]
Now = Callable[[], datetime]
Start = Callable[..., OtherProcess]


@pytest.fixture
def postgresql_address(own_postgresql_address: str) -> str:
    """A database of its own: what happens to it here is no other test's business."""
    return own_postgresql_address


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
async def test_every_file_of_a_ledger_is_for_its_owner_alone(tmp_path: Path, clock: Now, asked: Asked) -> None:
    url = f"sqlite:///{tmp_path}/callbot.db"
    async with SingleRun(url):
        ledger = await Ledger.open(url, now=clock)
        await ledger.begin(asked())
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(tmp_path)}
        await ledger.close()
    assert modes == dict.fromkeys(("callbot.db", "callbot.db-wal", "callbot.db-shm", "callbot.db.lock"), 0o600)


def test_three_slashes_are_a_file_in_the_working_directory() -> None:
    assert Address("sqlite:///callbot.db").file == Path.cwd() / "callbot.db"


def test_four_slashes_are_a_file_anywhere() -> None:
    assert Address("sqlite:////srv/callbot.db").file == Path("/srv/callbot.db")


def test_two_names_of_one_file_are_one_ledger(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "callbot.db")
    assert Address(f"sqlite:///{tmp_path}/link.db").place == Address(f"sqlite:///{tmp_path}/callbot.db").place


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_postgresql_is_found_under_each_name_that_people_write(scheme: str) -> None:
    assert Address(f"{scheme}://ana:secret@db.example.com/x?sslmode=require").dsn == (
        "postgresql://ana:secret@db.example.com/x?sslmode=require"
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:secret@db.example.com/x",
        "postgresql://ana:%23%2F%3F%5B%40@db.example.com:5432/x",
        "postgresql://ana@/x?host=/var/run/postgresql",
        "postgresql:///x",
        "postgresql://ana@a.example.com:1,b.example.com/x?target_session_attrs=primary",
        "postgresql://ana:secret@[::1]:5432/x",
        "postgresql://%2Fvar%2Frun/x?user=ana&password=secret",
    ],
)
def test_an_address_of_a_server_is_taken_as_libpq_writes_it(url: str) -> None:
    assert Address(url).dsn == url


@pytest.mark.parametrize(
    "password", ["a#b", "a/b", "a?b", "a[b", "a]b", "a@b", "a:b", "1#b", "1/b", "1?b", "a@b/c", "a@b?c"]
)
def test_a_password_with_a_sign_of_an_address_is_to_be_percent_encoded(password: str) -> None:
    with pytest.raises(LedgerUnavailable, match="Percent-encode it"):
        Address(f"postgresql://ana:{password}@db.example.com/callbot")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite",
        "callbot.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://db.example.com/x",
        "postgresql",
        "postgresql://",
    ],
)
def test_an_address_of_no_ledger_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(LedgerUnavailable, match=r"sqlite:///callbot\.db"):
        Address(url)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path, clock: Now) -> None:
    with pytest.raises(LedgerUnavailable, match=r"nowhere/callbot\.db.*no such file or folder"):
        await Ledger.open(f"sqlite:///{tmp_path}/nowhere/callbot.db", now=clock)


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, clock: Now) -> None:
    letter = tmp_path / "callbot.db"
    letter.write_text("This is a letter and not a database.\n" * 100)
    before = letter.read_bytes()
    with pytest.raises(LedgerUnavailable, match="not a database"):
        await Ledger.open(f"sqlite:///{letter}", now=clock)
    assert letter.read_bytes() == before


async def test_a_server_that_does_not_answer_is_said_without_its_password(clock: Now) -> None:
    with pytest.raises(LedgerUnavailable) as refused:
        await Ledger.open("postgresql://ana:hush@127.0.0.1:1/callbot", now=clock)
    assert "hush" not in f"{refused.value} {refused.value.why}"


async def test_a_database_that_the_server_does_not_have_is_said(postgresql: str, clock: Now) -> None:
    with pytest.raises(LedgerUnavailable, match="does not exist"):
        await Ledger.open(postgresql % "nowhere", now=clock)


async def test_a_closed_ledger_says_so_and_may_be_closed_again(ledger: Ledger, asked: Asked) -> None:
    await ledger.close()
    with pytest.raises(LedgerUnavailable):
        await ledger.begin(asked())
    await ledger.close()


async def test_closing_lets_what_is_being_written_finish(address: str, clock: Now, asked: Asked) -> None:
    ledger = await Ledger.open(address, now=clock)
    writing = [asyncio.ensure_future(ledger.begin(asked())) for _ in range(20)]
    await asyncio.wait(writing, timeout=0)
    await ledger.close()
    assert [task.done() and task.result() for task in writing] == [True] * 20


async def test_tables_that_are_gone_are_no_raw_error(address: str, clock: Now) -> None:
    ledger = await Ledger.open(address, now=clock)
    await ledger._database.write(lambda connection: connection.exec_driver_sql("DROP TABLE cards"))
    with pytest.raises(LedgerUnavailable):
        await ledger.posted("card1")
    await ledger.close()


async def test_what_goes_to_the_log_quotes_no_row(ledger: Ledger, asked: Asked) -> None:
    await ledger.begin(asked(id="same"))
    with pytest.raises(LedgerUnavailable) as refused:
        await ledger.begin(asked(id="same", said="/monitor +15550142"))
    assert "+15550142" not in f"{refused.value} {refused.value.why} {refused.value.__cause__}"


async def test_on_a_full_disk_nothing_is_claimed(
    sqlite_address: str, clock: Now, asked: Asked, wanted: Wanted, another_process: Start
) -> None:
    ledger = await Ledger.open(sqlite_address, now=clock)
    await ledger.begin(asked(id="r"))
    process = another_process("full", sqlite_address, "r", wanted().model_dump_json())
    assert process.said() == "ready"
    process.tell()
    assert process.said() == "unavailable"
    assert await ledger.tracked() == ()
    await ledger.close()


async def test_a_connection_that_the_server_cut_is_made_anew(
    postgresql_address: str, postgresql: str, clock: Now, asked: Asked
) -> None:
    ledger = await Ledger.open(postgresql_address, now=clock)
    await ledger.begin(asked())
    server = await asyncpg.connect(postgresql_address)
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await server.close()
    assert await ledger.begin(asked())
    await ledger.close()


async def test_the_event_loop_goes_on_while_another_process_writes(
    tmp_path: Path, sqlite_address: str, clock: Now, asked: Asked
) -> None:
    ledger = await Ledger.open(sqlite_address, now=clock)
    other = sqlite3.connect(tmp_path / "callbot.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(ledger.begin(asked()))
    assert await ledger.tracked() == ()
    assert not writing.done()
    other.execute("ROLLBACK")
    other.close()
    assert await writing
    await ledger.close()
