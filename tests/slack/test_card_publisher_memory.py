"""After 10,000 interventions that may change at any time, memory holds no more of their cards than a few."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.domain.intervention import State
from bot.interventions.card import InterventionCard
from bot.ledger.ledger import Ledger
from bot.slack.card_kinds import newest_step
from bot.slack.card_posts import Placement
from bot.slack.card_publisher import MOST_PLACEMENTS, CardPublisher
from bot.slack.outbox import Outbox
from bot.slack.web_client import web_client

MANY, AT_ONCE = 10_000, 500


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(f"sqlite:///{tmp_path}/callbot.db", now=lambda: datetime.now(UTC))
    yield ledger
    await ledger.close()


@pytest.fixture
async def publisher(ledger: Ledger) -> AsyncIterator[CardPublisher]:
    """As after a restart, with a Slack that is away: whatever it would be asked for waits."""

    async def nobody(_card: InterventionCard) -> None: ...

    async with aiohttp.ClientSession() as session:
        client = web_client("xoxb-invented", "http://127.0.0.1:9/", session)
        outbox = Outbox(client, session, clock=asyncio.get_running_loop().time, sleep=asyncio.sleep)
        yield CardPublisher(
            outbox,
            ledger,
            now=lambda: datetime.now(UTC),
            slack_now=lambda: datetime.now(UTC),
            sleep=asyncio.sleep,
            on_no_access=nobody,
            on_nowhere=nobody,
            on_posted=lambda _card: None,
        )
        await outbox.close()


@pytest.fixture
async def standing(ledger: Ledger, card_in: Callable[..., InterventionCard]) -> Callable[[int], InterventionCard]:
    """Cards of phones that were not answered, which stand in Slack as they are: nothing is to be sent for them."""
    like: Any = card_in(State.NOT_ANSWERED).model_copy(update={"buttons": ()})
    since = newest_step(like)

    def card(number: int) -> InterventionCard:
        made: InterventionCard = like.model_copy(update={"id": f"k{number}"})
        return made

    alike = {Placement(sent=card(number), place=like.place).draw(card(number)).fingerprint for number in (1, MANY)}
    (shown,) = alike  # what a card shows does not depend on its id
    for start in range(0, MANY, AT_ONCE):
        numbers = range(start, start + AT_ONCE)
        posts = (
            ledger.save_posted(f"k{n}", "C0FLOOR", f"1700000000.{n:06}", shown=shown, until=since) for n in numbers
        )
        await asyncio.gather(*posts)
    return card


async def test_cards_of_10_000_unanswered_phones_are_not_kept_in_memory(
    publisher: CardPublisher, standing: Callable[[int], InterventionCard]
) -> None:
    shown: list[weakref.ref[InterventionCard]] = []
    for start in range(0, MANY, AT_ONCE):
        for number in range(start, start + AT_ONCE):
            card = standing(number)
            shown.append(weakref.ref(card))
            publisher.show(card)
            del card
        await publisher.drain(20.0)
    gc.collect()
    kept = sum(each() is not None for each in shown)
    assert (len(shown), len(publisher), kept <= MOST_PLACEMENTS) == (MANY, 0, True), kept
