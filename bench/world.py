"""The load, in one process with what is around the bot: one clock follows a command from being typed to the PUT and the card."""

import asyncio
import json
import multiprocessing
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import perf_counter, process_time
from typing import Any

import uvloop
from aiohttp import web

from bench import load
from bench.commands import command, request
from bench.surroundings import Awaited, Surroundings, person, routes

AT_ONCE = 24
"""Interventions that are under way at saturation."""
ANSWERED_AT_ONCE = 48
"""Commands that wait for their answer where a hundred thousand are sent: so few that none is refused as too many."""
ONE_IN = 50
"""Of those, one in so many is an intervention, the others are `/calls help`."""
PATIENCE = 20.0


class World:
    """What can be asked of the load. Seconds, and how many a second."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def _command(self, number: int) -> bytes:
        """The `/monitor` of one supervisor, each with a call of their own."""
        return request(command(next(self._around.numbers), self._around.api, *person(number)))

    async def acknowledged(self, port: int, many: int, per_second: float) -> list[float]:
        """Seconds to each acknowledgement over HTTP."""
        return await load.at_rate(port, [self._command(number) for number in range(many)], per_second)

    async def saturated(self, port: int, many: int) -> float:
        """Acknowledgements a second, as fast as they are taken."""
        return await load.saturated(port, [self._command(number) for number in range(many)])

    async def over_sockets(self, place: int, many: int, per_second: float) -> list[float]:
        """The same on the connection of Socket Mode that was opened as so-manieth."""
        around, loop, begun = self._around, asyncio.get_running_loop(), asyncio.get_running_loop().time()

        async def one(number: int) -> float:
            await asyncio.sleep(begun + number / per_second - loop.time())
            envelope, to = f"envelope-{next(around.numbers)}", around.sockets[place]
            if to is None:
                raise ConnectionError("that connection has ended")
            payload = command(next(around.numbers), around.api, *person(number))
            kind = {"type": "slash_commands", "accepts_response_payload": True}
            text = json.dumps({"envelope_id": envelope, "payload": payload} | kind)
            waiting, sent = _waiting(around.answered_at, envelope), perf_counter()
            await to.send_str(text)
            return await asyncio.wait_for(waiting, PATIENCE) - sent

        return await asyncio.gather(*map(one, range(many)))

    async def connected(self) -> int:
        """How many connections of Socket Mode were opened."""
        return len(self._around.sockets)

    async def to_put(self, port: int, many: int, per_second: float, delay: float = 0.0) -> list[tuple[float, float]]:
        """Seconds from each command to its PUT at the PBX: all of them, and those in which the PBX held no read of it.

        `delay`: how long the PBX takes for each of those.
        """
        around, sent = self._around, [0.0] * many
        around.reads.clear()
        around.delay = delay
        texts = [self._command(number) for number in range(many)]
        extensions = [person(number)[1] for number in range(many)]
        arrived = [_waiting(around.put_at, extension) for extension in extensions]
        await load.at_rate(port, texts, per_second, sent)
        puts = [await asyncio.wait_for(put, PATIENCE) for put in arrived]
        around.delay = 0.0
        return [
            (put - at, put - at - within(around.reads[extension[-3:]], at, put))
            for put, at, extension in zip(puts, sent, extensions, strict=True)
        ]

    async def interventions(self, port: int, many: int) -> float:
        """Whole interventions a second, from the command to the posted card, so many at a time.

        No more than are open at a time in callbot: what comes after the card is not counted.
        """
        left = iter([(person(number)[0], self._command(number)) for number in range(many)])
        lines = [await load.Line.to(port) for _ in range(AT_ONCE)]

        async def one_after_the_other(line: load.Line) -> None:
            for user, text in left:
                waiting = _waiting(self._around.card_at, user)
                await line.ask(text)
                await asyncio.wait_for(waiting, PATIENCE)

        begun = perf_counter()
        await asyncio.gather(*map(one_after_the_other, lines))
        took = perf_counter() - begun
        for line in lines:
            line.close()
        return many / took

    async def answered(self, port: int, many: int) -> None:
        """Commands that are carried out to their private answer: help, and one in ONE_IN an intervention."""
        around, numbers = self._around, iter(range(many))

        async def one_after_the_other() -> None:
            line = await load.Line.to(port)
            for number in numbers:
                key = next(around.numbers)
                fields = command(key, around.api, *person(number))
                if number % ONE_IN:
                    fields |= {"command": "/calls", "text": "help"}
                waiting = _waiting(around.told_at, str(key))
                await line.ask(request(fields))
                await asyncio.wait_for(waiting, PATIENCE)
            line.close()

        await asyncio.gather(*(one_after_the_other() for _ in range(ANSWERED_AT_ONCE)))

    async def busy(self) -> float:
        """Seconds of a processor that load and surroundings have used so far."""
        return process_time()


def within(spans: Sequence[tuple[float, float]], first: float, last: float) -> float:
    """Seconds between the two in which at least one of the spans was under way."""
    total = 0.0
    for begun, ended in sorted(spans):
        begun, ended = max(begun, first), min(ended, last)  # noqa: PLW2901  (what of it counts)
        if ended > begun:
            total, first = total + ended - begun, ended
    return total


def _waiting(awaited: Awaited, key: str) -> "asyncio.Future[float]":
    awaited[key] = asyncio.get_running_loop().create_future()
    return awaited[key]


async def _serve(pipe: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        around = Surroundings(f"http://127.0.0.1:{door.getsockname()[1]}")
        application = web.Application()
        application.router.add_routes(routes(around))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.SockSite(runner, door).start()
        pipe.send(around.url)
        world = World(around)
        while True:
            name, arguments = await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
            try:
                pipe.send(await getattr(world, name)(*arguments))
            except Exception as error:  # noqa: BLE001 - whoever asked hears of it
                pipe.send(error)


def _run(pipe: Connection) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_serve(pipe))


class Around:
    """The other end of it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.url = str(pipe.recv())

    def ask(self, name: str, *arguments: Any) -> Any:
        """What a method of World gives. Raises what it raises."""
        self._pipe.send((name, arguments))
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def world() -> Iterator[Around]:
    """The process, while it is there."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Around(ours)
    finally:
        process.terminate()
        process.join()
