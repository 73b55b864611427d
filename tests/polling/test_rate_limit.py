"""Never more requests than callbot.toml allows; what a person waits for goes first, and otherwise first come, first served."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.polling.rate_limit import PbxRateLimit, Priority

URGENT, BACKGROUND = Priority.URGENT, Priority.BACKGROUND
Turns = list[tuple[float, str]]


class Line:
    """People and loops that want turns, and when each got one."""

    def __init__(self, clock: Any, per_second: float) -> None:
        self.clock = clock
        self.per_second = per_second
        self.rate_limit = PbxRateLimit(lambda: self.per_second, clock=clock, sleep=clock.sleep)
        self.turns: Turns = []
        self.tasks: list[asyncio.Task[None]] = []

    def wants(self, name: str, priority: Priority) -> asyncio.Task[None]:
        async def wait() -> None:
            await self.rate_limit.turn(priority)
            self.turns.append((round(self.clock(), 3), name))

        self.tasks.append(asyncio.create_task(wait()))
        return self.tasks[-1]

    def times(self) -> list[float]:
        return [at for at, _ in self.turns]

    def names(self) -> str:
        return "".join(name for _, name in self.turns)


@pytest.fixture
def line(clock: Any) -> Callable[[float], Line]:
    return lambda per_second: Line(clock, per_second)


def most_within(times: list[float], seconds: float) -> int:
    """The most turns in any span of so many seconds."""
    return max(sum(start <= time < start + seconds - 1e-6 for time in times) for start in times)


@pytest.mark.parametrize("per_second", [1, 5, 7.5, 200])
async def test_in_no_second_are_there_more_turns_than_callbot_toml_allows(
    line: Any, clock: Any, per_second: float
) -> None:
    waiting = line(per_second)
    for _ in range(40):
        waiting.wants("a", BACKGROUND)
    await clock.let_pass(4)
    assert most_within(waiting.times(), 1.0) <= -(-per_second // 1)


async def test_half_a_request_per_second_is_one_each_two_seconds(line: Any, clock: Any) -> None:
    waiting = line(0.5)
    for _ in range(3):
        waiting.wants("a", BACKGROUND)
    await clock.let_pass(10)
    assert waiting.times() == [0, 2, 4]


async def test_seven_and_a_half_per_second_are_that_many_in_the_long_run(line: Any, clock: Any) -> None:
    waiting = line(7.5)
    for _ in range(100):
        waiting.wants("a", BACKGROUND)
    await clock.let_pass(8)
    assert 58 <= len(waiting.turns) <= 66


async def test_after_a_rest_a_second_s_worth_of_turns_is_there_at_once(line: Any, clock: Any) -> None:
    waiting = line(5)
    await clock.let_pass(60)
    for _ in range(7):
        waiting.wants("a", BACKGROUND)
    await clock.let_pass(5)
    assert waiting.times() == [60] * 5 + [61] * 2


async def test_turns_are_taken_as_soon_as_they_are_free(line: Any, clock: Any) -> None:
    waiting = line(2)
    for _ in range(4):
        waiting.wants("a", BACKGROUND)
    await clock.let_pass(0.5)
    waiting.wants("b", BACKGROUND)
    await clock.let_pass(5)
    assert waiting.times() == [0, 0, 1, 1, 2]


async def test_who_came_first_goes_first(line: Any, clock: Any) -> None:
    waiting = line(1)
    for name in "abcdef":
        waiting.wants(name, BACKGROUND)
        await clock.let_pass(0.1)
    await clock.let_pass(10)
    assert waiting.names() == "abcdef"


async def test_of_three_turns_two_go_to_what_a_person_waits_for_and_neither_starves(line: Any, clock: Any) -> None:
    waiting = line(1)
    for name in "abcdefgh":
        waiting.wants(name, BACKGROUND)
    for name in "STUVWXYZ":
        waiting.wants(name, URGENT)
    await clock.let_pass(12.5)
    names = waiting.names()
    assert [sum(name.isupper() for name in names[start : start + 3]) for start in (1, 4, 7)] == [2, 2, 2]


async def test_an_urgent_request_is_not_behind_all_that_nobody_waits_for(line: Any, clock: Any) -> None:
    waiting = line(1)
    for name in "abcdefgh":
        waiting.wants(name, BACKGROUND)
    await clock.let_pass(0.5)
    waiting.wants("X", URGENT)
    await clock.let_pass(1.5)
    assert waiting.names()[:2] == "aX"


async def test_who_comes_later_does_not_overtake_those_who_have_waited_long(line: Any, clock: Any) -> None:
    waiting = line(1)
    for name in "STUVWXYZ":
        waiting.wants(name, URGENT)
    await clock.let_pass(4.5)
    waiting.wants("a", BACKGROUND)
    await clock.let_pass(9)
    assert waiting.names() == "STUVWXYaZ"


async def test_who_goes_away_holds_up_nobody(line: Any, clock: Any) -> None:
    waiting = line(1)
    waiting.wants("a", BACKGROUND)
    gone = waiting.wants("b", BACKGROUND)
    waiting.wants("c", BACKGROUND)
    await clock.let_pass(0.5)
    gone.cancel()
    await clock.let_pass(3)
    assert waiting.turns == [(0, "a"), (1, "c")]


async def test_a_changed_rate_holds_for_those_who_wait_already(line: Any, clock: Any) -> None:
    waiting = line(0.1)
    for _ in range(6):
        waiting.wants("a", BACKGROUND)
    await clock.let_pass(1)
    waiting.per_second = 100
    await clock.let_pass(1.1)
    assert len(waiting.turns) == 6
