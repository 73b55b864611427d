"""Long work in slices, between which others get their turn: Slack waits for acknowledgements meanwhile. No I/O here."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

SLICE = 0.005
"""Seconds that a slice may take; one that has begun an item ends with it."""

T = TypeVar("T")


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """These items; between two of them others get their turn, whenever a slice is over."""
    begun = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - begun >= SLICE:
            await asyncio.sleep(0)
            begun = time.perf_counter()
