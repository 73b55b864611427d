"""The state table, played poll by poll: proof comes before claim, and every wait has its end.

Each row of a table is an intervention, what the polls show (second, call), and the state after the last.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest

from bot.domain.actions import JOINING, RECORDING, RINGS_PHONE, ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.errors import CallGone, FormatInvalid
from bot.domain.intervention import Intervention, Poll, State, Why, answer_lost, answered, follow, refused

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeIntervention = Callable[..., Intervention]
Play = Callable[..., Intervention]
Answer = Literal["call", "ringing", "nothing"]
START, STOP, PICK_UP = ActionName.START_RECORDING, ActionName.STOP_RECORDING, ActionName.PICK_UP
LATER = "2026-11-21T12:00:10Z"


@pytest.fixture
def calls(a_call: MakeCall, a_view: MakeView, a_leg: MakeView) -> dict[str, PhoneCall | str | None]:
    """What a poll may show: Bob's call in each of its forms, or nothing, or no answer."""
    there = a_view(recording="2026-11-21T12:00:01Z")
    return {
        "call": a_call(),
        "joined": a_call(a_view("01"), a_leg("02")),
        "joined twice": a_call(a_view("01"), a_leg("02"), a_leg("03")),
        "ringing": a_call(a_view(status=3)),
        "ringing, joined": a_call(a_view(status=3), a_leg("02")),
        "picked up": a_call(a_view("01", source=["0003*024"])),
        "recorded": a_call(there),
        "another side recorded": a_call(a_view("01"), a_view("03", recording="2026-11-21T12:00:01Z")),
        "another side": a_call(a_view("03")),
        "another call": a_call(a_view("01", source=["0003*024"], recording=LATER), a_leg("02"), published=LATER),
        "gone": None,
        "?": "?",
    }


@pytest.fixture
def starts(
    an_intervention: MakeIntervention, noon: datetime, calls: Mapping[str, Any]
) -> dict[str, Callable[[], Intervention]]:
    """Where an intervention stands before its first poll."""
    return {
        "asked": an_intervention,
        "ringing": lambda: answered(an_intervention(), "ringing", noon),
        "lost": lambda: answer_lost(an_intervention()),
        "204": lambda: answered(an_intervention(), "nothing", noon),
        "asked beside a leg": lambda: an_intervention(call=calls["joined"]),
        "pick up": lambda: an_intervention(PICK_UP, call=calls["ringing"]),
        "record": lambda: an_intervention(START),
        "record, lost": lambda: answer_lost(an_intervention(START)),
        "stop recording": lambda: an_intervention(STOP, call=calls["recorded"]),
    }


@pytest.fixture
def played(
    starts: Mapping[str, Callable[[], Intervention]], calls: Mapping[str, Any], play: Play
) -> Callable[..., Intervention]:
    """Play these polls, `"joined at 3, gone at 4"`, after that start."""

    def played(start: str, polls: str) -> Intervention:
        shown = [one.rsplit(" at ", 1) for one in polls.split("; ")]
        return play(starts[start](), *((float(second), calls[what]) for what, second in shown))

    return played


