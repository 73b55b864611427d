"""What was opened is closed again, whatever hangs or fails."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from bot.tasks import Closing

SECONDS = 0.1
Named = Callable[[str], Callable[[], Awaitable[None]]]


@pytest.fixture
def closed() -> list[str]:
    return []


@pytest.fixture
def named(closed: list[str]) -> Named:
    """What closes at once."""

    def of(name: str) -> Callable[[], Awaitable[None]]:
        async def close() -> None:
            closed.append(name)

        return close

    return of


async def hangs() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise OSError("no")


async def hangs_on() -> None:
    """As a library does that takes its time also where it is cancelled."""
    try:
        await hangs()
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(3 * SECONDS):
                await hangs()


async def test_the_last_opened_is_closed_first(closed: list[str], named: Named) -> None:
    closing = Closing()
    for name in ("first", "second"):
        closing.later(name, named(name))
    await closing.close(SECONDS)
    assert closed == ["second", "first"]


@pytest.mark.parametrize("broken", [hangs, fails, hangs_on])
async def test_what_does_not_close_keeps_nothing_else_open(
    closed: list[str], named: Named, broken: Callable[[], Awaitable[None]]
) -> None:
    closing = Closing()
    closing.later("first", named("first"))
    closing.later("broken", broken)
    await closing.close(SECONDS)
    assert closed == ["first"]


@pytest.mark.parametrize(
    ("broken", "event"), [(hangs, "closed_late"), (hangs_on, "closed_late"), (fails, "not_closed")]
)
async def test_what_does_not_close_is_in_the_log(broken: Callable[[], Awaitable[None]], event: str) -> None:
    closing = Closing()
    closing.later("ledger", broken)
    with capture_logs() as logs:
        await closing.close(SECONDS)
    assert [(line["event"], line["what"]) for line in logs] == [(event, "ledger")]


async def test_many_that_hang_take_no_longer_together_than_was_given() -> None:
    closing = Closing()
    for number in range(8):
        closing.later(str(number), hangs)
    clock = asyncio.get_running_loop().time
    begun = clock()
    await closing.close(5 * SECONDS)
    assert clock() - begun < 10 * SECONDS


async def test_what_was_closed_is_not_closed_again(closed: list[str], named: Named) -> None:
    closing = Closing()
    closing.later("first", named("first"))
    await closing.close(SECONDS)
    await closing.close(SECONDS)
    assert closed == ["first"]
