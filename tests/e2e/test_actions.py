"""Each of the six actions, typed in both spellings and clicked, is the documented request and reaches its proof."""

from typing import Any

import pytest

RINGS = {"sendCallTo": "0003*024", "phoneCallViewId": "01"}
EVERYTHING = {"waitForPickup": "20", "callerId": "John Doe <+3334444>"}
SIX = {
    "monitor": {"action": "Monitor", **RINGS},
    "whisper": {"action": "Whisper", **RINGS},
    "barge": {"action": "BargeIn", **RINGS},
    "pickup": {"action": "PickUp", **RINGS},
    "record": {"action": "StartRecording", "phoneCallViewId": "01"},
    "record stop": {"action": "StopRecording", "phoneCallViewId": "01"},
}
LABELS = {
    "monitor": "Monitor",
    "whisper": "Whisper",
    "barge": "Barge in",
    "pickup": "Pick up",
    "record": "Record",
    "record stop": "Stop recording",
}
HEARS = {"monitor": "nobody", "whisper": "only Bob", "barge": "everyone in the call", "pickup": "the caller"}
CHANNELS = dict.fromkeys(SIX, "C0FLOOR") | {"pickup": "C0ALERTS", "record": "C0STAFF", "record stop": "D0ANA"}
"""Slack takes one message a second for each channel."""
OUT_OF_IT = "nobody (not in the call)"


def call_for(house: Any, verb: str, caller: str = "+15550142") -> str:
    """A call of Bob's that the verb suits."""
    if verb == "pickup":
        return str(house.floor.ring(caller=caller, to="0003*210"))
    call = str(house.floor.talk(caller=caller, to="0003*210"))
    if verb == "record stop":
        house.floor.record(call, "01")
    return call


def place_of(verb: str) -> str:
    return "U0ANA" if verb in {"monitor", "whisper"} else "C0FLOOR"


def hears(card: Any) -> str:
    """What the card says of who hears Ana."""
    [said] = [line for line in card.lines() if line.startswith("Who hears Ana: ")]
    return str(said).removeprefix("Who hears Ana: ")


async def typed(house: Any, line: str, channel: str = "C0FLOOR") -> None:
    await house.workspace.type("U0ANA", channel, line, raw=True)


async def listed(house: Any) -> Any:
    """Ana's list of live calls."""
    await typed(house, "/calls")
    return await house.told("U0ANA", "1 live call")


async def put_by(house: Any, number: int) -> Any:
    """The newest PUT, once there are so many."""
    await house.puts(number)
    return house.pbx.puts()[-1]


@pytest.mark.parametrize("spelling", ["/", "/calls "])
async def test_each_action_is_the_documented_request_in_both_spellings(house: Any, spelling: str) -> None:
    for number, (verb, body) in enumerate(SIX.items(), start=1):
        call = call_for(house, verb)
        word, _, flag = verb.partition(" ")
        await typed(house, f"{spelling}{word} 0003*210 {flag}", CHANNELS[verb])
        put = await put_by(house, number)
        assert (put.path, put.json) == (f"/uapi/phoneCalls/12/0003*210/{call}", body)
        house.floor.hang_up(call)


@pytest.mark.parametrize(
    ("verb", "options", "fields"),
    [
        ("monitor", 'wait=20 as="John Doe <+3334444>"', EVERYTHING),
        ("whisper", 'private wait=20 as="John Doe <+3334444>"', {**EVERYTHING, "private": 1}),
        ("barge", "as=“John Doe &lt;<tel:+3334444|+3334444>&gt;”\u00a0wait=20", EVERYTHING),
        ("pickup", 'wait=20 as="John Doe &lt;+3334444&gt;"', EVERYTHING),
        ("record", "format=wav49", {"format": "wav49"}),
    ],
)
async def test_each_optional_field_goes_over_the_wire_as_its_page_has_it(
    house: Any, verb: str, options: str, fields: dict[str, Any]
) -> None:
    call = call_for(house, verb)
    await typed(house, f"/{verb} 0003*210 {options} view=01 call={call}")
    assert (await put_by(house, 1)).json == {**SIX[verb], **fields}


