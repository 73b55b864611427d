"""What is around the bot: a Slack and a PBX with prepared answers, of which it is known when each was asked what.

Every list of an extension's calls shows a call that nobody has seen before, and whoever reads a call by its id hears that
it is over.
"""

import asyncio
import json
from collections import defaultdict
from itertools import count
from time import perf_counter
from typing import Any

from aiohttp import WSMsgType, web

from bench import floors
from bench.commands import TEAM

PEOPLE = 160
"""Supervisors, each with a phone and with an extension of their own to monitor."""


def person(number: int) -> tuple[str, str]:
    """The n-th supervisor, and the extension to monitor."""
    return f"U0S{number % PEOPLE:03}", f"0003*2{number % PEOPLE:03}"


Awaited = dict[str, "asyncio.Future[float]"]
"""What is waited for, by whose it is: the moment when it comes."""


class Surroundings:
    """Slack and the PBX, at one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.api = f"{url}/api/"
        self.numbers = count(1)
        self.put_at: Awaited = {}
        self.card_at: Awaited = {}
        self.told_at: Awaited = {}
        self.answered_at: Awaited = {}
        self.sockets: list[web.WebSocketResponse | None] = []
        self.reads: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        """By the last three digits of the extension, when the PBX was asked something and when it had answered."""
        self.delay = 0.0
        """Seconds that the PBX takes for each answer to a read."""
        self._call = json.loads(floors.a_call(1))

    async def method(self, asked: web.Request) -> web.Response:
        """One method of the Web API: a yes, with whatever any of them needs."""
        name = asked.match_info["method"]
        if name == "apps.connections.open":
            return web.json_response({"ok": True, "url": f"{self.url.replace('http', 'ws')}/socket"})
        channel = "D0LOCAL"
        if name == "chat.postMessage":
            is_json = asked.content_type == "application/json"
            said: Any = await asked.json() if is_json else await asked.post()
            channel = str(said["channel"])
            _arrived(self.card_at, channel)
        number = next(self.numbers)
        who = {"user_id": "U0BOT", "bot_id": "B0LOCAL", "team_id": TEAM, "team": "example", "user": "callbot"}
        where = {
            "channel": {"id": channel} if name == "conversations.open" else channel,
            "ts": f"1700000000.{number:06}",
        }
        return web.json_response({"ok": True, "url": "https://example.com/", **who, **where})

    async def respond(self, asked: web.Request) -> web.Response:
        """A response_url."""
        _arrived(self.told_at, asked.match_info["number"])
        return web.Response(text="ok")

    async def socket(self, asked: web.Request) -> web.WebSocketResponse:
        """One connection of Socket Mode."""
        socket = web.WebSocketResponse()
        await socket.prepare(asked)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0LOCAL"}})
        place = len(self.sockets)
        self.sockets.append(socket)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                _arrived(self.answered_at, str(json.loads(frame.data).get("envelope_id", "")))
        self.sockets[place] = None
        return socket

    async def calls(self, asked: web.Request) -> web.StreamResponse:
        """The calls of an extension: one, and always another one. Of a whole user: none."""
        begun, extension = perf_counter(), asked.match_info["extension"]
        entries = []
        if extension.startswith("0003"):
            views = [
                view | {"extension": extension, "destination": [extension]} for view in self._call["phoneCallView"][:1]
            ]
            call = {"id": f"{next(self.numbers):020x}", "extension": extension, "phoneCallView": views}
            entries.append(self._call | call)
        return await self._read(asked, begun, entries, 1000)

    async def presence(self, asked: web.Request) -> web.StreamResponse:
        """A phone that is registered and idle."""
        begun, extension = perf_counter(), asked.match_info["extension"]
        phone = {"extension": extension, "status": 1, "registration": [{"registration": 1}]}
        return await self._read(asked, begun, [phone], 10)

    async def _read(
        self, asked: web.Request, begun: float, entries: list[dict[str, Any]], page: int
    ) -> web.StreamResponse:
        if self.delay:
            await asyncio.sleep(self.delay)
        about = {"startIndex": 0, "totalResults": len(entries), "itemsPerPage": page}
        answer = web.json_response({"entry": entries} | about)
        await answer.prepare(asked)
        await answer.write_eof()
        self.reads[asked.match_info["extension"][-3:]].append((begun, perf_counter()))
        return answer

    async def gone(self, asked: web.Request) -> web.Response:
        """A call that is over."""
        return web.Response(status=204)

    async def put(self, asked: web.Request) -> web.Response:
        """An action: taken."""
        _arrived(self.put_at, asked.match_info["extension"])
        return web.Response(status=204)


def _arrived(awaited: Awaited, key: str) -> None:
    waiting = awaited.pop(key, None)
    if waiting is not None and not waiting.done():
        waiting.set_result(perf_counter())


def routes(around: Surroundings) -> list[web.RouteDef]:
    """Where the bot and the anchors ask for what."""
    return [
        web.post("/api/{method}", around.method),
        web.post("/respond/{number}", around.respond),
        web.get("/socket", around.socket),
        web.get("/uapi/extensions/{user}/{extension}/presence", around.presence),
        web.get("/uapi/phoneCalls/{user}/{extension}", around.calls),
        web.get("/uapi/phoneCalls/{user}/{extension}/{call}", around.gone),
        web.put("/uapi/phoneCalls/{user}/{extension}/{call}", around.put),
    ]
