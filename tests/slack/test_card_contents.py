"""The card says who does what to whom, shows the call from every side, and offers what makes sense next."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.intervention import Intervention, State, Step, Why
from bot.interventions.card import Card, CardElsewhere
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.intervention_card import intervention_message
from bot.slack.messages import Message

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeIntervention = Callable[..., Intervention]
MakeCard = Callable[..., Card]
Reached = Callable[..., Intervention]
Texts = Callable[[Message], list[str]]
START, STOP, WHISPER = ActionName.START_RECORDING, ActionName.STOP_RECORDING, ActionName.WHISPER

# ── who, what, whom ──


@pytest.mark.parametrize(
    "fact", ["Asked by: Ana Pop", "Does: Monitor: listens silently", "Agent: Bob Ionescu 0003*210"]
)
def test_the_card_says_who_does_what_to_whom(a_card: MakeCard, reached: Reached, fact: str, shown: Texts) -> None:
    assert fact in shown(intervention_message(a_card(reached(State.CONNECTED))))


def test_an_agent_whom_nobody_named_is_the_extension(a_card: MakeCard, reached: Reached, shown: Texts) -> None:
    one = reached(State.CONNECTED, agent="0003*210")
    assert "Agent: 0003*210" in shown(intervention_message(a_card(one)))


def test_nobody_is_mentioned(a_card: MakeCard, reached: Reached, shown: Texts) -> None:
    message = intervention_message(a_card(reached(State.CONNECTED)))
    assert not any("<@" in text or "U0" in text for text in (message.text, *shown(message)))


def test_each_step_has_its_line(a_card: MakeCard, reached: Reached, shown: Texts) -> None:
    steps = next(text for text in shown(intervention_message(a_card(reached(State.CONNECTED)))) if "Asked\n" in text)
    assert steps.split("\n") == [
        "<!date^1795262400^{time_secs}|12:00:00 UTC> Monitor: Asked",
        "<!date^1795262404^{time_secs}|12:00:04 UTC> Monitor: Connected",
    ]


def test_what_two_interventions_see_at_once_is_one_step(a_card: MakeCard, reached: Reached, shown: Texts) -> None:
    both = reached(State.ENDED, after=9), reached(State.ENDED, START, after=9)
    assert sum(text.count(": Ended") for text in shown(intervention_message(a_card(*both)))[1:]) == 1


# ── where ──


@pytest.mark.parametrize(
    ("why", "words"),
    [(CardElsewhere.SILENT, "listening and whispering are silent"), (CardElsewhere.NO_ACCESS, "/invite @callbot")],
)
def test_a_card_that_is_elsewhere_says_why(
    a_card: MakeCard, reached: Reached, why: CardElsewhere, words: str, shown: Texts
) -> None:
    texts = shown(intervention_message(a_card(reached(State.CONNECTED), elsewhere=why)))
    assert any(words in text for text in texts)


def test_a_card_of_a_call_that_cannot_be_read_says_since_when(
    a_card: MakeCard, reached: Reached, noon: datetime, shown: Texts
) -> None:
    one = reached(State.CONNECTED).model_copy(update={"stale": True, "unread_since": noon})
    texts = shown(intervention_message(a_card(one)))
    assert "The PBX has not shown this call since <!date^1795262400^{time_secs}|12:00:00 UTC>." in texts


# ── buttons ──

OFFERED = [
    (State.CONNECTED, ActionName.MONITOR, ["Whisper", "Barge in", "Record"]),
    (State.CONNECTED, ActionName.PICK_UP, ["Record"]),
    (State.NOT_ANSWERED, ActionName.MONITOR, ["Monitor", "Whisper", "Barge in", "Record"]),
    (State.ENDED, ActionName.MONITOR, ["Monitor", "Whisper", "Barge in", "Record"]),
    (State.RINGING, ActionName.MONITOR, []),
    (State.ASKED, START, []),
    (State.UNKNOWN, ActionName.MONITOR, []),
]


@pytest.mark.parametrize(("state", "name", "offered"), OFFERED, ids=[f"{row[0]} {row[1]}" for row in OFFERED])
def test_the_card_offers_what_makes_sense_next(
    *, a_card: MakeCard, reached: Reached, state: State, name: ActionName, offered: list[str], labels: Texts
) -> None:
    assert labels(intervention_message(a_card(reached(state, name)))) == offered


def test_a_ringing_call_may_be_picked_up(
    a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView, labels: Texts
) -> None:
    one = reached(State.NOT_ANSWERED, ActionName.PICK_UP, call=a_call(a_view(status=3)))
    assert labels(intervention_message(a_card(one))) == ["Pick up"]


def test_a_recording_may_be_stopped(
    a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView, labels: Texts
) -> None:
    one = reached(State.RECORDING, START, call=a_call(a_view(recording="2026-11-21T12:00:01Z")))
    assert labels(intervention_message(a_card(one)))[-1] == "Stop recording"


def test_a_call_that_is_over_offers_nothing(a_card: MakeCard, reached: Reached, labels: Texts) -> None:
    one = reached(State.ENDED).model_copy(update={"why": Why.CALL_OVER})
    assert labels(intervention_message(a_card(one))) == []


def test_who_left_the_map_is_offered_nothing(a_card: MakeCard, reached: Reached, labels: Texts) -> None:
    assert labels(intervention_message(a_card(reached(State.CONNECTED, slack_user="U0GONE")))) == []


def test_barge_in_and_record_ask_first(a_card: MakeCard, reached: Reached) -> None:
    blocks = intervention_message(a_card(reached(State.NOT_ANSWERED))).blocks
    asking = {e["text"]["text"]: e["confirm"]["text"]["text"] for e in blocks[-1]["elements"] if "confirm" in e}
    assert asking == {"Barge in": "The customer will hear you.", "Record": "The conversation will be recorded."}


# ── the summary of the call ──

SIDES = [
    ({}, "Party: Bob Ionescu 0003*210"),
    ({}, "From: +15550100"),
    ({}, "To: Bob Ionescu 0003*210"),
    ({"source": ["0003*024"]}, "From: Ana Pop 0003*024"),
    ({"source": []}, "From: unknown"),
    ({}, "Caller id: “Jane Roe” <+15550100>"),
    ({}, "On call, incoming since <!date^1795262340^{time_secs}|11:59:00 UTC>"),
    ({"flow": 4}, "On call, outgoing since <!date^1795262340^{time_secs}|11:59:00 UTC>"),
    ({"flow": 2, "answered": None}, "State: on call, internal"),
    ({"flow": 0, "status": 3}, "State: ringing"),
    (
        {"status": 3, "ringing": "2026-11-21T11:59:50Z"},
        "Ringing, incoming since <!date^1795262390^{time_secs}|11:59:50 UTC>",
    ),
    ({"status": 2, "flow": 0}, "State: being called"),
    ({"status": 1, "flow": 0}, "State: off the hook"),
    ({"status": 4, "flow": 0}, "State: the other side rings"),
    ({"status": 9, "flow": 0}, "State: state unknown"),
    ({"onHold": "2026-11-21T11:59:50Z"}, "On hold since <!date^1795262390^{time_secs}|11:59:50 UTC>"),
    ({"recording": "2026-11-21T11:59:50Z"}, "Recording since <!date^1795262390^{time_secs}|11:59:50 UTC>"),
    ({"parked": "2026-11-21T11:59:50Z"}, "Parked since <!date^1795262390^{time_secs}|11:59:50 UTC>"),
]


@pytest.mark.parametrize(("fields", "fact"), SIDES, ids=[f"{fields} {fact}"[:70] for fields, fact in SIDES])
def test_each_side_of_the_call_is_told(
    *,
    a_card: MakeCard,
    reached: Reached,
    a_call: MakeCall,
    a_view: MakeView,
    shown: Texts,
    fields: dict[str, object],
    fact: str,
) -> None:
    one = reached(State.RINGING, call=a_call(a_view(**fields)))
    assert fact in shown(intervention_message(a_card(one)))


def test_a_view_without_a_caller_id_shows_none(
    a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView, shown: Texts
) -> None:
    one = reached(State.RINGING, call=a_call(a_view(callerId="")))
    assert not any(text.startswith("Caller id") for text in shown(intervention_message(a_card(one))))


def test_of_others_legs_only_their_presence_is_told(
    *, a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView, a_leg: MakeView, shown: Texts
) -> None:
    call = a_call(a_view(), a_leg("02", source=["0003*025"], callerId="Whisper <0003*025>"))
    card = a_card(reached(State.CONNECTED, ActionName.BARGE_IN, call=call), legs=frozenset({"02"}), buttons=())
    message = intervention_message(card)
    assert ("From: 0003*025" in shown(message), "Whisper" in json.dumps(message.blocks)) == (True, False)


def test_a_call_that_is_over_has_no_sides(a_card: MakeCard, reached: Reached, shown: Texts) -> None:
    one = reached(State.ENDED).model_copy(update={"why": Why.CALL_OVER})
    assert not any(text.startswith("Party") for text in shown(intervention_message(a_card(one))))


def test_a_call_of_many_sides_still_fits(
    a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView, shown: Texts
) -> None:
    call = a_call(*(a_view(str(number).zfill(2)) for number in range(64)))
    message = intervention_message(a_card(reached(State.CONNECTED, call=call)))
    assert (check_blocks(list(message.blocks)), "And 52 more parties." in shown(message)) == ([], True)


def test_a_card_of_many_steps_still_fits(a_card: MakeCard, reached: Reached, noon: datetime) -> None:
    steps = tuple(Step(state=state, at=noon) for state in list(State) * 20)
    one = reached(State.CONNECTED).model_copy(update={"steps": steps})
    assert check_blocks(list(intervention_message(a_card(one)).blocks)) == []


NASTY = st.text(st.characters() | st.sampled_from("<>&@#*_~`:\n\u202e"), max_size=900)


@settings(max_examples=80, deadline=None)
@given(caller=NASTY, number=NASTY, name=st.text(min_size=1, max_size=80))
def test_whatever_the_pbx_says_slack_takes_the_card_and_reads_no_markup(
    *, a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView, caller: str, number: str, name: str
) -> None:
    view = a_view(callerId=caller, source=[number], destination=[caller, number])
    message = intervention_message(a_card(reached(State.CONNECTED, call=a_call(view), agent=name, supervisor=name)))
    assert check_blocks(list(message.blocks)) == []
    assert not set(message.text) & set("<>@#\n")
    assert len(message.text) <= 4000


def test_a_hostile_caller_id_is_shown_in_plain_text_alone(
    a_card: MakeCard, reached: Reached, a_call: MakeCall, a_view: MakeView
) -> None:
    hostile = "<!here> <https://evil.example|Bank> *x*"
    one = reached(State.CONNECTED, call=a_call(a_view(callerId=hostile, source=[hostile])))
    fields = [field for block in intervention_message(a_card(one)).blocks for field in block.get("fields", ())]
    assert {field["type"] for field in fields if "evil" in field["text"]} == {"plain_text"}
