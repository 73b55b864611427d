"""An address that callbot listens on: the door for Slack, and the metrics."""

import os

from aiohttp import web

from bot.errors import CallbotError


class CannotListen(CallbotError):
    """The address is taken, or not ours."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        why = os.strerror(error.errno) if error.errno else str(error)  # asyncio says the address once more
        super().__init__(f"{host}:{port} cannot be listened on ({why}). Set HOST and PORT to a free one.")
        self.why = why


async def listen(application: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve the application there; port 0 takes a free one. The caller cleans the runner up. Raises CannotListen."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise CannotListen(host, port, error) from None
    return runner


def port_of(runner: web.AppRunner) -> int:
    """The port that is listened on: the one asked for, or the one that was free where that is 0."""
    return int(runner.addresses[0][1])
