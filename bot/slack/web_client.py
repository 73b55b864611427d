"""Slack's own library, as callbot uses it to ask Slack; and what Slack's answers tell of its clock."""

from types import SimpleNamespace

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.clock import ServerClock
from bot.network import proxy_for


def web_client(token: str | None, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client on that session. What is sent again, and when, is the feed's business, so it sends nothing again itself."""
    client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[])
    client.proxy = proxy_for(api_url)  # its own choice takes no notice of NO_PROXY
    return client


def tells_time(clock: ServerClock) -> aiohttp.TraceConfig:
    """For a session: the `Date` of each answer goes to `clock`."""

    async def ask(_: aiohttp.ClientSession, request: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        request.asked = clock.now()

    async def hear(_: aiohttp.ClientSession, request: SimpleNamespace, answer: aiohttp.TraceRequestEndParams) -> None:
        clock.heard(answer.response.headers.get("Date", ""), request.asked)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(ask)
    trace.on_request_end.append(hear)
    return trace
