"""The story in the page: it plays by itself, stops as soon as somebody acts, and plays again when asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.console.server import Console
from tests.browser.blocks import ASKS, actions
from tests.browser.demo import Demo
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = 0.1
"""How long its pauses are, beside those for people."""
PRESENT = 1.0
TYPES_WHILE_THE_STORY_DOES = """
() => {
  const box = document.querySelector("#message");
  return box.readOnly && box.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
}
"""
"""A key, in the very moment: at that pace no hand is quick enough."""


@pytest_asyncio.fixture(loop_scope="session")
async def play(
    demo: Demo, new_window: Callable[..., Awaitable[Window]]
) -> AsyncIterator[Callable[..., Awaitable[Window]]]:
    """Opens the page of a demo that begins with its story; `pace` of its pauses."""
    told: list[Console] = []

    async def play(pace: float, **options: Any) -> Window:
        console = Console(demo.stage.floor, demo.stage.workspace, demo.stage.bot, pace=pace)
        await console.start()
        told.append(console)
        return await new_window(console.url, **options)

    yield play
    for console in told:
        await console.stop()


async def test_it_plays_from_the_alert_to_the_refusal_without_a_hand(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(QUICK)
    await window.sees(window.page.get_by_role("log", name="#alerts"))
    await window.newest_says("Raised: Rings unanswered")
    await window.phone_says("Ana", "Listening to Bob Ionescu")
    await window.sees(window.page.get_by_role("log", name="callbot"))
    await window.phone_says("Ana", "Whispering to Bob Ionescu")
    await window.phone_says("Bob", "Recording")
    await window.newest_says("I don't know you yet")
    assert await window.page.get_by_role("radio", name="Eve Stan, Not in the map").is_checked()


async def caller_rings(window: Window) -> None:
    """Wait until the story's first call is there."""
    await window.phone_says("Bob", "Call from Carla Caller")


async def test_it_stops_where_it_is_when_somebody_acts(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(PRESENT)
    await caller_rings(window)
    await window.do_with_phone("Bob", "Pick up")
    await window.says(window.page.get_by_role("region", name="Story"), "The floor is yours")
    await window.phone_says("Bob", "With Carla Caller")


async def test_it_stops_when_somebody_begins_to_type(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(QUICK)
    await window.page.wait_for_function(TYPES_WHILE_THE_STORY_DOES)
    await window.says(window.page.get_by_role("region", name="Story"), "The floor is yours")


async def test_what_somebody_has_begun_to_type_stays_and_stops_the_story(
    play: Callable[..., Awaitable[Window]],
) -> None:
    window = await play(PRESENT)
    await caller_rings(window)
    await window.box.press_sequentially("/calls")
    await window.says(window.page.get_by_role("region", name="Story"), "The floor is yours")
    assert await window.box.input_value() == "/calls"


async def test_a_draft_of_before_the_story_is_there_again_when_the_story_has_typed(
    play: Callable[..., Awaitable[Window]],
) -> None:
    window = await play(QUICK)
    await caller_rings(window)
    await window.box.press_sequentially("/calls")
    await window.page.get_by_role("button", name="Play it again").click()
    await window.page.wait_for_function(TYPES_WHILE_THE_STORY_DOES)
    await window.says(window.page.get_by_role("region", name="Story"), "The floor is yours")
    assert await window.box.input_value() == "/calls"


async def test_it_stops_when_a_dialog_asks_somebody(demo: Demo, play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(PRESENT)
    await caller_rings(window)
    await demo.as_app(channel="C0ALERTS", text="asks", blocks=actions(ASKS))
    await window.press("Go")
    await window.sees(window.dialog)
    await window.says(window.page.get_by_role("region", name="Story"), "The floor is yours")
    await window.answer("No")


async def test_it_does_not_take_back_the_half_that_somebody_chose(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(PRESENT, viewport={"width": 360, "height": 740})
    await window.says(window.page.get_by_role("region", name="Story"), "The phone rings, and rings")
    await window.show_half("Workspace")
    await window.sees(window.log)
    await window.show_half("Floor")
    await window.says(window.page.get_by_role("region", name="Story"), "callbot raises an alert")
    assert await window.phone("Bob").is_visible()


async def test_it_leaves_the_half_that_has_the_focus(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(PRESENT, viewport={"width": 360, "height": 740})
    await window.says(window.page.get_by_role("region", name="Story"), "The phone rings, and rings")
    await window.phone("Bob").get_by_role("button", name="Hang up").focus()
    await window.says(window.page.get_by_role("region", name="Story"), "callbot raises an alert")
    assert await window.page.evaluate("document.activeElement.textContent") == "Hang up"


async def test_it_does_not_take_back_whose_eyes_somebody_chose(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(PRESENT)
    await caller_rings(window)
    await window.look_as("Lis")
    await window.says(window.page.get_by_role("region", name="Story"), "callbot raises an alert")
    assert await window.page.get_by_role("radio", name="Lis Marin, May only listen").is_checked()


async def test_it_does_not_take_back_the_place_that_somebody_chose(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(PRESENT)
    await caller_rings(window)
    await window.go_to("support-floor")
    await window.says(window.page.get_by_role("region", name="Story"), "callbot raises an alert")
    await window.sees(window.page.get_by_role("log", name="#support-floor"))


async def test_it_is_stopped_by_its_button(play: Callable[..., Awaitable[Window]]) -> None:
    window = await play(PRESENT)
    await caller_rings(window)
    await window.page.get_by_role("button", name="Stop the story").click()
    await window.says(window.page.get_by_role("region", name="Story"), "The floor is yours")


async def test_played_again_it_begins_on_a_clean_floor_and_forgets_what_was_said(window: Window) -> None:
    await window.write("before")
    await window.call_comes_in()
    await window.page.get_by_role("button", name="Play it again").click()
    await window.says(window.page.get_by_role("region", name="Story"), "A customer, Carla Caller, rings Bob")
    await window.sees(window.phone("Bob").get_by_text("Idle"))
    await window.page.get_by_role("button", name="Stop the story").click()
    await window.go_to("support-floor")
    await window.sees_no_more(window.log.get_by_text("before"))
