"""How many requests may be under way: in all, for each person, and for people whom the configuration does not name. Pure.

Interventions come before lists and help, and the people of callbot.toml before everybody else.
"""

from collections import Counter
from dataclasses import dataclass

from bot.domain.commands import Command, Help, ListCalls
from bot.domain.errors import Refusal

MOST_WAITING = 500
"""Requests under way at a time."""
MOST_LISTS = 300
"""From so many requests under way, no list is started: the rest is kept for interventions."""
MOST_UNKNOWN = 30
"""Requests under way of all people together whom the configuration does not name."""
MOST_EACH = 10
"""Lists of one person under way, and as many interventions."""
BUSY = "callbot has too much to do at the moment. Nothing was sent. Please try again in a minute."
WAIT = "callbot is still at work on what you asked for before. Nothing was sent. Please wait for those answers first."


@dataclass(frozen=True)
class Requester:
    """Who asks, and for what."""

    slack_user: str
    acts: bool
    """Everything but lists and help."""
    known: bool
    """The configuration names this person."""


def acts(meant: Command | Refusal) -> bool:
    """Whether it is more than a list, help or a line that cannot be read: somebody waits at a phone, or for a person."""
    return not isinstance(meant, Refusal | ListCalls | Help)


class RequestLimits:
    """Counts the requests under way."""

    def __init__(self) -> None:
        self._all = 0
        self._unknown = 0
        self._of_each: Counter[tuple[str, bool]] = Counter()

    def refusal(self, requester: Requester) -> str:
        """Why a request of this person is not started now; empty where it may start."""
        if self._all >= (MOST_WAITING if requester.acts and requester.known else MOST_LISTS):
            return BUSY
        if self._of_each[requester.slack_user, requester.acts] >= MOST_EACH:
            return WAIT
        return BUSY if not requester.known and self._unknown >= MOST_UNKNOWN else ""

    def started(self, requester: Requester) -> None:
        """Count a request that is under way now."""
        self._count(requester, 1)

    def ended(self, requester: Requester) -> None:
        """Count it no more."""
        self._count(requester, -1)

    def _count(self, requester: Requester, number: int) -> None:
        self._all += number
        self._unknown += 0 if requester.known else number
        of_each = (requester.slack_user, requester.acts)
        self._of_each[of_each] += number
        if not self._of_each[of_each]:
            del self._of_each[of_each]
