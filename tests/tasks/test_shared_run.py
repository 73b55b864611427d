"""One run for all who want its result: nobody starts a second one, nobody spoils it for the others."""

import asyncio
import gc
import weakref
from typing import Any

import pytest

from bot.tasks import SharedRun


class Work:
    """Work that ends when it is let go, and counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun, self.end = asyncio.Event(), asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self) -> int:
        self.runs += 1
        run = self.runs
        self.begun.set()
        await self.end.wait()
        if self.failure is not None:
            raise self.failure
        return run


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def shared() -> SharedRun[int]:
    return SharedRun("work of a test")


async def waiting(shared: SharedRun[int], work: Work, many: int) -> list["asyncio.Task[int]"]:
    """So many who wait for the result, all of them in the run that is under way."""
    tasks = [asyncio.create_task(shared.result(work)) for _ in range(many)]
    await work.begun.wait()
    return tasks


async def test_all_who_wait_share_one_run(shared: SharedRun[int], work: Work) -> None:
    tasks = await waiting(shared, work, 10)
    work.end.set()
    assert (await asyncio.gather(*tasks), work.runs) == ([1] * 10, 1)


async def test_who_asks_later_has_a_run_of_their_own(shared: SharedRun[int], work: Work) -> None:
    work.end.set()
    assert [await shared.result(work), await shared.result(work)] == [1, 2]


async def test_all_who_wait_share_one_failure(shared: SharedRun[int], work: Work) -> None:
    tasks = await waiting(shared, work, 3)
    work.failure = ValueError("no")
    work.end.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [work.failure] * 3


async def test_who_is_cancelled_does_not_cancel_the_others(shared: SharedRun[int], work: Work) -> None:
    first, second = await waiting(shared, work, 2)
    first.cancel()
    await asyncio.wait([first])
    work.end.set()
    assert (first.cancelled(), await second) == (True, 1)


async def test_a_failure_that_nobody_waits_for_is_not_reported(shared: SharedRun[int], work: Work) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    (task,) = await waiting(shared, work, 1)
    running = next(task for task in asyncio.all_tasks() if task.get_name() == "work of a test")
    task.cancel()
    work.failure = ValueError("no")
    work.end.set()
    await asyncio.wait([task, running])
    del task, running
    gc.collect()
    assert reported == []


async def test_a_run_that_is_cancelled_cancels_those_who_wait(shared: SharedRun[int], work: Work) -> None:
    (task,) = await waiting(shared, work, 1)
    shared.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_result_is_not_kept(work: Work) -> None:
    class Large:
        pass

    async def make() -> Large:
        return Large()

    shared = SharedRun[Large]("large")
    kept = weakref.ref(await shared.result(make))
    await asyncio.sleep(0)
    gc.collect()
    assert kept() is None
