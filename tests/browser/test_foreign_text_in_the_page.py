"""What callers and visitors call themselves or type stays text: no element, no script, no mention, no format."""

import pytest

from tests.browser.demo import Demo
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

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