STATES: dict[str, tuple[str, str, State, Why | None]] = {
    # proof
    "a new leg on call is proof": ("asked", "joined at 3", State.CONNECTED, Why.NONE),
    "a lost answer may still be proven": ("lost", "joined at 1", State.CONNECTED, Why.NONE),
    "a lost answer proves nothing while the call can be read": ("lost", "call at 1; call at 2", State.ASKED, None),
    "a leg from before the PUT is no proof": ("asked beside a leg", "joined at 1; joined at 2", State.ASKED, None),
    "such a leg is proof when it was seen gone and is back": (
        "asked beside a leg",
        "call at 1; call at 2; joined at 3",
        State.CONNECTED,
        None,
    ),
    "one poll without it does not make it new": ("asked beside a leg", "call at 1; joined at 2", State.ASKED, None),
    "an unreadable poll has not seen it gone": ("asked beside a leg", "? at 1; joined at 2", State.ASKED, None),
    "beside it the new leg is proof": ("asked beside a leg", "joined twice at 1", State.CONNECTED, None),
    "a call picked up is proven by the picked view": ("pick up", "picked up at 2", State.CONNECTED, None),
    "and not by another": ("pick up", "ringing, joined at 2", State.ASKED, None),
    "a call that the agent answered first is not picked up": ("pick up", "call at 31", State.NOT_ANSWERED, None),
    # the wait
    "after 204 the wait begins with the request": ("204", "call at 30", State.NOT_ANSWERED, None),
    "a leg within another 60 s still connects": ("ringing", "call at 30; joined at 89.9", State.CONNECTED, None),
    # the end
    "a call that two polls do not show is over": (
        "ringing",
        "joined at 3; gone at 4; gone at 5",
        State.ENDED,
        Why.CALL_OVER,
    ),
    "a call gone for one poll only goes on": (
        "ringing",
        "joined at 3; gone at 4; joined at 5; gone at 6; joined at 7",
        State.CONNECTED,
        None,
    ),
    "a ringing request ends with its call": ("ringing", "gone at 4; gone at 5", State.ENDED, Why.CALL_OVER),
    "a request not answered ends with its call": (
        "ringing",
        "call at 30; gone at 31; gone at 32",
        State.ENDED,
        Why.CALL_OVER,
    ),
    "a leg that two polls do not show has left": (
        "ringing",
        "joined at 3; call at 4; call at 5",
        State.ENDED,
        Why.LEFT,
    ),
    "a leg gone for one poll only is still there": (
        "ringing",
        "joined at 3; call at 4; joined at 5; call at 6",
        State.CONNECTED,
        None,
    ),
    "a call picked up is left when its view is somebody else's": (
        "pick up",
        "picked up at 2; call at 3; call at 4",
        State.ENDED,
        Why.LEFT,
    ),
    "one poll without the leg and one without the call are no end": (
        "ringing",
        "joined at 3; call at 4; gone at 5",
        State.CONNECTED,
        None,
    ),
    # when the call cannot be read
    "a lost answer and an unreadable call are unknown": ("lost", "? at 1", State.UNKNOWN, Why.ANSWER_LOST),
    "what is unknown is asked again when the call can be read": ("lost", "? at 1; call at 2", State.ASKED, None),
    "what is unknown may still be proven": ("lost", "? at 1; joined at 2", State.CONNECTED, Why.NONE),
    "what is unknown is not answered when the wait ran out": ("lost", "? at 1; call at 30", State.NOT_ANSWERED, None),
    "a connection once proven survives unreadable polls": (
        "ringing",
        "joined at 3; ? at 4; ? at 400",
        State.CONNECTED,
        None,
    ),
    # recording
    "recording is said when the view carries it": ("record", "recorded at 1", State.RECORDING, Why.NONE),
    "recording of another view proves nothing": ("record", "another side recorded at 1", State.ASKED, None),
    "a stop is asked while the view carries it": ("stop recording", "recorded at 1", State.ASKED, None),
    "a stop is said when the view no longer carries it": ("stop recording", "call at 1", State.RECORDING_STOPPED, None),
    "a stop unseen for 10 s is not confirmed": ("stop recording", "recorded at 10", State.NOT_CONFIRMED, None),
    "a recording that appears late is still said": ("record", "call at 10; recorded at 40", State.RECORDING, None),
    "a recording that others stop has stopped": (
        "record",
        "recorded at 1; call at 2; call at 3",
        State.RECORDING_STOPPED,
        None,
    ),
    "a recording that others start again records": (
        "stop recording",
        "call at 1; recorded at 2; recorded at 3",
        State.RECORDING,
        None,
    ),
    "a recording in a call gone for one poll only goes on": (
        "record",
        "recorded at 1; gone at 2; recorded at 3; gone at 4",
        State.RECORDING,
        None,
    ),
    "a recording ends with its call": ("record", "recorded at 1; gone at 2; gone at 3", State.ENDED, Why.CALL_OVER),
    "a recording ends when its side leaves the call": (
        "record",
        "recorded at 1; another side at 2; another side at 3",
        State.ENDED,
        Why.SIDE_GONE,
    ),
    "a proven recording hangs on no lost answer": ("record, lost", "recorded at 1", State.RECORDING, Why.NONE),
    # another call under the id
    "another call ends what was connected": (
        "asked",
        "joined at 1; another call at 11; another call at 12",
        State.ENDED,
        Why.CALL_OVER,
    ),
    "first gone and then another is the end too": ("asked", "gone at 11; another call at 12", State.ENDED, None),
    "after a lost answer another call is no proof": ("lost", "another call at 11", State.ASKED, None),
    "one poll that shows another call is forgotten when ours is back": (
        "asked",
        "another call at 11; call at 12; another call at 13",
        State.ASKED,
        None,
    ),
}


