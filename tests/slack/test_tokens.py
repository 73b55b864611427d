"""Slack's tokens: at the start callbot waits while Slack is not ready and stops when it refuses; later one is revoked."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.workspace import Workspace
from bot.slack.outbox import Outbox
from bot.slack.rate_limits import POST, RESPOND
from bot.slack.tokens import REVOKED, TOKEN_CHECK_TIMEOUT, BotToken, BotTokenRevoked, SlackUnavailable, workspace_of
from bot.slack.web_client import web_client
from tests.slack.waiting import NO_ANSWERS, saying

HALF_A_MINUTE = [1.0, 2.0, 4.0, 8.0, 15.0]


class Arriving(NamedTuple):
    """A client of a workspace, and the pauses that were made."""

    workspace: Workspace
    client: AsyncWebClient
    pauses: list[float]
    sleep: Callable[[float], Awaitable[None]]


@pytest.fixture
async def arriving() -> AsyncIterator[Arriving]:
    workspace = Workspace()
    await workspace.start()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async with aiohttp.ClientSession() as session:
        client = web_client(workspace.bot_token, workspace.api_url, session)
        yield Arriving(workspace, client, pauses, sleep)
    await workspace.stop()


async def test_slack_says_who_the_bot_is(arriving: Arriving) -> None:
    found = await workspace_of(arriving.client, arriving.sleep)
    assert (found.home.team_id, found.bot_user_id, arriving.pauses) == ("T0LOCAL", arriving.workspace.bot_user_id, [])


@pytest.mark.parametrize(
    ("fault", "pauses"),
    [
        (SlackFault(method="auth.test", kind="500"), [1.0]),
        (SlackFault(method="auth.test", kind="lost"), [1.0]),
        (SlackFault(method="auth.test", kind="429", retry_after=7), [7.0]),
        (SlackFault(method="auth.test", kind="error", error="internal_error", times=3), [1.0, 2.0, 4.0]),
    ],
    ids=lambda each: each.kind if isinstance(each, SlackFault) else "",
)
async def test_what_passes_is_waited_for(arriving: Arriving, fault: SlackFault, pauses: list[float]) -> None:
    arriving.workspace.faults.add(fault)
    await workspace_of(arriving.client, arriving.sleep)
    assert arriving.pauses == pauses


@pytest.mark.parametrize(("kind", "body"), NO_ANSWERS)
async def test_what_is_no_answer_of_slacks_is_asked_again_and_then_said(
    arriving: Arriving, kind: str, body: bytes
) -> None:
    async with saying(kind, body) as url:
        arriving.client.base_url = url
        with pytest.raises(SlackUnavailable, match="what answers there is not Slack"):
            await workspace_of(arriving.client, arriving.sleep)
    assert arriving.pauses == HALF_A_MINUTE


async def test_a_token_that_slack_refuses_is_said_at_once(arriving: Arriving) -> None:
    arriving.workspace.faults.add(SlackFault(method="auth.test", kind="error", error="invalid_auth", times=None))
    with pytest.raises(SlackUnavailable, match="does not accept SLACK_BOT_TOKEN: invalid_auth"):
        await workspace_of(arriving.client, arriving.sleep)
    assert arriving.pauses == []


async def test_a_slack_that_never_answers_ends_the_start(arriving: Arriving) -> None:
    arriving.workspace.faults.add(SlackFault(method="auth.test", kind="500", times=None))
    with pytest.raises(SlackUnavailable, match="cannot be reached"):
        await workspace_of(arriving.client, arriving.sleep)
    assert arriving.pauses == HALF_A_MINUTE


# ── while callbot runs ──


class Line:
    """A workspace, and the token as callbot knows it."""

    def __init__(self, workspace: Workspace, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        client = web_client(workspace.bot_token, workspace.api_url, session)
        outbox = Outbox(client, session, clock=time.monotonic, sleep=asyncio.sleep, answered=self._answered)
        self.token = BotToken(outbox.test, sleep=lambda _: asyncio.sleep(0.05))

    def _answered(self, method: str, seconds: float, reason: str) -> None:
        self.token.heard(method, reason)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    workspace = Workspace()
    await workspace.start()
    async with aiohttp.ClientSession() as session:
        line = Line(workspace, session)
        yield line
        await line.token.close()
    await workspace.stop()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


async def test_that_the_token_is_revoked_and_taken_again_is_noticed_though_nobody_asks_for_anything(line: Line) -> None:
    line.workspace.revoke_bot_token()
    asking = asyncio.create_task(line.token.keep_asking())
    await until(lambda: not line.token.accepted)
    line.workspace.restore_bot_token()
    await until(lambda: line.token.accepted)
    asking.cancel()


async def test_a_request_waits_for_the_answer_about_the_token(line: Line) -> None:
    line.workspace.revoke_bot_token()
    line.token.ask()
    with pytest.raises(BotTokenRevoked):
        await line.token.refuse_if_revoked()


async def test_a_request_waits_for_a_slow_answer_no_longer_than_it_may(line: Line) -> None:
    line.workspace.faults.add(SlackFault(method="auth.test", kind="slow", seconds=4.0))
    begun = time.monotonic()
    line.token.ask()
    await line.token.refuse_if_revoked()
    assert TOKEN_CHECK_TIMEOUT <= time.monotonic() - begun < 4 * TOKEN_CHECK_TIMEOUT


async def test_slack_is_asked_once_while_a_check_is_under_way(line: Line) -> None:
    for _ in range(3):
        line.token.ask()
    await line.token.refuse_if_revoked()
    assert [call.method for call in line.workspace.calls] == ["auth.test"]


@pytest.mark.parametrize("reason", sorted(REVOKED))
async def test_any_answer_that_says_so_of_the_token_counts(line: Line, reason: str) -> None:
    line.token.heard(POST, reason)
    assert line.token.accepted is False


@pytest.mark.parametrize(
    "reason", ["ratelimited", "500", "TimeoutError", "not_in_channel", "missing_scope", "unreadable"]
)
async def test_a_failure_that_says_nothing_of_the_token_changes_nothing(line: Line, reason: str) -> None:
    line.token.heard(POST, reason)
    known = [line.token.accepted]
    line.token.heard(POST, "token_revoked")
    line.token.heard(POST, reason)
    assert [*known, line.token.accepted] == [True, False]


async def test_an_answer_through_a_response_url_says_nothing_of_the_token(line: Line) -> None:
    line.token.heard(POST, "token_revoked")
    line.token.heard(RESPOND, "")
    assert line.token.accepted is False
