"""The asker's phone is busy: the request waits on its card until the phone is free, and no card says what is not so."""

import asyncio
from typing import Any

import pytest

from bot.sandbox.pbx.server import Fault

BUSY_WITH_BOB = "Asked: your phone is busy (Bob's call). Finish there first; then it rings for Dan."
BUSY = "Asked: your phone is busy. Finish there first; then it rings for Dan."


def calls(house: Any) -> tuple[str, str]:
    """Bob talks, and Dan's phone rings."""
    bobs = house.talk()
    return bobs, house.floor.ring(caller="+15550143", to="0003*211")


async def typed(house: Any, text: str, channel: str = "C0FLOOR") -> None:
    await house.workspace.type("U0ANA", channel, text)


async def shown(house: Any, text: str, place: str = "C0FLOOR") -> Any:
    """The card that has this text."""
    cards = await house.workspace.until(lambda: [card for card in house.cards(place) if text in card.text], 10)
    return cards[-1]


async def waiting_for_bobs_call(house: Any) -> tuple[str, str, Any]:
    """Ana's phone rings for Bob's call, and she asked for Dan's; both calls, and the card that waits."""
    bobs, dans = calls(house)
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    await typed(house, "/pickup 0003*211")
    return bobs, dans, await shown(house, "Asked: your phone is busy")


async def test_a_phone_that_rings_for_one_call_is_not_rung_for_another_and_the_card_says_what_to_do(house: Any) -> None:
    _, _, card = await waiting_for_bobs_call(house)
    assert card.text.startswith(BUSY)
    assert ([button.label for button in card.buttons()], house.actions()) == (["Ring anyway", "Cancel"], ["Monitor"])


async def test_a_direct_message_names_the_call_that_the_phone_is_busy_with(house: Any) -> None:
    house.talk()
    house.floor.talk(caller="+15550143", to="0003*211")
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    await typed(house, "/monitor 0003*211")
    assert (await shown(house, "your phone is busy", "U0ANA")).text.startswith(BUSY_WITH_BOB)


