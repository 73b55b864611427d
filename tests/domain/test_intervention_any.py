"""Whatever the PBX shows in whatever order: nothing is claimed without proof, and what has ended stays so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.actions import RECORDING, ActionName
from bot.domain.calls import PhoneCall
from bot.domain.intervention import UNREADABLE, Intervention, Poll, State, Why, answer_lost, answered, follow

quick = settings(max_examples=60, deadline=None)
MakeIntervention = Callable[..., Intervention]
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANA = "0003*024"

VIEWS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["01", "02", "03"]),
        "source": st.sampled_from([[ANA], ["0003*025"], ["+15550100"]]),
        "status": st.sampled_from([0, 3, 5]),
        "recording": st.sampled_from([None, "2026-11-21T12:00:01Z"]),
    }
)
CALLS = st.builds(lambda views: PhoneCall.model_validate({"id": "c1", "views": views}), st.lists(VIEWS, max_size=3))
POLLS = st.lists(
    st.tuples(st.floats(0.1, 20), st.just(UNREADABLE) | st.just(Poll()) | CALLS.map(lambda call: Poll(call=call))),
    max_size=12,
)
BEGUN = st.tuples(st.sampled_from(ActionName), CALLS, st.sampled_from(["call", "nothing", "lost"]))
History = list[tuple[Poll, Intervention]]


def played(make: MakeIntervention, begun: tuple[ActionName, PhoneCall, Any], polls: Any) -> History:
    """Each poll, with what was true after it; the first is the read before the PUT."""
    action, call, answer = begun
    asked = make(action, call=call)
    one = answer_lost(asked) if answer == "lost" else answered(asked, answer, NOON)
    history = [(Poll(call=call), one)]
    now = NOON
    for pause, poll in polls:
        now += timedelta(seconds=pause)
        one = follow(one, poll, now)
        history.append((poll, one))
    return history


def sources(poll: Poll, view_id: str) -> tuple[str, ...]:
    view = poll.call.view(view_id) if poll.call is not None else None
    return view.source if view is not None else ()


@quick
@given(BEGUN, POLLS)
def test_nobody_is_connected_without_a_leg_on_call_that_was_absent_before_or_since(
    an_intervention: MakeIntervention, begun: Any, polls: Any
) -> None:
    history = played(an_intervention, begun, polls)
    for number, ((_, before), (poll, after)) in enumerate(pairwise(history), start=1):
        if after.state is State.CONNECTED is not before.state:
            view = poll.call.view(after.leg or "") if poll.call is not None else None
            assert view is not None
            assert (view.on_call, ANA in view.source) == (True, True)
            assert after.name is not ActionName.PICK_UP or view.id == "01"
            earlier = [seen for seen, _ in history[:number] if seen.call is not None]
            assert any(ANA not in sources(seen, view.id) for seen in earlier)


@quick
@given(BEGUN, POLLS)
def test_what_is_not_followed_any_more_never_changes(an_intervention: MakeIntervention, begun: Any, polls: Any) -> None:
    history = [one for _, one in played(an_intervention, begun, polls)]
    assert all(after == before for before, after in pairwise(history) if not before.following)


@quick
@given(BEGUN, POLLS)
def test_what_has_ended_is_not_followed(an_intervention: MakeIntervention, begun: Any, polls: Any) -> None:
    over = [one for _, one in played(an_intervention, begun, polls) if one.state is State.ENDED]
    assert not any(one.following for one in over)


@quick
@given(BEGUN, POLLS)
def test_a_call_is_over_only_when_two_looks_in_a_row_did_not_show_it(
    an_intervention: MakeIntervention, begun: Any, polls: Any
) -> None:
    history = played(an_intervention, begun, polls)
    end = next((n for n, (_, one) in enumerate(history) if one.why is Why.CALL_OVER), None)
    if end is not None:
        readable = [poll for poll, _ in history[: end + 1] if poll.readable][-2:]
        name = history[end][1].name
        gone = [poll.call is None or (name in RECORDING and poll.call.view("01") is None) for poll in readable]
        assert gone == [True, True]


@quick
@given(BEGUN, POLLS)
def test_recording_is_said_only_as_the_view_shows_it(an_intervention: MakeIntervention, begun: Any, polls: Any) -> None:
    history = played(an_intervention, begun, polls)
    for (_, before), (poll, after) in pairwise(history):
        if after.state is not before.state and after.state in {State.RECORDING, State.RECORDING_STOPPED}:
            view = poll.call.view("01") if poll.call is not None else None
            assert view is not None
            assert (view.recording is not None) is (after.state is State.RECORDING)


@quick
@given(BEGUN, POLLS)
def test_every_state_has_its_step_and_steps_never_go_back_in_time(
    an_intervention: MakeIntervention, begun: Any, polls: Any
) -> None:
    one = played(an_intervention, begun, polls)[-1][1]
    times = [step.at for step in one.steps]
    assert (one.steps[-1].state, times) == (one.state, sorted(times))


@quick
@given(BEGUN, POLLS)
def test_an_intervention_reads_back_from_the_ledger_as_it_was(
    an_intervention: MakeIntervention, begun: Any, polls: Any
) -> None:
    one = played(an_intervention, begun, polls)[-1][1]
    assert Intervention.model_validate_json(one.model_dump_json()) == one


@quick
@given(BEGUN, st.integers(0, 3))
def test_nothing_undecided_is_followed_for_ever(an_intervention: MakeIntervention, begun: Any, kind: int) -> None:
    polls = [UNREADABLE, Poll(call=begun[1]), Poll(), Poll(call=PhoneCall.model_validate({"id": "c1"}))]
    one = played(an_intervention, begun, [(10.0, polls[kind])] * 12)[-1][1]
    assert not one.following or one.state in {State.CONNECTED, State.RECORDING, State.RECORDING_STOPPED}


@quick
@given(BEGUN, POLLS)
def test_while_an_absence_is_in_doubt_the_call_is_shown_as_before(
    an_intervention: MakeIntervention, begun: Any, polls: Any
) -> None:
    history = [one for _, one in played(an_intervention, begun, polls)]
    assert all(after.call == before.call for before, after in pairwise(history) if after.unseen)
