"""Whether what an alert is about goes on in a call, and if not, why."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.alerts.alert import Resolution, When
from bot.alerts.evaluator import view_that_goes_on, why_over
from bot.alerts.responses import view_of_phone
from bot.domain.calls import PhoneCall
from bot.domain.legs import NOTHING_KNOWN, without_legs
from bot.domain.permissions import Permissions

MakeCall = Callable[..., PhoneCall]


@pytest.fixture
def rings(a_call: MakeCall, a_view: Any) -> PhoneCall:
    return a_call(a_view(status=3, answered=None))


# ── does it go on? ──

STATES: dict[str, tuple[When, dict[str, Any], bool]] = {
    "it rings": (When.RINGING, {"status": 3}, True),
    "it rings no more": (When.RINGING, {"status": 5}, False),
    "they talk": (When.TALKING, {"status": 5}, True),
    "they talk no more": (When.TALKING, {"status": 1}, False),
    "it is on hold": (When.ON_HOLD, {"onHold": "2026-11-21T11:00:00Z"}, True),
    "it is on hold no more": (When.ON_HOLD, {}, False),
    "it is parked": (When.PARKED, {"parked": "2026-11-21T11:00:00Z"}, True),
    "it is parked no more": (When.PARKED, {}, False),
    "a help request lasts as long as its view is there": (When.HELP_REQUESTED, {"status": 2}, True),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_what_an_alert_is_about_goes_on_as_long_as_its_view_shows_it(
    state: tuple[When, dict[str, Any], bool], a_call: MakeCall, a_view: Any, an_alert_of: Any
) -> None:
    when, fields, goes_on = state
    call = a_call(a_view(**fields))
    assert (view_that_goes_on(an_alert_of(a_call(), when), call) is not None) is goes_on


def test_the_view_of_another_extension_does_not_count(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rings: PhoneCall
) -> None:
    assert view_that_goes_on(an_alert_of(rings), a_call(a_view(status=3, extension="0003*220"))) is None


def test_the_view_from_before_is_preferred(a_call: MakeCall, a_view: Any, an_alert_of: Any) -> None:
    found = view_that_goes_on(an_alert_of(a_call(), When.TALKING, view_id="02"), a_call(a_view("01"), a_view("02")))
    assert found is not None
    assert found.id == "02"


# ── why is it over? ──


def over(before: PhoneCall, now: PhoneCall, an_alert_of: Any, rules: Permissions) -> tuple[Resolution, str] | None:
    return why_over(an_alert_of(before), now, without_legs(now, NOTHING_KNOWN, rules), rules)


def test_who_answers_is_the_extension_that_rang(a_call: MakeCall, an_alert_of: Any, rings: Any, rules: Any) -> None:
    assert over(rings, a_call(), an_alert_of, rules) == (Resolution.ANSWERED, "0003*210")


def test_who_picked_up_is_the_supervisor_who_is_the_source_now(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rings: Any, rules: Any
) -> None:
    now = a_call(a_view(source=["0003*024"]))
    assert over(rings, now, an_alert_of, rules) == (Resolution.PICKED_UP, "0003*024")


def test_a_help_request_for_a_ringing_call_is_over_when_a_supervisor_picks_it_up(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rings: Any, rules: Any
) -> None:
    now = a_call(a_view(source=["0003*024"]))
    asked = an_alert_of(rings, When.HELP_REQUESTED)
    assert why_over(asked, now, without_legs(now, NOTHING_KNOWN, rules), rules) == (Resolution.PICKED_UP, "0003*024")


def test_a_help_request_for_a_conversation_is_not_picked_up_by_who_listens(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rules: Any
) -> None:
    now = a_call(a_view(source=["0003*024"]))
    asked = an_alert_of(a_call(), When.HELP_REQUESTED)
    assert why_over(asked, now, without_legs(now, NOTHING_KNOWN, rules), rules) is None


def test_a_supervisor_who_calls_an_agent_has_not_picked_up(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rules: Any
) -> None:
    before = a_call(a_view(status=3, source=["0003*024"]))
    assert over(before, a_call(a_view(source=["0003*024"])), an_alert_of, rules) == (Resolution.ANSWERED, "0003*210")


def test_another_phone_that_answers_is_named(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rings: Any, rules: Any
) -> None:
    assert over(rings, a_call(a_view("02", extension="0003*220")), an_alert_of, rules) == (
        Resolution.ANSWERED,
        "0003*220",
    )


def test_the_view_of_the_caller_answers_nothing(a_call: MakeCall, a_view: Any, an_alert_of: Any, rules: Any) -> None:
    before = a_call(a_view("00", extension="0003*220", status=4), a_view(status=3, source=["0003*220"]))
    assert over(before, a_call(a_view("00", extension="0003*220")), an_alert_of, rules) is None


def test_who_talked_before_has_not_answered(a_call: MakeCall, a_view: Any, an_alert_of: Any, rules: Any) -> None:
    """The view is missing for a moment, in a call that a colleague has not left yet."""
    before = a_call(a_view("00", extension="0003*220"), a_view(status=3))
    assert over(before, a_call(a_view("00", extension="0003*220")), an_alert_of, rules) is None


def test_who_listens_to_a_colleague_has_not_made_them_answer(
    a_call: MakeCall, a_leg: Any, an_alert_of: Any, rings: Any, rules: Any
) -> None:
    assert over(rings, a_call(a_leg("02", extension="0003*220")), an_alert_of, rules) is None


def test_who_listens_under_the_id_of_the_view_that_rang_has_not_picked_up(
    a_call: MakeCall, a_view: Any, a_leg: Any, an_alert_of: Any, rules: Any
) -> None:
    before, now = a_call(a_view(status=3)), a_call(a_leg("01"), a_view("03"))
    assert over(before, now, an_alert_of, rules) == (Resolution.ANSWERED, "0003*210")


def test_a_call_between_two_agents_may_ring_on(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rings: Any, rules: Any
) -> None:
    assert over(rings, a_call(a_view(status=2)), an_alert_of, rules) is None


def test_a_view_that_is_gone_does_not_say_why_its_hold_is_over(
    a_call: MakeCall, a_view: Any, an_alert_of: Any, rules: Any
) -> None:
    held = an_alert_of(a_call(), When.ON_HOLD)
    assert why_over(held, a_call(a_view("07")), a_call(a_view("07")), rules) is None
    assert why_over(held, a_call(), a_call(), rules) == (Resolution.CONDITION_OVER, "")


# ── the view of a phone ──


def test_a_conversation_is_meant_rather_than_what_waits(a_call: MakeCall, a_view: Any) -> None:
    call = a_call(a_view("01", onHold="2026-11-21T11:00:00Z"), a_view("02", extension="0003*211"))
    found = view_of_phone(call, ("0003*210", "0003*211"))
    assert found is not None
    assert found.id == "02"


def test_of_somebody_else_s_call_no_view_is_theirs(a_call: MakeCall) -> None:
    assert view_of_phone(a_call(), ("0003*220",)) is None
