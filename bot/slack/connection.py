"""One WebSocket of Socket Mode: envelopes come in, acknowledgements go out ("Using Socket Mode", docs.slack.dev).

slack_sdk's client closes the old connection before it opens the new one, and loses what is on its way then. This one is
read until Slack closes it, also after Slack has asked for another connection.
"""

import asyncio
import json
from typing import Any

import aiohttp
import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.network import proxy_for
from bot.slack.listeners import Acknowledgements, deliver, kind_of
from bot.tasks import Tasks

HEARTBEAT = 10.0
"""Seconds between pings. A connection that does not answer within half of that is dead."""
GREETING = 10.0
"""Seconds for Slack to accept the connection and to say hello."""
CLOSING = 1.0
"""Seconds for Slack to answer when callbot closes a connection."""
LARGEST = 1024 * 1024
"""Bytes of one envelope."""

_log = structlog.get_logger("callbot.sockets")


class Connection:
    """One connection, made by `open`. `leaving` is set when Slack asks for a new one, or has closed this one."""

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
        """Connect, and wait at most `patience` seconds for hello. Raises aiohttp.ClientError or TimeoutError."""
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
    def alive(self) -> bool:
        """Whether it is open and alive: no ping has gone unanswered."""
        return not self._reading.done()

    async def ended(self, seconds: float) -> None:
        """Wait until Slack closes it, at most so many seconds; then close it."""
        await asyncio.wait({self._reading}, timeout=seconds)
        await self.close()

    async def close(self) -> None:
        """Close it, after acknowledging what has arrived."""
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
        """Send the acknowledgement of the listener. Where it gives none, send none."""
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
    """The JSON object in a frame; empty where there is none."""
    if frame.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        found = json.loads(frame.data)
    except (ValueError, RecursionError):
        _log.warning("socket_garbage")
        return {}
    return found if isinstance(found, dict) else {}