async def test_an_extension_whose_owner_is_unknown_is_asked_for_in_the_name_of_the_default_user(
    empty_house: Any,
) -> None:
    empty_house.config = empty_house.config.replace('uapi_user = "12"\n', "") + '\n[uapi]\ndefault_user = "@owner"\n'
    await empty_house.start_bot()
    call = call_for(empty_house, "monitor")
    await typed(empty_house, "/monitor 0003*210")
    await empty_house.puts(1)
    assert empty_house.pbx.puts()[0].path == f"/uapi/phoneCalls/@owner/0003*210/{call}"


@pytest.mark.parametrize("verb", ["monitor", "whisper", "barge", "pickup"])
async def test_a_phone_rung_by_a_button_of_the_list_connects_and_each_card_says_who_hears_ana(
    house: Any, verb: str
) -> None:
    call_for(house, verb)
    await house.workspace.click("U0ANA", await listed(house), LABELS[verb])
    heard = [hears(await house.card("Ringing Ana's phone 0003*024", place_of(verb)))]
    house.floor.lift("0003*024")
    heard.append(hears(await house.card("Connected after", place_of(verb))))
    meant = "the caller; the call is Ana's" if verb == "pickup" else HEARS[verb]
    assert heard == [f"nobody yet; once connected: {meant}", meant]
    assert house.pbx.puts()[0].json == SIX[verb]


