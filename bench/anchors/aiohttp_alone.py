"""aiohttp alone: verified on the raw bytes, parsed, acknowledged. `python -m bench.anchors.aiohttp_alone MODE API [PBX]`.

With a PBX it also does the least that an intervention is: it acknowledges, sends the PUT, and posts a card.
"""

import asyncio
import hashlib
import hmac
import os
import re
import sys
import time
from itertools import count
from urllib.parse import parse_qs

import aiohttp
import uvloop
from aiohttp import web

EXTENSION = re.compile(r"\d{4}\*\d{3,5}")


class Commands:
    """Slash commands over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, api: str, pbx: str) -> None:
        self._session = session
        self._api = api
        self._pbx = pbx
        self._secret = os.environ.get("SLACK_SIGNING_SECRET", "").encode()
        self._calls = count(1)
        self._under_way: set[asyncio.Task[None]] = set()

    async def take(self, request: web.Request) -> web.Response:
        """`POST /slack/events`."""
        body = await request.read()
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "0")
        signed = hmac.new(self._secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"v0={signed}", request.headers.get("X-Slack-Signature", "")):
            return web.Response(status=401)
        if abs(time.time() - int(timestamp)) > 300:
            return web.Response(status=401)
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if not understood(form):
            return web.Response(status=404)
        if self._pbx:
            task = asyncio.create_task(self._intervene(form))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return web.Response()

    async def _intervene(self, form: dict[str, str]) -> None:
        address = f"{self._pbx}/uapi/phoneCalls/@me/{form['text']}/call-{next(self._calls)}"
        async with self._session.put(address, json={"action": {"name": "Monitor"}}) as answer:
            await answer.read()
        card = {"channel": form["user_id"], "text": f"Asked to monitor {form['text']}"}
        async with self._session.post(f"{self._api}chat.postMessage", json=card) as answer:
            await answer.read()


def understood(form: dict[str, str]) -> bool:
    """Whether it is `/monitor` with an extension."""
    return form.get("command") == "/monitor" and EXTENSION.fullmatch(form.get("text", "").strip()) is not None


async def sockets(session: aiohttp.ClientSession, api: str) -> None:
    """Socket Mode: one connection, each envelope parsed and acknowledged."""
    headers = {"Authorization": f"Bearer {os.environ['SLACK_APP_TOKEN']}"}
    async with session.post(f"{api}apps.connections.open", headers=headers) as answer:
        url = (await answer.json())["url"]
    async with session.ws_connect(url) as socket:
        async for frame in socket:
            envelope = frame.json()
            if envelope["type"] == "hello":
                _say(0)
            elif understood(envelope["payload"]):
                await socket.send_json({"envelope_id": envelope["envelope_id"]})


async def serve(mode: str, api: str, pbx: str = "") -> None:
    """Until the process is ended."""
    async with aiohttp.ClientSession() as session:
        if mode == "sockets":
            await sockets(session, api)
            return
        application = web.Application()
        application.router.add_post("/slack/events", Commands(session, api, pbx).take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _say(runner.addresses[0][1])
        await asyncio.Event().wait()


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve(*sys.argv[1:]))
