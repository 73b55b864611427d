"""The state table: what is true of an intervention, given what the PBX shows. Pure; time is an argument.

Proof comes before claim. `before_put` is the moment before the PUT, `answered`, `refused` and `answer_lost` its outcome, and
`follow` turns one poll of the call into the next state:

    rings a phone     Asked ──200, 202──▶ Ringing ──a new view from the supervisor's phone──▶ Connected
                      Ringing ──its ring time + 5 s without it──▶ Not answered ──it came within 60 s more──▶ Connected
    records           Asked ──the view shows it──▶ Recording, Recording stopped
                      Asked ──10 s without it──▶ Not confirmed ──it came within 60 s more──▶ Recording, Recording stopped
    refused           Asked ──the PBX says no──▶ Refused
    cannot be read    Asked, Ringing ──▶ Unknown ──the call can be read again──▶ Asked
    ends              any of them but Refused ──the call, or the view that was the proof, is gone──▶ Ended

After 204, a lost answer or *Ring anyway*, Asked becomes Connected, or Not answered, without Ringing.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.actions import JOINING, RECORDING, RINGS_PHONE, ActionName, PhoneCallAction
from bot.domain.calls import Extension, PhoneCall, PhoneCallView, PhoneSeen
from bot.domain.errors import PbxError


class State(StrEnum):
    """What is known of an intervention; the value is the code in the ledger and the logs. `bot.slack.intervention_card` has the words."""

    ASKED = "asked"
    RINGING = "ringing"
    CONNECTED = "connected"
    RECORDING = "recording"
    RECORDING_STOPPED = "recording_stopped"
    NOT_ANSWERED = "not_answered"
    NOT_CONFIRMED = "not_confirmed"
    ENDED = "ended"
    REFUSED = "refused"
    UNKNOWN = "unknown"


UNDECIDED = frozenset({State.ASKED, State.RINGING, State.UNKNOWN})
"""Sent, and nothing proven yet."""

DEFAULT_WAIT = timedelta(seconds=25)
"""How long the PBX rings a phone where `waitForPickup` is not given (the pages of the actions)."""
GRACE = timedelta(seconds=5)
"""How much longer than the phone rings the leg is waited for: a poll shows it later than it came."""
LATE = timedelta(seconds=60)
"""How long after its deadline an unproven request is still polled: the proof may come late."""
CONFIRMATION = timedelta(seconds=10)
"""How long after the request the view may take to show a recording, or its end."""
STALE = timedelta(seconds=10)
"""A call that could not be read for so long may be another now: the card says since when."""
UNREAD_GIVEN_UP_AFTER = timedelta(hours=1)
"""A call that could not be read for so long is polled no more."""
POLLS_TO_BELIEVE = 2
"""Polls in a row that must agree before a call or a leg is believed gone: a PBX may answer empty for a moment."""


class Why(StrEnum):
    """Why an intervention has ended, or why its outcome is not known yet; the value is the code in the ledger."""

    NONE = ""
    CALL_OVER = "call_over"
    LEFT = "left"
    SIDE_GONE = "side_gone"
    ANSWER_LOST = "answer_lost"
    PHONE_BUSY = "phone_busy"
    """It waits until the supervisor's phone is free: nothing is claimed, and nothing sent yet."""
    REMOVED = "removed"
    """Who asked has lost the right to it, so the recording is no longer shown to them."""
    NOT_SENT = "not_sent"
    """It waited for the phone, and was never sent."""


class Step(BaseModel):
    """A state that was reached, and when."""

    model_config = ConfigDict(frozen=True)

    state: State
    at: datetime


class Poll(BaseModel):
    """One poll of a call: `call` None and readable means that it is gone."""

    model_config = ConfigDict(frozen=True)

    call: PhoneCall | None = None
    readable: bool = True


UNREADABLE = Poll(readable=False)


