"""The audit log: what came of each request, read beside its writer, piece by piece."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.domain.commands import Request
from bot.domain.intervention import Intervention, State
from bot.interventions.outcomes import Outcome
from bot.ledger.address import Address
from bot.ledger.audit_log import AuditEntry, AuditLog
from bot.ledger.database import Database
from bot.ledger.failures import NoLedgerYet
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.schema import HEAD
from bot.ledger.tables import requests

Now = Callable[[], datetime]
Asked = Callable[..., Request]
Entries = Callable[..., Awaitable[list[AuditEntry]]]
Wanted = Callable[..., Intervention]


async def test_a_repeat_of_slack_is_known_by_its_trigger(ledger: Ledger, asked: Asked) -> None:
    assert await ledger.begin(asked(trigger="1.2.abc"))
    assert not await ledger.begin(asked(trigger="1.2.abc"))


async def test_a_repeat_leaves_the_first_request_as_it_is(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    await ledger.begin(asked(trigger="t", said="/monitor 210"))
    await ledger.begin(asked(trigger="t", said="/barge 210"))
    assert [entry.said for entry in await entries()] == ["/monitor 210"]


async def test_an_id_that_is_taken_is_no_repeat(ledger: Ledger, asked: Asked) -> None:
    await ledger.begin(asked(id="r"))
    with pytest.raises(LedgerUnavailable):
        await ledger.begin(asked(id="r"))


async def test_a_request_begins_undecided(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    await ledger.begin(asked())
    (entry,) = await entries()
    assert (entry.outcome, entry.allowed, entry.state) == (Outcome.RECEIVED, None, None)


async def test_the_audit_log_says_what_came_of_a_request_that_sent_nothing(
    ledger: Ledger, entries: Entries, asked: Asked
) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.conclude(
        "r", Outcome.REFUSED, rule="no role allows it", allowed=False, extension="0003*210", call_id="call1"
    )
    (entry,) = await entries()
    assert entry.model_dump(include={"outcome", "rule", "allowed", "extension", "call_id"}) == {
        "outcome": Outcome.REFUSED,
        "rule": "no role allows it",
        "allowed": False,
        "extension": "0003*210",
        "call_id": "call1",
    }


async def test_what_was_sent_stays_sent_whatever_fails_later(
    ledger: Ledger, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.claim("r", wanted(), rule="supervisor")
    await ledger.conclude("r", Outcome.REFUSED, rule="pbx", allowed=False)
    assert [entry.outcome for entry in await entries()] == [Outcome.SENT]


async def test_a_request_that_was_never_begun_cannot_be_concluded(ledger: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.conclude("nobody's", Outcome.ANSWERED, rule="help", allowed=True)


async def test_a_request_that_a_crash_cut_off_comes_back_as_it_was_and_once(
    ledger: Ledger, entries: Entries, asked: Asked
) -> None:
    request = asked(external=True)
    await ledger.begin(request)
    assert (await ledger.interrupted(), await ledger.interrupted()) == ((request,), ())
    assert [entry.outcome for entry in await entries()] == [Outcome.INTERRUPTED]


async def test_requests_with_an_outcome_were_not_interrupted(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    await ledger.begin(asked(id="concluded"))
    await ledger.conclude("concluded", Outcome.ANSWERED, rule="help", allowed=True)
    await ledger.begin(asked(id="sent"))
    await ledger.claim("sent", wanted(), rule="supervisor")
    assert await ledger.interrupted() == ()


async def test_interrupted_requests_come_oldest_first(ledger: Ledger, asked: Asked, clock: Now) -> None:
    newer, older = asked(at=clock() + timedelta(seconds=1)), asked(at=clock())
    await ledger.begin(newer)
    await ledger.begin(older)
    assert await ledger.interrupted() == (older, newer)


async def test_the_audit_log_shows_the_state_of_what_was_sent(
    ledger: Ledger, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    intervention = wanted()
    await ledger.begin(asked(id="r"))
    await ledger.claim("r", intervention, rule="supervisor")
    await ledger.save(intervention.model_copy(update={"state": State.CONNECTED}))
    (entry,) = await entries()
    assert (entry.outcome, entry.allowed, entry.rule, entry.state) == (
        Outcome.SENT,
        True,
        "supervisor",
        State.CONNECTED,
    )


async def test_the_audit_log_comes_newest_last(ledger: Ledger, entries: Entries, asked: Asked, clock: Now) -> None:
    for minutes in (2, 1, 3):
        await ledger.begin(asked(said=f"{minutes}", at=clock() + timedelta(minutes=minutes)))
    assert [entry.said for entry in await entries()] == ["1", "2", "3"]


async def test_a_time_of_another_zone_comes_back_in_utc(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    local = datetime(2026, 3, 2, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    await ledger.begin(asked(at=local))
    (entry,) = await entries()
    assert (entry.at, entry.at.tzinfo) == (local, UTC)


async def test_a_time_without_a_zone_is_refused(ledger: Ledger, asked: Asked) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.begin(asked(at=datetime(2026, 3, 2, 12, 0)))  # noqa: DTZ001 - that is the point


async def test_whatever_is_typed_can_be_kept(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    kept = {
        "/monitor 210\x00'; DROP TABLE requests; --": "/monitor 210\ufffd'; DROP TABLE requests; --",
        "half of a pair: \ud83d!": "half of a pair: \ufffd!",
        "🎧 مرحبا \u202e %s %(x)s :name {}": "🎧 مرحبا \u202e %s %(x)s :name {}",
        "x" * 3000: "x" * 3000,
        "": "",
    }
    for said in kept:
        await ledger.begin(asked(said=said))
    assert {entry.said for entry in await entries()} == set(kept.values())


async def test_a_trigger_that_cannot_be_stored_as_it_is_still_shows_a_repeat(ledger: Ledger, asked: Asked) -> None:
    await ledger.begin(asked(trigger="a\x00\ud800"))
    assert not await ledger.begin(asked(trigger="a\x00\ud800"))


async def test_many_requests_are_concluded_at_once(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    requests = [asked() for _ in range(40)]
    await asyncio.gather(*(ledger.begin(request) for request in requests))
    await asyncio.gather(
        *(ledger.conclude(request.id, Outcome.ANSWERED, rule="help", allowed=True) for request in requests)
    )
    assert {entry.outcome for entry in await entries()} == {Outcome.ANSWERED}


# ── reading changes nothing ──


async def read(address: str, since: datetime | None = None, *, user: str | None = None) -> list[AuditEntry]:
    audit_log = await AuditLog.open(address)
    try:
        return [entry async for piece in audit_log.pieces(since, user=user, at_once=3) for entry in piece]
    finally:
        await audit_log.close()


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_what_is_read_in_pieces_is_what_is_read_at_once(
    ledger: Ledger, address: str, entries: Callable[..., Awaitable[list[AuditEntry]]], asked: Asked, clock: Now
) -> None:
    for number in range(8):
        await ledger.begin(asked(at=clock() + timedelta(seconds=number // 4)))
    assert await read(address) == await entries(at_once=100)


async def test_pieces_begin_with_the_instant_asked_for_in_any_zone(
    ledger: Ledger, address: str, asked: Asked, clock: Now
) -> None:
    for seconds in range(-2, 5):
        await ledger.begin(asked(said=f"{seconds}", at=clock() + timedelta(seconds=seconds)))
    bucharest = clock().astimezone(timezone(timedelta(hours=2)))
    assert [entry.said for entry in await read(address, bucharest)] == ["0", "1", "2", "3", "4"]


async def test_pieces_of_one_person_have_nobody_elses_requests(ledger: Ledger, address: str, asked: Asked) -> None:
    for number in range(8):
        await ledger.begin(asked(slack_user="U0ANA" if number % 2 else "U0BOB"))
    assert [entry.slack_user for entry in await read(address, user="U0BOB")] == ["U0BOB"] * 4


async def test_a_ledger_of_today_is_up_to_date(ledger: Ledger, address: str) -> None:
    audit_log = await AuditLog.open(address)
    await audit_log.close()
    assert (audit_log.revision, audit_log.up_to_date) == (HEAD, True)


async def test_a_file_that_is_not_there_is_not_made(sqlite_address: str, tmp_path: Path) -> None:
    with pytest.raises(NoLedgerYet):
        await AuditLog.open(sqlite_address)
    assert files(tmp_path) == []


async def test_an_empty_postgresql_stays_empty(new_database: Callable[..., Awaitable[str]]) -> None:
    address = await new_database("untouched")
    for _ in range(2):
        with pytest.raises(NoLedgerYet):
            await AuditLog.open(address)


async def test_what_is_no_database_is_said_to_be_none(sqlite_address: str, tmp_path: Path) -> None:
    (tmp_path / "callbot.db").write_text("no database, and long enough to be looked at" * 20)
    with pytest.raises(LedgerUnavailable, match="cannot be opened"):
        await AuditLog.open(sqlite_address)


async def test_a_folder_with_a_strange_name_is_no_hindrance(tmp_path: Path, clock: Now) -> None:
    folder = tmp_path / "50% #1?"
    folder.mkdir()
    await (await Ledger.open(f"sqlite:///{folder / 'callbot.db'}".replace("?", "%3F"), now=clock)).close()
    assert await read(f"sqlite:///{folder / 'callbot.db'}".replace("?", "%3F")) == []


async def test_what_is_opened_to_be_read_cannot_be_written(sqlite_address: str, clock: Now) -> None:
    await (await Ledger.open(sqlite_address, now=clock)).close()
    database = Database.open_to_read(Address(sqlite_address))
    with pytest.raises(LedgerUnavailable, match="cannot reach"):
        await database.write(lambda connection: connection.execute(delete(requests)))
    await database.close()
