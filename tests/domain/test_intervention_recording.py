"""The state table of StartRecording and StopRecording: the view carries `recording`, or no longer."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.errors import FormatInvalid
from bot.domain.intervention import Intervention, State, Why, answer_lost, answered, refused

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeIntervention = Callable[..., Intervention]
Play = Callable[..., Intervention]
START, STOP = ActionName.START_RECORDING, ActionName.STOP_RECORDING


@pytest.fixture
def silent(a_call: MakeCall) -> PhoneCall:
    return a_call()


@pytest.fixture
def recorded(a_call: MakeCall, a_view: MakeView) -> PhoneCall:
    return a_call(a_view(recording="2026-11-21T12:00:01Z"))


@pytest.mark.parametrize("action", [START, STOP])
@pytest.mark.parametrize("answer", ["call", "ringing", "nothing"])
def test_an_accepted_recording_is_only_asked(
    an_intervention: MakeIntervention, noon: datetime, action: ActionName, answer: Literal["call", "ringing", "nothing"]
) -> None:
    assert answered(an_intervention(action), answer, noon).state is State.ASKED


def test_recording_is_said_when_the_view_carries_it(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall
) -> None:
    assert play(an_intervention(START), (1, recorded)).state is State.RECORDING


def test_recording_of_another_view_proves_nothing(
    an_intervention: MakeIntervention, play: Play, a_call: MakeCall, a_view: MakeView
) -> None:
    other = a_call(a_view("01"), a_view("03", recording="2026-11-21T12:00:01Z"))
    assert play(an_intervention(START), (1, other)).state is State.ASKED


def test_a_stop_is_said_when_the_view_no_longer_carries_it(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall, silent: PhoneCall
) -> None:
    asked = an_intervention(STOP, call=recorded)
    assert [play(asked, (1, look)).state for look in (recorded, silent)] == [State.ASKED, State.RECORDING_STOPPED]


def test_a_start_unseen_for_10_s_is_not_confirmed(
    an_intervention: MakeIntervention, play: Play, silent: PhoneCall
) -> None:
    states = [play(an_intervention(START), (second, silent)).state for second in (9.9, 10)]
    assert states == [State.ASKED, State.NOT_CONFIRMED]


def test_a_stop_unseen_for_10_s_is_not_confirmed(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall
) -> None:
    assert play(an_intervention(STOP, call=recorded), (10, recorded)).state is State.NOT_CONFIRMED


def test_a_recording_that_appears_late_is_still_said(
    an_intervention: MakeIntervention, play: Play, silent: PhoneCall, recorded: PhoneCall
) -> None:
    assert play(an_intervention(START), (10, silent), (40, recorded)).state is State.RECORDING


def test_60_s_later_nobody_looks_for_a_recording_any_more(
    an_intervention: MakeIntervention, play: Play, silent: PhoneCall
) -> None:
    following = [play(an_intervention(START), (10, silent), (s, silent)).following for s in (69.9, 70)]
    assert following == [True, False]


def test_a_recording_that_others_stop_is_said_to_have_stopped(
    an_intervention: MakeIntervention, play: Play, silent: PhoneCall, recorded: PhoneCall
) -> None:
    one = play(an_intervention(START), (1, recorded), (2, silent), (3, silent))
    assert (one.state, one.following) == (State.RECORDING_STOPPED, True)


def test_a_recording_that_others_start_again_is_said_to_record(
    an_intervention: MakeIntervention, play: Play, silent: PhoneCall, recorded: PhoneCall
) -> None:
    looks = [(1, silent), (2, recorded), (3, recorded)]
    assert play(an_intervention(STOP, call=recorded), *looks).state is State.RECORDING


def test_a_recording_in_a_call_gone_for_one_look_only_goes_on(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall
) -> None:
    one = play(an_intervention(START), (1, recorded), (2, None), (3, recorded), (4, None))
    assert (one.state, len(one.steps)) == (State.RECORDING, 2)


def test_a_recording_that_goes_on_is_one_step(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall
) -> None:
    assert len(play(an_intervention(START), (1, recorded), (2, recorded), (3, recorded)).steps) == 2


def test_a_recording_ends_with_its_call(an_intervention: MakeIntervention, play: Play, recorded: PhoneCall) -> None:
    one = play(an_intervention(START), (1, recorded), (2, None), (3, None))
    assert (one.state, one.why) == (State.ENDED, Why.CALL_OVER)


def test_a_recording_ends_when_its_view_leaves_the_call(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall, a_call: MakeCall, a_view: MakeView
) -> None:
    without = a_call(a_view("03"))
    assert play(an_intervention(START), (1, recorded), (2, without), (3, without)).state is State.ENDED


def test_a_lost_answer_to_a_recording_is_found_out_by_looking(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall
) -> None:
    one = play(answer_lost(an_intervention(START)), (1, "?"), (2, recorded))
    assert [step.state for step in one.steps] == [State.ASKED, State.UNKNOWN, State.RECORDING]


def test_a_proven_recording_hangs_on_no_lost_answer(
    an_intervention: MakeIntervention, play: Play, recorded: PhoneCall
) -> None:
    assert play(answer_lost(an_intervention(START)), (1, recorded)).why is Why.NONE


def test_an_accepted_recording_that_cannot_be_read_for_10_s_is_unknown(
    an_intervention: MakeIntervention, play: Play
) -> None:
    assert [play(an_intervention(START), (s, "?")).state for s in (9.9, 10)] == [State.ASKED, State.UNKNOWN]


def test_a_refused_recording_is_not_looked_at(
    an_intervention: MakeIntervention, play: Play, noon: datetime, recorded: PhoneCall
) -> None:
    no = refused(an_intervention(START), FormatInvalid("pc_recformat_invalid"), noon)
    assert play(no, (1, recorded)) == no


def test_a_side_that_is_gone_does_not_say_that_the_call_is_over(
    an_intervention: Callable[..., Intervention], play: Callable[..., Intervention], a_view: Any, a_call: Any
) -> None:
    asked = an_intervention(ActionName.START_RECORDING)
    elsewhere = a_call(a_view("05", extension="0003*220"))
    ended = play(asked, (1, elsewhere), (2, elsewhere))
    assert (ended.state, ended.why) == (State.ENDED, Why.SIDE_GONE)


def test_a_call_that_nobody_could_read_for_an_hour_is_looked_at_no_more(
    an_intervention: Callable[..., Intervention], play: Callable[..., Intervention], a_view: Any, a_call: Any
) -> None:
    recording = a_call(a_view(recording="2026-11-21T12:00:00Z"))
    begun = play(an_intervention(ActionName.START_RECORDING), (1, recording))
    assert play(begun, (2, "?"), (3000, "?")).following
    assert not play(begun, (2, "?"), (3603, "?")).following
