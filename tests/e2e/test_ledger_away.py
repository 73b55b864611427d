"""A ledger that takes nothing for a while, or whose file is removed: cards stay true, and nothing is sent that is not written."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
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


# ── removed or replaced ──


def removed(file: Path) -> None:
    file.unlink()


def replaced(file: Path) -> None:
    shutil.copy(file, file.with_name("backup"))
    file.with_name("backup").replace(file)


happens = pytest.mark.parametrize("happens", [removed, replaced])


@happens
async def test_after_it_nothing_is_sent_to_the_pbx(house: Any, happens: Callable[[Path], None]) -> None:
    house.talk()
    await house.ana_types("/calls")
    await house.told("U0ANA", "1 live call")
    happens(house.folder / "callbot.db")
    await house.ana_types("/monitor 0003*210")
    await house.told("U0ANA", "does nothing that it cannot write down")
    assert house.actions() == []


@happens
async def test_callbot_stops_and_says_why(empty_house: Any, run_bot: Any, happens: Callable[[Path], None]) -> None:
    running = await run_bot()
    await running.started()
    happens(empty_house.folder / "callbot.db")
    code = await running.ended()
    assert (code, "was removed or replaced while callbot ran. callbot has stopped" in running.said) == (1, True)
