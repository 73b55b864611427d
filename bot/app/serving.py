"""Listens on an address: for Slack and health checks, and for Prometheus."""

import os

from aiohttp import web

from bot.app.connections import Connections
from bot.domain.errors import CallbotError


class CannotListen(CallbotError):
    """The address is in use, or is not one of this machine."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        why = os.strerror(error.errno) if error.errno else str(error)  # asyncio's own text repeats the address
        super().__init__(f"{host}:{port} cannot be listened on ({why}). Set HOST and PORT to a free one.")
        self.why = why


async def listen(application: web.Application, host: str, port: int) -> Connections:
    """Serve the application there; port 0 takes a free port. The caller closes it. Raises CannotListen."""
    connections = Connections(application)
    try:
        await connections.open(host, port)
    except OSError as error:
        raise CannotListen(host, port, error) from None
    return connections
