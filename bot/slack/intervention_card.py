"""The card of an intervention: what one person does on one call, and how it goes. Pure.

The headline, and with it the text, begins with the word of the state.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.domain.actions import JOINING, LABEL, RECORDING, RINGS_PHONE, ActionName, Whisper
from bot.domain.calls import PhoneCallView, PhoneSeen
from bot.domain.commands import AnswerWaiting, Offer
from bot.domain.errors import PbxUnreachable
from bot.domain.intervention import UNDECIDED, Intervention, State, Why
from bot.interventions.card import CardElsewhere, InterventionCard, latest_seen
from bot.interventions.waiting import ModeChange, WaitsForPhone
from bot.slack.messages import (
    FLOW,
    STATUS,
    Message,
    button_element,
    date_field,
    field,
    fields_section,
    headline,
    intervention_button,
    message,
    mrkdwn_context,
    mrkdwn_section,
    plain_context,
    plain_section,
    quoted_caller,
    text_of,
    time_of_day,
)

MOST_VIEWS_SHOWN = 12
MOST_STEPS = 20

STATE: Mapping[State, str] = {
    State.ASKED: "Asked",
    State.RINGING: "Ringing",
    State.CONNECTED: "Connected",
    State.RECORDING: "Recording",
    State.RECORDING_STOPPED: "Recording stopped",
    State.NOT_ANSWERED: "Not answered",
    State.NOT_CONFIRMED: "Not confirmed",
    State.ENDED: "Ended",
    State.REFUSED: "Refused",
    State.UNKNOWN: "Unknown",
}
"""The word for each state, on cards and in `callbot audit`. The ledger and the logs have codes."""
DOES = {
    ActionName.MONITOR: "Monitor: listens silently",
    ActionName.WHISPER: "Whisper: speaks to the agent",
    ActionName.BARGE_IN: "Barge in: joins the conversation",
    ActionName.PICK_UP: "Pick up: takes the ringing call",
    ActionName.START_RECORDING: "Record: starts recording",
    ActionName.STOP_RECORDING: "Stop recording",
}
WENT_WRONG = frozenset({State.REFUSED, State.UNKNOWN, State.NOT_ANSWERED, State.NOT_CONFIRMED})
"""States after which the card shows the id of the request, to find it in the log."""
NOW_PROTECTED = (
    "A party of this call is protected now, so nothing more of it is shown, and there are no buttons. "
    "To leave the call, hang up."
)
REMOVED = "Nothing more of this call is shown here, and this card is no longer kept up to date but for your own line."
WHY_HERE = {
    CardElsewhere.SILENT: "This card is here and not in the channel because listening and whispering are silent, "
    "and an agent may read the channel.",
    CardElsewhere.THERE_ALREADY: "This card stays here, where it began; nobody else can read it.",
    CardElsewhere.NO_ACCESS: "This card is here because callbot may not post in the channel. "
    "Invite it there with /invite @callbot.",
}


def intervention_message(card: InterventionCard) -> Message:
    """The card as a message. Its text begins with the state."""
    inside = any(one.in_call for one in card.interventions)
    newest = max(card.interventions, key=partial(_importance, inside))
    seen = latest_seen(card.interventions)
    head, *more = (*_state_words(card, newest), *_mode_change(card, newest), *_removed(card))
    who_hears, hears = f"Who hears {_first(newest.supervisor)}", _who_hears(card, seen)
    actions = _actions(card.interventions, newest)
    agent = _person(newest.agent, newest.extension)
    blocks: list[Block] = [headline(head)]
    if more:
        blocks.append(plain_section(*more))
    does = "; ".join(DOES[name] for name in actions)
    blocks.append(
        fields_section(
            field("Asked by", newest.supervisor), field("Does", does), field(who_hears, hears), field("Agent", agent)
        )
    )
    if card.protected or card.removed:
        blocks.append(plain_context(NOW_PROTECTED if card.protected else REMOVED))
    elif newest.why is not Why.CALL_OVER:
        blocks += _call(card, seen)
    blocks.append(mrkdwn_section(_steps(card.interventions)))
    if seen.stale and seen.unread_since is not None and not card.removed:
        blocks.append(mrkdwn_context(f"The PBX has not shown this call since {time_of_day(seen.unread_since)}."))
    if card.elsewhere is not CardElsewhere.NO:
        blocks.append(plain_context(WHY_HERE[card.elsewhere]))
    if newest.state in WENT_WRONG:
        blocks.append(plain_context(f"Request {newest.id}"))
    blocks += _buttons(card, newest)
    about = f"{newest.supervisor}, {' and '.join(LABEL[name] for name in actions)}, {agent}"
    return message(text_of((head, *more, about, f"{who_hears}: {hears}")), blocks)


def _importance(inside: bool, one: Intervention) -> tuple[bool, bool, datetime, datetime]:
    """A sort key for the intervention in the headline: an undecided one, else the one that changed last.

    While the supervisor is in the call, the end of another intervention is no headline.
    """
    undecided = one.state in UNDECIDED and (one.following or one.why is Why.PHONE_BUSY)
    return (undecided, not (inside and one.state is State.ENDED), one.steps[-1].at, one.asked_at)


def _who_hears(card: InterventionCard, seen: Intervention) -> str:
    """Who hears the supervisor: from a connected intervention, else from one that is under way, else nobody."""
    legs = [one for one in card.interventions if one.name in RINGS_PHONE]
    if not legs:
        return "nobody through this recording"
    present = next((one for one in reversed(legs) if one.in_call), None)
    if present is not None:
        return _hears_in_call(present, card, seen)
    newest = legs[-1]
    if newest.state is State.UNKNOWN:
        return "not known while the call cannot be read"
    if newest.state in UNDECIDED:
        return f"nobody yet; once connected: {_hears_in_call(newest, card, seen)}"
    return "nobody (no connection seen)" if newest.state is State.NOT_ANSWERED else "nobody (not in the call)"


def _hears_in_call(one: Intervention, card: InterventionCard, seen: Intervention) -> str:
    """Who hears this mode, by the last poll of the call: the agent may have left it while the supervisor stays."""
    parties = {view.extension for view in seen.call.views if view.on_call and view.id not in card.legs}
    match one.name:
        case ActionName.MONITOR:
            return "nobody"
        case ActionName.WHISPER if not card.removed and (seen.stale or one.extension not in parties):
            unseen = f": {_first(one.agent)} is not seen in the call"
            return f"not known{' while the call cannot be read' if seen.stale else unseen}"
        case ActionName.WHISPER:
            deaf = isinstance(one.action, Whisper) and one.action.private == 1
            only = f"only {_first(one.agent)}"
            return f"{only}; {_first(one.supervisor)} does not hear the call" if deaf else only
        case ActionName.BARGE_IN:
            return "everyone in the call" if parties or card.removed else "not known: nobody else is seen in the call"
        case _:
            return f"the caller; the call is {_first(one.supervisor)}'s"


def _actions(interventions: tuple[Intervention, ...], newest: Intervention) -> tuple[ActionName, ...]:
    """What the supervisor does: the connected mode, until a new one is connected, and recording besides.

    Once everything has ended, all that they did.
    """
    if not any(one.following for one in interventions):
        return tuple(dict.fromkeys(one.name for one in interventions))
    present = next((one.name for one in reversed(interventions) if one.in_call), None)
    if present is None:
        return (newest.name,)
    recording = [one.name for one in interventions if one.name in RECORDING and (one.following or one is newest)]
    return (present, *recording[-1:])


def _buttons(card: InterventionCard, newest: Intervention) -> list[Block]:
    """What to do next; while the supervisor's phone is waited for, whether to ring it anyway."""
    change = card.waiting
    late = isinstance(change, ModeChange) and change.late
    if change is None or late or card.removed or card.protected:
        offered = [intervention_button(one) for one in card.buttons]
        return [ActionsBlock(block_id=f"next-{newest.id}-{newest.state}", elements=offered)] if offered else []
    anyway = "Ring anyway" if isinstance(change, WaitsForPhone) else "Ring now anyway"
    answers = [
        button_element(label, f"switch:{name}", Offer(answer, newest.channel))
        for label, name, answer in (
            (anyway, "now", AnswerWaiting(card=card.id, now=True)),
            ("Cancel", "cancel", AnswerWaiting(card=card.id, now=False)),
        )
    ]
    return [ActionsBlock(block_id=f"switch-{card.id}", elements=answers)]