class Intervention(BaseModel):
    """One action of one person on one call, from before the PUT to its end. Kept whole in the ledger."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The id of the request, too."""
    card: str
    """Which card shows it: the id of the first request on it. The interventions of one person on one call share one."""
    slack_user: str
    supervisor: str
    """The name of the person who asked."""
    phone: Extension
    """The supervisor's own extension: the only phone that ever rings."""
    user: str
    """Of UnifiedAPI, not of Slack: the user in whose name the call is read and acted on."""
    extension: Extension
    """The agent's extension."""
    agent: str
    """The agent's name, or the extension where nobody's name is known."""
    call_id: str
    action: PhoneCallAction
    channel: str
    """The Slack channel that it was asked from."""
    alert: str = ""
    """The alert from whose card it was asked, if it was."""
    place: str
    """Where the card is: a channel, or the Slack user for a direct message."""
    asked_at: datetime
    state: State = State.ASKED
    why: Why = Why.NONE
    steps: tuple[Step, ...] = ()
    call: PhoneCall
    """The call as it was last seen."""
    legs_before: frozenset[str] = frozenset()
    """Views from the supervisor's phone that were already there before the PUT, and still are. They prove nothing."""
    legs_doubted: frozenset[str] = frozenset()
    """Of those, the ones that one poll did not show. A second poll has to agree before they are believed gone."""
    leg: str | None = None
    """The view that proves the supervisor's presence."""
    following: bool = True
    """Whether it is still tracked, that is polled. The ledger has a column of this name."""
    unseen: int = 0
    """Polls in a row that did not show the call or the leg, though they should."""
    doubt: Why = Why.NONE
    """The reason to end, if the next poll agrees."""
    unread_since: datetime | None = None
    wavered: bool = False
    """It was Unknown, and then the call could be read again: to be Unknown once more takes longer."""
    stale: bool = False
    """The PBX has not let the call be read for a while, so what is shown may be out of date."""
    code: str = ""
    """What the PBX called its refusal."""
    advice: str = ""
    """What to do about a refusal, or why nothing was sent: a sentence for people, kept as it was worded then."""
    accepted: bool = False
    """The PBX accepted it: its card must not say that there was no answer, also after a restart."""
    rung_anyway: bool = False
    """It was to ring whatever is known of the phone, so whether it rings cannot be seen: it is Asked until Connected."""
    phone_seen: PhoneSeen = PhoneSeen.UNKNOWN
    """What the PBX says of the supervisor's phone, once it was not answered."""

    @property
    def name(self) -> ActionName:
        """The name of the action."""
        return self.action.action

    @property
    def deadline(self) -> datetime:
        """When an unproven request counts as not answered, or not confirmed."""
        if self.name in RECORDING:
            return self.asked_at + CONFIRMATION
        called_at = next((step.at for step in self.steps if step.state is State.RINGING), self.asked_at)
        return called_at + self.ring_time + GRACE

    @property
    def ring_time(self) -> timedelta:
        """How long the PBX rings the supervisor's phone."""
        seconds = getattr(self.action, "wait_for_pickup", None)
        return DEFAULT_WAIT if seconds is None else timedelta(seconds=seconds)

    @property
    def claim_key(self) -> str | None:
        """The key that only one open intervention may hold; None where a new request is possible.

        One for each call for recording and PickUp, one for each call, mode and person for the others.
        """
        if not self.following:
            return None
        if self.name in RECORDING:
            return f"{self.call_id} recording" if self.state in UNDECIDED else None
        if self.state not in {*UNDECIDED, State.CONNECTED}:
            return None
        if self.name is ActionName.PICK_UP:
            return f"{self.call_id} PickUp"
        return f"{self.call_id} {self.name} {self.slack_user}"

    @property
    def in_call(self) -> bool:
        """Whether the supervisor is proven to be in the call."""
        return self.state is State.CONNECTED


