"""Who blocks whom, and from when on a new request is possible."""

from collections.abc import Callable

import pytest

from bot.domain.actions import ActionName
from bot.domain.errors import Refusal
from bot.domain.intervention import Intervention, State
from bot.interventions.checks import MOST_OPEN, refuse_if_busy

MakeIntervention = Callable[..., Intervention]
JOINING = [ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN]
RECORDING = [ActionName.START_RECORDING, ActionName.STOP_RECORDING]
OPEN = {State.ASKED, State.RINGING, State.UNKNOWN}


def claim(make: MakeIntervention, action: ActionName, state: State, **fields: object) -> str | None:
    return make(action, **fields).model_copy(update={"state": state}).claim_key


def claiming(make: MakeIntervention, action: ActionName, **fields: object) -> set[State]:
    """The states in which such a request holds a claim."""
    return {state for state in State if claim(make, action, state, **fields) is not None}


@pytest.mark.parametrize("action", [*JOINING, ActionName.PICK_UP])
def test_a_request_that_rings_holds_its_claim_until_it_is_over(
    an_intervention: MakeIntervention, action: ActionName
) -> None:
    assert claiming(an_intervention, action) == OPEN | {State.CONNECTED}


@pytest.mark.parametrize("action", RECORDING)
def test_a_recording_holds_its_claim_until_it_is_decided(an_intervention: MakeIntervention, action: ActionName) -> None:
    assert claiming(an_intervention, action) == OPEN


@pytest.mark.parametrize("action", ActionName)
def test_what_nobody_follows_claims_nothing(an_intervention: MakeIntervention, action: ActionName) -> None:
    assert claiming(an_intervention, action, following=False) == set()


@pytest.mark.parametrize("action", [ActionName.PICK_UP, *RECORDING])
def test_pick_up_and_recording_block_everyone(an_intervention: MakeIntervention, action: ActionName) -> None:
    ana, cleo = (claim(an_intervention, action, State.ASKED, slack_user=user) for user in ("U0ANA", "U0CLEO"))
    assert ana == cleo


@pytest.mark.parametrize("action", JOINING)
def test_joining_blocks_only_the_same_person(an_intervention: MakeIntervention, action: ActionName) -> None:
    ana, cleo = (claim(an_intervention, action, State.ASKED, slack_user=user) for user in ("U0ANA", "U0CLEO"))
    assert ana != cleo


def test_starting_and_stopping_to_record_block_each_other(an_intervention: MakeIntervention) -> None:
    start, stop = (claim(an_intervention, action, State.ASKED) for action in RECORDING)
    assert start == stop


def test_different_ways_to_join_do_not_share_a_claim(an_intervention: MakeIntervention) -> None:
    claims = {claim(an_intervention, action, State.ASKED) for action in (*JOINING, ActionName.PICK_UP)}
    assert len(claims) == 4


@pytest.mark.parametrize("action", ActionName)
def test_calls_do_not_block_each_other(an_intervention: MakeIntervention, action: ActionName) -> None:
    one, other = (claim(an_intervention, action, State.ASKED, call_id=call) for call in ("c1", "c2"))
    assert one != other


@pytest.mark.parametrize("action", ActionName)
def test_where_too_much_is_open_nothing_more_is_begun_and_the_person_knows_what_to_do(action: ActionName) -> None:
    with pytest.raises(Refusal, match=r"Too many interventions are open .* Try again in a minute"):
        refuse_if_busy(action, None, MOST_OPEN, anyway=True)


@pytest.mark.parametrize("action", ActionName)
def test_one_less_and_the_next_is_begun(action: ActionName) -> None:
    refuse_if_busy(action, None, MOST_OPEN - 1, anyway=False)
