"""Recording: what the card says is what the view carries, and one request per call is open at a time."""

from typing import Any

import pytest

TWO_SUPERVISORS = ('roles = ["listener", "supervisor of 3"]', 'roles = ["supervisor"]')


@pytest.fixture
async def two(empty_house: Any) -> Any:
    """A house in which Lis is a supervisor like Ana."""
    empty_house.config = empty_house.config.replace(*TWO_SUPERVISORS)
    await empty_house.start_bot()
    return empty_house


async def typed(house: Any, user: str, text: str) -> None:
    await house.workspace.type(user, "C0FLOOR", text, raw=True)


async def card_of(house: Any, supervisor: str, word: str) -> Any:
    """That supervisor's card in the channel, when it begins with the word."""

    def found() -> list[Any]:
        mine = [card for card in house.cards("C0FLOOR") if f"Asked by: {supervisor}" in card.lines()]
        return [card for card in mine if card.text.startswith(word)]

    return (await house.workspace.until(found))[0]


async def test_a_recording_is_first_asked_for_and_then_seen_with_its_beginning(house: Any) -> None:
    house.floor.extension("0003*210").recordable = False
    call = house.talk()
    await typed(house, "U0ANA", "/record 0003*210")
    await house.card("Asked: Record", "C0FLOOR")
    house.floor.extension("0003*210").recordable = True
    house.floor.record(call, "01")
    card = await house.card("Recording Bob's call", "C0FLOOR")
    begun = int(house.floor.call(call).view("01").recording.timestamp())
    assert [line for line in card.lines() if line.startswith(f"Recording since <!date^{begun}^")]


async def test_a_recording_that_does_not_come_is_not_confirmed_and_the_card_names_the_setting(house: Any) -> None:
    house.floor.extension("0003*210").recordable = False
    house.talk()
    await typed(house, "U0ANA", "/record 0003*210")
    card = await house.card("Not confirmed: no recording seen in 10 s", "C0FLOOR", timeout=13)
    text = "\n".join(card.lines())
    assert "Phone Terminal Setup of 0003*210" in text
    assert "“When *1 is pressed”" in text
    assert "Record" in [button.label for button in card.buttons()]


async def test_a_recording_is_stopped_by_the_button_of_its_card(house: Any) -> None:
    call = house.talk()
    await typed(house, "U0ANA", "/record 0003*210")
    card = await house.card("Recording", "C0FLOOR")
    assert "Record" not in [button.label for button in card.buttons()]
    await house.workspace.click("U0ANA", card, "Stop recording")
    card = await house.card("Recording stopped: Bob's call", "C0FLOOR")
    assert house.floor.call(call).view("01").recording is None
    assert "Stop recording" not in [button.label for button in card.buttons()]


async def test_a_recording_that_another_person_stops_is_stopped_on_both_cards(two: Any) -> None:
    two.talk()
    await typed(two, "U0ANA", "/record 0003*210")
    first = await card_of(two, "Ana Pop", "Recording Bob's call")
    await typed(two, "U0LIS", "/record 0003*210 stop")
    await card_of(two, "Lis Marin", "Recording stopped")
    assert (await card_of(two, "Ana Pop", "Recording stopped")).ts == first.ts


async def test_a_recording_that_the_agent_stops_at_the_phone_is_stopped_on_the_card(house: Any) -> None:
    call = house.talk()
    await typed(house, "U0ANA", "/record 0003*210")
    await house.card("Recording Bob's call", "C0FLOOR")
    house.floor.stop_recording(call, "01")
    await house.card("Recording stopped", "C0FLOOR")


async def test_what_is_so_already_is_refused_privately_and_nothing_is_sent(house: Any) -> None:
    call = house.talk()
    await typed(house, "U0ANA", "/record 0003*210 stop")
    await house.told("U0ANA", "This call is not being recorded.")
    house.floor.record(call, "01")
    await typed(house, "U0ANA", "/record 0003*210")
    await house.told("U0ANA", "This call is being recorded already.")
    assert (house.pbx.puts(), house.workspace.messages()) == ([], [])


async def test_while_a_recording_is_asked_for_the_next_person_is_told_who_has_asked(two: Any) -> None:
    two.floor.extension("0003*210").recordable = False
    two.talk()
    await typed(two, "U0ANA", "/record 0003*210")
    await two.card("Asked", "C0FLOOR")
    await typed(two, "U0LIS", "/record 0003*210")
    await two.told("U0LIS", "Ana Pop has asked for this already. Nothing more was sent.")
    last = (await two.audit_log())[-1]
    assert (two.actions(), last.slack_user, last.rule) == (["StartRecording"], "U0LIS", "already asked")


async def test_a_recording_does_not_hold_up_who_joins_the_call(house: Any) -> None:
    house.floor.extension("0003*210").recordable = False
    house.talk()
    await typed(house, "U0ANA", "/record 0003*210")
    await house.card("Asked", "C0FLOOR")
    await typed(house, "U0ANA", "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    assert house.actions() == ["StartRecording", "BargeIn"]
