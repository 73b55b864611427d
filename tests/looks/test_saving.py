"""What is true is written down in the end, though the ledger may not take it now."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.actions import ActionName
from bot.errors import CallbotError
from bot.following import Intervention, State
from bot.saving import LONGEST_PAUSE, Saving

MakeIntervention = Callable[..., Intervention]


class Locked:
    """A ledger that takes nothing before some second."""

    def __init__(self, clock: Any, until: float) -> None:
        self.clock = clock
        self.until = until
        self.rows: dict[str, Intervention] = {}
        self.tries = 0

    async def save(self, intervention: Intervention) -> None:
        self.tries += 1
        if self.clock() < self.until:
            raise CallbotError("locked")
        self.rows[intervention.id] = intervention


def at(intervention: Intervention, state: State) -> Intervention:
    return intervention.model_copy(update={"state": state})


@pytest.fixture
def asked(an_intervention: MakeIntervention) -> Intervention:
    return an_intervention(ActionName.MONITOR)


async def test_what_the_ledger_does_not_take_is_written_when_it_does(clock: Any, asked: Intervention) -> None:
    ledger = Locked(clock, until=10)
    await Saving(ledger.save, clock.sleep).save(at(asked, State.ENDED))
    assert ledger.rows == {}
    await clock.let_pass(20)
    assert ledger.rows[asked.id].state is State.ENDED


async def test_the_newest_truth_is_what_is_written_in_the_end(clock: Any, asked: Intervention) -> None:
    ledger = Locked(clock, until=10)
    saving = Saving(ledger.save, clock.sleep)
    for state in (State.RINGING, State.CONNECTED, State.ENDED):
        await saving.save(at(asked, state))
        await clock.let_pass(1)
    await clock.let_pass(30)
    assert ledger.rows[asked.id].state is State.ENDED


async def test_a_ledger_that_is_away_for_long_is_not_asked_all_the_time(clock: Any, asked: Intervention) -> None:
    ledger = Locked(clock, until=3600)
    saving = Saving(ledger.save, clock.sleep)
    await saving.save(asked)
    await clock.let_pass(1800)
    assert ledger.tries <= 10 + 1800 / LONGEST_PAUSE
    await saving.stop()


async def test_after_the_end_nothing_is_tried_any_more(clock: Any, asked: Intervention) -> None:
    ledger = Locked(clock, until=3600)
    saving = Saving(ledger.save, clock.sleep)
    await saving.save(asked)
    await saving.stop()
    tries = ledger.tries
    await clock.let_pass(100)
    assert ledger.tries == tries
