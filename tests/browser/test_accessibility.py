"""WCAG AA by axe-core, light and dark, wide and narrow; every control without a mouse; and the focus is never nowhere."""

from collections.abc import Awaitable, Callable
from typing import Literal

import pytest

from tests.browser.axe import violations
from tests.browser.blocks import ASKS, actions
from tests.browser.demo import Demo
from tests.browser.screens import screens
from tests.browser.window import Window

# ── axe-core ──


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


# ── without a mouse ──


CONTROLS = """
() => [...document.querySelectorAll("a[href], button, input, select, [tabindex='0']")]
  .filter((each) => !each.disabled && each.checkVisibility())
  .filter((each) => each.type !== "radio" || each.checked)
  .map((each) => (each.dataset.stop = each.dataset.stop ?? String(Math.random())))
"""
"""Marks everything that Tab should reach: of a group of radio buttons that is the chosen one."""
STOP = "() => document.activeElement.dataset.stop ?? null"
SHOWN = """
() => {
  const places = [document.activeElement, document.activeElement.closest("label, .box")];
  return places.some((each) => each?.checkVisibility({ checkOpacity: true }) && (getComputedStyle(each).outlineStyle !== "none" || getComputedStyle(each).boxShadow !== "none"));
}
"""
"""Whether what has the focus, or the label or box around it, has a ring that can be seen."""
ANSWERS_AND_GOES_TO_THE_BOX = """
() => new Promise((resolve) => {
  const [dialog, box] = [document.querySelector("dialog"), document.querySelector("#message")];
  dialog.addEventListener("close", () => resolve(document.activeElement === box));
  dialog.querySelector("button").click();
  box.focus();
})
"""
"""Both before the browser says that the dialog is closed."""


async def test_tab_reaches_every_control_and_shows_where_it_is(window: Window) -> None:
    await window.call_comes_in()
    await window.write("/calls")
    await window.newest_says("1 live call")
    controls = set(await window.page.evaluate(CONTROLS))
    reached, unseen = set(), []
    for _ in range(len(controls) + 3):
        await window.page.keyboard.press("Tab")
        stop = await window.page.evaluate(STOP)
        reached.add(stop)
        if stop is not None and not await window.page.evaluate(SHOWN):
            unseen.append(await window.page.evaluate("document.activeElement.outerHTML"))
    assert (controls - reached, unseen) == (set(), [])


async def test_the_first_stop_skips_to_the_message_box(window: Window) -> None:
    await window.page.keyboard.press("Tab")
    await window.page.keyboard.press("Enter")
    assert await window.box.evaluate("element => element === document.activeElement")


async def test_an_intervention_needs_no_mouse(window: Window) -> None:
    keyboard = window.page.keyboard
    await window.tab_to(window.page.get_by_role("button", name="New incoming call"))
    await keyboard.press("Enter")
    await window.sees(window.phone("Bob").get_by_role("button", name="Pick up"))
    await window.tab_to(window.phone("Bob").get_by_role("button", name="Pick up"))
    await keyboard.press("Enter")
    await window.phone_says("Bob", "On call")
    await window.tab_to(window.box)
    await keyboard.type("/mon")
    await keyboard.press("Enter")
    await keyboard.type("@b")
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await window.sees(window.phone("Ana").get_by_role("button", name="Pick up"))
    await window.tab_to(window.phone("Ana").get_by_role("button", name="Pick up"))
    await keyboard.press("Enter")
    await window.phone_says("Ana", "Listening to Bob Ionescu")


async def test_arrows_choose_whose_eyes(window: Window) -> None:
    await window.tab_to(window.page.get_by_role("radio", name="Ana Pop, Supervisor"))
    await window.page.keyboard.press("ArrowDown")
    await window.page.keyboard.press("Tab")
    assert await window.page.get_by_role("radio", name="Lis Marin, May only listen").is_checked()


async def test_the_box_offers_commands_with_what_they_take(window: Window) -> None:
    await window.box.press_sequentially("/")
    offers = window.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    names = [(await offer.inner_text()).split()[0] for offer in await offers.all()]
    assert names == ["/monitor", "/whisper", "/barge", "/pickup", "/record", "/calls"]


async def test_escape_closes_the_offers_and_leaves_what_was_typed(window: Window) -> None:
    await window.box.press_sequentially("/mo")
    await window.box.press("Escape")
    await window.sees_no_more(window.page.get_by_role("listbox", name="Suggestions"))
    assert await window.box.input_value() == "/mo"


async def test_shift_and_tab_leaves_the_offers_for_what_is_before_the_box(window: Window) -> None:
    await window.box.press_sequentially("/mo")
    await window.box.press("Shift+Tab")
    assert await window.page.evaluate("document.activeElement.id") == "log"
    assert await window.box.input_value() == "/mo"


async def test_an_arrow_brings_back_the_last_line(window: Window) -> None:
    await window.write("/calls")
    await window.newest_says("No live calls")
    await window.box.press("ArrowUp")
    assert await window.box.input_value() == "/calls"


# ── the dialog ──


async def ask_to_barge(window: Window) -> None:
    """Press Barge in by the keyboard, and see the dialog."""
    await window.call_comes_in()
    await window.write("/calls")
    await window.log.get_by_role("button", name="Barge in").last.focus()
    await window.page.keyboard.press("Enter")
    await window.sees(window.dialog)


async def test_a_dialog_keeps_the_focus(window: Window) -> None:
    await ask_to_barge(window)
    held = []
    for _ in range(6):
        await window.page.keyboard.press("Tab")
        held.append(await window.dialog.evaluate("dialog => !document.querySelector('body > :not(dialog) :focus')"))
    assert held == [True] * 6


