"""How fast Slack lets us go: one gate for each method, one for each channel that is posted in. Pure: the time is handed in.

Slack counts requests by method in windows of a minute (chat.update is of Tier 3: 50), and messages by channel, one in a
second with short bursts ("Rate limits", docs.slack.dev/apis/web-api/rate-limits). What Slack says with 429 goes before
what we have counted.
"""

from collections import deque

POST, UPDATE, HISTORY, OPEN = "chat.postMessage", "chat.update", "conversations.history", "conversations.open"
PER_MINUTE = {UPDATE: 50, HISTORY: 50, OPEN: 50}
"""Tier 3. chat.postMessage has a tier of its own: it is counted by channel."""
AT_ONCE = 40
"""Of a minute's requests these go at once, and the rest one by one: so a storm never closes the way for a whole minute."""
MINUTE = 61.0
"""Seconds. One more than Slack's, because requests are counted there when they arrive."""
BURST = 5
BETWEEN_POSTS = 1.05
"""Messages in one channel that may go at once, and seconds for each further one; Slack names no number for bursts."""
AN_INSTANT = 0.001
"""Seconds that nobody waits for."""
MOST_CHANNELS = 1000
"""Channels whose last posts are remembered."""


class MethodGate:
    """Requests of one method: `per_minute` in any minute, the last of them spread over it."""

    def __init__(self, per_minute: int, at_once: int) -> None:
        self._most = per_minute
        self._at_once = min(at_once, per_minute)
        self._passed: deque[float] = deque()

    def opens_at(self, now: float) -> float:
        """When the next request may pass; at most `now`: at once."""
        while self._passed and self._passed[0] + MINUTE <= now + AN_INSTANT:
            self._passed.popleft()
        number = len(self._passed)
        if number < self._at_once:
            return now
        if number >= self._most:
            return self._passed[0] + MINUTE
        return min(self._passed[0] + MINUTE, self._passed[-1] + MINUTE / (self._most - self._at_once))

    def passed(self, now: float) -> None:
        """A request has passed."""
        self._passed.append(now)


class ChannelGate:
    """Messages in one channel: a burst, then one at a time, so many seconds apart."""

    def __init__(self, between: float = BETWEEN_POSTS) -> None:
        self._between = between
        self._full_again_at = float("-inf")

    def opens_at(self, now: float) -> float:
        """When the next message may pass; at most `now`: at once."""
        return max(now, self._full_again_at - (BURST - 1) * self._between)

    def passed(self, now: float) -> None:
        """A message has passed."""
        self._full_again_at = max(now, self._full_again_at) + self._between


class Gates:
    """All gates. `channel` is named for posts alone. `hurry`: so many times Slack's rates, for a workspace without them."""

    def __init__(self, hurry: int = 1) -> None:
        self._methods = {method: MethodGate(most * hurry, AT_ONCE * hurry) for method, most in PER_MINUTE.items()}
        self._between = BETWEEN_POSTS / hurry
        self._channels: dict[str, ChannelGate] = {}
        self._closed_until: dict[tuple[str, str], float] = {}

    def wait(self, method: str, channel: str, now: float) -> float:
        """Seconds until this request may pass; 0: at once."""
        opens = [now, self._closed_until.get((method, channel), now)]
        if method in self._methods:
            opens.append(self._methods[method].opens_at(now))
        if channel in self._channels:
            opens.append(self._channels[channel].opens_at(now))
        wait = max(opens) - now
        return wait if wait > AN_INSTANT else 0.0

    def passed(self, method: str, channel: str, now: float) -> None:
        """A request is on its way."""
        if method in self._methods:
            self._methods[method].passed(now)
        if channel:
            gate = self._channels.pop(channel, None) or ChannelGate(self._between)
            gate.passed(now)
            self._channels[channel] = gate
            if len(self._channels) > MOST_CHANNELS:
                del self._channels[next(iter(self._channels))]

    def close(self, method: str, channel: str, until: float) -> None:
        """Slack said 429: nothing of this kind passes before then."""
        self._closed_until = {key: at for key, at in self._closed_until.items() if at > until - MINUTE}
        self._closed_until[method, channel] = until
