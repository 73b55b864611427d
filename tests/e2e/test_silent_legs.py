"""Nobody learns that somebody listens: what stands where others read, while silent legs come and go."""

from typing import Any

import pytest

from bot.sandbox.pbx.phones import Intervention
from tests.e2e.alerts_seen import ALERTS, ANA, BOB, DAN, FLOOR, LIS, RINGING, TALKING, alert, said, scans, start

CALLER = {"caller": "+15550142", "caller_name": "Carla Caller", "to": "0003*210"}
HELP = '[help]\nchannel = "C0FLOOR"\n'
SUPERVISOR, LISTENER, OUTSIDER = "0003*024", "0003*025", "0003*310"


def comes(house: Any, call: str, phone: str) -> None:
    """Somebody listens to Bob with that phone, by a request that did not come from callbot."""
    assert house.floor.intervene(Intervention("Monitor", call, "01", phone, "Panel <100>", 25.0))
    assert house.floor.lift(phone)


async def comes_by_callbot(house: Any, call: str, phone: str) -> None:
    """Lis listens to Bob by callbot, which tells her so where nobody else reads."""
    await house.workspace.type(LIS, FLOOR, "/monitor 0003*210")
    await house.card("Ringing", LIS)
    house.floor.lift(phone)
    await house.card("Connected", LIS)


def updates(house: Any) -> int:
    """How often a message was changed, in whatever channel others read."""
    changed = [call for call in house.workspace.calls if call.method == "chat.update"]
    return sum(call.args["channel"] in {FLOOR, ALERTS} for call in changed)


async def recording(house: Any) -> tuple[str, Any]:
    call = house.talk()
    await house.ana_types("/record 0003*210")
    return call, await house.card("Recording", FLOOR)


async def barged_in(house: Any) -> tuple[str, Any]:
    call = house.talk()
    await house.ana_types("/barge 0003*210")
    await house.card("Ringing", FLOOR)
    house.floor.lift(SUPERVISOR)
    return call, await house.card("Connected", FLOOR)


async def picked_up(house: Any) -> tuple[str, Any]:
    call = house.floor.ring(**CALLER)
    await house.ana_types("/pickup 0003*210")
    await house.card("Ringing", FLOOR)
    house.floor.lift(SUPERVISOR)
    return call, await house.card("Connected", FLOOR)


async def alerted(house: Any) -> tuple[str, Any]:
    call = house.talk()
    return call, await alert(house, "Raised")


async def asked_for_help(house: Any) -> tuple[str, Any]:
    call = house.talk()
    await house.workspace.type(BOB, FLOOR, "/calls help-me")
    return call, await alert(house, "Raised", "Bob Ionescu", channel=FLOOR)


PUBLIC = {
    "Record": ((), recording),
    "Barge in": ((), barged_in),
    "Pick up": ((), picked_up),
    "an alert": ((TALKING,), alerted),
    "a help request": ((), asked_for_help),
}


@pytest.mark.parametrize("phone", [LISTENER, OUTSIDER])
@pytest.mark.parametrize(("rules", "begin"), PUBLIC.values(), ids=PUBLIC)
async def test_what_others_read_stays_as_it_is_while_a_silent_leg_comes_and_goes(
    empty_house: Any, rules: tuple[str, ...], begin: Any, phone: str
) -> None:
    empty_house.config = empty_house.config.replace("[help]\n", HELP)
    house = await start(empty_house, *rules)
    call, card = await begin(house)
    await scans(house, 6)
    shown, before = (card.text, card.lines()), updates(house)
    comes(house, call, phone)
    await scans(house, 6)
    house.floor.leave(call, phone)
    await scans(house, 6)
    assert ((card.text, card.lines()), updates(house)) == (shown, before)


