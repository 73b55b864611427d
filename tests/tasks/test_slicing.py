"""Long work leaves others their turns, and a watchdog says how long they wait for them."""

import asyncio
import time
from collections.abc import Iterator

from bot.tasks import LAG_MEASURED_EVERY, SLICE, in_slices, watch_loop


def slow(many: int, seconds: float) -> Iterator[int]:
    """Numbers, each of which takes so long."""
    for number in range(many):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass
        yield number


async def go_through(items: Iterator[int]) -> None:
    async for _ in in_slices(items):
        pass


async def turns_during(*works: Iterator[int]) -> int:
    """How many turns somebody else had while those were gone through at the same time."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.gather(*map(go_through, works))
    counting.cancel()
    return turns


async def test_others_get_their_turn_after_each_slice() -> None:
    assert await turns_during(slow(5, SLICE)) >= 4


async def test_who_works_in_slices_at_the_same_time_shares_each_slice() -> None:
    works = [slow(40, SLICE / 8) for _ in range(4)]  # 20 slices together
    assert await turns_during(*works) >= 15


async def test_who_was_cancelled_between_two_slices_takes_no_share_any_more() -> None:
    cancelled = [asyncio.create_task(go_through(slow(2, SLICE))) for _ in range(10)]
    await asyncio.sleep(0)
    for task in cancelled:
        task.cancel()
    await asyncio.wait(cancelled)
    assert all(task.cancelled() for task in cancelled)
    assert await turns_during(slow(40, SLICE / 8)) < 20  # 5 slices; with eleven shares each number would be one


async def test_short_work_is_not_interrupted() -> None:
    assert await turns_during(iter(range(10))) == await turns_during(iter([]))


async def test_nothing_is_left_out() -> None:
    assert [number async for number in in_slices(slow(5, SLICE))] == [0, 1, 2, 3, 4]


async def test_the_watchdog_measures_how_late_each_turn_came() -> None:
    now, told = 0.0, list[float]()
    late = iter([0.0, 0.3, 0.0])
    done = asyncio.Event()

    async def sleep(seconds: float) -> None:
        nonlocal now
        more = next(late, None)
        if more is None:
            done.set()
            await asyncio.Event().wait()
        now += seconds + (more or 0.0)

    watching = asyncio.create_task(watch_loop(told.append, clock=lambda: now, sleep=sleep))
    await done.wait()
    watching.cancel()
    assert [round(seconds, 6) for seconds in told] == [0.0, 0.3, 0.0]


async def test_an_event_loop_that_stands_still_is_seen() -> None:
    told, seen = list[float](), asyncio.Event()

    def lagged(seconds: float) -> None:
        told.append(seconds)
        seen.set()

    watching = asyncio.create_task(watch_loop(lagged))
    await asyncio.sleep(0)
    time.sleep(3 * LAG_MEASURED_EVERY)  # noqa: ASYNC251 - that is what is to be seen
    await asyncio.wait_for(seen.wait(), 5)
    watching.cancel()
    assert told[0] >= LAG_MEASURED_EVERY
