"""Trail: the ledger is read beside its writer, piece by piece, and nothing is made or migrated for that."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.domain.commands import Request
from bot.ledger.address import Address
from bot.ledger.audit_log import AuditEntry, AuditLog
from bot.ledger.database import Database
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet
from bot.ledger.ledger import Ledger
from bot.ledger.schema import HEAD
from bot.ledger.tables import requests

Asked = Callable[..., Request]
Now = Callable[[], datetime]


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


async def test_pieces_begin_with_the_instant_asked_for(ledger: Ledger, address: str, asked: Asked, clock: Now) -> None:
    for seconds in range(-2, 5):
        await ledger.begin(asked(said=f"{seconds}", at=clock() + timedelta(seconds=seconds)))
    assert [entry.said for entry in await read(address, clock())] == ["0", "1", "2", "3", "4"]


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
