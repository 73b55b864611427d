"""From a Monitor card to Whisper: the phone is busy with the old leg, so the card asks to hang up first."""

from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("transport", ["http"])

QUESTION = "Hang up: your phone rings again at once for Whisper."


async def listening(house: Any) -> tuple[str, Any]:
    """Ana listens to Bob's call."""
    call = house.floor.talk(caller="+15550142", caller_name="Carla Caller", to="0003*210")
    await house.workspace.type("U0ANA", "C0FLOOR", "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    return call, await house.card("Connected")


async def asked_to_hang_up(house: Any) -> Any:
    """The card, when it asks to hang up."""
    cards = await house.workspace.until(lambda: [card for card in house.cards("U0ANA") if QUESTION in card.text])
    return cards[-1]


async def test_the_phone_rings_for_whisper_as_soon_as_ana_hangs_up(house: Any) -> None:
    call, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    card = await asked_to_hang_up(house)
    assert [button.label for button in card.buttons()] == ["Ring now anyway", "Cancel"]
    assert "Who hears Ana: nobody" in card.lines()
    assert house.actions() == ["Monitor"]
    house.floor.leave(call, "0003*024")
    await house.puts(2)
    await house.card("Ringing Ana's phone")
    house.floor.lift("0003*024")
    card = await house.card("Connected")
    assert house.actions() == ["Monitor", "Whisper"]
    assert "Who hears Ana: only Bob" in card.lines()
    assert len(house.cards("U0ANA")) == 1


async def test_cancel_leaves_everything_as_it_is(house: Any) -> None:
    _, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await house.workspace.click("U0ANA", await asked_to_hang_up(house), "Cancel")
    await house.workspace.until(lambda: [card for card in house.cards("U0ANA") if QUESTION not in card.text])
    card = await house.card("Connected")
    assert "Whisper" in [button.label for button in card.buttons()]
    assert house.actions() == ["Monitor"]


async def test_ring_now_anyway_reaches_a_phone_with_call_waiting_and_shows_the_old_mode_until_the_proof(
    house: Any,
) -> None:
    house.floor.extension("0003*024").call_waiting = True
    _, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await house.workspace.click("U0ANA", await asked_to_hang_up(house), "Ring now anyway")
    card = await house.card("Ringing")
    assert "Does: Monitor: listens silently" in card.lines()
    assert "Who hears Ana: nobody" in card.lines()
    await house.pbx.until(lambda: house.floor.ringing("0003*024"))
    house.floor.lift("0003*024")
    card = await house.card("Connected")
    assert "Who hears Ana: only Bob" in card.lines()


async def test_the_change_comes_to_nothing_when_the_call_ends(house: Any) -> None:
    call, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await asked_to_hang_up(house)
    house.floor.hang_up(call)
    await house.card("Ended: Bob's call is over")
    assert house.actions() == ["Monitor"]


async def test_somebody_else_cannot_decide(house: Any) -> None:
    _, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    card = await asked_to_hang_up(house)
    await house.workspace.click("U0LIS", card, "Ring now anyway")
    await house.told("U0LIS", "somebody else's card")
    assert house.actions() == ["Monitor"]


async def test_a_second_wish_is_told_that_one_waits(house: Any) -> None:
    _, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await asked_to_hang_up(house)
    await house.workspace.type("U0ANA", "C0FLOOR", "/barge 0003*210")
    await house.told("U0ANA", "already waiting for you to hang up")
    assert house.actions() == ["Monitor"]


async def test_a_card_that_others_see_does_not_name_the_silent_mode_that_is_waited_for(house: Any) -> None:
    house.floor.talk(caller="+15550142", to="0003*210")
    await house.workspace.type("U0ANA", "C0FLOOR", "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.lift("0003*024")
    await house.workspace.click("U0ANA", await house.card("Connected", "C0FLOOR"), "Whisper")
    cards = await house.workspace.until(lambda: [card for card in house.cards() if "Hang up: your phone" in card.text])
    assert "Whisper" not in "\n".join((cards[-1].text, *cards[-1].lines()))


async def test_who_waits_to_change_the_mode_is_told_when_callbot_stops(house: Any) -> None:
    _, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await asked_to_hang_up(house)
    await house.stop_bot()
    await house.told("U0ANA", "callbot is being restarted. Nothing was sent.")
