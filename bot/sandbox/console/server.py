"""Console: the page of the demo and its interface, on a loopback address, as `interface.md` describes."""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from bot.sandbox.changes import Changes
from bot.sandbox.console.acts import Acts, fields_of
from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.console.feed import State, Told
from bot.sandbox.console.guard import HEADERS, SUBPROTOCOL, NotDone, check_sender, check_token, refuse
from bot.sandbox.console.shown import FloorShown, RingTimes, WorkspaceShown
from bot.sandbox.console.story import SETTLING, Plays, Scene, Story
from bot.sandbox.pbx.floor import Floor, UnknownCall
from bot.sandbox.workspace.workspace import Workspace

Json = dict[str, Any]
PAGE = Path(__file__).parent / "page"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST_BODY = 16_384
"""Bytes of a request."""
MOST_PAGES = 20
"""The limit of open pages."""
TOGETHER = 0.03
"""Seconds in which changes are collected before they are sent to the pages."""
STARTING = 30.0
"""Seconds that a story waits for the bot to be connected."""


class Console:
    """The page of one demo. `story`: whether the story is played as soon as somebody looks; `pace` of its pauses."""

    def __init__(
        self, floor: Floor, workspace: Workspace, bot: BotProcess, *, story: bool = True, pace: float = 1.0
    ) -> None:
        self.token = secrets.token_hex(16)
        self.port = 0
        self._floor = floor
        self._workspace = workspace
        self._bot = bot
        self._pace = pace
        self._rings = RingTimes(floor, time.time)
        self._shown = WorkspaceShown(workspace)
        floor_shown = FloorShown(floor, self._rings)
        self._plays = Plays(self._play, clean=self._clean, ready=self._bot_connected, at_once=story)
        self._state = State(workspace=workspace, shown=self._shown, floor=floor_shown, plays=self._plays, bot=bot)
        self._acts = Acts(floor, workspace, floor_shown, self._shown)
        self._files = {each.name: each for each in PAGE.iterdir() if each.suffix in KINDS}
        self._news = Changes()
        self._pages: set[web.WebSocketResponse] = set()
        self._gathering: asyncio.TimerHandle | None = None
        self._runner: web.AppRunner | None = None
        self._ends: list[Callable[[], None]] = []

    @property
    def url(self) -> str:
        """The address to open, with its token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    async def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; port 0 takes a free one. Raises OSError where the port is taken."""
        app = web.Application(middlewares=[self._guard], client_max_size=MOST_BODY)
        app.router.add_get("/", self._page)
        app.router.add_get("/page/{name}", self._page)
        app.router.add_get("/v1/state", self._whole_state)
        app.router.add_get("/v1/changes", self._tell_changes)
        for path, needed, allowed, act in self._verbs():
            app.router.add_post(path, self._posted(act, needed, allowed))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, auto_decompress=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner, self.port = runner, runner.addresses[0][1]
        for watched in (self._floor, self._workspace, self._bot, self._plays):
            self._ends.append(watched.on_change(self._changed))

    async def stop(self) -> None:
        """Close every page's connection and the port."""
        await self._plays.close()
        for end in [*self._ends, self._rings.close]:
            end()
        if self._gathering is not None:
            self._gathering.cancel()
        await asyncio.gather(*(page.close(code=WSCloseCode.GOING_AWAY) for page in tuple(self._pages)))
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    # ── requests ──

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer only requests that pass the guard. Errors are JSON, and every answer has the headers."""
        try:
            check_sender(request.headers, self.port)
            if request.path.startswith("/v1/"):
                check_token(request.headers, self.token)
            response = await handler(request)
        except NotDone as problem:
            for_people = request.path == "/" and "text/html" in request.headers.get(hdrs.ACCEPT, "")
            response = problem.page() if for_people else problem.answer()
        except web.HTTPException as problem:
            response = NotDone("bad_request", problem.reason, problem.status).answer()
            response.headers.update({name: value for name, value in problem.headers.items() if name == hdrs.ALLOW})
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        file = self._files.get(request.match_info.get("name", "index.html"))
        if file is None:
            refuse("no_such_file", "There is no such file.", status=404)
        return web.Response(body=file.read_bytes(), content_type=KINDS[file.suffix], charset="utf-8")

    async def _whole_state(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._state.whole())

    async def _tell_changes(self, request: web.Request) -> web.StreamResponse:
        """One page's connection: the state, then its changes, until the page is closed."""
        if len(self._pages) >= MOST_PAGES:
            refuse("too_many_pages", f"{MOST_PAGES} pages are open already.", status=429)
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,), heartbeat=20, max_msg_size=1024)
        socket.headers.update(HEADERS)
        await socket.prepare(request)
        self._pages.add(socket)
        self._plays.watched()
        telling = asyncio.create_task(self._tell(socket))
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"nothing is taken here")
        finally:
            self._pages.discard(socket)
            self._plays.left()
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        return socket

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        told, woken = Told(self._state), asyncio.Event()
        end = self._news.subscribe(woken.set)
        try:
            await socket.send_json(told.everything())
            while True:
                await woken.wait()
                woken.clear()
                news = told.news()
                if news is not None:
                    await socket.send_json(news)
        finally:
            end()

    # ── acts ──

    def _verbs(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...], Callable[..., Awaitable[Json]]]]:
        """Every act: its path, its required and optional fields, and its function."""
        return [
            ("/v1/type", ("user", "channel", "text"), (), self._acts.type),
            ("/v1/click", ("user", "channel", "ts", "block_id", "action_id"), ("confirmed",), self._acts.click),
            ("/v1/phone", ("number", "do", "call"), ("to",), self._acts.phone),
            ("/v1/ring", ("to",), ("caller", "caller_name"), self._acts.ring),
            ("/v1/story", ("do",), (), self._tell_story),
            ("/v1/bot", ("do",), (), self._restart_bot),
        ]

    def _posted(
        self, act: Callable[..., Awaitable[Json]], needed: tuple[str, ...], allowed: tuple[str, ...]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            asked = fields_of(await _object(request), needed, allowed)
            if act != self._tell_story:
                self._plays.stop()
            try:
                return web.json_response({"ok": True} | await act(**asked))
            except (UnknownCall, LookupError, ValueError) as late:
                refuse("not_now", f"That cannot be done now: {late}.")

        return handle

    async def _tell_story(self, *, do: str) -> Json:
        match do:
            case "play":
                await self._bot.start()  # unless it runs: without it there is nothing to play
                self._plays.again()
            case "stop":
                self._plays.stop()
            case _:
                refuse("bad_field", "`do` is play or stop.", status=400)
        return {}

    async def _restart_bot(self, *, do: str) -> Json:
        if do != "restart":
            refuse("bad_field", "`do` is restart.", status=400)
        await self._bot.restart()
        return {}

    # ── the story ──

    async def _play(self, show: Callable[[Scene], object]) -> None:
        await Story(self._floor, self._workspace, show, pace=self._pace).play()

    async def _clean(self) -> None:
        """End every call, let the bot see that, and remove all earlier messages."""
        calls = self._floor.calls()
        for call in calls:
            self._floor.hang_up(call.id)
        if calls:
            await asyncio.sleep(SETTLING)
        self._shown.clear()
        self._changed()

    async def _bot_connected(self) -> object:
        return await self._workspace.until(lambda: self._workspace.sockets > 0, STARTING)

    def _changed(self) -> None:
        """Send the changes to the pages soon, several together."""
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(TOGETHER, self._announce)

    def _announce(self) -> None:
        self._gathering = None
        self._news.tell()


async def _object(request: web.Request) -> Json:
    """The JSON object of a request; raises NotDone for anything else."""
    if request.content_type != "application/json":
        refuse("not_json", "Send JSON, as application/json.", status=415)
    if hdrs.CONTENT_ENCODING in request.headers:
        refuse("not_json", "Send the JSON as it is, without a content encoding.", status=400)
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        refuse("not_json", "This is not JSON.", status=400)
    if not isinstance(found, dict):
        refuse("not_json", "Send a JSON object.", status=400)
    return found
