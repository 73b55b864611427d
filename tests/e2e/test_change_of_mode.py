"""From a Monitor card to Whisper: the phone is busy with the old leg, so the card asks to hang up first."""

import asyncio
from typing import Any

import pytest

QUESTION = "Hang up: your phone rings again at once for Whisper."


async def listening(house: Any) -> tuple[str, Any]:
    """Ana listens to Bob's call."""
    return await house.ana_listens(), await house.card("Connected")


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


async def test_a_typed_change_of_mode_stays_in_its_call_though_the_agent_has_another_by_then(house: Any) -> None:
    call, _ = await listening(house)
    await house.workspace.type("U0ANA", "C0FLOOR", "/whisper 0003*210")
    await asked_to_hang_up(house)
    house.floor.talk(caller="+15550143", to="0003*210")
    house.floor.leave(call, "0003*024")
    await house.puts(2)
    assert [put.path for put in house.pbx.puts()][1].endswith(call)


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
    card = await house.card("Asked")
    assert "Does: Monitor: listens silently" in card.lines()
    assert "Who hears Ana: nobody" in card.lines()
    await house.pbx.until(lambda: house.floor.ringing("0003*024"))
    house.floor.lift("0003*024")
    card = await house.card("Connected")
    assert "Who hears Ana: only Bob" in card.lines()


async def test_a_phone_that_is_rung_now_anyway_and_does_not_ring_is_not_said_to_ring(house: Any) -> None:
    _, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await house.workspace.click("U0ANA", await asked_to_hang_up(house), "Ring now anyway")
    await house.card("Asked: Whisper")
    assert (len(house.pbx.puts()), house.floor.ringing("0003*024")) == (2, False)


async def whispering_beside_the_old_leg(house: Any) -> tuple[Any, Any]:
    """Ana, whose phone has call waiting, whispers, and the leg that she listened with stands still."""
    house.floor.extension("0003*024").call_waiting = True
    call, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await house.workspace.click("U0ANA", await asked_to_hang_up(house), "Ring now anyway")
    await house.card("Asked")
    house.floor.lift("0003*024")
    card = await house.card("Connected")
    assert "Who hears Ana: only Bob" in card.lines()
    return house.floor.call(call), card


async def test_the_old_leg_may_go_and_the_new_one_stands(house: Any) -> None:
    call, _ = await whispering_beside_the_old_leg(house)
    call.views.remove(call.view("02"))
    await house.workspace.until(lambda: "Monitor: Ended" in "\n".join(house.cards("U0ANA")[-1].lines()))
    card = await house.card("Connected")
    assert {"Who hears Ana: only Bob", "Does: Whisper: speaks to the agent"} <= set(card.lines())


async def test_the_new_leg_may_go_and_the_old_one_stands(house: Any) -> None:
    call, _ = await whispering_beside_the_old_leg(house)
    call.views.remove(call.view("03"))
    await house.workspace.until(lambda: "Whisper: Ended" in "\n".join(house.cards("U0ANA")[-1].lines()))
    card = await house.card("Connected")
    assert {"Who hears Ana: nobody", "Does: Monitor: listens silently"} <= set(card.lines())


async def test_a_phone_without_call_waiting_stays_in_the_old_mode_and_is_said_to_be_busy(house: Any) -> None:
    """The wait of 1 s and 5 s more have to run out."""
    await listening(house)
    await house.ana_types("/whisper 0003*210 wait=1")
    await house.workspace.click("U0ANA", await asked_to_hang_up(house), "Ring now anyway")
    await house.card("Not answered: no connection seen in 1 s")
    busy = "The PBX says that phone 0003*024 is busy: end what it is busy with, then ask again."
    cards = await house.workspace.until(
        lambda: [card for card in house.cards("U0ANA") if busy in "\n".join(card.lines())]
    )
    lines = "\n".join(cards[-1].lines())
    assert "Not switched, you are still listening." in lines
    assert "Does: Monitor: listens silently" in lines
    assert "Who hears Ana: nobody" in lines
    assert f"Request {(await house.audit_log())[1].id}" in lines


