"""One WebSocket of Socket Mode: envelopes come in, acknowledgements go out ("Using Socket Mode", docs.slack.dev).

Slack's own client closes the old connection before it opens the new one, and what is under way then is lost. Ours is read
to its very end, whatever it was told before.
"""

import asyncio
import json
from typing import Any

import aiohttp
import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.network import proxy_for
from bot.slack.delivery import Acknowledgements, deliver, kind_of
from bot.tasks import Tasks

HEARTBEAT = 10.0
"""Seconds between pings. A connection without an answer for half of that is dead."""
GREETING = 10.0
"""Seconds that Slack has to take the connection and to say hello."""
CLOSING = 1.0
"""Seconds that Slack has to say goodbye, where we end a connection."""
LARGEST = 1024 * 1024
"""Bytes of one envelope."""

_log = structlog.get_logger("callbot.sockets")


class Connection:
    """Made by `open`. `leaving` is set when Slack asks for another one in its place, or has ended this one."""

    def __init__(
        self, app: AsyncApp, socket: aiohttp.ClientWebSocketResponse, acknowledgements: Acknowledgements
    ) -> None:
        self._app = app
        self._socket = socket
        self._acknowledgements = acknowledgements
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
        acknowledgements: Acknowledgements,
        *,
        patience: float = GREETING,
        heartbeat: float = HEARTBEAT,
    ) -> "Connection":
        """A connection that Slack has greeted, within so many seconds. Raises aiohttp.ClientError or TimeoutError."""
        async with asyncio.timeout(patience):
            socket = await session.ws_connect(
                url,
                heartbeat=heartbeat,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING),
                max_msg_size=LARGEST,
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
        return cls(app, socket, acknowledgements)

    @property
    def heard(self) -> bool:
        """Whether it is open, and what Slack says on it arrives: the last ping was answered, or is not due yet."""
        return not self._reading.done()

    async def ended(self, seconds: float) -> None:
        """Wait until Slack ends it, at most so many seconds; then end it."""
        await asyncio.wait({self._reading}, timeout=seconds)
        await self.close()

    async def close(self) -> None:
        """End it, when what has arrived is acknowledged."""
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
                    self._answers.spawn(self._acknowledge(envelope), name="envelope")
        finally:
            self.leaving.set()

    async def _acknowledge(self, envelope: dict[str, Any]) -> None:
        """Let the listener answer, and say what it says. Without an answer of it there is no acknowledgement."""
        request = SocketModeRequest.from_dict(envelope)
        if request is None:
            return
        delivery = AsyncBoltRequest(mode="socket_mode", body=request.payload)
        answer = await deliver(self._app, delivery, self._acknowledgements)
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
            self._acknowledgements.acknowledgement_lost(kind_of(request.payload))


def _read_object(frame: aiohttp.WSMessage) -> dict[str, Any]:
    """What a frame says; nothing where it is no JSON object."""
    if frame.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        found = json.loads(frame.data)
    except (ValueError, RecursionError):
        _log.warning("socket_garbage")
        return {}
    return found if isinstance(found, dict) else {}
