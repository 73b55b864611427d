"""A ledger that takes nothing for a while: cards stay true, and what it missed is written when it is back."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs


@pytest.fixture
def locked(house: Any) -> Iterator[sqlite3.Connection]:
    """Somebody else's hold of the SQLite file; it takes writes again after `rollback`."""
    holder = sqlite3.connect(house.folder / "callbot.db", isolation_level=None)
    yield holder
    holder.close()


async def test_an_end_is_shown_at_once_and_the_same_may_be_asked_again_when_the_ledger_is_back(
    house: Any, locked: sqlite3.Connection
) -> None:
    call = await house.ana_listens()
    locked.execute("BEGIN IMMEDIATE")
    house.floor.leave(call, "0003*024")
    await house.card("Ended", timeout=3)
    locked.execute("ROLLBACK")
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    assert house.actions() == ["Monitor", "Monitor"]


async def test_what_came_of_a_request_is_written_down_when_the_ledger_is_back(
    house: Any, locked: sqlite3.Connection
) -> None:
    house.pbx.meanwhile.after("/phoneCalls/12/0003*210", lambda: locked.execute("BEGIN IMMEDIATE"))
    with capture_logs() as logged:
        await house.ana_types("/monitor 0003*210")
        await house.told("U0ANA", "no call on this extension")
        await house.workspace.until(lambda: [one for one in logged if one["event"] == "not_saved"])
        locked.execute("ROLLBACK")
        await house.workspace.until(lambda: locked.execute("SELECT outcome FROM requests").fetchall() == [("refused",)])
    assert house.actions() == []
