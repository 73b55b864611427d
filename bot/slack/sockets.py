"""Socket Mode over two connections. Each has a successor before it is closed, so a refresh loses nothing."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import aiohttp
import structlog
from slack_bolt.async_app import AsyncApp

from bot.slack.connection import HEARTBEAT, Connection
from bot.slack.failures import RateLimited, SlackError, answer_of, raising_slack_errors, word
from bot.slack.listeners import Acknowledgements
from bot.tasks import Tasks, back_off

CONNECTIONS = 2
APART = 1.0
"""Seconds between opening the two, so that Slack refreshes them at different times."""
LINGER = 30.0
"""Seconds for which a connection is still read after Slack asked for a new one. Slack closes it after about ten."""
STEADY = 10.0
"""Seconds after which a connection counts as stable. After a shorter one the next has to wait."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds before the next connection is opened: each pause twice as long as the one before."""

_log = structlog.get_logger("callbot.sockets")


class Sockets:
    """The connections of one app. Slack sends each payload over one of them. `jitter`: a number from 0 to 1.

    `heartbeat`: seconds between pings; a connection that is silent for 1.5 times as long is closed.

    Create it in a running event loop, and `close` it in the end, even if it was never connected.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        *,
        acknowledgements: Acknowledgements,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._acknowledgements = acknowledgements
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._connections: set[Connection] = set()
        self._tasks = Tasks()
        self._heartbeat = heartbeat
        self._no_address_until = float("-inf")
        self._closed = False

    @property
    def open(self) -> int:
        """How many connections are open and alive."""
        return sum(connection.alive for connection in self._connections)

    async def connect(self) -> None:
        """Open the first connection; the second follows. Raises SlackError, and may be called again then."""
        first = await self._open()
        for number in range(CONNECTIONS):
            self._start_keeper(number, first if number == 0 else None)

    async def close(self) -> None:
        """Close all connections. Requests that arrived should be answered before."""
        self._closed = True
        await self._tasks.cancel()
        await asyncio.gather(*(connection.close() for connection in self._connections))
        await self._session.close()

    def _start_keeper(self, number: int, connection: Connection | None) -> None:
        """Start the task that keeps one connection open. If it ends for any reason, another is started."""
        keeper = self._tasks.spawn(self._keep(number, connection), name=f"socket {number}")
        keeper.add_done_callback(lambda _: self._keeper_ended(number))

    def _keeper_ended(self, number: int) -> None:
        if not self._closed:
            _log.error("socket_keeper_ended", number=number)
            asyncio.get_running_loop().call_later(APART, self._replace_keeper, number)

    def _replace_keeper(self, number: int) -> None:
        if not self._closed:
            self._start_keeper(number, None)

    async def _keep(self, number: int, connection: Connection | None) -> None:
        """Keep one connection open for as long as callbot runs, whatever fails."""
        tries = 0
        if connection is None:
            await self._sleep(number * APART)
        while True:
            lasted = 0.0
            try:
                lasted = await self._use(connection or await self._open_when_allowed())
            except SlackError as error:
                _log.error("socket_not_opened", reason=error.reason)
            except Exception:  # noqa: BLE001 - the next try may do better
                _log.exception("socket_failed")
            connection = None
            tries = 0 if lasted > STEADY else tries + 1
            if tries > 1:
                await self._sleep(back_off(tries - 1, FIRST_PAUSE, LONGEST_PAUSE, self._jitter()))

    async def _use(self, connection: Connection) -> float:
        """Wait until the connection needs a successor; returns the seconds for which it worked."""
        begun = self._clock()
        await connection.leaving.wait()
        self._tasks.spawn(self._read_to_the_end(connection), name="socket read to the end")
        return self._clock() - begun

    async def _read_to_the_end(self, connection: Connection) -> None:
        """Read what still comes over a connection that has a successor."""
        await connection.ended(LINGER)
        self._connections.discard(connection)

    async def _open_when_allowed(self) -> Connection:
        """Open a connection, after the wait that Slack asked for: its rate limit holds for both connections."""
        wait = self._no_address_until - self._clock()
        if wait > 0:
            await self._sleep(wait)
        try:
            return await self._open()
        except RateLimited as error:
            self._no_address_until = self._clock() + error.seconds
            raise

    async def _open(self) -> Connection:
        """Open a connection. Raises SlackError."""
        answer = await answer_of(self._app.client.apps_connections_open(app_token=self._app_token))
        with raising_slack_errors():
            connection = await Connection.open(
                self._app, self._session, word(answer, "url"), self._acknowledgements, heartbeat=self._heartbeat
            )
        self._connections.add(connection)
        return connection