# ── the call ──


def _call(card: InterventionCard, seen: Intervention) -> list[Block]:
    """Each party of the call, as it was seen last."""
    views = seen.call.views
    blocks = [_view(view, card.names, is_leg=view.id in card.legs) for view in views[:MOST_VIEWS_SHOWN]]
    if len(views) > MOST_VIEWS_SHOWN:
        blocks.append(plain_context(f"And {len(views) - MOST_VIEWS_SHOWN} more parties."))
    return blocks


def _view(view: PhoneCallView, names: Mapping[str, str], *, is_leg: bool) -> Block:
    """One party of the call. A supervisor's leg never shows the mode."""
    parts = [
        field("Supervisor's leg on" if is_leg else "Party", _person(names.get(view.extension, ""), view.extension)),
        field("From", _people(view.source, names)),
        field("To", _people(view.destination, names)),
    ]
    if not is_leg and view.caller_id:
        parts.append(field("Caller id", quoted_caller(view.caller_id)))
    state = ", ".join(filter(None, (STATUS[view.status], FLOW[view.flow])))
    moment = view.answered if view.on_call else view.ringing
    fields = [*parts, date_field(f"{state.capitalize()} since", moment) if moment else field("State", state)]
    fields += [date_field("On hold since", view.on_hold)] if view.on_hold else []
    fields += [date_field("Recording since", view.recording)] if view.recording else []
    fields += [date_field("Parked since", view.parked)] if view.parked else []
    return fields_section(*fields)


