"""Before a phone rings: whether it is registered, and whether it is in the call already. In doubt it rings."""

from datetime import timedelta
from typing import Any

from bot.sandbox.pbx.phones import Intervention
from bot.sandbox.pbx.server import Fault

PRESENCE = "/uapi/extensions/3/0003*024/presence"
CALLER = {"caller": "+15550142", "caller_name": "Carla Caller", "to": "0003*210"}


async def typed(house: Any, text: str, user: str = "U0ANA") -> None:
    await house.workspace.type(user, "C0FLOOR", text, raw=True)


def asked_for_presence(house: Any) -> list[str]:
    return [seen.path for seen in house.pbx.requests if seen.path.endswith("/presence")]


async def not_registered(house: Any, text: str = "/monitor 0003*210") -> Any:
    """What Ana is told, whose phone is not registered."""
    house.floor.extension("0003*024").registered = False
    await typed(house, text)
    return await house.told("U0ANA", "Your phone 0003*024 is not registered.")


# ── registered or not ──


async def test_a_phone_that_is_not_registered_is_said_privately_and_nothing_is_sent(house: Any) -> None:
    house.talk()
    answer = await not_registered(house)
    assert ([button.label for button in answer.buttons()], house.pbx.puts()) == (["Ring anyway"], [])
    assert (answer.ephemeral_to, house.cards("U0ANA")) == ("U0ANA", [])


async def test_a_phone_that_is_not_registered_is_a_refusal_in_the_trail(house: Any) -> None:
    call = house.talk()
    await not_registered(house)
    [entry] = await house.audit_log()
    assert (entry.outcome, entry.rule, entry.extension, entry.call_id) == (
        *("refused", "phone not registered"),
        *("0003*210", call),
    )


async def test_ring_anyway_rings_the_phone_for_that_call_with_what_was_typed(house: Any) -> None:
    house.talk()
    answer = await not_registered(house, "/whisper 0003*210 private wait=20")
    house.floor.extension("0003*024").registered = True
    await house.workspace.click("U0ANA", answer, "Ring anyway")
    await house.card("Asked: Whisper")
    assert [put.json for put in house.pbx.puts()] == [
        {
            "action": "Whisper",
            "sendCallTo": "0003*024",
            "phoneCallViewId": "01",
            "private": 1,
            "waitForPickup": "20",
        }
    ]


async def test_ring_anyway_asks_nothing_more_of_the_phone(house: Any) -> None:
    house.talk()
    await house.workspace.click("U0ANA", await not_registered(house), "Ring anyway")
    await house.card("Asked: Monitor")
    assert (asked_for_presence(house), house.actions()) == ([PRESENCE], ["Monitor"])


async def test_ring_anyway_for_barge_in_asks_first_like_every_button_that_the_customer_will_notice(house: Any) -> None:
    house.talk()
    [button] = (await not_registered(house, "/barge 0003*210")).buttons()
    assert button.confirm["text"]["text"] == "The customer will hear you."


async def test_a_button_of_a_card_is_told_of_the_phone_too(house: Any) -> None:
    house.talk()
    await typed(house, "/record 0003*210")
    card = await house.card("Recording", "C0FLOOR")
    house.floor.extension("0003*024").registered = False
    await house.workspace.click("U0ANA", card, "Monitor")
    await house.told("U0ANA", "Your phone 0003*024 is not registered.")
    assert house.actions() == ["StartRecording"]


async def test_ring_anyway_is_checked_like_every_click(house: Any) -> None:
    house.talk()
    answer = await not_registered(house)
    [button] = answer.buttons()
    await house.workspace.click_stale(
        "U0BOB", answer, action_id=button.action_id, value=button.value, block_id=button.block_id
    )
    await house.told("U0BOB", "None of your roles allows Monitor")
    assert house.pbx.puts() == []


async def test_ring_anyway_after_the_call_is_over_sends_nothing(house: Any) -> None:
    call = house.talk()
    answer = await not_registered(house)
    house.floor.hang_up(call)
    await house.workspace.click("U0ANA", answer, "Ring anyway")
    await house.told("U0ANA", "This call is over")
    assert house.pbx.puts() == []


async def test_recording_rings_no_phone_so_none_is_asked_about(house: Any) -> None:
    house.floor.extension("0003*024").registered = False
    house.talk()
    await typed(house, "/record 0003*210")
    await house.card("Recording", "C0FLOOR")
    assert asked_for_presence(house) == []


async def test_the_phone_is_asked_about_in_the_name_of_its_owner(house: Any) -> None:
    house.talk()
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    assert asked_for_presence(house) == [PRESENCE]


DOUBTFUL: list[Any] = ["cut before", "html 500", "403", "204", "empty list", "redirect", "half json", "empty body"]


