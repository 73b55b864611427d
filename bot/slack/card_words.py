"""The headline and the sentences of an intervention card. The headline begins with the state. Pure."""

from collections.abc import Callable

from bot.domain.actions import JOINING, LABEL, RECORDING, ActionName
from bot.domain.errors import PbxUnreachable
from bot.domain.intervention import UNDECIDED, Intervention, State, Why
from bot.domain.presence import PhoneSeen
from bot.interventions.ports import BusyPhone, Card, ModeChange

STILL = {
    ActionName.MONITOR: "you are still listening",
    ActionName.WHISPER: "you are still whispering",
    ActionName.BARGE_IN: "everyone still hears you",
}
PHONE_SEEN = {
    PhoneSeen.NOT_REGISTERED: "is not registered: log it in, then ask again.",
    PhoneSeen.BUSY: "is busy: end what it is busy with, then ask again.",
    PhoneSeen.RINGING: "is ringing: answer it, or wait until it stops, then ask again.",
    PhoneSeen.ONLINE: "is online: see that it is the phone beside you and that it can be heard, then ask again.",
}
"""What the PBX knows of a phone that was not answered, and what to do."""


def words_of(card: Card, newest: Intervention) -> tuple[str, ...]:
    """The headline, which begins with the state, and what else the person needs to know."""
    return (
        *_says(card, newest),
        *_mode_change(None if card.removed or card.protected else card.mode_change),
        *_not_switched(card, newest),
        *_removed(card),
    )


def _says(card: Card, newest: Intervention) -> tuple[str, ...]:
    """The words of the state. A person whose permission was removed gets no news of the call."""
    if newest.why is Why.PHONE_BUSY:
        return _phone_busy(card, newest)
    if card.removed and newest.state is State.ENDED and newest.why not in {Why.NOT_SENT, Why.REMOVED}:
        return ("Ended: You are no longer in the call",)
    return SAYS[newest.state](newest)


def first(name: str) -> str:
    """The first name."""
    return name.split(" ", maxsplit=1)[0] if name.strip() else name


def _whose(one: Intervention) -> str:
    return f"{first(one.agent)}'s"


# ── each state ──


def _phone_busy(card: Card, one: Intervention) -> tuple[str, ...]:
    whose = card.mode_change.whose if isinstance(card.mode_change, BusyPhone) and not card.protected else ""
    whose = f" ({first(whose)}'s call)" if whose else ""
    return (f"Asked: your phone is busy{whose}", f"Finish there first; then it rings for {first(one.agent)}.")


def _asked(one: Intervention) -> tuple[str, ...]:
    how = f"The PBX spoke of a fault of its own ({one.code})" if one.code else "The answer of the PBX was lost"
    lost = f"{how}. Nothing is sent again; callbot looks at the call."
    sent = "Sent to the PBX. The call does not show it yet."
    if one.rung_anyway:
        sent += " Whether your phone rings for it cannot be seen."
    return (f"Asked: {LABEL[one.name]}", lost if one.why is Why.ANSWER_LOST else sent)


def _ended(one: Intervention) -> tuple[str, ...]:
    if one.name is ActionName.PICK_UP and any(step.state is State.CONNECTED for step in one.steps):
        return _picked_up_ended(one)
    if one.why is Why.CALL_OVER:
        return (f"Ended: {_whose(one)} call is over",)
    if one.why is Why.NOT_SENT:
        return ("Ended: nothing was sent", one.advice)
    if one.why is Why.REMOVED:
        return (
            "Ended: callbot no longer follows this recording",
            f"{first(one.supervisor)} had lost the right to it. The recording may go on.",
        )
    if one.why is Why.SIDE_GONE:
        return (f"Ended: {_whose(one)} part of the call is over",)
    return (f"Ended: You left; {_whose(one)} call goes on",)


def _picked_up_ended(one: Intervention) -> tuple[str, ...]:
    """The end of a call that the supervisor had picked up."""
    whose = f"{first(one.supervisor)} had picked it up from {first(one.agent)}."
    if one.why is Why.CALL_OVER:
        return (f"Ended: {first(one.supervisor)}'s call is over", whose)
    return ("Ended: You left; the call goes on", whose)


