"""An outbox with a clock that the tests move, so that a request waits for its turn until they do; and servers in Slack's place."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from bot.slack.messages import Message
from bot.slack.outbox import Outbox, Rank, Urgency
from bot.slack.web_client import web_client

NO_ANSWERS = [
    ("application/json", b"[]"),
    ("application/json", b"null"),
    ("application/json", b"{"),
    ("application/json", b'"x"'),
    ("application/json", b'{"ok": true}'),
    ("application/json", b"\xff\xfe{"),
    ("text/plain", b"no healthy upstream"),
    ("text/html", b"<html>a proxy's page</html>"),
    ("application/octet-stream", b"\x00"),
    ("application/gzip", b"\x1f\x8b"),
]
"""Content types and bodies of what is no answer of Slack's, though the status is 200."""


@asynccontextmanager
async def serving(
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """The address of a server on this machine, without a scheme."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@asynccontextmanager
async def saying(
    kind: str, body: bytes, headers: dict[str, str] | None = None, status: int = 200
) -> AsyncIterator[str]:
    """The URL of a server that says the same to everybody."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=body, content_type=kind, headers=headers, status=status)

    async with serving(answer) as address:
        yield f"http://{address}/"


def text(words: str) -> Callable[[], Message]:
    return lambda: Message(words, ())


def urgent(rank: Rank = Rank.INTERVENTION, *, pressing: bool = False, since: float = 0.0) -> Callable[[], Urgency]:
    return lambda: Urgency(rank, pressing, since)


class Post:
    """An Outbox to an address. Its clock moves only with `move`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, token: str = "") -> None:
        self.now = 0.0
        self.moved = asyncio.Event()
        self.sleeping = False
        self.answered: list[tuple[str, str]] = []
        client = web_client(token, url, session)
        self.outbox = Outbox(client, session, clock=lambda: self.now, sleep=self._until_moved, answered=self._note)

    def move(self, seconds: float) -> None:
        self.now += seconds
        self.sleeping = False
        self.moved.set()
        self.moved = asyncio.Event()

    async def _until_moved(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.sleeping = True
            await self.moved.wait()

    def _note(self, method: str, seconds: float, error: str) -> None:
        self.answered.append((method, error))


async def waiting(post: Post, number: int) -> None:
    """Wait until so many requests wait, and the timer for the first of them is set."""
    async with asyncio.timeout(2):
        while len(post.outbox) < number or not post.sleeping:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
