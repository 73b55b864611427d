"""The state of the bot token while a workspace revokes it and accepts it again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.workspace import Workspace
from bot.slack.bot_token import PATIENCE, REVOKED, BotToken, BotTokenRevoked
from bot.slack.outbox import Outbox
from bot.slack.rate_limits import POST, RESPOND


class Line:
    """A workspace, and the token as callbot knows it."""

    def __init__(self, workspace: Workspace, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        client = AsyncWebClient(workspace.bot_token, workspace.api_url, session=session, retry_handlers=[])
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
    assert PATIENCE <= time.monotonic() - begun < 4 * PATIENCE


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
