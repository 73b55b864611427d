"""Who is in a call already cannot be called into it once more."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.actions import RECORDING, RINGS_PHONE, ActionName
from bot.domain.calls import PhoneCall, PhoneCallView, Status
from bot.domain.errors import AlreadyInCall
from bot.interventions.checks import refuse_if_inside

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
OWN = {"extension": "0003*024", "source": ["0003*210"]}

INSIDE: dict[str, dict[str, Any]] = {
    "a party on call": {**OWN, "status": 5},
    "a party whose call rings elsewhere": {**OWN, "status": 4},
    "a party off the hook": {**OWN, "status": 1},
    "a party that is being called": {**OWN, "status": 2},
    "a party in a state that is not known": {**OWN, "status": 0},
    "a party whose own phone rings": {**OWN, "status": 3},
    "a leg on call": {"source": ["0003*024"], "status": 5},
    "one of several sources": {"source": ["+15550100", "0003*024"], "status": 5},
}
OUTSIDE: dict[str, dict[str, Any]] = {
    "somebody else's view": {},
    "a leg that only rings": {"source": ["0003*024"], "status": 3},
    "a phone of the same digits elsewhere": {"source": ["0004*024"], "status": 5},
    "somebody else's leg": {"source": ["0003*025"], "status": 5},
    "a destination alone": {"destination": ["0003*024"], "status": 5},
}


@pytest.mark.parametrize("view", INSIDE.values(), ids=INSIDE)
def test_whose_phone_is_in_the_call_is_in_it_already(a_call: MakeCall, a_view: MakeView, view: dict[str, Any]) -> None:
    for action in RINGS_PHONE:
        with pytest.raises(AlreadyInCall, match="Nothing was sent"):
            refuse_if_inside(action, a_call(a_view("01"), a_view("02", **view)), "0003*024")


@pytest.mark.parametrize("view", OUTSIDE.values(), ids=OUTSIDE)
def test_whose_phone_is_not_may_be_called_into_it(a_call: MakeCall, a_view: MakeView, view: dict[str, Any]) -> None:
    for action in RINGS_PHONE:
        refuse_if_inside(action, a_call(a_view("01"), a_view("02", **view)), "0003*024")


@pytest.mark.parametrize("view", INSIDE.values(), ids=INSIDE)
def test_who_is_in_the_call_may_record_it(a_call: MakeCall, a_view: MakeView, view: dict[str, Any]) -> None:
    for action in RECORDING:
        refuse_if_inside(action, a_call(a_view("01"), a_view("02", **view)), "0003*024")


WORDS = [
    (Status.RINGING, "Your phone 0003*024 rings for this call already: answer it."),
    (Status.ON_CALL, "You are in this call already: your phone 0003*024 is one of its parties"),
]


@pytest.mark.parametrize(("status", "words"), WORDS, ids=[status.name for status, _ in WORDS])
def test_a_party_is_told_what_its_phone_does(a_call: MakeCall, a_view: MakeView, status: Status, words: str) -> None:
    with pytest.raises(AlreadyInCall) as caught:
        refuse_if_inside(ActionName.MONITOR, a_call(a_view(**OWN, status=int(status))), "0003*024")
    assert str(caught.value).startswith(words)


def test_who_has_a_leg_is_told_how_to_change_the_mode(a_call: MakeCall, a_leg: MakeView) -> None:
    with pytest.raises(AlreadyInCall, match="Hang up first, then ask for Barge in again"):
        refuse_if_inside(ActionName.BARGE_IN, a_call(a_leg()), "0003*024")
