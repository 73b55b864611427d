"""The PBX gives the id of a call that is over to another one: that is the end of ours, and proves nothing."""

from collections.abc import Callable
from datetime import datetime

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.intervention import Intervention, State, Why, answer_lost, answered

MakeIntervention = Callable[..., Intervention]
MakeView = Callable[..., PhoneCallView]
Play = Callable[..., Intervention]
LATER = "2026-11-21T12:00:10Z"


@pytest.fixture
def another(a_call: Callable[..., PhoneCall], a_view: MakeView, a_leg: MakeView) -> PhoneCall:
    """A later call under the id of ours, that looks just as if Ana were in it and it were recorded."""
    recorded = a_view("01", source=["0003*024"], recording=LATER)
    return a_call(recorded, a_leg("02"), published=LATER)


@pytest.mark.parametrize("action", ActionName)
def test_another_call_under_the_id_never_proves_anything(
    an_intervention: MakeIntervention, play: Play, noon: datetime, another: PhoneCall, action: ActionName
) -> None:
    asked = answered(an_intervention(action), "ringing", noon)
    after = play(asked, (11, another))
    assert (after.state, after.leg, after.call) == (asked.state, None, asked.call)


@pytest.mark.parametrize("action", ActionName)
def test_two_looks_that_show_another_call_are_the_end_of_ours(
    an_intervention: MakeIntervention, play: Play, another: PhoneCall, action: ActionName
) -> None:
    after = play(an_intervention(action), (11, another), (12, another))
    assert (after.state, after.why, after.following) == (State.ENDED, Why.CALL_OVER, False)


def test_another_call_ends_what_was_connected(
    an_intervention: MakeIntervention, play: Play, a_call: Callable[..., PhoneCall], a_leg: MakeView, another: PhoneCall
) -> None:
    joined = a_call(a_leg("01", source=["+15550100"]), a_leg("02"))
    after = play(an_intervention(), (1, joined), (11, another), (12, another))
    assert (after.state, after.why) == (State.ENDED, Why.CALL_OVER)


def test_one_look_at_another_call_is_forgotten_when_ours_is_back(
    an_intervention: MakeIntervention, play: Play, a_call: Callable[..., PhoneCall], another: PhoneCall
) -> None:
    after = play(an_intervention(), (11, another), (12, a_call()), (13, another))
    assert (after.state, after.call) == (State.ASKED, a_call())


def test_first_gone_and_then_another_is_the_end_too(
    an_intervention: MakeIntervention, play: Play, another: PhoneCall
) -> None:
    assert play(an_intervention(), (11, None), (12, another)).state is State.ENDED


def test_after_a_lost_answer_another_call_is_no_proof(
    an_intervention: MakeIntervention, play: Play, another: PhoneCall
) -> None:
    assert play(answer_lost(an_intervention()), (11, another)).state is State.ASKED


@pytest.mark.parametrize("published", ["2026-11-21T13:59:00+02:00", "2026-11-21T14:59:00+03:00", None])
def test_the_same_instant_in_another_zone_or_none_is_the_same_call(
    *,
    an_intervention: MakeIntervention,
    play: Play,
    a_call: Callable[..., PhoneCall],
    a_view: MakeView,
    a_leg: MakeView,
    published: str | None,
) -> None:
    same = a_call(a_view(), a_leg(), published=published)
    assert play(an_intervention(), (1, same)).state is State.CONNECTED


def test_a_look_without_the_date_keeps_it_so_that_a_later_call_is_still_known_as_another(
    an_intervention: MakeIntervention, play: Play, another: PhoneCall
) -> None:
    asked = an_intervention(ActionName.MONITOR)
    undated = asked.call.model_copy(update={"published": None})
    after = play(asked, (11, undated), (12, another), (13, another))
    assert (after.state, after.why) == (State.ENDED, Why.CALL_OVER)
