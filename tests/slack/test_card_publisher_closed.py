"""A channel that refuses alerts: logged once, tried every minute, and fixed by an invitation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.alerts.alert import When
from bot.alerts.card import AlertCard
from bot.slack.card_publisher import BETWEEN_TRIES

AlertIn = Callable[..., AlertCard]
ANA, FLOOR = "U0ANA", "C0FLOOR"
POST, UPDATE, HISTORY = "chat.postMessage", "chat.update", "conversations.history"


@pytest.fixture
async def closed(desk: Any) -> AsyncIterator[Any]:
    """A desk whose bot is not in the channel, and whose minutes pass only when they are let pass."""
    desk.workspace.add_channel(FLOOR, "support-floor", bot_is_member=False)
    desk.rests = asyncio.Event()
    yield desk
    desk.rests.set()


def invite(desk: Any) -> None:
    desk.workspace.add_channel(FLOOR, "support-floor", bot_is_member=True)


async def a_minute(desk: Any) -> None:
    """Let a minute pass for all waiting cards."""
    passed, desk.rests = desk.rests, asyncio.Event()
    passed.set()


async def resting(desk: Any, posts: int, minutes: int = 1) -> None:
    """Until so many posts were refused, nothing is under way, and the next try is a minute away."""
    await desk.workspace.until(lambda: desk.pauses.count(BETWEEN_TRIES) == minutes and not desk.publisher._at_work)
    assert desk.asked(POST) == posts


@pytest.mark.parametrize(("method", "reason"), [(POST, "not_in_channel"), (UPDATE, "is_archived")])
async def test_where_callbot_may_not_write_the_alert_waits_and_nobody_gets_a_direct_message(
    *, desk: Any, alert_in: AlertIn, method: str, reason: str
) -> None:
    if method == UPDATE:
        desk.publisher.show(alert_in())
        await desk.shows("Raised")
    desk.fault(method, "error", error=reason, times=3)
    desk.publisher.show(alert_in("Snoozed"))
    await desk.shows("Snoozed")
    assert (desk.pauses, desk.no_access, desk.nowhere, desk.cards(ANA)) == ([BETWEEN_TRIES] * 3, [], [], [])


async def test_a_post_that_is_refused_for_a_reason_that_nobody_knows_waits_too(desk: Any, alert_in: AlertIn) -> None:
    desk.fault(POST, "error", error="never_heard_of", times=3)
    desk.publisher.show(alert_in())
    await desk.shows("Raised")
    assert desk.pauses == [BETWEEN_TRIES] * 3


async def test_a_channel_that_refuses_is_said_once_for_each_cause_and_nobody_is_named(
    desk: Any, alert_in: AlertIn
) -> None:
    desk.fault(POST, "error", error="not_in_channel", times=3)
    desk.fault(POST, "error", error="is_archived", times=2)
    with capture_logs() as logs:
        for number in range(2):
            desk.publisher.show(alert_in(number=number))
        await desk.workspace.until(lambda: len(desk.cards()) == 2)
    assert [line for line in logs if line["log_level"] == "error"] == [
        {"event": "alerts_refused", "where": FLOOR, "reason": reason, "log_level": "error"}
        for reason in ("not_in_channel", "is_archived")
    ]


async def test_an_invitation_mends_it_within_a_minute_for_all_that_wait(closed: Any, alert_in: AlertIn) -> None:
    for number in range(3):
        closed.publisher.show(alert_in(number=number))
    await resting(closed, posts=3)
    invite(closed)
    await a_minute(closed)
    await closed.workspace.until(lambda: len(closed.cards()) == 3)
    assert closed.asked(POST) == 6


async def test_a_closed_channel_costs_one_request_a_minute_however_many_alerts_wait(
    closed: Any, alert_in: AlertIn
) -> None:
    for number in range(3):
        closed.publisher.show(alert_in(number=number))
    await resting(closed, posts=3)
    tried = []
    for minute in range(1, 4):
        await a_minute(closed)
        await resting(closed, posts=3 + minute, minutes=1 + minute)
        tried.append(closed.workspace.calls[-1].args["metadata"]["event_payload"]["card"])
    assert sorted(tried) == [alert_in(number=number).id for number in range(3)]


async def test_a_channel_that_closes_again_is_tried_a_minute_after_that_and_not_before(
    closed: Any, alert_in: AlertIn
) -> None:
    closed.publisher.show(alert_in())
    await resting(closed, posts=1)
    first, closed.rests = closed.rests, asyncio.Event()
    invite(closed)
    closed.publisher.show(alert_in("Snoozed"))
    await closed.shows("Snoozed")
    closed.fault(POST, "error", error="not_in_channel", times=None)
    closed.publisher.show(alert_in(number=2))
    await resting(closed, posts=3, minutes=2)
    first.set()
    await closed.publisher.drain(0.2)
    assert closed.asked(POST) == 3


async def test_a_change_is_tried_at_once_and_an_invitation_mends_all_by_it(closed: Any, alert_in: AlertIn) -> None:
    for number in (1, 2):
        closed.publisher.show(alert_in(number=number))
    await resting(closed, posts=2)
    invite(closed)
    closed.publisher.show(alert_in("Snoozed", 2))
    await closed.workspace.until(lambda: len(closed.cards()) == 2)
    assert sorted(one.text.split()[0] for one in closed.cards()) == ["Raised:", "Snoozed:"]


async def test_what_is_over_before_the_channel_opens_is_not_posted(closed: Any, alert_in: AlertIn) -> None:
    closed.publisher.show(alert_in())
    await resting(closed, posts=1)
    closed.publisher.show(alert_in("Resolved"))
    await closed.workspace.until(lambda: len(closed.publisher) == 0)
    invite(closed)
    await a_minute(closed)
    closed.publisher.show(alert_in(number=2))
    await closed.shows("Raised")
    assert closed.asked(POST) == 3


async def test_where_one_is_over_the_others_are_still_tried(closed: Any, alert_in: AlertIn) -> None:
    for number in (1, 2):
        closed.publisher.show(alert_in(number=number))
    await resting(closed, posts=2)
    closed.publisher.show(alert_in("Resolved", 1))
    await closed.workspace.until(lambda: len(closed.publisher) == 1)
    invite(closed)
    await a_minute(closed)
    await closed.shows("Raised")


async def test_where_the_fault_lies_in_one_card_the_others_are_still_tried(closed: Any, alert_in: AlertIn) -> None:
    for number in (1, 2):
        closed.publisher.show(alert_in(number=number))
    await resting(closed, posts=2)
    invite(closed)
    closed.fault(POST, "error", error="invalid_blocks")
    await a_minute(closed)
    await resting(closed, posts=3, minutes=2)
    await a_minute(closed)
    await closed.shows("Raised")


async def test_a_channel_that_closes_again_is_said_again(desk: Any, alert_in: AlertIn) -> None:
    with capture_logs() as logs:
        for number in (1, 2):
            desk.fault(POST, "error", error="not_in_channel")
            desk.publisher.show(alert_in(number=number))
            await desk.workspace.until(lambda number=number: len(desk.cards()) == number)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["alerts_refused"] * 2


async def test_a_card_that_stands_is_resolved_when_its_channel_is_open_again(closed: Any, alert_in: AlertIn) -> None:
    invite(closed)
    closed.publisher.show(alert_in())
    card = await closed.shows("Raised")
    closed.fault(UPDATE, "error", error="not_in_channel")
    closed.publisher.show(alert_in("Resolved"))
    await closed.workspace.until(lambda: BETWEEN_TRIES in closed.pauses)
    await a_minute(closed)
    assert await closed.shows("Resolved") is card


async def test_when_the_history_can_be_read_again_all_that_were_lost_are_found_within_a_minute(
    closed: Any, alert_in: AlertIn
) -> None:
    invite(closed)
    closed.fault(POST, "lost", times=2)
    closed.fault(HISTORY, "error", error="missing_scope", times=2)
    for number in (1, 2):
        closed.publisher.show(alert_in(number=number))
    await closed.workspace.until(lambda: closed.asked(HISTORY) == 2 and BETWEEN_TRIES in closed.pauses)
    await a_minute(closed)
    await closed.workspace.until(lambda: len(closed.posted) == 2 and len(closed.publisher) == 0)
    assert (len(closed.cards()), closed.asked(POST)) == (2, 2)


# ── a raised hand that nobody can see ──

BOB = "U0BOB"
UNSEEN = "Your help request is not in its channel"


def bobs(card: AlertCard) -> AlertCard:
    """The card as that of Bob's help request."""
    hand = {"when": When.HELP_REQUESTED, "asked_by": BOB}
    return card.model_copy(update={"alert": card.alert.model_copy(update=hand)})


