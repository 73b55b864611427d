"""Slack's rate limits: of each method, and of each channel that is posted to. Pure: time is an argument.

Slack counts requests by method in windows of a minute (chat.update is of Tier 3: 50), and messages by channel, one in a
second with short bursts ("Rate limits", docs.slack.dev/apis/web-api/rate-limits). A 429
of Slack's goes before our own count.

Alerts leave capacity to interventions: they go at once while fewer than 31 requests of a method's minute are used in all,
spread out while fewer than 37 are, and only while more than two posts of a channel's burst are left.
"""

from collections import deque

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
TOO_SHORT_TO_WAIT = 0.001
"""Waits below so many seconds count as none."""
MOST_CHANNELS = 1000
"""Channels whose last posts are remembered."""


class SlackRateLimits:
    """What may go now. `channel`: where the message is; only new messages count there. `slack_rate_factor`: a multiple of Slack's limits."""

    def __init__(self, slack_rate_factor: int = 1) -> None:
        self._slack_rate_factor = slack_rate_factor
        self._between = BETWEEN_POSTS / slack_rate_factor
        self._last_minute: dict[str, deque[float]] = {method: deque() for method in PER_MINUTE}
        self._whole_again_at: dict[str, float] = {}
        """When the burst of each channel is whole again."""
        self._closed_until: dict[tuple[str, str], float] = {}
        """By method and channel: until when Slack takes nothing there after a 429. The channel "" stands for all."""

    def wait(self, method: str, channel: str, now: float, *, spare: bool = False) -> float:
        """Seconds until a request may pass; 0: at once. `spare`: it leaves capacity to others, as alerts do."""
        opens = [now, *(self._closed_until.get((method, where), now) for where in {"", channel})]
        if method in PER_MINUTE:
            opens.append(self._minute_has_room_at(method, now, spare=spare))
        if method in COUNTED_BY_CHANNEL and channel in self._whole_again_at:
            left = NOT_SPARE if spare else 0
            opens.append(self._whole_again_at[channel] - (BURST - 1 - left) * self._between)
        wait = max(opens) - now
        return wait if wait > TOO_SHORT_TO_WAIT else 0.0

    def passed(self, method: str, channel: str, now: float) -> None:
        """Count a request that goes out now."""
        if method in PER_MINUTE:
            self._last_minute[method].append(now)
        if channel and method in COUNTED_BY_CHANNEL:
            # pop puts the channel last, so that the one that was posted to longest ago is forgotten first
            self._whole_again_at[channel] = max(now, self._whole_again_at.pop(channel, now)) + self._between
            if len(self._whole_again_at) > MOST_CHANNELS:
                del self._whole_again_at[next(iter(self._whole_again_at))]

    def close(self, method: str, channel: str, until: float) -> None:
        """After a 429: let nothing of this method pass before `until` in this channel; an empty channel means everywhere."""
        self._closed_until = {key: at for key, at in self._closed_until.items() if at > until - MINUTE}
        self._closed_until[method, channel] = max(until, self._closed_until.get((method, channel), until))

    def _minute_has_room_at(self, method: str, now: float, *, spare: bool) -> float:
        """The first requests of any minute go at once, the last are spread over it."""
        passed = self._last_minute[method]
        while passed and passed[0] + MINUTE <= now + TOO_SHORT_TO_WAIT:
            passed.popleft()
        most = (SPARE_PER_MINUTE if spare else PER_MINUTE[method]) * self._slack_rate_factor
        free = (SPARE_BEFORE_PACING if spare else BEFORE_PACING) * self._slack_rate_factor
        if len(passed) < free:
            return now
        if len(passed) >= most:
            return passed[len(passed) - most] + MINUTE
        return min(passed[len(passed) - free] + MINUTE, passed[-1] + MINUTE / (most - free))
