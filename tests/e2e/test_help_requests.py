"""Help requests: an agent asks for help, a card is posted in the channel for it, and the agent is told who is coming."""

from typing import Any

import pytest

from tests.e2e.alerts_seen import ALERTS, ANA, BOB, DAN, EVE, FLOOR, HAL, alert, labels, raised, said, start

HELP = '[help]\nchannel = "C0FLOOR"\n'


@pytest.fixture
async def house(empty_house: Any) -> Any:
    empty_house.config = empty_house.config.replace("[help]\n", HELP)
    return await start(empty_house)


async def ask_for_help(house: Any, about: str = "") -> Any:
    await house.workspace.type(BOB, FLOOR, f"/calls help-me {about}".strip())
    return await alert(house, "Raised", "Bob Ionescu", channel=FLOOR)


async def direct(house: Any, words: str, person: str = BOB) -> None:
    await house.workspace.until(lambda: [one for one in house.workspace.messages(to=person) if words in one.text])


async def test_a_help_request_is_a_card_with_the_call_and_what_helps(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    card = await ask_for_help(house, "refund above my limit")
    assert "refund above my limit" in said(card)
    assert "Hal Holder" in said(card)
    assert labels(card) == ["Monitor", "Whisper", "Barge in", "Record", "I'm on it", "Snooze 10 min"]


async def test_the_agent_is_told_privately_that_the_help_request_is_posted(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    await ask_for_help(house)
    await house.told(BOB, "Your help request")


async def test_the_agent_is_told_who_is_coming(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    card = await ask_for_help(house)
    await house.workspace.click(ANA, card, "I'm on it")
    await direct(house, "Ana Pop")


async def test_the_agent_is_told_of_one_who_comes_by_the_call_itself_and_not_how(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    card = await ask_for_help(house)
    await house.workspace.click(ANA, card, "Whisper")
    await direct(house, "Ana Pop")
    told = " ".join(one.text for one in house.workspace.messages(to=BOB))
    assert "hisper" not in told


async def test_a_help_request_is_resolved_with_the_call(house: Any) -> None:
    call = house.floor.talk(to="0003*210", **HAL)
    await ask_for_help(house)
    house.floor.hang_up(call)
    await alert(house, "Resolved", channel=FLOOR)


async def test_asking_again_brings_the_same_card_up_to_date(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    await ask_for_help(house, "first")
    await house.workspace.type(BOB, FLOOR, "/calls help-me second")
    await alert(house, "Raised", "second", channel=FLOOR)
    assert len(raised(house, FLOOR)) == 1


async def test_the_button_in_the_list_of_calls_does_the_same(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    await house.workspace.type(BOB, FLOOR, "/calls")
    listed = await house.told(BOB, "1 live call")
    await house.workspace.click(BOB, listed, "Ask for help")
    await alert(house, "Raised", "Bob Ionescu", channel=FLOOR)


async def test_of_several_calls_the_conversation_is_meant_and_not_what_waits(house: Any) -> None:
    held = house.floor.talk(to="0003*210", **HAL)
    house.floor.hold(held)
    house.floor.talk(to="0003*210", caller="+15550142", caller_name="Carla Caller")
    card = await ask_for_help(house)
    assert "Carla Caller" in said(card)


async def test_without_a_call_the_answer_says_so(house: Any) -> None:
    await house.workspace.type(DAN, FLOOR, "/calls help-me")
    await house.told(DAN, "You are in no call right now")
    assert raised(house, FLOOR) == []


async def test_an_unknown_person_cannot_ask_for_help(house: Any) -> None:
    await house.workspace.type(EVE, FLOOR, "/calls help-me")
    await house.told(EVE, "I don't know you yet")


async def test_without_a_channel_the_answer_says_so(empty_house: Any) -> None:
    house = await start(empty_house)
    house.floor.talk(to="0003*210", **HAL)
    await house.workspace.type(BOB, FLOOR, "/calls help-me")
    await house.told(BOB, "[help] channel")


async def test_a_call_with_a_protected_party_is_shown_to_nobody(house: Any) -> None:
    house.floor.talk(to="0003*210", caller="+15550199")
    await house.workspace.type(BOB, FLOOR, "/calls help-me")
    await house.told(BOB, "You are in no call right now")
    assert raised(house, FLOOR) == []


async def test_what_the_agent_writes_is_foreign_text(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    await house.workspace.type(BOB, FLOOR, "/calls help-me <!channel> *bold* <https://example.com|pay>", raw=True)
    card = await alert(house, "Raised", channel=FLOOR)
    assert "<!channel>" not in card.text
    assert card.ts


async def test_a_help_request_goes_to_the_channel_for_it_wherever_it_was_asked(house: Any) -> None:
    house.floor.talk(to="0003*210", **HAL)
    await house.workspace.type(BOB, ALERTS, "/calls help-me")
    await alert(house, "Raised", channel=FLOOR)
    assert raised(house, ALERTS) == []


async def test_where_the_channel_takes_no_card_the_agent_is_told(empty_house: Any) -> None:
    empty_house.config = empty_house.config.replace("[help]\n", '[help]\nchannel = "C0CLOSED"\n')
    empty_house.workspace.add_channel("C0CLOSED", "closed", bot_is_member=False)
    house = await start(empty_house)
    house.floor.talk(to="0003*210", **HAL)
    await house.workspace.type(BOB, FLOOR, "/calls help-me")
    await direct(house, "nobody has seen it")
    assert len(house.workspace.messages(to=BOB)) == 1
    assert all("not_in_channel" in refusal for refusal in house.workspace.refusals)
    house.workspace.refusals.clear()
