"""Restart and crash: no alert twice, none forgotten, and what went away meanwhile is resolved on its own card."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.sandbox.pbx.faults import Fault
from tests.e2e.alerts_seen import ALERTS, ANA, HAL, RINGING, alert, raised, said, scans, start

pytestmark = pytest.mark.parametrize("transport", ["socket mode"])
Run = Callable[..., Awaitable[Any]]


async def kill(bot: Any) -> None:
    bot.process.kill()
    await bot.ended()


async def test_after_kill_9_an_open_alert_goes_on_on_its_card(empty_house: Any, run_bot: Run) -> None:
    empty_house.map += RINGING
    bot = await run_bot()
    await bot.started()
    call = empty_house.floor.ring(to="0003*211", **HAL)
    first = await alert(empty_house, "Raised")
    await kill(bot)
    await (await run_bot()).started()
    await scans(empty_house)
    assert [card.ts for card in raised(empty_house)] == [first.ts]
    empty_house.floor.answer(call)
    await alert(empty_house, "Resolved")


async def test_what_ended_while_callbot_was_down_is_resolved(empty_house: Any, run_bot: Run) -> None:
    empty_house.map += RINGING
    bot = await run_bot()
    await bot.started()
    call = empty_house.floor.ring(to="0003*211", **HAL)
    await alert(empty_house, "Raised")
    await kill(bot)
    empty_house.floor.hang_up(call)
    await (await run_bot()).started()
    await alert(empty_house, "Resolved")
    assert len(raised(empty_house)) == 1


async def test_an_alert_that_slack_has_not_accepted_before_a_kill_is_posted_once(
    empty_house: Any, run_bot: Run
) -> None:
    empty_house.map += RINGING
    bot = await run_bot()
    await bot.started()
    empty_house.workspace.faults.add(slack_is_silent())
    empty_house.floor.ring(to="0003*211", **HAL)
    await empty_house.workspace.until(
        lambda: [one for one in empty_house.workspace.calls if "postMessage" in one.method]
    )
    await kill(bot)
    await (await run_bot()).started()
    await alert(empty_house, "Raised")
    await scans(empty_house)
    assert len(raised(empty_house)) == 1


def slack_is_silent() -> Any:
    from bot.sandbox.workspace.faults import SlackFault  # noqa: PLC0415

    return SlackFault(method="chat.postMessage", kind="lost", times=1)


async def test_a_digest_goes_on_after_an_orderly_restart(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    calls = [house.floor.ring(caller=f"+1555{each:04}", to="0003*211") for each in range(12)]
    first = await alert(house, "Raised", "12 alerts")
    await house.stop_bot()
    house.floor.hang_up(calls[0])
    await house.start_bot()
    card = await alert(house, "Raised", "11 open")
    assert card.ts == first.ts


async def test_who_was_on_it_is_still_named_after_a_restart(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    call = house.floor.ring(to="0003*211", **HAL)
    await house.workspace.click(ANA, await alert(house, "Raised"), "I'm on it")
    await alert(house, "Raised", "Ana Pop is on it")
    await house.stop_bot()
    await house.start_bot()
    house.floor.hang_up(call)
    await alert(house, "Resolved", "Ana Pop")


# ── the PBX away ──


async def test_an_empty_list_for_a_moment_resolves_nothing(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    card = await alert(house, "Raised")
    house.pbx.faults.add(Fault("empty list", method="GET", times=1))
    await scans(house)
    assert [version.text[:6] for version in card.versions] == ["Raised"]


async def test_a_pbx_that_does_not_answer_resolves_nothing(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    card = await alert(house, "Raised")
    house.pbx.faults.add(Fault("html 502", method="GET", times=12))
    await scans(house, 20)
    assert not any(version.text.startswith("Resolved") for version in card.versions)
    assert "Not updated" not in said(card)
    assert card.channel == ALERTS