async def test_a_typed_pickup_makes_the_call_the_supervisors(house: Any) -> None:
    call = call_for(house, "pickup")
    await typed(house, "/pickup 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.lift("0003*024")
    card = await house.card("Connected after", "C0FLOOR")
    assert "The call is Ana's now." in card.lines()
    house.floor.leave(call, "0003*024")
    card = await house.card("Ended: Ana's call is over", "C0FLOOR")
    assert hears(card) == OUT_OF_IT


async def test_recording_is_started_and_stopped_from_the_list(house: Any) -> None:
    call_for(house, "record")
    await house.workspace.click("U0ANA", await listed(house), "Record")
    card = await house.card("Recording Bob's call", "C0FLOOR")
    assert hears(card) == "nobody through this recording"
    await typed(house, "/calls bob")
    await house.workspace.click("U0ANA", await house.told("U0ANA", "1 of 1 live call matches “bob”"), "Stop recording")
    card = await house.card("Recording stopped", "C0FLOOR")
    assert hears(card) == "nobody through this recording"
    assert [put.json for put in house.pbx.puts()] == [SIX["record"], SIX["record stop"]]


async def test_after_leaving_the_card_has_a_button_for_each_other_way_in_and_the_same_card_goes_on(
    house: Any,
) -> None:
    call = call_for(house, "monitor")
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    house.floor.leave(call, "0003*024")
    card = await house.card("Ended: You left; Bob's call goes on")
    assert [button.label for button in card.buttons()] == ["Monitor", "Whisper", "Barge in", "Record"]
    assert hears(card) == OUT_OF_IT
    await house.workspace.click("U0ANA", card, "Whisper")
    again = await house.card("Ringing")
    assert again.ts == card.ts
    assert house.pbx.puts()[1].json == SIX["whisper"]


async def test_several_calls_are_offered_as_buttons_and_the_one_clicked_is_acted_on(house: Any) -> None:
    for number, (verb, body) in enumerate(SIX.items(), start=1):
        calls = [call_for(house, verb, caller) for caller in ("+15550142", "+15550143")]
        word, _, flag = verb.partition(" ")
        await typed(house, f"/{word} 0003*210 {flag}", CHANNELS[verb])
        question = await house.told("U0ANA", f"{LABELS[verb]}: which call?")
        assert len(house.pbx.puts()) == number - 1
        [label] = [button.label for button in question.buttons() if "+15550143" in button.label]
        await house.workspace.click("U0ANA", question, label)
        put = await put_by(house, number)
        assert (put.path.rpartition("/")[2], put.json) == (calls[1], body)
        for call in calls:
            house.floor.hang_up(call)


async def test_options_that_were_typed_are_kept_by_the_buttons_of_the_question(house: Any) -> None:
    for caller in ("+15550142", "+15550143"):
        house.floor.talk(caller=caller, to="0003*210")
    await typed(house, '/whisper 0003*210 private wait=20 as="John Doe <+3334444>"')
    question = await house.told("U0ANA", "which call?")
    await house.workspace.click("U0ANA", question, question.buttons()[0].label)
    await house.puts(1)
    assert house.pbx.puts()[0].json == {**SIX["whisper"], **EVERYTHING, "private": 1}


async def test_barge_in_and_record_ask_first_on_lists_questions_and_cards_and_nothing_else_does(house: Any) -> None:
    house.floor.extension("0003*024").kind = "queue"
    call_for(house, "barge")
    shown = [await listed(house)]
    await typed(house, "/barge 0003*210")
    shown.append(await house.card("Refused", "C0FLOOR"))
    call_for(house, "barge")
    await typed(house, "/barge 0003*210")
    question = await house.told("U0ANA", "which call?")
    asks = [sorted(each.label for each in card.buttons() if each.confirm) for card in shown]
    silent = [sorted(each.label for each in card.buttons() if not each.confirm) for card in shown]
    assert (asks, silent) == ([["Barge in", "Record"]] * 2, [["Monitor", "Whisper"]] * 2)
    assert all(button.confirm["text"]["text"] == "The customer will hear you." for button in question.buttons())


@pytest.mark.parametrize("label", ["Barge in", "Record"])
async def test_who_answers_the_question_with_cancel_sends_nothing(house: Any, label: str) -> None:
    call_for(house, "barge")
    offered = await listed(house)
    clicked = await house.workspace.click("U0ANA", offered, label, confirm=False)
    await house.workspace.click("U0ANA", offered, "Monitor")
    await house.card("Ringing")
    assert (clicked.sent, house.actions()) == (False, ["Monitor"])


@pytest.mark.parametrize("verb", ["whisper", "pickup"])
async def test_a_request_that_the_pbx_refuses_leaves_nobody_who_hears_ana(house: Any, verb: str) -> None:
    house.floor.extension("0003*024").kind = "queue"
    call_for(house, verb)
    await typed(house, f"/{verb} 0003*210")
    card = await house.card("Refused", place_of(verb))
    assert hears(card) == OUT_OF_IT


@pytest.mark.parametrize("verb", ["whisper", "barge"])
async def test_while_only_asked_nobody_hears_ana_yet(house: Any, verb: str) -> None:
    house.pbx.forms.action = 204
    call_for(house, verb)
    await typed(house, f"/{verb} 0003*210")
    card = await house.card("Asked", place_of(verb))
    assert hears(card) == f"nobody yet; once connected: {HEARS[verb]}"


@pytest.mark.parametrize(
    ("typed", "body", "hears"),
    [
        ("/whisper 210", {"action": "Whisper"}, "only Bob"),
        ("/whisper 0003*210 private", {"action": "Whisper", "private": 1}, "Ana does not hear the call"),
        ("/barge <@U0BOB|bob> wait=20", {"action": "BargeIn", "waitForPickup": "20"}, "everyone in the call"),
    ],
)
@pytest.mark.parametrize("transport", ["http", "socket mode"])
async def test_a_supervisor_types_and_is_in_the_call_when_the_phone_is_lifted(
    house: Any, typed: str, body: dict[str, Any], hears: str
) -> None:
    call = house.talk()
    place = "C0FLOOR" if "barge" in typed else "U0ANA"
    await house.ana_types(typed, raw=True)
    card = await house.card("Ringing Ana's phone 0003*024", place)
    assert "nobody yet" in "\n".join(card.lines())
    house.floor.lift("0003*024")
    card = await house.card("Connected after", place)
    assert hears in "\n".join(card.lines())
    [put] = house.pbx.puts()
    assert put.path == f"/uapi/phoneCalls/12/0003*210/{call}"
    assert put.json == {"sendCallTo": "0003*024", "phoneCallViewId": "01", **body}
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You left; Bob's call goes on", place)
    assert len(house.cards(place)) == 1
