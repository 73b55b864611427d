"""What is kept in callbot's time and in the PBX's, as the wall clock has it. Pure.

In memory, the instants of interventions and alerts count in callbot's time (`clock`), the dates of calls in the PBX's. Alerts
are since when the PBX says. `own` and `pbx` are what is added to the one and to the other.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.alerts.alert import Alert
from bot.alerts.ports import AlertCard, BlindCard, DigestCard
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.intervention import Intervention
from bot.interventions.ports import Card, Choice, Line

NONE = timedelta()
_T = TypeVar("_T")
_WithCall = TypeVar("_WithCall", Choice, Line)


def intervention_at(one: Intervention, own: timedelta, pbx: timedelta = NONE) -> Intervention:
    """An intervention, its steps and its call."""
    if not (own or pbx):
        return one
    steps = tuple(_moved(step, ("at",), own) for step in one.steps)
    moved = _moved(one, ("asked_at", "unread_since"), own)
    return moved.model_copy(update={"steps": steps, "call": call_at(one.call, pbx)})


def alert_at(alert: Alert, own: timedelta, pbx: timedelta = NONE) -> Alert:
    """An alert, its steps, who is on it, and its call."""
    if not (own or pbx):
        return alert
    moved = _moved(_moved(alert, ("raised_at", "seen_at", "snoozed_until"), own), ("since",), pbx)
    steps = tuple(_moved(step, ("at",), own) for step in alert.steps)
    helpers = tuple(_moved(one, ("since",), own) for one in alert.helpers)
    return moved.model_copy(update={"steps": steps, "helpers": helpers, "call": call_at(alert.call, pbx)})


def taken_up(one: Intervention, now: datetime) -> Intervention:
    """What an earlier process wrote down. If its clock was ahead, all of it is moved back: nothing waits for that time."""
    ahead = max(one.asked_at, *(step.at for step in one.steps), now) - now
    return intervention_at(one, -ahead) if ahead else one


def alert_taken_up(alert: Alert, now: datetime) -> Alert:
    """The same of an alert."""
    ahead = max(alert.raised_at, alert.seen_at, *(step.at for step in alert.steps), now) - now
    return alert_at(alert, -ahead) if ahead else alert


def blind_at(card: BlindCard, own: timedelta) -> BlindCard:
    """That a channel is blind."""
    return _moved(card, ("since", "ended"), own)


def call_at(call: PhoneCall, pbx: timedelta) -> PhoneCall:
    """A call and its views."""
    if not pbx:
        return call
    views = tuple(view_at(view, pbx) for view in call.views)
    return _moved(call, ("published", "answered"), pbx).model_copy(update={"views": views})


def view_at(view: PhoneCallView, pbx: timedelta) -> PhoneCallView:
    """One side of a call."""
    return _moved(view, ("ringing", "answered", "recording", "on_hold", "parked"), pbx)


def lines_at(lines: Iterable[_WithCall], pbx: timedelta) -> tuple[_WithCall, ...]:
    """Lines of `/calls`, or calls to choose from. Their buttons name calls as the PBX does."""
    if not pbx:
        return tuple(lines)
    return tuple(
        line.model_copy(update={"call": call_at(line.call, pbx), "view": view_at(line.view, pbx)}) for line in lines
    )


def card_at(
    card: Card | AlertCard | DigestCard | BlindCard, own: timedelta, pbx: timedelta
) -> Card | AlertCard | DigestCard | BlindCard:
    """A card of any kind. Its buttons name calls as the PBX does."""
    if not (own or pbx):
        return card
    match card:
        case Card():
            interventions = tuple(intervention_at(one, own, pbx) for one in card.interventions)
            return card.model_copy(update={"interventions": interventions})
        case AlertCard():
            return _alert_card_at(card, own, pbx)
        case DigestCard():
            lines = tuple(_alert_card_at(line, own, pbx) for line in card.lines)
            moved = _moved(card, ("begun_at", "changed_at", "not_updated_since"), own)
            return moved.model_copy(update={"lines": lines})
        case BlindCard():
            return blind_at(card, own)


def _alert_card_at(card: AlertCard, own: timedelta, pbx: timedelta) -> AlertCard:
    view = None if card.view is None else view_at(card.view, pbx)
    return card.model_copy(update={"alert": alert_at(card.alert, own, pbx), "view": view})


def _moved(thing: _T, names: Iterable[str], by: timedelta) -> _T:
    """It, with those of its instants moved that there are. A date at the very end of time stays where it is."""
    if not by:
        return thing
    whole: Any = thing
    changes = {name: _plus(at, by) for name in names if (at := getattr(whole, name)) is not None}
    moved: _T = whole.model_copy(update=changes)
    return moved


def _plus(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at
