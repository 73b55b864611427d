"""The whole bot as `callbot run` starts it, but without Slack's rates, so that many interventions do not wait for each other.

`python -m bench.unlimited [FILE]`: each turn of the event loop that took long is a line in that file, see `Turn`.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, thread_time
from typing import NamedTuple

import uvloop

from bot.__main__ import serve

TIMES_THE_RATES = 100_000
BEAT = 0.001
"""Seconds between two looks at the clock; a turn is known to within that."""
LONG = 0.005
"""Seconds from which on a turn is recorded."""


class Turn(NamedTuple):
    """A time in which the event loop did nothing else: nobody was acknowledged, nothing was read."""

    ended: float
    """By `time.monotonic`, which all processes of a machine share on Linux."""
    late: float
    """Seconds by which it held up what was due."""
    worked: float
    """Seconds of a processor that the loop's thread used in it."""


def record_turns(write: Callable[[str], object]) -> None:
    """Write a line for each long turn of the running event loop."""
    loop = asyncio.get_running_loop()

    def beat(due: float, used: float) -> None:
        now, working = monotonic(), thread_time()
        if max(now - due, working - used) >= LONG:
            write(f"{now} {now - due} {working - used}\n")
        loop.call_later(BEAT, beat, monotonic() + BEAT, thread_time())

    loop.call_soon(beat, monotonic(), thread_time())


def read_turns(path: Path, begun: float, ended: float) -> list[Turn]:
    """The long turns that ended between these two times; one that says nothing where there was none."""
    turns = [Turn(*map(float, line.split())) for line in path.read_text().splitlines()]
    return [turn for turn in turns if begun <= turn.ended <= ended] or [Turn(ended, 0.0, 0.0)]


async def _run(path: str | None) -> None:
    if path is None:
        await serve(slack_rate_factor=TIMES_THE_RATES)
        return
    with Path(path).open("w", buffering=1) as file:  # noqa: ASYNC230  a line at a time, and only after a long turn
        record_turns(file.write)
        await serve(slack_rate_factor=TIMES_THE_RATES)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(sys.argv[1] if len(sys.argv) > 1 else None))