@pytest.mark.parametrize(("start", "polls", "state", "why"), STATES.values(), ids=STATES)
def test_what_the_polls_show_is_the_state(
    played: Callable[..., Intervention], start: str, polls: str, state: State, why: Why | None
) -> None:
    one = played(start, polls)
    assert (one.state, one.following) == (state, state is not State.ENDED)
    assert why in {None, one.why}


STEPS = {
    "a connection": ("ringing", "joined at 3", [State.ASKED, State.RINGING, State.CONNECTED]),
    "a call gone for single polls": (
        "ringing",
        "joined at 3; gone at 4; joined at 5; gone at 6; joined at 7",
        [State.ASKED, State.RINGING, State.CONNECTED],
    ),
    "what stays unknown": ("lost", "? at 1; ? at 2; ? at 3", [State.ASKED, State.UNKNOWN]),
    "a recording that goes on": ("record", "recorded at 1; recorded at 2", [State.ASKED, State.RECORDING]),
    "a lost answer to a recording": (
        "record, lost",
        "? at 1; recorded at 2",
        [State.ASKED, State.UNKNOWN, State.RECORDING],
    ),
}


@pytest.mark.parametrize(("start", "polls", "steps"), STEPS.values(), ids=STEPS)
def test_each_state_that_was_reached_is_one_step(
    played: Callable[..., Intervention], start: str, polls: str, steps: list[State]
) -> None:
    assert [step.state for step in played(start, polls).steps] == steps


BOUNDS: dict[str, tuple[str, str, float, State, State]] = {
    "a start is not confirmed after 10 s": ("record", "call at {}", 10, State.ASKED, State.NOT_CONFIRMED),
    "nor where it cannot be read": ("record", "? at {}", 10, State.ASKED, State.UNKNOWN),
    "a phone that rings is unknown when the wait ran out unread": (
        "ringing",
        "? at {}",
        30,
        State.RINGING,
        State.UNKNOWN,
    ),
    "what wavered is unknown again after 10 s": (
        "lost",
        "? at 1; call at 2; ? at 3; ? at {}",
        13,
        State.ASKED,
        State.UNKNOWN,
    ),
}


@pytest.mark.parametrize(("start", "polls", "second", "before", "after"), BOUNDS.values(), ids=BOUNDS)
def test_a_state_comes_at_its_second_and_not_before(  # noqa: PLR0917 - the table
    played: Callable[..., Intervention], start: str, polls: str, second: float, before: State, after: State
) -> None:
    assert [played(start, polls.format(at)).state for at in (second - 0.1, second)] == [before, after]


