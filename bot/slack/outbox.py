"""Every request to Slack's Web API: which goes first, how fast, and how each ended.

A request waits here for its turn. The most urgent one goes as soon as Slack's rate limits allow it (`rate_limits`), and only
then is its content asked for, so the newest version is sent.

Alerts come last and leave capacity to the others. Among alerts, those that have waited longer than LATE_AFTER go first, the
oldest before the others; every BETWEEN_LATE one of them overtakes everything. So none waits much longer than 30 s.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.network import proxy_for
from bot.slack.messages import Message
from bot.slack.rate_limits import HISTORY, OPEN, POST, RESPOND, TEST, UPDATE, SlackRateLimits
from bot.slack.web_client import (
    AnswerUnknown,
    NotDone,
    RateLimited,
    SlackError,
    SlackRefusal,
    answer_of,
    raising_slack_errors,
    required_text,
    retry_after,
)
from bot.tasks import Tasks

MOST_IN_OUTBOX, MOST_ALERTS_WAITING = 500, 300
"""Requests that may wait, and how many may wait already where an alert comes. One more fails as NotDone, and is tried again."""
LATE_AFTER, BETWEEN_LATE = 20.0, 10.0
"""Seconds after which a waiting request is late, and between two late ones that overtake the more urgent."""
A_TICK = 0.01
"""Seconds added to a wait, so that a request at the limit is late afterwards in spite of rounding."""
CARD_EVENT = "callbot_card"
"""The event_type in the metadata of each card; its payload is the card's random id ("Message metadata")."""

T = TypeVar("T")


class Rank(IntEnum):
    """Which kind of request goes first: the lowest number."""

    INTERVENTION = 0
    ANSWER = 1
    ALERT = 2


class Urgency(NamedTuple):
    """What decides which of the waiting requests goes first."""

    rank: Rank
    pressing: bool = False
    """It shows an undecided intervention, or a state that is not in Slack yet."""
    since: float = 0.0
    """When the newest state it shows began, in seconds since 1970."""


class MessageAddress(NamedTuple):
    """The channel and timestamp that identify a message in Slack."""

    channel: str
    ts: str


class _Turn(NamedTuple):
    method: str
    channel: str
    rank: Rank
    urgency: Callable[[], Urgency]
    asked_at: float
    given: asyncio.Future[None]

    def order(self, now: float) -> tuple[Rank, float, bool, float]:
        """A sort key: by rank, then late alerts by their wait, then what is pressing, then the newest."""
        urgency = self.urgency()
        late = self.rank is Rank.ALERT and self.late(now)
        return self.rank, self.asked_at if late else math.inf, not urgency.pressing, -urgency.since

    def late(self, now: float) -> bool:
        """Whether it has waited longer than LATE_AFTER."""
        return now - self.asked_at > LATE_AFTER


