"""Alerts in the outbox: after everything else, without delaying it, and none waits much longer than half a minute."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.workspace.workspace import Workspace
from bot.slack.messages import Message
from bot.slack.outbox import (
    BETWEEN_LATE,
    LATE_AFTER,
    MOST_ALERTS_WAITING,
    MOST_IN_OUTBOX,
    MessageAddress,
    Rank,
    Urgency,
)
from bot.slack.rate_limits import POST, SPARE_BEFORE_PACING, SPARE_PER_MINUTE, UPDATE
from bot.slack.web_client import NotDone
from tests.slack.waiting import Post, text, urgent, waiting

FLOOR = "C0FLOOR"
ALERT = urgent(Rank.ALERT, pressing=True)


class Sent:
    """What was sent, in the order in which the turns were given."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def named(self, name: str) -> Callable[[], Message]:
        def content() -> Message:
            self.names.append(name)
            return Message(name, ())

        return content


async def settled(tasks: list[asyncio.Task[Any]], post: Post) -> None:
    """Wait until every request that is under way waits for a turn."""
    async with asyncio.timeout(5):
        while sum(not task.done() for task in tasks) > len(post.outbox):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


async def ended(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.fixture
async def place(post: Post) -> MessageAddress:
    """A message that stands, in a channel whose burst is whole again."""
    found = await post.outbox.post(FLOOR, text("Raised"), urgent())
    post.move(10)
    return found


async def storm(post: Post, place: MessageAddress, number: int) -> list[asyncio.Task[None]]:
    """So many changes of alerts at one moment: as many as may go have gone, and the others wait."""
    tasks = [asyncio.create_task(post.outbox.update(place, text("alert"), ALERT)) for _ in range(number)]
    await asyncio.sleep(0)
    await settled(tasks, post)
    return tasks


# ── who goes first ──

BEFORE = [
    ("an intervention that changes little", urgent(since=1)),
    ("a private answer", urgent(Rank.ANSWER)),
]


@pytest.mark.parametrize("first", [row[1] for row in BEFORE], ids=[row[0] for row in BEFORE])
async def test_everything_else_goes_before_alerts(post: Post, first: Callable[[], Urgency]) -> None:
    sent = Sent()
    post.outbox._limits.close(POST, FLOOR, 5)
    newest = urgent(Rank.ALERT, pressing=True, since=99)
    tasks = [
        asyncio.create_task(post.outbox.post(FLOOR, sent.named(name), urgency))
        for name, urgency in (("alert", newest), ("first", first))
    ]
    await waiting(post, 2)
    post.move(5.1)
    await asyncio.gather(*tasks)
    assert sent.names == ["first", "alert"]


async def test_of_alerts_the_newest_state_goes_first_and_mere_details_last(post: Post, place: MessageAddress) -> None:
    sent = Sent()
    post.outbox._limits.close(UPDATE, "", post.now + 5)
    changes = {
        "detail": urgent(Rank.ALERT, since=9),
        "old": urgent(Rank.ALERT, pressing=True, since=1),
        "new": urgent(Rank.ALERT, pressing=True, since=3),
    }
    tasks = [asyncio.create_task(post.outbox.update(place, sent.named(name), each)) for name, each in changes.items()]
    await waiting(post, 3)
    post.move(5.1)
    await asyncio.gather(*tasks)
    assert sent.names == ["new", "old", "detail"]


async def test_of_alerts_those_that_have_waited_long_go_before_what_is_newer_the_oldest_first(
    post: Post, place: MessageAddress
) -> None:
    sent, tasks = Sent(), list[asyncio.Task[None]]()
    post.outbox._limits.close(UPDATE, "", post.now + LATE_AFTER + 10)
    waits = {"oldest": 2, "older": LATE_AFTER + 4, "new": 2, "newest": 0}
    for since, (name, wait) in enumerate(waits.items()):
        urgency = urgent(Rank.ALERT, pressing=True, since=since)
        tasks.append(asyncio.create_task(post.outbox.update(place, sent.named(name), urgency)))
        await waiting(post, len(tasks))
        post.move(wait)
    async with asyncio.timeout(5):
        while not all(task.done() for task in tasks):
            post.move(0.1)
            await asyncio.sleep(0)
    assert sent.names == ["oldest", "older", "newest", "new"]


async def test_an_alert_that_has_waited_longest_overtakes_no_intervention_that_has_waited_long(
    post: Post, place: MessageAddress
) -> None:
    sent, tasks = Sent(), list[asyncio.Task[None]]()
    post.outbox._limits.close(UPDATE, "", post.now + LATE_AFTER + 10)
    for rank in (Rank.ALERT, Rank.INTERVENTION):
        tasks.append(asyncio.create_task(post.outbox.update(place, sent.named(rank.name), urgent(rank))))
        await waiting(post, len(tasks))
        post.move(2)
    async with asyncio.timeout(5):
        while not all(task.done() for task in tasks):
            post.move(0.1)
            await asyncio.sleep(0)
    assert sent.names == ["INTERVENTION", "ALERT"]


# ── what is left to others ──


async def test_a_storm_of_three_hundred_alerts_holds_no_intervention_up(post: Post, place: MessageAddress) -> None:
    alerts = await storm(post, place, 300)
    begun = post.now
    await post.outbox.update(place, text("Connected"), urgent(pressing=True))
    assert (post.now - begun, len(post.outbox)) == (0, 300 - SPARE_BEFORE_PACING)
    await ended(alerts)


async def test_a_storm_of_alerts_in_a_channel_leaves_two_posts_to_others(workspace: Workspace, post: Post) -> None:
    alerts = [asyncio.create_task(post.outbox.post(FLOOR, text("alert"), ALERT)) for _ in range(9)]
    await asyncio.sleep(0)
    await settled(alerts, post)
    for name in ("Ringing", "Refused"):
        await post.outbox.post(FLOOR, text(name), urgent())
    assert [message.text for message in workspace.messages(FLOOR)] == ["alert"] * 3 + ["Ringing", "Refused"]
    await ended(alerts)


async def test_alerts_do_not_fill_the_queue_for_others(post: Post, place: MessageAddress) -> None:
    alerts = await storm(post, place, SPARE_BEFORE_PACING + MOST_ALERTS_WAITING)
    with pytest.raises(NotDone):
        await post.outbox.update(place, text("one too many"), ALERT)
    post.outbox._limits.close(UPDATE, "", post.now + 5)
    others = [asyncio.create_task(post.outbox.update(place, text("x"), urgent())) for _ in range(9)]
    await waiting(post, MOST_ALERTS_WAITING + 9)
    assert MOST_ALERTS_WAITING + 9 < MOST_IN_OUTBOX
    await ended([*alerts, *others])


# ── none gets old ──


async def test_an_alert_that_has_waited_long_goes_although_there_is_no_room_for_alerts(
    post: Post, place: MessageAddress
) -> None:
    """One each ten seconds, the oldest first."""
    for _ in range(SPARE_PER_MINUTE):
        await post.outbox.update(place, text("Ringing"), urgent())
    sent, begun = Sent(), post.now
    tasks = [asyncio.create_task(post.outbox.update(place, sent.named(name), ALERT)) for name in ("one", "two")]
    gone: list[tuple[float, list[str]]] = []
    for wait in (LATE_AFTER - 0.1, 0.2, BETWEEN_LATE - 0.1, 0.2):
        await waiting(post, len(post.outbox))
        post.move(wait)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await settled(tasks, post)
        gone.append((round(post.now - begun, 1), list(sent.names)))
    assert gone == [(19.9, []), (20.1, ["one"]), (30.0, ["one"]), (30.2, ["one", "two"])]


async def test_while_interventions_never_end_alerts_still_come_through(post: Post, place: MessageAddress) -> None:
    """Every BETWEEN_LATE a late request overtakes the others, an alert too."""
    for _ in range(45):
        post.outbox._limits.passed(UPDATE, "", post.now)
    alert = asyncio.create_task(post.outbox.update(place, text("alert"), ALERT))
    others: list[asyncio.Task[None]] = []
    for _ in range(8):
        others.append(asyncio.create_task(post.outbox.update(place, text("x"), urgent(pressing=True))))
        await waiting(post, 1)
        post.move(6.2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await settled([alert, *others], post)
    assert alert.done()
    await ended([each for each in others if not each.done()] or [alert])


@pytest.mark.parametrize("cards", [1, 2])
async def test_alerts_that_change_all_the_time_are_never_older_than_half_a_minute(
    post: Post, place: MessageAddress, cards: int
) -> None:
    """Each second, which is far more than can be sent: what waits is sent as it is when its turn comes."""
    changed = dict.fromkeys(range(cards), post.now)
    ages: list[float] = []
    tasks: dict[int, asyncio.Task[None]] = {}

    def content(card: int) -> Callable[[], Message]:
        def made() -> Message:
            ages.append(post.now - changed.pop(card))
            return Message("alert", ())

        return made

    for _ in range(240):
        for card in range(cards):
            changed.setdefault(card, post.now)
            if card not in tasks or tasks[card].done():
                urgency = urgent(Rank.ALERT, pressing=True, since=post.now)
                tasks[card] = asyncio.create_task(post.outbox.update(place, content(card), urgency))
        await asyncio.sleep(0)
        await settled(list(tasks.values()), post)
        post.move(1.0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await settled(list(tasks.values()), post)
    assert (max(ages) <= 30, len(ages) > 100) == (True, True)
    await ended(list(tasks.values()))
