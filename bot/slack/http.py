"""HOST:PORT: signed requests from Slack, and the health checks.

The signature is checked on the raw bytes before anything is parsed ("Verifying requests from Slack", docs.slack.dev);
unsigned, old, oversized or malformed requests get a 4xx and one line in the log, which never holds their body.
"""

import hmac
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.slack.listeners import Acks, deliver

LARGEST_DELIVERY = 256 * 1024
"""Bytes of a request. A message of 50 full blocks is much smaller."""
WINDOW = 300
"""Seconds by which a timestamp may differ from our clock."""

_log = structlog.get_logger("callbot.slack")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


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


def web_application(*, ready: Callable[[], bool], events: Handler | None = None) -> web.Application:
    """The routes. `ready` answers `/readyz`; `events` takes what Slack delivers, None with Socket Mode.

    `bot.app.connections.Connections` serves it, and wraps every route in a deadline.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        is_ready = ready()
        return web.Response(text="ready\n" if is_ready else "not ready\n", status=200 if is_ready else 503)

    application = web.Application(client_max_size=LARGEST_DELIVERY)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    if events is not None:
        application.router.add_post("/slack/events", events)
    return application


def slack_events(app: AsyncApp, signing_secret: str, acks: Acks, now: Callable[[], float] = time.time) -> Handler:
    """Takes what Slack delivers: verified, handed to Bolt, and answered with what Bolt says. `now`: seconds since 1970."""

    async def take(request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refuse("oversized", 413)
        except (web.RequestPayloadError, OSError):
            return _refuse("garbage", 400)
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not verify(signing_secret, timestamp, signature, body, now()):
            return _refuse("not_signed", 401)
        try:
            kind = request.headers.get("Content-Type", "")  # Bolt needs no other header
            delivery = AsyncBoltRequest(body=body.decode(), headers={"content-type": kind})
            if is_well_formed(delivery.body):
                return http_answer(await deliver(app, delivery, acks))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            pass
        return _refuse("garbage", 400)

    return take


def http_answer(answer: BoltResponse) -> web.Response:
    """Bolt's answer for aiohttp. It is UTF-8, without cookies or headers of its own."""
    if not answer.body:
        return web.Response(status=answer.status)
    kind = answer.headers["content-type"][0].partition(";")[0]
    return web.Response(status=answer.status, body=answer.body.encode(), content_type=kind, charset="utf-8")


def _refuse(why: str, status: int) -> web.Response:
    _log.warning("request_refused", why=why, status=status)
    return web.Response(status=status, text=f"{why.replace('_', ' ')}\n")
