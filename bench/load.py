"""Requests over HTTP, at a rate or as fast as they are answered. Written on bare connections, so that the load is not the limit."""

import asyncio
import re
from collections.abc import Sequence
from time import monotonic
from typing import cast

CONNECTIONS = 32
"""Connections that are busy at saturation."""
PATIENCE = 30.0
"""Seconds after which an answer is given up."""

NOTHING = (b"", b"0\r\n\r\n")
"""The body of an acknowledgement: none, or one without pieces."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class NotAcknowledged(Exception):
    """An answer other than 200, or one with a text, such as that there is too much to do. What is measured has to work."""


class Line(asyncio.Protocol):
    """One connection that is kept open, with one request at a time."""

    def __init__(self) -> None:
        self._answer = b""
        self._waiting: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def to(cls, port: int) -> "Line":
        """A connection to this machine."""
        _, line = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by its class

    def data_received(self, data: bytes) -> None:
        """A piece of the answer."""
        self._answer += data
        head, blank, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        whole = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
        if blank and whole and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, and the answer with it."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError())

    async def ask(self, request: bytes) -> float:
        """Send one request; the seconds until its answer was there. Raises NotAcknowledged."""
        if self._transport is None:
            raise ConnectionError
        self._answer, self._waiting = b"", asyncio.get_running_loop().create_future()
        begun = monotonic()
        self._transport.write(request)
        async with asyncio.timeout(PATIENCE):
            await self._waiting
        took = monotonic() - begun
        head, _, body = self._answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or body not in NOTHING:
            raise NotAcknowledged(self._answer[:200])
        return took

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


async def at_rate(port: int, requests: Sequence[bytes], per_second: float) -> tuple[list[float], list[float]]:
    """Send them at that rate, whether or not the earlier ones are answered: how long each took, and when it was sent."""
    loop = asyncio.get_running_loop()
    idle = [await Line.to(port) for _ in range(4)]
    begun, sent = loop.time(), [0.0] * len(requests)

    async def one(place: int) -> float:
        await asyncio.sleep(begun + place / per_second - loop.time())
        line = idle.pop() if idle else await Line.to(port)
        sent[place] = monotonic()
        took = await line.ask(requests[place])
        idle.append(line)
        return took

    took = await asyncio.gather(*(one(place) for place in range(len(requests))))
    for line in idle:
        line.close()
    return took, sent


async def saturated(port: int, requests: Sequence[bytes]) -> float:
    """Send all of them, as fast as they are answered; how many a second that is."""
    left = iter(requests)
    lines = [await Line.to(port) for _ in range(CONNECTIONS)]

    async def one_after_the_other(line: Line) -> None:
        for request in left:
            await line.ask(request)

    begun = monotonic()
    await asyncio.gather(*map(one_after_the_other, lines))
    took = monotonic() - begun
    for line in lines:
        line.close()
    return len(requests) / took