@pytest.mark.parametrize(("rules", "begin"), PUBLIC.values(), ids=PUBLIC)
async def test_what_others_read_stays_as_it_is_while_somebody_listens_by_callbot(
    empty_house: Any, rules: tuple[str, ...], begin: Any
) -> None:
    empty_house.config = empty_house.config.replace("[help]\n", HELP)
    house = await start(empty_house, *rules)
    call, card = await begin(house)
    await scans(house, 6)
    shown, before = (card.text, card.lines()), updates(house)
    await comes_by_callbot(house, call, LISTENER)
    house.floor.leave(call, LISTENER)
    await house.card("Ended", LIS)
    await scans(house, 6)
    assert ((card.text, card.lines()), updates(house)) == (shown, before)


async def test_who_barged_in_is_shown_on_their_own_card_alone(house: Any) -> None:
    call, card = await barged_in(house)
    comes(house, call, LISTENER)
    await scans(house, 6)
    legs = [line for line in card.lines() if "From: " in line]
    assert [line for line in legs if "Ana Pop" in line or "Lis" in line] == ["From: Ana Pop 0003*024"]


async def test_an_alert_does_not_go_on_for_a_leg(empty_house: Any) -> None:
    house = await start(empty_house, TALKING)
    call, _ = await alerted(house)
    comes(house, call, LISTENER)
    house.floor.call(call).views.remove(house.floor.call(call).view("01"))
    card = await alert(house, "Resolved")
    assert "The call is over." in said(card)


