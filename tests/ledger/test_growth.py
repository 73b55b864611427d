"""A ledger of years: what is read at a start and by the audit costs as much as what is asked for, not as all there is."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert

from bot.domain.intervention import Intervention
from bot.ledger.address import Address
from bot.ledger.audit_log import AuditLog
from bot.ledger.database import Database
from bot.ledger.ledger import Ledger
from bot.ledger.tables import interventions, requests

Clock = Callable[[], datetime]
Wanted = Callable[..., Intervention]
Fill = Callable[[int], Awaitable[None]]

FEW, MANY = 2_000, 16_000
AUDITED = 60_000


@pytest.fixture
async def fill(sqlite_address: str, clock: Clock, wanted: Wanted) -> AsyncIterator[Fill]:
    """Puts so many requests and interventions that ended long ago into the ledger, one a minute."""
    ledger = await Ledger.open(sqlite_address, now=clock)
    database = await Database.open(Address(sqlite_address))
    filled = 0
    document = wanted().model_dump_json()

    async def fill(number: int) -> None:
        nonlocal filled
        numbers = range(filled, number)
        filled = number

        def work(connection: Connection) -> None:
            begun = clock() - timedelta(days=400)
            ended = [_intervention(each, begun + timedelta(minutes=each), document) for each in numbers]
            asked = [_request(each, begun + timedelta(minutes=each)) for each in numbers]
            connection.execute(insert(interventions), ended)
            connection.execute(insert(requests), asked)

        await database.write(work)

    yield fill
    await database.close()
    await ledger.close()


def _intervention(number: int, at: datetime, document: str) -> dict[str, object]:
    texts = {"slack_user": "U0ANA", "extension": "0003*210", "action": "Monitor", "state": "ended"}
    names = {"id": f"i{number:06}", "card": f"k{number}", "call_id": f"c{number}", "claim": None}
    times = {"asked_at": at, "updated_at": at, "stepped_at": at}
    return {**names, **texts, **times, "following": False, "document": document}


def _request(number: int, at: datetime) -> dict[str, object]:
    texts = {"slack_user": "U0ANA", "channel": "C0FLOOR", "said": "/calls", "extension": "", "call_id": ""}
    names = {"id": f"r{number:06}", "trigger": f"t{number}", "rule": "list", "outcome": "answered"}
    return {**names, **texts, "at": at, "external": False, "allowed": True, "intervention": None}


async def cost(work: Callable[[], Awaitable[object]], times: int) -> float:
    """Seconds of the processor that it takes, the least of some."""
    least = float("inf")
    for _ in range(times):
        begun = time.process_time()
        await work()
        least = min(least, time.process_time() - begun)
    return least


async def test_what_is_to_be_shown_at_a_start_is_found_as_quickly_in_a_large_ledger(
    fill: Fill, sqlite_address: str, clock: Clock
) -> None:
    ledger = await Ledger.open(sqlite_address, now=clock)
    await fill(FEW)
    few = await cost(ledger.ended_unshown, 10)
    await fill(MANY)
    many = await cost(ledger.ended_unshown, 10)
    await ledger.close()
    assert many < 3 * few


async def test_each_piece_of_the_audit_costs_as_much_as_any_other(
    fill: Fill, sqlite_address: str, clock: Clock
) -> None:
    await fill(1)
    database = await Database.open(Address(sqlite_address))
    years = [_request(number, clock() + timedelta(minutes=number)) for number in range(1, AUDITED)]
    await database.write(lambda connection: connection.execute(insert(requests), years))
    await database.close()
    audit_log = await AuditLog.open(sqlite_address)
    at, took = time.process_time(), list[float]()
    async for _ in audit_log.pieces(at_once=60):
        took.append(time.process_time() - at)
        at = time.process_time()
    await audit_log.close()
    assert (len(took), sum(took[-50:]) < 2 * sum(took[1:51])) == (AUDITED // 60, True)


async def test_the_audit_of_one_instant_leaves_nothing_out(fill: Fill, sqlite_address: str, clock: Clock) -> None:
    await fill(10)
    database = await Database.open(Address(sqlite_address))
    same = [_request(number, clock()) for number in range(100, 350)]
    await database.write(lambda connection: connection.execute(insert(requests), same))
    await database.close()
    audit_log = await AuditLog.open(sqlite_address)
    found = [entry.id async for piece in audit_log.pieces(at_once=7) for entry in piece]
    await audit_log.close()
    assert found == [*(f"r{number:06}" for number in range(10)), *(f"r{number:06}" for number in range(100, 350))]
