"""What is around the bot, in one process of its own: a Slack that sends commands and answers, and a PBX of prepared answers.

Both have one clock, so that the way of a command through the bot can be followed: typed, PUT, card. Every list of an
extension's calls shows a call that nobody has seen before, and whoever reads a call by its id hears that it is over.
"""

import asyncio
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import uvloop
from aiohttp import WSMsgType, web

from bench import floors, load
from bench.commands import TEAM, command, request

PEOPLE = 160
"""Supervisors, each with a phone and with an extension of their own to monitor."""
AT_ONCE = 24
"""Interventions that are under way at saturation."""
PATIENCE = 20.0


def person(number: int) -> tuple[str, str]:
    """The n-th supervisor, and the extension to monitor."""
    return f"U0S{number % PEOPLE:03}", f"0003*2{number % PEOPLE:03}"


class World:
    """Slack and the PBX; the methods without underscore are what can be asked of it from outside."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._api = f"{url}/api/"
        self._numbers = count(1)
        self._call = json.loads(floors.a_call(1))
        self._put_at: dict[str, asyncio.Future[float]] = {}
        self._card_at: dict[str, asyncio.Future[float]] = {}
        self._sockets: list[web.WebSocketResponse] = []
        self._answers: dict[str, asyncio.Future[float]] = {}

    # ── what the bot asks ──

    async def method(self, asked: web.Request) -> web.Response:
        """One method of the Web API: a yes, with whatever any of them needs."""
        name = asked.match_info["method"]
        if name == "apps.connections.open":
            return web.json_response({"ok": True, "url": f"{self._url.replace('http', 'ws')}/socket"})
        channel = "D0LOCAL"
        if name == "chat.postMessage":
            is_json = asked.content_type == "application/json"
            said: Any = await asked.json() if is_json else await asked.post()
            channel = str(said["channel"])
            self._arrived(self._card_at, channel)
        number = next(self._numbers)
        who = {"user_id": "U0BOT", "bot_id": "B0LOCAL", "team_id": TEAM, "team": "example", "user": "callbot"}
        where = {
            "channel": {"id": channel} if name == "conversations.open" else channel,
            "ts": f"1700000000.{number:06}",
        }
        return web.json_response({"ok": True, "url": "https://example.com/", **who, **where})

    async def respond(self, asked: web.Request) -> web.Response:
        """A response_url."""
        return web.Response(text="ok")

    async def socket(self, asked: web.Request) -> web.WebSocketResponse:
        """One connection of Socket Mode."""
        socket = web.WebSocketResponse()
        await socket.prepare(asked)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0LOCAL"}})
        self._sockets.append(socket)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                self._arrived(self._answers, str(json.loads(frame.data).get("envelope_id", "")))
        self._sockets.remove(socket)
        return socket

    async def calls(self, asked: web.Request) -> web.Response:
        """The calls of an extension: one, and always another one. Of a whole user: none."""
        extension = asked.match_info["extension"]
        entries = []
        if extension.startswith("0003"):
            views = [
                view | {"extension": extension, "destination": [extension]} for view in self._call["phoneCallView"][:1]
            ]
            call = {"id": f"{next(self._numbers):020x}", "extension": extension, "phoneCallView": views}
            entries.append(self._call | call)
        return web.json_response(
            {"entry": entries, "startIndex": 0, "totalResults": len(entries), "itemsPerPage": 1000}
        )

    async def presence(self, asked: web.Request) -> web.Response:
        """A phone that is registered and idle."""
        phone = {"extension": asked.match_info["extension"], "status": 1, "registration": [{"registration": 1}]}
        return web.json_response({"entry": [phone], "startIndex": 0, "totalResults": 1, "itemsPerPage": 10})

    async def gone(self, asked: web.Request) -> web.Response:
        """A call that is over."""
        return web.Response(status=204)

    async def put(self, asked: web.Request) -> web.Response:
        """An action: taken."""
        self._arrived(self._put_at, asked.match_info["extension"])
        return web.Response(status=204)

    def _arrived(self, expected: dict[str, asyncio.Future[float]], key: str) -> None:
        waiting = expected.pop(key, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(perf_counter())

    # ── what the bench asks ──

    def _commands(self, many: int) -> list[bytes]:
        return [request(command(next(self._numbers), self._api)) for _ in range(many)]

    async def acknowledged(self, port: int, many: int, per_second: float) -> list[float]:
        """Seconds to each acknowledgement of the same command over HTTP."""
        return await load.at_rate(port, self._commands(many), per_second)

    async def saturated(self, port: int, many: int) -> float:
        """Acknowledgements a second, as fast as they are taken."""
        return await load.saturated(port, self._commands(many))

    async def over_sockets(self, place: int, many: int, per_second: float) -> list[float]:
        """The same on the connection of Socket Mode that was opened as so-manieth."""
        loop, begun = asyncio.get_running_loop(), asyncio.get_running_loop().time()

        async def one(number: int) -> float:
            await asyncio.sleep(begun + number / per_second - loop.time())
            envelope = f"envelope-{next(self._numbers)}"
            payload = command(next(self._numbers), self._api)
            text = json.dumps(
                {
                    "envelope_id": envelope,
                    "type": "slash_commands",
                    "accepts_response_payload": True,
                    "payload": payload,
                }
            )
            self._answers[envelope] = loop.create_future()
            waiting, sent = self._answers[envelope], perf_counter()
            await self._sockets[place].send_str(text)
            return await asyncio.wait_for(waiting, PATIENCE) - sent

        return await asyncio.gather(*map(one, range(many)))

    async def connected(self) -> int:
        """How many connections of Socket Mode are open."""
        return len(self._sockets)

    async def to_put(self, port: int, many: int, per_second: float) -> list[float]:
        """Seconds from each command to its PUT at the PBX, whose answers to the reads before it are counted in."""
        loop = asyncio.get_running_loop()
        sent: list[float] = []
        arrived: list[asyncio.Future[float]] = []
        texts = []
        for number in range(many):
            user, extension = person(number)
            texts.append(request(command(next(self._numbers), self._api, user, extension)))
            self._put_at[extension] = loop.create_future()
            arrived.append(self._put_at[extension])
        await load.at_rate(port, texts, per_second, sent)
        return [await asyncio.wait_for(put, PATIENCE) - at for put, at in zip(arrived, sent, strict=True)]

    async def interventions(self, port: int, many: int) -> float:
        """Whole interventions a second, from the command to the posted card, so many at a time."""
        numbers = iter(range(many))

        async def one_after_the_other() -> None:
            line = await load.Line.to(port)
            for number in numbers:
                user, extension = person(number)
                waiting = self._card_at[user] = asyncio.get_running_loop().create_future()
                await line.ask(request(command(next(self._numbers), self._api, user, extension)))
                await asyncio.wait_for(waiting, PATIENCE)
            line.close()

        begun = perf_counter()
        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
        return many / (perf_counter() - begun)


async def _serve(pipe: Connection) -> None:
    application = web.Application()
    runner = web.AppRunner(application, access_log=None)
    world: World | None = None

    def of(name: str) -> Any:
        async def answer(asked: web.Request) -> Any:
            return await getattr(world, name)(asked)

        return answer

    application.router.add_post("/api/{method}", of("method"))
    application.router.add_post("/respond/{number}", of("respond"))
    application.router.add_get("/socket", of("socket"))
    application.router.add_get("/uapi/extensions/{user}/{extension}/presence", of("presence"))
    application.router.add_get("/uapi/phoneCalls/{user}/{extension}", of("calls"))
    application.router.add_get("/uapi/phoneCalls/{user}/{extension}/{call}", of("gone"))
    application.router.add_put("/uapi/phoneCalls/{user}/{extension}/{call}", of("put"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    world = World(url)
    pipe.send(url)
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
