"""What is kept in callbot's time and in the PBX's, as the wall clock has it: calls and interventions.

In memory, the instants of interventions and alerts count in callbot's time (`clock`), the dates of calls in the PBX's. Alerts
are since when the PBX says. `own` and `pbx` are what is added to the one and to the other.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.intervention import Intervention

NONE = timedelta()
_T = TypeVar("_T")


def intervention_at(one: Intervention, own: timedelta, pbx: timedelta = NONE) -> Intervention:
    """An intervention, its steps and its call."""
    if not (own or pbx):
        return one
    steps = tuple(moved(step, ("at",), own) for step in one.steps)
    changed = moved(one, ("asked_at", "unread_since"), own)
    return changed.model_copy(update={"steps": steps, "call": call_at(one.call, pbx)})


def taken_up(on_card: Iterable[Intervention], now: datetime) -> tuple[Intervention, ...]:
    """What earlier processes wrote down of one card.

    What lies in the future was written by a clock that was ahead. It is moved back, all by as much: nothing waits for that
    time, and what came first stays first. What a process since has moved back already stays where it is.
    """
    newest = [(one, max((one.asked_at, *(step.at for step in one.steps)))) for one in on_card]
    by = now - max((at for _, at in newest), default=now)
    return tuple(intervention_at(one, by) if at > now else one for one, at in newest)


def call_at(call: PhoneCall, pbx: timedelta) -> PhoneCall:
    """A call and its views."""
    if not pbx:
        return call
    views = tuple(view_at(view, pbx) for view in call.views)
    return moved(call, ("published", "answered"), pbx).model_copy(update={"views": views})


def view_at(view: PhoneCallView, pbx: timedelta) -> PhoneCallView:
    """One side of a call."""
    return moved(view, ("ringing", "answered", "recording", "on_hold", "parked"), pbx)


def moved(thing: _T, names: Iterable[str], by: timedelta) -> _T:
    """It, with those of its instants moved that there are. A date at the very end of time stays where it is."""
    if not by:
        return thing
    whole: Any = thing
    changes = {name: _plus(at, by) for name in names if (at := getattr(whole, name)) is not None}
    changed: _T = whole.model_copy(update=changes)
    return changed


def _plus(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at
