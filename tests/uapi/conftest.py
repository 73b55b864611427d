"""Two PBXs: the sandbox, and one that misbehaves below HTTP, where no web server lets one, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.token import FixedToken

CLOSE = b""
"""A reply: close the connection without an answer."""
HANG = b"hang"
"""A reply, or the end of one: say nothing more until the client goes away."""
CUT = b"cut"
"""The end of a reply: close the connection in the middle of it."""


def http(status: int, body: object = b"", *, headers: str = "", length: int | None = None) -> bytes:
    """The bytes of an HTTP answer; a body that is not bytes is sent as JSON; `length` may lie."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    content_length = len(raw) if length is None else length
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {content_length}\r\n{headers}\r\n".encode() + raw


@dataclass
class Heard:
    """One request as its bytes came."""

    connection: int
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RawPbx:
    """Answers the n-th request with the n-th reply, the last one over and over."""

    replies: list[bytes | Callable[[Heard], bytes]] = field(default_factory=lambda: [CLOSE])
    heard: list[Heard] = field(default_factory=list)
    url: str = ""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has left a connection on which it was kept waiting."""
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    before_answer: Callable[[], Awaitable[object]] | None = None
    """Awaited after a request was heard and before it is answered."""
    _connections: int = 0

    def lines(self, method: str) -> list[str]:
        return [heard.line for heard in self.heard if heard.line.startswith(method)]

    async def until_heard(self, count: int) -> None:
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(self.heard) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        try:
            while (heard := await _request(connection, reader)) is not None:
                reply = self.replies[min(len(self.heard), len(self.replies) - 1)]
                async with self.arrived:
                    self.heard.append(heard)
                    self.arrived.notify_all()
                if self.before_answer is not None:
                    await asyncio.wait_for(self.before_answer(), 5)
                answer = reply if isinstance(reply, bytes) else reply(heard)
                if answer == CLOSE:
                    break
                held = answer.endswith(HANG)
                writer.write(answer.removesuffix(HANG).removesuffix(CUT))
                await writer.drain()
                if answer.endswith(CUT):
                    break
                if held:
                    await reader.read()
                    self.gone.set()
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()


async def _request(connection: int, reader: asyncio.StreamReader) -> Heard | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    line, *rest = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (item.partition(":") for item in rest)}
    return Heard(connection, line, headers, await reader.readexactly(int(headers.get("content-length", 0))))


@pytest.fixture
async def raw() -> AsyncIterator[RawPbx]:
    pbx = RawPbx()
    server = await asyncio.start_server(pbx.serve, "127.0.0.1", 0)
    pbx.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield pbx
    server.close()
    await server.wait_closed()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with pbx_session() as made:
        yield made


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that `no_sleep` was asked to make."""
    return []


@pytest.fixture
def no_sleep(pauses: list[float]) -> Callable[[float], Any]:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    return sleep


Connect = Callable[..., UnifiedApi]


@pytest.fixture
def connect(session: aiohttp.ClientSession, no_sleep: Callable[[float], Any]) -> Connect:
    """`connect(pbx.url, …)`: a UnifiedApi with a fixed token, that makes no pauses and takes the middle of each."""

    def connect(url: str, **settings: Any) -> UnifiedApi:
        token = settings.pop("token", None) or FixedToken("fixed-token")
        return UnifiedApi(session, url, token, sleep=no_sleep, random=lambda: 0.5, **settings)

    return connect


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    floor.add_extension("0003*024", user="3", name="Ana Pop")
    return floor


@pytest.fixture
async def pbx(floor: Floor) -> AsyncIterator[SandboxPbx]:
    pbx = SandboxPbx(floor)
    await pbx.start()
    pbx.accept_token("fixed-token")
    yield pbx
    await pbx.stop()


@pytest.fixture
def api(pbx: SandboxPbx, connect: Connect) -> UnifiedApi:
    return connect(pbx.url)


@pytest.fixture
def raw_api(raw: RawPbx, connect: Connect) -> UnifiedApi:
    return connect(raw.url)
