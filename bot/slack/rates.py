"""How fast Slack lets us go: one gate for each method, one for each channel that is posted in. Pure: the time is handed in.

Slack counts requests by method in windows of a minute (chat.update is of Tier 3: 50), and messages by channel, one in a
second with short bursts ("Rate limits", docs.slack.dev/apis/web-api/rate-limits). What Slack says with 429 goes before
what we have counted.

Alerts go only where enough is left for interventions: at once while less than 31 of a method's minute are used, by
whomever, then one by one while less than 37 are; and while more than two posts of a channel's burst are left.
"""

from collections import deque
from enum import Enum, auto

POST, UPDATE, HISTORY, OPEN = "chat.postMessage", "chat.update", "conversations.history", "conversations.open"
TEST = "auth.test"
RESPOND = "response_url"
"""An answer through a response_url, whose own address stands for the channel."""
COUNTED_BY_CHANNEL = frozenset({POST, RESPOND})
PER_MINUTE = {UPDATE: 50, HISTORY: 50, OPEN: 50, TEST: 100}
"""Tier 3; auth.test may be asked "hundreds of" times a minute (its page). chat.postMessage has a tier of its own: it is counted by channel."""
BEFORE_PACING = 40
"""Of a minute's requests these go at once, and the rest one by one: so a storm never closes the way for a whole minute."""
MINUTE = 61.0
"""Seconds. One more than Slack's, because requests are counted there when they arrive."""
SPARE_PER_MINUTE, SPARE_BEFORE_PACING = 37, 31
"""The same for alerts, where others have not used so many: thirty in sixty seconds are 31 in our minute."""
BURST = 5
BETWEEN_POSTS = 1.05
"""Messages in one channel that may go at once, and seconds for each further one; Slack names no number for bursts."""
NOT_SPARE = 2
"""The last posts of a burst, which are not for alerts."""
AN_INSTANT = 0.001
"""Seconds that nobody waits for."""
MOST_CHANNELS = 1000
"""Channels whose last posts are remembered."""


class Share(Enum):
    """How much of what Slack lets us send somebody may use."""

    ALL = auto()
    SPARE = auto()
    """What leaves enough for those who may use all."""


class MethodGate:
    """Requests of one method in any minute: so many at once, and the last of them one by one, spread over it."""

    def __init__(self, hurry: int = 1) -> None:
        self._hurry = hurry
        self._passed: deque[float] = deque()

    def opens_at(self, now: float, per_minute: int, at_once: int) -> float:
        """When the next request may pass where that many may; at most `now`: at once."""
        while self._passed and self._passed[0] + MINUTE <= now + AN_INSTANT:
            self._passed.popleft()
        number, most, free = len(self._passed), per_minute * self._hurry, at_once * self._hurry
        if number < free:
            return now
        if number >= most:
            return self._passed[number - most] + MINUTE
        return min(self._passed[number - free] + MINUTE, self._passed[-1] + MINUTE / (most - free))

    def passed(self, now: float) -> None:
        """A request has passed."""
        self._passed.append(now)


class ChannelGate:
    """Messages in one channel: a burst, then one at a time, so many seconds apart."""

    def __init__(self, between: float = BETWEEN_POSTS) -> None:
        self._between = between
        self._full_again_at = float("-inf")

    def opens_at(self, now: float, left: int = 0) -> float:
        """When the next message may pass so that so many more could; at most `now`: at once."""
        return max(now, self._full_again_at - (BURST - 1 - left) * self._between)

    def passed(self, now: float) -> None:
        """A message has passed."""
        self._full_again_at = max(now, self._full_again_at) + self._between


class Gates:
    """All gates. `channel` is where the message stands; new messages alone count there. `hurry`: so many times Slack's rates, for a workspace without them."""

    def __init__(self, hurry: int = 1) -> None:
        self._methods = {method: MethodGate(hurry) for method in PER_MINUTE}
        self._between = BETWEEN_POSTS / hurry
        self._channels: dict[str, ChannelGate] = {}
        self._closed_until: dict[tuple[str, str], float] = {}

    def wait(self, method: str, channel: str, now: float, share: Share = Share.ALL) -> float:
        """Seconds until this request may pass; 0: at once."""
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
        """A request is on its way."""
        if method in self._methods:
            self._methods[method].passed(now)
        if channel and method in COUNTED_BY_CHANNEL:
            gate = self._channels.pop(channel, None) or ChannelGate(self._between)
            gate.passed(now)
            self._channels[channel] = gate
            if len(self._channels) > MOST_CHANNELS:
                del self._channels[next(iter(self._channels))]

    def close(self, method: str, channel: str, until: float) -> None:
        """Too many, Slack said: nothing of this method passes before then in this channel, or anywhere where it is empty."""
        self._closed_until = {key: at for key, at in self._closed_until.items() if at > until - MINUTE}
        self._closed_until[method, channel] = max(until, self._closed_until.get((method, channel), until))
