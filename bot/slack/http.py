"""HOST:PORT: signed requests from Slack, and the health checks.

The signature is checked on the raw bytes before anything is parsed ("Verifying requests from Slack", docs.slack.dev);
unsigned, old, oversized or malformed requests get a 4xx and one line in the log, which never holds their body.
"""

import hmac
import time
from collections.abc import Callable

import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.slack.listeners import Acknowledgements, deliver

LARGEST = 256 * 1024
"""Bytes of a request. A message of 50 full blocks is much smaller."""
WINDOW = 300
"""Seconds by which a timestamp may differ from our clock."""

_log = structlog.get_logger("callbot.slack")


def verify(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether Slack signed these bytes within the window. The signature is `v0=` and the hex HMAC-SHA256 of `v0:timestamp:body`."""
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now - int(timestamp)) > WINDOW or not signature.isascii():
        return False
    signed = hmac.digest(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, "sha256")
    return hmac.compare_digest(f"v0={signed.hex()}", signature)


def is_well_formed(body: object) -> bool:
    """Whether Bolt can read the payload: an object, and for a click of the form of "block_actions payloads", docs.slack.dev."""
    if not isinstance(body, dict) or not isinstance(body.get("command", ""), str):
        return False
    if body.get("type") != "block_actions":
        return True
    actions = body.get("actions")
    return (
        isinstance(actions, list)
        and bool(actions)
        and all(isinstance(action, dict) and isinstance(action.get("action_id"), str) for action in actions)
        and all(isinstance(body.get(key, {}), dict | None) for key in ("user", "team", "channel", "container"))
    )


class Front:
    """The web application. `app` is None with Socket Mode; then there is no `/slack/events`. `ready` answers `/readyz`."""

    def __init__(
        self,
        *,
        app: AsyncApp | None,
        signing_secret: str,
        acknowledgements: Acknowledgements,
        ready: Callable[[], bool],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._secret = signing_secret
        self._acknowledgements = acknowledgements
        self._ready = ready
        self._now = now

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(client_max_size=LARGEST)
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        if self._app is not None:
            application.router.add_post("/slack/events", self._slack)
        return application

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        ready = self._ready()
        return web.Response(text="ready\n" if ready else "not ready\n", status=200 if ready else 503)

    async def _slack(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refuse("oversized", 413)
        except (web.RequestPayloadError, OSError):
            return _refuse("garbage", 400)
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not verify(self._secret, timestamp, signature, body, self._now()):
            return _refuse("not_signed", 401)
        try:
            kind = request.headers.get("Content-Type", "")  # Bolt needs no other header
            asked = AsyncBoltRequest(body=body.decode(), headers={"content-type": kind})
            return await self._dispatch(asked)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return _refuse("garbage", 400)

    async def _dispatch(self, asked: AsyncBoltRequest) -> web.Response:
        if self._app is None or not is_well_formed(asked.body):
            return _refuse("garbage", 400)
        return _answer(await deliver(self._app, asked, self._acknowledgements))


def _answer(answer: BoltResponse) -> web.Response:
    """Bolt's answer for aiohttp. It is UTF-8, without cookies or headers of its own."""
    if not answer.body:
        return web.Response(status=answer.status)
    kind = answer.headers["content-type"][0].partition(";")[0]
    return web.Response(status=answer.status, body=answer.body.encode(), content_type=kind, charset="utf-8")


def _refuse(why: str, status: int) -> web.Response:
    _log.warning("request_refused", why=why, status=status)
    return web.Response(status=status, text=f"{why.replace('_', ' ')}\n")
