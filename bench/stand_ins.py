"""A Slack and a PBX with prepared answers, which record when each of them was asked for what.

Every list of one extension's calls shows one call, a new one each time; a call that is read by its id is over. The list of a
whole user's calls is the floor that is shown at the time.
"""

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web

from bench import floor
from bench.commands import TEAM

PEOPLE = 160
"""Supervisors, each with a phone, and with an extension of their own to monitor."""


def person(number: int) -> tuple[str, str]:
    """The n-th supervisor, and the extension that they monitor."""
    return f"U0S{number % PEOPLE:03}", f"0003*2{number % PEOPLE:03}"


Awaited = dict[str, "asyncio.Future[float]"]
"""What somebody waits for: the time when it comes, by `time.monotonic`."""


class StandIns:
    """Slack and the PBX, at one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.api = f"{url}/api/"
        self.numbers = count(1)
        self.put_at: Awaited = {}
        """By extension."""
        self.answered_at: Awaited = {}
        """By the number in the response_url: when the private answer came."""
        self.puts = 0
        self.reads: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        """By the last three digits of an extension: when a read of it began and ended."""
        self.floor: list[bytes] = []
        self.next_floors: deque[list[bytes]] = deque()
        """Each scan takes the next of these, and the last one stays."""
        self.on_list: Callable[[], None] = lambda: None
        """Called when the first page of the floor is asked for."""
        self.listed_at = 0.0
        """When the last page of the floor had been sent."""
        self._pages: dict[tuple[int, int], bytes] = {}
        self._call = json.loads(floor.a_call(1, datetime.now(UTC)))

    async def method(self, asked: web.Request) -> web.Response:
        """One method of the Web API: it succeeds, with every field that any of them needs."""
        name, channel = asked.match_info["method"], "D0LOCAL"
        if name == "chat.postMessage":
            is_json = asked.content_type == "application/json"
            said: Any = await asked.json() if is_json else await asked.post()
            channel = str(said["channel"])
        who = {"user_id": "U0BOT", "bot_id": "B0LOCAL", "team_id": TEAM, "team": "example", "user": "callbot"}
        where = {
            "channel": {"id": channel} if name == "conversations.open" else channel,
            "ts": f"1700000000.{next(self.numbers):06}",
        }
        return web.json_response({"ok": True, "url": "https://example.com/", **who, **where})

    async def respond(self, asked: web.Request) -> web.Response:
        """A response_url."""
        await asked.read()
        _arrived(self.answered_at, asked.match_info["number"])
        return web.Response(text="ok")

    async def calls(self, asked: web.Request) -> web.StreamResponse:
        """The calls of an extension, or of a whole user."""
        begun, extension = time.monotonic(), asked.match_info["extension"]
        if extension == "@self":
            return await self._page_of_floor(asked)
        views = [
            view | {"extension": extension, "destination": [extension]} for view in self._call["phoneCallView"][:1]
        ]
        call = {"id": f"{next(self.numbers):020x}", "extension": extension, "phoneCallView": views}
        return await self._read(asked, begun, [self._call | call], 1000)

    async def _page_of_floor(self, asked: web.Request) -> web.StreamResponse:
        start, number = int(asked.query.get("startIndex", 0)), int(asked.query.get("count", 1000))
        if start == 0:
            self.on_list()
            if self.next_floors:
                self.floor = self.next_floors.popleft()
                self._pages.clear()
        if (start, number) not in self._pages:
            self._pages[start, number] = floor.page(self.floor, start, number)
        answer = web.Response(body=self._pages[start, number], content_type="application/json")
        with suppress(ConnectionError):  # a bot may be ended in the middle of a scan
            await answer.prepare(asked)
            await answer.write_eof()
        self.listed_at = time.monotonic()
        return answer

    async def presence(self, asked: web.Request) -> web.StreamResponse:
        """A phone that is registered and idle."""
        begun, extension = time.monotonic(), asked.match_info["extension"]
        phone = {"extension": extension, "status": 1, "registration": [{"registration": 1}]}
        return await self._read(asked, begun, [phone], 10)

    async def _read(
        self, asked: web.Request, begun: float, entries: list[dict[str, Any]], page: int
    ) -> web.StreamResponse:
        about = {"startIndex": 0, "totalResults": len(entries), "itemsPerPage": page}
        answer = web.json_response({"entry": entries} | about)
        await answer.prepare(asked)
        await answer.write_eof()
        self.reads[asked.match_info["extension"][-3:]].append((begun, time.monotonic()))
        return answer

    async def gone(self, asked: web.Request) -> web.Response:
        """A call that is over."""
        return web.Response(status=204)

    async def put(self, asked: web.Request) -> web.Response:
        """An action: accepted."""
        self.puts += 1
        _arrived(self.put_at, asked.match_info["extension"])
        return web.Response(status=204)


def _arrived(awaited: Awaited, key: str) -> None:
    waiting = awaited.pop(key, None)
    if waiting is not None and not waiting.done():
        waiting.set_result(time.monotonic())


def routes(stand_ins: StandIns) -> list[web.RouteDef]:
    """The addresses that the bot asks."""
    return [
        web.post("/api/{method}", stand_ins.method),
        web.post("/respond/{number}", stand_ins.respond),
        web.get("/uapi/extensions/{user}/{extension}/presence", stand_ins.presence),
        web.get("/uapi/phoneCalls/{user}/{extension}", stand_ins.calls),
        web.get("/uapi/phoneCalls/{user}/{extension}/{call}", stand_ins.gone),
        web.put("/uapi/phoneCalls/{user}/{extension}/{call}", stand_ins.put),
    ]
