"""What somebody types or is told belongs to them alone, and is never an element, a script, a mention or a format."""

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


async def test_a_click_is_of_the_person_who_was_asked(demo: Demo, window: Window) -> None:
    await demo.as_app(channel="C0FLOOR", text="asks", blocks=actions(ASKS))
    await window.press("Go")
    await window.sees(window.dialog)
    await window.page.evaluate(ANOTHERS_EYES)
    async with window.page.expect_request("**/v1/click") as asked:
        await window.answer("Yes")
    assert '"user":"U0ANA"' in ((await asked.value).post_data or "")


async def test_a_draft_is_of_the_person_who_began_it(window: Window) -> None:
    await window.box.press_sequentially("ask @bob")
    await window.look_as("Eve")
    eves = await window.box.input_value()
    await window.look_as("Ana")
    assert (eves, await window.box.input_value()) == ("", "ask @bob")


async def test_what_went_wrong_is_told_to_the_person_who_did_it(window: Window) -> None:
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


# ── text stays text ──


MARKUP = "<img src=x onerror=alert(1)>"
WITHIN = "<b>Bold</b> *bold* <!channel> <https://example.com|here>"
PLANTED = ":is(.log, .floor, #said) :is(img:not(.avatar), script, iframe, a, b:not(.with))"
"""What no message of these tests and no phone has of its own."""


async def no_markup_is_drawn(window: Window) -> None:
    """Nothing that a name asks for has become an element, and no script has run."""
    assert await window.page.locator(PLANTED).count() == 0
    assert await window.log.locator("strong:not(.message-head strong)").count() == 0


@pytest.mark.parametrize("name", [MARKUP, WITHIN])
async def test_a_callers_name_is_text_on_the_floor_and_in_the_list_of_calls(
    demo: Demo, window: Window, name: str
) -> None:
    demo.stage.floor.talk(caller="+15550142", caller_name=name, to="0003*210")
    await window.phone_says("Bob", name)
    await window.write("/calls")
    await window.newest_says("1 live call", "+15550142")
    await no_markup_is_drawn(window)


async def test_a_callers_name_is_text_on_a_card(demo: Demo, window: Window) -> None:
    demo.stage.floor.talk(caller="+15550142", caller_name=MARKUP, to="0003*210")
    await window.go_to("callbot")
    await window.write("/monitor @bob")
    await window.newest_says("Ringing", "onerror=alert(1)")
    await no_markup_is_drawn(window)


async def test_what_a_person_types_is_text(window: Window) -> None:
    await window.write(f"{MARKUP} <!channel> &lt;")
    await window.newest_says(f"{MARKUP} <!channel> &lt;")
    await no_markup_is_drawn(window)


async def test_a_typed_name_is_the_person(window: Window) -> None:
    await window.write("ask @bob in #alerts")
    await window.newest_says("ask @bob in #alerts")
    assert await window.newest.locator(".mention").all_inner_texts() == ["@bob", "#alerts"]


async def test_a_line_that_is_no_command_here_is_not_sent(window: Window) -> None:
    await window.write("/remind me")
    await window.sees(window.page.get_by_text("/remind is not a command of this workspace. Nothing was sent."))