def before_put(intervention: Intervention) -> Intervention:
    """The moment before the PUT: which views from the supervisor's phone are there already."""
    legs = frozenset(key for key, view in intervention.call.named_views.items() if intervention.phone in view.source)
    return _reach(intervention.model_copy(update={"legs_before": legs}), State.ASKED, intervention.asked_at)


def waiting_for_phone(intervention: Intervention) -> Intervention:
    """It waits on its card until the supervisor's phone is free. It is in no ledger, and nothing is polled for it."""
    return before_put(intervention.model_copy(update={"why": Why.PHONE_BUSY, "following": False}))


def not_sent(waiting: Intervention, advice: str, now: datetime) -> Intervention:
    """The end of what has waited so: it was never sent, and `advice` says why."""
    return _reach(waiting.model_copy(update={"advice": advice}), State.ENDED, now, why=Why.NOT_SENT)


def answered(intervention: Intervention, answer: Literal["call", "ringing", "nothing"], now: datetime) -> Intervention:
    """The PBX accepted. Nothing is proven by that; 200 and 202 mean that the supervisor's phone is being called."""
    # The answers are the values of `bot.polling.phone_calls.Accepted`, which the domain may not import.
    accepted = intervention.model_copy(update={"accepted": True})
    if intervention.name not in RINGS_PHONE or intervention.rung_anyway or answer == "nothing":
        return accepted
    return _reach(accepted, State.RINGING, now)


def refused(intervention: Intervention, error: PbxError, now: datetime) -> Intervention:
    """The PBX said no: this is the end."""
    changes = {"code": error.code, "advice": str(error), "following": False}
    return _reach(intervention.model_copy(update=changes), State.REFUSED, now)


def removed(recording: Intervention, now: datetime) -> Intervention:
    """Who asked for this recording has lost the right to it: it is never polled again."""
    return _reach(recording, State.ENDED, now, why=Why.REMOVED, following=False)


def answer_lost(intervention: Intervention, code: str = "") -> Intervention:
    """Nobody knows whether the PBX acted, even if it answered with an error of its own (`code`).

    It is not asked again; the call is polled.
    """
    return intervention.model_copy(update={"why": Why.ANSWER_LOST, "code": code})


def follow(intervention: Intervention, poll: Poll, now: datetime, taken: frozenset[str] = frozenset()) -> Intervention:
    """What is true after this poll. Another call under a reused id means that ours is gone, and proves nothing.

    `taken`: legs that already prove other interventions. No leg proves two.
    """
    if not intervention.following:
        return intervention
    if not poll.readable:
        return _unreadable(intervention, now)
    seen = intervention.model_copy(update={"unread_since": None, "stale": False})
    if poll.call is None or poll.call.is_another_than(intervention.call):
        return _end_if_sure(seen, Why.CALL_OVER, now)
    published = poll.call.published or intervention.call.published
    seen = seen.model_copy(update={"call": poll.call.model_copy(update={"published": published})})
    after = _recording(seen, seen.call, now) if seen.name in RECORDING else _leg(seen, seen.call, now, taken)
    # In doubt the card keeps the call as it was, until a second poll agrees.
    return after.model_copy(update={"call": intervention.call}) if after.unseen else after


def _reach(intervention: Intervention, state: State, now: datetime, **changes: object) -> Intervention:
    steps = (*intervention.steps, Step(state=state, at=now))
    return intervention.model_copy(update={"state": state, "steps": steps, "unseen": 0, **changes})


def _unreadable(intervention: Intervention, now: datetime) -> Intervention:
    since = intervention.unread_since or now
    unread = now - since
    changes = {"unread_since": since, "stale": unread >= STALE, "following": unread < UNREAD_GIVEN_UP_AFTER}
    blind = intervention.model_copy(update=changes)
    may_be_unknown = blind.state in {State.ASKED, State.RINGING} and (blind.stale or not blind.wavered)
    if may_be_unknown and (blind.why is Why.ANSWER_LOST or now >= blind.deadline):
        return _reach(blind, State.UNKNOWN, now)
    return _stop_polling_when_late(blind, now)


