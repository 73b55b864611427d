"""Slack's own library, as callbot uses it to ask Slack."""

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.network import proxy_for


def web_client(token: str | None, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client on that session. What is sent again, and when, is the feed's business, so it sends nothing again itself."""
    client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[])
    client.proxy = proxy_for(api_url)  # its own choice takes no notice of NO_PROXY
    return client
