"""Which alerts get a card of their own: more than 10 new ones for a channel within a minute share a digest. Pure.

Counted are all that were raised, on cards of their own or not, so a flood that goes on stays on its digest.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

MOST = 10
"""New alerts of one channel within `WITHIN` that may each have a card of their own."""
WITHIN = timedelta(minutes=1)


class Floods:
    """What was raised lately in each channel. `new_id` names the digests."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._lately: dict[str, list[tuple[datetime, int]]] = {}
        self._added: dict[str, tuple[str, datetime]] = {}

    def seat(self, channel: str, number: int, now: datetime, open_digest: str = "") -> str:
        """Where so many alerts that are new by now are shown: the id of the digest that takes them all, or empty.

        Empty means that each has a card of its own. It is the digest that took the last ones, if that was less than a
        minute ago, else `open_digest`, one that still shows open alerts, else a new one.
        """
        lately = [(at, many) for at, many in self._lately.get(channel, ()) if _lately(at, now)]
        self._lately[channel] = [*lately, (now, number)]
        if number + sum(many for _, many in lately) <= MOST:
            return ""
        digest, added = self._added.get(channel, ("", now))
        if not digest or not _lately(added, now):
            digest = open_digest or self._new_id()
        self._added[channel] = (digest, now)
        return digest

    def remember(self, channel: str, raised_at: datetime, digest: str) -> None:
        """Count an alert that an earlier process raised; `digest` is empty where it has a card of its own."""
        self._lately.setdefault(channel, []).append((raised_at, 1))
        _, added = self._added.get(channel, ("", raised_at))
        if digest and added <= raised_at:
            self._added[channel] = (digest, raised_at)

    def current(self, digest: str, now: datetime) -> bool:
        """Whether that digest took its last alert less than a minute ago, so that it takes the next flood too."""
        return any(known == digest and _lately(added, now) for known, added in self._added.values())


def _lately(at: datetime, now: datetime) -> bool:
    """Less than a minute ago. A clock that was set back by more than that makes nothing recent."""
    return abs(now - at) < WITHIN
