"""The message of an intervention card: what one person does on one call, and how it goes. Pure."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from slack_sdk.models.blocks import Block

from bot.domain.actions import LABEL, RECORDING, ActionName, Whisper
from bot.domain.calls import Flow, PhoneCallView
from bot.domain.intervention import UNDECIDED, Intervention, State, Why
from bot.interventions.card import latest_seen
from bot.interventions.ports import BusyPhone, Card, CardElsewhere, ModeChange
from bot.slack.card_words import first, words_of
from bot.slack.foreign import caller, foreign
from bot.slack.messages import (
    STATUS,
    Message,
    buttons,
    fact,
    facts,
    headline,
    message,
    mode_change_buttons,
    our_words,
    said,
    since,
    small,
    small_words,
    when,
)
from bot.slack.state_words import STATE

MOST_VIEWS = 12
MOST_STEPS = 20

DOES = {
    ActionName.MONITOR: "Monitor: listens silently",
    ActionName.WHISPER: "Whisper: speaks to the agent",
    ActionName.BARGE_IN: "Barge in: joins the conversation",
    ActionName.PICK_UP: "Pick up: takes the ringing call",
    ActionName.START_RECORDING: "Record: starts recording",
    ActionName.STOP_RECORDING: "Stop recording",
}
FLOW = {
    Flow.UNKNOWN: "",
    Flow.LOCAL: "internal",
    Flow.OUTGOING: "outgoing",
    Flow.INCOMING: "incoming",
}
WENT_WRONG = frozenset({State.REFUSED, State.UNKNOWN, State.NOT_ANSWERED, State.NOT_CONFIRMED})
"""States after which the card shows the id of the request, to find it in the log."""
PROTECTED = (
    "A party of this call is protected now, so nothing more of it is shown, and there are no buttons. "
    "To leave the call, hang up."
)
REMOVED = "Nothing more of this call is shown here, and this card is no longer kept up to date but for your own line."
ELSEWHERE = {
    CardElsewhere.SILENT: "This card is here and not in the channel because listening and whispering are silent, "
    "and an agent may read the channel.",
    CardElsewhere.THERE_ALREADY: "This card stays here, where it began; nobody else can read it.",
    CardElsewhere.NO_ACCESS: "This card is here because callbot may not post in the channel. "
    "Invite it there with /invite @callbot.",
}


def intervention_message(card: Card) -> Message:
    """The card as a message. Its text begins with the state."""
    inside = any(one.in_call for one in card.interventions)
    newest = max(card.interventions, key=partial(_importance, inside))
    seen = latest_seen(card.interventions)
    head, *more = words_of(card, newest)
    hears = _who_hears(card, seen)
    doing = _doing(card.interventions, newest)
    blocks: list[Block] = [headline(head)]
    if more:
        blocks.append(said(*more))
    blocks.append(
        facts(
            fact("Asked by", newest.supervisor),
            fact("Does", "; ".join(DOES[name] for name in doing)),
            fact(f"Who hears {first(newest.supervisor)}", hears),
            fact("Agent", _person(newest.extension, newest.agent)),
        )
    )
    if card.protected or card.removed:
        blocks.append(small(PROTECTED if card.protected else REMOVED))
    elif newest.why is not Why.CALL_OVER:
        blocks += _summary(card, seen)
    blocks.append(our_words(_steps(card.interventions)))
    if seen.stale and seen.unread_since is not None and not card.removed:
        blocks.append(small_words(f"The PBX has not shown this call since {when(seen.unread_since)}."))
    if card.elsewhere is not CardElsewhere.NO:
        blocks.append(small(ELSEWHERE[card.elsewhere]))
    if newest.state in WENT_WRONG:
        blocks.append(small(f"Request {newest.id}"))
    if card.mode_change is not None and not (_is_late(card) or card.removed or card.protected):
        anyway = "Ring anyway" if isinstance(card.mode_change, BusyPhone) else "Ring now anyway"
        blocks.append(mode_change_buttons(card.id, newest.channel, anyway))
    elif card.buttons:
        blocks.append(buttons(card.buttons, f"next-{newest.id}-{newest.state}"))
    about = (
        f"{newest.supervisor}, {' and '.join(LABEL[name] for name in doing)}, {_person(newest.extension, newest.agent)}"
    )
    sentences = (head, *more, about, f"Who hears {first(newest.supervisor)}: {hears}")
    text = " ".join(f"{foreign(sentence.removesuffix('.'), 300)}." for sentence in sentences)
    return message(text, blocks)


def _is_late(card: Card) -> bool:
    """Whether a change of mode has waited too long."""
    return isinstance(card.mode_change, ModeChange) and card.mode_change.late


def _importance(inside: bool, one: Intervention) -> tuple[bool, bool, datetime, datetime]:
    """A sort key for the intervention in the headline: an undecided one, else the one that changed last.

    While the supervisor is in the call, the end of another intervention is no headline.
    """
    undecided = one.state in UNDECIDED and (one.following or one.why is Why.PHONE_BUSY)
    return (undecided, not (inside and one.state is State.ENDED), one.steps[-1].at, one.asked_at)


def _who_hears(card: Card, seen: Intervention) -> str:
    """Who hears the supervisor: from a connected intervention, else from one that is under way, else nobody."""
    legs = [one for one in card.interventions if one.name not in RECORDING]
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


def _doing(interventions: tuple[Intervention, ...], newest: Intervention) -> tuple[ActionName, ...]:
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


def _hears_in_call(one: Intervention, card: Card, seen: Intervention) -> str:
    """Who hears this mode, by the last poll of the call: the agent may have left it while the supervisor stays."""
    parties = {view.extension for view in seen.call.views if view.on_call and view.id not in card.legs}
    match one.name:
        case ActionName.MONITOR:
            return "nobody"
        case ActionName.WHISPER if not card.removed and (seen.stale or one.extension not in parties):
            unseen = f": {first(one.agent)} is not seen in the call"
            return f"not known{' while the call cannot be read' if seen.stale else unseen}"
        case ActionName.WHISPER:
            deaf = isinstance(one.action, Whisper) and one.action.private == 1
            only = f"only {first(one.agent)}"
            return f"{only}; {first(one.supervisor)} does not hear the call" if deaf else only
        case ActionName.BARGE_IN:
            return "everyone in the call" if parties or card.removed else "not known: nobody else is seen in the call"
        case _:
            return f"the caller; the call is {first(one.supervisor)}'s"


# ── the summary of the call ──


def _summary(card: Card, seen: Intervention) -> list[Block]:
    views = seen.call.views
    blocks = [_view(view, card.names, is_leg=view.id in card.legs) for view in views[:MOST_VIEWS]]
    if len(views) > MOST_VIEWS:
        blocks.append(small(f"And {len(views) - MOST_VIEWS} more parties."))
    return blocks


def _view(view: PhoneCallView, names: Mapping[str, str], *, is_leg: bool) -> Block:
    """One party of the call. A supervisor's leg never shows the mode."""
    parts = [
        fact("Supervisor's leg on" if is_leg else "Party", _person(view.extension, names.get(view.extension, ""))),
        fact("From", _people(view.source, names)),
        fact("To", _people(view.destination, names)),
    ]
    if not is_leg and view.caller_id:
        parts.append(fact("Caller id", caller(view.caller_id)))
    state = ", ".join(filter(None, (STATUS[view.status], FLOW[view.flow])))
    moment = view.answered if view.on_call else view.ringing
    fields = [*parts, since(f"{state.capitalize()} since", moment) if moment else fact("State", state)]
    fields += [since("On hold since", view.on_hold)] if view.on_hold else []
    fields += [since("Recording since", view.recording)] if view.recording else []
    fields += [since("Parked since", view.parked)] if view.parked else []
    return facts(*fields)


def _people(numbers: tuple[str, ...], names: Mapping[str, str]) -> str:
    return ", ".join(_person(number, names.get(number, "")) for number in numbers[:3]) or "unknown"


def _person(number: str, name: str) -> str:
    return f"{name} {number}" if name and name != number else caller(number)


def _steps(interventions: tuple[Intervention, ...]) -> str:
    """A line for each step, in order. A step of the call that two interventions share is one line."""
    steps = sorted(((step.at, step.state, one) for one in interventions for step in one.steps), key=lambda s: s[0])
    lines: list[str] = []
    last: State | None = None
    for at, state, one in steps:
        if state is not last or state not in {State.RECORDING, State.RECORDING_STOPPED, State.ENDED}:
            lines.append(f"{when(at)} {LABEL[one.name]}: {STATE[state]}")
        last = state
    return "\n".join(lines[-MOST_STEPS:])
