"""Listeners for HTTP, one for Slack and health checks and one for Prometheus: deadlines, and how many connections.

Clients that open connections and send nothing must not use up the file descriptors that callbot.toml, Slack and the PBX
need. When there are too many connections, the oldest one without a complete request is closed; if all of them have one, the
new one is.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.domain.errors import CallbotError

HEADERS_WITHIN, REQUEST_WITHIN, IDLE_WITHIN = 10.0, 10.0, 75.0
"""Seconds until the first request, for one request with its body, and between two requests (proxies keep connections
for 60)."""
MOST = 512
"""Connections of one listener."""
KEPT_BACK = 192
"""File descriptors for files, the ledger, and connections to Slack (100) and the PBX (32)."""
WANTED = 65_536
"""File descriptors to ask for where the system sets no limit."""
BACKLOG = 64

_log = structlog.get_logger("callbot.http")


def raise_descriptors() -> None:
    """Raise the soft limit of file descriptors to the hard one: systems begin with 1,024 or 256. Windows has no such limit."""
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
    """How many connections each of two listeners may have within the limit of file descriptors."""
    if sys.platform == "win32":
        return MOST
    import resource  # noqa: PLC0415 - Windows has none

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, (soft - KEPT_BACK) // 2))


class CannotListen(CallbotError):
    """The address is in use, or is not one of this machine."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        why = os.strerror(error.errno) if error.errno else str(error)  # asyncio's own text repeats the address
        super().__init__(f"{host}:{port} cannot be listened on ({why}). Set HOST and PORT to a free one.")
        self.why = why


class Connections:
    """A listener with at most `most` connections. The deadlines are in seconds."""

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
        """The request of each connection that is being read or answered."""
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        """Connections without a request so far, the oldest first, each with the timer that closes it."""
        self._full = False
        """Whether the newest connection was one too many, so that a crowd is logged once."""
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
        """Listen there; port 0 takes a free port. Raises CannotListen."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(self._accept, host, port, backlog=BACKLOG)
        except OSError as error:
            await self._runner.cleanup()
            raise CannotListen(host, port, error) from None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return 0 if self._listening is None else int(self._listening.sockets[0].getsockname()[1])

    @property
    def at_work(self) -> int:
        """How many connections have a complete request that is not answered yet."""
        return sum(request.content.is_eof() for request in self._requests.values())

    def __len__(self) -> int:
        """The number of connections."""
        return 0 if self._runner.server is None else len(self._runner.server.connections)

    async def close(self) -> None:
        """Stop listening, and close every connection."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    def _accept(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
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
                loop.call_soon(self._close, one)  # it may be so new that it has no transport yet
        connection = server()
        self._silent[connection] = loop.call_later(self._headers_within, self._close, connection)
        return connection

    def _has_asked(self, connection: web.RequestHandler) -> None:
        if (timer := self._silent.pop(connection, None)) is not None:
            timer.cancel()

    def _close(self, connection: web.RequestHandler) -> None:
        self._has_asked(connection)
        connection.force_close()

    @web.middleware
    async def _within(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer one request, with its body, before the deadline."""
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
    """A connection that is closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()
