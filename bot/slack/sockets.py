"""Socket Mode: two connections, and each has a successor before it goes, so that a refresh loses nothing."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import aiohttp
import structlog
from slack_bolt.async_app import AsyncApp

from bot.slack.connection import Connection
from bot.slack.failures import SlackError, failing_clearly
from bot.tasks import Tasks

CONNECTIONS = 2
APART = 1.0
"""Seconds between the openings of the two, so that Slack ends them at different moments."""
LINGER = 30.0
"""Seconds that a connection which was asked to leave is still read. Slack ends it after about ten."""
STEADY = 10.0
"""Seconds after which a connection counts as one that worked. After a shorter one the next has to wait."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds before the next connection is opened: each pause twice as long as the one before."""

_log = structlog.get_logger("callbot.sockets")


class Sockets:
    """The connections of one app. Slack sends each payload to any one of them. `jitter` gives a number from 0 to 1."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._session: aiohttp.ClientSession | None = None
        self._connections: set[Connection] = set()
        self._tasks = Tasks()

    async def connect(self) -> None:
        """Open the first one; the others follow. Raises SlackApiError, aiohttp.ClientError or TimeoutError."""
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        first = await self._open(self._session)
        self._tasks.spawn(self._keep(self._session, 0, first), name="socket 0")
        for number in range(1, CONNECTIONS):
            self._tasks.spawn(self._keep(self._session, number, None), name=f"socket {number}")

    async def connected(self) -> bool:
        """Whether at least one is open."""
        return any(connection.is_open for connection in self._connections)

    async def close(self) -> None:
        """Close them all. What arrived before should be answered by then."""
        await self._tasks.cancel()
        await asyncio.gather(*(connection.close() for connection in self._connections))
        if self._session is not None:
            await self._session.close()

    async def _keep(self, session: aiohttp.ClientSession, number: int, connection: Connection | None) -> None:
        """Have one connection open, for as long as callbot runs."""
        tries = 0
        if connection is None:
            await self._sleep(number * APART)
        while True:
            connection = connection or await self._try_to_open(session)
            lasted = 0.0 if connection is None else await self._use(connection)
            connection = None
            tries = 0 if lasted > STEADY else tries + 1
            if tries > 1:
                await self._sleep(self._pause(tries))

    async def _use(self, connection: Connection) -> float:
        """Wait until a successor is due; for how many seconds this one was good."""
        begun = self._clock()
        await connection.leaving.wait()
        self._tasks.spawn(self._see_off(connection), name="socket seen off")
        return self._clock() - begun

    def _pause(self, tries: int) -> float:
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries - 2, 12)) * (1 + self._jitter()) / 2

    async def _see_off(self, connection: Connection) -> None:
        """Read on what still comes on a connection that leaves."""
        await connection.ended(LINGER)
        self._connections.discard(connection)

    async def _try_to_open(self, session: aiohttp.ClientSession) -> Connection | None:
        try:
            with failing_clearly():
                return await self._open(session)
        except SlackError as error:
            _log.error("socket_not_opened", reason=error.reason)
            await self._sleep(getattr(error, "seconds", 0.0))
            return None

    async def _open(self, session: aiohttp.ClientSession) -> Connection:
        answer = await self._app.client.apps_connections_open(app_token=self._app_token)
        connection = await Connection.open(self._app, session, str(answer["url"]))
        self._connections.add(connection)
        return connection
