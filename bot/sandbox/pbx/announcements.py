"""Announcements: who wants to know that something changed on the floor, and how to wait for it without polling."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Announcements:
    """A list of listeners that are called, without arguments, after each change."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], object]] = []

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call `listener` after each change; the function returned ends that (calling it twice does no harm)."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def announce(self) -> None:
        """Tell every listener; one that unsubscribes, or subscribes, meanwhile disturbs nobody."""
        for listener in tuple(self._listeners):
            listener()

    async def until(self, condition: Callable[[], T], seconds: float, describe: Callable[[], str]) -> T:
        """Wait for the first change after which `condition()` is true, and return its value.

        Raises TimeoutError with what `describe()` says when that does not happen within `seconds`.
        """
        woken = asyncio.Event()
        unsubscribe = self.subscribe(woken.set)
        try:
            async with asyncio.timeout(seconds):
                while not (value := condition()):
                    woken.clear()
                    await woken.wait()
                return value
        except TimeoutError as timeout:
            raise TimeoutError(f"not within {seconds} s; {describe()}") from timeout
        finally:
            unsubscribe()
