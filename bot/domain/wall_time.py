"""The dates of calls and interventions by the wall clock, where they leave to Slack or the ledger.

In memory, the times of interventions and alerts count by callbot's clock (`bot.domain.clock`), the dates of calls by the
PBX's; an alert is `since` a date of the PBX. `own` and `pbx` are what is added to the one and to the other.
Alerts and cards have their own functions, beside their models.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel

from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.intervention import Intervention

_T = TypeVar("_T", bound=BaseModel)


def intervention_at(one: Intervention, own: timedelta, pbx: timedelta = timedelta()) -> Intervention:
    """An intervention, its steps and its call."""
    if not (own or pbx):
        return one
    steps = tuple(moved(step, ("at",), own) for step in one.steps)
    changed = moved(one, ("asked_at", "unread_since"), own)
    return changed.model_copy(update={"steps": steps, "call": call_at(one.call, pbx)})


def taken_up(on_card: Iterable[Intervention], now: datetime) -> tuple[Intervention, ...]:
    """The interventions of one card, as earlier processes wrote them to the ledger, with no time after `now`.

    A time after `now` was written while the clock was ahead. All such interventions are moved back by the same duration:
    nothing waits for that time, and their order stays.
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
    """The model with these of its times moved, where it has them. A time that would leave the calendar stays as it is."""
    if not by:
        return thing
    changes = {name: _plus(at, by) for name in names if (at := getattr(thing, name)) is not None}
    return thing.model_copy(update=changes)


def _plus(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at
