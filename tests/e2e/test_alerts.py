"""Alerts from raised to resolved: one card for one rule and call, in the channel of the rule, true from first to last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.alerts_seen import FLOOR, HAL, RINGING, alert, labels, raised, rule, said, scans, start

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
    house.change_map(RINGING, "")
    await alert(house, "Resolved", "rule")


async def test_an_alert_whose_party_becomes_protected_shows_nothing_more(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    await alert(house, "Raised")
    house.change_map('"+15550199"', '"+15550199", "+15550188"')
    card = await alert(house, "Resolved")
    assert not any(word in said(card) for word in ("Hal", "15550188", "0003*211", "Dan"))


async def test_a_new_rule_raises_what_rings_already(empty_house: Any) -> None:
    house = await start(empty_house)
    house.floor.ring(to="0003*211", **HAL)
    house.change_map("[help]", RINGING + "\n[help]")
    await alert(house, "Raised")
