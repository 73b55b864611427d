"""What Slack delivers, over HTTP or Socket Mode: handed to Bolt, and measured until Bolt has an answer."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse


class Acknowledgements(Protocol):
    """The metrics of acknowledgements. `kind` is command, button or other."""

    def acknowledged(self, kind: str, seconds: float) -> None:
        """Bolt has acknowledged a delivery, this many seconds after it was given it."""

    def acknowledgement_lost(self, kind: str) -> None:
        """Slack gets no acknowledgement of a delivery."""


async def deliver(app: AsyncApp, request: AsyncBoltRequest, acknowledgements: Acknowledgements) -> BoltResponse:
    """Bolt's answer. Any status but 200 counts as a lost acknowledgement, and so does an exception."""
    kind, start, status = kind_of(request.body), time.monotonic(), 500
    try:
        response = await app.async_dispatch(request)
        status = response.status
    finally:
        if status == 200:
            acknowledgements.acknowledged(kind, time.monotonic() - start)
        else:
            acknowledgements.acknowledgement_lost(kind)
    return response


def kind_of(body: Mapping[str, Any]) -> str:
    """What a payload is, for the metrics: command, button or other."""
    command = body.get("command")
    if isinstance(command, str) and command.startswith("/"):
        return "command"
    return "button" if body.get("type") == "block_actions" else "other"