def _people(numbers: tuple[str, ...], names: Mapping[str, str]) -> str:
    return ", ".join(_person(names.get(number, ""), number) for number in numbers[:3]) or "unknown"


def _person(name: str, number: str) -> str:
    return f"{name} {number}" if name and name != number else quoted_caller(number)


def _steps(interventions: tuple[Intervention, ...]) -> str:
    """A line for each step, in order. A step of the call that two interventions share is one line."""
    steps = sorted(((step.at, step.state, one) for one in interventions for step in one.steps), key=lambda s: s[0])
    lines: list[str] = []
    last: State | None = None
    for at, state, one in steps:
        if state is not last or state not in {State.RECORDING, State.RECORDING_STOPPED, State.ENDED}:
            lines.append(f"{time_of_day(at)} {LABEL[one.name]}: {STATE[state]}")
        last = state
    return "\n".join(lines[-MOST_STEPS:])


# ── the words of the state ──

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


def _state_words(card: InterventionCard, newest: Intervention) -> tuple[str, ...]:
    """The words of the state. A person whose permission was removed gets no news of the call."""
    if newest.why is Why.PHONE_BUSY:
        return _phone_busy(card, newest)
    if card.removed and newest.state is State.ENDED and newest.why not in {Why.NOT_SENT, Why.REMOVED}:
        return ("Ended: You are no longer in the call",)
    return STATE_WORDS[newest.state](newest)


def _first(name: str) -> str:
    """The first name."""
    return name.split(" ", maxsplit=1)[0] if name.strip() else name


def _whose(one: Intervention) -> str:
    return f"{_first(one.agent)}'s"


def _phone_busy(card: InterventionCard, one: Intervention) -> tuple[str, ...]:
    whose = card.waiting.whose if isinstance(card.waiting, WaitsForPhone) and not card.protected else ""
    whose = f" ({_first(whose)}'s call)" if whose else ""
    return (f"Asked: your phone is busy{whose}", f"Finish there first; then it rings for {_first(one.agent)}.")


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
            f"{_first(one.supervisor)} had lost the right to it. The recording may go on.",
        )
    if one.why is Why.SIDE_GONE:
        return (f"Ended: {_whose(one)} part of the call is over",)
    return (f"Ended: You left; {_whose(one)} call goes on",)