async def test_a_card_that_others_read_names_a_call_that_everybody_in_it_hears_of(house: Any) -> None:
    calls(house)
    await typed(house, "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    await typed(house, "/pickup 0003*211")
    await shown(house, BUSY_WITH_BOB)


async def test_a_call_of_a_party_who_is_protected_by_now_is_not_named(house: Any) -> None:
    calls(house)
    await typed(house, "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    await house.stop_bot()
    house.change_config('"+15550199"', '"+15550142"')
    await house.start_bot()
    await typed(house, "/pickup 0003*211")
    await shown(house, BUSY)


async def test_it_rings_for_the_second_call_when_the_supervisor_has_left_the_first(house: Any) -> None:
    bobs, _, _ = await waiting_for_bobs_call(house)
    house.floor.lift("0003*024")
    await house.card("Connected")
    house.floor.leave(bobs, "0003*024")
    await shown(house, "Ringing Ana's phone 0003*024")
    assert (house.actions(), len(house.cards())) == (["Monitor", "PickUp"], 1)


async def test_it_is_asked_anew_when_the_phone_is_free(house: Any) -> None:
    bobs, dans, _ = await waiting_for_bobs_call(house)
    house.floor.lift("0003*024")
    await house.card("Connected")
    house.floor.answer(dans)
    house.floor.leave(bobs, "0003*024")
    await house.told("U0ANA", "This call is answered already")
    await shown(house, "Ended: nothing was sent.")
    assert house.actions() == ["Monitor"]


async def test_what_waited_goes_to_no_other_call_of_the_agent(house: Any) -> None:
    bobs, dans, _ = await waiting_for_bobs_call(house)
    house.floor.lift("0003*024")
    await house.card("Connected")
    house.floor.hang_up(dans)
    house.floor.ring(caller="+15550145", to="0003*211")
    house.floor.leave(bobs, "0003*024")
    await house.told("U0ANA", "This call is over")
    assert house.actions() == ["Monitor"]


async def test_nothing_is_claimed_meanwhile_so_another_supervisor_may_pick_the_call_up(house: Any) -> None:
    house.change_config('extensions = ["0003*3XX"]', 'extensions = ["0003*2XX"]')
    await house.stop_bot()
    await house.start_bot()
    await waiting_for_bobs_call(house)
    await house.workspace.type("U0LIS", "C0FLOOR", "/pickup 0003*211")
    await house.puts(2)
    assert [put.json["sendCallTo"] for put in house.pbx.puts()] == ["0003*024", "0003*025"]


async def test_a_phone_that_the_pbx_shows_on_a_call_is_waited_for(house: Any) -> None:
    other = house.floor.talk(caller="+15550144", to="0003*024")
    calls(house)
    await typed(house, "/pickup 0003*211")
    await shown(house, BUSY)
    assert house.actions() == []
    house.floor.hang_up(other)
    await shown(house, "Ringing Ana's phone 0003*024")


async def test_a_phone_that_the_pbx_shows_ringing_is_waited_for(house: Any) -> None:
    house.floor.ring(caller="+15550144", to="0003*024")
    calls(house)
    await typed(house, "/pickup 0003*211")
    await shown(house, BUSY)
    assert house.actions() == []


async def test_cancel_ends_it_and_says_so(house: Any) -> None:
    _, _, card = await waiting_for_bobs_call(house)
    await house.workspace.click("U0ANA", card, "Cancel")
    await shown(house, "Ended: nothing was sent. You cancelled it")
    last = [entry for entry in await house.audit_log() if entry.said.startswith("/pickup")][-1]
    assert (house.actions(), last.outcome, last.rule) == (["Monitor"], "refused", "phone busy: cancelled")


async def test_ring_anyway_stays_asked_until_the_call_shows_the_supervisor(house: Any) -> None:
    house.floor.extension("0003*024").call_waiting = True
    _, _, card = await waiting_for_bobs_call(house)
    house.floor.lift("0003*024")
    await house.card("Connected")
    await house.workspace.click("U0ANA", card, "Ring anyway")
    await house.puts(2)
    card = await shown(house, "Asked: Pick up")
    assert "Pick up: Ringing" not in "\n".join(card.lines())
    await house.pbx.until(lambda: house.floor.ringing("0003*024"))
    house.floor.lift("0003*024")
    await shown(house, "Connected")


async def test_a_restart_ends_it_and_says_so(house: Any) -> None:
    await waiting_for_bobs_call(house)
    await house.stop_bot()
    await house.told("U0ANA", "callbot is being restarted. Nothing was sent.")
    await shown(house, "Ended: nothing was sent. callbot was restarted")


async def test_the_same_asked_twice_waits_once(house: Any) -> None:
    await waiting_for_bobs_call(house)
    await typed(house, "/pickup 0003*211")
    await house.told("U0ANA", "Your card is already waiting for your phone.")
    assert len(house.cards()) == 1


async def test_of_two_requests_at_one_instant_one_rings_the_phone(house: Any) -> None:
    calls(house)
    await asyncio.gather(typed(house, "/barge 0003*210"), typed(house, "/pickup 0003*211"))
    await shown(house, "Asked: your phone is busy")
    assert len(house.pbx.puts()) == 1


async def test_recording_rings_no_phone_and_waits_for_none(house: Any) -> None:
    calls(house)
    house.floor.talk(caller="+15550144", to="0003*212")
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    await typed(house, "/record 0003*212")
    await shown(house, "Recording")
    assert house.actions() == ["Monitor", "StartRecording"]


async def test_what_else_is_asked_of_the_call_meanwhile_is_on_the_card_that_waits(house: Any) -> None:
    bobs = house.talk()
    house.floor.talk(caller="+15550143", to="0003*211")
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    await typed(house, "/barge 0003*211")
    waits = await shown(house, BUSY)
    await typed(house, "/record 0003*211")
    await house.puts(2)
    await house.workspace.until(lambda: "Record: Recording" in "\n".join(waits.lines()), 10)
    assert [button.label for button in waits.buttons()] == ["Ring anyway", "Cancel"]
    house.floor.leave(bobs, "0003*024")
    await shown(house, "Ringing Ana's phone 0003*024")
    assert ([card.ts for card in house.cards("C0FLOOR")], house.actions()) == (
        [waits.ts],
        ["Monitor", "StartRecording", "BargeIn"],
    )


async def test_a_card_that_shows_the_end_of_the_call_waits_no_longer_for_the_phone(house: Any) -> None:
    house.floor.talk(caller="+15550144", to="0003*024")
    dans = house.floor.talk(caller="+15550143", to="0003*211")
    await typed(house, "/barge 0003*211")
    waits = await shown(house, BUSY)
    await typed(house, "/record 0003*211")
    await house.workspace.until(lambda: "Record: Recording" in "\n".join(waits.lines()), 10)
    house.floor.hang_up(dans)
    await shown(house, "Ended: nothing was sent. The call was over before your phone was free.")
    entry = next(entry for entry in await house.audit_log() if entry.said.startswith("/barge"))
    assert (waits.buttons(), entry.outcome, entry.rule) == ([], "refused", "phone busy: call over")


async def test_a_presence_that_cannot_be_read_keeps_nobody_waiting(house: Any) -> None:
    house.floor.talk(caller="+15550144", to="0003*024")
    house.floor.extension("0003*024").call_waiting = True
    house.pbx.faults.add(Fault("html 500", path_contains="/presence", times=None))
    calls(house)
    await typed(house, "/pickup 0003*211")
    await shown(house, "Ringing Ana's phone")


async def test_of_two_requests_for_one_call_at_one_instant_one_waits(house: Any) -> None:
    house.floor.talk(caller="+15550144", to="0003*024")
    calls(house)
    await asyncio.gather(typed(house, "/barge 0003*210"), typed(house, "/whisper 0003*210"))
    await house.told("U0ANA", "Your card is already waiting for your phone.")
    await house.workspace.until(lambda: house.cards() + house.cards("U0ANA"))
    assert len(house.cards() + house.cards("U0ANA")) == 1


async def test_a_request_made_twice_at_one_instant_leaves_no_card_that_waits_for_ever(house: Any) -> None:
    bobs, _ = calls(house)
    await typed(house, "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.lift("0003*024")
    await house.card("Connected", "C0FLOOR")
    house.floor.leave(bobs, "0003*024")
    await house.card("Ended", "C0FLOOR")
    other = house.floor.talk(caller="+15550144", to="0003*024")
    await asyncio.gather(typed(house, "/barge 0003*210"), typed(house, "/barge 0003*210"))
    await shown(house, BUSY.replace("Dan", "Bob"))
    await house.told("U0ANA", "Your card is already waiting for your phone.")
    house.floor.hang_up(other)
    await house.card("Ringing", "C0FLOOR")
    assert house.actions() == ["BargeIn", "BargeIn"]


async def test_a_change_of_mode_does_not_ring_a_phone_that_is_on_another_call_by_then(house: Any) -> None:
    house.floor.extension("0003*024").call_waiting = True
    bobs, _ = calls(house)
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    listening = await house.card("Connected")
    other = house.floor.talk(caller="+15550144", to="0003*024")
    await house.workspace.click("U0ANA", listening, "Whisper")
    await shown(house, "Hang up: your phone rings again", "U0ANA")
    house.floor.leave(bobs, "0003*024")
    await shown(house, BUSY.replace("Dan", "Bob"), "U0ANA")
    assert house.actions() == ["Monitor"]
    house.floor.hang_up(other)
    await house.card("Ringing")


@pytest.mark.parametrize(
    ("old", "new"),
    [('"0003*024"', '"0003*026"'), ('silent_in = ["C0STAFF"]', "silent_in = []")],
    ids=["phone", "place"],
)
async def test_what_waited_rings_no_other_phone_and_goes_on_on_no_other_card(
    empty_house: Any, old: str, new: str
) -> None:
    house = empty_house
    bot = await house.start_bot(config_every=0.05)
    taken_up = asyncio.Event()
    bot.live_config.on_change(taken_up.set)
    other = house.floor.talk(caller="+15550144", to="0003*024")
    calls(house)
    await typed(house, "/monitor 0003*210", "C0STAFF")
    await shown(house, BUSY.replace("Dan", "Bob"), "C0STAFF")
    house.change_config(old, new)
    await taken_up.wait()
    house.floor.hang_up(other)
    await house.told("U0ANA", "The configuration has just changed")
    await shown(house, "Ended: nothing was sent. You were told why in private.", "C0STAFF")
    assert house.actions() == []


async def test_a_phone_that_is_in_a_call_by_callbot_is_waited_for_though_its_presence_cannot_be_read(
    house: Any,
) -> None:
    house.pbx.faults.add(Fault("html 500", path_contains="/presence", times=None))
    calls(house)
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    await typed(house, "/pickup 0003*211")
    await shown(house, BUSY)
    assert house.actions() == ["Monitor"]


async def test_polls_of_a_phone_keep_to_the_rate_limit_and_serve_all_that_wait(empty_house: Any) -> None:
    house = empty_house
    house.config = house.config.replace("max_requests_per_second = 200", "max_requests_per_second = 1")
    await house.start_bot()
    house.floor.talk(caller="+15550144", to="0003*024")
    calls(house)
    await typed(house, "/barge 0003*210")
    await typed(house, "/pickup 0003*211")
    await shown(house, BUSY)
    await shown(house, BUSY.replace("Dan", "Bob"))

    def polls() -> list[float]:
        return [seen.at for seen in house.pbx.requests if seen.path.endswith("0003*024/presence")][2:]

    await house.pbx.until(lambda: len(polls()) >= 3, 10)
    assert polls()[2] - polls()[0] > 1.9
