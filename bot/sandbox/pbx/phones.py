"""What a telephone floor is made of: extensions, calls, one view of a call for each party, and phones that ring.

The words and numbers are those of the "PhoneCalls Resource" page of 4PSA's UnifiedAPI documentation. How a phone rings is
from the "Overview" and "Request Payload" of the Monitor, Whisper, BargeIn and PickUp PhoneCalls pages: the service calls
`sendCallTo` first, for `waitForPickup` seconds; what happens next depends on whether somebody answers.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal

DATES = frozenset({"published", "answered", "ringing", "recording", "onHold", "parked"})
"""The keys of dates on the wire."""

Kind = Literal["phone terminal", "queue", "conference", "ivr", "voicemail", "callback"]


class Status(IntEnum):
    """What a party of a call is doing (`status` of a PhoneCallView)."""

    UNKNOWN = 0
    OFF_HOOK = 1
    TRYING = 2
    RINGING = 3
    OTHER_SIDE_RINGING = 4
    ON_CALL = 5


class Flow(IntEnum):
    """Where a call comes from and goes to (`flow` of a PhoneCallView)."""

    LOCAL = 2
    OUTGOING = 4
    INCOMING = 8


@dataclass
class Extension:
    """An extension and its phone. The attributes may change while the floor runs."""

    number: str
    """Extended number: organisation, `*`, extension."""
    user: str
    """The User-Id of its owner: text, even where it looks like a number."""
    name: str
    organisation: str
    organisation_name: str
    kind: Kind = "phone terminal"
    call_waiting: bool = False
    """Whether the phone rings although it is in a call."""
    answers_after: float | None = None
    """Seconds after which the phone answers an intervention by itself; None: only by hand."""
    recordable: bool = True
    """Whether recording is on in Phone Terminal Setup (the prerequisite on the StartRecording PhoneCalls page)."""
    registered: bool = True


@dataclass
class View:
    """One party's view of a call (PhoneCallView). Instants are aware datetimes; None: it has not happened."""

    id: str
    extension: str
    source: list[str]
    destination: list[str]
    caller_id: str
    flow: Flow
    phone: str
    """The extension whose handset is in use: the party's own, or, of a leg or a picked up call, the supervisor's."""
    status: Status = Status.UNKNOWN
    leg: bool = False
    """Whether a Monitor, Whisper or BargeIn made this view."""
    ringing: datetime | None = None
    answered: datetime | None = None
    recording: datetime | None = None
    on_hold: datetime | None = None
    holder: int | None = None
    parked: datetime | None = None
    parked_pos: int | None = None
    parked_by: str | None = None


@dataclass
class Call:
    """A call in progress (PhoneCall)."""

    id: str
    extension: str
    """The extension that is charged; it may not be a party."""
    organisation: str
    organisation_name: str
    published: datetime
    answered: datetime | None = None
    views: list[View] = field(default_factory=list)
    said: dict[str, str | None] = field(default_factory=dict)
    """Texts in place of dates, by their keys on the wire; None leaves a date out. They count for the call and all its views."""

    def view(self, view_id: str) -> View | None:
        """Return the view of that id, as text: "1" is not "01"."""
        return next((view for view in self.views if view.id == view_id), None)

    def free_view_id(self) -> str:
        """Return the lowest two-digit view id from "01" that no view of this call has."""
        taken = {view.id for view in self.views}
        return next(name for number in range(1, len(taken) + 2) if (name := f"{number:02}") not in taken)

    def involves(self, numbers: frozenset[str]) -> bool:
        """Whether the call shows under one of these extensions: one is charged for it, or one of the views is its."""
        return self.extension in numbers or any(view.extension in numbers for view in self.views)

    def say(self, dates: Mapping[str, str | None]) -> None:
        """Add texts in place of dates; raise ValueError for a key that is not of a date."""
        given = dict(dates)
        for key, text in given.items():
            if key not in DATES or not isinstance(text, str | None):
                raise ValueError(f"{key}: {text!r} instead of a date")
        self.said |= given

    def parties(self) -> list[View]:
        """Return the views that are not a supervisor's leg."""
        return [view for view in self.views if not view.leg]


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
