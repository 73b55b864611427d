"""Subscriptions to changes of the floor or the workspace, and waiting for a change."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_AGAIN = 0.1
"""Seconds after which a waiting probe is tested again: it may depend on more than what changes here."""


class Changes:
    """Notifies those who wait or have subscribed. Belongs to one event loop."""

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
        """The first true value of `probe`, which is tested after every change; None after `timeout` seconds."""
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
