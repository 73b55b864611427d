"""What people do with an alert, as far as they may: acknowledge it, snooze it, act on its call from its card."""

from typing import Any

import pytest

from tests.e2e.alerts_seen import (
    ALERTS,
    ANA,
    BOB,
    EVE,
    HAL,
    LIS,
    RINGING,
    TALKING,
    alert,
    labels,
    rule,
    said,
    start,
)

SILENT_WORDS = ("listen", "Monitor: ", "whisper", "hears")


async def ringing(house: Any) -> tuple[str, Any]:
    await start(house, RINGING)
    call = house.floor.ring(to="0003*211", **HAL)
    return call, await alert(house, "Raised")


async def talking(house: Any) -> tuple[str, Any]:
    await start(house, TALKING)
    call = house.floor.talk(to="0003*210", **HAL)
    return call, await alert(house, "Raised")


# ── I'm on it, Snooze ──


async def test_who_has_acknowledged_it_is_named_when_it_is_resolved(empty_house: Any) -> None:
    call, card = await ringing(empty_house)
    await empty_house.workspace.click(ANA, card, "I'm on it")
    await alert(empty_house, "Raised", "Ana Pop is on it")
    empty_house.floor.hang_up(call)
    await alert(empty_house, "Resolved", "Ana Pop")


async def test_acknowledging_it_twice_is_answered_privately(empty_house: Any) -> None:
    _, card = await ringing(empty_house)
    await empty_house.workspace.click(ANA, card, "I'm on it")
    card = await alert(empty_house, "Raised", "Ana Pop is on it")
    await empty_house.workspace.click(ANA, card, "I'm on it")
    await empty_house.told(ANA, "You are on it already")


async def test_a_snoozed_alert_says_until_when_and_by_whom(empty_house: Any) -> None:
    _, card = await ringing(empty_house)
    await empty_house.workspace.click(ANA, card, "Snooze 10 min")
    card = await alert(empty_house, "Snoozed", "Ana Pop")
    assert labels(card) == ["Pick up", "I'm on it"]


async def test_a_snoozed_alert_is_resolved_like_any_other(empty_house: Any) -> None:
    call, card = await ringing(empty_house)
    await empty_house.workspace.click(ANA, card, "Snooze 10 min")
    await alert(empty_house, "Snoozed")
    empty_house.floor.answer(call)
    await alert(empty_house, "Resolved")


async def test_a_person_without_permissions_may_not_acknowledge_an_alert(empty_house: Any) -> None:
    _, card = await ringing(empty_house)
    await empty_house.workspace.click(EVE, card, "I'm on it")
    await empty_house.told(EVE, "I don't know you yet")
    assert "is on it" not in said(await alert(empty_house, "Raised"))


async def test_who_may_do_nothing_there_may_neither_acknowledge_nor_snooze(empty_house: Any) -> None:
    _, card = await ringing(empty_house)
    for label in ("I'm on it", "Snooze 10 min"):
        await empty_house.workspace.click(BOB, card, label)
    await empty_house.workspace.until(lambda: len(empty_house.workspace.private(BOB)) == 2)
    assert "is on it" not in said(await alert(empty_house, "Raised"))


async def test_who_may_act_there_only_from_another_channel_may_not_acknowledge_it(empty_house: Any) -> None:
    _, card = await talking(empty_house)
    await empty_house.workspace.click(LIS, card, "I'm on it")
    await empty_house.told(LIS, "from this channel")


async def test_an_alert_that_is_over_is_acknowledged_by_nobody(empty_house: Any) -> None:
    call, card = await ringing(empty_house)
    taking = next(button for button in card.buttons() if button.label == "I'm on it")
    empty_house.floor.answer(call)
    card = await alert(empty_house, "Resolved")
    await empty_house.workspace.click_stale(
        ANA, card, action_id=taking.action_id, value=taking.value, block_id=taking.block_id
    )
    await empty_house.told(ANA, "This alert is over")


