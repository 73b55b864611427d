"""Pictures of the main screens into docs/: `python -m tests.browser.screenshots`, wide and narrow, light and dark."""

import asyncio
import sys
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ViewportSize, async_playwright

from bot.app.demo import stage
from bot.sandbox.console.server import Console
from tests.browser.conftest import HOW_TO, chromium
from tests.browser.demo import Demo
from tests.browser.screens import screens
from tests.browser.window import SECONDS, Window

DOCS = Path(__file__).parents[2] / "docs"
SIZES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def _take(browser: Browser, size: str) -> list[Path]:
    """All screens of one size, each in both colours, with a demo of their own."""
    taken = []
    async with stage(by_hand=True) as up:
        console = Console(up.floor, up.workspace, up.bot, story=False)
        await console.start()
        context = await browser.new_context(
            viewport=SIZES[size],
            device_scale_factor=1 if size == "wide" else 2,
            reduced_motion="reduce",
            locale="en-GB",
        )
        window = Window(await context.new_page())
        await window.open(console.url)
        demo = Demo(up, console)
        async for screen in screens(demo, window):
            await window.page.mouse.move(0, 0)
            for colours in COLOURS:
                await window.page.emulate_media(color_scheme=colours)
                path = DOCS / f"{screen}-{size}-{colours}.png"
                await window.page.screenshot(path=path, animations="disabled", caret="initial")
                taken.append(path)
        await demo.clear(SECONDS)
        await context.close()
        await console.stop()
    return taken


async def take() -> None:
    """Every picture; says what was written."""
    program = chromium()
    if program is None:
        sys.exit(HOW_TO)
    DOCS.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        for size in SIZES:
            for path in await _take(browser, size):
                sys.stdout.write(f"{path}\n")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(take())