async def test_a_dialog_begins_at_the_answer_that_does_nothing(window: Window) -> None:
    await ask_to_barge(window)
    assert await window.page.evaluate("document.activeElement.textContent") == "Cancel"


async def test_escape_leaves_a_dialog_and_the_focus_is_where_it_was(window: Window) -> None:
    await ask_to_barge(window)
    await window.page.keyboard.press("Escape")
    await window.sees_no_more(window.dialog)
    assert await window.page.evaluate("document.activeElement.textContent") == "Barge in"


async def test_a_dialog_that_was_answered_takes_no_focus_back(window: Window) -> None:
    await ask_to_barge(window)
    assert await window.page.evaluate(ANSWERS_AND_GOES_TO_THE_BOX)


# ── what is read out ──


async def test_a_new_message_is_read_out(window: Window) -> None:
    await window.call_comes_in()
    await window.write("/calls")
    await window.says(window.read_out, "Only visible to you: 1 live call")


async def test_a_phone_that_rings_is_read_out(window: Window) -> None:
    await window.page.get_by_role("button", name="New incoming call").click()
    await window.says(window.read_out, "Bob Ionescu's phone: Call from Carla Caller.")


async def test_what_is_read_out_is_a_polite_live_region(window: Window) -> None:
    assert [await window.read_out.get_attribute(name) for name in ("role", "aria-live")] == ["status", "polite"]


# ── where the focus is ──


FOCUSED = "document.activeElement.textContent"
WHERE = "document.activeElement.id || document.activeElement.tagName"
TURNS_AROUND = """
async () => {
  const { keep } = await import("/page/elements.js");
  const [list, make] = [document.createElement("div"), (text) => Object.assign(document.createElement("button"), { textContent: text })];
  document.body.append(list);
  keep(list, ["one", "two", "three"], (text) => text, make);
  list.lastElementChild.focus();
  keep(list, ["three", "two", "one"], (text) => text, make);
  return [document.activeElement.textContent, list.textContent];
}
"""


async def message_that_asks(demo: Demo, window: Window) -> str:
    """A message with a button whose dialog is open; its time stamp."""
    ts = await demo.as_app(channel="C0FLOOR", text="asks", blocks=actions(ASKS))
    await window.press("Go")
    await window.sees(window.dialog)
    return ts


async def test_a_button_that_stays_keeps_the_focus_when_those_before_it_change(demo: Demo, window: Window) -> None:
    call = demo.stage.floor.ring(caller="+15550142", to="0003*210")
    await window.phone_says("Bob", "Ringing")
    await window.phone("Bob").get_by_role("button", name="Hang up").focus()
    demo.stage.floor.answer(call)
    await window.sees(window.phone("Bob").get_by_role("button", name="Park"))
    assert await window.page.evaluate(FOCUSED) == "Hang up"


async def test_an_element_that_is_moved_keeps_the_focus(window: Window) -> None:
    assert await window.page.evaluate(TURNS_AROUND) == ["three", "threetwoone"]


async def test_after_a_dialog_the_button_of_a_changed_message_has_the_focus(demo: Demo, window: Window) -> None:
    ts = await message_that_asks(demo, window)
    await demo.as_app("chat.update", channel="C0FLOOR", ts=ts, text="asks again", blocks=actions(ASKS))
    await window.newest_says("(edited)")
    await window.page.keyboard.press("Escape")
    await window.sees_no_more(window.dialog)
    assert await window.page.evaluate(FOCUSED) == "Go"


async def test_after_a_dialog_whose_message_is_gone_the_messages_have_the_focus(demo: Demo, window: Window) -> None:
    ts = await message_that_asks(demo, window)
    await demo.as_app("chat.delete", channel="C0FLOOR", ts=ts)
    await window.sees_no_more(window.log.get_by_role("button", name="Go"))
    await window.page.keyboard.press("Escape")
    await window.sees_no_more(window.dialog)
    assert await window.page.evaluate(WHERE) == "log"


async def test_the_button_that_restarts_the_bot_keeps_the_focus(window: Window) -> None:
    restart = window.page.get_by_role("button", name="Restart callbot")
    await restart.focus()
    async with window.page.expect_response("**/v1/bot"):
        await window.page.keyboard.press("Enter")
    await window.until_connected()
    assert await restart.evaluate("element => element === document.activeElement")


async def test_a_note_of_what_is_new_elsewhere_keeps_the_focus_when_more_comes(demo: Demo, window: Window) -> None:
    demo.stage.workspace.say("U0BOB", "C0ALERTS", "one")
    await window.page.get_by_role("button", name="New in #alerts").focus()
    demo.stage.workspace.say("U0BOB", "C0ALERTS", "two")
    await window.sees(window.page.get_by_role("button", name="alerts 2 unread"))
    assert await window.page.evaluate(FOCUSED) == "New in #alertsShow"


async def test_messages_that_give_way_to_another_place_hand_the_focus_to_the_list(demo: Demo, window: Window) -> None:
    await demo.as_app(channel="C0FLOOR", text="asks", blocks=actions(ASKS))
    await window.log.get_by_role("button", name="Go").focus()
    await window.page.evaluate("document.querySelector('input[name=persona]:not(:checked)').click()")
    assert await window.page.evaluate(WHERE) == "log"


async def test_the_place_of_direct_messages_keeps_the_focus_when_it_becomes_another_persons(window: Window) -> None:
    await window.place("callbot").focus()
    await window.page.evaluate("document.querySelector('input[name=persona]:not(:checked)').click()")
    assert await window.place("callbot").evaluate("element => element === document.activeElement")
