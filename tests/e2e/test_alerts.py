"""Alerts from raised to resolved: one card for one rule and call, true from first to last; digests; a PBX that cannot be read."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.pbx.server import Fault
from tests.e2e.alerts_seen import ALERTS, ANA, FLOOR, HAL, RINGING, alert, labels, raised, rule, said, scans, start

# ── the four conditions ──


async def test_a_call_that_rings_too_long_is_raised_with_what_solves_it(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    card = await alert(house, "Raised", "Dan Popa", "0003*211", "Hal Holder", "+15550188", "Rings unanswered")
    assert labels(card) == ["Pick up", "I'm on it", "Snooze 10 min"]


async def test_an_alert_is_resolved_by_the_answer_and_loses_its_buttons(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    call = house.floor.ring(to="0003*211", **HAL)
    await alert(house, "Raised")
    house.floor.answer(call)
    card = await alert(house, "Resolved", "Dan Popa")
    assert (labels(card), len(raised(house))) == ([], 1)


async def test_an_alert_is_resolved_when_the_caller_gives_up(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    call = house.floor.ring(to="0003*211", **HAL)
    await alert(house, "Raised")
    house.floor.hang_up(call)
    await alert(house, "Resolved", "call is over")


async def test_a_long_conversation_is_raised_with_what_suits_it(empty_house: Any) -> None:
    house = await start(empty_house, rule("Talks long", "talking"))
    house.floor.talk(to="0003*210", **HAL)
    card = await alert(house, "Raised", "Bob Ionescu")
    assert labels(card) == ["Monitor", "Whisper", "Barge in", "Record", "I'm on it", "Snooze 10 min"]


async def test_a_call_on_hold_is_raised_and_resolved_when_it_is_taken_off(empty_house: Any) -> None:
    house = await start(empty_house, rule("Waits on hold", "on_hold"))
    call = house.floor.talk(to="0003*210", **HAL)
    house.floor.hold(call)
    await alert(house, "Raised", "Waits on hold")
    house.floor.unhold(call)
    await alert(house, "Resolved")


async def test_a_parked_call_is_raised_and_resolved_when_it_is_retrieved(empty_house: Any) -> None:
    house = await start(empty_house, rule("Forgotten", "parked"))
    call = house.floor.talk(to="0003*210", **HAL)
    house.floor.park(call)
    await alert(house, "Raised", "Forgotten")
    house.floor.unpark(call)
    await alert(house, "Resolved")


async def test_what_comes_back_is_raised_again_on_the_same_card(empty_house: Any) -> None:
    house = await start(empty_house, rule("Waits on hold", "on_hold"))
    call = house.floor.talk(to="0003*210", **HAL)
    house.floor.hold(call)
    first = await alert(house, "Raised")
    house.floor.unhold(call)
    await alert(house, "Resolved")
    house.floor.hold(call)
    again = await alert(house, "Raised")
    assert (again.ts, len(raised(house))) == (first.ts, 1)


# ── which calls a rule is about ──


async def test_several_rules_may_match_one_call_each_on_its_card(empty_house: Any) -> None:
    other = rule("Team 2 waits", "ringing", channel=FLOOR, extensions=["0003*2XX"])
    house = await start(empty_house, RINGING, other)
    house.floor.ring(to="0003*211", **HAL)
    await alert(house, "Raised", "Rings unanswered")
    await alert(house, "Raised", "Team 2 waits", channel=FLOOR)


@pytest.mark.parametrize(
    "more",
    [{"extensions": ["0003*3XX"]}, {"callers": ["+40722XXXXXX"]}, {"longer_than": 30.0}],
    ids=["another extension", "another caller", "not yet"],
)
async def test_what_no_rule_is_about_is_not_raised(empty_house: Any, more: dict[str, Any]) -> None:
    given = {"longer_than": 0.0} | more
    house = await start(empty_house, rule("Rings unanswered", "ringing", **given))
    house.floor.ring(to="0003*211", **HAL)
    await scans(house)
    assert raised(house) == []


async def test_a_caller_is_matched_however_the_number_is_written(empty_house: Any) -> None:
    house = await start(empty_house, rule("Rings unanswered", "ringing", callers=["+1555018X"]))
    house.floor.ring(to="0003*211", caller="0015550188", caller_name="Hal Holder")
    await alert(house, "Raised")


@pytest.mark.parametrize("call", [{"to": "0003*299", **HAL}, {"to": "0003*211", "caller": "+15550199"}])
async def test_a_call_with_a_protected_party_is_never_raised(empty_house: Any, call: dict[str, str]) -> None:
    house = await start(empty_house, rule("Rings unanswered", "ringing", longer_than=0.0))
    house.floor.ring(**call)
    await scans(house)
    assert raised(house) == []


# ── dates ──


def put_dates(house: Any, call: str, **dates: datetime | None) -> None:
    shown = house.floor.call(call)
    for name, moment in dates.items():
        setattr(shown if name == "published" else shown.views[0], name, moment)


@pytest.mark.parametrize(
    "published", [None, datetime.now(UTC) + timedelta(hours=1)], ids=["no date", "a date in the future"]
)
async def test_a_call_whose_date_cannot_be_used_raises_nothing(empty_house: Any, published: datetime | None) -> None:
    house = await start(empty_house, rule("Rings unanswered", "ringing", longer_than=0.0))
    call = house.floor.ring(to="0003*211", **HAL)
    put_dates(house, call, published=published)
    await scans(house)
    cards = raised(house)
    assert [card for card in cards if "Resolved" not in card.text] == []


async def test_a_conversation_that_was_answered_before_it_was_there_is_as_old_as_its_call(empty_house: Any) -> None:
    house = await start(empty_house, rule("Talks long", "talking", longer_than=600.0))
    call = house.floor.talk(to="0003*210", **HAL)
    put_dates(house, call, answered=datetime.now(UTC) - timedelta(hours=1))
    await scans(house)
    assert raised(house) == []


# ── changed rules ──


async def test_an_alert_of_a_rule_that_was_taken_out_is_resolved_and_says_so(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    await alert(house, "Raised")
    house.change_config(RINGING, "")
    await alert(house, "Resolved", "rule")


@pytest.mark.parametrize("answers", [True, False], ids=["a PBX that answers", "a PBX that does not"])
async def test_an_alert_whose_party_becomes_protected_shows_nothing_more(empty_house: Any, answers: bool) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    await alert(house, "Raised")
    if not answers:
        house.pbx.faults.add(Fault("html 502", method="GET", times=None))
    house.change_config('"+15550199"', '"+15550199", "+15550188"')
    card = await alert(house, "Resolved")
    assert not any(word in said(card) for word in ("Hal", "15550188", "0003*211", "Dan"))


async def test_a_new_rule_raises_what_rings_already(empty_house: Any) -> None:
    house = await start(empty_house)
    house.floor.ring(to="0003*211", **HAL)
    house.change_config("[help]", RINGING + "\n[help]")
    await alert(house, "Raised")


# ── many at once ──


MANY = 30


def ring(house: Any, number: int, first: int = 0) -> list[str]:
    """So many calls ring from one second on: the PBX tells whole seconds, and a rule fires by them."""
    calls, second = [], f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for each in range(first, first + number):
        house.floor.add_extension(f"0003*2{each + 20}", user="12", name=f"Agent {each}")
        calls.append(house.floor.ring(caller=f"+1555{each:04}", caller_name="Hal Holder", to=f"0003*2{each + 20}"))
        house.floor.misdate(calls[-1], {"published": second, "ringing": second})
    return calls


async def test_many_alerts_become_one_digest_that_counts_them(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, MANY)
    card = await alert(house, "Raised", f"{MANY} alerts")
    assert len(raised(house)) == 1
    assert "Rings unanswered" in said(card)


async def test_a_digest_is_kept_up_to_date_and_closed(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    calls = ring(house, MANY)
    await alert(house, "Raised", f"{MANY} alerts")
    for call in calls[:20]:
        house.floor.answer(call)
    await alert(house, "Raised", "10 open")
    for call in calls[20:]:
        house.floor.hang_up(call)
    await alert(house, "Resolved", str(MANY))


async def test_ten_alerts_have_their_own_cards_and_what_comes_then_is_digested(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, 10)
    await house.workspace.until(lambda: len(raised(house)) == 10, 30)
    ring(house, 4, first=10)
    await alert(house, "Raised", "4 alerts")
    assert len(raised(house)) == 11


async def test_no_alert_is_dropped_whatever_comes(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, 7)
    await house.workspace.until(lambda: len(raised(house)) == 7, 30)
    ring(house, 23, first=7)
    await alert(house, "Raised", "23 alerts")
    assert len(raised(house)) == 8


async def test_an_alert_on_a_digest_can_be_acted_on_from_there(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, 12)
    card = await alert(house, "Raised", "12 alerts")
    await house.workspace.click(ANA, card, "Pick up", nth=0)
    await house.puts(1)
    house.floor.lift("0003*024")
    await alert(house, "Raised", "12 alerts in this channel, 11 open")


async def test_an_intervention_s_card_comes_at_once_in_the_middle_of_a_flood(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.talk(to="0003*210", caller="+15550142")
    ring(house, 10)
    await house.workspace.until(lambda: raised(house))
    await house.workspace.type(ANA, ALERTS, "/record 0003*210")
    await house.workspace.until(
        lambda: [card for card in house.cards(ALERTS) if card.text.startswith(("Asked", "Recording"))], 2.0
    )


async def test_other_channels_have_their_own_count(empty_house: Any) -> None:
    house = await start(empty_house, RINGING, re.sub("C0ALERTS", FLOOR, RINGING))
    ring(house, 12)
    await alert(house, "Raised", "12 alerts", channel=FLOOR)
    await alert(house, "Raised", "12 alerts")


# ── a PBX that cannot be read ──


BLIND = "Blind since "


async def blind(house: Any, channel: str = ALERTS) -> Any:
    """The card of the channel that says so."""
    found = await house.workspace.until(
        lambda: [card for card in house.cards(channel) if card.text.startswith(BLIND)], 10.0
    )
    return found[0]


async def over(house: Any, channel: str = ALERTS) -> Any:
    """The card of blindness, once callbot sees again: the calls, or all calls if some scopes came back before others."""
    found = await house.workspace.until(
        lambda: [card for card in house.cards(channel) if card.text.startswith("Resolved: callbot sees ")], 20.0
    )
    return found[0]


async def with_alerts_in_two_channels(house: Any) -> None:
    house.change_config('contact = "U0ANA"', f'contact = "U0ANA"\nchannel = "{FLOOR}"')
    house.config += RINGING
    await house.start_bot(blind_after=1.0)


async def test_every_channel_is_told_once_and_told_when_it_is_over(empty_house: Any) -> None:
    house = empty_house
    await with_alerts_in_two_channels(house)
    await house.pbx.stop()
    first = {channel: await blind(house, channel) for channel in (ALERTS, FLOOR)}
    await house.pbx.start(port=house.pbx.port)
    for channel, card in first.items():
        assert (await over(house, channel)).ts == card.ts


async def test_a_restart_says_nothing_twice(empty_house: Any) -> None:
    house = empty_house
    await with_alerts_in_two_channels(house)
    await house.pbx.stop()
    first = await blind(house)
    await house.stop_bot()
    await house.start_bot(blind_after=1.0)
    await house.pbx.start(port=house.pbx.port)
    assert (await over(house)).ts == first.ts
    assert len([card for card in house.cards(ALERTS) if "lind since" in said(card) or "again" in card.text]) == 1


async def test_what_rings_on_is_alerted_when_it_is_over(empty_house: Any) -> None:
    house = empty_house
    await with_alerts_in_two_channels(house)
    await house.pbx.stop()
    await blind(house)
    house.floor.ring(to="0003*211", **HAL)
    await house.pbx.start(port=house.pbx.port)
    await over(house)
    await alert(house, "Raised", "Dan Popa")