def _refused(one: Intervention) -> tuple[str, ...]:
    # The ledger keeps the advice of a failure, not its class.
    head = "the PBX could not be reached" if one.advice == PbxUnreachable.message else LABEL[one.name]
    return (f"Refused: {head}", f"{one.advice} ({one.code})" if one.code else one.advice)


def _unknown(one: Intervention) -> tuple[str, ...]:
    doubt = "whether it was done cannot be seen" if one.name in RECORDING else "your phone may still ring"
    why = "The PBX gave no answer, and the call cannot be read at the moment."
    return (f"Unknown: {doubt}; nothing is sent again", why)


_RECORDING_SETUP = (
    "The PBX accepted, but records only if, in Phone Terminal Setup of {}, Call recording is on "
    "and Record triggered is “When *1 is pressed”. Ask an administrator of the PBX."
)


def _connected(one: Intervention) -> str:
    if one.name is ActionName.PICK_UP:
        return f"The call is {first(one.supervisor)}'s now."
    return f"{first(one.supervisor)} is in {_whose(one)} call."


def _not_answered(one: Intervention) -> tuple[str, ...]:
    head = f"Not answered: no connection seen in {int(one.wait.total_seconds())} s"
    if one.phone_seen is PhoneSeen.UNKNOWN:
        return (head,)
    return (head, f"The PBX says that phone {one.phone} {PHONE_SEEN[one.phone_seen]}")


def _not_confirmed(one: Intervention) -> tuple[str, ...]:
    if one.name is ActionName.STOP_RECORDING:
        return (
            "Not confirmed: the call is still being recorded after 10 s",
            "The PBX accepted, and goes on recording. Click Stop recording once more; if it still records, ask an administrator.",
        )
    return (
        "Not confirmed: no recording seen in 10 s",
        _RECORDING_SETUP.format(one.extension),
    )


SAYS: dict[State, Callable[[Intervention], tuple[str, ...]]] = {
    State.ASKED: _asked,
    State.RINGING: lambda one: (f"Ringing {first(one.supervisor)}'s phone {one.phone}",),
    State.CONNECTED: lambda one: (f"Connected after {_seconds(one)} s", _connected(one)),
    State.RECORDING: lambda one: (f"Recording {_whose(one)} call",),
    State.RECORDING_STOPPED: lambda one: (f"Recording stopped: {_whose(one)} call",),
    State.NOT_ANSWERED: _not_answered,
    State.NOT_CONFIRMED: _not_confirmed,
    State.ENDED: _ended,
    State.REFUSED: _refused,
    State.UNKNOWN: _unknown,
}
"""The headline of each state, and further sentences."""


def _seconds(one: Intervention) -> int:
    """Seconds from the request to the connection."""
    return max(0, round((one.steps[-1].at - one.asked_at).total_seconds()))


# ── a change of mode, a removed permission ──


def _mode_change(mode_change: ModeChange | BusyPhone | None) -> tuple[str, ...]:
    """What a card says while a change of mode waits, and after it waited too long."""
    if not isinstance(mode_change, ModeChange):
        return ()
    if mode_change.late:
        return (f"Not switched, {STILL[mode_change.held]}.",)
    return (f"Hang up: your phone rings again at once for {LABEL[mode_change.to]}.",)


def _not_switched(card: Card, newest: Intervention) -> tuple[str, ...]:
    """That the old mode goes on, where the new one failed."""
    held = next((one.name for one in card.interventions if one.in_call and one.name in JOINING), None)
    failed = newest.name in JOINING and newest.state in {State.NOT_ANSWERED, State.REFUSED}
    return (f"Not switched, {STILL[held]}.",) if held is not None and failed else ()


def _removed(card: Card) -> tuple[str, ...]:
    """To a person who may no longer do this. A ringing phone or a connection is not ended."""
    if not card.removed:
        return ()
    refused = (
        "You are no longer in callbot's configuration, or no longer have this permission, so there are no buttons."
    )
    if any(one.in_call for one in card.interventions):
        return (refused, "You are still in the call: hang up to leave.")
    rings = (one for one in card.interventions if one.name not in RECORDING and one.why is not Why.PHONE_BUSY)
    undecided = any(one.state in UNDECIDED for one in rings)
    return (refused, "Your phone may still ring: if you answer it, you are in the call.") if undecided else (refused,)
