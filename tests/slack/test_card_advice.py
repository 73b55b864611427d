"""What a card says besides its state: the phone, the mode that stands, a right that is gone, and the request's id."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneSeen
from bot.domain.errors import REASONS, PbxError, PbxRefused, PbxUnauthenticated, PbxUnreachable
from bot.domain.intervention import Intervention, State, Why, answer_lost, refused
from bot.interventions.card import Card
from bot.interventions.waiting import ModeChange
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.intervention_card import STATE, intervention_message
from bot.slack.messages import Message

MakeIntervention = Callable[..., Intervention]
MakeCard = Callable[..., Card]
Reached = Callable[..., Intervention]
Texts = Callable[[Message], list[str]]
START, WHISPER = ActionName.START_RECORDING, ActionName.WHISPER
GONE = "You are no longer in callbot's configuration, or no longer have this permission, so there are no buttons."


@pytest.fixture
def texts(a_card: MakeCard, shown: Texts) -> Callable[..., str]:
    """Everything that the card of these interventions says; Slack takes it."""

    def read(*interventions: Intervention, **fields: Any) -> str:
        message = intervention_message(a_card(*interventions, **fields))
        assert check_blocks(list(message.blocks)) == []
        return "\n".join([message.text, *shown(message)])

    return read


# ── the phone that was not answered ──

PHONES = [
    (PhoneSeen.NOT_REGISTERED, "The PBX says that phone 0003*024 is not registered: log it in, then ask again."),
    (PhoneSeen.BUSY, "The PBX says that phone 0003*024 is busy: end what it is busy with, then ask again."),
    (PhoneSeen.RINGING, "The PBX says that phone 0003*024 is ringing: answer it, or wait until it stops"),
    (PhoneSeen.ONLINE, "The PBX says that phone 0003*024 is online: see that it is the phone beside you"),
]


@pytest.mark.parametrize(("seen", "words"), PHONES, ids=[seen.name for seen, _ in PHONES])
def test_a_phone_that_was_not_answered_is_said_with_what_to_do(
    texts: Callable[..., str], reached: Reached, seen: PhoneSeen, words: str
) -> None:
    assert words in texts(reached(State.NOT_ANSWERED, phone_seen=seen))


def test_of_a_phone_of_which_nothing_is_known_nothing_is_said(texts: Callable[..., str], reached: Reached) -> None:
    assert "The PBX says" not in texts(reached(State.NOT_ANSWERED))


# ── the errors of the PBX ──

DOCUMENTED = [(code, reason) for reason in REASONS for code in reason.codes]


@pytest.mark.parametrize(("code", "reason"), DOCUMENTED, ids=[code for code, _ in DOCUMENTED])
def test_a_refusal_says_what_is_wrong_and_then_the_code_as_it_came(
    *,
    texts: Callable[..., str],
    an_intervention: MakeIntervention,
    noon: Any,
    code: str,
    reason: type[PbxRefused],
) -> None:
    assert f"{reason.advice} ({code})" in texts(refused(an_intervention(), reason(code), noon))


UNEXPLAINED: list[tuple[PbxError, str]] = [
    (PbxRefused("pc_moon_invalid"), f"{PbxRefused.advice} (pc_moon_invalid)"),
    (PbxRefused(), PbxRefused.advice),
    (PbxUnreachable("HTTP 502"), "The PBX does not answer, or not in a way that can be read, so nothing was sent."),
    (PbxUnauthenticated(), "Ask an administrator to check callbot's App on the PBX. (access_denied)"),
]


@pytest.mark.parametrize(("error", "words"), UNEXPLAINED, ids=["unknown code", "no code", "no answer", "no rights"])
def test_what_no_page_explains_is_said_plainly(
    *, texts: Callable[..., str], an_intervention: MakeIntervention, noon: Any, error: PbxError, words: str
) -> None:
    assert words in texts(refused(an_intervention(), error, noon))


def test_where_the_pbx_was_not_reached_the_headline_says_so_and_not_that_it_refused(
    texts: Callable[..., str], an_intervention: MakeIntervention, noon: Any
) -> None:
    assert texts(refused(an_intervention(), PbxUnreachable("not connected"), noon)).startswith(
        "Refused: the PBX could not be reached."
    )


# ── the request's id ──

WENT_WRONG = {State.REFUSED, State.UNKNOWN, State.NOT_ANSWERED, State.NOT_CONFIRMED}


@pytest.mark.parametrize("state", State)
def test_the_id_that_the_log_has_is_shown_where_something_went_wrong_and_nowhere_else(
    texts: Callable[..., str], reached: Reached, state: State
) -> None:
    name = START if state in {State.NOT_CONFIRMED, State.RECORDING, State.RECORDING_STOPPED} else ActionName.MONITOR
    assert ("Request i1" in texts(reached(state, name))) is (state in WENT_WRONG)


# ── a change of mode that came to nothing ──


@pytest.mark.parametrize("state", [State.NOT_ANSWERED, State.REFUSED])
def test_a_new_mode_that_came_to_nothing_leaves_the_old_one_and_the_card_says_so(
    texts: Callable[..., str], reached: Reached, state: State
) -> None:
    said = texts(reached(State.CONNECTED), reached(state, WHISPER, after=40, id="i2"))
    assert said.startswith(STATE[state])
    assert "Not switched, you are still listening." in said
    assert "Does: Monitor: listens silently" in said
    assert "Who hears Ana: nobody" in said


def test_a_recording_that_fails_is_no_change_of_mode(texts: Callable[..., str], reached: Reached) -> None:
    said = texts(reached(State.CONNECTED), reached(State.NOT_CONFIRMED, START, after=40, id="i2"))
    assert "Not switched" not in said


@pytest.mark.parametrize("state", [State.ASKED, State.RECORDING, State.NOT_CONFIRMED, State.REFUSED])
def test_a_supervisor_who_records_while_in_the_call_is_still_said_to_be_in_it(
    texts: Callable[..., str], reached: Reached, state: State
) -> None:
    said = texts(reached(State.CONNECTED, ActionName.BARGE_IN), reached(state, START, after=40, id="i2"))
    assert "Does: Barge in: joins the conversation; Record: starts recording" in said
    assert "Ana Pop, Barge in and Record, Bob Ionescu 0003*210." in said


def test_the_notification_too_names_the_old_mode_until_the_new_one_is_proven(
    texts: Callable[..., str], reached: Reached
) -> None:
    said = texts(reached(State.CONNECTED), reached(State.RINGING, WHISPER, after=40, id="i2"))
    assert "Ana Pop, Monitor, Bob Ionescu 0003*210." in said


def test_a_supervisor_who_has_left_the_call_is_said_to_record_alone(
    texts: Callable[..., str], reached: Reached
) -> None:
    said = texts(reached(State.ENDED, ActionName.BARGE_IN), reached(State.RECORDING, START, after=40, id="i2"))
    assert "Does: Record: starts recording" in said


LATE = [
    (ActionName.MONITOR, "Not switched, you are still listening."),
    (WHISPER, "Not switched, you are still whispering."),
    (ActionName.BARGE_IN, "Not switched, everyone still hears you."),
]


@pytest.mark.parametrize(("held", "words"), LATE, ids=[held for held, _ in LATE])
def test_after_waiting_in_vain_the_card_says_which_mode_stands(
    texts: Callable[..., str], reached: Reached, held: ActionName, words: str
) -> None:
    waited = ModeChange(held=held, to=ActionName.MONITOR, late=True)
    assert words in texts(reached(State.CONNECTED, held), mode_change=waited)


# ── a right that is gone ──

STILL_IN, MAY_RING = "You are still in the call: hang up to leave.", "Your phone may still ring"
REMOVED = [
    (State.CONNECTED, ActionName.MONITOR, [GONE, STILL_IN]),
    (State.CONNECTED, ActionName.PICK_UP, [GONE, STILL_IN]),
    (State.RINGING, WHISPER, [GONE, MAY_RING]),
    (State.ASKED, WHISPER, [GONE, MAY_RING]),
    (State.UNKNOWN, WHISPER, [GONE, MAY_RING]),
    (State.ASKED, START, [GONE]),
    (State.RECORDING, START, [GONE]),
    (State.NOT_ANSWERED, ActionName.MONITOR, [GONE]),
    (State.REFUSED, ActionName.MONITOR, [GONE]),
    (State.ENDED, ActionName.MONITOR, [GONE]),
]


@pytest.mark.parametrize(("state", "name", "said"), REMOVED, ids=[f"{state} {name}" for state, name, _ in REMOVED])
def test_who_has_lost_the_right_is_told_what_is_still_so(
    *, texts: Callable[..., str], reached: Reached, state: State, name: ActionName, said: list[str]
) -> None:
    card = texts(reached(state, name), removed=True, buttons=())
    assert [words for words in (GONE, STILL_IN, MAY_RING) if words in card] == said


def test_who_has_lost_the_right_is_not_told_whether_the_call_goes_on(
    texts: Callable[..., str], reached: Reached
) -> None:
    ends = [reached(State.ENDED).model_copy(update={"why": why}) for why in (Why.CALL_OVER, Why.LEFT)]
    over, left = (texts(one, removed=True, buttons=()) for one in ends)
    assert over == left


@pytest.mark.parametrize("removed", [True, False], ids=["who is removed", "who came back"])
def test_the_card_of_a_recording_that_is_followed_no_more_says_so(
    *, texts: Callable[..., str], reached: Reached, removed: bool
) -> None:
    one = reached(State.ENDED, START).model_copy(update={"why": Why.REMOVED})
    assert "Ended: callbot no longer follows this recording" in texts(one, removed=removed, buttons=())


def test_who_has_lost_the_right_is_not_asked_to_hang_up_for_another_mode(
    a_card: MakeCard, reached: Reached, labels: Texts, texts: Callable[..., str]
) -> None:
    fields = {"removed": True, "buttons": (), "switching": ModeChange(held=ActionName.MONITOR, to=WHISPER)}
    message = intervention_message(a_card(reached(State.CONNECTED), **fields))
    assert (labels(message), "rings again" in texts(reached(State.CONNECTED), **fields)) == ([], False)


# ── what is lost, and what is protected ──


def test_a_fault_that_the_pbx_spoke_of_is_said_with_its_code_and_nothing_is_sent_again(
    texts: Callable[..., str], an_intervention: MakeIntervention
) -> None:
    said = texts(answer_lost(an_intervention(), "internal_server_error"))
    assert "The PBX spoke of a fault of its own (internal_server_error). Nothing is sent again" in said


def test_of_a_protected_call_no_party_is_shown(
    texts: Callable[..., str], reached: Reached, a_call: Callable[..., Any], a_view: Callable[..., Any]
) -> None:
    call = a_call(a_view("01", source=["+15550142"], caller_id="Carla Caller <+15550142>"))
    said = texts(reached(State.CONNECTED, call=call), protected=True)
    assert ("15550142" in said, "Carla" in said, "A party of this call is protected now" in said) == (
        False,
        False,
        True,
    )


def test_a_change_of_mode_is_not_asked_about_on_a_protected_card(texts: Callable[..., str], reached: Reached) -> None:
    said = texts(reached(State.CONNECTED), protected=True, mode_change=ModeChange(held=ActionName.MONITOR, to=WHISPER))
    assert ("Hang up: your phone" in said, "Ring now anyway" in said) == (False, False)
