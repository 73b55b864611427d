"""Socket Mode: one-use addresses, connections, envelopes and their acknowledgements ("Using Socket Mode" page)."""

import asyncio
import json
import secrets
from collections import defaultdict, deque
from collections.abc import Coroutine
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.changes import Changes
from bot.sandbox.workspace.journal import Journal
from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.message_rules import SlackRefusal

HOST = {"host": "applink-local", "build_number": 1}


class Undelivered(Exception):
    """Nobody took what was sent: `code` is what the person sees."""

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class Sockets:
    """The Socket Mode side of one app; each envelope goes to exactly one of the open connections, in turn."""

    def __init__(self, *, limits: SlackLimits, app_id: str, journal: Journal, changes: Changes) -> None:
        self._limits = limits
        self._app_id = app_id
        self._journal = journal
        self._changes = changes
        self._tickets: set[str] = set()
        self._open: deque[web.WebSocketResponse] = deque()
        self._leaving: set[web.WebSocketResponse] = set()
        self._transports: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._waiting: defaultdict[str, deque[asyncio.Future[object]]] = defaultdict(deque)
        self._tasks: set[asyncio.Task[None]] = set()
        self.enabled = True

    @property
    def count(self) -> int:
        """Connections open now."""
        return len(self._open)

    def new_ticket(self) -> str:
        """What the address of one connection is made of; raises `SlackRefusal` where Socket Mode is switched off."""
        if not self.enabled:
            raise SlackRefusal("socket_mode_not_enabled")
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def link(self, request: web.Request) -> web.StreamResponse:
        """One connection, from the upgrade to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            self._journal.refused("Socket Mode", SlackRefusal("invalid_or_used_address"))
            return web.Response(status=404)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(timeout=self._limits.refresh_grace)
        await socket.prepare(request)
        if self.count >= self._limits.sockets:
            await self._send(socket, _disconnect("too_many_websockets"))
            await socket.close()
            return socket
        self._open.append(socket)
        if isinstance(request.transport, asyncio.Transport):
            self._transports[socket] = request.transport
        await self._send(socket, self._hello())
        self._changes.tell()
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._read(frame.data)
        finally:
            self._forget(socket)
        return socket

    async def deliver(self, envelope: dict[str, Any]) -> object:
        """Send an envelope to one connection and wait for its acknowledgement: the payload, None where there is none.

        Raises `Undelivered`: `dispatch_failed` without a connection, `operation_timeout` without an acknowledgement.
        """
        acknowledged: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        waiting = self._waiting[envelope["envelope_id"]]
        waiting.append(acknowledged)
        try:
            async with asyncio.timeout(self._limits.acknowledgement):
                await self._send(self._next(), envelope)
                return await acknowledged
        except TimeoutError:
            raise Undelivered("operation_timeout") from None
        finally:
            if acknowledged in waiting:
                waiting.remove(acknowledged)
            if not waiting:
                self._waiting.pop(envelope["envelope_id"], None)

    async def send_frame(self, text: str) -> None:
        """Send exactly this on every connection."""
        await asyncio.gather(*(each.send_str(text) for each in self._open))

    async def refresh(self) -> None:
        """Ask every connection to make way for a new one; those still open after the grace are closed here."""
        await self._say_goodbye("refresh_requested")

    async def cut(self) -> None:
        """Cut every connection without a word, as a broken network does."""
        for transport in [self._transports[each] for each in self._open if each in self._transports]:
            transport.abort()
        await self._changes.until(lambda: not self._open, self._limits.refresh_grace)

    def silence(self) -> None:
        """Read nothing more of any connection, so that no ping is answered; they stay open."""
        for each in self._open:
            if each in self._transports:
                self._transports[each].pause_reading()

    def disable(self) -> None:
        """Switch Socket Mode off: connections end, and no new ones are given."""
        self.enabled = False
        self._tickets.clear()
        self._hold(self._say_goodbye("link_disabled"))

    async def close(self) -> None:
        """End every connection and everything that waits."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *(each.close() for each in list(self._open)), return_exceptions=True)
        self._tickets.clear()

    def _next(self) -> web.WebSocketResponse:
        """The connection whose turn it is; one that has been asked to leave only if there is no other."""
        staying = [each for each in self._open if each not in self._leaving and not each.closed]
        candidates = staying or [each for each in self._open if not each.closed]
        if not candidates:
            raise Undelivered("dispatch_failed")
        chosen = candidates[0]
        self._open.remove(chosen)
        self._open.append(chosen)
        return chosen

    def _read(self, text: str) -> None:
        """What the app says on a connection: acknowledgements. One that comes too late acknowledges nothing."""
        try:
            said = json.loads(text)
            envelope_id = said["envelope_id"]
        except (ValueError, TypeError, KeyError):
            self._journal.refused("Socket Mode", SlackRefusal("not_an_acknowledgement"))
            return
        waiting = self._waiting.get(str(envelope_id))
        while waiting:
            acknowledged = waiting.popleft()
            if not acknowledged.done():  # its time may have run out in this very moment
                acknowledged.set_result(said.get("payload"))
                return

    async def _send(self, socket: web.WebSocketResponse, what: dict[str, Any]) -> None:
        """Send, unless the connection has just gone: then nobody acknowledges."""
        try:
            await socket.send_str(json.dumps(what))
        except ConnectionError:
            self._forget(socket)

    async def _say_goodbye(self, reason: str) -> None:
        leaving = list(self._open)
        self._leaving.update(leaving)
        await asyncio.gather(*(self._send(each, _disconnect(reason)) for each in leaving))
        self._hold(self._close_after_grace(leaving))

    async def _close_after_grace(self, leaving: list[web.WebSocketResponse]) -> None:
        await self._changes.until(lambda: not any(each in self._open for each in leaving), self._limits.refresh_grace)
        await asyncio.gather(*(each.close() for each in leaving if each in self._open))

    def _hold(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
        self._leaving.discard(socket)
        self._transports.pop(socket, None)
        self._changes.tell()

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": self.count,
            "connection_info": {"app_id": self._app_id},
            "debug_info": HOST | {"approximate_connection_time": self._limits.connection_time},
        }


def _disconnect(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": HOST}
