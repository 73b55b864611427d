"""Which new alerts get a card of their own: more than 10 within a minute share a digest of their channel. Pure.

All alerts count that were raised, on cards of their own or not, so a flood that goes on stays on its digest. A flood that
goes on for very long, or is very large, begins a new digest, so that people need not scroll up far to what is new.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST = 10
"""New alerts of one channel within WITHIN that each get a card of their own."""
WITHIN = timedelta(minutes=1)
LONGEST, LARGEST = timedelta(minutes=15), 500
"""How long one digest takes new alerts, and how many it takes."""


@dataclass
class _Digest:
    id: str
    begun: datetime
    added: datetime
    """When it took its last alert."""
    size: int = 0

    def is_full(self, now: datetime) -> bool:
        """Whether it takes no more alerts."""
        return now - self.begun >= LONGEST or self.size >= LARGEST


class Digests:
    """The alerts that were raised lately in each channel, and the newest digest of each. `new_id` makes ids of digests."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._lately: dict[str, list[tuple[datetime, int]]] = {}
        self._digests: dict[str, _Digest] = {}

    def digest_for(self, channel: str, number: int, now: datetime, open_digest: str = "") -> str:
        """The digest for this number of new alerts: its id, or empty if each gets a card of its own. Nothing is counted yet.

        It is the digest that took the last alerts, if that was less than a minute ago; else `open_digest`, one that still
        shows open alerts; else a new one.
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
        """Count this number of alerts as raised at `at`, on that digest; empty if each has a card of its own."""
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
        """Whether that digest took its last alert less than a minute ago, so that the next flood goes on it too."""
        return any(
            known.id == digest and _lately(known.added, now) and not known.is_full(now)
            for known in self._digests.values()
        )


def _lately(at: datetime, now: datetime) -> bool:
    """Whether it was less than a minute ago. After a clock is set back by more than that, nothing before it counts as recent."""
    return abs(now - at) < WITHIN
