"""The ledger on both databases: every test that asks for `address` runs on a new SQLite file and a new PostgreSQL database."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, text

from bot.alerts.alert import Alert, When, raised
from bot.domain.calls import PhoneCall
from bot.domain.commands import Request
from bot.domain.intervention import Intervention, before_put
from bot.ledger.address import Address
from bot.ledger.audit_log import AuditEntry, AuditLog
from bot.ledger.database import Database
from bot.ledger.ledger import Ledger
from tests.ledger.server import NoPostgresql, running

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, up to the name of the database; `%s` stands for that."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(running())
        except NoPostgresql as missing:
            if os.environ.get("CI", "").lower() == "true":
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        yield address


@pytest.fixture
async def new_database(postgresql: str) -> Callable[..., Awaitable[str]]:
    """Makes a database, empty or a copy of another one; it goes with the server."""

    async def make(name: str, template: str = "template1") -> str:
        server = await asyncpg.connect(postgresql % "postgres")
        try:
            if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        finally:
            await server.close()
        return postgresql % name

    return make


@pytest.fixture
def entries(address: str) -> Callable[..., Awaitable[list[AuditEntry]]]:
    """The entries of the audit log, as a second reader of the ledger sees them."""

    async def read(since: datetime | None = None, **more: Any) -> list[AuditEntry]:
        audit_log = await AuditLog.open(address)
        try:
            return [entry async for piece in audit_log.pieces(since, **more) for entry in piece]
        finally:
            await audit_log.close()

    return read


@pytest.fixture
async def postgresql_address(new_database: Callable[..., Awaitable[str]], clock: Clock) -> str:
    """A database with the tables of today, and nothing in them."""
    address = await new_database("emptied")
    await (await Ledger.open(address, now=clock)).close()
    server = await asyncpg.connect(address)
    try:
        await server.execute("TRUNCATE requests, interventions, cards, posts_begun, alerts")
    finally:
        await server.close()
    return address


@pytest.fixture
async def own_postgresql_address(
    new_database: Callable[..., Awaitable[str]], request: pytest.FixtureRequest, clock: Clock
) -> str:
    """A database for one test alone, with the tables of today: a copy of one that was migrated before."""
    await (await Ledger.open(await new_database("migrated"), now=clock)).close()
    return await new_database(f"ledger_{abs(hash(request.node.nodeid)):x}", template="migrated")


@pytest.fixture
def sqlite_address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/callbot.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> str:
    """An empty ledger's DATABASE_URL."""
    url: str = request.getfixturevalue(f"{request.param}_address")
    return url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ledger(address: str, clock: Clock) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(address, now=clock)
    yield ledger
    await ledger.close()


@pytest.fixture
async def execute(address: str, ledger: Ledger) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Runs SQL on the ledger's database, past the ledger."""
    database = await Database.open(Address(address))

    async def execute(statement: str, **values: Any) -> Any:
        def work(connection: Connection) -> Any:
            result = connection.execute(text(statement), values)
            return result.scalar() if result.returns_rows else None

        return await database.write(work)

    yield execute
    await database.close()


@pytest.fixture
async def saved_alerts(address: str, ledger: Ledger) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """How many alerts are in the ledger, as a second reader sees it: it stands in no writer's way."""
    database = Database.open_to_read(Address(address))

    async def count() -> int:
        counting = text("SELECT count(*) FROM alerts")
        return int(await database.read(lambda connection: connection.execute(counting).scalar_one()))

    yield count
    await database.close()


@pytest.fixture
def asked() -> Callable[..., Request]:
    """A request: what differs from Ana's is named."""
    count = 0

    def asked(**changes: Any) -> Request:
        nonlocal count
        count += 1
        plain = {"slack_user": "U0ANA", "channel": "C0FLOOR", "said": "/monitor 210", "at": NOON}
        return Request(**({"id": f"r{count}", "trigger": f"t{count}"} | plain | changes))

    return asked


@pytest.fixture
def wanted() -> Callable[..., Intervention]:
    """An intervention just before its PUT: what differs from Ana's Monitor on Bob's call is named."""
    count = 0

    def wanted(action: str = "Monitor", /, **changes: Any) -> Intervention:
        nonlocal count
        count += 1
        rings = {} if action in {"StartRecording", "StopRecording"} else {"send_call_to": "0003*024"}
        view = {"id": "1", "extension": "0003*210", "source": ["+15550100"], "callerId": "Eve <+15550100>", "status": 5}
        plain = {
            "id": f"i{count}",
            "card": "card1",
            "place": "C0FLOOR",
            "slack_user": "U0ANA",
            "supervisor": "Ana Pop",
            "phone": "0003*024",
            "user": "12",
            "extension": "0003*210",
            "agent": "Bob Ionescu",
            "call_id": "call1",
            "action": {"action": action, "phone_call_view_id": "1"} | rings,
            "channel": "C0FLOOR",
            "asked_at": NOON + timedelta(milliseconds=count),
            "call": PhoneCall.model_validate({"id": "call1", "phoneCallView": [view]}),
        }
        return before_put(Intervention(**(plain | changes)))

    return wanted


@pytest.fixture
def alert() -> Callable[..., Alert]:
    """An alert that was just raised, each of another call: what differs from Bob's ringing phone is named."""
    count = 0

    def alert(**changes: Any) -> Alert:
        nonlocal count
        count += 1
        at = NOON + timedelta(milliseconds=count)
        view = {"id": "1", "extension": "0003*210", "source": ["+15550100"], "callerId": "Eve <+15550100>", "status": 3}
        plain = {
            "id": f"a{count:05}",
            "rule": "ringing C0ALERTS nobody answers",
            "name": "nobody answers",
            "when": When.RINGING,
            "longer_than": timedelta(seconds=20),
            "channel": "C0ALERTS",
            "call": PhoneCall.model_validate({"id": f"call{count}", "published": str(NOON), "phoneCallView": [view]}),
            "extension": "0003*210",
            "view_id": "1",
            "since": NOON,
            "raised_at": at,
            "seen_at": at,
        }
        made = Alert(**(plain | changes))
        return raised(made, made.raised_at)

    return alert


class OtherProcess:
    """`other_process.py` with these words: what it says, line by line, and what it is told."""

    def __init__(self, *words: str) -> None:
        program = Path(__file__).with_name("other_process.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self, line: str = "go") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)


@pytest.fixture
def another_process() -> Iterator[Callable[..., OtherProcess]]:
    """Starts one; whatever still runs at the end of the test is killed."""
    started: list[OtherProcess] = []

    def start(*words: str) -> OtherProcess:
        started.append(OtherProcess(*words))
        return started[-1]

    yield start
    for process in started:
        process.kill()
