"""The card of an intervention begins with its state, says who does what to whom and who hears it, and what to do next."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView, PhoneSeen
from bot.domain.errors import REASONS, PbxError, PbxRefused, PbxUnauthenticated, PbxUnreachable
from bot.domain.intervention import (
    UNREADABLE,
    Intervention,
    State,
    Step,
    Why,
    answer_lost,
    answered,
    follow,
    refused,
)
from bot.interventions.card import CardElsewhere, InterventionCard
from bot.interventions.waiting import ModeChange, WaitsForPhone
from bot.slack.intervention_card import STATE, intervention_message
from bot.slack.messages import Message

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeIntervention = Callable[..., Intervention]
MakeCard = Callable[..., InterventionCard]
Reached = Callable[..., Intervention]
Texts = Callable[[Message], list[str]]
CardMessage = Callable[..., Message]
Said = Callable[..., str]
MONITOR, WHISPER, BARGE_IN = ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN
START, STOP, PICK_UP = ActionName.START_RECORDING, ActionName.STOP_RECORDING, ActionName.PICK_UP


@pytest.fixture(scope="session")
def message(a_card: MakeCard) -> CardMessage:
    """The message of the card of these interventions."""
    return lambda *interventions, **fields: intervention_message(a_card(*interventions, **fields))


@pytest.fixture(scope="session")
def said(message: CardMessage, shown: Texts) -> Said:
    """Everything that the card of these interventions says, its text first."""

    def read(*interventions: Intervention, **fields: Any) -> str:
        card = message(*interventions, **fields)
        return "\n".join([card.text, *shown(card)])

    return read


# ── the word of each state ──

WORDS = [
    (State.ASKED, MONITOR, "Asked: Monitor."),
    (State.RINGING, MONITOR, "Ringing Ana's phone 0003*024."),
    (State.CONNECTED, MONITOR, "Connected after 4 s."),
    (State.CONNECTED, PICK_UP, "Connected after 4 s."),
    (State.RECORDING, START, "Recording Bob's call."),
    (State.RECORDING_STOPPED, STOP, "Recording stopped: Bob's call."),
    (State.NOT_ANSWERED, MONITOR, "Not answered: no connection seen in 25 s."),
    (State.NOT_CONFIRMED, START, "Not confirmed: no recording seen in 10 s."),
    (State.NOT_CONFIRMED, STOP, "Not confirmed: the call is still being recorded after 10 s."),
    (State.ENDED, MONITOR, "Ended: You left; Bob's call goes on."),
    (State.REFUSED, MONITOR, "Refused: Monitor."),
    (State.UNKNOWN, MONITOR, "Unknown: your phone may still ring; nothing is sent again."),
]
WENT_WRONG = {State.REFUSED, State.UNKNOWN, State.NOT_ANSWERED, State.NOT_CONFIRMED}


@pytest.mark.parametrize(("state", "name", "words"), WORDS, ids=[f"{row[0]} {row[1]}" for row in WORDS])
def test_the_text_and_the_headline_begin_with_the_state(
    *, message: CardMessage, reached: Reached, shown: Texts, state: State, name: ActionName, words: str
) -> None:
    card = message(reached(state, name))
    assert words.startswith(STATE[state])
    assert card.text.startswith(words)
    assert shown(card)[0] == words.removesuffix(".")


def test_every_state_is_in_the_table() -> None:
    assert {row[0] for row in WORDS} == set(State)


def test_the_id_of_the_request_is_shown_where_something_went_wrong_and_nowhere_else(
    said: Said, reached: Reached
) -> None:
    assert {state for state, name, _ in WORDS if "Request i1" in said(reached(state, name))} == WENT_WRONG


WHY = [
    (State.ASKED, {"why": Why.PHONE_BUSY}, "Asked: your phone is busy (Dan's call)."),
    (State.ASKED, {"rung_anyway": True}, "Asked: Monitor. Sent to the PBX. The call does not show it yet. Whether"),
    (State.ENDED, {"why": Why.SIDE_GONE}, "Ended: Bob's part of the call is over."),
    (State.ENDED, {"why": Why.NOT_SENT, "advice": "Ask again."}, "Ended: nothing was sent. Ask again."),
]


@pytest.mark.parametrize(("state", "fields", "words"), WHY, ids=[row[2] for row in WHY])
def test_the_headline_says_why(
    message: CardMessage, reached: Reached, state: State, fields: dict[str, Any], words: str
) -> None:
    one = reached(state).model_copy(update=fields)
    assert message(one, waiting=WaitsForPhone(whose="Dan Popa")).text.startswith(words)


@pytest.mark.parametrize(
    ("why", "head"),
    [(Why.CALL_OVER, "Ended: Ana's call is over."), (Why.LEFT, "Ended: You left; the call goes on.")],
)
def test_a_call_that_was_picked_up_was_the_supervisors_when_it_ends(
    message: CardMessage, reached: Reached, why: Why, head: str
) -> None:
    one = reached(State.CONNECTED, PICK_UP)
    ended = Step(state=State.ENDED, at=one.steps[-1].at + timedelta(seconds=60))
    one = one.model_copy(update={"state": State.ENDED, "why": why, "steps": (*one.steps, ended), "following": False})
    text = message(one).text
    assert text.startswith(head)
    assert "Ana had picked it up from Bob." in text


def test_a_call_that_is_over_says_whose_and_has_no_parties_and_no_buttons(
    message: CardMessage, reached: Reached, shown: Texts, labels: Texts
) -> None:
    card = message(reached(State.ENDED).model_copy(update={"why": Why.CALL_OVER}))
    assert card.text.startswith("Ended: Bob's call is over.")
    assert not any(text.startswith("Party") for text in shown(card))
    assert labels(card) == []


def test_a_call_that_was_not_answered_says_how_long_callbot_waited(said: Said, reached: Reached) -> None:
    assert "no connection seen in 90 s" in said(reached(State.NOT_ANSWERED, wait=90))


def test_a_lost_answer_is_said(said: Said, an_intervention: MakeIntervention) -> None:
    assert "answer of the PBX was lost" in said(answer_lost(an_intervention()))


@pytest.mark.parametrize(
    ("name", "answer"),
    [(MONITOR, "ringing"), (PICK_UP, "call"), (WHISPER, "nothing"), (START, "call"), (STOP, "nothing")],
)
def test_what_the_pbx_accepted_is_said_to_be_accepted_while_the_call_cannot_be_read(
    *, said: Said, an_intervention: MakeIntervention, noon: datetime, name: ActionName, answer: Any
) -> None:
    accepted = answered(an_intervention(name), answer, noon)
    words = said(follow(accepted, UNREADABLE, noon + timedelta(minutes=1)))
    assert words.startswith("Unknown: ")
    assert "The PBX accepted it, but the call cannot be read at the moment." in words
    assert "gave no answer" not in words


def test_a_fault_that_the_pbx_spoke_of_is_not_called_no_answer_while_the_call_cannot_be_read(
    said: Said, an_intervention: MakeIntervention, noon: datetime
) -> None:
    words = said(follow(answer_lost(an_intervention(), "internal_server_error"), UNREADABLE, noon))
    assert "The PBX spoke of a fault of its own, and the call cannot be read at the moment." in words


def test_without_an_answer_of_the_pbx_the_card_does_not_say_that_it_accepted(
    said: Said, an_intervention: MakeIntervention, noon: datetime
) -> None:
    words = said(follow(answer_lost(an_intervention()), UNREADABLE, noon))
    assert "The PBX gave no answer, and the call cannot be read at the moment." in words
    assert "accepted" not in words


def test_a_fault_of_the_pbx_is_said_with_its_code_and_nothing_is_sent_again(
    said: Said, an_intervention: MakeIntervention
) -> None:
    words = "The PBX spoke of a fault of its own (internal_server_error). Nothing is sent again"
    assert words in said(answer_lost(an_intervention(), "internal_server_error"))


def test_a_recording_that_is_not_confirmed_names_the_setting_that_it_needs(said: Said, reached: Reached) -> None:
    text = said(reached(State.NOT_CONFIRMED, START))
    assert "in Phone Terminal Setup of 0003*210, Call recording is on and Record triggered" in text


# ── refusals of the PBX, and the phone that was not answered ──


def test_a_refusal_says_what_is_wrong_and_then_the_code_as_it_came(
    said: Said, an_intervention: MakeIntervention, noon: datetime
) -> None:
    documented = [(code, reason) for reason in REASONS for code in reason.codes]
    assert documented
    for code, reason in documented:
        assert f"{reason.advice} ({code})" in said(refused(an_intervention(), reason(code), noon))


UNEXPLAINED: list[tuple[PbxError, str]] = [
    (PbxRefused("pc_moon_invalid"), f"{PbxRefused.advice} (pc_moon_invalid)"),
    (PbxRefused(), f"{PbxRefused.advice}\n"),
    (PbxUnreachable("HTTP 502"), "The PBX does not answer, or not in a way that can be read, so nothing was sent."),
    (PbxUnauthenticated(), "Ask an administrator to check callbot's App on the PBX. (access_denied)"),
]


@pytest.mark.parametrize(("error", "words"), UNEXPLAINED, ids=["unknown code", "no code", "no answer", "no rights"])
def test_an_error_without_a_page_is_said_plainly(
    said: Said, an_intervention: MakeIntervention, noon: datetime, error: PbxError, words: str
) -> None:
    assert words in said(refused(an_intervention(), error, noon))


def test_where_the_pbx_was_not_reached_the_headline_says_so_and_not_that_it_refused(
    message: CardMessage, an_intervention: MakeIntervention, noon: datetime
) -> None:
    card = message(refused(an_intervention(), PbxUnreachable("not connected"), noon))
    assert card.text.startswith("Refused: the PBX could not be reached.")


PHONES = [
    (PhoneSeen.NOT_REGISTERED, "The PBX says that phone 0003*024 is not registered: log it in, then ask again."),
    (PhoneSeen.BUSY, "The PBX says that phone 0003*024 is busy: end what it is busy with, then ask again."),
    (PhoneSeen.RINGING, "The PBX says that phone 0003*024 is ringing: answer it, or wait until it stops"),
    (PhoneSeen.ONLINE, "The PBX says that phone 0003*024 is online: see that it is the phone beside you"),
]


@pytest.mark.parametrize(("phone", "words"), PHONES, ids=[phone.name for phone, _ in PHONES])
def test_a_phone_that_was_not_answered_is_said_with_what_to_do(
    said: Said, reached: Reached, phone: PhoneSeen, words: str
) -> None:
    assert words in said(reached(State.NOT_ANSWERED, phone_seen=phone))


def test_a_phone_of_which_nothing_is_known_is_not_spoken_of(said: Said, reached: Reached) -> None:
    assert "The PBX says" not in said(reached(State.NOT_ANSWERED))


# ── several requests on one card ──


def test_the_request_that_is_under_way_is_the_headline(message: CardMessage, reached: Reached) -> None:
    connected, recording = reached(State.CONNECTED, after=9), reached(State.ASKED, START)
    assert message(connected, recording).text.startswith("Asked: Record.")


def test_of_decided_requests_the_newest_is_the_headline(message: CardMessage, reached: Reached) -> None:
    connected, recording = reached(State.CONNECTED, after=9), reached(State.RECORDING, START, after=7)
    assert message(connected, recording).text.startswith("Connected")


def test_once_everything_has_ended_a_card_tells_all_that_was_done(message: CardMessage, reached: Reached) -> None:
    done = [
        reached(State.ENDED, name, id=f"i{number}").model_copy(update={"following": False})
        for number, name in enumerate((MONITOR, WHISPER, START))
    ]
    assert "Monitor and Whisper and Record, Bob Ionescu" in message(*done).text


def test_a_change_of_mode_leaves_the_recording_on_the_card(message: CardMessage, reached: Reached) -> None:
    asked = (
        reached(State.CONNECTED),
        reached(State.RECORDING, START, after=8, id="i2"),
        reached(State.RINGING, WHISPER, after=20, id="i3"),
    )
    assert "Ana Pop, Monitor and Record, Bob Ionescu" in message(*asked).text


def test_the_old_mode_is_named_until_the_new_one_is_proven(said: Said, reached: Reached) -> None:
    text = said(reached(State.CONNECTED), reached(State.RINGING, WHISPER, after=40, id="i2"))
    assert "Ana Pop, Monitor, Bob Ionescu 0003*210." in text
    assert "Who hears Ana: nobody" in text


@pytest.mark.parametrize("state", [State.NOT_ANSWERED, State.REFUSED])
def test_a_card_whose_new_mode_failed_says_that_the_old_one_goes_on(said: Said, reached: Reached, state: State) -> None:
    text = said(reached(State.CONNECTED), reached(state, WHISPER, after=40, id="i2"))
    assert text.startswith(STATE[state])
    assert "Not switched, you are still listening." in text
    assert "Does: Monitor: listens silently" in text
    assert "Who hears Ana: nobody" in text


def test_a_recording_that_fails_is_no_change_of_mode(said: Said, reached: Reached) -> None:
    text = said(reached(State.CONNECTED), reached(State.NOT_CONFIRMED, START, after=40, id="i2"))
    assert "Not switched" not in text


@pytest.mark.parametrize("state", [State.ASKED, State.RECORDING, State.NOT_CONFIRMED, State.REFUSED])
def test_a_supervisor_who_records_while_in_the_call_is_still_said_to_be_in_it(
    said: Said, reached: Reached, state: State
) -> None:
    text = said(reached(State.CONNECTED, BARGE_IN), reached(state, START, after=40, id="i2"))
    assert "Does: Barge in: joins the conversation; Record: starts recording" in text
    assert "Ana Pop, Barge in and Record, Bob Ionescu 0003*210." in text


def test_a_supervisor_who_has_left_the_call_is_said_to_record_alone(said: Said, reached: Reached) -> None:
    text = said(reached(State.ENDED, BARGE_IN), reached(State.RECORDING, START, after=40, id="i2"))
    assert "Does: Record: starts recording" in text


LATE = [
    (MONITOR, "Not switched, you are still listening."),
    (WHISPER, "Not switched, you are still whispering."),
    (BARGE_IN, "Not switched, everyone still hears you."),
]


@pytest.mark.parametrize(("held", "words"), LATE)
def test_after_waiting_in_vain_the_card_says_which_mode_goes_on(
    said: Said, reached: Reached, held: ActionName, words: str
) -> None:
    assert words in said(reached(State.CONNECTED, held), waiting=ModeChange(current=held, to=MONITOR, late=True))


WAITING = [
    (
        ModeChange(current=MONITOR, to=WHISPER),
        "Hang up: your phone rings again at once for Whisper.",
        "Ring now anyway",
    ),
    (WaitsForPhone(), "", "Ring anyway"),
]


@pytest.mark.parametrize(("waiting", "words", "anyway"), WAITING, ids=["a change of mode", "a busy phone"])
def test_while_the_phone_is_waited_for_the_card_offers_to_ring_it_anyway(
    *,
    message: CardMessage,
    reached: Reached,
    labels: Texts,
    waiting: ModeChange | WaitsForPhone,
    words: str,
    anyway: str,
) -> None:
    card = message(reached(State.CONNECTED), waiting=waiting)
    assert words in card.text
    assert labels(card) == [anyway, "Cancel"]


# ── who hears ──

HEARS = [
    (MONITOR, State.CONNECTED, "nobody"),
    (WHISPER, State.CONNECTED, "only Bob"),
    (BARGE_IN, State.CONNECTED, "everyone in the call"),
    (PICK_UP, State.CONNECTED, "the caller; the call is Ana's"),
    (BARGE_IN, State.ASKED, "nobody yet; once connected: everyone in the call"),
    (WHISPER, State.RINGING, "nobody yet; once connected: only Bob"),
    (BARGE_IN, State.NOT_ANSWERED, "nobody (no connection seen)"),
    (BARGE_IN, State.UNKNOWN, "not known while the call cannot be read"),
    (BARGE_IN, State.ENDED, "nobody (not in the call)"),
    (BARGE_IN, State.REFUSED, "nobody (not in the call)"),
    (START, State.RECORDING, "nobody through this recording"),
]


@pytest.mark.parametrize(("name", "state", "hears"), HEARS, ids=[f"{name} {state}" for name, state, _ in HEARS])
def test_the_card_and_its_text_say_who_hears(
    *, message: CardMessage, reached: Reached, shown: Texts, name: ActionName, state: State, hears: str
) -> None:
    card = message(reached(state, name))
    assert f"Who hears Ana: {hears}" in shown(card)
    assert f"Who hears Ana: {hears}." in card.text


def test_a_private_whisper_says_that_the_call_is_not_heard(said: Said, reached: Reached) -> None:
    body = {"action": "Whisper", "phoneCallViewId": "01", "sendCallTo": "0003*024", "private": 1}
    assert "Who hears Ana: only Bob; Ana does not hear the call" in said(reached(State.CONNECTED, action=body))


def test_nobody_hears_a_supervisor_who_listens_while_recording(said: Said, reached: Reached) -> None:
    assert "Who hears Ana: nobody\n" in said(reached(State.CONNECTED), reached(State.RECORDING, START, after=9))


LEFT = [
    (MONITOR, State.CONNECTED, "nobody"),
    (WHISPER, State.CONNECTED, "not known: Bob is not seen in the call"),
    (BARGE_IN, State.CONNECTED, "everyone in the call"),
    (WHISPER, State.RINGING, "nobody yet; once connected: not known: Bob is not seen in the call"),
]


@pytest.mark.parametrize(("name", "state", "hears"), LEFT)
def test_a_card_of_a_call_that_the_agent_has_left_says_who_hears(
    *,
    said: Said,
    reached: Reached,
    a_call: MakeCall,
    a_view: MakeView,
    a_leg: MakeView,
    name: ActionName,
    state: State,
    hears: str,
) -> None:
    transferred = a_call(a_view("01", extension="0003*220", destination=["0003*220"]), a_leg("02"))
    assert f"Who hears Ana: {hears}\n" in said(reached(state, name, call=transferred), legs=frozenset({"02"}))


def test_where_nobody_but_the_supervisor_is_seen_the_card_does_not_know_who_hears(
    said: Said, reached: Reached, a_call: MakeCall, a_leg: MakeView
) -> None:
    one = reached(State.CONNECTED, BARGE_IN, call=a_call(a_leg("02")))
    assert "Who hears Ana: not known: nobody else is seen in the call" in said(one, legs=frozenset({"02"}))


def test_while_the_call_cannot_be_read_the_card_says_so_and_does_not_know_who_hears_a_whisper(
    said: Said, reached: Reached, noon: datetime
) -> None:
    text = said(reached(State.CONNECTED, WHISPER).model_copy(update={"stale": True, "unread_since": noon}))
    assert "Who hears Ana: not known while the call cannot be read" in text
    assert "The PBX has not shown this call since <!date^1795262400^{time_secs}|12:00:00 UTC>." in text


# ── who, what, whom, where ──


def test_the_card_says_who_does_what_to_whom_and_mentions_nobody(said: Said, reached: Reached) -> None:
    text = said(reached(State.CONNECTED))
    for words in ("Asked by: Ana Pop", "Does: Monitor: listens silently", "Agent: Bob Ionescu 0003*210"):
        assert words in text
    assert "<@" not in text
    assert "U0" not in text


def test_an_agent_without_a_name_is_the_extension(said: Said, reached: Reached) -> None:
    assert "Agent: 0003*210" in said(reached(State.CONNECTED, agent="0003*210"))


def test_each_step_has_its_line(said: Said, reached: Reached) -> None:
    assert (
        "<!date^1795262400^{time_secs}|12:00:00 UTC> Monitor: Asked\n"
        "<!date^1795262404^{time_secs}|12:00:04 UTC> Monitor: Connected"
    ) in said(reached(State.CONNECTED))


def test_a_step_that_two_requests_share_is_one_line(message: CardMessage, reached: Reached, shown: Texts) -> None:
    both = reached(State.ENDED, after=9), reached(State.ENDED, START, after=9)
    assert sum(text.count(": Ended") for text in shown(message(*both))[1:]) == 1


@pytest.mark.parametrize(
    ("why", "words"),
    [(CardElsewhere.SILENT, "listening and whispering are silent"), (CardElsewhere.NO_ACCESS, "/invite @callbot")],
)
def test_a_card_that_is_elsewhere_says_why(said: Said, reached: Reached, why: CardElsewhere, words: str) -> None:
    assert words in said(reached(State.CONNECTED), elsewhere=why)


# ── buttons ──

OFFERED = [
    (State.CONNECTED, MONITOR, {}, ["Whisper", "Barge in", "Record"]),
    (State.CONNECTED, PICK_UP, {}, ["Record"]),
    (State.NOT_ANSWERED, MONITOR, {}, ["Monitor", "Whisper", "Barge in", "Record"]),
    (State.NOT_ANSWERED, PICK_UP, {"status": 3}, ["Pick up"]),
    (State.ENDED, MONITOR, {}, ["Monitor", "Whisper", "Barge in", "Record"]),
    (State.RINGING, MONITOR, {}, []),
    (State.ASKED, START, {}, []),
    (State.UNKNOWN, MONITOR, {}, []),
    (
        State.RECORDING,
        START,
        {"recording": "2026-11-21T12:00:01Z"},
        ["Monitor", "Whisper", "Barge in", "Stop recording"],
    ),
]


@pytest.mark.parametrize(("state", "name", "view", "offered"), OFFERED, ids=[f"{row[0]} {row[1]}" for row in OFFERED])
def test_the_card_offers_what_makes_sense_next(
    *,
    message: CardMessage,
    reached: Reached,
    a_call: MakeCall,
    a_view: MakeView,
    labels: Texts,
    state: State,
    name: ActionName,
    view: dict[str, Any],
    offered: list[str],
) -> None:
    assert labels(message(reached(state, name, call=a_call(a_view(**view))))) == offered


def test_who_left_the_configuration_is_offered_nothing(message: CardMessage, reached: Reached, labels: Texts) -> None:
    assert labels(message(reached(State.CONNECTED, slack_user="U0GONE"))) == []


# ── the parties of the call ──

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


@pytest.mark.parametrize(("fields", "field"), SIDES, ids=[f"{fields} {field}"[:70] for fields, field in SIDES])
def test_each_party_of_the_call_is_told(
    *,
    message: CardMessage,
    reached: Reached,
    a_call: MakeCall,
    a_view: MakeView,
    shown: Texts,
    fields: dict[str, object],
    field: str,
) -> None:
    assert field in shown(message(reached(State.RINGING, call=a_call(a_view(**fields)))))


def test_a_view_without_a_caller_id_shows_none(
    said: Said, reached: Reached, a_call: MakeCall, a_view: MakeView
) -> None:
    assert "Caller id" not in said(reached(State.RINGING, call=a_call(a_view(callerId=""))))


def test_a_leg_of_somebody_else_shows_that_it_is_there_and_not_its_mode(
    *, message: CardMessage, reached: Reached, a_call: MakeCall, a_view: MakeView, a_leg: MakeView, shown: Texts
) -> None:
    call = a_call(a_view(), a_leg("02", source=["0003*025"], callerId="Whisper <0003*025>"))
    card = message(reached(State.CONNECTED, BARGE_IN, call=call), legs=frozenset({"02"}), buttons=())
    assert "From: 0003*025" in shown(card)
    assert "Whisper" not in json.dumps(card.blocks)


def test_a_call_of_many_parties_and_a_card_of_many_steps_still_fit(
    *, said: Said, reached: Reached, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    call = a_call(*(a_view(str(number).zfill(2)) for number in range(64)))
    steps = tuple(Step(state=state, at=noon) for state in list(State) * 20)
    one = reached(State.CONNECTED, call=call).model_copy(update={"steps": steps})
    assert "And 52 more parties." in said(one)


# ── a permission that was removed ──

NO_BUTTONS = "You are no longer in callbot's configuration, or no longer have this permission, so there are no buttons."
STILL_IN, MAY_RING = "You are still in the call: hang up to leave.", "Your phone may still ring"
REMOVED = [
    (State.CONNECTED, MONITOR, [NO_BUTTONS, STILL_IN]),
    (State.CONNECTED, PICK_UP, [NO_BUTTONS, STILL_IN]),
    (State.RINGING, WHISPER, [NO_BUTTONS, MAY_RING]),
    (State.ASKED, WHISPER, [NO_BUTTONS, MAY_RING]),
    (State.UNKNOWN, WHISPER, [NO_BUTTONS, MAY_RING]),
    (State.ASKED, START, [NO_BUTTONS]),
    (State.RECORDING, START, [NO_BUTTONS]),
    (State.NOT_ANSWERED, MONITOR, [NO_BUTTONS]),
    (State.REFUSED, MONITOR, [NO_BUTTONS]),
    (State.ENDED, MONITOR, [NO_BUTTONS]),
]


@pytest.mark.parametrize(("state", "name", "told"), REMOVED, ids=[f"{state} {name}" for state, name, _ in REMOVED])
def test_a_person_whose_permission_was_removed_is_told_what_is_still_so(
    said: Said, reached: Reached, state: State, name: ActionName, told: list[str]
) -> None:
    text = said(reached(state, name), removed=True, buttons=())
    assert [words for words in (NO_BUTTONS, STILL_IN, MAY_RING) if words in text] == told


def test_a_person_whose_permission_was_removed_is_not_told_whether_the_call_goes_on(
    said: Said, reached: Reached
) -> None:
    ends = [reached(State.ENDED).model_copy(update={"why": why}) for why in (Why.CALL_OVER, Why.LEFT)]
    over, left = (said(one, removed=True, buttons=()) for one in ends)
    assert over == left


def test_a_person_whose_permission_was_removed_is_not_told_whether_the_call_can_be_read(
    said: Said, reached: Reached
) -> None:
    one = reached(State.CONNECTED)
    one = one.model_copy(update={"stale": True, "unread_since": one.asked_at})
    told = ["has not shown this call" in said(one, removed=removed, buttons=()) for removed in (True, False)]
    assert told == [False, True]


def test_a_request_that_waits_for_a_busy_phone_rings_no_phone_of_a_person_whose_permission_was_removed(
    said: Said, reached: Reached
) -> None:
    text = said(reached(State.ASKED).model_copy(update={"why": Why.PHONE_BUSY}), removed=True, buttons=())
    assert (NO_BUTTONS in text, MAY_RING in text) == (True, False)


def test_a_protected_card_does_not_say_whose_call_keeps_the_phone_busy(said: Said, reached: Reached) -> None:
    one = reached(State.ASKED).model_copy(update={"why": Why.PHONE_BUSY})
    told = ["Dan" in said(one, waiting=WaitsForPhone(whose="Dan Popa"), protected=hidden) for hidden in (True, False)]
    assert told == [False, True]


@pytest.mark.parametrize("removed", [True, False], ids=["who is removed", "who came back"])
def test_the_card_of_a_recording_that_is_followed_no_more_says_so(
    said: Said, reached: Reached, *, removed: bool
) -> None:
    one = reached(State.ENDED, START).model_copy(update={"why": Why.REMOVED})
    assert "Ended: callbot no longer follows this recording" in said(one, removed=removed, buttons=())


@pytest.mark.parametrize(
    "fields", [{"removed": True, "buttons": ()}, {"protected": True}], ids=["removed", "protected"]
)
def test_who_may_not_see_the_call_is_not_asked_to_hang_up_for_another_mode(
    message: CardMessage, reached: Reached, labels: Texts, fields: dict[str, Any]
) -> None:
    card = message(reached(State.CONNECTED), waiting=ModeChange(current=MONITOR, to=WHISPER), **fields)
    assert "Hang up: your phone" not in card.text
    assert "Ring now anyway" not in labels(card)


def test_of_a_protected_call_no_party_is_shown(
    said: Said, reached: Reached, a_call: MakeCall, a_view: MakeView
) -> None:
    call = a_call(a_view("01", source=["+15550142"], callerId="Carla Caller <+15550142>"))
    text = said(reached(State.CONNECTED, call=call), protected=True)
    assert "15550142" not in text
    assert "Carla" not in text
    assert "A party of this call is protected now" in text
