"""An outbox with a clock that the tests move, so that a request waits for its turn until they do."""

import asyncio
from collections.abc import Callable

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.messages import Message
from bot.slack.outbox import Outbox, Rank, Urgency


def text(words: str) -> Callable[[], Message]:
    return lambda: Message(words, ())


def urgent(rank: Rank = Rank.INTERVENTION, *, pressing: bool = False, since: float = 0.0) -> Callable[[], Urgency]:
    return lambda: Urgency(rank, pressing, since)


class Post:
    """An Outbox to an address. Its clock moves only with `move`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, token: str = "") -> None:
        self.now = 0.0
        self.moved = asyncio.Event()
        self.sleeping = False
        self.answered: list[tuple[str, str]] = []
        client = AsyncWebClient(token=token, base_url=url, session=session, retry_handlers=[])
        self.outbox = Outbox(client, session, clock=lambda: self.now, sleep=self._until_moved, answered=self._note)

    def move(self, seconds: float) -> None:
        self.now += seconds
        self.sleeping = False
        self.moved.set()
        self.moved = asyncio.Event()

    async def _until_moved(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.sleeping = True
            await self.moved.wait()

    def _note(self, method: str, seconds: float, error: str) -> None:
        self.answered.append((method, error))


async def waiting(post: Post, number: int) -> None:
    """Wait until so many requests wait, and the timer for the first of them is set."""
    async with asyncio.timeout(2):
        while len(post.outbox) < number or not post.sleeping:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
