"""The state table of Monitor, Whisper, BargeIn and PickUp: proof comes before claim, and every wait has its end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.errors import CallGone
from bot.domain.intervention import Intervention, Poll, State, Why, answer_lost, answered, follow, refused

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeIntervention = Callable[..., Intervention]
Play = Callable[..., Intervention]
JOINING = [ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN]


@pytest.fixture
def ringing(an_intervention: MakeIntervention, noon: datetime) -> Intervention:
    """Monitor, accepted at once."""
    return answered(an_intervention(), "ringing", noon)


@pytest.fixture
def joined(a_call: MakeCall, a_view: MakeView, a_leg: MakeView) -> PhoneCall:
    """Bob's call with Ana's leg."""
    return a_call(a_view("01"), a_leg("02"))


# ── the answer to the PUT ──


def test_before_the_answer_it_is_asked(an_intervention: MakeIntervention, noon: datetime) -> None:
    one = an_intervention()
    assert (one.state, [(step.state, step.at) for step in one.steps]) == (State.ASKED, [(State.ASKED, noon)])


@pytest.mark.parametrize(
    ("answer", "state"), [("call", State.RINGING), ("ringing", State.RINGING), ("nothing", State.ASKED)]
)
@pytest.mark.parametrize("action", [*JOINING, ActionName.PICK_UP])
def test_200_and_202_mean_ringing_and_204_proves_nothing(
    an_intervention: MakeIntervention,
    noon: datetime,
    action: ActionName,
    answer: Literal["call", "ringing", "nothing"],
    state: State,
) -> None:
    assert answered(an_intervention(action), answer, noon).state is state


def test_a_no_of_the_pbx_is_the_end_with_its_code_and_what_to_do(
    an_intervention: MakeIntervention, noon: datetime
) -> None:
    one = refused(an_intervention(), CallGone("pc_honecall_invalid"), noon)
    assert (one.state, one.following, one.code, one.advice) == (
        State.REFUSED,
        False,
        "pc_honecall_invalid",
        CallGone.advice,
    )


def test_a_lost_answer_while_the_call_can_be_read_stays_asked(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall
) -> None:
    assert play(answer_lost(an_intervention()), (1, a_call()), (2, a_call())).state is State.ASKED


def test_a_lost_answer_may_still_be_proven(an_intervention: MakeIntervention, play: Play, joined: PhoneCall) -> None:
    assert play(answer_lost(an_intervention()), (1, joined)).state is State.CONNECTED


# ── proof ──


@pytest.mark.parametrize("action", JOINING)
def test_a_new_view_on_call_from_the_supervisors_phone_is_proof(
    an_intervention: MakeIntervention, play: Play, joined: PhoneCall, action: ActionName
) -> None:
    one = play(an_intervention(action), (3, joined))
    assert (one.state, one.leg) == (State.CONNECTED, "02")


NO_PROOF = {
    "it still rings": {"status": 3},
    "its state is unknown": {"status": 0},
    "it is another supervisor's": {"source": ["0003*025"]},
    "it goes to the supervisor": {"source": ["+15550100"], "destination": ["0003*024"]},
    "only its caller id names the supervisor": {"source": ["+15550100"], "callerId": "Ana <0003*024>"},
}


@pytest.mark.parametrize("fields", NO_PROOF.values(), ids=NO_PROOF)
def test_a_new_view_is_no_proof_if(
    *, ringing: Intervention, play: Play, a_call: MakeCall, a_view: MakeView, a_leg: MakeView, fields: dict[str, object]
) -> None:
    assert play(ringing, (3, a_call(a_view(), a_leg("02", **fields)))).state is State.RINGING


def test_a_leg_that_was_there_before_the_put_is_no_proof(
    an_intervention: MakeIntervention, play: Play, joined: PhoneCall
) -> None:
    assert play(an_intervention(call=joined), (1, joined), (2, joined)).state is State.ASKED


def test_a_leg_that_was_there_before_and_was_seen_gone_is_proof_when_it_is_back(
    an_intervention: MakeIntervention, play: Play, joined: PhoneCall, a_call: MakeCall
) -> None:
    gone = ((1, a_call()), (2, a_call()))
    assert play(an_intervention(call=joined), *gone, (3, joined)).state is State.CONNECTED


def test_one_look_without_an_old_leg_does_not_make_it_new(
    an_intervention: MakeIntervention, play: Play, joined: PhoneCall, a_call: MakeCall
) -> None:
    assert play(an_intervention(call=joined), (1, a_call()), (2, joined)).state is State.ASKED


def test_an_unreadable_look_has_not_seen_a_leg_gone(
    an_intervention: MakeIntervention, play: Play, joined: PhoneCall
) -> None:
    assert play(an_intervention(call=joined), (1, "?"), (2, joined)).state is State.ASKED


def test_beside_an_old_leg_the_new_one_is_the_proof(
    an_intervention: MakeIntervention, play: Play, joined: PhoneCall, a_call: MakeCall, a_leg: MakeView
) -> None:
    both = a_call(*joined.views, a_leg("03"))
    assert play(an_intervention(call=joined), (1, both)).leg == "03"


def test_a_call_picked_up_is_proven_by_the_picked_view(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall, a_view: MakeView
) -> None:
    one = an_intervention(ActionName.PICK_UP, call=a_call(a_view(status=3)))
    assert play(one, (2, a_call(a_view("01", source=["0003*024"])))).state is State.CONNECTED


def test_a_call_picked_up_is_not_proven_by_another_view(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    one = an_intervention(ActionName.PICK_UP, call=a_call(a_view(status=3)))
    assert play(one, (2, a_call(a_view(status=3), a_leg("02")))).state is State.ASKED


def test_a_call_that_the_agent_answered_first_is_not_picked_up(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall, a_view: MakeView
) -> None:
    one = an_intervention(ActionName.PICK_UP, call=a_call(a_view(status=3)))
    assert play(one, (2, a_call()), (31, a_call())).state is State.NOT_ANSWERED


# ── the wait ──


@pytest.mark.parametrize(("wait", "end"), [(None, 30), (1, 6), (20, 25), (300, 305)])
def test_it_is_not_answered_when_the_wait_and_5_s_more_ran_out(
    *, an_intervention: MakeIntervention, noon: datetime, play: Play, a_call: MakeCall, wait: int | None, end: int
) -> None:
    one = answered(an_intervention(wait=wait), "ringing", noon)
    states = [play(one, (second, a_call())).state for second in (end - 0.1, end)]
    assert states == [State.RINGING, State.NOT_ANSWERED]


def test_the_wait_begins_when_the_phone_is_called(
    an_intervention: MakeIntervention, noon: datetime, play: Play, a_call: MakeCall
) -> None:
    one = answered(an_intervention(), "ringing", noon + timedelta(seconds=8))
    states = [play(one, (second, a_call())).state for second in (37.9, 38)]
    assert states == [State.RINGING, State.NOT_ANSWERED]


def test_after_204_the_wait_begins_with_the_request(
    an_intervention: MakeIntervention, noon: datetime, play: Play, a_call: MakeCall
) -> None:
    one = answered(an_intervention(), "nothing", noon)
    assert play(one, (30, a_call())).state is State.NOT_ANSWERED


def test_a_leg_within_another_60_s_still_connects(
    ringing: Intervention, play: Play, a_call: MakeCall, joined: PhoneCall
) -> None:
    assert play(ringing, (30, a_call()), (89.9, joined)).state is State.CONNECTED


def test_60_s_later_nobody_looks_any_more(ringing: Intervention, play: Play, a_call: MakeCall) -> None:
    following = [play(ringing, (30, a_call()), (second, a_call())).following for second in (89.9, 90)]
    assert following == [True, False]


def test_what_is_not_followed_any_more_does_not_change(
    ringing: Intervention, play: Play, a_call: MakeCall, joined: PhoneCall
) -> None:
    rested = play(ringing, (30, a_call()), (90, a_call()))
    assert play(rested, (91, joined), (92, None), (93, "?")) == rested


# ── the end ──


def test_a_call_that_two_looks_do_not_show_is_over(ringing: Intervention, play: Play, joined: PhoneCall) -> None:
    one = play(ringing, (3, joined), (4, None), (5, None))
    assert (one.state, one.why, one.following) == (State.ENDED, Why.CALL_OVER, False)


def test_a_call_gone_for_one_look_only_goes_on(ringing: Intervention, play: Play, joined: PhoneCall) -> None:
    one = play(ringing, (3, joined), (4, None), (5, joined), (6, None), (7, joined))
    assert (one.state, len(one.steps)) == (State.CONNECTED, 3)


def test_a_ringing_request_ends_with_its_call(ringing: Intervention, play: Play) -> None:
    assert play(ringing, (4, None), (5, None)).why is Why.CALL_OVER


def test_a_request_not_answered_ends_with_its_call(ringing: Intervention, play: Play, a_call: MakeCall) -> None:
    assert play(ringing, (30, a_call()), (31, None), (32, None)).state is State.ENDED


def test_a_leg_that_two_looks_do_not_show_has_left(
    ringing: Intervention, play: Play, joined: PhoneCall, a_call: MakeCall
) -> None:
    one = play(ringing, (3, joined), (4, a_call()), (5, a_call()))
    assert (one.state, one.why, one.following) == (State.ENDED, Why.LEFT, False)


def test_a_leg_gone_for_one_look_only_is_still_there(
    ringing: Intervention, play: Play, joined: PhoneCall, a_call: MakeCall
) -> None:
    assert play(ringing, (3, joined), (4, a_call()), (5, joined), (6, a_call())).state is State.CONNECTED


def test_a_call_picked_up_is_left_when_its_view_is_somebody_elses(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall, a_view: MakeView
) -> None:
    one = an_intervention(ActionName.PICK_UP, call=a_call(a_view(status=3)))
    mine = a_call(a_view("01", source=["0003*024"]))
    assert play(one, (2, mine), (3, a_call()), (4, a_call())).why is Why.LEFT


def test_one_look_without_the_leg_and_one_without_the_call_do_not_make_the_call_over(
    ringing: Intervention, play: Play, joined: PhoneCall, a_call: MakeCall
) -> None:
    assert play(ringing, (3, joined), (4, a_call()), (5, None)).why is not Why.CALL_OVER


def test_the_call_as_it_was_last_seen_is_kept(ringing: Intervention, play: Play, joined: PhoneCall) -> None:
    assert play(ringing, (3, joined), (4, None), (5, None)).call == joined


# ── when the call cannot be read ──


def test_a_lost_answer_and_an_unreadable_call_are_unknown(an_intervention: MakeIntervention, play: Play) -> None:
    assert play(answer_lost(an_intervention()), (1, "?")).state is State.UNKNOWN


def test_what_is_unknown_is_asked_again_when_the_call_can_be_read(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall
) -> None:
    assert play(answer_lost(an_intervention()), (1, "?"), (2, a_call())).state is State.ASKED


def test_what_is_unknown_may_still_be_proven(an_intervention: MakeIntervention, play: Play, joined: PhoneCall) -> None:
    assert play(answer_lost(an_intervention()), (1, "?"), (2, joined)).state is State.CONNECTED


def test_what_is_unknown_is_not_answered_when_the_wait_ran_out(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall
) -> None:
    assert play(answer_lost(an_intervention()), (1, "?"), (30, a_call())).state is State.NOT_ANSWERED


def test_what_is_unknown_stays_so_however_often_it_cannot_be_read(
    an_intervention: MakeIntervention, play: Play
) -> None:
    one = play(answer_lost(an_intervention()), (1, "?"), (2, "?"), (3, "?"))
    assert [step.state for step in one.steps] == [State.ASKED, State.UNKNOWN]


def test_a_pbx_that_answers_every_other_read_makes_no_state_come_and_go(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall
) -> None:
    one, states = answer_lost(an_intervention()), []
    for number in range(60):
        one = play(one, (number / 2, "?" if number % 2 == 0 else a_call()))
        states.append(one.state)
    changes = [state for state, before in zip(states, [State.ASKED, *states], strict=False) if state is not before]
    assert (changes, [step.state for step in one.steps]) == ([State.UNKNOWN, State.ASKED], [State.ASKED])


def test_what_was_unknown_once_is_unknown_again_when_it_cannot_be_read_for_10_s(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall
) -> None:
    wavered = play(answer_lost(an_intervention()), (1, "?"), (2, a_call()), (3, "?"))
    unread = [play(wavered, (second, "?")) for second in (12.9, 13)]
    assert [one.state for one in unread] == [State.ASKED, State.UNKNOWN]
    assert [step.state for step in unread[1].steps] == [State.ASKED, State.UNKNOWN]


def test_what_is_unknown_is_looked_at_until_60_s_after_the_wait(an_intervention: MakeIntervention, play: Play) -> None:
    lost = answer_lost(an_intervention())
    assert [play(lost, (1, "?"), (second, "?")).following for second in (89.9, 90)] == [True, False]


def test_a_phone_that_rings_is_unknown_only_when_the_wait_ran_out_unread(ringing: Intervention, play: Play) -> None:
    assert [play(ringing, (second, "?")).state for second in (29.9, 30)] == [State.RINGING, State.UNKNOWN]


def test_a_connection_once_proven_survives_unreadable_looks(
    ringing: Intervention, play: Play, joined: PhoneCall
) -> None:
    assert play(ringing, (3, joined), (4, "?"), (400, "?")).state is State.CONNECTED


def test_what_cannot_be_read_for_10_s_is_marked_stale(ringing: Intervention, play: Play, joined: PhoneCall) -> None:
    stale = [play(ringing, (3, joined), (4, "?"), (second, "?")).stale for second in (13.9, 14)]
    assert stale == [False, True]


def test_a_look_that_can_be_read_ends_what_was_stale(ringing: Intervention, play: Play, joined: PhoneCall) -> None:
    one = play(ringing, (3, joined), (4, "?"), (20, "?"), (21, joined))
    assert (one.stale, one.unread_since) == (False, None)


def test_no_leg_proves_two_interventions(ringing: Intervention, joined: PhoneCall, noon: datetime) -> None:
    """Which of two the phone was lifted for nobody could tell, nor who hears it."""
    after = follow(ringing, Poll(call=joined), noon + timedelta(seconds=3), taken=frozenset({"02"}))
    assert (after.state, after.leg) == (State.RINGING, None)


@pytest.mark.parametrize("answer", ["call", "ringing"])
def test_a_phone_that_was_busy_is_not_said_to_ring_for_it(
    an_intervention: Callable[..., Intervention], answer: Literal["call", "ringing"]
) -> None:
    asked = an_intervention().model_copy(update={"rung_anyway": True})
    assert answered(asked, answer, asked.asked_at).state is State.ASKED
