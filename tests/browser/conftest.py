"""The demo in a real Chromium: the sandbox PBX, the workspace, the real bot as its process, their page, and a browser.

Where there is no Chromium or no Playwright the tests are skipped; where `CALLBOT_NO_SKIP` is set they fail instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from bot.app.demo import Stage, stage
from bot.sandbox.console.server import Console
from tests.browser.demo import Demo
from tests.browser.window import REBOUND, SECONDS, Window

with suppress(ImportError):  # the extra `browser`; the fixture of that name says that it is not there
    from playwright.async_api import Browser, async_playwright

HOW_TO = (
    "No browser here: `pip install -e '.[test,browser]'` and `apt-get install chromium`, or any Chromium on the PATH."
)
ARGUMENTS = [f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The program of the browser; None: there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for each worker of the tests; what it keeps is of one tab alone."""
    program = chromium()
    if program is None or "async_playwright" not in globals():
        if os.environ.get("CALLBOT_NO_SKIP"):
            pytest.fail(HOW_TO)
        pytest.skip(HOW_TO)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def up(browser: Browser) -> AsyncIterator[Stage]:
    """Sandbox, workspace and bot, once for each worker of the tests."""
    async with stage(by_hand=True) as up:
        yield up


@pytest_asyncio.fixture(loop_scope="session")
async def demo(up: Stage) -> AsyncIterator[Demo]:
    """A demo in which nothing has been done yet, and no story is played. In the end Slack has refused nothing."""
    await up.bot.start()  # unless it runs: a test may have ended it
    await up.workspace.until(lambda: up.workspace.sockets > 0, SECONDS)
    console = Console(up.floor, up.workspace, up.bot, story=False)
    console._shown.clear()  # what the page shows no more when its story begins anew
    await console.start()
    demo = Demo(up, console)
    yield demo
    await console.stop()
    await demo.clear(SECONDS)
    assert [*up.workspace.refusals, *up.workspace.visible_errors] == []


@pytest_asyncio.fixture(loop_scope="session")
async def new_window(browser: Browser) -> AsyncIterator[Callable[..., Awaitable[Window]]]:
    """Opens a window of its own; `options` are Playwright's of a context. In the end no browser has complained.

    `stranger`: what is opened is refused, so that a browser has reason to complain.
    """
    windows: list[Window] = []
    strangers: list[Window] = []

    async def open_window(url: str = "about:blank", *, stranger: bool = False, **options: Any) -> Window:
        given = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", "locale": "en-GB"} | options
        context = await browser.new_context(**given)
        window = Window(await context.new_page())
        windows.append(window)
        if stranger:
            strangers.append(window)
        if url != "about:blank":
            await window.open(url)
        return window

    yield open_window
    for window in windows:
        await window.page.context.close()
    assert [wrong for window in windows if window not in strangers for wrong in window.wrong] == []


@pytest_asyncio.fixture(loop_scope="session")
async def window(demo: Demo, new_window: Callable[..., Awaitable[Window]]) -> Window:
    """The page as Ana sees it first, on a desktop."""
    return await new_window(demo.console.url)