FOLLOWED = {
    "60 s after the wait": ("ringing", "call at 30; call at {}", 90),
    "60 s after the wait, unknown": ("lost", "? at 1; ? at {}", 90),
    "60 s after an unconfirmed recording": ("record", "call at 10; call at {}", 70),
    "an hour after the last poll that could be read": ("record", "recorded at 1; ? at 2; ? at {}", 3602),
}


@pytest.mark.parametrize(("start", "polls", "second"), FOLLOWED.values(), ids=FOLLOWED)
def test_then_nobody_polls_any_more(played: Callable[..., Intervention], start: str, polls: str, second: float) -> None:
    assert [played(start, polls.format(at)).following for at in (second - 0.1, second)] == [True, False]


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


# ── the answer to the PUT ──


def test_before_the_answer_it_is_asked(an_intervention: MakeIntervention, noon: datetime) -> None:
    one = an_intervention()
    assert (one.state, [(step.state, step.at) for step in one.steps]) == (State.ASKED, [(State.ASKED, noon)])


@pytest.mark.parametrize(
    ("answer", "state"), [("call", State.RINGING), ("ringing", State.RINGING), ("nothing", State.ASKED)]
)
def test_200_and_202_mean_ringing_and_204_proves_nothing(
    an_intervention: MakeIntervention, noon: datetime, answer: Answer, state: State
) -> None:
    assert {answered(an_intervention(action), answer, noon).state for action in RINGS_PHONE} == {state}


@pytest.mark.parametrize("answer", ["call", "ringing", "nothing"])
def test_an_accepted_recording_is_only_asked(an_intervention: MakeIntervention, noon: datetime, answer: Answer) -> None:
    assert {answered(an_intervention(action), answer, noon).state for action in RECORDING} == {State.ASKED}


@pytest.mark.parametrize("answer", ["call", "ringing", "nothing"])
def test_an_accepted_action_is_known_as_accepted_for_the_next_start(
    an_intervention: MakeIntervention, noon: datetime, answer: Answer
) -> None:
    assert {answered(an_intervention(action), answer, noon).accepted for action in ActionName} == {True}
    assert not answer_lost(an_intervention()).accepted


@pytest.mark.parametrize("answer", ["call", "ringing"])
def test_a_phone_that_was_busy_is_not_said_to_ring_for_it(an_intervention: MakeIntervention, answer: Answer) -> None:
    asked = an_intervention().model_copy(update={"rung_anyway": True})
    assert answered(asked, answer, asked.asked_at).state is State.ASKED


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


# ── proof ──

NO_PROOF = {
    "it still rings": {"status": 3},
    "its state is unknown": {"status": 0},
    "it is another supervisor's": {"source": ["0003*025"]},
    "it goes to the supervisor": {"source": ["+15550100"], "destination": ["0003*024"]},
    "only its caller id names the supervisor": {"source": ["+15550100"], "callerId": "Ana <0003*024>"},
}


@pytest.mark.parametrize("fields", NO_PROOF.values(), ids=NO_PROOF)
def test_a_new_view_is_no_proof_if(
    *, starts: Any, play: Play, a_call: MakeCall, a_view: MakeView, a_leg: MakeView, fields: dict[str, object]
) -> None:
    assert play(starts["ringing"](), (3, a_call(a_view(), a_leg("02", **fields)))).state is State.RINGING


def test_the_leg_of_a_supervisor_who_joins_is_proof(an_intervention: MakeIntervention, calls: Any, play: Play) -> None:
    assert {play(an_intervention(action), (3, calls["joined"])).state for action in JOINING} == {State.CONNECTED}


def test_the_leg_that_is_the_proof_is_kept(played: Callable[..., Intervention]) -> None:
    legs = [played("asked", "joined at 3").leg, played("asked beside a leg", "joined twice at 1").leg]
    assert legs == ["02", "03"]


