"""Long work in slices, between which others get their turn: Slack waits for acknowledgements meanwhile. No I/O here.

The watchdog measures whether that is so: how long others wait for their turn of the event loop.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import NoReturn, TypeVar

SLICE = 0.005
"""Seconds that a slice may take; one that has begun an item ends with it."""
EVERY = 0.05
"""Seconds between two looks of the watchdog: what stops the event loop for as long is seen."""

T = TypeVar("T")


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """These items; between two of them others get their turn, whenever a slice is over."""
    begun = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - begun >= SLICE:
            await asyncio.sleep(0)
            begun = time.perf_counter()


async def watch_loop(
    lagged: Callable[[float], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> NoReturn:
    """The watchdog: `lagged` hears again and again how many seconds too late a turn of the event loop came."""
    while True:
        due = clock() + EVERY
        await sleep(EVERY)
        lagged(max(0.0, clock() - due))
