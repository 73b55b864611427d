"""Which alerts get a card of their own: more than 10 new ones for a channel within a minute share a digest. Pure.

Counted are all that were raised, on cards of their own or not, so a flood that goes on stays on its digest. One that goes
on for very long, or is very large, begins a new digest, so that what is new is not far up in the channel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST = 10
"""New alerts of one channel within `WITHIN` that may each have a card of their own."""
WITHIN = timedelta(minutes=1)
LONGEST, LARGEST = timedelta(minutes=15), 500
"""How long one digest takes new alerts, and how many."""


@dataclass
class _Digest:
    id: str
    begun: datetime
    added: datetime
    """When it took its last alert."""
    size: int = 0

    def is_full(self, now: datetime) -> bool:
        """Whether it takes no more."""
        return now - self.begun >= LONGEST or self.size >= LARGEST


class Digests:
    """What was raised lately in each channel. `new_id` names the digests."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._lately: dict[str, list[tuple[datetime, int]]] = {}
        self._digests: dict[str, _Digest] = {}

    def seat(self, channel: str, number: int, now: datetime, open_digest: str = "") -> str:
        """Where so many alerts that are new by now are to be shown: the id of the digest that takes them all, or empty.

        Empty means that each has a card of its own. It is the digest that took the last ones, if that was less than a
        minute ago, else `open_digest`, one that still shows open alerts, else a new one. Nothing is counted yet.
        """
        lately = sum(many for at, many in self._lately.get(channel, ()) if _lately(at, now))
        if number + lately <= MOST:
            return ""
        last = self._digests.get(channel)
        if last is None:
            return open_digest or self._new_id()
        if last.is_full(now):
            return self._new_id()
        return last.id if _lately(last.added, now) else open_digest or self._new_id()

    def count(self, channel: str, number: int, at: datetime, digest: str) -> None:
        """So many were raised then; `digest` is the one that took them, empty where each has a card of its own."""
        lately = [(then, many) for then, many in self._lately.get(channel, ()) if _lately(then, at)]
        self._lately[channel] = [*lately, (at, number)]
        if not digest:
            return
        last = self._digests.get(channel)
        if last is None or (last.id != digest and last.added <= at):
            last = self._digests[channel] = _Digest(digest, at, at)
        if last.id == digest:
            last.begun, last.added = min(last.begun, at), max(last.added, at)
            last.size += number

    def current(self, digest: str, now: datetime) -> bool:
        """Whether that digest took its last alert less than a minute ago, so that it takes the next flood too."""
        return any(
            known.id == digest and _lately(known.added, now) and not known.is_full(now)
            for known in self._digests.values()
        )


def _lately(at: datetime, now: datetime) -> bool:
    """Less than a minute ago. A clock that was set back by more than that makes nothing recent."""
    return abs(now - at) < WITHIN
