"""The limits of the Slack platform that this local Slack keeps, and the gate that counts requests against them.

Rates are those of Slack's "Rate limits" page (docs.slack.dev/apis/web-api/rate-limits); windows of acknowledgements,
triggers and response URLs those of "Handling user interaction"; connections those of "Using Socket Mode".
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MINUTE = 60.0
TIERS: Mapping[str, int] = MappingProxyType(
    {
        "chat.update": 50,
        "chat.delete": 50,
        "chat.postEphemeral": 100,
        "conversations.open": 50,
        "conversations.history": 50,
        "conversations.info": 50,
        "users.info": 100,
    }
)
"""Requests in any 60 seconds, by method: Slack's Tier 3 (50) and Tier 4 (100)."""


@dataclass(frozen=True, kw_only=True)
class SlackLimits:
    """What a workspace allows; times are seconds. The defaults are Slack's own."""

    posts_per_second: float = 1.0
    """New messages in one channel, from the Web API and response URLs together."""
    post_burst: int = 5
    """Messages that may come at once before the rate holds. Slack allows "short bursts" and names no number."""
    per_minute: Mapping[str, int] = field(default_factory=lambda: TIERS)
    """Requests in any 60 seconds, by Web API method; a method that is not named is not limited."""
    rates: bool = True
    """False: nothing is ever answered with 429."""
    acknowledgement: float = 3.0
    """From the sending of a command or click to its acknowledgement."""
    response_url_uses: int = 5
    response_url_lifetime: float = 1800.0
    sockets: int = 10
    """Open Socket Mode connections of one app."""
    connection_time: float = 3600.0
    """How long a Socket Mode connection is said to last, as in the example of Slack's page."""
    refresh_grace: float = 1.0
    """From the notice that a Socket Mode connection is refreshed to its end."""

    @classmethod
    def without_rates(cls) -> "SlackLimits":
        """Slack's limits, but nothing is ever answered with 429."""
        return cls(rates=False)


class RateGate:
    """Counts requests in the windows of `SlackLimits`."""

    def __init__(self, limits: SlackLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._requests: defaultdict[str, deque[float]] = defaultdict(deque)
        self._posts: dict[str, tuple[float, float]] = {}

    def request(self, method: str) -> int | None:
        """Count a request of a Web API method: None if it may pass, else the whole seconds to wait."""
        allowed = self._limits.per_minute.get(method)
        if not self._limits.rates or allowed is None:
            return None
        now, seen = self._clock(), self._requests[method]
        while seen and seen[0] <= now - MINUTE:
            seen.popleft()
        if len(seen) >= allowed:
            return max(1, math.ceil(seen[0] + MINUTE - now)) if seen else int(MINUTE)
        seen.append(now)
        return None

    def post(self, channel: str) -> int | None:
        """Count a new message in a channel: None if it may pass, else the whole seconds to wait."""
        if not self._limits.rates:
            return None
        now, rate = self._clock(), self._limits.posts_per_second
        left, since = self._posts.get(channel, (float(self._limits.post_burst), now))
        left = min(float(self._limits.post_burst), left + (now - since) * rate)
        if left < 1:
            return max(1, math.ceil((1 - left) / rate))
        self._posts[channel] = (left - 1, now)
        return None
