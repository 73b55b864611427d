"""One scan of 10,000 live calls of two views, in three requests: from the bytes to what 20 alert rules say.

`python -m bench.scan` prints what it costs where every call is new, where one in a hundred has changed since the last scan,
and where none has; `--quick` takes fewer rounds, `--profile` shows where the time of a scan goes where all is new.

What is measured runs in a process of its own, which holds nothing else, next to a PBX in another. Rounds are
interleaved. All times are processor time of that process, the garbage collector's work included. How long the event loop is
blocked is measured in rounds of their own, by a task that wakes each millisecond; that costs time, too.
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
from datetime import timedelta
from itertools import islice
from pathlib import Path

import aiohttp
import structlog
import uvloop

from bench import floors
from bench.figures import Figures
from bench.goals import Goal, machine, report
from bench.pbx import pbx
from bot.alerts.evaluator import Evaluator
from bot.alerts.monitor import AT_A_TIME
from bot.app.collecting import collect_rarely
from bot.domain.calls import PhoneCall
from bot.tasks import in_slices
from bot.uapi.call_list import LastLists
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.token import FixedToken

BEAT = 0.001
"""Seconds between two beats of the task that measures how long the loop is blocked."""
KINDS = (("all new", ""), ("1 % changed", " later"), ("unchanged", " later"))
"""What a scan shows, and the floor that the PBX shows for it."""
SCANS = [(what, name + later) for name in "AB" for what, later in KINDS]


class Scanner:
    """Scans as the running bot does: the list of one scope, then the rules."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._api = UnifiedApi(session, url, FixedToken("fixed-token"), read_timeout=60, last_lists=LastLists())
        self._evaluator = Evaluator()
        self._evaluator.use_rules(floors.the_rules(), {})
        self.calls: tuple[PhoneCall, ...] = ()
        """What the last scan showed."""
        self.judging = 0.0
        """Seconds of processor time that the last scan took to compare and judge."""

    async def show(self, floor: str) -> None:
        """Let the PBX show that floor from now on."""
        async with self._session.put(f"{self._url}/show/{floor}") as answer:
            answer.raise_for_status()

    async def scan(self) -> None:
        """One scan, judged in the slices of `bot.alerts.monitor`."""
        self.calls = await self._api.list("@me", "@self")
        begun = time.process_time()
        self._evaluator.begin_scan()
        left = iter(self.calls)
        async for part in in_slices(iter(lambda: tuple(islice(left, AT_A_TIME)), ())):
            self._evaluator.evaluate(part, floors.NOW)
        async for _ in in_slices(self._evaluator.end_scan(floors.NOW + timedelta(hours=1), complete=True)):
            pass
        self.judging = time.process_time() - begun


def measure_scans(url: str, rounds: int) -> Figures:
    """Whole scans over HTTP: processor time, how long the loop is blocked, how much memory the calls of two scans need."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        return loop.run(_measure_scans(url, rounds))


async def _measure_scans(url: str, rounds: int) -> Figures:
    figures, pauses = Figures(), Pauses()
    async with pbx_session() as session:
        scanner = Scanner(session, url)
        collect_rarely()
        figures.add("memory, no scan yet", _resident("VmRSS"))
        await scanner.show("B later")
        await scanner.scan()
        for _ in range(rounds):
            for what, floor in SCANS:
                await scanner.show(floor)
                pauses.took.clear()
                begun = time.process_time()
                await scanner.scan()
                figures.add(what, time.process_time() - begun)
                figures.add(f"{what}, judging", scanner.judging)
                figures.add(f"{what}, collecting", sum(pauses.took))
        for _ in range(rounds):
            for what, floor in SCANS:
                await scanner.show(floor)
                pauses.took.clear()
                async with heart() as worked:
                    await scanner.scan()
                figures.add(f"{what}, longest block", max(worked))
                figures.add(f"{what}, longest collection", max(pauses.took, default=0.0))
        before = scanner.calls
        await scanner.show("A")
        await scanner.scan()
        figures.add("memory, two scans held", _resident("VmRSS"))
        figures.add("memory, at most", _resident("VmHWM"))
        if {call.id for call in before} & {call.id for call in scanner.calls}:
            raise RuntimeError("these two scans were to have no call in common")
    return figures


class Pauses:
    """What the garbage collector took, in seconds, each time."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self._begun = 0.0
        gc.callbacks.append(self._collected)

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.took.append(time.thread_time() - self._begun)


@contextlib.asynccontextmanager
async def heart() -> AsyncIterator[list[float]]:
    """How many seconds the loop worked between two beats: for so long it did nothing else."""
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
    """Print where the time of a scan goes where all is new."""

    async def scans() -> None:
        async with pbx_session() as session:
            scanner = Scanner(session, url)
            profiler = cProfile.Profile()
            for floor in ["A", "B"] * rounds:
                await scanner.show(floor)
                profiler.enable()
                await scanner.scan()
                profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(25)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(scans())


# ── the table ──


def apart(work: Callable[..., Figures], *given: object) -> Figures:
    """Measure in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *given).result()


def goals_scans(rounds: int) -> list[Goal]:
    """Measure scans; the lines of the table."""
    with pbx() as url:
        scans = apart(measure_scans, url, rounds)
    return [
        Goal("scan of 10,000 calls, all new", "ms", scans.of["all new"], most=350),
        Goal("  of it comparing and judging", "ms", scans.of["all new, judging"]),
        Goal("  of it collecting garbage", "ms", scans.of["all new, collecting"]),
        Goal("scan of 10,000 calls, 1 % changed", "ms", scans.of["1 % changed"], most=200),
        Goal("  of it comparing and judging", "ms", scans.of["1 % changed, judging"]),
        Goal("scan of 10,000 calls, unchanged", "ms", scans.of["unchanged"]),
        Goal("event loop blocked at a time, all new", "ms", scans.of["all new, longest block"], most=20),
        Goal("  of it collecting garbage", "ms", scans.of["all new, longest collection"]),
        Goal("event loop blocked at a time, 1 % changed", "ms", scans.of["1 % changed, longest block"], most=20),
        Goal("memory, two scans held, no call in common", "MB", scans.of["memory, two scans held"]),
        Goal("  before them", "MB", scans.of["memory, no scan yet"]),
        Goal("memory, at most", "MB", scans.of["memory, at most"]),
    ]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench.scan", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--quick", action="store_true", help="3 rounds in place of 9")
    options.add_argument("--profile", action="store_true", help="show where the time of a scan goes where all is new")
    given = options.parse_args()
    rounds = 3 if given.quick else 9
    if given.profile:
        with pbx() as url:
            profile(url, rounds)
        return
    on = machine()
    report(f"{on}; one scan of {floors.CALLS:,} live calls", goals_scans(rounds))


if __name__ == "__main__":
    main()
