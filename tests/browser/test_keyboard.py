"""Without a mouse: every control is reached, seen to be, and does what it does; and what is new is read out."""

import pytest

from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

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
