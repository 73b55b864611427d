"""What somebody types, presses or is told is theirs: another person's eyes, or a lost answer, change nothing about it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.browser.blocks import ASKS, actions
from tests.browser.demo import Demo
from tests.browser.window import Window

with suppress(ImportError):  # see window.py
    from playwright.async_api import Route

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANOTHERS_EYES = "document.querySelector('input[name=persona]:not(:checked)').click()"
"""What the story does behind an open dialog, and no hand can."""
DRAWS = """
async () => {
  const { drawBlocks } = await import("/page/blocks.js");
  const texts = { object: (text) => text.text };
  const text = { type: "plain_text", text: "words" };
  const [menu, picture] = [{ type: "static_select" }, { type: "image", alt_text: "a phone" }];
  const blocks = [{ type: "section", text, accessory: menu }, { type: "actions", elements: [menu, picture] }];
  return drawBlocks(blocks, { texts, press() {} }).map((block) => block.textContent);
}
"""
NOT_DRAWN = "An element of type static_select, which this page does not draw."


async def test_a_click_is_of_whoever_was_asked(demo: Demo, window: Window) -> None:
    await demo.as_app(channel="C0FLOOR", text="asks", blocks=actions(ASKS))
    await window.press("Go")
    await window.sees(window.dialog)
    await window.page.evaluate(ANOTHERS_EYES)
    async with window.page.expect_request("**/v1/click") as asked:
        await window.answer("Yes")
    assert '"user":"U0ANA"' in ((await asked.value).post_data or "")


async def test_a_draft_is_of_whoever_began_it(window: Window) -> None:
    await window.box.press_sequentially("ask @bob")
    await window.look_as("Eve")
    eves = await window.box.input_value()
    await window.look_as("Ana")
    assert (eves, await window.box.input_value()) == ("", "ask @bob")


async def test_what_went_wrong_is_told_to_whoever_did_it(window: Window) -> None:
    await window.write("/remind me")
    await window.sees(window.page.get_by_text("/remind is not a command"))
    await window.look_as("Eve")
    await window.sees_no_more(window.page.get_by_text("/remind is not a command"))


async def test_where_the_answer_is_lost_nobody_claims_that_nothing_was_done(window: Window) -> None:
    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await window.page.route("**/v1/type", lose_the_answer)
    await window.write("hello")
    await window.sees(window.page.get_by_text("It may or may not have been done."))
    await window.newest_says("hello")


async def test_an_element_that_is_not_known_here_is_named_and_the_rest_is_drawn(window: Window) -> None:
    assert await window.page.evaluate(DRAWS) == [f"words{NOT_DRAWN}", f"{NOT_DRAWN}Image: a phone"]
