"""A floor with a few phones, the PBX that serves it, and two ways to ask it: over aiohttp, and byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx

TOKEN = "fixed-token-of-tests"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    floor.add_extension("0003*211", user="13", name="Dan Albu")
    floor.add_extension("0003*024", user="3", name="Ana Pop")
    floor.add_extension("0003*500", user="12", name="Sales queue", kind="queue")
    floor.add_extension("0004*100", user="40", name="Elsewhere", organisation="4", organisation_name="Other")
    return floor


@pytest.fixture
async def pbx(floor: Floor) -> AsyncIterator[SandboxPbx]:
    pbx = SandboxPbx(floor, control=True)
    await pbx.start()
    pbx.accept_token(TOKEN)
    yield pbx
    await pbx.stop()


@pytest.fixture
async def ask(pbx: SandboxPbx) -> AsyncIterator[Callable[..., Awaitable[tuple[int, Any]]]]:
    """`await ask("GET", "/uapi/…")` → (status, JSON, or None without a body); redirects are not followed."""
    async with aiohttp.ClientSession() as session:

        async def ask(method: str, target: str, body: object = None, **headers: str) -> tuple[int, Any]:
            sent = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
            url = URL(pbx.url + target, encoded=True)
            async with session.request(method, url, data=raw, headers=sent, allow_redirects=False) as answer:
                text = await answer.text()
            return answer.status, json.loads(text) if text else None

        yield ask


@pytest.fixture
def wire(pbx: SandboxPbx) -> Callable[..., Awaitable[bytes]]:
    """`await wire("PUT", target, body)` → every byte that comes back until the connection closes; sent once."""

    async def wire(method: str, target: str, body: bytes = b"") -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", pbx.port)
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n"
        )
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()

    return wire
