"""aiohttp alone: the signature verified on the raw bytes, the form parsed, the command acknowledged.

`python -m bench.anchors.aiohttp_alone`
"""

import asyncio
import hashlib
import hmac
import os
import re
import sys
import time
from urllib.parse import parse_qs

import uvloop
from aiohttp import web

EXTENSION = re.compile(r"\d{4}\*\d{3,5}")
SECRET = os.environ.get("SLACK_SIGNING_SECRET", "").encode()


async def acknowledge(request: web.Request) -> web.Response:
    """`POST /slack/events`."""
    body = await request.read()
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "0")
    signed = hmac.new(SECRET, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={signed}", request.headers.get("X-Slack-Signature", "")):
        return web.Response(status=401)
    if abs(time.time() - int(timestamp)) > 300:
        return web.Response(status=401)
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    if form.get("command") != "/monitor" or not EXTENSION.fullmatch(form.get("text", "").strip()):
        return web.Response(status=404)
    return web.Response()


async def serve() -> None:
    """Print the port, and serve until the process is ended."""
    application = web.Application()
    application.router.add_post("/slack/events", acknowledge)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
