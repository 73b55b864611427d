"""A supervisor at the page: each intervention typed and clicked, what asks first, and who is refused."""

import re

import pytest

from tests.browser.demo import Demo
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

TYPED = {
    "/monitor @bob": ("callbot", "Monitor: Connected", "Listening to Bob Ionescu"),
    "/whisper @bob": ("callbot", "Whisper: Connected", "Whispering to Bob Ionescu"),
    "/barge @bob": ("support-floor", "Barge in: Connected", "In the call of Bob Ionescu"),
}
"""The line; where its card comes; what the card says in the end; what the supervisor's phone shows then."""
CLICKED = {"Monitor": TYPED["/monitor @bob"], "Whisper": TYPED["/whisper @bob"], "Barge in": TYPED["/barge @bob"]}
ASK_FIRST = ["Barge in", "Record"]


async def pick_up(window: Window, name: str = "Ana") -> None:
    """Lift the phone that rings for an intervention."""
    await window.phone_says(name, "s left")
    await window.do_with_phone(name, "Pick up")


@pytest.mark.parametrize(("line", "ends"), TYPED.items(), ids=TYPED)
async def test_a_typed_line_rings_the_supervisors_phone_and_connects_her(
    window: Window, line: str, ends: tuple[str, str, str]
) -> None:
    place, says, shown = ends
    await window.call_comes_in()
    await window.write(line)
    await pick_up(window)
    await window.go_to(place)
    await window.newest_says("Connected after", says)
    await window.phone_says("Ana", shown)


@pytest.mark.parametrize(("label", "ends"), CLICKED.items(), ids=CLICKED)
async def test_a_button_of_the_live_calls_rings_the_supervisors_phone_and_connects_her(
    window: Window, label: str, ends: tuple[str, str, str]
) -> None:
    place, says, shown = ends
    await window.call_comes_in()
    await window.write("/calls")
    await window.press(label)
    if label in ASK_FIRST:
        await window.answer(label)
    await pick_up(window)
    await window.go_to(place)
    await window.newest_says("Connected after", says)
    await window.phone_says("Ana", shown)


async def test_a_ringing_call_is_picked_up_by_typing(window: Window) -> None:
    await window.page.get_by_role("button", name="New incoming call").click()
    await window.phone_says("Bob", "Ringing")
    await window.write("/pickup @bob")
    await pick_up(window)
    await window.newest_says("Connected after", "Pick up: Connected")
    await window.phone_says("Ana", "Picked up: Carla Caller")


async def test_a_ringing_call_is_picked_up_from_its_alert(window: Window) -> None:
    await window.go_to("alerts")
    await window.page.get_by_role("button", name="New incoming call").click()
    await window.newest_says("Raised: Rings unanswered")
    await window.press("Pick up")
    await pick_up(window)
    await window.phone_says("Ana", "Picked up: Carla Caller")
    await window.says(window.log.get_by_role("article").first, "Resolved")


async def test_a_call_is_recorded_by_typing_and_stopped_by_clicking(window: Window) -> None:
    await window.call_comes_in()
    await window.write("/record @bob")
    await window.newest_says("Recording since")
    await window.phone_says("Bob", "Recording")
    await window.press("Stop recording")
    await window.newest_says("Recording stopped")


async def test_a_call_is_recorded_by_clicking_and_stopped_by_typing(window: Window) -> None:
    await window.call_comes_in()
    await window.write("/calls")
    await window.press("Record")
    await window.answer("Record")
    await window.newest_says("Recording since")
    await window.write("/record @bob stop")
    await window.newest_says("Recording stopped")


# ── one card, from Ringing to Connected ──


async def test_the_card_that_rang_is_the_card_that_connects(window: Window) -> None:
    await window.call_comes_in()
    await window.go_to("callbot")
    await window.write("/monitor @bob")
    await window.newest_says("Ringing")
    rang = await place_of(window)
    await pick_up(window)
    await window.newest_says("Connected after")
    connected = await place_of(window)
    assert (connected["ts"], int(connected["version"]) > int(rang["version"])) == (rang["ts"], True)


async def test_a_card_that_changed_says_so(window: Window) -> None:
    await window.call_comes_in()
    await window.go_to("callbot")
    await window.write("/monitor @bob")
    await pick_up(window)
    await window.newest_says("Connected after", "(edited)")


async def test_the_seconds_of_a_ringing_phone_count_down(window: Window) -> None:
    await window.call_comes_in()
    await window.write("/monitor @bob wait=9")
    for left in ("9 s left", "8 s left"):
        await window.sees(window.phone("Ana").get_by_text(left, exact=True))


async def test_hanging_up_the_supervisors_phone_ends_the_card_and_not_the_call(window: Window) -> None:
    await window.call_comes_in()
    await window.go_to("callbot")
    await window.write("/monitor @bob")
    await pick_up(window)
    await window.newest_says("Connected after")
    await window.do_with_phone("Ana", "Hang up")
    await window.newest_says("Ended")
    await window.phone_says("Bob", "On call")


# ── a button that asks first ──


async def test_barging_in_asks_first_and_goes_on_after_yes(window: Window) -> None:
    await window.call_comes_in()
    await window.write("/calls")
    await window.press("Barge in")
    await window.says(window.dialog, re.compile("hear", re.IGNORECASE))
    await window.answer("Barge in")
    await window.phone_says("Ana", "Rings, to join the call of Bob Ionescu")


async def test_barging_in_sends_nothing_after_no(demo: Demo, window: Window) -> None:
    await window.call_comes_in()
    await window.write("/calls")
    await window.press("Barge in")
    await window.answer("Cancel")
    assert await sent_by_now(demo, window) == 0


async def test_barging_in_sends_nothing_after_escape(demo: Demo, window: Window) -> None:
    await window.call_comes_in()
    await window.write("/calls")
    await window.press("Barge in")
    await window.dialog.press("Escape")
    assert await sent_by_now(demo, window) == 0


async def sent_by_now(demo: Demo, window: Window) -> int:
    """How many actions were sent to the PBX before one that is asked for now."""
    await window.sees_no_more(window.dialog)
    await window.write("/record @bob")
    await window.newest_says("Recording since")
    return demo.sent - 1


# ── who may not ──


async def test_somebody_unknown_is_refused_privately_and_nothing_is_sent(demo: Demo, window: Window) -> None:
    await window.call_comes_in()
    await window.look_as("Eve")
    await window.write("/monitor @bob")
    await window.newest_says("Only visible to you", "I don't know you yet")
    assert demo.sent == 0


async def test_what_only_one_may_see_the_others_do_not_see(window: Window) -> None:
    await window.call_comes_in()
    await window.look_as("Eve")
    await window.write("/monitor @bob")
    await window.newest_says("I don't know you yet")
    await window.look_as("Ana")
    await window.sees_no_more(window.log.get_by_text("I don't know you yet"))


async def test_who_may_only_listen_is_refused_a_barge(demo: Demo, window: Window) -> None:
    await window.call_comes_in()
    await window.look_as("Lis")
    await window.write("/barge @bob")
    await window.newest_says("Only visible to you")
    assert demo.sent == 0


async def place_of(window: Window) -> dict[str, str]:
    """The time stamp and version of the newest message."""
    return {name: await window.newest.get_attribute(f"data-{name}") or "" for name in ("ts", "version")}