def _end_if_sure(intervention: Intervention, why: Why, now: datetime) -> Intervention:
    """The call or the leg is not there any more; believed only when enough polls in a row agree."""
    unseen = intervention.unseen + 1 if intervention.doubt is why else 1
    if unseen < POLLS_TO_BELIEVE:
        return intervention.model_copy(update={"unseen": unseen, "doubt": why})
    return _reach(intervention, State.ENDED, now, why=why, following=False)


def _leg(intervention: Intervention, call: PhoneCall, now: datetime, taken: frozenset[str]) -> Intervention:
    """Monitor, Whisper, BargeIn, PickUp: whether the supervisor is in the call."""
    legs = {key: view for key, view in call.named_views.items() if _is_leg(intervention, view)}
    if intervention.state is State.CONNECTED:
        return _as_before(intervention) if intervention.leg in legs else _end_if_sure(intervention, Why.LEFT, now)
    no_proof = intervention.legs_before | taken
    proof = min((key for key, view in legs.items() if view.on_call and key not in no_proof), default="")
    if proof:
        return _reach(intervention, State.CONNECTED, now, leg=proof, why=Why.NONE)
    absent = intervention.legs_before.difference(legs)
    gone = absent & intervention.legs_doubted
    changes = {"legs_before": intervention.legs_before - gone, "legs_doubted": absent - gone}
    return _unproven(intervention.model_copy(update=changes), State.NOT_ANSWERED, now)


def _is_leg(intervention: Intervention, view: PhoneCallView) -> bool:
    """A view whose source is the supervisor; for PickUp only the view that was to be picked up."""
    if intervention.phone not in view.source:
        return False
    return intervention.name in JOINING or view.id == intervention.action.phone_call_view_id


def _recording(intervention: Intervention, call: PhoneCall, now: datetime) -> Intervention:
    """StartRecording, StopRecording: whether the view carries `recording`."""
    view = call.view(intervention.action.phone_call_view_id)
    if view is None:
        return _end_if_sure(intervention, Why.SIDE_GONE, now)
    seen_state = State.RECORDING if view.recording is not None else State.RECORDING_STOPPED
    if intervention.state in {State.RECORDING, State.RECORDING_STOPPED}:
        return _as_before(intervention) if intervention.state is seen_state else _reach(intervention, seen_state, now)
    asked_for = State.RECORDING if intervention.name is ActionName.START_RECORDING else State.RECORDING_STOPPED
    if seen_state is asked_for:
        return _reach(intervention, seen_state, now, why=Why.NONE)
    return _unproven(intervention, State.NOT_CONFIRMED, now)


def _as_before(intervention: Intervention) -> Intervention:
    """What was missing for a moment is there."""
    return intervention.model_copy(update={"unseen": 0})


def _unproven(intervention: Intervention, at_deadline: State, now: datetime) -> Intervention:
    """The call can be read, and does not show what was asked for."""
    waiting = _as_before(intervention)
    if waiting.state in UNDECIDED and now >= waiting.deadline:
        return _reach(waiting, at_deadline, now)
    if waiting.state is State.UNKNOWN:
        return _readable_again(waiting)
    return _stop_polling_when_late(waiting, now)


def _readable_again(intervention: Intervention) -> Intervention:
    """Back to Asked, and without the step Unknown: a call that can be read now and then does not fill the card."""
    steps = tuple(step for step in intervention.steps if step.state is not State.UNKNOWN)
    return intervention.model_copy(update={"state": State.ASKED, "steps": steps, "wavered": True})


def _stop_polling_when_late(intervention: Intervention, now: datetime) -> Intervention:
    """Stop polling 60 s after the deadline, where nothing was proven until then."""
    unproven = {State.NOT_ANSWERED, State.NOT_CONFIRMED, State.UNKNOWN}
    if intervention.state in unproven and now >= intervention.deadline + LATE:
        return intervention.model_copy(update={"following": False})
    return intervention
