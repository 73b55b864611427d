"""What a telephone floor is made of: extensions, calls, and one view of a call for each party.

The words and numbers are those of the "PhoneCalls Resource" page of 4PSA's UnifiedAPI documentation.
"""

from collections.abc import Mapping
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
