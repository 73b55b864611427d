"""callbot's two doors, as the bot builds them, with nothing behind: what is handed on is parsed, and that is all.

`python -m bench.door MODE API [PROFILE]`: verified, parsed by Bolt, acknowledged, and in a task of its own read as a command. Ledger,
PBX and cards are not there, so that the figure is of the same work as the anchors' is; the whole bot is measured beside it.

`python -m bench.door` alone sends it 10,000 commands at once, and shows where its time went.
"""

import asyncio
import cProfile
import logging
import os
import pstats
import signal
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime

import aiohttp
import structlog
import uvloop
from aiohttp import web
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bench.servers import python, server
from bench.world import world
from bot.app.collecting import collect_rarely
from bot.app.metrics import Metrics
from bot.domain.commands import Command
from bot.domain.errors import Refusal
from bot.domain.request import Request
from bot.interventions.ports import Asker
from bot.slack.external_users import Home
from bot.slack.http import Front
from bot.slack.listeners import Listeners, build_app
from bot.slack.outgoing import Outgoing
from bot.slack.sockets import Sockets
from bot.slack.startup import connect


async def nothing(request: Request, meant: Command | Refusal, asker: Asker) -> None:
    """What is behind the doors."""


async def serve_profiled(mode: str, api: str, profile: str) -> None:
    """Until SIGTERM comes; then what cProfile has found goes into that file."""
    ended, profiler = asyncio.Event(), cProfile.Profile()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    with profiler:
        serving = asyncio.create_task(serve(mode, api))
        await ended.wait()
    profiler.dump_stats(profile)
    serving.cancel()


async def serve(mode: str, api: str) -> None:
    """Until the process is ended."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    collect_rarely()
    metrics = Metrics()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=api, session=session, retry_handlers=[])
        listeners = Listeners(
            handle=nothing,
            outgoing=Outgoing(client, session, clock=time.monotonic, sleep=asyncio.sleep),
            home=Home("T0LOCAL"),
            knows=lambda _: True,
            now=lambda: datetime.now(UTC),
            sleep=asyncio.sleep,
            new_id=lambda: uuid.uuid4().hex,
        )
        known = AuthorizeResult(enterprise_id=None, team_id="T0LOCAL", bot_id="B0LOCAL", bot_user_id="U0BOT")
        app = build_app(listeners, client, known)
        if mode == "sockets":
            sockets = Sockets(app, os.environ["SLACK_APP_TOKEN"], acknowledgements=metrics)
            await connect(sockets, asyncio.sleep)
            _say(0)
        else:
            front = Front(
                app=app,
                signing_secret=os.environ["SLACK_SIGNING_SECRET"],
                acknowledgements=metrics,
                ready=lambda: True,
            )
            runner = web.AppRunner(front.application(), access_log=None, auto_decompress=False)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            _say(runner.addresses[0][1])
        await asyncio.Event().wait()


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def show_where_time_goes() -> None:
    """Send itself 10,000 commands, and print the functions that took longest by themselves."""
    with tempfile.TemporaryDirectory(prefix="callbot-bench-") as folder, world() as around:
        found = f"{folder}/door.profile"
        with server(python("bench.door", "http", f"{around.url}/api/", found)) as door:
            around.ask("saturated", door.port, 10_000)
        pstats.Stats(found).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        show_where_time_goes()
        sys.exit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run((serve if len(sys.argv) == 3 else serve_profiled)(*sys.argv[1:]))