async def test_in_any_doubt_the_phone_rings(house: Any) -> None:
    for number, kind in enumerate(DOUBTFUL, start=1):
        house.pbx.faults.add(Fault(kind, path_contains="/presence", times=None, to="http://127.0.0.1:9/"))
        call = house.talk()
        house.floor.extension("0003*024").registered = False
        await typed(house, "/monitor 0003*210")
        await house.puts(number)
        house.floor.hang_up(call)
        await house.card("Ended: Bob's call is over")
        house.pbx.faults.clear()
    assert house.actions() == ["Monitor"] * len(DOUBTFUL)


async def test_a_presence_that_does_not_come_is_waited_for_one_second_and_no_more(house: Any) -> None:
    house.pbx.faults.add(Fault("slow", path_contains="/presence", seconds=5))
    house.talk()
    await typed(house, "/monitor 0003*210")
    await house.puts(1)
    [asked] = [seen.at for seen in house.pbx.requests if seen.path == PRESENCE]
    assert 0.9 < house.pbx.puts()[0].at - asked < 1.5


async def test_a_refusal_does_not_wait_for_the_presence(house: Any) -> None:
    house.pbx.faults.add(Fault("slow", path_contains="/presence", seconds=5))
    await typed(house, "/monitor 0003*210")
    await house.told("U0ANA", "There is no call on this extension right now")
    [asked] = [seen.at for seen in house.pbx.requests if seen.path == PRESENCE]
    [answered] = house.workspace.private("U0ANA")
    assert (answered.text.startswith("There is no call"), house.pbx.requests[-1].at - asked < 0.9) == (True, True)


# ── in the call already ──


async def test_who_talks_to_the_agent_is_in_the_call_already_and_nothing_is_sent(house: Any) -> None:
    house.floor.extension("0003*024").call_waiting = True
    house.floor.talk(caller="0003*024", to="0003*210")
    await typed(house, "/monitor 0003*210")
    await house.told("U0ANA", "You are in this call already: your phone 0003*024 is one of its parties")
    [entry] = await house.audit_log()
    assert (entry.rule, house.pbx.puts()) == ("already in the call", [])


async def test_who_calls_the_agent_cannot_pick_up_their_own_call(house: Any) -> None:
    house.floor.ring(caller="0003*024", to="0003*210")
    await typed(house, "/pickup 0003*210")
    await house.told("U0ANA", "You are in this call already")
    assert house.pbx.puts() == []


async def test_a_leg_that_callbot_did_not_bring_is_being_in_the_call_too(house: Any) -> None:
    call = house.talk()
    house.floor.intervene(Intervention("Monitor", call, "01", "0003*024", "", 25.0))
    house.floor.lift("0003*024")
    await typed(house, "/barge 0003*210")
    await house.told("U0ANA", "Hang up first, then ask for Barge in again.")
    assert house.pbx.puts() == []


async def test_who_is_in_the_call_may_record_it(house: Any) -> None:
    house.floor.talk(caller="0003*024", to="0003*210")
    await typed(house, "/record 0003*210")
    await house.card("Recording", "C0FLOOR")


# ── a list that is empty for a moment, an id that is used again ──


async def test_a_call_that_the_list_does_not_show_for_a_moment_is_found(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("empty list", path_contains="/phoneCalls/12/0003*210"))
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")


def first_of_two(house: Any) -> None:
    """A call that began a minute ago; another one will have its id."""
    house.floor.talk(**CALLER, call_id="again")
    house.floor.call("again").published -= timedelta(minutes=1)


async def test_a_button_of_a_call_that_is_over_does_not_act_on_a_later_call_of_the_same_id(house: Any) -> None:
    first_of_two(house)
    await typed(house, "/calls")
    calls = await house.told("U0ANA", "1 live call")
    house.floor.hang_up("again")
    house.floor.talk(caller="+15550143", to="0003*210", call_id="again")
    await house.workspace.click("U0ANA", calls, "Monitor")
    await house.told("U0ANA", "This button was made for a call that is over.")
    assert house.pbx.puts() == []


async def test_a_later_call_of_the_same_id_has_a_card_of_its_own(house: Any) -> None:
    """The first one's end is not seen: its card is as it was when the bot stopped."""
    first_of_two(house)
    await typed(house, "/record 0003*210")
    first = await house.card("Recording", "C0FLOOR")
    await house.stop_bot()
    house.floor.hang_up("again")
    house.floor.talk(caller="+15550143", to="0003*210", call_id="again")
    await house.start_bot()
    await typed(house, "/barge 0003*210")
    assert (await house.card("Ringing", "C0FLOOR")).ts != first.ts
