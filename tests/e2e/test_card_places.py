"""Where the card goes, that there is one for one person and one call, and what Slack does to it on the way."""

from typing import Any

import pytest

from bot.sandbox.pbx.server import Fault
from bot.sandbox.workspace.faults import SlackFault

CALLER = {"caller": "+15550142", "caller_name": "Carla Caller", "to": "0003*210"}
SILENT = "Monitor and Whisper are silent, and an agent may read this channel"


def words(message: Any) -> str:
    return "\n".join(message.lines())


async def ask(house: Any, typed: str, channel: str = "C0FLOOR") -> str:
    """Bob is in a call, Ana types; the call's id."""
    call: str = house.floor.ring(**CALLER) if "pickup" in typed else house.talk()
    await house.workspace.type("U0ANA", channel, typed)
    return call


# ── the place ──


@pytest.mark.parametrize("typed", ["/monitor 0003*210", "/whisper 0003*210"])
async def test_a_silent_card_goes_to_the_direct_message_which_says_why(house: Any, typed: str) -> None:
    await ask(house, typed)
    card = await house.card("Ringing", "U0ANA")
    assert "This card is here and not in the channel because listening and whispering are silent" in words(card)
    await house.told("U0ANA", SILENT)
    assert house.cards("C0FLOOR") == []


@pytest.mark.parametrize("typed", ["/monitor 0003*210", "/whisper 0003*210"])
async def test_a_silent_card_goes_to_a_channel_that_no_agent_reads(house: Any, typed: str) -> None:
    await ask(house, typed, "C0STAFF")
    await house.card("Ringing", "C0STAFF")
    assert (house.cards("U0ANA"), house.workspace.private("U0ANA")) == ([], [])


@pytest.mark.parametrize("typed", ["/barge 0003*210", "/pickup 0003*210", "/record 0003*210"])
async def test_what_everybody_notices_goes_to_the_channel(house: Any, typed: str) -> None:
    await ask(house, typed)
    await house.workspace.until(lambda: house.cards("C0FLOOR"))
    assert (house.cards("U0ANA"), house.workspace.private("U0ANA")) == ([], [])


@pytest.mark.parametrize("typed", ["/monitor 0003*210", "/barge 0003*210"])
async def test_what_is_asked_in_the_direct_message_is_answered_there_without_a_reason(house: Any, typed: str) -> None:
    await ask(house, typed, "D0ANA")
    card = await house.card("Ringing", "U0ANA")
    assert ("This card is here" in words(card), house.workspace.private("U0ANA")) == (False, [])


@pytest.mark.parametrize("state", [{"bot_is_member": False}, {"archived": True}])
async def test_where_the_bot_may_not_post_the_card_goes_to_the_direct_message(house: Any, state: Any) -> None:
    house.workspace.add_channel("C0FLOOR", "support-floor", **state)
    await ask(house, "/barge 0003*210")
    card = await house.card("Ringing", "U0ANA")
    hint = await house.told("U0ANA", "callbot may not post here")
    assert ("/invite" in words(card), "/invite" in words(hint)) == (True, True)


async def test_a_channel_that_slack_does_not_show_to_the_bot_is_one_where_it_may_not_post(house: Any) -> None:
    house.workspace.faults.add(SlackFault(method="chat.postMessage", kind="error", error="channel_not_found"))
    await ask(house, "/barge 0003*210")
    await house.card("Ringing", "U0ANA")
    await house.told("U0ANA", "/invite")


async def test_a_refusal_of_the_pbx_in_a_channel_closed_to_the_bot_brings_the_hint_too(house: Any) -> None:
    house.workspace.add_channel("C0FLOOR", "support-floor", bot_is_member=False)
    house.floor.extension("0003*024").kind = "queue"
    await ask(house, "/barge 0003*210")
    await house.card("Refused", "U0ANA")
    await house.told("U0ANA", "/invite")


async def test_a_card_that_moved_to_the_direct_message_goes_on_there(house: Any) -> None:
    house.workspace.add_channel("C0FLOOR", "support-floor", bot_is_member=False)
    await ask(house, "/barge 0003*210")
    await house.card("Ringing", "U0ANA")
    house.floor.lift("0003*024")
    await house.card("Connected", "U0ANA")
    assert len(house.cards("U0ANA")) == 1


