"""What is true is written down in the end, though the ledger may not take it now."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.errors import CallbotError
from bot.domain.intervention import Intervention, State
from bot.tasks import LONGEST_PAUSE, WriteBehind, back_off

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
    await WriteBehind(ledger.save, clock.sleep).save(at(asked, State.ENDED))
    assert ledger.rows == {}
    await clock.let_pass(20)
    assert ledger.rows[asked.id].state is State.ENDED


async def test_the_newest_state_is_what_is_written_in_the_end(clock: Any, asked: Intervention) -> None:
    ledger = Locked(clock, until=10)
    saving = WriteBehind(ledger.save, clock.sleep)
    for state in (State.RINGING, State.CONNECTED, State.ENDED):
        await saving.save(at(asked, state))
        await clock.let_pass(1)
    await clock.let_pass(30)
    assert ledger.rows[asked.id].state is State.ENDED


async def test_a_ledger_that_is_away_for_long_is_not_asked_all_the_time(clock: Any, asked: Intervention) -> None:
    ledger = Locked(clock, until=3600)
    saving = WriteBehind(ledger.save, clock.sleep)
    await saving.save(asked)
    await clock.let_pass(1800)
    assert ledger.tries <= 10 + 1800 / LONGEST_PAUSE
    await saving.stop()


async def test_after_the_end_nothing_is_tried_any_more(clock: Any, asked: Intervention) -> None:
    ledger = Locked(clock, until=3600)
    saving = WriteBehind(ledger.save, clock.sleep)
    await saving.save(asked)
    await saving.stop()
    tries = ledger.tries
    await clock.let_pass(100)
    assert ledger.tries == tries


class Refusing(Locked):
    """A ledger that never takes one of them, and takes each of the others when it is let."""

    def __init__(self, clock: Any, bad: str = "", *, held: bool = False) -> None:
        super().__init__(clock, until=0)
        self.bad = bad
        self.let = asyncio.Event()
        if not held:
            self.let.set()

    async def save(self, intervention: Intervention) -> None:
        await self.let.wait()
        self.tries += 1
        if intervention.id == self.bad:
            raise CallbotError("refused")
        self.rows[intervention.id] = intervention


@pytest.mark.parametrize("at_once", [1, 16])
async def test_one_that_is_never_taken_does_not_keep_the_others_from_being_written(
    clock: Any, asked: Intervention, at_once: int
) -> None:
    ledger = Refusing(clock, bad="i0")
    saving = WriteBehind(ledger.save, clock.sleep, at_once=at_once)
    for number in range(40):
        saving.save_soon(asked.model_copy(update={"id": f"i{number}"}))
    for _ in range(40):
        await clock.let_pass(1)
    assert sorted(ledger.rows) == sorted(f"i{number}" for number in range(1, 40))
    assert saving.is_unsaved("i0")
    await saving.stop()


async def test_one_that_is_never_taken_is_not_tried_all_the_time(clock: Any, asked: Intervention) -> None:
    ledger = Refusing(clock, bad="bad")
    saving = WriteBehind(ledger.save, clock.sleep, at_once=16)
    saving.save_soon(asked.model_copy(update={"id": "bad"}))
    await clock.let_pass(1800)
    assert ledger.tries <= 10 + 1800 / LONGEST_PAUSE
    await saving.stop()


async def test_as_many_as_the_ledger_takes_together_are_written_at_a_time(clock: Any, asked: Intervention) -> None:
    ledger = Refusing(clock, held=True)
    begun: list[str] = []

    async def save(state: Intervention) -> None:
        begun.append(state.id)
        await ledger.save(state)

    saving = WriteBehind(save, clock.sleep, at_once=3)
    for number in range(5):
        saving.save_soon(asked.model_copy(update={"id": f"i{number}"}))
    await clock.let_pass(0.1)
    assert begun == ["i0", "i1", "i2"]
    ledger.let.set()
    await clock.let_pass(0.1)
    assert begun == ["i0", "i1", "i2", "i3", "i4"]


async def test_a_newer_state_is_written_after_the_one_that_is_being_written(clock: Any, asked: Intervention) -> None:
    ledger = Refusing(clock, held=True)
    saving = WriteBehind(ledger.save, clock.sleep, at_once=16)
    saving.save_soon(at(asked, State.RINGING))
    await clock.let_pass(0.1)
    saving.save_soon(at(asked, State.ENDED))
    ledger.let.set()
    await clock.let_pass(0.1)
    assert (ledger.rows[asked.id].state, saving.is_unsaved(asked.id)) == (State.ENDED, False)


class Broken(Locked):
    """A ledger that answers one of them with an error that nobody expects."""

    async def save(self, intervention: Intervention) -> None:
        if intervention.id == "bad":
            raise RuntimeError("unexpected")
        await super().save(intervention)


async def test_an_unexpected_error_of_the_ledger_keeps_no_other_from_being_written(
    clock: Any, asked: Intervention
) -> None:
    ledger = Broken(clock, until=0)
    saving = WriteBehind(ledger.save, clock.sleep)
    await saving.save(asked.model_copy(update={"id": "bad"}))
    await saving.save(asked)
    await clock.let_pass(10)
    assert list(ledger.rows) == [asked.id]
    await saving.stop()


async def test_an_unexpected_error_of_who_hears_of_it_keeps_nothing_from_being_written(
    clock: Any, asked: Intervention
) -> None:
    def heard(_: Intervention) -> None:
        raise RuntimeError("unexpected")

    ledger = Locked(clock, until=0)
    saving = WriteBehind(ledger.save, clock.sleep, saved=heard)
    for state in (State.RINGING, State.CONNECTED, State.ENDED):
        await saving.save(at(asked, state))
    assert (ledger.rows[asked.id].state, saving.is_unsaved(asked.id)) == (State.ENDED, False)


# ── pauses after failures ──


def test_each_pause_is_twice_as_long_until_the_longest() -> None:
    assert [back_off(failures, 0.5, 3.0) for failures in (1, 2, 3, 4, 10_000)] == [0.5, 1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_jitter_shortens_a_pause_by_up_to_a_half(jitter: float, pause: float) -> None:
    assert back_off(3, 0.5, 3.0, jitter) == pause
