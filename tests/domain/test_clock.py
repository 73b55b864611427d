"""Time that no step of the wall clock changes, and the clock of the PBX by the dates of its answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.domain.clock import Clock, ServerClock, shift_intervention, taken_up
from bot.domain.intervention import Intervention, State, answered

HOUR = timedelta(hours=1)


class Machine:
    """A wall clock that can be stepped, seconds that cannot."""

    def __init__(self, noon: datetime) -> None:
        self.wall = noon
        self.seconds = 0.0
        self.clock = Clock(lambda: self.wall, lambda: self.seconds)

    def pass_(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def machine(noon: datetime) -> Machine:
    return Machine(noon)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_step_of_the_wall_clock_changes_no_duration(machine: Machine, noon: datetime, step: timedelta) -> None:
    machine.wall += step
    machine.pass_(5)
    assert machine.clock.now() == noon + timedelta(seconds=5)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_the_wall_time_is_that_of_the_wall_clock_after_a_step(
    machine: Machine, noon: datetime, step: timedelta
) -> None:
    machine.wall += step
    machine.pass_(5)
    assert (machine.clock.wall(), machine.clock.stepped()) == (noon + step + timedelta(seconds=5), step)


def test_a_wall_clock_that_is_slewed_within_a_second_is_not_stepped(machine: Machine) -> None:
    machine.wall += timedelta(seconds=0.9)
    assert machine.clock.stepped() == timedelta()


def test_what_was_written_down_at_a_time_that_is_still_to_come_waits_no_longer_than_it_should(
    an_intervention: Callable[..., Intervention], noon: datetime
) -> None:
    left = shift_intervention(answered(an_intervention(wait=25), "ringing", noon), HOUR)
    (found,) = taken_up([left], noon)
    assert found.deadline == noon + timedelta(seconds=30)


def test_what_is_on_one_card_keeps_its_order_though_the_clock_was_set_back_since(
    an_intervention: Callable[..., Intervention], noon: datetime
) -> None:
    older = answered(an_intervention(), "ringing", noon)
    newer = shift_intervention(older, timedelta(minutes=2))
    first, second = taken_up([older, newer], noon - HOUR)
    assert (first.steps[-1].at, second.steps[-1].at) == (noon - HOUR - timedelta(minutes=2), noon - HOUR)


def test_what_was_moved_back_already_is_not_moved_again_for_what_else_is_on_its_card(
    an_intervention: Callable[..., Intervention], noon: datetime
) -> None:
    ended_before = shift_intervention(answered(an_intervention(), "ringing", noon), HOUR)
    moved_since = answered(an_intervention(wait=25), "ringing", noon)
    _, found = taken_up([ended_before, moved_since], noon + timedelta(seconds=5))
    assert found == moved_since


def test_what_was_written_down_before_keeps_its_times(
    an_intervention: Callable[..., Intervention], noon: datetime
) -> None:
    left = answered(an_intervention(), "ringing", noon)
    assert taken_up([left], noon + HOUR) == (left,)
    assert left.state is State.RINGING


# ── the clock of the PBX ──


def hear(machine: Machine, pbx: ServerClock, ahead: float, took: float = 0.2) -> None:
    """One answer of a PBX whose clock is so many seconds ahead; `Date` knows whole seconds."""
    asked = machine.clock.now()
    machine.pass_(took)
    pbx.heard(format_datetime(machine.clock.now() + timedelta(seconds=ahead), usegmt=True), asked)


@pytest.mark.parametrize("ahead", [60, -60, 3600])
@pytest.mark.parametrize("took", [0.01, 0.7, 1.9])
def test_one_answer_tells_how_far_the_clock_of_the_pbx_is_off(
    machine: Machine, noon: datetime, ahead: float, took: float
) -> None:
    pbx = ServerClock(machine.clock.now)
    hear(machine, pbx, ahead, took)
    assert abs(pbx.ahead() - timedelta(seconds=ahead)) <= timedelta(seconds=2)


@pytest.mark.parametrize("took", [0.01, 0.99, 1.9])
def test_a_clock_that_is_right_within_a_second_is_right(machine: Machine, took: float) -> None:
    pbx = ServerClock(machine.clock.now)
    for number in range(40):
        hear(machine, pbx, (-1) ** number * 0.9, took)
    assert pbx.ahead() == timedelta()


@pytest.mark.parametrize("wrong", [-86400.0, 120.0])
def test_one_wrong_date_changes_nothing(machine: Machine, wrong: float) -> None:
    pbx = ServerClock(machine.clock.now)
    said = set()
    for ahead in (60, wrong, 60, 60, wrong, 60):
        hear(machine, pbx, ahead)
        said.add(pbx.ahead())
    assert len(said) == 1


def test_a_first_date_that_is_wrong_counts_until_two_others_speak_against_it(machine: Machine) -> None:
    pbx = ServerClock(machine.clock.now)
    for ahead in (600, 0, 0):
        hear(machine, pbx, ahead)
    assert pbx.ahead() == timedelta()


def test_a_clock_of_the_pbx_that_is_set_right_is_right_soon(machine: Machine) -> None:
    pbx = ServerClock(machine.clock.now)
    for ahead in (*[60] * 9, *[0] * 5):
        hear(machine, pbx, ahead)
    assert pbx.ahead() == timedelta()


def test_what_is_believed_does_not_waver(machine: Machine) -> None:
    pbx = ServerClock(machine.clock.now)
    said = set()
    for number in range(60):
        hear(machine, pbx, 60 + number % 2 * 0.5, 0.05 + number % 7 * 0.1)
        said.add(pbx.ahead())
    assert len(said) == 1


def test_an_answer_that_took_long_tells_nothing(machine: Machine) -> None:
    pbx = ServerClock(machine.clock.now)
    hear(machine, pbx, 60, took=2.5)
    assert (pbx.ahead(), pbx.known) == (timedelta(), False)


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 21 Nov 9999 12:00:00 GMT", "x" * 8000])
def test_a_date_that_is_none_tells_nothing(machine: Machine, date: str) -> None:
    pbx = ServerClock(machine.clock.now)
    pbx.heard(date, machine.clock.now())
    assert (pbx.ahead(), pbx.known) == (timedelta(), False)