class Outbox:
    """Sends requests to Slack, each when its turn comes. Every method raises SlackError.

    `clock`: seconds of a monotonic clock. `answered` is called after each request with its method, its seconds and the
    reason of its failure, empty for none. `slack_rate_factor`: a multiple of Slack's rate limits.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        answered: Callable[[str, float, str], object] = lambda *_: None,
        slack_rate_factor: int = 1,
    ) -> None:
        self._client = client
        self._session = session
        self._clock = clock
        self._sleep = sleep
        self._answered = answered
        self._limits = SlackRateLimits(slack_rate_factor)
        self._waiting: list[_Turn] = []
        self._late_given_at = float("-inf")
        self._timer: asyncio.Task[None] | None = None
        self._tasks = Tasks(apart=True)

    def __len__(self) -> int:
        """How many requests wait for a turn."""
        return len(self._waiting)

    # ── requests ──

    async def post(
        self, channel: str, content: Callable[[], Message], urgency: Callable[[], Urgency], card: str = ""
    ) -> MessageAddress:
        """Post a message to a channel or a user. `card` goes into the metadata, by which the message can be found later."""
        await self._turn(POST, channel, urgency)
        message = content()
        posting = self._client.chat_postMessage(
            channel=channel,
            text=message.text,
            blocks=list(message.blocks),
            metadata={"event_type": CARD_EVENT, "event_payload": {"card": card}} if card else None,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
        )
        answer = await self._ask(POST, channel, answer_of(posting))
        return MessageAddress(required_text(answer, "channel"), required_text(answer, "ts"))

    async def update(
        self, address: MessageAddress, content: Callable[[], Message], urgency: Callable[[], Urgency]
    ) -> None:
        """Replace the content of a message. Its metadata stays ("chat.update": left out, it is retained)."""
        await self._turn(UPDATE, address.channel, urgency)
        message = content()
        updating = self._client.chat_update(
            channel=address.channel, ts=address.ts, text=message.text, blocks=list(message.blocks), parse="none"
        )
        await self._ask(UPDATE, address.channel, answer_of(updating))

    async def history(self, channel: str, urgency: Callable[[], Urgency], **page: str | int) -> Mapping[str, Any]:
        """A page of the history of a channel, with metadata. `page`: arguments of conversations.history."""
        await self._turn(HISTORY, channel, urgency)
        reading = self._client.conversations_history(channel=channel, include_all_metadata=True, **page)  # type: ignore[arg-type]  # checked by Slack
        return await self._ask(HISTORY, channel, answer_of(reading))

    async def direct_message(self, slack_user: str) -> str:
        """The channel id of the direct message with a user."""
        await self._turn(OPEN, "", lambda: Urgency(Rank.INTERVENTION, pressing=True))
        answer = await self._ask(OPEN, "", answer_of(self._client.conversations_open(users=slack_user)))
        channel = answer.get("channel")
        return required_text(channel if isinstance(channel, dict) else {}, "id")

    async def test(self) -> None:
        """Ask whether Slack accepts the bot token, without waiting: raises NotDone where the rate limits are used up."""
        now = self._clock()
        if self._limits.wait(TEST, "", now) > 0:
            raise NotDone("no_room")
        self._limits.passed(TEST, "", now)
        await self._ask(TEST, "", answer_of(self._client.auth_test()))

    async def respond(self, url: str, message: Message, *, replace: bool = False) -> None:
        """Send a private (ephemeral) answer to a command or click through its response_url.

        `replace`: the answer replaces the message that was clicked.
        """
        await self._turn(RESPOND, url, lambda: Urgency(Rank.ANSWER))
        answer = {
            "response_type": "ephemeral",
            "replace_original": replace,
            "text": message.text,
            "blocks": list(message.blocks),
            "parse": "none",
        }
        await self._ask(RESPOND, url, self._respond(url, answer))

    async def _respond(self, url: str, answer: Mapping[str, Any]) -> None:
        with raising_slack_errors():
            async with self._session.post(url, json=answer, allow_redirects=False, proxy=proxy_for(url)) as response:
                status, wait = response.status, response.headers.get("Retry-After")
        if status == 429:
            raise RateLimited(retry_after(wait))
        if status >= 500:
            raise AnswerUnknown(str(status))
        if status != 200:
            raise SlackRefusal(str(status))

    async def _ask(self, method: str, channel: str, asking: Awaitable[T]) -> T:
        """Send a request, and report how it ended. `asking` raises SlackError."""
        begun, failure = self._clock(), ""
        try:
            return await asking
        except SlackError as error:
            failure = error.reason
            if isinstance(error, RateLimited):
                # Each response_url has a limit of its own.
                whole = error.whole and method != RESPOND
                self._limits.close(method, "" if whole else channel, self._clock() + error.seconds)
            raise
        finally:
            self._answered(method, self._clock() - begun, failure)

    # ── turns ──

    async def _turn(self, method: str, channel: str, urgency: Callable[[], Urgency]) -> None:
        """Wait for a turn. Raises NotDone where too many wait already."""
        rank = urgency().rank
        if len(self._waiting) >= (MOST_ALERTS_WAITING if rank is Rank.ALERT else MOST_IN_OUTBOX):
            raise NotDone("queue_full")
        turn = _Turn(method, channel, rank, urgency, self._clock(), asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        try:
            self._give_turns()
            await turn.given
        finally:
            if turn in self._waiting:  # cancelled before its turn
                self._waiting.remove(turn)

    def _give_turns(self) -> None:
        """Send every request that may go now, the most urgent first, and come back when the next one may."""
        now, waits = self._clock(), list[float]()
        line = sorted(self._waiting, key=lambda turn: turn.order(now))
        overtaking = self._overtaking(line, now)
        if overtaking is not None:
            line.remove(overtaking)
            line.insert(0, overtaking)
        for turn in line:
            wait = 0.0 if turn is overtaking else self._wait(turn, now)
            if wait > 0:
                waits.append(wait)
            elif not turn.given.done():  # else it was cancelled while it waited
                self._limits.passed(turn.method, turn.channel, now)
                if turn.late(now):
                    self._late_given_at = now
                self._waiting.remove(turn)
                turn.given.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._tasks.spawn(self._come_back(min(waits)), name="next turn") if waits else None

    def _overtaking(self, line: list[_Turn], now: float) -> _Turn | None:
        """The late request that may overtake now, if any: every BETWEEN_LATE the one with the longest wait.

        Without that, newer requests would keep it waiting for as long as there are more than Slack accepts.
        """
        if now - self._late_given_at < BETWEEN_LATE:
            return None
        late = [turn for turn in line if turn.late(now) and not turn.given.done()]
        free = [turn for turn in late if self._limits.wait(turn.method, turn.channel, now) <= 0]
        return min(free, key=lambda turn: (turn.rank, turn.asked_at), default=None)

    def _wait(self, turn: _Turn, now: float) -> float:
        """Seconds until the request may go: the rate limits let it, or it may overtake."""
        wait = self._limits.wait(turn.method, turn.channel, now)
        if turn.rank is not Rank.ALERT:
            return wait
        # An alert goes when it leaves capacity to others, or when it is late and there is any capacity at all.
        overtakes = max(turn.asked_at + LATE_AFTER, self._late_given_at + BETWEEN_LATE) - now + A_TICK
        return min(self._limits.wait(turn.method, turn.channel, now, spare=True), max(overtakes, wait))

    async def _come_back(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._timer = None
        self._give_turns()

    async def close(self) -> None:
        """Stop giving turns."""
        await self._tasks.cancel()
