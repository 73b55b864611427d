"""The load, in one process with the stand-ins: one clock follows a command from when it is sent to the PUT and to the answer."""

import asyncio
import multiprocessing
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from aiohttp import web

from bench import floor, load
from bench.commands import command
from bench.servers import processor_time
from bench.stand_ins import Awaited, StandIns, person, routes

AT_ONCE = 24
"""Interventions in a burst that are on their way to the PUT at a time."""
ANSWERED_AT_ONCE = 48
"""Commands that wait for their answer where a hundred thousand are sent: so few that none is refused as too many."""
ONE_IN = 100
"""Of those, one in so many is an intervention, the others are `/calls help`."""
LISTING_USER = "U0LIST"
PATIENCE = 20.0


class World:
    """What can be asked of the load, by the name of the method. All times are seconds."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._stand_ins = stand_ins

    def _monitor(self, number: int) -> bytes:
        """The `/monitor` of one supervisor, each with a call of their own."""
        return command(next(self._stand_ins.numbers), self._stand_ins.api, *person(number))

    async def acknowledged(self, port: int, many: int, per_second: float) -> list[float]:
        """Send so many commands at that rate; the time to each acknowledgement."""
        took, _ = await load.at_rate(port, [self._monitor(number) for number in range(many)], per_second)
        return took

    async def saturated(self, port: int, many: int) -> float:
        """Send so many commands, as fast as they are acknowledged; how many a second that is."""
        return await load.saturated(port, [self._monitor(number) for number in range(many)])

    async def to_put(self, port: int, many: int, per_second: float) -> list[float]:
        """From each command to its PUT at the PBX, without the time in which the PBX held a read of that command."""
        stand_ins = self._stand_ins
        stand_ins.reads.clear()
        extensions = [person(number)[1] for number in range(many)]
        arrived = [_waiting(stand_ins.put_at, extension) for extension in extensions]
        _, sent = await load.at_rate(port, [self._monitor(number) for number in range(many)], per_second)
        puts = [await asyncio.wait_for(put, PATIENCE) for put in arrived]
        return [
            put - at - within(stand_ins.reads[extension[-3:]], at, put)
            for put, at, extension in zip(puts, sent, extensions, strict=True)
        ]

    async def burst(self, port: int, many: int) -> None:
        """Carry out so many interventions, as far as their PUT."""
        left = iter([(person(number)[1], self._monitor(number)) for number in range(many)])

        async def one_after_the_other() -> None:
            line = await load.Line.to(port)
            for extension, text in left:
                arrived = _waiting(self._stand_ins.put_at, extension)
                await line.ask(text)
                await asyncio.wait_for(arrived, PATIENCE)
            line.close()

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    async def answered(self, port: int, many: int) -> int:
        """Send so many commands and wait for the private answer of each; how many PUTs that were."""
        stand_ins, numbers, before = self._stand_ins, iter(range(many)), self._stand_ins.puts

        async def one_after_the_other() -> None:
            line = await load.Line.to(port)
            for number in numbers:
                key, (user, extension) = next(stand_ins.numbers), person(number)
                what = (extension, "/monitor") if number % ONE_IN == 0 else ("help", "/calls")
                arrived = _waiting(stand_ins.answered_at, str(key))
                await line.ask(command(key, stand_ins.api, user, *what))
                await asyncio.wait_for(arrived, PATIENCE)
            line.close()

        await asyncio.gather(*(one_after_the_other() for _ in range(ANSWERED_AT_ONCE)))
        return stand_ins.puts - before

    # ── a large floor ──

    async def show_floor(self) -> None:
        """Show 10,000 live calls from now on."""
        self._stand_ins.next_floors.append(floor.all_new(0, datetime.now(UTC)))

    async def listed(self, port: int, many: int) -> list[float]:
        """Ask for `/calls` so many times, one after the other; the times from the PBX's last page to the answer."""
        return [await self._list(port) for _ in range(many)]

    async def _list(self, port: int) -> float:
        key = next(self._stand_ins.numbers)
        arrived = _waiting(self._stand_ins.answered_at, str(key))
        line = await load.Line.to(port)
        await line.ask(command(key, self._stand_ins.api, LISTING_USER, "", "/calls"))
        answered = await asyncio.wait_for(arrived, PATIENCE)
        line.close()
        return answered - self._stand_ins.listed_at

    async def acknowledged_beside_lists(self, port: int, seconds: int, per_second: int) -> list[float]:
        """As `acknowledged`, while `/calls` is asked for every second."""

        async def list_after(delay: int) -> None:
            await asyncio.sleep(delay)
            await self._list(port)

        async with asyncio.TaskGroup() as lists:
            for delay in range(seconds):
                lists.create_task(list_after(delay))
            return await self.acknowledged(port, seconds * per_second, per_second)

    async def scanned(self, pid: int, rounds: int) -> list[float]:
        """Show the next scans of the bot with this process id floors that are all new and 1 % changed, in turns.

        The processor time of each, until the next scan begins.
        """
        stand_ins, used, now = self._stand_ins, list[float](), datetime.now(UTC)
        floors: deque[list[bytes]] = deque()
        for generation in range(1, rounds + 1):
            new = floor.all_new(generation, now)
            floors += [new, floor.one_in_a_hundred(new, generation, now)]
        expected, done = len(floors) + 1, asyncio.Event()

        def scan_begins() -> None:
            used.append(processor_time(pid))
            if len(used) == expected:
                stand_ins.on_list = lambda: None
                done.set()

        stand_ins.next_floors, stand_ins.on_list = floors, scan_begins
        await asyncio.wait_for(done.wait(), PATIENCE + 3 * expected)
        return [later - earlier for earlier, later in pairwise(used)]


def within(spans: Sequence[tuple[float, float]], first: float, last: float) -> float:
    """Seconds between the two times in which at least one of the spans was under way."""
    total = 0.0
    for begun, ended in sorted(spans):
        begun, ended = max(begun, first), min(ended, last)  # noqa: PLW2901  (the part of it that counts)
        if ended > begun:
            total, first = total + ended - begun, ended
    return total


def _waiting(awaited: Awaited, key: str) -> "asyncio.Future[float]":
    awaited[key] = asyncio.get_running_loop().create_future()
    return awaited[key]


async def _serve(pipe: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        stand_ins = StandIns(f"http://127.0.0.1:{door.getsockname()[1]}")
        application = web.Application()
        application.router.add_routes(routes(stand_ins))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.SockSite(runner, door).start()
        pipe.send(stand_ins.url)
        world = World(stand_ins)
        while True:
            name, arguments = await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
            try:
                pipe.send(await getattr(world, name)(*arguments))
            except Exception as error:  # noqa: BLE001 - Around.ask raises it
                pipe.send(error)


def _run(pipe: Connection) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_serve(pipe))


class Around:
    """The way from the bench to that process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.url = str(pipe.recv())

    def ask(self, name: str, *arguments: Any) -> Any:
        """Call a method of World, and return what it returns or raise what it raises."""
        self._pipe.send((name, arguments))
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def world() -> Iterator[Around]:
    """Start the process of the load and the stand-ins, and end it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Around(ours)
    finally:
        process.terminate()
        process.join()
