"""The main screens: how one gets to each of them, for the tests of what is seen and for the pictures in docs/."""

from collections.abc import AsyncIterator

from tests.browser.demo import Demo
from tests.browser.window import Window

NARROW = 900
"""Pixels below which one half of the page is shown at a time."""


async def screens(demo: Demo, window: Window) -> AsyncIterator[str]:
    """Go from one to the next; the name of each, once it is to be seen."""
    floor = demo.stage.floor
    size = window.page.viewport_size
    narrow = size is not None and size["width"] < NARROW
    await window.go_to("support-floor")
    yield "empty"

    await window.go_to("alerts")
    late = floor.ring(caller="+15550188", caller_name="Hal Holder", to="0003*211")
    await window.newest_says("Raised")
    yield "alert"
    floor.answer(late)
    await window.newest_says("Resolved")

    floor.talk(caller="+15550142", caller_name="Carla Caller", to="0003*210")
    await window.go_to("support-floor")
    await window.write("/calls")
    await window.newest_says("2 live calls")
    yield "calls"
    await window.log.get_by_role("button", name="Barge in").first.click()
    await window.sees(window.dialog)
    yield "confirmation"
    await window.answer("Cancel")

    await window.box.press_sequentially("/")
    await window.sees(window.page.get_by_role("listbox", name="Suggestions"))
    yield "suggestions"
    await window.box.fill("")

    await window.go_to("callbot")
    await window.write("/monitor @bob")
    await window.newest_says("Ringing")
    yield "ringing"
    if narrow:
        await window.show_half("Floor")
    await window.sees(window.phone("Ana").get_by_role("button", name="Pick up"))
    if narrow:
        yield "floor"
    await window.do_with_phone("Ana", "Pick up")
    await window.phone_says("Ana", "Listening to Bob Ionescu")
    if narrow:
        await window.show_half("Workspace")
    await window.newest_says("Connected after")
    yield "connected"

    await window.look_as("Eve")
    await window.go_to("support-floor")
    await window.write("/monitor @bob")
    await window.newest_says("I don't know you yet")
    yield "refused"
    await window.look_as("Ana")
