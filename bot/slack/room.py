"""Who may have how much under way at a time, so that nobody's requests stand in the way of others. No I/O here.

Interventions come before lists, the people of callbot.toml before people whom nobody knows, and each person has a share.
"""

from collections import Counter
from dataclasses import dataclass

from bot.domain.commands import Command, Help, ListCalls
from bot.domain.errors import Refusal

MOST_WAITING = 500
"""Requests under way at a time."""
MOST_LISTS = 300
"""Requests under way beyond which no list is taken any more: the rest is for those who act."""
MOST_UNKNOWN = 30
"""Requests under way of all those whom the configuration does not name, people of other workspaces included."""
MOST_EACH = 10
"""Lists of one person, and as many requests that act."""
BUSY = "callbot has too much to do at the moment. Nothing was sent. Please try again in a minute."
WAIT = "callbot is still at work on what you asked for before. Nothing was sent. Please wait for those answers first."


@dataclass(frozen=True)
class Guest:
    """Who asks, and for what: `acts` is everything but lists and help; `known` are people of the configuration."""

    slack_user: str
    acts: bool
    known: bool


def acts(meant: Command | Refusal) -> bool:
    """Whether somebody waits at a phone or for a person. A line that cannot be read is answered at once."""
    return not isinstance(meant, Refusal | ListCalls | Help)


class Room:
    """What is under way."""

    def __init__(self) -> None:
        self._all = 0
        self._unknown = 0
        self._of_each: Counter[tuple[str, bool]] = Counter()

    def why_not(self, guest: Guest) -> str:
        """Why this person's request is not taken now; empty where there is room for it."""
        if self._all >= (MOST_WAITING if guest.acts and guest.known else MOST_LISTS):
            return BUSY
        if self._of_each[guest.slack_user, guest.acts] >= MOST_EACH:
            return WAIT
        return BUSY if not guest.known and self._unknown >= MOST_UNKNOWN else ""

    def enter(self, guest: Guest) -> None:
        """A request is under way."""
        self._count(guest, 1)

    def leave(self, guest: Guest) -> None:
        """It is done."""
        self._count(guest, -1)

    def _count(self, guest: Guest, number: int) -> None:
        self._all += number
        self._unknown += 0 if guest.known else number
        of_each = (guest.slack_user, guest.acts)
        self._of_each[of_each] += number
        if not self._of_each[of_each]:
            del self._of_each[of_each]
