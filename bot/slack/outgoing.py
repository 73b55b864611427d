"""The one way out to Slack's Web API: who goes first, how fast, and how each request ended.

Whoever wants to send waits here for a turn. A turn is given when Slack's rates allow it (`rates`), to the most urgent
first; only then is the content asked for, so what is sent is always the newest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.failures import (
    AnswerUnknown,
    NotDone,
    RateLimited,
    SlackError,
    SlackRefusal,
    failing_clearly,
    retry_after,
)
from bot.slack.messages import Message
from bot.slack.rates import HISTORY, OPEN, POST, UPDATE, Gates
from bot.tasks import Tasks

RESPOND = "response_url"
MOST_WAITING = 500
"""Requests that wait for a turn. One more is refused as not done, and comes again like any other."""
CARD_EVENT = "callbot_card"
"""The event_type in the metadata of each card: what names it is our own random id ("Message metadata")."""

T = TypeVar("T")


class Rank(IntEnum):
    """What goes first. Interventions go before everything else."""

    ALERT = 0
    ANSWER = 1
    INTERVENTION = 2


class Urgency(NamedTuple):
    """Who goes first among those who wait: the greatest."""

    rank: Rank
    pressing: bool = False
    """Undecided, or a state that is not shown yet."""
    since: float = 0.0
    """When the state that is to be shown began, in seconds since 1970: the newest goes first."""


class Place(NamedTuple):
    """Where a message stands: the two words that name it in Slack."""

    channel: str
    ts: str


class _Turn(NamedTuple):
    method: str
    channel: str
    urgency: Callable[[], Urgency]
    given: asyncio.Future[None]


class Outgoing:
    """Requests to Slack, in their order. Every method raises SlackError.

    `clock` gives seconds of which only differences count. `answered` hears of each request: its method, seconds, and
    the reason of a failure. `hurry`: so many times Slack's rates.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        answered: Callable[[str, float, str], object] = lambda *_: None,
        hurry: int = 1,
    ) -> None:
        self._client = client
        self._session = session
        self._clock = clock
        self._sleep = sleep
        self._answered = answered
        self._gates = Gates(hurry)
        self._waiting: list[_Turn] = []
        self._alarm: asyncio.Task[None] | None = None
        self._tasks = Tasks(apart=True)

    def __len__(self) -> int:
        """How many requests wait for their turn."""
        return len(self._waiting)

    # ── what can be asked ──

    async def post(
        self, channel: str, content: Callable[[], Message], urgency: Callable[[], Urgency], card: str = ""
    ) -> Place:
        """A new message in a channel, or to a user; `card` can be looked for later in the metadata."""
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
        answer = await self._ask(POST, channel, _object(posting))
        return Place(_word(answer, "channel"), _word(answer, "ts"))

    async def update(self, place: Place, content: Callable[[], Message], urgency: Callable[[], Urgency]) -> None:
        """Another content in the place of a message. Its metadata stays ("chat.update": left out, it is retained)."""
        await self._turn(UPDATE, "", urgency)
        message = content()
        updating = self._client.chat_update(
            channel=place.channel, ts=place.ts, text=message.text, blocks=list(message.blocks), parse="none"
        )
        await self._ask(UPDATE, "", _object(updating))

    async def history(self, channel: str, **page: str | int) -> Mapping[str, Any]:
        """One page of what stands in a channel, with the metadata; the arguments of conversations.history."""
        await self._turn(HISTORY, "", _looking)
        reading = self._client.conversations_history(channel=channel, include_all_metadata=True, **page)  # type: ignore[arg-type]  # checked by Slack
        return await self._ask(HISTORY, "", _object(reading))

    async def direct_message(self, slack_user: str) -> str:
        """The id of the direct message with somebody."""
        await self._turn(OPEN, "", _looking)
        answer = await self._ask(OPEN, "", _object(self._client.conversations_open(users=slack_user)))
        channel = answer.get("channel")
        return _word(channel if isinstance(channel, dict) else {}, "id")

    async def respond(self, url: str, message: Message, *, replace: bool = False) -> None:
        """A private answer to a command or click, through its response_url; each says that it is ephemeral.

        `replace`: it takes the place of the message that was clicked.
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
        async with self._session.post(url, json=answer, allow_redirects=False) as response:
            if response.status == 429:
                raise RateLimited(retry_after(response.headers.get("Retry-After")))
            if response.status >= 500:
                raise AnswerUnknown(str(response.status))
            if response.status != 200:
                raise SlackRefusal(str(response.status))

    async def _ask(self, method: str, channel: str, asking: Awaitable[T]) -> T:
        """Every request goes out here."""
        begun, failure = self._clock(), ""
        try:
            with failing_clearly():
                return await asking
        except SlackError as error:
            failure = error.reason
            if isinstance(error, RateLimited):
                self._gates.close(method, channel, self._clock() + error.seconds)
            raise
        finally:
            self._answered(method, self._clock() - begun, failure)

    # ── turns ──

    async def _turn(self, method: str, channel: str, urgency: Callable[[], Urgency]) -> None:
        """Wait until it is our turn."""
        if len(self._waiting) >= MOST_WAITING:
            raise NotDone("queue_full")
        turn = _Turn(method, channel, urgency, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        try:
            self._give_turns()
            await turn.given
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)

    def _give_turns(self) -> None:
        """Let everybody go who may, the most urgent first, and come back when the next one may."""
        now, waits = self._clock(), list[float]()
        for turn in sorted(self._waiting, key=lambda each: each.urgency(), reverse=True):
            wait = self._gates.wait(turn.method, turn.channel, now)
            if wait > 0:
                waits.append(wait)
            elif not turn.given.done():
                self._gates.passed(turn.method, turn.channel, now)
                self._waiting.remove(turn)
                turn.given.set_result(None)
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._tasks.spawn(self._come_back(min(waits)), name="next turn") if waits else None

    async def _come_back(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._alarm = None
        self._give_turns()

    async def close(self) -> None:
        """Nobody waits for a turn any more."""
        await self._tasks.cancel()


def _looking() -> Urgency:
    """A card whose place is not known comes before those that only change."""
    return Urgency(Rank.INTERVENTION, pressing=True)


async def _object(asking: Awaitable[Any]) -> Mapping[str, Any]:
    """The answer as an object; raises AnswerUnknown where it is none."""
    try:
        answer = (await asking).data
    except (ValueError, AttributeError) as error:  # Slack's library on an answer that is no JSON object
        raise AnswerUnknown("unreadable") from error
    if not isinstance(answer, dict):
        raise AnswerUnknown("unreadable")
    return answer


def _word(answer: Mapping[str, Any], name: str) -> str:
    """A word of an answer; raises AnswerUnknown where there is none."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise AnswerUnknown("unreadable")
    return value
