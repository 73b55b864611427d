"""What was opened is closed again: the last first, and within an end, whatever hangs."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

SHORTEST = 0.05
"""Seconds that even the last has, where those before it have used up theirs."""

_log = structlog.get_logger("callbot.closing")


class Closing:
    """What is open, in the order of its opening."""

    def __init__(self) -> None:
        self._open: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    def later(self, name: str, close: Callable[[], Awaitable[object]]) -> None:
        """Remember how to close what was just opened."""
        self._open.append((name, close))

    async def close(self, seconds: float) -> None:
        """Close everything, in about so many seconds at most. What fails or hangs is logged, and the next one follows.

        Each may take half of what is left, so that there is something left for the next one.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while self._open:
            name, close = self._open.pop()
            await _close(name, close, max(SHORTEST, (end - clock()) / 2))


async def _close(name: str, close: Callable[[], Awaitable[object]], seconds: float) -> None:
    closing = asyncio.ensure_future(close())
    await asyncio.wait({closing}, timeout=seconds)
    if not closing.done():
        _log.error("closed_late", what=name)
        closing.cancel()
        await asyncio.wait({closing}, timeout=SHORTEST)
    elif not closing.cancelled() and (error := closing.exception()) is not None:
        _log.error("not_closed", what=name, error=type(error).__name__)
