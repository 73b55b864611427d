"""Phones that ring because of an intervention, and when they stop.

From the "Overview" and "Request Payload" of the Monitor, Whisper, BargeIn and PickUp PhoneCalls pages: the service
calls `sendCallTo` first, for `waitForPickup` seconds; what happens next depends on whether somebody answers.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.sandbox.pbx.phones import Call, Flow, Status, View

RingingAction = Literal["Monitor", "Whisper", "BargeIn", "PickUp"]

# The number that every leg of the Monitor and BargeIn PhoneCalls pages shows, whatever caller id was asked for.
LEG_NUMBER = "3334444"
LEG_NAMES = {"Monitor": "Monitor", "BargeIn": "Barge In"}


@dataclass(frozen=True)
class Intervention:
    """An intervention: which phone to ring, for which view of which call, for how many seconds."""

    action: RingingAction
    call_id: str
    view_id: str
    phone: str
    caller_id: str
    wait: float
    private: bool = False


def leg_of(call: Call, view: View, intervention: Intervention, now: datetime) -> View:
    """Return the view that a Monitor, Whisper or BargeIn adds to the call once its phone is answered."""
    name = LEG_NAMES.get(intervention.action)
    return View(
        id=call.free_view_id(),
        extension=view.extension,
        source=[intervention.phone],
        destination=[view.extension],
        caller_id=f"{name} <{LEG_NUMBER}>" if name else intervention.caller_id,
        flow=Flow.LOCAL,
        phone=intervention.phone,
        status=Status.ON_CALL,
        leg=True,
        answered=now,
    )


@dataclass
class _Ring:
    intervention: Intervention
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class RungPhones:
    """The phones that ring now: at most one intervention for each phone."""

    def __init__(self, *, answered: Callable[[Intervention], None], unanswered: Callable[[], None]) -> None:
        self._answered = answered
        self._unanswered = unanswered
        self._rings: dict[str, _Ring] = {}

    def __contains__(self, number: object) -> bool:
        return number in self._rings

    def interventions(self) -> list[Intervention]:
        """Return what the ringing phones ring for, oldest first."""
        return [ring.intervention for ring in self._rings.values()]

    def ring(self, intervention: Intervention, answers_after: float | None) -> None:
        """Ring the phone until it is answered, by hand or by itself, or the wait (seconds) is over."""
        loop = asyncio.get_running_loop()
        phone = intervention.phone
        ring = _Ring(intervention)
        ring.timers.append(loop.call_later(intervention.wait, self._give_up, phone))
        if answers_after is not None:
            ring.timers.append(loop.call_later(answers_after, self.lift, phone))
        self._rings[phone] = ring

    def lift(self, phone: str) -> bool:
        """Answer the phone; False when it does not ring."""
        intervention = self.stop(phone)
        if intervention is None:
            return False
        self._answered(intervention)
        return True

    def stop(self, phone: str) -> Intervention | None:
        """Silence the phone and return what it rang for."""
        ring = self._rings.pop(phone, None)
        if ring is None:
            return None
        for timer in ring.timers:
            timer.cancel()
        return ring.intervention

    def _give_up(self, phone: str) -> None:
        self.stop(phone)
        self._unanswered()
