"""The first requests to Slack at a start: callbot waits while Slack is not ready, and stops when it refuses."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.workspace import Workspace
from bot.slack.startup import PAUSES, SlackUnavailable, workspace_of


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
        client = AsyncWebClient(
            token=workspace.bot_token, base_url=workspace.api_url, session=session, retry_handlers=[]
        )
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


GARBAGE = [
    ("text/plain", b"no healthy upstream"),
    ("application/json", b"[]"),
    ("application/json", b"\xff\xfe{"),
    ("application/json", b'{"ok": true}'),
]


@pytest.mark.parametrize(("kind", "body"), GARBAGE)
async def test_what_is_no_answer_of_slacks_is_asked_again_and_then_said(
    arriving: Arriving, kind: str, body: bytes
) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=body, content_type=kind)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    arriving.client.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    with pytest.raises(SlackUnavailable, match="what answers there is not Slack"):
        await workspace_of(arriving.client, arriving.sleep)
    await runner.cleanup()
    assert arriving.pauses == list(PAUSES)


async def test_a_token_that_slack_refuses_is_said_at_once(arriving: Arriving) -> None:
    arriving.workspace.faults.add(SlackFault(method="auth.test", kind="error", error="invalid_auth", times=None))
    with pytest.raises(SlackUnavailable, match="does not accept SLACK_BOT_TOKEN: invalid_auth"):
        await workspace_of(arriving.client, arriving.sleep)
    assert arriving.pauses == []


async def test_a_slack_that_never_answers_ends_the_start(arriving: Arriving) -> None:
    arriving.workspace.faults.add(SlackFault(method="auth.test", kind="500", times=None))
    with pytest.raises(SlackUnavailable, match="cannot be reached"):
        await workspace_of(arriving.client, arriving.sleep)
    assert arriving.pauses == list(PAUSES)