async def test_a_change_that_is_typed_waits_like_one_that_is_clicked_and_keeps_what_was_typed(house: Any) -> None:
    call, _ = await listening(house)
    await house.ana_types("/whisper <@U0BOB|bob> private wait=20", raw=True)
    await asked_to_hang_up(house)
    house.floor.leave(call, "0003*024")
    await house.puts(2)
    asked = house.pbx.puts()[1].json
    assert (asked["action"], asked["private"], asked["waitForPickup"]) == ("Whisper", 1, "20")


async def test_a_change_to_barge_in_asks_first_where_it_is_clicked_and_not_where_it_is_typed(house: Any) -> None:
    call, card = await listening(house)
    [button] = [button for button in card.buttons() if button.label == "Barge in"]
    assert button.confirm["text"]["text"] == "The customer will hear you."
    await house.ana_types("/barge 0003*210")
    await house.workspace.until(
        lambda: "rings again at once for Barge in" in "\n".join(house.cards("U0ANA")[-1].lines())
    )
    house.floor.leave(call, "0003*024")
    await house.puts(2)
    assert house.actions() == ["Monitor", "BargeIn"]


async def test_who_loses_the_right_while_the_change_waits_is_refused_when_the_old_leg_is_gone(
    empty_house: Any,
) -> None:
    house = empty_house
    bot = await house.start_bot(config_every=0.05)
    call, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await asked_to_hang_up(house)
    taken_up = asyncio.Event()
    bot.live_config.on_change(taken_up.set)
    house.config = house.config.replace('actions = ["Monitor", "Whisper", ', 'actions = ["Monitor", ')
    house.environment()
    await asyncio.wait_for(taken_up.wait(), timeout=5)
    house.floor.leave(call, "0003*024")
    await house.told("U0ANA", "None of your roles allows Whisper.")
    assert house.actions() == ["Monitor"]


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
    await house.ana_types("/barge 0003*210")
    await house.told("U0ANA", "already waiting for you to hang up")
    assert house.actions() == ["Monitor"]


async def test_a_card_that_others_read_does_not_wait_for_a_silent_mode(house: Any) -> None:
    house.talk()
    await house.ana_types("/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.lift("0003*024")
    card = await house.card("Connected", "C0FLOOR")
    shown = card.lines()
    await house.workspace.click("U0ANA", card, "Whisper")
    await house.told("U0ANA", "Hang up, then ask for Whisper again")
    assert (house.cards("C0FLOOR"), card.lines(), house.actions()) == ([card], shown, ["BargeIn"])


async def test_who_waits_to_change_the_mode_is_told_when_callbot_stops(house: Any) -> None:
    _, card = await listening(house)
    await house.workspace.click("U0ANA", card, "Whisper")
    await asked_to_hang_up(house)
    await house.stop_bot()
    await house.told("U0ANA", "callbot is being restarted. Nothing was sent.")


@pytest.mark.parametrize(("first", "second"), [("barge", "whisper"), ("whisper", "barge")])
async def test_while_the_phone_rings_for_a_new_mode_no_third_one_rings_it_too(
    house: Any, first: str, second: str
) -> None:
    """One new leg would prove both, and the card would name the wrong ears."""
    house.floor.extension("0003*024").call_waiting = True
    await listening(house)
    await house.ana_types(f"/{first} 0003*210")
    cards = await house.workspace.until(lambda: [card for card in house.cards("U0ANA") if "Hang up" in card.text])
    await house.workspace.click("U0ANA", cards[-1], "Ring now anyway")
    await house.card("Asked")
    await house.ana_types(f"/{second} 0003*210")
    await house.told("U0ANA", "Your phone may already be ringing for")
    assert [action.lower()[:5] for action in house.actions()] == ["monit", first[:5]]
