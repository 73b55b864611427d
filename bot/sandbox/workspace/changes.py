"""Telling those who watch that something in the workspace has changed."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_AGAIN = 0.1
"""Seconds after which a waiting probe looks again by itself: it may watch more than this workspace."""


class Changes:
    """What changes tells; who waits or has subscribed is told. Belongs to one event loop."""

    def __init__(self, look_again: float = LOOK_AGAIN) -> None:
        self._look_again = look_again
        self._waiting: set[asyncio.Event] = set()
        self._callbacks: dict[object, Callable[[], object]] = {}

    def tell(self) -> None:
        """Something has changed."""
        for event in self._waiting:
            event.set()
        for callback in list(self._callbacks.values()):
            callback()

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` on every change, until the returned function is called."""
        key = object()
        self._callbacks[key] = callback

        def unsubscribe() -> None:
            self._callbacks.pop(key, None)

        return unsubscribe

    async def until(self, probe: Callable[[], T], timeout: float) -> T | None:  # noqa: ASYNC109 -- None then, no error
        """The first true value of `probe`, looked at on every change; None after `timeout` seconds."""
        event = asyncio.Event()
        self._waiting.add(event)
        end = time.monotonic() + timeout
        try:
            while not (value := probe()):
                left = end - time.monotonic()
                if left <= 0:
                    return None
                try:
                    await asyncio.wait_for(event.wait(), min(left, self._look_again))
                except TimeoutError:
                    continue
                event.clear()
        finally:
            self._waiting.discard(event)
        return value
