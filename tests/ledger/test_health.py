"""A ledger that cannot be used says why, in our own words, and is known as such; one that never could is refused."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest

from bot.app.check.check import check
from bot.app.metrics import Metrics
from bot.app.output import Finding, Mark
from bot.domain.commands import Request
from bot.ledger.failures import Reason
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import SingleRun

Now = Callable[[], datetime]
Asked = Callable[..., Request]

LOCKED = "locked by another process"


@contextmanager
def locked(file: Path) -> Any:
    """Another process writes in it, and does not end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.01)


@pytest.fixture
async def on_file(sqlite_address: str, clock: Now) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(sqlite_address, now=clock)
    yield ledger
    await ledger.close()


async def refused(writing: "asyncio.Future[bool]") -> bool:
    await asyncio.wait([writing])
    return isinstance(writing.exception(), LedgerUnavailable)


# ── a locked ledger ──


async def test_that_it_is_locked_is_said_to_everybody_who_waits_after_3_s(
    on_file: Ledger, tmp_path: Path, asked: Asked
) -> None:
    """Not all go into one commit: those who come next do not wait for 3 s once more."""
    with locked(tmp_path / "callbot.db"):
        begun = monotonic()
        waiting = [asyncio.ensure_future(on_file.begin(asked())) for _ in range(200)]
        assert all([await refused(each) for each in waiting])
        seconds = monotonic() - begun
    assert 2.5 < seconds < 5.5


async def test_a_request_that_comes_while_it_has_long_been_locked_is_refused_at_once(
    on_file: Ledger, tmp_path: Path, asked: Asked
) -> None:
    with locked(tmp_path / "callbot.db"):
        assert await refused(asyncio.ensure_future(on_file.begin(asked())))
        begun = monotonic()
        assert await refused(asyncio.ensure_future(on_file.begin(asked())))
        seconds = monotonic() - begun
    assert seconds < 1.5


async def test_after_a_lock_a_writer_waits_for_the_next_one_as_before(
    on_file: Ledger, tmp_path: Path, asked: Asked
) -> None:
    file = tmp_path / "callbot.db"
    with locked(file):
        assert await refused(asyncio.ensure_future(on_file.begin(asked())))
    assert await on_file.begin(asked())
    with locked(file):
        writing = asyncio.ensure_future(on_file.begin(asked()))
        await asyncio.wait([writing], timeout=1.0)
        assert not writing.done()
    assert await writing


# ── whether rows are taken ──


async def test_a_ledger_that_refused_a_row_takes_none_and_the_failure_is_counted_by_its_reason(
    on_file: Ledger, tmp_path: Path, asked: Asked
) -> None:
    metrics = Metrics()
    on_file.on_failure(metrics.ledger_failed)
    with locked(tmp_path / "callbot.db"):
        assert await refused(asyncio.ensure_future(on_file.begin(asked())))
        assert not on_file.takes_rows
    assert f'callbot_ledger_failures_total{{reason="{LOCKED}"}} 1.0' in metrics.exposition().decode()


async def test_that_no_rows_are_taken_is_found_out_where_nobody_asks_for_anything(
    on_file: Ledger, tmp_path: Path
) -> None:
    with locked(tmp_path / "callbot.db"):
        keeping = asyncio.create_task(on_file.keep(at_once))
        await until(lambda: not on_file.takes_rows)
    await until(lambda: on_file.takes_rows)
    keeping.cancel()


async def test_what_is_wrong_with_a_request_alone_says_nothing_of_the_ledger(on_file: Ledger, asked: Asked) -> None:
    await on_file.begin(asked(id="same"))
    assert await refused(asyncio.ensure_future(on_file.begin(asked(id="same"))))
    assert on_file.takes_rows


