"""What the PBX knows of a phone, beside calls: whether it is registered, idle, ringing or busy. No I/O here.

Source: "Presence Resource" and "List Presence" of UnifiedAPI. Older revisions have the registration flat in the
resource, newer ones in a list, one entry for each device; numbers come as numbers or numeric strings.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from bot.domain.calls import Received, Text, number


class PhoneSeen(StrEnum):
    """What can be said of a phone; empty where nothing is certain."""

    UNKNOWN = ""
    NOT_REGISTERED = "not_registered"
    BUSY = "busy"
    RINGING = "ringing"
    ONLINE = "online"


BUSY = frozenset({PhoneSeen.BUSY, PhoneSeen.RINGING})
"""What is said of a phone that should not be rung."""

STATUS = {1: PhoneSeen.ONLINE, 2: PhoneSeen.RINGING, 3: PhoneSeen.BUSY}
"""Presence.status; 0, and a number that the page does not have, say nothing."""
ABSENT = frozenset({-1, -2})
"""Registrations that no call reaches: not registered, expired. 1 is registered, 2 not needed, 0 unknown."""


def _status(value: object) -> PhoneSeen:
    return STATUS.get(number(value) or 0, PhoneSeen.UNKNOWN)


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
    status: Annotated[PhoneSeen, BeforeValidator(_status)] = PhoneSeen.UNKNOWN
    registration: Annotated[tuple[int, ...], BeforeValidator(_registrations)] = ()

    @property
    def unreachable(self) -> bool:
        """Whether the PBX says for certain that no device of this extension is registered."""
        return bool(self.registration) and ABSENT.issuperset(self.registration)

    @property
    def seen(self) -> PhoneSeen:
        """What can be said of the phone."""
        return PhoneSeen.NOT_REGISTERED if self.unreachable else self.status


def presence_from(value: object) -> Presence | None:
    """Read one Presence, or None where it is no object with an extension."""
    try:
        found = Presence.model_validate(value)
    except ValidationError:
        return None
    return found if found.extension else None
