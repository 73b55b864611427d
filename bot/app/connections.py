"""Connections to a listener of ours: deadlines, and so many at a time, so that descriptors are left for everything else.

Who opens connections and says nothing must not keep callbot.toml from being read, and no socket to Slack or the PBX from
being opened. Of too many connections the oldest on which nothing was asked to its end is closed; where all are at work, the new one.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

HEADERS_WITHIN, REQUEST_WITHIN, IDLE_WITHIN = 10.0, 10.0, 75.0
"""Seconds from a connection to its first request, for a request with its body, and between two requests: proxies keep
connections for 60."""
MOST = 512
"""Connections of one listener."""
KEPT_BACK = 192
"""Descriptors for files, the ledger, and connections to Slack (100) and the PBX (32)."""
WANTED = 65_536
"""Descriptors that are asked for where the system sets no limit."""
BACKLOG = 64

_log = structlog.get_logger("callbot.http")


def raise_descriptors() -> None:
    """Have as many descriptors as this process may: systems begin with 1,024, or 256. Windows has no such limit."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            _log.warning("descriptors_not_raised", limit=soft, error=type(error).__name__)


def most_connections() -> int:
    """Connections that each of two listeners may have, of the descriptors that this process may have."""
    if sys.platform == "win32":
        return MOST
    import resource  # noqa: PLC0415 - Windows has none

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, (soft - KEPT_BACK) // 2))


class Connections:
    """A listener. `most` connections at a time; the deadlines are in seconds."""

    def __init__(
        self,
        application: web.Application,
        *,
        most: int | None = None,
        headers_within: float = HEADERS_WITHIN,
        request_within: float = REQUEST_WITHIN,
    ) -> None:
        self._most = most_connections() if most is None else most
        self._headers_within = headers_within
        self._request_within = request_within
        self._requests: dict[web.RequestHandler, web.Request] = {}
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        """Those on which nothing was asked yet, the oldest first, and the end of the patience with each."""
        self._full = False
        application.middlewares.append(self._within)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=0.5,
            auto_decompress=False,
            keepalive_timeout=IDLE_WITHIN,
            lingering_time=1.0,
        )
        self._listening: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen there; port 0 takes a free one. Raises OSError."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(self._accept, host, port, backlog=BACKLOG)
        except OSError:
            await self._runner.cleanup()
            raise

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return 0 if self._listening is None else int(self._listening.sockets[0].getsockname()[1])

    @property
    def at_work(self) -> int:
        """How many of the connections have a request under way that has arrived to its end."""
        return sum(request.content.is_eof() for request in self._requests.values())

    def __len__(self) -> int:
        """How many connections there are."""
        return 0 if self._runner.server is None else len(self._runner.server.connections)

    async def close(self) -> None:
        """Listen no more, and end every connection."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    def _accept(self) -> asyncio.Protocol:
        """Who speaks on a new connection."""
        server = self._runner.server
        if server is None:
            return _Refused()
        connections = server.connections
        loop = asyncio.get_running_loop()
        unfinished = [one for one, request in self._requests.items() if not request.content.is_eof()]
        every = dict.fromkeys((*unfinished, *self._silent, *connections))
        too_many = len(every) + 1 - self._most
        if too_many > 0 and not self._full:
            _log.warning("connections_full", connections=len(every))
        self._full = too_many > 0
        if self._full:
            idle = [one for one in every if one in unfinished or one not in self._requests]
            if not idle:
                return _Refused()
            for one in idle[:too_many]:
                self._has_asked(one)
                loop.call_soon(self._close, one)  # of many that come at once, it may not have its transport yet
        connection = server()
        self._silent[connection] = loop.call_later(self._headers_within, self._close, connection)
        return connection

    def _has_asked(self, connection: web.RequestHandler) -> None:
        if (patience := self._silent.pop(connection, None)) is not None:
            patience.cancel()

    def _close(self, connection: web.RequestHandler) -> None:
        self._has_asked(connection)
        connection.force_close()

    @web.middleware
    async def _within(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """One request, with its body, within its time."""
        connection = request.protocol
        self._requests[connection] = request
        self._has_asked(connection)
        try:
            async with asyncio.timeout(self._request_within):
                return await handler(request)
        except TimeoutError:
            answer = web.Response(status=408, text="too slow\n")
            answer.force_close()
            return answer
        finally:
            self._requests.pop(connection, None)


class _Refused(asyncio.Protocol):
    """Nobody speaks here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close at once."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()
