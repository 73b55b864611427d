"""What the PBX knows of a phone, beside calls: whether it is registered, idle, ringing or busy. No I/O here.

Source: "Presence Resource" and "List Presence" of UnifiedAPI. Older revisions have the registration flat in the
resource, newer ones in a list, one entry for each device; numbers come as numbers or numeric strings.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from bot.phonecalls import Received, Text, number


class PhoneState(IntEnum):
    """Presence.status; a number we do not know counts as UNKNOWN."""

    UNKNOWN = 0
    ONLINE = 1
    RINGING = 2
    BUSY = 3

    @classmethod
    def _missing_(cls, value: object) -> "PhoneState":
        return cls.UNKNOWN


class PhoneSeen(StrEnum):
    """What can be said of a phone; empty where nothing is certain."""

    UNKNOWN = ""
    NOT_REGISTERED = "not registered"
    BUSY = "busy"
    RINGING = "ringing"
    ONLINE = "online"


SEEN = {
    PhoneState.UNKNOWN: PhoneSeen.UNKNOWN,
    PhoneState.ONLINE: PhoneSeen.ONLINE,
    PhoneState.RINGING: PhoneSeen.RINGING,
    PhoneState.BUSY: PhoneSeen.BUSY,
}
ABSENT = frozenset({-1, -2})
"""Registrations that no call reaches: not registered, expired. 1 is registered, 2 not needed, 0 unknown."""


def _state(value: object) -> PhoneState:
    return PhoneState(number(value) or 0)


def _registrations(value: object) -> tuple[int, ...]:
    """The number of each device; what is no number counts as unknown."""
    entries: tuple[Any, ...] = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return tuple(
        number(entry.get("registration") if isinstance(entry, dict) else entry) or 0
        for entry in entries
        if entry is not None
    )


class Presence(Received):
    """One phone as the PBX sees it."""

    extension: Text
    status: Annotated[PhoneState, BeforeValidator(_state)] = PhoneState.UNKNOWN
    registration: Annotated[tuple[int, ...], BeforeValidator(_registrations)] = ()

    @property
    def unreachable(self) -> bool:
        """Whether the PBX says for certain that no device of this extension is registered."""
        return bool(self.registration) and ABSENT.issuperset(self.registration)

    @property
    def seen(self) -> PhoneSeen:
        """What can be said of the phone."""
        return PhoneSeen.NOT_REGISTERED if self.unreachable else SEEN[self.status]


def presence(value: object) -> Presence | None:
    """Read one Presence, or None where it is no object with an extension."""
    try:
        found = Presence.model_validate(value)
    except ValidationError:
        return None
    return found if found.extension else None
