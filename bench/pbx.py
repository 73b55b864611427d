"""A PBX that has its answers ready, in a process of its own, so that its work is not counted as callbot's."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from aiohttp import web

from bench import floors


class _Shown:
    """Which floor is shown, and its pages."""

    def __init__(self) -> None:
        self._floors = dict(floors.floors())
        self._pages: dict[tuple[str, str, str], bytes] = {}
        self._floor = "A"

    async def show(self, request: web.Request) -> web.Response:
        """`PUT /show/A`: from now on that floor is shown."""
        self._floor = request.match_info["floor"]
        return web.Response()

    async def page(self, request: web.Request) -> web.Response:
        """One page of its calls, whoever's they are."""
        asked = (self._floor, request.query["startIndex"], request.query["count"])
        if asked not in self._pages:
            self._pages[asked] = floors.page(self._floors[asked[0]], int(asked[1]), int(asked[2]))
        return web.Response(body=self._pages[asked], content_type="application/json")


async def _serve(url: Connection) -> None:
    shown = _Shown()
    app = web.Application()
    app.router.add_put("/show/{floor}", shown.show)
    app.router.add_get("/uapi/phoneCalls/{user}/{extension}", shown.page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    url.send(f"http://{host}:{port}")
    await asyncio.Event().wait()


def _run(url: Connection) -> None:
    asyncio.run(_serve(url))


@contextmanager
def pbx() -> Iterator[str]:
    """The address of the PBX, while it is there."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    try:
        yield str(ours.recv())
    finally:
        process.terminate()
        process.join()
