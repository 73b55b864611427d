"""What the page survives: a reload, a cut connection, a bot that is started again or has ended."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.browser.conftest import chromium
from tests.browser.demo import Demo
from tests.browser.window import Window

with suppress(ImportError):  # see window.py
    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")


BLOCKED = 2
"""Chromium's setting: no site may keep anything."""
KEEPS = "() => { try { return Boolean(sessionStorage); } catch { return false; } }"


async def listen_to_bob(window: Window) -> None:
    """Ana listens, and sees her card."""
    await window.call_comes_in()
    await window.go_to("callbot")
    await window.write("/monitor @bob")
    await window.do_with_phone("Ana", "Pick up")
    await window.newest_says("Connected after")


async def test_a_reload_keeps_whose_eyes_and_which_place(window: Window) -> None:
    await window.look_as("Lis")
    await window.go_to("alerts")
    await window.page.reload()
    await window.until_connected()
    await window.sees(window.page.get_by_role("log", name="#alerts"))
    assert await window.page.get_by_role("radio", name="Lis Marin, May only listen").is_checked()


async def test_a_card_goes_on_after_a_reload(window: Window) -> None:
    await listen_to_bob(window)
    await window.page.reload()
    await window.newest_says("Connected after")
    await window.do_with_phone("Ana", "Hang up")
    await window.newest_says("Ended")


async def test_the_token_does_not_stay_in_the_address(demo: Demo, window: Window) -> None:
    assert window.page.url == f"{demo.origin}/"


async def test_where_the_browser_keeps_nothing_the_page_works_and_can_be_loaded_again(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"profile": {"default_content_setting_values": {"cookies": BLOCKED}}}))
    context = await browser.browser_type.launch_persistent_context(tmp_path, executable_path=chromium())
    window = Window(context.pages[0])
    await window.open(demo.console.url)
    await window.page.reload()
    await window.until_connected()
    keeps = await window.page.evaluate(KEEPS)
    await window.page.get_by_role("button", name="Colours:").click()
    await window.write("/calls")
    await window.newest_says("No live calls")
    await context.close()
    assert (keeps, window.wrong) == (False, [])


async def test_an_address_of_another_demo_is_refused_in_words(
    demo: Demo, new_window: Callable[..., Awaitable[Window]]
) -> None:
    window = await new_window()
    await window.page.goto(f"{demo.origin}/?token=another")
    await window.says(window.trouble, "This address does not open this demo")


async def test_a_card_goes_on_after_the_bot_was_started_again(window: Window) -> None:
    await listen_to_bob(window)
    async with window.page.expect_response("**/v1/bot"):
        await window.page.get_by_role("button", name="Restart callbot").click()
    await window.until_connected()
    await window.do_with_phone("Ana", "Hang up")
    await window.newest_says("Ended")


async def test_buttons_of_before_work_after_the_bot_was_started_again(window: Window) -> None:
    await listen_to_bob(window)
    async with window.page.expect_response("**/v1/bot"):
        await window.page.get_by_role("button", name="Restart callbot").click()
    await window.until_connected()
    await window.press("Record")
    await window.answer("Record")
    await window.phone_says("Bob", "Recording")


async def test_a_bot_that_ended_is_shown_and_a_restart_mends_it(demo: Demo, window: Window) -> None:
    process = demo.stage.bot._process
    assert process is not None
    process.kill()
    await window.says(window.trouble, "callbot has ended (exit code -9)")
    await window.page.get_by_role("button", name="Restart callbot").click()
    await window.until_connected()
    await window.sees_no_more(window.trouble)
    await window.write("/calls")
    await window.newest_says("No live calls")


async def test_a_command_that_nobody_takes_fails_as_in_slack_and_stays_in_the_box(demo: Demo, window: Window) -> None:
    await demo.stage.bot.stop()
    await window.write("/calls")
    await window.sees(window.page.get_by_text("/calls failed with the error “dispatch_failed”."))
    assert await window.box.input_value() == "/calls"
    demo.stage.workspace.visible_errors.clear()


async def test_a_page_whose_connection_was_cut_goes_on_by_itself(demo: Demo, window: Window) -> None:
    for connection in tuple(demo.console._pages):
        await connection.close()
    demo.stage.floor.ring(caller="+15550142", caller_name="Carla Caller", to="0003*210")
    await window.phone_says("Bob", "Call from Carla Caller")
    await window.sees_no_more(window.trouble)
