"""One look at 10,000 live calls of two views, in three requests: from the bytes to what 20 rules say.

`python -m bench.look` prints what it costs where every call is new, where one in a hundred has changed since the last look,
and where none has; `--quick` takes fewer rounds, `--profile` shows where the time of a look goes where all is new.

What is measured runs in a process of its own, which holds nothing else, next to a PBX in another. Rounds are
interleaved. All times are CPU time of that process, the garbage collector's work included. How long the loop is blocked is
felt in rounds of their own, by a heart that beats each millisecond; that costs time, too.
"""

import argparse
import asyncio
import contextlib
import cProfile
import gc
import logging
import multiprocessing
import pstats
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import aiohttp
import structlog
import uvloop

from bench import floors
from bench.figures import Figures
from bench.goals import Goal, machine, report
from bench.pbx import pbx
from bench.reading import KINDS, goals_reading, judged, measure_reading
from bot.alerts.evaluator import Evaluator
from bot.alerts.tracked_call import RuleMatch
from bot.app.collecting import collect_rarely
from bot.domain.calls import PhoneCall
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.pages import Remembered
from bot.uapi.token import FixedToken

BEAT = 0.001
"""Seconds between two beats of the heart that feels how long the loop is blocked."""


class Looker:
    """Looks as the running bot does: the list of one scope, then the rules."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._api = UnifiedApi(session, url, FixedToken("fixed-token"), read_timeout=60, remembered=Remembered())
        self._watch = Evaluator()
        self._watch.use_rules(floors.the_rules(), {})
        self.calls: tuple[PhoneCall, ...] = ()
        self.judging = 0.0
        """CPU seconds that the last look took to compare and judge."""

    async def show(self, floor: str) -> None:
        """Let the PBX show that floor from now on."""
        async with self._session.put(f"{self._url}/show/{floor}") as answer:
            answer.raise_for_status()

    async def look(self) -> list[RuleMatch]:
        """One look: what is due."""
        self.calls = await self._api.list("@me", "@self")
        begun = time.process_time()
        due: list[RuleMatch] = []
        for found in judged(self._watch, self.calls):
            due += found
            await asyncio.sleep(0)
        self.judging = time.process_time() - begun
        return due


LOOKS = [(what, name + later) for name in "AB" for what, later in KINDS]


def measure_looks(url: str, rounds: int) -> Figures:
    """Whole looks over HTTP: CPU time, how long the loop is blocked, how much memory two looks' worth of calls needs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        return loop.run(_measure_looks(url, rounds))


async def _measure_looks(url: str, rounds: int) -> Figures:
    figures, pauses = Figures(), Pauses()
    async with pbx_session() as session:
        looker = Looker(session, url)
        collect_rarely()
        await looker.show("B later")
        await looker.look()
        for _ in range(rounds):
            for what, floor in LOOKS:
                await looker.show(floor)
                pauses.took.clear()
                begun = time.process_time()
                await looker.look()
                figures.add(what, time.process_time() - begun)
                figures.add(f"{what}, judging", looker.judging)
                figures.add(f"{what}, collecting", sum(pauses.took))
        for _ in range(rounds):
            for what, floor in LOOKS:
                await looker.show(floor)
                pauses.took.clear()
                async with heart() as worked:
                    await looker.look()
                figures.add(f"{what}, longest block", max(worked))
                figures.add(f"{what}, longest collection", max(pauses.took, default=0.0))
        before = looker.calls
        await looker.show("A")
        await looker.look()
        figures.add("memory, two looks held", _resident("VmRSS"))
        figures.add("memory, at most", _resident("VmHWM"))
        if {call.id for call in before} & {call.id for call in looker.calls}:
            raise RuntimeError("two looks with calls in common are not two looks' worth")
    return figures


class Pauses:
    """What the garbage collector took, in seconds, each time."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self._begun = 0.0
        gc.callbacks.append(self._told)

    def _told(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.took.append(time.thread_time() - self._begun)


@contextlib.asynccontextmanager
async def heart() -> AsyncIterator[list[float]]:
    """How many seconds the loop worked between two beats: what it did for so long, nobody else could do anything."""
    worked = [0.0]

    async def beat() -> None:
        while True:
            begun = time.thread_time()
            await asyncio.sleep(BEAT)
            worked.append(time.thread_time() - begun)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(10 * BEAT)
    worked.clear()
    try:
        yield worked
        await asyncio.sleep(2 * BEAT)
    finally:
        beating.cancel()


def _resident(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return float(line.split()[1]) * 1024
    return float("nan")


def profile(url: str, rounds: int) -> None:
    """Where the time of a look goes where all is new."""

    async def looks() -> None:
        async with pbx_session() as session:
            looker = Looker(session, url)
            profiler = cProfile.Profile()
            for floor in ["A", "B"] * rounds:
                await looker.show(floor)
                profiler.enable()
                await looker.look()
                profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(25)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(looks())


# ── the table ──


def apart(work: Callable[..., Figures], *given: object) -> Figures:
    """Measure in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *given).result()


def _goals(reading: Figures, looks: Figures) -> list[Goal]:
    return [
        *goals_reading(reading),
        Goal("whole look, received over HTTP, all new, judged", "ms", looks.of["all new"]),
        Goal("  of it collecting garbage", "ms", looks.of["all new, collecting"]),
        Goal("whole look, 1 % changed, judged", "ms", looks.of["1 % changed"], most=250),
        Goal("whole look, unchanged, judged", "ms", looks.of["unchanged"], most=250),
        Goal("loop blocked at a time, all new", "ms", looks.of["all new, longest block"], most=20),
        Goal("  of it collecting garbage", "ms", looks.of["all new, longest collection"]),
        Goal("loop blocked at a time, 1 % changed", "ms", looks.of["1 % changed, longest block"], most=20),
        Goal("memory, two looks held, no call in common", "MB", looks.of["memory, two looks held"], most=150),
        Goal("memory, at most", "MB", looks.of["memory, at most"]),
    ]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench.look", description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true", help="3 rounds in place of 9")
    options.add_argument("--profile", action="store_true", help="show where the time of a look goes where all is new")
    given = options.parse_args()
    rounds = 3 if given.quick else 9
    with pbx() as url:
        if given.profile:
            profile(url, rounds)
            return
        on = machine()
        looks = apart(measure_looks, url, rounds)
    report(f"{on}; one look at {floors.CALLS:,} live calls", _goals(apart(measure_reading, rounds), looks))


if __name__ == "__main__":
    main()
