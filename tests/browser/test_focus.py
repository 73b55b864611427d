"""Where the focus of the keyboard is when what had it changes, moves or goes: never nowhere."""

import pytest

from tests.browser.blocks import ASKS, actions
from tests.browser.demo import Demo
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

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