async def test_who_picked_up_at_their_phone_is_named_by_the_alert(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    call = house.floor.ring(**CALLER)
    await alert(house, "Raised")
    house.floor.intervene(Intervention("PickUp", call, "01", SUPERVISOR, "Ana Pop <100>", 25.0))
    house.floor.lift(SUPERVISOR)
    await alert(house, "Resolved", "Picked up by Ana Pop 0003*024")


# ── where nobody else reads ──


@pytest.mark.parametrize(("channel", "place"), [("D0ANA", ANA), ("C0STAFF", "C0STAFF")])
async def test_where_nobody_else_reads_the_call_is_shown_whole(house: Any, channel: str, place: str) -> None:
    call = house.talk()
    await house.workspace.type(ANA, channel, "/record 0003*210")
    card = await house.card("Recording", place)
    comes(house, call, LISTENER)
    await house.workspace.until(lambda: "From: Lis Marin 0003*025" in card.lines())


async def test_a_supervisor_who_is_a_party_is_not_told_who_listens_to_them(house: Any) -> None:
    call = house.floor.ring(**CALLER)
    await house.workspace.type(ANA, "D0ANA", "/pickup 0003*210")
    await house.card("Ringing", ANA)
    house.floor.lift(SUPERVISOR)
    card = await house.card("Connected", ANA)
    comes(house, call, LISTENER)
    await scans(house, 6)
    assert not [line for line in card.lines() if "Lis" in line]


# ── the agent ──


async def listed(house: Any, user: str) -> list[str]:
    """What the person is shown next of the live calls."""
    before = len(house.workspace.private(user))
    await house.workspace.type(user, FLOOR, "/calls")
    shown = await house.workspace.until(lambda: house.workspace.private(user)[before:])
    lines: list[str] = shown[0].lines()
    return lines


@pytest.mark.parametrize("phone", [SUPERVISOR, OUTSIDER])
async def test_an_agent_whose_view_is_missing_is_listed_no_leg(house: Any, phone: str) -> None:
    call = house.talk()
    comes(house, call, phone)
    house.floor.call(call).views.remove(house.floor.call(call).view("01"))
    (only,) = await listed(house, BOB)
    assert only.startswith("No live calls")


@pytest.mark.parametrize("phone", [SUPERVISOR, OUTSIDER])
async def test_an_agent_who_has_transferred_the_call_is_listed_no_leg(house: Any, phone: str) -> None:
    call = house.talk()
    comes(house, call, phone)
    house.floor.transfer(call, "0003*211")
    mine, dans = await listed(house, BOB), await listed(house, DAN)
    assert ("No live calls" in mine[0], [line for line in dans if "0003*211" in line]) == (
        True,
        ["Dan Popa 0003*211: on call with “Carla Caller” <+15550142>"],
    )


async def test_an_agent_who_has_transferred_the_call_cannot_ask_for_help_with_a_leg(empty_house: Any) -> None:
    empty_house.config = empty_house.config.replace("[help]\n", HELP)
    house = await start(empty_house)
    call = house.talk()
    comes(house, call, SUPERVISOR)
    house.floor.transfer(call, "0003*211")
    await house.workspace.type(BOB, FLOOR, "/calls help-me")
    await house.told(BOB, "You are in no call right now")


async def test_who_is_left_with_a_leg_alone_is_answered_as_one_in_no_call(empty_house: Any) -> None:
    """Both are answered after the same number of reads, so the time tells nothing."""
    empty_house.config = empty_house.config.replace("[help]\n", HELP)
    house = await start(empty_house)

    async def reads() -> int:
        before, told = len(house.pbx.requests), len(house.workspace.private(BOB))
        await house.workspace.type(BOB, FLOOR, "/calls help-me")
        await house.workspace.until(lambda: len(house.workspace.private(BOB)) > told)
        return sum("0003*210" in one.path for one in house.pbx.requests[before:])

    in_no_call = await reads()
    call = house.talk()
    comes(house, call, OUTSIDER)
    house.floor.transfer(call, "0003*211")
    assert await reads() == in_no_call


async def test_a_help_request_ends_when_only_a_leg_is_left_of_the_agent(empty_house: Any) -> None:
    empty_house.config = empty_house.config.replace("[help]\n", HELP)
    house = await start(empty_house)
    call, _ = await asked_for_help(house)
    comes(house, call, SUPERVISOR)
    house.floor.transfer(call, "0003*211")
    card = await alert(house, "Resolved", channel=FLOOR)
    assert "Panel" not in said(card)
    assert "Monitor" not in said(card)


async def test_a_leg_is_never_acted_on(house: Any) -> None:
    call = house.talk()
    comes(house, call, LISTENER)
    house.floor.transfer(call, "0003*211")
    await house.ana_types("/whisper 0003*210")
    await house.told(ANA, "Nobody is in conversation there right now.")
    assert house.pbx.puts() == []


async def test_a_protected_supervisor_who_listens_does_not_take_the_agents_call_from_their_list(
    empty_house: Any,
) -> None:
    house = empty_house
    house.config = house.config.replace('extensions = ["0003*299"]', 'extensions = ["0003*299", "0003*024"]')
    await house.start_bot()
    call = house.talk()
    comes(house, call, SUPERVISOR)
    assert "Bob Ionescu 0003*210: on call with “Carla Caller” <+15550142>" in await listed(house, BOB)


# ── the agent leaves, the supervisor stays ──


async def test_who_hears_a_whisper_is_not_known_once_the_agent_has_transferred_the_call(house: Any) -> None:
    call = house.talk()
    await house.workspace.type(ANA, "D0ANA", "/whisper 0003*210")
    await house.card("Ringing", ANA)
    house.floor.lift(SUPERVISOR)
    card = await house.card("Connected", ANA)
    assert "Who hears Ana: only Bob" in card.lines()
    house.floor.transfer(call, "0003*211")
    await house.workspace.until(lambda: "Who hears Ana: not known: Bob is not seen in the call" in card.lines())


async def test_a_protected_supervisor_who_listened_leaves_no_trace_on_a_card(empty_house: Any) -> None:
    """The lists that were read before they hung up still have the leg."""
    house = await start(empty_house, TALKING)
    call, _ = await recording(house)
    await house.workspace.until(
        lambda: [card for card in house.cards(ALERTS) if "Stop recording" in [each.label for each in card.buttons()]]
    )
    await scans(house, 6)
    before = updates(house)
    for _ in range(4):
        comes(house, call, "0003*299")
        await scans(house, 12)
        house.floor.leave(call, "0003*299")
        await scans(house, 6)
    assert updates(house) == before


async def test_a_call_of_which_only_a_leg_is_left_is_over_on_the_card_of_its_recording(house: Any) -> None:
    call, _ = await recording(house)
    comes(house, call, LISTENER)
    await scans(house, 6)
    house.floor.call(call).views.remove(house.floor.call(call).view("01"))
    card = await house.card("Ended", FLOOR)
    assert "Bob's call is over" in card.text
