"""callbot's HTTP door as the bot builds it, with nothing behind it: `python -m bench.door SLACK_API_URL`. It prints its port.

A command is verified, dispatched by Bolt, acknowledged and parsed, and then dropped: that is the work that the anchors do, too.
"""

import asyncio
import logging
import os
import sys
import time
import uuid
from datetime import UTC, datetime

import aiohttp
import structlog
import uvloop
from aiohttp import web
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.app.collecting import collect_rarely, keep_for_good
from bot.app.metrics import Metrics
from bot.domain.commands import Command, Request
from bot.domain.errors import Refusal
from bot.interventions.service import Asker
from bot.slack.http import slack_events, web_application
from bot.slack.listeners import Home, Listeners, build_app
from bot.slack.outbox import Outbox


async def nothing(request: Request, meant: Command | Refusal, asker: Asker) -> None:
    """Drop the request."""


async def serve(api: str) -> None:
    """Print the port, and serve until the process is ended."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    collect_rarely()
    keep_for_good()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=api, session=session, retry_handlers=[])
        listeners = Listeners(
            handle=nothing,
            outbox=Outbox(client, session, clock=time.monotonic, sleep=asyncio.sleep),
            home=Home("T0LOCAL"),
            knows=lambda _: True,
            now=lambda: datetime.now(UTC),
            sleep=asyncio.sleep,
            new_id=lambda: uuid.uuid4().hex,
        )
        known = AuthorizeResult(enterprise_id=None, team_id="T0LOCAL", bot_id="B0LOCAL", bot_user_id="U0BOT")
        app = build_app(listeners, client, known)
        events = slack_events(app, os.environ["SLACK_SIGNING_SECRET"], Metrics())
        application = web_application(ready=lambda: True, events=events)
        runner = web.AppRunner(application, access_log=None, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))
