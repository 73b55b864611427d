"""The page's interface over a furnished floor and a seated workspace, with an app that acknowledges whatever it is sent."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.console.server import Console
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.scenario import add_people, add_phones
from bot.sandbox.workspace.workspace import Workspace

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    add_phones(floor, answers_after=None)
    return floor


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace()
    add_people(workspace)
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[BotProcess]:
    """A program that waits for its end, in the place of the bot; not started yet."""
    process = BotProcess((sys.executable, "-c", "import signal; signal.pause()"), tmp_path, {})
    yield process
    await process.stop()


@pytest.fixture
async def console(floor: Floor, workspace: Workspace, process: BotProcess) -> AsyncIterator[Console]:
    console = Console(floor, workspace, process, story=False)
    await console.start()
    yield console
    await console.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(console: Console, session: aiohttp.ClientSession) -> Ask:
    """`await ask("type", user=…)` → (status, JSON); with `body` those bytes, with `path` and `method` anything."""

    async def ask(
        act: str = "",
        *,
        method: str = "POST",
        path: str | None = None,
        body: bytes | None = None,
        headers: dict[str, str | None] | None = None,
        **fields: Any,
    ) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {console.token}", "Content-Type": "application/json"} | (headers or {})
        kept = {name: value for name, value in sent.items() if value is not None}
        raw = json.dumps(fields).encode() if body is None and method == "POST" else body
        url = f"http://127.0.0.1:{console.port}{path or f'/v1/{act}'}"
        async with session.request(method, url, data=raw, headers=kept, allow_redirects=False) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json else text

    return ask


@pytest.fixture
async def changes(console: Console, session: aiohttp.ClientSession) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A page's connection, its state not read yet."""
    protocols = ("callbot.v1", f"token.{console.token}")
    async with session.ws_connect(f"http://127.0.0.1:{console.port}/v1/changes", protocols=protocols) as socket:
        yield socket


@pytest.fixture
async def app(workspace: Workspace, session: aiohttp.ClientSession) -> AsyncIterator[list[dict[str, Any]]]:
    """What an app in Socket Mode was sent; it acknowledges all of it."""
    headers = {"Authorization": f"Bearer {workspace.app_token}"}
    async with session.post(f"{workspace.api_url}apps.connections.open", headers=headers) as answer:
        url = (await answer.json())["url"]
    sent: list[dict[str, Any]] = []
    async with session.ws_connect(url) as socket:

        async def acknowledge() -> None:
            async for frame in socket:
                envelope = json.loads(frame.data)
                if "envelope_id" in envelope:
                    sent.append(envelope)
                    await socket.send_json({"envelope_id": envelope["envelope_id"]})

        acknowledging = asyncio.create_task(acknowledge())
        await workspace.until(lambda: workspace.sockets)
        yield sent
        acknowledging.cancel()


@pytest.fixture
def post(workspace: Workspace, session: aiohttp.ClientSession) -> Callable[..., Awaitable[str]]:
    """Post as the app; the time stamp of the message."""

    async def post(method: str = "chat.postMessage", **args: Any) -> str:
        headers = {"Authorization": f"Bearer {workspace.bot_token}"}
        async with session.post(workspace.api_url + method, json=args, headers=headers) as answer:
            said = await answer.json()
        assert said["ok"], said
        return str(said.get("ts", ""))

    return post
