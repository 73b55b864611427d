"""slack_sdk's client as callbot uses it, and Slack's clock as its answers show it."""

from types import SimpleNamespace

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.clock import ServerClock
from bot.network import proxy_for


def web_client(token: str | None, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client on that session. It does not retry: callbot's card publisher and answers decide that."""
    client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[])
    client.proxy = proxy_for(api_url)  # its own choice ignores NO_PROXY
    return client


def tells_time(clock: ServerClock) -> aiohttp.TraceConfig:
    """A trace for a session that hands the `Date` of each answer to `clock`."""

    async def ask(_: aiohttp.ClientSession, request: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        request.asked = clock.now()

    async def note(_: aiohttp.ClientSession, request: SimpleNamespace, answer: aiohttp.TraceRequestEndParams) -> None:
        clock.heard(answer.response.headers.get("Date", ""), request.asked)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(ask)
    trace.on_request_end.append(note)
    return trace
