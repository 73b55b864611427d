"""The outbox: which request goes first, what a 429 stops, and what is reported of each request."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.workspace import Workspace
from bot.slack.messages import Message
from bot.slack.outbox import LATE_AFTER, MOST_IN_OUTBOX, MessageAddress, Rank
from bot.slack.rate_limits import BEFORE_PACING, BURST
from bot.slack.web_client import AnswerUnknown, NotDone, NotReached, RateLimited, SlackError, SlackRefusal
from tests.slack.waiting import NO_ANSWERS, Post, saying, text, urgent, waiting

FLOOR = "C0FLOOR"
POST, UPDATE = "chat.postMessage", "chat.update"


def shown(workspace: Workspace) -> list[str]:
    return [message.text for message in workspace.messages(FLOOR)]


async def stand(workspace: Workspace, number: int) -> None:
    """Until so many messages are there."""
    await workspace.until(lambda: len(shown(workspace)) == number)


async def full(post: Post) -> None:
    """The burst of the channel is used up."""
    for number in range(BURST):
        await post.outbox.post(FLOOR, text(f"first {number}"), urgent())


ORDER = [
    ("interventions before answers", urgent(since=1), urgent(Rank.ANSWER, pressing=True, since=9), urgent(Rank.ANSWER)),
    ("what is undecided before what is not", urgent(pressing=True, since=1), urgent(since=3), urgent(since=2)),
    (
        "the newest state first",
        urgent(pressing=True, since=3),
        urgent(pressing=True, since=2),
        urgent(pressing=True, since=1),
    ),
]


@pytest.mark.parametrize(("first", "second", "third"), [row[1:] for row in ORDER], ids=[row[0] for row in ORDER])
async def test_who_waits_goes_in_the_order_of_urgency(
    *, workspace: Workspace, post: Post, first: Any, second: Any, third: Any
) -> None:
    await full(post)
    named = {"third": third, "first": first, "second": second}
    tasks = [asyncio.create_task(post.outbox.post(FLOOR, text(name), urgency)) for name, urgency in named.items()]
    for number in range(3):
        await waiting(post, 3 - number)
        post.move(1.05)
        await stand(workspace, BURST + number + 1)
    await asyncio.gather(*tasks)
    assert shown(workspace)[BURST:] == ["first", "second", "third"]


async def late_and_new(post: Post) -> list[asyncio.Task[MessageAddress]]:
    """As many that have waited long as go at once, then as many that are newer; and the channel opens a second later."""
    await full(post)
    post.outbox._limits.close(POST, FLOOR, LATE_AFTER + 1)
    tasks = [asyncio.create_task(post.outbox.post(FLOOR, text("old"), urgent())) for _ in range(BURST)]
    await waiting(post, BURST)
    post.move(LATE_AFTER + 0.5)
    await waiting(post, BURST)
    post.sleeping = False
    newer = urgent(pressing=True, since=9)
    tasks += [asyncio.create_task(post.outbox.post(FLOOR, text("new"), newer)) for _ in range(BURST)]
    await waiting(post, 2 * BURST)
    return tasks


async def test_what_has_waited_long_goes_even_where_there_is_always_something_newer(
    workspace: Workspace, post: Post
) -> None:
    """And of what goes then most is the newest: a storm that is over must not hold up what is asked for now."""
    tasks = await late_and_new(post)
    post.move(0.6)
    await stand(workspace, 2 * BURST)
    await waiting(post, BURST)
    post.move(1.1)
    await stand(workspace, 2 * BURST + 1)
    assert sorted(shown(workspace)[BURST:]) == ["new"] * BURST + ["old"]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_what_is_sent_is_what_is_new_when_the_turn_comes(workspace: Workspace, post: Post) -> None:
    await full(post)
    newest = ["old"]
    task = asyncio.create_task(post.outbox.post(FLOOR, lambda: Message(newest[0], ()), urgent()))
    await waiting(post, 1)
    newest[0] = "new"
    post.move(1.05)
    await task
    assert shown(workspace)[-1] == "new"


async def test_who_gives_up_waiting_takes_no_turn(workspace: Workspace, post: Post) -> None:
    await full(post)
    gone = asyncio.create_task(post.outbox.post(FLOOR, text("gone"), urgent(pressing=True)))
    stays = asyncio.create_task(post.outbox.post(FLOOR, text("stays"), urgent()))
    await waiting(post, 2)
    gone.cancel()
    await asyncio.wait({gone})
    post.move(1.05)
    await stays
    assert (shown(workspace)[BURST:], len(post.outbox)) == (["stays"], 0)


async def test_the_queue_has_a_bound(post: Post) -> None:
    await full(post)
    tasks = [asyncio.create_task(post.outbox.post(FLOOR, text("x"), urgent())) for _ in range(MOST_IN_OUTBOX)]
    await waiting(post, MOST_IN_OUTBOX)
    with pytest.raises(NotDone):
        await post.outbox.post(FLOOR, text("x"), urgent())
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_after_429_nothing_is_posted_in_any_channel_until_slack_said(workspace: Workspace, post: Post) -> None:
    workspace.faults.add(SlackFault(method=POST, kind="429", retry_after=7))
    with pytest.raises(RateLimited):
        await post.outbox.post("C0ALERTS", text("refused"), urgent())
    task = asyncio.create_task(post.outbox.post(FLOOR, text("later"), urgent()))
    await waiting(post, 1)
    post.move(6.9)
    early = len(post.outbox)
    post.move(0.2)
    await task
    assert (early, shown(workspace)) == (1, ["later"])


@pytest.mark.parametrize("error", ["ratelimited", "rate_limited"])
async def test_where_slack_has_too_many_messages_in_one_channel_the_others_go_on(
    workspace: Workspace, post: Post, error: str
) -> None:
    workspace.faults.add(SlackFault(method=POST, kind="error", error=error))
    with pytest.raises(RateLimited):
        await post.outbox.post("C0ALERTS", text("refused"), urgent())
    waits = asyncio.create_task(post.outbox.post("C0ALERTS", text("waits"), urgent()))
    await waiting(post, 1)
    await post.outbox.post(FLOOR, text("goes on"), urgent())
    early = len(post.outbox)
    post.move(1.1)
    await waits
    assert (early, shown(workspace)) == (1, ["goes on"])


async def test_a_channel_whose_updates_are_limited_does_not_hold_the_updates_of_another_up(
    workspace: Workspace, post: Post
) -> None:
    here = await post.outbox.post("C0ALERTS", text("here"), urgent())
    there = await post.outbox.post(FLOOR, text("there"), urgent())
    workspace.faults.add(SlackFault(method=UPDATE, kind="error", error="ratelimited"))
    with pytest.raises(RateLimited):
        await post.outbox.update(here, text("refused"), urgent())
    await post.outbox.update(there, text("changed"), urgent())
    assert shown(workspace) == ["changed"]


async def test_after_429_updates_wait_and_posts_go_on(workspace: Workspace, post: Post) -> None:
    place = await post.outbox.post(FLOOR, text("one"), urgent())
    workspace.faults.add(SlackFault(method=UPDATE, kind="429", retry_after=7))
    with pytest.raises(RateLimited):
        await post.outbox.update(place, text("refused"), urgent())
    task = asyncio.create_task(post.outbox.update(place, text("changed"), urgent()))
    await waiting(post, 1)
    await post.outbox.post(FLOOR, text("two"), urgent())
    early = shown(workspace)
    post.move(7.1)
    await task
    assert (early, shown(workspace)) == (["one", "two"], ["changed", "two"])


FAULTS: list[tuple[dict[str, Any], type[SlackError], str]] = [
    ({"kind": "429"}, RateLimited, "ratelimited"),
    ({"kind": "error", "error": "ratelimited"}, RateLimited, "ratelimited"),
    ({"kind": "error", "error": "rate_limited"}, RateLimited, "ratelimited"),
    ({"kind": "500"}, AnswerUnknown, "500"),
    ({"kind": "lost"}, AnswerUnknown, "ServerDisconnectedError"),
    ({"kind": "late"}, AnswerUnknown, "TimeoutError"),
    ({"kind": "error", "error": "internal_error"}, AnswerUnknown, "internal_error"),
    ({"kind": "error", "error": "fatal_error"}, AnswerUnknown, "fatal_error"),
    ({"kind": "error", "error": "service_unavailable"}, AnswerUnknown, "service_unavailable"),
    ({"kind": "error", "error": "not_in_channel"}, SlackRefusal, "not_in_channel"),
    ({"kind": "error", "error": "token_revoked"}, SlackRefusal, "token_revoked"),
]


@pytest.mark.parametrize(("fault", "failure", "reason"), FAULTS, ids=[str(row[0]) for row in FAULTS])
async def test_each_failure_says_whether_it_may_have_been_done(
    *, workspace: Workspace, post: Post, fault: Any, failure: type[SlackError], reason: str
) -> None:
    workspace.faults.add(SlackFault(method=POST, **fault))
    with pytest.raises(failure):
        await post.outbox.post(FLOOR, text("x"), urgent())
    assert post.answered == [(POST, reason)]


async def test_what_went_well_is_counted_without_a_reason(post: Post) -> None:
    await post.outbox.post(FLOOR, text("x"), urgent())
    assert post.answered == [(POST, "")]


async def test_the_token_is_tested_at_once_or_not_at_all(post: Post) -> None:
    for _ in range(BEFORE_PACING):
        await post.outbox.test()
    with pytest.raises(NotDone):
        await post.outbox.test()


async def test_where_nobody_listens_nothing_was_done(session: aiohttp.ClientSession) -> None:
    with pytest.raises(NotReached):
        await Post("http://127.0.0.1:9/api/", session).outbox.post(FLOOR, text("x"), urgent())


@pytest.mark.parametrize(
    ("kind", "body"), [*NO_ANSWERS, ("application/json", b'{"ok": true, "channel": 7, "ts": null}')]
)
async def test_an_answer_that_is_none_leaves_it_open_what_was_done(
    session: aiohttp.ClientSession, kind: str, body: bytes
) -> None:
    async with saying(kind, body) as url:
        with pytest.raises(AnswerUnknown):
            await Post(url, session).outbox.post(FLOOR, text("x"), urgent())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *[("3", 3.0), ("0.5", 0.5), ("86400", 60.0), ("1e300", 60.0), ("9" * 500, 1.0), ("0", 0.5), ("-5", 0.5)],
        *[("nan", 1.0), ("-nan", 1.0), ("inf", 1.0), ("-inf", 1.0), ("Infinity", 1.0), ("1e999", 1.0)],
        *[("soon", 1.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0), ("3, 4", 1.0), ("", 1.0), (None, 1.0)],
    ],
)
async def test_of_what_slack_asks_to_wait_at_most_a_minute_is_believed(
    session: aiohttp.ClientSession, header: str | None, seconds: float
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    async with saying("application/json", b'{"ok":false,"error":"ratelimited"}', headers, 429) as url:
        with pytest.raises(RateLimited) as limited:
            await Post(url, session).outbox.update(MessageAddress(FLOOR, "1.2"), text("x"), urgent())
    assert limited.value.seconds == seconds


# ── response_urls ──


async def test_after_a_429_of_one_response_url_another_is_answered_at_once(session: aiohttp.ClientSession) -> None:
    async with (
        saying("text/plain", b"", {"Retry-After": "30"}, 429) as limited,
        saying("text/plain", b"ok") as other,
        asyncio.timeout(2),
    ):
        post = Post(limited, session)
        with pytest.raises(RateLimited):
            await post.outbox.respond(limited, Message("refused", ()))
        await post.outbox.respond(other, Message("taken", ()))
    assert [reason for _, reason in post.answered] == ["ratelimited", ""]


async def test_an_answer_does_not_follow_a_response_url_to_another_address(session: aiohttp.ClientSession) -> None:
    async with saying("text/plain", b"ok") as other, saying("text/plain", b"", {"Location": other}, 307) as url:
        with pytest.raises(SlackRefusal, match="307"):
            await Post(url, session).outbox.respond(url, Message("x", ()))
