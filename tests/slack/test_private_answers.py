"""Private answers while Slack misbehaves: delivered once, through the response_url or in a direct message."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.intervention import State
from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.workspace import Workspace
from bot.slack.outbox import Outbox
from bot.slack.private_answers import PrivateAnswers

ANA = "U0ANA"
AT_ONCE = 0.01


class Desk:
    """A workspace in which Ana has typed a command, and the way to answer her."""

    def __init__(self, workspace: Workspace, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        self.pauses: list[float] = []
        client = AsyncWebClient(
            token=workspace.bot_token, base_url=workspace.api_url, session=session, retry_handlers=[]
        )
        self.outbox = Outbox(client, session, clock=asyncio.get_running_loop().time, sleep=asyncio.sleep)

    async def asker(self, url: str | None = None) -> PrivateAnswers:
        """An asker with the response_url of a command, or with the one that is given."""
        delivery = await self.workspace.type(ANA, "C0FLOOR", "/calls")
        assert delivery.interaction
        return PrivateAnswers(
            outbox=self.outbox,
            response_url=delivery.interaction.response_url if url is None else url,
            slack_user=ANA,
            now=lambda: datetime.now(UTC),
            sleep=self._hardly_sleep,
        )

    def fault(self, method: str, kind: Any, **more: Any) -> None:
        self.workspace.faults.add(SlackFault(method=method, kind=kind, **more))

    def said(self) -> tuple[int, int]:
        """How many private answers and how many direct messages Ana has."""
        return len(self.workspace.private(ANA)), len(self.workspace.messages(to=ANA))

    async def _hardly_sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(AT_ONCE)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    workspace = Workspace()
    workspace.add_person(ANA, "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as session:
        desk = Desk(workspace, session)
        yield desk
        await desk.outbox.close()
    await workspace.stop()


async def test_an_answer_is_private(desk: Desk) -> None:
    await (await desk.asker()).helped()
    assert desk.said() == (1, 0)


async def test_without_a_response_url_the_answer_is_a_direct_message(desk: Desk) -> None:
    await (await desk.asker("")).helped()
    assert desk.said() == (0, 1)


async def test_the_sixth_answer_is_a_direct_message_because_slack_takes_five(desk: Desk) -> None:
    asker = await desk.asker()
    for _ in range(5):
        await asker.helped()
    await desk.workspace.until(lambda: desk.said() == (5, 0))
    await asker.helped()
    assert desk.said() == (5, 1)


async def test_after_429_the_answer_comes_when_slack_said(desk: Desk) -> None:
    desk.fault("response_url", "429", retry_after=1)
    begun = asyncio.get_running_loop().time()
    await (await desk.asker()).helped()
    assert (desk.said(), asyncio.get_running_loop().time() - begun >= 1) == ((1, 0), True)


@pytest.mark.parametrize(("kind", "said"), [("lost", 1), ("done500", 1), ("500", 0)])
async def test_an_answer_that_may_have_been_delivered_is_not_said_again(desk: Desk, kind: str, said: int) -> None:
    desk.fault("response_url", kind)
    await (await desk.asker()).helped()
    assert desk.said() == (said, 0)


async def test_where_the_response_url_cannot_be_reached_it_is_tried_again_and_then_said_directly(desk: Desk) -> None:
    await (await desk.asker("http://127.0.0.1:9/response")).helped()
    assert (desk.said(), len(desk.pauses)) == ((0, 1), 2)


async def test_a_direct_message_that_was_refused_for_now_comes_again(desk: Desk) -> None:
    desk.fault("chat.postMessage", "429", retry_after=0, times=2)
    await (await desk.asker("")).helped()
    assert desk.said() == (0, 1)


async def test_a_direct_message_that_may_stand_is_not_sent_again(desk: Desk) -> None:
    desk.fault("chat.postMessage", "lost")
    await (await desk.asker("")).helped()
    assert desk.said() == (0, 1)


async def test_nothing_leaves_an_answer_however_slack_fails(desk: Desk) -> None:
    desk.fault("*", "500", times=None)
    await (await desk.asker()).helped()
    await (await desk.asker("")).helped()
    assert desk.said() == (0, 0)


async def test_that_a_card_is_nowhere_is_said_to_the_asker_alone_with_what_it_would_show(
    desk: Desk, a_card: Any, reached: Any
) -> None:
    await (await desk.asker()).card_is_nowhere(a_card(reached(State.RINGING)))
    told = desk.workspace.private(ANA)
    assert (len(told), "Now: Ringing Ana's phone 0003*024" in told[0].text) == (1, True)


async def test_where_a_call_for_help_is_seen_is_said_to_the_asker_alone(desk: Desk) -> None:
    await (await desk.asker()).help_requested("C0ALERTS")
    told = desk.workspace.private(ANA)
    assert (len(told), told[0].live_markup()) == (1, ["#C0ALERTS"])
