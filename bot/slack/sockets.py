"""Socket Mode: two connections, so that the refresh of one loses nothing ("Using Socket Mode", docs.slack.dev)."""

import logging

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

CONNECTIONS = 2


class Sockets:
    """The connections of one app. Slack sends each payload to any one of them."""

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        logger = logging.getLogger("callbot.sockets")
        logger.setLevel(logging.ERROR)
        self._handlers = [AsyncSocketModeHandler(app, app_token, logger=logger) for _ in range(CONNECTIONS)]

    async def connect(self) -> None:
        """Open them all. Raises SlackApiError or aiohttp.ClientError."""
        for handler in self._handlers:
            await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it unannotated

    async def connected(self) -> bool:
        """Whether at least one is open."""
        return any([await handler.client.is_connected() for handler in self._handlers])

    async def close(self) -> None:
        """Close them all. What arrived before should be answered by then."""
        for handler in self._handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]  # the same
