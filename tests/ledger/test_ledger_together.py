"""SQLite: what is written at the same time shares a commit, and only that."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.domain.commands import Request
from bot.domain.errors import AlreadyAsked
from bot.domain.intervention import Intervention
from bot.ledger.ledger import Ledger, LedgerUnavailable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Asked = Callable[..., Request]
Wanted = Callable[..., Intervention]


@pytest.fixture
async def file(tmp_path: Path, clock: Callable[[], datetime]) -> AsyncIterator[tuple[Path, Ledger]]:
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


async def test_what_waits_for_one_commit_shares_the_next(file: tuple[Path, Ledger], asked: Asked) -> None:
    path, ledger = file
    await ledger.begin(asked())
    before = commits(path)
    with somebody_writing(path):
        waiting = await begun(*(lambda: ledger.begin(asked()) for _ in range(20)))
    assert await asyncio.gather(*waiting) == [True] * 20
    assert commits(path) - before <= 2


async def test_one_that_fails_takes_no_other_with_it(file: tuple[Path, Ledger], asked: Asked) -> None:
    path, ledger = file
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


async def test_of_two_claims_in_one_commit_one_wins(file: tuple[Path, Ledger], asked: Asked, wanted: Wanted) -> None:
    path, ledger = file
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
    assert [one.slack_user for one in await ledger.following()] == ["U0ANA"]


async def test_a_storm_of_what_nobody_waits_for_does_not_stand_before_a_new_request(
    file: tuple[Path, Ledger], asked: Asked
) -> None:
    path, ledger = file
    with somebody_writing(path):
        storm = await begun(*(lambda n=n: ledger.save_pending_post(f"card{n}", "C0FLOOR", NOW) for n in range(100)))
        (request,) = await begun(lambda: ledger.begin(asked()))
    assert await request
    assert sum(post.done() for post in storm) < 50
    await asyncio.gather(*storm)


async def test_what_is_written_later_is_written_in_its_order(file: tuple[Path, Ledger]) -> None:
    path, ledger = file
    with somebody_writing(path):
        posts = await begun(*(lambda n=n: ledger.save_pending_post("card", f"C0{n:03}", NOW) for n in range(40)))
    await asyncio.gather(*posts)
    pending_post = (await ledger.posted("card")).pending
    assert pending_post is not None
    assert pending_post[0] == "C0039"


async def test_what_is_cancelled_while_it_waits_is_written_all_the_same(
    file: tuple[Path, Ledger], asked: Asked
) -> None:
    path, ledger = file
    with somebody_writing(path):
        (waiting,) = await begun(lambda: ledger.begin(asked(id="left")))
        waiting.cancel()
    assert await ledger.begin(asked(id="next"))
    assert {request.id for request in await ledger.interrupted()} == {"left", "next"}


async def test_where_a_commit_cannot_be_begun_all_hear_of_it_and_nothing_is_written(
    file: tuple[Path, Ledger], clock: Callable[[], datetime], asked: Asked
) -> None:
    """The ledger is closed while another process has the file: neither what is at its turn is done, nor what waits."""
    path, ledger = file
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


async def test_a_commit_that_fails_tells_all_of_it_and_the_next_one_is_made(
    file: tuple[Path, Ledger], asked: Asked
) -> None:
    """A foreign key that is checked at the end only fails the COMMIT, which leaves the transaction open ("COMMIT")."""
    path, ledger = file
    orphan = "UPDATE requests SET intervention = 'nobody' WHERE id = 'there'"

    def defer(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.exec_driver_sql(orphan)

    await ledger.begin(asked(id="there"))
    with somebody_writing(path):
        waiting = await begun(lambda: ledger.begin(asked(id="beside")), lambda: ledger._database.write(defer))
    came = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, LedgerUnavailable) for one in came)
    assert await ledger.begin(asked(id="next"))
    assert {request.id for request in await ledger.interrupted()} == {"there", "next"}


async def test_what_is_committed_survives_a_loss_of_power(file: tuple[Path, Ledger]) -> None:
    """2 is FULL ("PRAGMA synchronous"): the write-ahead log is synced at each commit."""
    _, ledger = file
    pragma = "PRAGMA synchronous"
    assert await ledger._database.write(lambda connection: connection.exec_driver_sql(pragma).scalar()) == 2


async def test_of_many_claims_of_one_call_the_requests_beside_them_are_all_written(
    file: tuple[Path, Ledger], asked: Asked, wanted: Wanted
) -> None:
    """More than one commit takes, and most of them fail."""
    path, ledger = file
    for number in range(80):
        await ledger.begin(asked(id=f"r{number}"))
    with somebody_writing(path):
        claims = await begun(
            *(lambda n=n: ledger.claim(f"r{n}", wanted("PickUp", slack_user=f"U{n}"), rule="x") for n in range(80))
        )
        requests = await begun(*(lambda: ledger.begin(asked()) for _ in range(20)))
    came = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(one is None for one in came) == 1
    assert sum(isinstance(one, AlreadyAsked) for one in came) == 79
    assert await asyncio.gather(*requests) == [True] * 20
