"""The control interface of the local Slack: what a page or script may do in the name of its people, from this machine.

Every request must name a loopback host, so no web page elsewhere reaches it through a name that points here; a POST
must be JSON, which a browser sends across origins only after asking.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.workspace.deliveries import Delivery
from bot.sandbox.workspace.faults import SlackFault, SlackFaults
from bot.sandbox.workspace.message_rules import SlackRefusal
from bot.sandbox.workspace.messages_shown import Message
from bot.sandbox.workspace.web_api import json_object

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Controlled(Protocol):
    """What the control interface needs of a workspace."""

    faults: SlackFaults

    async def type(self, user: str, channel: str, typed: str, *, times: int = 1, raw: bool = False) -> Delivery:
        """Type a command."""

    async def click(self, user: str, message: Message, label: str, *, times: int = 1, confirm: bool = True) -> Delivery:
        """Click a button."""

    def messages(self, channel: str | None = None, *, to: str | None = None) -> list[Message]:
        """What all see."""

    def private(self, user: str) -> list[Message]:
        """What one person sees alone."""


class WorkspaceControl:
    """The requests under `/control/`."""

    def __init__(self, workspace: Controlled) -> None:
        self._workspace = workspace

    async def type(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Type `text` as `user` in `channel`."""
        return delivered(
            await self._workspace.type(asked["user"], asked["channel"], asked["text"], times=int(asked.get("times", 1)))
        )

    async def click(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Click `label` as `user` in the message `ts`; `confirm`: the answer to its dialog, yes if left out."""
        user = str(asked["user"])
        seen = [*self._workspace.messages(), *self._workspace.private(user)]
        message = next((each for each in seen if each.ts == asked["ts"]), None)
        if message is None:
            raise LookupError(f"{user} sees no message {asked['ts']}")
        confirm = asked.get("confirm", True) is True
        return delivered(await self._workspace.click(user, message, str(asked["label"]), confirm=confirm))

    async def faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Order a fault: the fields of `SlackFault`."""
        self._workspace.faults.add(SlackFault(**asked))
        return {}

    async def messages(self, request: web.Request) -> web.Response:
        """What is shown in `channel`, or to `user` alone; without either, what all see everywhere."""
        self._check_host(request)
        user = request.query.get("user")
        found = self._workspace.private(user) if user else self._workspace.messages(request.query.get("channel"))
        return web.json_response({"ok": True, "messages": [message_shown(each) for each in found]})

    def posted(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler that reads the JSON of a POST and tells what was wrong with it."""

        async def handle(request: web.Request) -> web.Response:
            self._check_host(request)
            if request.content_type != "application/json":
                raise web.HTTPUnsupportedMediaType(text="send JSON")
            try:
                done = await answer(json_object(await request.read()))
            except (LookupError, ValueError, TypeError, SlackRefusal) as wrong:
                return web.json_response({"ok": False, "error": str(wrong)}, status=400)
            return web.json_response({"ok": True} | done)

        return handle

    def _check_host(self, request: web.Request) -> None:
        """Raises 403 for a request that came by a name which is not this machine's own."""
        if urlsplit(f"//{request.headers.get('Host', '')}").hostname not in LOOPBACK:
            raise web.HTTPForbidden(text="only from this machine")


def add_control(app: web.Application, workspace: Controlled) -> None:
    """Serve the control interface as part of `app`."""
    control = WorkspaceControl(workspace)
    app.router.add_get("/control/messages", control.messages)
    app.router.add_post("/control/type", control.posted(control.type))
    app.router.add_post("/control/click", control.posted(control.click))
    app.router.add_post("/control/faults", control.posted(control.faults))


def delivered(delivery: Delivery) -> dict[str, Any]:
    """What became of a delivery, as JSON."""
    names = ("sent", "acknowledged", "seconds", "status", "error")
    return {name: getattr(delivery, name) for name in names}


def message_shown(message: Message) -> dict[str, Any]:
    """A message as it is shown, as JSON."""
    return {
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "ephemeral_to": message.ephemeral_to,
        "thread_ts": message.thread_ts,
        "lines": message.lines(),
        "buttons": [button.label for button in message.buttons()],
    }