def test_no_leg_proves_two_interventions(starts: Any, calls: Any, noon: datetime) -> None:
    """Which of two the phone was lifted for nobody could tell, nor who hears it."""
    after = follow(
        starts["ringing"](), Poll(call=calls["joined"]), noon + timedelta(seconds=3), taken=frozenset({"02"})
    )
    assert (after.state, after.leg) == (State.RINGING, None)


# ── what cannot be read, and what is over ──


def test_a_pbx_that_answers_every_other_read_makes_no_state_come_and_go(
    starts: Any, play: Play, a_call: MakeCall
) -> None:
    one, states = starts["lost"](), []
    for number in range(60):
        one = play(one, (number / 2, "?" if number % 2 == 0 else a_call()))
        states.append(one.state)
    changes = [state for state, before in zip(states, [State.ASKED, *states], strict=False) if state is not before]
    assert (changes, [step.state for step in one.steps]) == ([State.UNKNOWN, State.ASKED], [State.ASKED])


def test_what_cannot_be_read_for_10_s_is_marked_stale(played: Callable[..., Intervention]) -> None:
    stale = [played("ringing", f"joined at 3; ? at 4; ? at {second}").stale for second in (13.9, 14)]
    assert stale == [False, True]


def test_a_poll_that_can_be_read_ends_what_was_stale(played: Callable[..., Intervention]) -> None:
    one = played("ringing", "joined at 3; ? at 4; ? at 20; joined at 21")
    assert (one.stale, one.unread_since) == (False, None)


@pytest.mark.parametrize("polls", ["joined at 3; gone at 4; gone at 5", "joined at 3; call at 4"])
def test_the_call_as_it_was_last_seen_with_the_leg_is_kept(
    played: Callable[..., Intervention], calls: Any, polls: str
) -> None:
    assert played("ringing", polls).call == calls["joined"]


def test_what_is_not_followed_any_more_does_not_change(
    played: Callable[..., Intervention], calls: Any, play: Play
) -> None:
    rested = played("ringing", "call at 30; call at 90")
    assert play(rested, (91, calls["joined"]), (92, None), (93, "?")) == rested


def test_a_refused_recording_is_not_polled(starts: Any, calls: Any, play: Play, noon: datetime) -> None:
    no = refused(starts["record"](), FormatInvalid("pc_recformat_invalid"), noon)
    assert play(no, (1, calls["recorded"])) == no


# ── the PBX gives the id of a call that is over to another one ──


@pytest.mark.parametrize("action", ActionName)
def test_another_call_under_the_id_never_proves_anything_and_is_the_end_of_ours(
    an_intervention: MakeIntervention, play: Play, noon: datetime, calls: Any, action: ActionName
) -> None:
    asked = answered(an_intervention(action), "ringing", noon)
    after = play(asked, (11, calls["another call"]))
    assert (after.state, after.leg, after.call) == (asked.state, None, asked.call)
    after = play(after, (12, calls["another call"]))
    assert (after.state, after.why, after.following) == (State.ENDED, Why.CALL_OVER, False)


@pytest.mark.parametrize("published", ["2026-11-21T13:59:00+02:00", "2026-11-21T14:59:00+03:00", None])
def test_the_same_instant_in_another_zone_or_none_is_the_same_call(
    *,
    an_intervention: MakeIntervention,
    play: Play,
    a_call: MakeCall,
    a_view: MakeView,
    a_leg: MakeView,
    published: str | None,
) -> None:
    same = a_call(a_view(), a_leg(), published=published)
    assert play(an_intervention(), (1, same)).state is State.CONNECTED


def test_a_poll_without_the_date_keeps_it_so_that_a_later_call_is_still_known_as_another(
    an_intervention: MakeIntervention, play: Play, calls: Any
) -> None:
    asked = an_intervention()
    undated = asked.call.model_copy(update={"published": None})
    after = play(asked, (11, undated), (12, calls["another call"]), (13, calls["another call"]))
    assert (after.state, after.why) == (State.ENDED, Why.CALL_OVER)
