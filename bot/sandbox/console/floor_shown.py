"""The floor as JSON: every desk phone, and a line for each call that it rings for, makes or is in.

Instants are milliseconds since 1970, as browsers count. Each line says what can be done by hand (`can`).
"""

from datetime import datetime
from typing import Any

from bot.sandbox.console.ring_times import Ring, RingTimes
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Extension, Status, View

Json = dict[str, Any]


class FloorShown:
    """Shows one floor."""

    def __init__(self, floor: Floor, rings: RingTimes) -> None:
        self._floor = floor
        self._rings = rings

    def now(self) -> Json:
        """Every phone, in the order of the floor."""
        return {"phones": [self.phone(each) for each in self._floor.extensions()]}

    def phone(self, extension: Extension) -> Json:
        """One phone; its state is that of its most urgent line."""
        lines = self.lines(extension.number)
        states = [line["state"] for line in lines]
        state = next(
            (each for each in ("ringing", "on_call", "on_hold", "parked", "calling") if each in states), "idle"
        )
        return {"number": extension.number, "name": extension.name, "state": state, "lines": lines}

    def lines(self, number: str) -> list[Json]:
        """The lines of one phone: a ringing intervention first, then its calls, oldest first."""
        ring = self._rings.ring(number)
        own = [self._line(call, view) for call in self._floor.calls() for view in call.views if view.phone == number]
        return [*([self._rung(ring)] if ring else []), *own]

    def _rung(self, ring: Ring) -> Json:
        """A phone that an intervention rings: for which action, and until when."""
        asked = ring.intervention
        call = self._floor.call(asked.call_id)
        view = call.view(asked.view_id) if call else None
        return {
            "call": asked.call_id,
            "kind": "intervention",
            "state": "ringing",
            "action": asked.action,
            "with": [self._name(view.extension)] if view else [],
            "since": _ms(ring.since),
            "until": _ms(ring.until),
            "recording_since": None,
            "slot": None,
            "can": ["lift"],
        }

    def _line(self, call: Call, view: View) -> Json:
        """One view of a call, as its phone shows it."""
        state = _state(view)
        supervisor = view.leg or view.phone != view.extension
        return {
            "call": call.id,
            "kind": "leg" if view.leg else "party",
            "state": state,
            "action": self._rings.action(view.phone, call.id) if supervisor else None,
            "with": [self._name(view.extension)] if view.leg else self._other_party(view),
            "since": _ms_of(_since(view, state) or call.published),
            "until": None,
            "recording_since": _ms_of(view.recording),
            "slot": view.parked_pos,
            "can": ["hang_up"] if view.leg else CAN[state],
        }

    def _other_party(self, view: View) -> list[str]:
        """The other party: a name and a number where both are known."""
        if view.phone == view.source[0] == view.extension:
            return [self._name(number) for number in view.destination]
        name, _, number = view.caller_id.removesuffix(">").rpartition(" <")
        return [name, number] if name else [view.caller_id]

    def _name(self, number: str) -> str:
        return next((each.name for each in self._floor.extensions() if each.number == number), number)


CAN = {
    "ringing": ["lift", "hop", "hang_up"],
    "calling": ["hang_up"],
    "on_call": ["hold", "park", "hang_up"],
    "on_hold": ["unhold", "hang_up"],
    "parked": ["unpark", "hang_up"],
}
"""What a party can do by hand in each state."""


def _state(view: View) -> str:
    if view.parked:
        return "parked"
    if view.status is Status.ON_CALL:
        return "on_hold" if view.on_hold else "on_call"
    return "ringing" if view.status is Status.RINGING else "calling"


def _since(view: View, state: str) -> datetime | None:
    if state == "parked":
        return view.parked
    if state == "on_hold":
        return view.on_hold
    return view.answered if state == "on_call" else view.ringing


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _ms_of(moment: datetime | None) -> int | None:
    return None if moment is None else _ms(moment.timestamp())