async def test_a_channel_that_is_archived_in_the_middle_moves_the_card(house: Any) -> None:
    await ask(house, "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.workspace.add_channel("C0FLOOR", "support-floor", archived=True)
    house.floor.lift("0003*024")
    await house.card("Connected", "U0ANA")


# ── one card, and never a silent word on a public one ──


def tells_that_somebody_listens(card: Any) -> list[str]:
    told = "\n".join([words(card), card.text])
    return [word for word in ("listen", "silent", "Monitor:", "Monitor <", "Whisper:") if word in told]


async def test_monitor_after_barge_in_gets_a_card_of_its_own_that_only_the_asker_sees(house: Any) -> None:
    house.pbx.faults.add(Fault("403", method="PUT", times=2))
    await ask(house, "/barge 0003*210")
    public = await house.card("Refused", "C0FLOOR")
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing", "U0ANA")
    house.floor.lift("0003*024")
    await house.card("Connected", "U0ANA")
    assert (tells_that_somebody_listens(public), house.cards("C0FLOOR")) == ([], [public])


async def test_what_is_asked_later_goes_to_the_card_in_the_direct_message_and_the_channel_is_told(house: Any) -> None:
    await ask(house, "/monitor 0003*210")
    card = await house.card("Ringing", "U0ANA")
    await house.ana_types("/record 0003*210")
    await house.told("U0ANA", "Your card for this call is already in your direct messages")
    await house.workspace.until(lambda: "Record: Recording" in words(card))
    assert (house.cards("U0ANA"), house.cards("C0FLOOR")) == ([card], [])


async def test_two_calls_have_two_cards(house: Any) -> None:
    await ask(house, "/monitor 0003*210")
    first = await house.card("Ringing", "U0ANA")
    house.floor.lift("0003*024")
    await house.card("Connected", "U0ANA")
    house.floor.extension("0003*024").call_waiting = True
    house.floor.talk(caller="+15550143", to="0003*211")
    await house.ana_types("/monitor 0003*211")
    second = await house.card("Asked: your phone is busy", "U0ANA")
    assert second is not first


# ── what Slack does to it ──


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_after_429_slack_is_left_alone_as_long_as_it_says_and_then_sees_the_newest_state(
    house: Any, method: str
) -> None:
    house.workspace.faults.add(SlackFault(method=method, kind="429", retry_after=1))
    await ask(house, "/monitor 0003*210")
    await house.pbx.until(lambda: house.floor.ringing("0003*024"))
    house.floor.lift("0003*024")
    card = await house.card("Connected", "U0ANA")
    refused, after, *_ = (call for call in house.workspace.calls if call.method == method)
    assert (refused.status, after.at - refused.at >= 1.0, house.cards("U0ANA")) == (429, True, [card])


async def test_a_card_that_somebody_deleted_is_posted_anew_and_goes_on(house: Any) -> None:
    house.pbx.faults.add(Fault("slow", method="PUT", seconds=0.8))
    await ask(house, "/monitor 0003*210")
    deleted = await house.card("Asked", "U0ANA")
    deleted.deleted = True
    house.workspace.faults.add(SlackFault(method="chat.update", kind="error", error="message_not_found"))
    card = await house.card("Ringing", "U0ANA")
    house.floor.lift("0003*024")
    await house.card("Connected", "U0ANA")
    assert house.cards("U0ANA") == [card]


async def test_a_channel_that_takes_no_posts_of_apps_moves_the_card(house: Any) -> None:
    closed = SlackFault(method="chat.postMessage", kind="error", error="restricted_action_read_only_channel")
    house.workspace.faults.add(closed)
    await ask(house, "/barge 0003*210")
    await house.card("Ringing", "U0ANA")
    await house.told("U0ANA", "callbot may not post here")


# ── Slack does not confirm, or is away ──


POST, UPDATE = "chat.postMessage", "chat.update"


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


async def test_where_slack_takes_the_card_nowhere_the_person_is_told_what_it_would_show(house: Any) -> None:
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