@pytest.fixture
def bob(closed: Any) -> Callable[[], list[str]]:
    """Bob's direct messages."""
    closed.workspace.add_person(BOB, "bob")
    return lambda: [one.text for one in closed.workspace.messages(to=BOB)]


async def test_who_raised_their_hand_is_told_once_that_the_channel_does_not_take_it(
    closed: Any, alert_in: AlertIn, bob: Callable[[], list[str]]
) -> None:
    for state in ("Raised", "Snoozed"):
        closed.publisher.show(bobs(alert_in(state)))
        await closed.workspace.until(lambda: bob() and not closed.publisher._at_work)
    assert [text.startswith(UNSEEN) for text in bob()] == [True]


async def test_of_a_hand_that_was_to_be_seen_that_is_not_said(
    closed: Any, alert_in: AlertIn, bob: Callable[[], list[str]]
) -> None:
    invite(closed)
    closed.publisher.show(bobs(alert_in()))
    await closed.shows("Raised")
    closed.fault(UPDATE, "error", error="not_in_channel")
    closed.publisher.show(bobs(alert_in("Snoozed")))
    await closed.workspace.until(lambda: BETWEEN_TRIES in closed.pauses)
    await closed.publisher.drain(0.1)
    assert bob() == []


async def test_of_a_hand_that_may_be_seen_that_is_not_said(
    closed: Any, alert_in: AlertIn, bob: Callable[[], list[str]]
) -> None:
    invite(closed)
    closed.fault(POST, "lost")
    closed.fault(HISTORY, "error", error="missing_scope")
    closed.publisher.show(bobs(alert_in()))
    await closed.workspace.until(lambda: BETWEEN_TRIES in closed.pauses)
    await closed.publisher.drain(0.1)
    assert bob() == []


async def test_of_a_hand_that_is_over_that_is_not_said(
    closed: Any, alert_in: AlertIn, bob: Callable[[], list[str]]
) -> None:
    closed.publisher.show(bobs(alert_in("Resolved")))
    await closed.workspace.until(lambda: closed.asked(POST) == 1)
    await closed.publisher.drain(0.3)
    assert (bob(), len(closed.publisher)) == ([], 0)


# ── the end ──


async def test_the_end_does_not_wait_for_a_channel_that_is_closed(closed: Any, alert_in: AlertIn) -> None:
    closed.publisher.show(alert_in())
    await resting(closed, posts=1)
    begun = asyncio.get_running_loop().time()
    with capture_logs() as logs:
        await closed.publisher.drain(0.1)
    assert (asyncio.get_running_loop().time() - begun < 1, [line["event"] for line in logs]) == (
        True,
        ["cards_not_shown"],
    )
