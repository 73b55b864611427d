"""A claim that takes long: what is cancelled leaves nothing behind, and what came meanwhile proves nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall
from bot.domain.commands import Intervene, Request, Target
from bot.interventions.claiming import FRESH, Claims, Reading
from bot.interventions.outcomes import Outcomes
from bot.interventions.planner import CallAndView, permits_for
from bot.ledger.ledger import Ledger

MakeCall = Callable[..., PhoneCall]
MONITOR = Intervene(action=ActionName.MONITOR, target=Target(kind="extension", text="0003*210"))


@pytest.fixture
def asked(noon: datetime) -> Callable[[str], Request]:
    return lambda id_: Request(
        id=id_, trigger=id_, slack_user="U0ANA", channel="C0FLOOR", said="/monitor 0003*210", at=noon
    )


@pytest.fixture
async def ledger(tmp_path: Path, floor: Any) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(f"sqlite:///{tmp_path}/callbot.db", now=floor.now)
    yield ledger
    await ledger.close()


@pytest.fixture
def claim(
    floor: Any, ledger: Ledger, asked: Callable[[str], Request], a_call: MakeCall
) -> Callable[[], asyncio.Task[Any]]:
    """Begin the claim of request r, whose call was read so long ago that it is read again, and that takes for ever."""
    outcomes = Outcomes(ledger)
    claims = Claims(
        phone_calls=floor.pbx, ledger=ledger, tracker=floor.tracker, config=floor, now=floor.now, outcomes=outcomes
    )
    permits = permits_for(floor.rules.people["U0ANA"], MONITOR, "C0FLOOR", floor.rules)
    call = a_call()

    def begin() -> asyncio.Task[Any]:
        read_at = asyncio.get_running_loop().time() - 2 * FRESH
        reading = Reading(CallAndView("0003*210", call, call.views[0]), permits["0003*210"], read_at)
        return asyncio.create_task(claims.claim(asked("r"), MONITOR, reading))

    return begin


async def until_cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({task})
    assert task.cancelled()


async def test_what_is_cancelled_while_the_ledger_writes_it_is_withdrawn(
    tmp_path: Path, ledger: Ledger, asked: Callable[[str], Request], claim: Callable[[], asyncio.Task[Any]]
) -> None:
    await ledger.begin(asked("r"))
    with closing(sqlite3.connect(tmp_path / "callbot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        claiming = claim()
        await asyncio.wait({claiming}, timeout=0.2)
        await until_cancelled(claiming)
        other.execute("ROLLBACK")
    await ledger.begin(asked("next"))  # written after the claim and its withdrawal
    assert await ledger.tracked() == ()


async def test_what_is_cancelled_while_the_call_is_read_again_is_withdrawn(
    ledger: Ledger, asked: Callable[[str], Request], claim: Callable[[], asyncio.Task[Any]]
) -> None:
    await ledger.begin(asked("r"))
    claiming = claim()
    async with asyncio.timeout(10):
        while not await ledger.tracked():
            pass
    await until_cancelled(claiming)
    assert await ledger.tracked() == ()


async def test_a_leg_that_came_while_the_claim_was_written_is_no_proof_of_it(
    *,
    floor: Any,
    clock: Any,
    ledger: Ledger,
    asked: Callable[[str], Request],
    claim: Callable[[], asyncio.Task[Any]],
    a_call: MakeCall,
    a_view: Any,
    a_leg: Any,
) -> None:
    floor.pbx.calls = {"c1": a_call(a_view(), a_leg("02", status=3))}
    await ledger.begin(asked("r"))
    claiming = claim()
    async with asyncio.timeout(10):
        while not claiming.done():
            await ledger.tracked()
            await clock.let_pass(0.1)
    claimed = await claiming
    assert (claimed.legs_before, claimed.call) == ({"02"}, floor.pbx.calls["c1"])
