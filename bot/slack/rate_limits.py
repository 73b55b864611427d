"""Slack's rate limits: a gate for each method, and one for each channel that is posted to. Pure: time is an argument.

Slack counts requests by method in windows of a minute (chat.update is of Tier 3: 50), and messages by channel, one in a
second with short bursts ("Rate limits", docs.slack.dev/apis/web-api/rate-limits). A 429
of Slack's goes before our own count.

Alerts leave capacity to interventions: they go at once while fewer than 31 requests of a method's minute are used in all,
spread out while fewer than 37 are, and only while more than two posts of a channel's burst are left.
"""

from collections import deque
from enum import Enum, auto

POST, UPDATE, HISTORY, OPEN = "chat.postMessage", "chat.update", "conversations.history", "conversations.open"
TEST = "auth.test"
RESPOND = "response_url"
"""An answer through a response_url. Its URL takes the place of the channel."""
COUNTED_BY_CHANNEL = frozenset({POST, RESPOND})
PER_MINUTE = {UPDATE: 50, HISTORY: 50, OPEN: 50, TEST: 100}
"""Requests a minute: Tier 3; auth.test allows "hundreds of" them (its page). chat.postMessage is limited by channel."""
BEFORE_PACING = 40
"""So many requests of a minute go at once, and the rest evenly spread: a burst never uses up a whole minute."""
MINUTE = 61.0
"""Seconds. One more than Slack's minute, because Slack counts requests when they arrive."""
SPARE_PER_MINUTE, SPARE_BEFORE_PACING = 37, 31
"""Both limits for alerts, counting the requests of all. 30 requests in 60 s are 31 in our MINUTE."""
BURST = 5
BETWEEN_POSTS = 1.05
"""Messages to one channel that go at once, and seconds between further ones; Slack names no number for bursts."""
NOT_SPARE = 2
"""Posts of a burst that are kept for others than alerts."""
AN_INSTANT = 0.001
"""Waits below so many seconds count as none."""
MOST_CHANNELS = 1000
"""Channels whose last posts are remembered."""


class Share(Enum):
    """How much of the rate limits a request may use."""

    ALL = auto()
    SPARE = auto()
    """What is left when enough is kept for requests that may use all."""


class MethodGate:
    """The requests of one method in any minute: the first go at once, the last are spread over the minute."""

    def __init__(self, hurry: int = 1) -> None:
        self._hurry = hurry
        self._passed: deque[float] = deque()

    def opens_at(self, now: float, per_minute: int, at_once: int) -> float:
        """When the next request may pass under these limits; `now` or earlier: at once."""
        while self._passed and self._passed[0] + MINUTE <= now + AN_INSTANT:
            self._passed.popleft()
        number, most, free = len(self._passed), per_minute * self._hurry, at_once * self._hurry
        if number < free:
            return now
        if number >= most:
            return self._passed[number - most] + MINUTE
        return min(self._passed[number - free] + MINUTE, self._passed[-1] + MINUTE / (most - free))

    def passed(self, now: float) -> None:
        """Count a request."""
        self._passed.append(now)


class ChannelGate:
    """The messages to one channel: a burst, then one at a time, `between` seconds apart."""

    def __init__(self, between: float = BETWEEN_POSTS) -> None:
        self._between = between
        self._full_again_at = float("-inf")

    def opens_at(self, now: float, left: int = 0) -> float:
        """When the next message may pass and leave `left` more of the burst; `now`: at once."""
        return max(now, self._full_again_at - (BURST - 1 - left) * self._between)

    def passed(self, now: float) -> None:
        """Count a message."""
        self._full_again_at = max(now, self._full_again_at) + self._between


class Gates:
    """All gates. `channel`: where the message is; only new messages count there. `hurry`: a factor on Slack's rate limits."""

    def __init__(self, hurry: int = 1) -> None:
        self._methods = {method: MethodGate(hurry) for method in PER_MINUTE}
        self._between = BETWEEN_POSTS / hurry
        self._channels: dict[str, ChannelGate] = {}
        self._closed_until: dict[tuple[str, str], float] = {}

    def wait(self, method: str, channel: str, now: float, share: Share = Share.ALL) -> float:
        """Seconds until a request may pass; 0: at once."""
        opens = [now, *(self._closed_until.get((method, where), now) for where in {"", channel})]
        if method in self._methods:
            most = (
                (SPARE_PER_MINUTE, SPARE_BEFORE_PACING) if share is Share.SPARE else (PER_MINUTE[method], BEFORE_PACING)
            )
            opens.append(self._methods[method].opens_at(now, *most))
        if method in COUNTED_BY_CHANNEL and channel in self._channels:
            left = NOT_SPARE if share is Share.SPARE else 0
            opens.append(self._channels[channel].opens_at(now, left))
        wait = max(opens) - now
        return wait if wait > AN_INSTANT else 0.0

    def passed(self, method: str, channel: str, now: float) -> None:
        """Count a request that goes out now."""
        if method in self._methods:
            self._methods[method].passed(now)
        if channel and method in COUNTED_BY_CHANNEL:
            gate = self._channels.pop(channel, None) or ChannelGate(self._between)
            gate.passed(now)
            self._channels[channel] = gate
            if len(self._channels) > MOST_CHANNELS:
                del self._channels[next(iter(self._channels))]

    def close(self, method: str, channel: str, until: float) -> None:
        """After a 429: let nothing of this method pass before `until` in this channel; an empty channel means everywhere."""
        self._closed_until = {key: at for key, at in self._closed_until.items() if at > until - MINUTE}
        self._closed_until[method, channel] = max(until, self._closed_until.get((method, channel), until))