def _picked_up_ended(one: Intervention) -> tuple[str, ...]:
    """The end of a call that the supervisor had picked up."""
    whose = f"{_first(one.supervisor)} had picked it up from {_first(one.agent)}."
    if one.why is Why.CALL_OVER:
        return (f"Ended: {_first(one.supervisor)}'s call is over", whose)
    return ("Ended: You left; the call goes on", whose)


def _refused(one: Intervention) -> tuple[str, ...]:
    # The ledger keeps the advice of a failure, not its class.
    head = "the PBX could not be reached" if one.advice == PbxUnreachable.message else LABEL[one.name]
    return (f"Refused: {head}", f"{one.advice} ({one.code})" if one.code else one.advice)


def _unknown(one: Intervention) -> tuple[str, ...]:
    doubt = "your phone may still ring" if one.name in RINGS_PHONE else "whether it was done cannot be seen"
    answer = (
        "accepted it, but"
        if one.accepted
        else "spoke of a fault of its own, and"
        if one.code
        else "gave no answer, and"
    )
    return (f"Unknown: {doubt}; nothing is sent again", f"The PBX {answer} the call cannot be read at the moment.")


def _connected(one: Intervention) -> tuple[str, ...]:
    seconds = max(0, round((one.steps[-1].at - one.asked_at).total_seconds()))
    present = f"{_first(one.supervisor)} is in {_whose(one)} call."
    if one.name is ActionName.PICK_UP:
        present = f"The call is {_first(one.supervisor)}'s now."
    return (f"Connected after {seconds} s", present)


def _not_answered(one: Intervention) -> tuple[str, ...]:
    head = f"Not answered: no connection seen in {int(one.ring_time.total_seconds())} s"
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
        (
            f"The PBX accepted, but records only if, in Phone Terminal Setup of {one.extension}, Call recording is on "
            "and Record triggered is “When *1 is pressed”. Ask an administrator of the PBX."
        ),
    )


STATE_WORDS: dict[State, Callable[[Intervention], tuple[str, ...]]] = {
    State.ASKED: _asked,
    State.RINGING: lambda one: (f"Ringing {_first(one.supervisor)}'s phone {one.phone}",),
    State.CONNECTED: _connected,
    State.RECORDING: lambda one: (f"Recording {_whose(one)} call",),
    State.RECORDING_STOPPED: lambda one: (f"Recording stopped: {_whose(one)} call",),
    State.NOT_ANSWERED: _not_answered,
    State.NOT_CONFIRMED: _not_confirmed,
    State.ENDED: _ended,
    State.REFUSED: _refused,
    State.UNKNOWN: _unknown,
}
"""The headline of each state, and further sentences."""


def _mode_change(card: InterventionCard, newest: Intervention) -> tuple[str, ...]:
    """What a card says while a change of mode waits, after it waited too long, and where the new mode failed."""
    words: list[str] = []
    change = card.waiting
    if isinstance(change, ModeChange) and not (card.removed or card.protected):
        hang_up = f"Hang up: your phone rings again at once for {LABEL[change.to]}."
        words.append(f"Not switched, {STILL[change.current]}." if change.late else hang_up)
    held = next((one.name for one in card.interventions if one.in_call and one.name in JOINING), None)
    if held is not None and newest.name in JOINING and newest.state in {State.NOT_ANSWERED, State.REFUSED}:
        words.append(f"Not switched, {STILL[held]}.")
    return tuple(words)


def _removed(card: InterventionCard) -> tuple[str, ...]:
    """To a person who may no longer do this. A ringing phone or a connection is not ended."""
    if not card.removed:
        return ()
    no_buttons = (
        "You are no longer in callbot's configuration, or no longer have this permission, so there are no buttons."
    )
    if any(one.in_call for one in card.interventions):
        return (no_buttons, "You are still in the call: hang up to leave.")
    rings = (one for one in card.interventions if one.name in RINGS_PHONE and one.why is not Why.PHONE_BUSY)
    undecided = any(one.state in UNDECIDED for one in rings)
    return (
        (no_buttons, "Your phone may still ring: if you answer it, you are in the call.")
        if undecided
        else (no_buttons,)
    )
