"""Another page of the same browser cannot use the demo, even if it knew the token; and the page's policy holds."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp import web

from tests.browser.demo import Demo
from tests.browser.window import REBOUND, Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

READS = """
async ([origin, token]) => {
  const told = async (options) => fetch(`${origin}/v1/state`, options).then((answer) => answer.text()).catch(() => "refused");
  return [await told({}), await told({ headers: { Authorization: `Bearer ${token}` } })];
}
"""
RINGS = """
async ([origin, token]) => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    const asked = { method: "POST", mode: "no-cors", headers: { "Content-Type": type }, body: '{"to": "0003*210"}' };
    await fetch(`${origin}/v1/ring?token=${token}`, asked).catch(() => null);
  }
}
"""
LISTENS = """
async ([origin, token]) => new Promise((resolve) => {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/v1/changes`, ["callbot.v1", `token.${token}`]);
  socket.addEventListener("open", () => resolve("open"));
  socket.addEventListener("error", () => resolve("refused"));
})
"""
FRAMES = """
async ([address]) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.addEventListener("load", () => {
    try { resolve(frame.contentDocument ? "empty" : "refused"); } catch { resolve("refused"); }
  });
  frame.src = address;
  document.body.append(frame);
})
"""
INJECTS = """
() => {
  const script = document.createElement("script");
  script.textContent = "window.ran = true";
  document.body.append(script);
  return window.ran === true;
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(new_window: Callable[..., Awaitable[Window]]) -> AsyncIterator[Window]:
    """A page of somebody else's, on another port of this machine."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Elsewhere</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    window = await new_window(stranger=True)
    await window.page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield window
    await runner.cleanup()


async def test_another_page_reads_nothing(demo: Demo, stranger: Window) -> None:
    assert await stranger.page.evaluate(READS, [demo.origin, demo.console.token]) == ["refused", "refused"]


async def test_another_page_lets_no_call_come_in(demo: Demo, stranger: Window) -> None:
    await stranger.page.evaluate(RINGS, [demo.origin, demo.console.token])
    assert demo.stage.floor.calls() == []


async def test_another_page_is_told_no_changes(demo: Demo, stranger: Window) -> None:
    assert await stranger.page.evaluate(LISTENS, [demo.origin, demo.console.token]) == "refused"


async def test_another_page_cannot_frame_the_demo(demo: Demo, stranger: Window) -> None:
    await stranger.page.evaluate(FRAMES, [demo.console.url])
    assert [frame.url for frame in stranger.page.frames[1:]] == ["chrome-error://chromewebdata/"]


async def test_a_name_elsewhere_that_leads_here_is_refused(
    demo: Demo, new_window: Callable[..., Awaitable[Window]]
) -> None:
    window = await new_window(stranger=True)
    response = await window.page.goto(f"http://{REBOUND}:{demo.console.port}/?token={demo.console.token}")
    assert response is not None
    assert (response.status, (await response.json())["error"]) == (403, "wrong_host")


async def test_a_script_that_was_smuggled_in_does_not_run(window: Window) -> None:
    ran = await window.page.evaluate(INJECTS)
    blocked = [wrong for wrong in window.wrong if "Content Security Policy" in wrong]
    window.wrong.clear()
    assert (ran, len(blocked)) == (False, 1)


async def test_nothing_is_fetched_from_elsewhere(demo: Demo, new_window: Callable[..., Awaitable[Window]]) -> None:
    window = await new_window()
    asked: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    await window.open(demo.console.url)
    await window.call_comes_in()
    assert [
        url for url in asked if not url.startswith((f"{demo.origin}/", f"ws://127.0.0.1:{demo.console.port}/"))
    ] == []
