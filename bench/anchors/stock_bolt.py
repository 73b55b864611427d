"""slack-bolt for Python as its documentation shows it. `python -m bench.anchors.stock_bolt MODE API [PBX]`.

"Using async (asyncio)", docs.slack.dev/tools/bolt-python: an AsyncApp, a listener, and `app.web_app()`, whose runner looks
for the acknowledgement every 10 ms. With a PBX it also sends the PUT and posts a card, once it has acknowledged.
"""

import asyncio
import os
import re
import sys
from itertools import count
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

EXTENSION = re.compile(r"\d{4}\*\d{3,5}")


async def serve(mode: str, api: str, pbx: str = "") -> None:
    """Until the process is ended."""
    client = AsyncWebClient(token=os.environ.pop("SLACK_BOT_TOKEN"), base_url=api)
    app = AsyncApp(client=client, signing_secret=os.environ.get("SLACK_SIGNING_SECRET", ""))
    calls = count(1)

    @app.command("/monitor")
    async def monitor(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        extension = EXTENSION.fullmatch(command["text"].strip())
        await ack()
        if extension is None or not pbx:
            return
        address = f"{pbx}/uapi/phoneCalls/@me/{extension[0]}/call-{next(calls)}"
        async with session.put(address, json={"action": {"name": "Monitor"}}) as answer:
            await answer.read()
        await client.chat_postMessage(channel=command["user_id"], text=f"Asked to monitor {extension[0]}")

    async with aiohttp.ClientSession() as session:
        if mode == "sockets":
            await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).connect_async()  # type: ignore[no-untyped-call]
            _say(0)
        else:
            runner = web.AppRunner(app.web_app())
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            _say(runner.addresses[0][1])
        await asyncio.Event().wait()


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
