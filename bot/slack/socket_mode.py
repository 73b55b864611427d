"""Socket Mode over two connections. Each has a successor before it is closed, so a refresh loses nothing.

slack_sdk's client closes the old connection before it opens the new one, and loses what is on its way then. Here each is
read until Slack closes it, also after Slack has asked for another one ("Using Socket Mode", docs.slack.dev).
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.network import proxy_for
from bot.slack.listeners import Acks, deliver, kind_of
from bot.slack.web_client import RateLimited, SlackError, answer_of, raising_slack_errors, required_text
from bot.tasks import Tasks, back_off

CONNECTIONS = 2
APART = 1.0
"""Seconds between opening the two, so that Slack refreshes them at different times."""
LINGER = 30.0
"""Seconds for which a connection is still read after Slack asked for a new one. Slack closes it after about ten."""
STEADY = 10.0
"""Seconds after which a connection counts as stable. After a shorter one the next has to wait."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 60.0
"""Seconds before the next connection is opened: each pause twice as long as the one before."""
HEARTBEAT = 10.0
"""Seconds between pings. A connection that does not answer within half of that is dead."""
GREETING = 10.0
"""Seconds for Slack to accept the connection and to say hello."""
CLOSING = 1.0
"""Seconds for Slack to answer when callbot closes a connection."""
LARGEST_FRAME = 1024 * 1024
"""Bytes of one envelope."""

_log = structlog.get_logger("callbot.slack")


# ── one connection ──


class Connection:
    """One WebSocket, made by `open`: envelopes come in, acks go out.

    `leaving` is set when Slack asks for a new one, or has closed this one.
    """

    def __init__(self, app: AsyncApp, socket: aiohttp.ClientWebSocketResponse, acks: Acks) -> None:
        self._app = app
        self._socket = socket
        self._acks = acks
        self.leaving = asyncio.Event()
        self._answers = Tasks()
        self._reader = Tasks()
        self._reading = self._reader.spawn(self._read(), name="socket")

    @classmethod
    async def open(
        cls,
        app: AsyncApp,
        session: aiohttp.ClientSession,
        url: str,
        acks: Acks,
        *,
        patience: float = GREETING,
        heartbeat: float = HEARTBEAT,
    ) -> "Connection":
        """Connect, and wait at most `patience` seconds for hello. Raises aiohttp.ClientError or TimeoutError."""
        async with asyncio.timeout(patience):
            socket = await session.ws_connect(
                url,
                heartbeat=heartbeat,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING),
                max_msg_size=LARGEST_FRAME,
                proxy=proxy_for(url),
            )
            greeted = False
            try:
                greeted = _read_object(await socket.receive()).get("type") == "hello"
            finally:
                if not greeted:
                    await socket.close()
        if not greeted:
            raise aiohttp.ClientConnectionError("Slack did not say hello.")
        return cls(app, socket, acks)

    @property
    def alive(self) -> bool:
        """Whether it is open and alive: no ping has gone unanswered."""
        return not self._reading.done()

    async def ended(self, seconds: float) -> None:
        """Wait until Slack closes it, at most so many seconds; then close it."""
        await asyncio.wait({self._reading}, timeout=seconds)
        await self.close()

    async def close(self) -> None:
        """Close it, after the acks of what has arrived."""
        await self._answers.drain(1.0)
        await self._socket.close()
        await self._reader.drain(1.0)

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                envelope = _read_object(frame)
                if envelope.get("type") == "disconnect":
                    _log.info("socket_leaving", reason=str(envelope.get("reason"))[:40])
                    self.leaving.set()
                elif envelope.get("envelope_id"):
                    self._answers.spawn(self._deliver(envelope), name="envelope")
        finally:
            self.leaving.set()

    async def _deliver(self, envelope: dict[str, Any]) -> None:
        """Deliver it to Bolt, and send the ack of the listener. Where it gives none, send none."""
        request = SocketModeRequest.from_dict(envelope)
        if request is None:
            return
        delivery = AsyncBoltRequest(mode="socket_mode", body=request.payload)
        answer = await deliver(self._app, delivery, self._acks)
        if answer.status != 200:
            return
        reply: dict[str, Any] = {"envelope_id": request.envelope_id}
        if answer.body:
            is_json = answer.headers.get("content-type", [""])[0].startswith("application/json")
            reply["payload"] = json.loads(answer.body) if is_json else {"text": answer.body}
        try:
            await self._socket.send_json(reply)
        except (ConnectionError, aiohttp.ClientError) as error:
            _log.warning("not_acknowledged", error=type(error).__name__)
            self._acks.ack_lost(kind_of(request.payload))


def _read_object(frame: aiohttp.WSMessage) -> dict[str, Any]:
    """The JSON object in a frame; empty where there is none."""
    if frame.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        found = json.loads(frame.data)
    except (ValueError, RecursionError):
        _log.warning("socket_garbage")
        return {}
    return found if isinstance(found, dict) else {}


# ── both connections ──


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
        acks: Acks,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._acks = acks
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

    def _start_keeper(self, number: int, connection: Connection | None = None) -> None:
        """Start the task that keeps one connection open. If it ends for any reason, another is started."""
        if self._closed:
            return
        keeper = self._tasks.spawn(self._keep(number, connection), name=f"socket {number}")
        keeper.add_done_callback(lambda _: self._keeper_ended(number))

    def _keeper_ended(self, number: int) -> None:
        if not self._closed:
            _log.error("socket_keeper_ended", number=number)
            asyncio.get_running_loop().call_later(APART, self._start_keeper, number)

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
                await self._sleep(back_off(tries - 1, _FIRST_PAUSE, _LONGEST_PAUSE, self._jitter()))

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
                self._app, self._session, required_text(answer, "url"), self._acks, heartbeat=self._heartbeat
            )
        self._connections.add(connection)
        return connection
