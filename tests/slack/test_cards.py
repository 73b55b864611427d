"""The card of an intervention begins with its state, and says who hears the supervisor."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.errors import SendCallToInvalid
from bot.domain.intervention import Intervention, State, Step, Why, answer_lost, refused
from bot.interventions.card import Card
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.intervention_card import STATE, intervention_message
from bot.slack.messages import Message

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeIntervention = Callable[..., Intervention]
MakeCard = Callable[..., Card]
Reached = Callable[..., Intervention]
Texts = Callable[[Message], list[str]]
START, STOP, WHISPER = ActionName.START_RECORDING, ActionName.STOP_RECORDING, ActionName.WHISPER

# ── the word of each state ──

WORDS: list[tuple[State, ActionName, str]] = [
    (State.ASKED, ActionName.MONITOR, "Asked: Monitor."),
    (State.RINGING, ActionName.MONITOR, "Ringing Ana's phone 0003*024."),
    (State.CONNECTED, ActionName.MONITOR, "Connected after 4 s."),
    (State.CONNECTED, ActionName.PICK_UP, "Connected after 4 s."),
    (State.RECORDING, START, "Recording Bob's call."),
    (State.RECORDING_STOPPED, STOP, "Recording stopped: Bob's call."),
    (State.NOT_ANSWERED, ActionName.MONITOR, "Not answered: no connection seen in 25 s."),
    (State.NOT_CONFIRMED, START, "Not confirmed: no recording seen in 10 s."),
    (State.NOT_CONFIRMED, STOP, "Not confirmed: the call is still being recorded after 10 s."),
    (State.ENDED, ActionName.MONITOR, "Ended: You left; Bob's call goes on."),
    (State.REFUSED, ActionName.MONITOR, "Refused: Monitor."),
    (State.UNKNOWN, ActionName.MONITOR, "Unknown: your phone may still ring; nothing is sent again."),
]
IDS = [f"{state} {name}" for state, name, _ in WORDS]


def picked_up(reached: Any, why: Why) -> Any:
    """A call that Ana picked up, and that is over for her."""
    one = reached(State.CONNECTED, ActionName.PICK_UP)
    ended = Step(state=State.ENDED, at=one.steps[-1].at + timedelta(seconds=60))
    return one.model_copy(update={"state": State.ENDED, "why": why, "steps": (*one.steps, ended), "following": False})


@pytest.mark.parametrize(
    ("why", "head"),
    [(Why.CALL_OVER, "Ended: Ana's call is over."), (Why.LEFT, "Ended: You left; the call goes on.")],
)
def test_a_call_that_was_picked_up_was_the_supervisor_s_when_it_ends(
    a_card: Any, reached: Any, why: Why, head: str
) -> None:
    text = intervention_message(a_card(picked_up(reached, why))).text
    assert text.startswith(head)
    assert "Ana had picked it up from Bob." in text


def test_once_nothing_goes_on_a_card_tells_everything_that_was_done(a_card: Any, reached: Any) -> None:
    done = [
        reached(State.ENDED, name, id=f"i{number}").model_copy(update={"following": False})
        for number, name in enumerate((ActionName.MONITOR, ActionName.WHISPER, ActionName.START_RECORDING))
    ]
    assert "Monitor and Whisper and Record, Bob Ionescu" in intervention_message(a_card(*done)).text


def test_a_change_of_mode_leaves_the_recording_on_the_card(a_card: Any, reached: Any) -> None:
    asked = (
        reached(State.CONNECTED),
        reached(State.RECORDING, ActionName.START_RECORDING, after=8, id="i2"),
        reached(State.RINGING, ActionName.WHISPER, after=20, id="i3"),
    )
    assert "Ana Pop, Monitor and Record, Bob Ionescu" in intervention_message(a_card(*asked)).text


@pytest.mark.parametrize(("state", "name", "words"), WORDS, ids=IDS)
def test_the_text_begins_with_the_states_word(
    a_card: MakeCard, reached: Reached, state: State, name: ActionName, words: str
) -> None:
    text = intervention_message(a_card(reached(state, name))).text
    assert (text.startswith(words), words.startswith(STATE[state])) == (True, True)


@pytest.mark.parametrize(("state", "name"), [row[:2] for row in WORDS], ids=IDS)
def test_the_first_block_carries_the_states_word_too(
    a_card: MakeCard, reached: Reached, state: State, name: ActionName, shown: Texts
) -> None:
    assert shown(intervention_message(a_card(reached(state, name))))[0].startswith(STATE[state])


@pytest.mark.parametrize(("state", "name"), [row[:2] for row in WORDS], ids=IDS)
def test_slack_takes_the_card_of_every_state(
    a_card: MakeCard, reached: Reached, state: State, name: ActionName
) -> None:
    assert check_blocks(list(intervention_message(a_card(reached(state, name))).blocks)) == []


def test_every_state_is_in_the_table() -> None:
    assert {state for state, _, _ in WORDS} == set(State)


def test_a_call_that_is_over_says_whose(a_card: MakeCard, reached: Reached) -> None:
    one = reached(State.ENDED).model_copy(update={"why": Why.CALL_OVER})
    assert intervention_message(a_card(one)).text.startswith("Ended: Bob's call is over.")


def test_what_was_not_answered_says_how_long_was_waited(a_card: MakeCard, reached: Reached) -> None:
    assert "no connection seen in 90 s" in intervention_message(a_card(reached(State.NOT_ANSWERED, wait=90))).text


def test_a_refusal_says_what_to_do_and_then_its_code(
    a_card: MakeCard, an_intervention: MakeIntervention, noon: datetime, shown: Texts
) -> None:
    one = refused(an_intervention(), SendCallToInvalid("pc_sendcallto_invalid"), noon)
    assert f"{SendCallToInvalid.advice} (pc_sendcallto_invalid)" in shown(intervention_message(a_card(one)))


def test_a_refusal_without_a_code_shows_no_empty_brackets(a_card: MakeCard, reached: Reached, shown: Texts) -> None:
    one = reached(State.REFUSED).model_copy(update={"advice": "Try again."})
    assert "Try again." in shown(intervention_message(a_card(one)))


def test_a_lost_answer_is_said(a_card: MakeCard, an_intervention: MakeIntervention) -> None:
    assert "answer of the PBX was lost" in intervention_message(a_card(answer_lost(an_intervention()))).text


def test_a_recording_that_is_not_confirmed_names_the_setting_that_it_needs(a_card: MakeCard, reached: Reached) -> None:
    text = intervention_message(a_card(reached(State.NOT_CONFIRMED, START))).text
    assert "Record triggered" in text
    assert "0003*210" in text


def test_a_recording_says_since_when(
    a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView, shown: Texts
) -> None:
    call = a_call(a_view(recording="2026-11-21T12:00:01Z"))
    texts = shown(intervention_message(a_card(reached(State.RECORDING, START, call=call))))
    assert "Recording since <!date^1795262401^{time_secs}|12:00:01 UTC>" in texts


def test_the_request_that_is_under_way_is_the_headline(a_card: MakeCard, reached: Reached) -> None:
    connected, recording = reached(State.CONNECTED, after=9), reached(State.ASKED, START)
    assert intervention_message(a_card(connected, recording)).text.startswith("Asked: Record.")


def test_of_what_is_decided_the_newest_is_the_headline(a_card: MakeCard, reached: Reached) -> None:
    connected, recording = reached(State.CONNECTED, after=9), reached(State.RECORDING, START, after=7)
    assert intervention_message(a_card(connected, recording)).text.startswith("Connected")


# ── who hears ──

HEARS: list[tuple[ActionName, State, str]] = [
    (ActionName.MONITOR, State.CONNECTED, "nobody"),
    (WHISPER, State.CONNECTED, "only Bob"),
    (ActionName.BARGE_IN, State.CONNECTED, "everyone in the call"),
    (ActionName.PICK_UP, State.CONNECTED, "the caller; the call is Ana's"),
    (ActionName.BARGE_IN, State.ASKED, "nobody yet; once connected: everyone in the call"),
    (WHISPER, State.RINGING, "nobody yet; once connected: only Bob"),
    (ActionName.BARGE_IN, State.NOT_ANSWERED, "nobody (no connection seen)"),
    (ActionName.BARGE_IN, State.UNKNOWN, "not known while the call cannot be read"),
    (ActionName.BARGE_IN, State.ENDED, "nobody (not in the call)"),
    (ActionName.BARGE_IN, State.REFUSED, "nobody (not in the call)"),
    (START, State.RECORDING, "nobody through this recording"),
]


@pytest.mark.parametrize(("name", "state", "hears"), HEARS, ids=[f"{name} {state}" for name, state, _ in HEARS])
def test_the_card_says_who_hears(
    *, a_card: MakeCard, reached: Reached, name: ActionName, state: State, hears: str, shown: Texts
) -> None:
    message = intervention_message(a_card(reached(state, name)))
    assert (f"Who hears Ana: {hears}" in shown(message), f"Who hears Ana: {hears}." in message.text) == (True, True)


def test_a_private_whisper_says_that_the_call_is_not_heard(a_card: MakeCard, reached: Reached, shown: Texts) -> None:
    body = {"action": "Whisper", "phoneCallViewId": "01", "sendCallTo": "0003*024", "private": 1}
    one = reached(State.CONNECTED, action=body)
    assert "Who hears Ana: only Bob; Ana does not hear the call" in shown(intervention_message(a_card(one)))


def test_while_a_new_leg_is_not_proven_those_hear_who_heard_before(a_card: MakeCard, reached: Reached) -> None:
    message = intervention_message(
        a_card(reached(State.CONNECTED), reached(State.RINGING, ActionName.BARGE_IN, after=9))
    )
    assert "Who hears Ana: nobody." in message.text


def test_who_listens_while_recording_is_still_heard_by_nobody(a_card: MakeCard, reached: Reached) -> None:
    message = intervention_message(a_card(reached(State.CONNECTED), reached(State.RECORDING, START, after=9)))
    assert "Who hears Ana: nobody." in message.text


# ── who hears once the agent has left ──

LEFT = [
    (ActionName.MONITOR, "nobody"),
    (ActionName.WHISPER, "not known: Bob is not seen in the call"),
    (ActionName.BARGE_IN, "everyone in the call"),
]


@pytest.mark.parametrize("state", [State.CONNECTED, State.RINGING])
@pytest.mark.parametrize(("name", "hears"), LEFT)
def test_a_card_of_a_call_that_the_agent_has_left_says_who_hears(
    *,
    a_card: MakeCard,
    reached: Reached,
    a_call: MakeCall,
    a_view: MakeView,
    a_leg: MakeView,
    name: ActionName,
    hears: str,
    state: State,
    shown: Texts,
) -> None:
    transferred = a_call(a_view("01", extension="0003*220", destination=["0003*220"]), a_leg("02"))
    card = a_card(reached(state, name, call=transferred), legs=frozenset({"02"}))
    before = "" if state is State.CONNECTED else "nobody yet; once connected: "
    assert f"Who hears Ana: {before}{hears}" in shown(intervention_message(card))


def test_where_nobody_but_the_supervisor_is_seen_the_card_does_not_know_who_hears(
    a_card: MakeCard, reached: Reached, a_call: MakeCall, a_leg: MakeView, shown: Texts
) -> None:
    one = reached(State.CONNECTED, ActionName.BARGE_IN, call=a_call(a_leg("02")))
    card = a_card(one, legs=frozenset({"02"}))
    assert "Who hears Ana: not known: nobody else is seen in the call" in shown(intervention_message(card))


def test_while_the_call_cannot_be_read_the_card_does_not_know_who_hears_a_whisper(
    a_card: MakeCard, reached: Reached, noon: datetime, shown: Texts
) -> None:
    one = reached(State.CONNECTED, ActionName.WHISPER).model_copy(update={"stale": True, "unread_since": noon})
    assert "Who hears Ana: not known while the call cannot be read" in shown(intervention_message(a_card(one)))
