"""A card whose post has lost its answer: it is found, or the person gets its news as text, and it is not posted twice."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.intervention import State
from bot.interventions.card import InterventionCard
from bot.slack.card_posts import CardPosts
from bot.slack.messages import Message
from bot.slack.outbox import Rank, Urgency
from bot.slack.private_answers import UNCONFIRMED
from bot.slack.web_client import AnswerUnknown

CardIn = Callable[..., InterventionCard]
ANA, FLOOR = "U0ANA", "C0FLOOR"
POST, UPDATE, HISTORY = "chat.postMessage", "chat.update", "conversations.history"
LOST: list[tuple[str, dict[str, Any]]] = [
    ("lost", {}),
    ("done500", {}),
    ("late", {"seconds": 0.7}),
]
"""Slack took the post, and: the connection was cut; it answered with an error page; it answered too late."""


# ── the answer to a post is lost ──


@pytest.mark.parametrize(("kind", "more"), LOST, ids=[kind for kind, _ in LOST])
@pytest.mark.parametrize("place", [FLOOR, ANA])
async def test_a_card_that_stands_although_its_answer_was_lost_goes_on_and_gets_no_second_one(
    *, desk: Any, card_in: CardIn, place: str, kind: str, more: dict[str, Any]
) -> None:
    desk.fault(POST, kind, **more)
    desk.publisher.show(card_in(State.RINGING, place))
    card = await desk.shows("Ringing", place)
    desk.publisher.show(card_in(State.CONNECTED, place, after=2))
    assert await desk.shows("Connected", place) is card


@pytest.mark.parametrize("kind", ["500", "error"])
async def test_a_post_that_slack_did_not_take_is_made_again_when_the_card_is_not_found(
    desk: Any, card_in: CardIn, kind: str
) -> None:
    desk.fault(POST, kind)
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    assert (desk.asked(POST), desk.asked(HISTORY)) == (2, 2)


async def test_a_card_is_found_although_the_history_fails_at_first(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "lost")
    desk.fault(HISTORY, "500", times=2)
    desk.publisher.show(card_in(State.RINGING))
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.shows("Connected")


async def test_the_card_is_found_behind_many_other_messages(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "lost")
    desk.fault(HISTORY, "slow", seconds=0.2)
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing")
    for number in range(150):
        desk.workspace.say(ANA, FLOOR, f"chatter {number}")
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.workspace.until(lambda: card.text.startswith("Connected"))
    assert [one for one in desk.cards() if one.metadata] == [card]


async def test_cards_of_two_people_whose_answers_were_lost_are_not_mixed_up(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "lost", times=2)
    desk.publisher.show(card_in(State.RINGING, card="k1"))
    desk.publisher.show(card_in(State.CONNECTED, card="k2"))
    await desk.workspace.until(lambda: len(desk.cards()) == 2)
    desk.publisher.show(card_in(State.ENDED, after=3, card="k1"))
    await desk.workspace.until(lambda: any(one.text.startswith("Ended") for one in desk.cards()))
    shown = {one.metadata["event_payload"]["card"]: one.text.split(maxsplit=1)[0] for one in desk.cards()}
    assert shown == {"k1": "Ended:", "k2": "Connected"}


async def test_a_lost_post_to_a_channel_that_callbot_is_not_in_goes_to_the_direct_message(
    desk: Any, card_in: CardIn
) -> None:
    """A bot that may not read the channel cannot have posted there."""
    desk.workspace.add_channel(FLOOR, "support-floor", bot_is_member=False)
    desk.fault(POST, "error", error="internal_error")
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing", ANA)
    await desk.workspace.until(lambda: desk.no_access)
    assert (desk.cards(FLOOR), desk.no_access) == ([], ["k1"])


async def test_a_post_that_slack_works_off_long_after_it_timed_out_is_waited_for(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "slow", seconds=0.9)
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing")
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    assert await desk.shows("Connected") is card
    told = await desk.workspace.until(lambda: desk.cards(ANA))
    assert (desk.cards(FLOOR), told[0].text.startswith(UNCONFIRMED)) == ([card], True)


# ── a crash between Slack's taking a post and our writing down where it stands ──


@pytest.mark.parametrize("place", [FLOOR, ANA])
async def test_after_a_crash_in_the_middle_of_a_post_the_same_card_goes_on(
    desk: Any, card_in: CardIn, place: str
) -> None:
    desk.fault(POST, "late", seconds=0.3)
    desk.publisher.show(card_in(State.RINGING, place))
    card = await desk.shows("Ringing", place)
    await desk.publisher._tasks.cancel()
    desk.another_publisher().show(card_in(State.CONNECTED, place, after=2))
    assert await desk.shows("Connected", place) is card


async def test_a_card_that_was_posted_while_the_ledger_was_locked_is_known_to_the_next_start(
    desk: Any, card_in: CardIn, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "callbot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with capture_logs() as logged:
            desk.publisher.show(card_in(State.RINGING))
            card = await desk.shows("Ringing")
            await desk.workspace.until(lambda: any(line["event"] == "place_not_saved" for line in logged), 15.0)
        other.execute("ROLLBACK")
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.shows("Connected")
    await desk.publisher.drain(2.0)
    desk.another_publisher().show(card_in(State.ENDED, after=4))
    assert await desk.shows("Ended") is card


async def test_after_a_crash_before_a_post_arrived_the_card_is_posted(desk: Any, card_in: CardIn) -> None:
    await desk.ledger.save_pending_post("k1", FLOOR, datetime.now(UTC))
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    assert desk.asked(POST) == 1


async def test_after_a_crash_a_card_that_had_moved_to_the_direct_message_goes_on_there(
    desk: Any, card_in: CardIn
) -> None:
    desk.workspace.add_channel(FLOOR, "support-floor", bot_is_member=False)
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing", ANA)
    await desk.publisher.drain(1.0)
    desk.another_publisher().show(card_in(State.CONNECTED, after=2))
    assert await desk.shows("Connected", ANA) is card
    assert "/invite" in "\n".join(card.lines())


async def test_a_card_that_waited_for_nothing_is_ended_however_often_slack_fails(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing")
    await desk.publisher.drain(1.0)
    desk.fault(UPDATE, "500", times=4)
    desk.another_publisher().never_sent("k1")
    assert await desk.shows("Ended: nothing was sent") is card


async def test_a_card_that_waited_for_nothing_and_never_came_to_stand_is_not_posted(desk: Any) -> None:
    await desk.ledger.save_pending_post("k1", FLOOR, datetime.now(UTC))
    publisher = desk.another_publisher()
    publisher.never_sent("k1")
    await desk.workspace.until(lambda: desk.asked(HISTORY) == 2)
    await publisher.drain(1.0)
    assert desk.asked(POST) == 0


# ── it cannot be searched for ──


@pytest.mark.parametrize("place", [FLOOR, ANA])
async def test_without_the_scope_there_is_no_second_card_and_the_news_come_as_text(
    blind_desk: Any, card_in: CardIn, place: str
) -> None:
    desk = blind_desk
    desk.fault(POST, "lost")
    desk.publisher.show(card_in(State.RINGING, place))
    await desk.workspace.until(lambda: [one for one in desk.cards(ANA) if one.text.startswith(UNCONFIRMED)])
    desk.publisher.show(card_in(State.CONNECTED, place, after=2))
    lines = await desk.workspace.until(lambda: [one for one in desk.cards(ANA) if "Now: Connected" in one.text])
    standing = [one.text for one in desk.workspace.messages() if one.metadata]
    assert (len(standing), lines[0].blocks, "Who hears Ana" in lines[0].text) == (1, [], True)


async def test_a_history_that_may_not_be_read_is_asked_for_once_for_each_news(blind_desk: Any, card_in: CardIn) -> None:
    desk = blind_desk
    desk.fault(POST, "lost")
    desk.publisher.show(card_in(State.RINGING))
    await desk.workspace.until(lambda: desk.cards(ANA))
    await desk.publisher.drain(1.0)
    assert (desk.asked(HISTORY), len(desk.publisher)) == (1, 0)


async def test_the_same_news_is_told_once(blind_desk: Any, card_in: CardIn) -> None:
    desk = blind_desk
    desk.fault(POST, "lost")
    for _ in range(3):
        desk.publisher.show(card_in(State.RINGING))
        await desk.workspace.until(lambda: desk.cards(ANA))
    await desk.publisher.drain(1.0)
    assert len(desk.cards(ANA)) == 1


async def test_a_history_that_keeps_failing_is_told_and_when_it_is_back_the_card_goes_on(
    desk: Any, card_in: CardIn
) -> None:
    desk.fault(POST, "lost")
    desk.fault(HISTORY, "500", times=None)
    desk.publisher.show(card_in(State.RINGING))
    await desk.workspace.until(lambda: desk.cards(ANA))
    desk.workspace.faults.clear()
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.shows("Connected")
    assert (desk.asked(POST), len(desk.cards(ANA))) == (2, 1)


async def test_a_post_that_slack_did_not_take_is_made_once_the_history_is_back_though_its_news_were_told(
    desk: Any, card_in: CardIn
) -> None:
    desk.fault(POST, "500")
    desk.fault(HISTORY, "500", times=None)
    desk.publisher.show(card_in(State.RINGING))
    await desk.workspace.until(lambda: desk.cards(ANA))
    desk.workspace.faults.clear()
    await desk.shows("Ringing")


async def test_a_post_is_looked_for_around_the_moment_of_its_turn(desk: Any, card_in: CardIn) -> None:
    """Not of the moment since when it waited for that: Slack may have closed the channel to it for minutes."""
    moments = [datetime(2026, 11, 21, 12, tzinfo=UTC)]
    posts = CardPosts(
        desk.outbox,
        desk.ledger,
        now=lambda: moments[0],
        slack_now=lambda: moments[-1],
        sleep=asyncio.sleep,
    )
    standing = await posts.load(card_in(State.RINGING))

    def urgency() -> Urgency:
        moments.append(moments[0] + timedelta(minutes=10))
        return Urgency(Rank.INTERVENTION)

    desk.fault(POST, "lost")
    with pytest.raises(AnswerUnknown):
        await posts.post("k1", standing, lambda: Message("late", ()), urgency)
    assert standing.begun == moments[1]


async def test_a_first_date_of_slack_that_was_an_hour_ahead_holds_no_card_back(desk: Any, card_in: CardIn) -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    posts = CardPosts(desk.outbox, desk.ledger, now=lambda: noon, slack_now=lambda: noon, sleep=asyncio.sleep)
    standing = await posts.load(card_in(State.RINGING))
    standing.begun, standing.timed_out = noon + timedelta(hours=1), True
    await posts.find("k1", standing)
    assert standing.begun is None
