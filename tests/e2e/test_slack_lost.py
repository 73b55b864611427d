"""Slack takes a card and nobody is told, or is away for a while: still one card, and it becomes true."""

from typing import Any

import pytest

from bot.sandbox.workspace.faults import SlackFault

POST, UPDATE = "chat.postMessage", "chat.update"


async def ask(house: Any, typed: str) -> str:
    """Bob is in a call, Ana types; the call's id."""
    call: str = house.talk()
    await house.ana_types(typed)
    return call


@pytest.mark.parametrize(("typed", "place"), [("/monitor 0003*210", "U0ANA"), ("/barge 0003*210", "C0FLOOR")])
async def test_a_card_whose_posting_was_not_confirmed_goes_on_alone(house: Any, typed: str, place: str) -> None:
    house.workspace.faults.add(SlackFault(method=POST, kind="lost"))
    await ask(house, typed)
    card = await house.card("Ringing", place)
    house.floor.lift("0003*024")
    assert await house.card("Connected", place) is card
    assert house.workspace.messages() == [card]


async def test_without_the_scopes_the_news_come_as_text_and_there_is_one_card(empty_house: Any) -> None:
    house = empty_house
    await house.workspace.stop()
    house.workspace.scopes = frozenset({"commands", "chat:write"})
    await house.workspace.start()
    await house.start_bot()
    house.workspace.faults.add(SlackFault(method=POST, kind="lost"))
    await ask(house, "/monitor 0003*210")
    await house.card("Slack did not confirm your card, so it may be missing or out of date. Now: Ringing", "U0ANA")
    house.floor.lift("0003*024")
    await house.card("Slack did not confirm your card, so it may be missing or out of date. Now: Connected", "U0ANA")
    assert len([message for message in house.cards("U0ANA") if message.blocks]) == 1


async def test_a_card_becomes_true_when_slack_is_back(house: Any) -> None:
    call = await ask(house, "/monitor 0003*210")
    card = await house.card("Ringing")
    house.workspace.faults.add(SlackFault(method=UPDATE, kind="500", times=2))
    house.floor.hang_up(call)
    assert await house.card("Ended: Bob's call is over") is card


async def test_after_kill_9_in_the_middle_of_its_posting_the_card_goes_on_alone(empty_house: Any, run_bot: Any) -> None:
    house = empty_house
    house.workspace.faults.add(SlackFault(method=POST, kind="late", seconds=0.5))
    killed = await run_bot(PORT="0", SLACK_SIGNING_SECRET=house.workspace.signing_secret)
    await killed.started()
    house.workspace.deliver_to(f"http://127.0.0.1:{killed.port}/slack/events")
    await ask(house, "/monitor 0003*210")
    card = await house.card("Ringing")
    killed.process.kill()
    await killed.ended()
    house.floor.lift("0003*024")
    await house.start_bot()
    assert await house.card("Connected") is card
    assert house.cards("U0ANA") == [card]


async def test_where_slack_takes_the_card_nowhere_whoever_asked_is_told_what_it_would_show(house: Any) -> None:
    house.workspace.faults.add(SlackFault(method=POST, kind="error", error="messages_tab_disabled", times=None))
    await ask(house, "/barge 0003*210")
    told = await house.told("U0ANA", "Slack takes your card neither in the channel nor in a direct message")
    assert ("Ringing Ana's phone 0003*024" in told.text, house.workspace.messages()) == (True, [])


async def test_after_a_restart_a_card_that_shows_the_truth_already_is_left_alone(house: Any) -> None:
    call = await ask(house, "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.hang_up(call)
    card = await house.card("Ended", "C0FLOOR")
    await house.stop_bot()
    shown = len(card.versions)
    await house.start_bot()
    await house.stop_bot()
    assert len(card.versions) == shown
