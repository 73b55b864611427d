"""WCAG AA by axe-core on the main screens, light and dark, wide and narrow; and nothing wider than a small phone."""

from collections.abc import Awaitable, Callable
from typing import Literal

import pytest

from tests.browser.axe import violations
from tests.browser.demo import Demo
from tests.browser.screens import screens
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize("width", [1280, 360])
async def test_no_screen_breaks_a_rule_of_accessibility(
    demo: Demo, new_window: Callable[..., Awaitable[Window]], width: int
) -> None:
    window = await new_window(demo.console.url, viewport={"width": width, "height": 800})
    wrong = []
    async for screen in screens(demo, window):
        for colours in COLOURS:
            await window.page.emulate_media(color_scheme=colours)
            wrong += [f"{screen}, {colours}: {each}" for each in await violations(window.page)]
    assert wrong == []


@pytest.mark.parametrize("colours", COLOURS)
async def test_a_button_under_the_pointer_can_be_read(
    demo: Demo, new_window: Callable[..., Awaitable[Window]], colours: str
) -> None:
    window = await new_window(demo.console.url, color_scheme=colours)
    await window.call_comes_in()
    await window.write("/calls")
    await window.newest_says("1 live call")
    wrong = []
    for label in ("Monitor", "Barge in", "Hang up", "Hold", "Play it again", "Send"):
        await window.page.get_by_role("button", name=label, exact=True).last.hover()
        wrong += await violations(window.page)
    assert wrong == []


async def test_what_is_wrong_with_the_bot_can_be_read(demo: Demo, window: Window) -> None:
    await demo.stage.bot.stop()
    await window.says(window.trouble, "callbot has ended")
    assert await violations(window.page) == []


async def test_no_screen_scrolls_sideways(demo: Demo, new_window: Callable[..., Awaitable[Window]]) -> None:
    window = await new_window(demo.console.url, viewport={"width": 360, "height": 740})
    wider = {}
    async for screen in screens(demo, window):
        for width in (2560, 1024, 640, 360):
            await window.page.set_viewport_size({"width": width, "height": 740})
            wider[screen, width] = await window.page.evaluate(WIDER)
    assert {where: by for where, by in wider.items() if by > 0} == {}


async def test_a_supervisor_with_a_small_phone_intervenes_between_the_two_halves(
    demo: Demo, new_window: Callable[..., Awaitable[Window]]
) -> None:
    window = await new_window(demo.console.url, viewport={"width": 360, "height": 740})
    await window.show_half("Floor")
    await window.call_comes_in()
    await window.show_half("Workspace")
    await window.write("/barge @bob")
    await window.newest_says("Ringing")
    await window.show_half("Floor")
    await window.do_with_phone("Ana", "Pick up")
    await window.show_half("Workspace")
    await window.newest_says("Connected after")


async def test_colours_that_were_chosen_stay_after_a_reload(window: Window) -> None:
    button = window.page.get_by_role("button", name="Colours:")
    await button.click()
    await button.click()
    await window.page.reload()
    await window.until_connected()
    assert await button.get_attribute("aria-label") == "Colours: dark"
    assert await window.page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
