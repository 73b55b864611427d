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
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import islice
from pathlib import Path

import aiohttp
import structlog
import uvloop
from pydantic import TypeAdapter

from bench import floors
from bench.figures import Figures, Line, report
from bench.pbx import pbx
from bot.collecting import collect_rarely
from bot.lookout import AT_A_TIME
from bot.phonecalls import PhoneCall
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.pages import Pages, Remembered, Shown
from bot.uapi.token import FixedToken
from bot.watching import Holding, Watch

KINDS = (("all new", ""), ("1 % changed", " later"), ("unchanged", " later"))
"""What a look shows, and the floor that is shown next for it."""
BEAT = 0.001
"""Seconds between two beats of the heart that feels how long the loop is blocked."""


# ── bytes to calls ──


def measure_reading(rounds: int) -> Figures:
    """Pages to calls, without HTTP, next to what pydantic-core alone needs for the same bytes and the same models."""
    collect_rarely()
    figures, adapter = Figures(), TypeAdapter(list[PhoneCall])
    by_name = {name: _pages(entries) for name, entries in floors.floors()}
    whole = {name: b"[" + b",".join(dict(floors.floors())[name]) + b"]" for name in "AB"}
    shown = _read(by_name["B later"], Shown())
    for _ in range(rounds):
        for name in "AB":
            for what, later in KINDS:
                before = shown
                begun = time.process_time()
                shown = _read(by_name[name + later], before)
                figures.add(what, time.process_time() - begun)
            begun = time.process_time()
            calls = adapter.validate_json(whole[name])
            figures.add("pydantic-core", time.process_time() - begun)
            del calls
    return figures


def _pages(entries: list[bytes]) -> list[bytes]:
    return [floors.page(entries, start, count) for start, count in ((0, 1000), (950, 4300), (5000, 5000))]


def _read(pages: Iterable[bytes], before: Shown) -> Shown:
    reading = Pages(before)
    for body in pages:
        for _ in reading.reading(200, body):
            pass
    return reading.shown


# ── a whole look ──


class Looker:
    """Looks as the running bot does: the list of one scope, then the rules."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._api = UnifiedApi(session, url, FixedToken("fixed-token"), read_timeout=60, remembered=Remembered())
        self._watch = Watch()
        self._watch.take(floors.the_rules(), {})
        self.calls: tuple[PhoneCall, ...] = ()
        self.judging = 0.0
        """CPU seconds that the last look took to compare and judge."""

    async def show(self, floor: str) -> None:
        """Let the PBX show that floor from now on."""
        async with self._session.put(f"{self._url}/show/{floor}") as answer:
            answer.raise_for_status()

    async def look(self) -> list[Holding]:
        """One look: what is due."""
        self.calls = await self._api.list("@me", "@self")
        begun = time.process_time()
        due = await self._judged()
        self.judging = time.process_time() - begun
        return due

    async def _judged(self) -> list[Holding]:
        """What 20 rules say of the calls, in the slices of `bot.lookout`."""
        self._watch.begin()
        due: list[Holding] = []
        calls = iter(self.calls)
        while part := tuple(islice(calls, AT_A_TIME)):
            due += self._watch.see(part, floors.NOW)
            await asyncio.sleep(0)
        self._watch.end(floors.NOW + timedelta(hours=1), complete=True)
        for _ in self._watch.let_go(AT_A_TIME):
            await asyncio.sleep(0)
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


def _apart(work: Callable[..., Figures], *given: object) -> Figures:
    """Measure in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *given).result()


def _lines(reading: Figures, looks: Figures) -> list[Line]:
    alone, new = reading.of["pydantic-core"], reading.of["all new"]
    few = reading.of["1 % changed"]
    return [
        Line("bytes to calls, all new", "ms", new),
        Line("the same by pydantic-core alone", "ms", alone),
        Line("  ratio", "x", [one / other for one, other in zip(new, alone, strict=True)], 1.3),
        Line("bytes to calls, 1 % changed", "ms", few),
        Line("  of all new", "x", [one / other for one, other in zip(few, new, strict=True)], 0.25),
        Line("bytes to calls, unchanged", "ms", reading.of["unchanged"]),
        Line("parsed, compared, judged by 20 rules, all new", "ms", _sums(new, looks.of["all new, judging"]), 250),
        Line("the same received over HTTP besides", "ms", looks.of["all new"]),
        Line("  of it collecting garbage", "ms", looks.of["all new, collecting"]),
        Line("whole look, 1 % changed, judged", "ms", looks.of["1 % changed"], 250),
        Line("whole look, unchanged, judged", "ms", looks.of["unchanged"], 250),
        Line("loop blocked at a time, all new", "ms", looks.of["all new, longest block"], 20),
        Line("  of it collecting garbage", "ms", looks.of["all new, longest collection"]),
        Line("loop blocked at a time, 1 % changed", "ms", looks.of["1 % changed, longest block"], 20),
        Line("memory, two looks held, no call in common", "MB", looks.of["memory, two looks held"], 150),
        Line("memory, at most", "MB", looks.of["memory, at most"]),
    ]


def _sums(some: list[float], others: list[float]) -> list[float]:
    """Of two things that were measured apart, each as often as the other."""
    return [one + other for one, other in zip(sorted(some), sorted(others), strict=True)]


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
        looks = _apart(measure_looks, url, rounds)
    report(f"One look at {floors.CALLS:,} live calls", _lines(_apart(measure_reading, rounds), looks))


if __name__ == "__main__":
    main()
