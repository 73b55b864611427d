"""Who opens connections and says nothing, or says it slowly, is in nobody's way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.app.connections import Connections

SOON = 0.2
HALF = b"POST /slack/events HTTP/1.1\r\nHost: callbot\r\n"

Open = Callable[..., Awaitable[Connections]]


async def half_open(port: int, many: int, says: bytes = HALF) -> list[asyncio.StreamWriter]:
    """So many connections with the beginning of a request."""

    async def one() -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(says)
        return writer

    return [await one() for _ in range(many)]


@pytest.fixture
async def listen() -> AsyncIterator[Open]:
    """`await listen(most=2)`: a listener that answers `/` at once, `/hang` when it is let, and reads what is sent to `/body`."""
    application = web.Application()
    let = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/hang":
            await let.wait()
        return web.Response(text=f"{len(await request.read())}")

    application.router.add_route("*", "/{path:.*}", answer)
    async with AsyncExitStack() as opened:

        async def listen(**settings: Any) -> Connections:
            connections = Connections(application, **settings)
            await connections.open("127.0.0.1", 0)
            opened.push_async_callback(connections.close)
            return connections

        yield listen
        let.set()


@asynccontextmanager
async def connected(connections: Connections, says: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which that was said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", connections.port)
    writer.write(says)
    try:
        yield reader
    finally:
        writer.close()


async def answered(connections: Connections) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{connections.port}/") as answer:
        return answer.status == 200


GET = b"GET /hang HTTP/1.1\r\nHost: callbot\r\n\r\n"
BODY = b"POST /body HTTP/1.1\r\nHost: callbot\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize("says", [b"", HALF], ids=["nothing", "half a head"])
async def test_who_asks_nothing_is_closed_in_time(listen: Open, says: bytes) -> None:
    connections = await listen(headers_within=SOON)
    async with connected(connections, says) as reader:
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_who_has_asked_is_not_closed_for_saying_nothing_more(listen: Open) -> None:
    connections = await listen(headers_within=SOON)
    async with connected(connections, GET.replace(b"/hang", b"/")) as reader:
        await reader.readuntil(b"\r\n\r\n0")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 3 * SOON)


async def test_a_body_that_does_not_come_is_not_waited_for(listen: Open) -> None:
    connections = await listen(request_within=SOON)
    async with connected(connections, BODY + b"slow") as reader:
        answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_beyond_the_bound_the_oldest_that_asks_nothing_makes_room(listen: Open) -> None:
    connections = await listen(most=2)
    async with connected(connections) as first, connected(connections) as second:
        assert await answered(connections)
        assert await asyncio.wait_for(first.read(), 5) == b""
        assert not second.at_eof()


@pytest.mark.parametrize("says", [b"", HALF, BODY + b"slow"], ids=["nothing", "half a head", "half a body"])
async def test_of_many_that_come_at_once_no_more_are_kept_than_there_may_be(listen: Open, says: bytes) -> None:
    connections = await listen(most=8)
    async with AsyncExitStack() as opened:
        await asyncio.gather(*(opened.enter_async_context(connected(connections, says)) for _ in range(60)))
        assert await answered(connections)
        assert len(connections) <= 8


async def test_where_all_are_at_work_a_further_one_is_refused(listen: Open) -> None:
    connections = await listen(most=1)
    async with connected(connections, GET):
        async with asyncio.timeout(5):
            while not connections.at_work:  # noqa: ASYNC110 - there is nobody who tells
                await asyncio.sleep(0.001)
        with pytest.raises(aiohttp.ClientError):
            await answered(connections)


async def test_more_come_and_go_than_there_may_be_at_a_time(listen: Open) -> None:
    connections = await listen(most=8)
    held = await half_open(connections.port, 100)
    assert await answered(connections)
    async with asyncio.timeout(5):
        while len(connections) > 8:  # noqa: ASYNC110 - there is nobody who tells
            await asyncio.sleep(0.001)
    for writer in held:
        writer.close()