# ── from its card to the call ──


@pytest.mark.parametrize("transport", ["http", "socket mode"])
async def test_a_call_is_picked_up_from_the_card_and_that_resolves_it(empty_house: Any) -> None:
    _, card = await ringing(empty_house)
    await empty_house.workspace.click(ANA, card, "Pick up")
    await empty_house.card("Ringing", ALERTS)
    assert "is on it" not in said(next(iter(empty_house.cards(ALERTS))))
    empty_house.floor.lift("0003*024")
    await alert(empty_house, "Resolved", "Ana Pop")


async def test_who_listens_from_the_card_is_on_it_and_nothing_more_is_said(empty_house: Any) -> None:
    _, card = await talking(empty_house)
    await empty_house.workspace.click(ANA, card, "Monitor")
    empty_house.floor.lift("0003*024") or await empty_house.pbx.until(lambda: empty_house.floor.lift("0003*024"))
    await empty_house.card("Connected", ANA)
    shown = said(await alert(empty_house, "Raised", "Ana Pop is on it"))
    facts = shown.replace("Monitor\n", "").replace("Whisper\n", "")
    assert not any(word in facts for word in SILENT_WORDS)
    assert "0003*024" not in shown


async def test_when_a_silent_leg_ends_the_card_does_not_show_it(empty_house: Any) -> None:
    call, card = await talking(empty_house)
    await empty_house.workspace.click(ANA, card, "Monitor")
    await empty_house.pbx.until(lambda: empty_house.floor.lift("0003*024"))
    await empty_house.card("Connected", ANA)
    empty_house.floor.leave(call, "0003*024")
    await empty_house.card("Ended", ANA)
    assert "Ana Pop is on it" in said(await alert(empty_house, "Raised"))


async def test_who_has_barged_in_and_left_was_on_it(empty_house: Any) -> None:
    call, card = await talking(empty_house)
    await empty_house.workspace.click(ANA, card, "Barge in")
    await empty_house.pbx.until(lambda: empty_house.floor.lift("0003*024"))
    await alert(empty_house, "Raised", "Connected")
    empty_house.floor.leave(call, "0003*024")
    await alert(empty_house, "Raised", "Ana Pop was on it")


async def test_barging_in_shows_its_state(empty_house: Any) -> None:
    _, card = await talking(empty_house)
    await empty_house.workspace.click(ANA, card, "Barge in", confirm=True)
    await empty_house.pbx.until(lambda: empty_house.floor.lift("0003*024"))
    await alert(empty_house, "Raised", "Ana Pop is on it", "Barge in", "Connected")


async def test_a_click_without_permission_sends_nothing(empty_house: Any) -> None:
    _, card = await ringing(empty_house)
    await empty_house.workspace.click(BOB, card, "Pick up")
    await empty_house.told(BOB, "None of your roles allows")
    assert empty_house.pbx.puts() == []


async def test_a_typed_command_says_nothing_on_the_alert(empty_house: Any) -> None:
    await talking(empty_house)
    await empty_house.workspace.type(ANA, ALERTS, "/monitor 0003*210")
    await empty_house.card("Ringing", ANA)
    assert "on it" not in said(await alert(empty_house, "Raised")).replace("I'm on it", "")


async def test_two_rules_on_one_call_each_show_their_own_clicks(empty_house: Any) -> None:
    await start(empty_house, TALKING, rule("Also long", "talking", longer_than=1.5))
    empty_house.floor.talk(to="0003*210", **HAL)
    first = await alert(empty_house, "Raised", "Talks long")
    second = await alert(empty_house, "Raised", "Also long")
    await empty_house.workspace.click(ANA, second, "I'm on it")
    await alert(empty_house, "Raised", "Also long", "Ana Pop is on it")
    assert "is on it" not in said(next(card for card in empty_house.cards(ALERTS) if card.ts == first.ts))
