"""The ledger's file is removed or replaced while callbot runs: no PUT goes out, and callbot stops and says why."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def removed(file: Path) -> None:
    file.unlink()


def replaced(file: Path) -> None:
    shutil.copy(file, file.with_name("backup"))
    file.with_name("backup").replace(file)


happens = pytest.mark.parametrize("happens", [removed, replaced])


@pytest.fixture
def transport() -> str:
    return "socket mode"


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
