"""Another page of the same browser cannot use the demo, even if it knew the token; and the page's policy holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from html import escape
from urllib.parse import quote

import pytest
import pytest_asyncio
from aiohttp import web

from tests.browser.conftest import chromium
from tests.browser.demo import Demo
from tests.browser.window import REBOUND, Window

with suppress(ImportError):  # see window.py
    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

READS = """
async ([origin, token]) => {
  const told = async (options) => fetch(`${origin}/v1/state`, options).then((answer) => answer.text()).catch(() => "refused");
  return [await told({}), await told({ headers: { Authorization: `Bearer ${token}` } })];
}
"""
RINGS = """
async ([origin, token]) => {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const told = async (options) => fetch(`${origin}/v1/ring`, { method: "POST", headers, body: '{"to": "0003*210"}', ...options })
    .then(async (answer) => (await answer.json()).error ?? "done").catch(() => "refused");
  const plainly = { mode: "no-cors", headers: { ...headers, "Content-Type": "text/plain" } };
  return [await told(plainly), await told({})];
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
async def elsewhere() -> AsyncIterator[str]:
    """The address of somebody else's page, on another port of this machine."""

    async def page(request: web.Request) -> web.Response:
        link = f'<a href="{escape(request.query.get("to", ""))}">The demo</a>'
        return web.Response(text=f"<!doctype html><title>Elsewhere</title>{link}", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{name:.*}", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(new_window: Callable[..., Awaitable[Window]], elsewhere: str) -> Window:
    """Somebody else's page."""
    window = await new_window(stranger=True)
    await window.page.goto(elsewhere)
    return window


async def test_another_page_reads_nothing(demo: Demo, stranger: Window) -> None:
    assert await stranger.page.evaluate(READS, [demo.origin, demo.console.token]) == ["refused", "refused"]


async def test_another_page_lets_no_call_come_in(demo: Demo, stranger: Window) -> None:
    told = await stranger.page.evaluate(RINGS, [demo.origin, demo.console.token])
    assert (told, demo.stage.floor.calls()) == (["refused", "refused"], [])


@pytest.mark.parametrize("script", [READS, RINGS], ids=["read", "ring"])
async def test_where_a_browser_holds_no_page_back_the_demo_itself_refuses_the_token_of_another_page(
    demo: Demo, browser: Browser, elsewhere: str, script: str
) -> None:
    lawless = await browser.browser_type.launch(executable_path=chromium(), args=["--disable-web-security"])
    page = await lawless.new_page()
    await page.goto(elsewhere)
    told = await page.evaluate(script, [demo.origin, demo.console.token])
    await lawless.close()
    assert ("wrong_origin" in told[1], demo.stage.floor.calls()) == (True, [])


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
    assert (response.status, "Only by a loopback address" in await response.text()) == (403, True)


async def test_a_link_of_another_page_says_in_words_how_the_demo_is_opened(
    demo: Demo, new_window: Callable[..., Awaitable[Window]], elsewhere: str
) -> None:
    window = await new_window(stranger=True)
    await window.page.goto(f"{elsewhere}?to={quote(demo.console.url)}")
    await window.page.get_by_role("link", name="The demo").click()
    await window.sees(window.page.get_by_text("Copy the address that callbot demo has printed"))


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