async def test_each_reason_is_logged_once_and_that_it_works_again(
    on_file: Ledger, tmp_path: Path, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(tmp_path / "callbot.db"):
        for _ in range(3):
            assert await refused(asyncio.ensure_future(on_file.begin(asked())))
    await on_file.begin(asked())
    logged = capsys.readouterr().out
    assert (logged.count("ledger_failed"), LOCKED in logged, logged.count("ledger_works_again")) == (1, True, 1)


async def test_a_postgresql_that_is_gone_takes_no_rows(own_postgresql_address: str, clock: Now, asked: Asked) -> None:
    ledger = await Ledger.open(own_postgresql_address, now=clock)
    server = await asyncpg.connect(own_postgresql_address)
    await server.execute("ALTER TABLE requests RENAME TO moved")
    await server.close()
    heard: list[str] = []
    ledger.on_failure(heard.append)
    assert await refused(asyncio.ensure_future(ledger.begin(asked())))
    assert (heard, ledger.takes_rows) == ([Reason.NO_TABLES], False)
    await ledger.close()


async def test_a_row_that_somebody_locked_in_postgresql_is_said_after_3_s(
    own_postgresql_address: str, clock: Now, asked: Asked
) -> None:
    ledger = await Ledger.open(own_postgresql_address, now=clock)
    server = await asyncpg.connect(own_postgresql_address)
    async with server.transaction():
        await server.execute("LOCK TABLE requests")
        begun = monotonic()
        with pytest.raises(LedgerUnavailable) as said:
            await ledger.begin(asked())
        seconds = monotonic() - begun
    await server.close()
    await ledger.close()
    assert (said.value.reason, 2.5 < seconds < 5.5) == (Reason.LOCKED, True)


# ── what no ledger can be kept in ──

Execute = Callable[..., Awaitable[None]]


@pytest.fixture
async def execute(postgresql: str) -> AsyncIterator[Execute]:
    """Runs SQL as the administrator of the server."""

    async def execute(*statements: str, database: str = "postgres") -> None:
        server = await asyncpg.connect(postgresql % database)
        try:
            for statement in statements:
                await server.execute(statement)
        finally:
            await server.close()

    yield execute
    await execute("DROP DATABASE IF EXISTS unfit", "DROP ROLE IF EXISTS clerk")


async def checked(url: str) -> list[Finding]:
    found: list[Finding] = []
    await check(found.append, {"DATABASE_URL": url})
    return [finding for finding in found if finding.mark is Mark.NO and "ledger" in str(finding)]


def of_clerk(postgresql: str) -> str:
    return (postgresql % "unfit").replace("callbot@", "clerk@", 1)


@pytest.fixture(
    params=["encoding", "read-only", "rights on tables", "rights on one table", "rights on schema", "read-only user"]
)
async def unfit(request: pytest.FixtureRequest, execute: Execute, postgresql: str) -> tuple[str, str]:
    """A database in which no ledger can be kept, and what is to be said of it."""
    await execute("CREATE ROLE clerk LOGIN", "CREATE DATABASE unfit")
    match request.param:
        case "encoding":
            again = "CREATE DATABASE unfit ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            await execute("DROP DATABASE unfit", again)
            return postgresql % "unfit", "encoding is not UTF-8"
        case "read-only":
            await execute("ALTER DATABASE unfit SET default_transaction_read_only = on")
            return postgresql % "unfit", "is read-only"
        case "read-only user":
            await execute(
                "ALTER DATABASE unfit OWNER TO clerk", "ALTER ROLE clerk SET default_transaction_read_only = on"
            )
            return of_clerk(postgresql), "is read-only"
        case "rights on schema":
            await execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database="unfit")
            return of_clerk(postgresql), "has no right to write the ledger"
        case "rights on one table":
            await (await Ledger.open(postgresql % "unfit", now=lambda: datetime.now().astimezone())).close()
            await execute(
                "GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk",
                "REVOKE UPDATE ON alembic_version FROM clerk",
                database="unfit",
            )
            return of_clerk(postgresql), "has no right to write the ledger"
        case _:
            await (await Ledger.open(postgresql % "unfit", now=lambda: datetime.now().astimezone())).close()
            await execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk", database="unfit")
            return of_clerk(postgresql), "has no right to write the ledger"


async def test_a_database_that_cannot_keep_a_ledger_is_refused_at_the_start_and_by_check(
    unfit: tuple[str, str],
) -> None:
    url, words = unfit
    with pytest.raises(LedgerUnavailable, match=words):
        await SingleRun(url).acquire()
    (finding,) = await checked(url)
    assert words in finding.text


async def test_a_server_that_gives_too_few_connections_is_refused_at_the_start(
    execute: Execute, postgresql: str, clock: Now
) -> None:
    await execute("CREATE ROLE clerk LOGIN CONNECTION LIMIT 5", "CREATE DATABASE unfit OWNER clerk")
    async with SingleRun(of_clerk(postgresql)):
        ledger = await Ledger.open(of_clerk(postgresql), now=clock)
        with pytest.raises(LedgerUnavailable, match="needs 6 connections to PostgreSQL, and was given 5"):
            await ledger.reserve()
        await ledger.close()


async def test_six_connections_are_enough_to_take_a_lost_lock_again(
    execute: Execute, postgresql: str, clock: Now
) -> None:
    await execute("CREATE ROLE clerk LOGIN CONNECTION LIMIT 6", "CREATE DATABASE unfit OWNER clerk")
    async with SingleRun(of_clerk(postgresql)) as run:
        ledger = await Ledger.open(of_clerk(postgresql), now=clock)
        await ledger.reserve()
        administrator = await asyncpg.connect(postgresql % "unfit")
        held = (
            "FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        assert await administrator.fetchval(f"SELECT pg_terminate_backend(pid, 5000) {held}")
        keeping = asyncio.create_task(run.keep(at_once))
        async with asyncio.timeout(10):
            while not await administrator.fetchval(f"SELECT count(*) {held}"):
                pass
        keeping.cancel()
        await administrator.close()
        await ledger.close()
