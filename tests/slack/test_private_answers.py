"""Private answers while Slack misbehaves: delivered once, through the response_url or in a direct message."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.commands import Intervene, Offer, Target
from bot.domain.intervention import State
from bot.interventions.call_list import CallChoice
from bot.slack.private_answers import PrivateAnswers

ANA = "U0ANA"


async def asker(desk: Any, url: str | None = None) -> PrivateAnswers:
    """Who answers Ana's command, with its response_url or the one that is given."""
    delivery = await desk.workspace.type(ANA, "C0FLOOR", "/calls")
    return PrivateAnswers(
        outbox=desk.outbox,
        response_url=delivery.interaction.response_url if url is None else url,
        slack_user=ANA,
        now=lambda: datetime.now(UTC),
        sleep=desk.hardly_sleep,
    )


def said(desk: Any) -> tuple[int, int]:
    """How many private answers and how many direct messages Ana has."""
    return len(desk.workspace.private(ANA)), len(desk.workspace.messages(to=ANA))


async def test_an_answer_is_private(desk: Any) -> None:
    await (await asker(desk)).helped()
    assert said(desk) == (1, 0)


async def test_what_is_logged_of_an_asker_holds_no_response_url(desk: Any) -> None:
    """A person who has the response_url can write in callbot's name."""
    assert "http" not in repr(await asker(desk))


async def test_without_a_response_url_the_answer_is_a_direct_message(desk: Any) -> None:
    await (await asker(desk, "")).helped()
    assert said(desk) == (0, 1)


async def test_the_sixth_answer_is_a_direct_message_because_slack_takes_five(desk: Any) -> None:
    ana = await asker(desk)
    for _ in range(5):
        await ana.helped()
    await desk.workspace.until(lambda: said(desk) == (5, 0))
    await ana.helped()
    assert said(desk) == (5, 1)
    desk.workspace.refusals.clear()  # the sixth


async def test_after_429_the_answer_comes_when_slack_said(desk: Any) -> None:
    desk.fault("response_url", "429", retry_after=1)
    begun = asyncio.get_running_loop().time()
    await (await asker(desk)).helped()
    assert (said(desk), asyncio.get_running_loop().time() - begun >= 1) == ((1, 0), True)


@pytest.mark.parametrize(("kind", "private"), [("lost", 1), ("done500", 1), ("500", 0)])
async def test_an_answer_that_may_have_been_delivered_is_not_said_again(desk: Any, kind: str, private: int) -> None:
    desk.fault("response_url", kind)
    await (await asker(desk)).helped()
    assert said(desk) == (private, 0)


async def test_where_the_response_url_cannot_be_reached_it_is_tried_again_and_then_said_directly(desk: Any) -> None:
    await (await asker(desk, "http://127.0.0.1:9/response")).helped()
    assert (said(desk), len(desk.pauses)) == ((0, 1), 2)


async def test_a_direct_message_that_was_refused_for_now_comes_again(desk: Any) -> None:
    desk.fault("chat.postMessage", "429", retry_after=0, times=2)
    await (await asker(desk, "")).helped()
    assert said(desk) == (0, 1)


async def test_a_direct_message_that_may_stand_is_not_sent_again(desk: Any) -> None:
    desk.fault("chat.postMessage", "lost")
    await (await asker(desk, "")).helped()
    assert said(desk) == (0, 1)


async def test_nothing_leaves_an_answer_however_slack_fails(desk: Any) -> None:
    desk.fault("*", "500", times=None)
    await (await asker(desk)).helped()
    await (await asker(desk, "")).helped()
    assert said(desk) == (0, 0)


async def test_that_a_card_is_nowhere_is_said_to_the_asker_alone_with_what_it_would_show(
    desk: Any, a_card: Any, reached: Any
) -> None:
    await (await asker(desk)).card_is_nowhere(a_card(reached(State.RINGING)))
    told = desk.workspace.private(ANA)
    assert (len(told), "Now: Ringing Ana's phone 0003*024" in told[0].text) == (1, True)


async def test_where_a_call_for_help_is_seen_is_said_to_the_asker_alone(desk: Any) -> None:
    await (await asker(desk)).help_requested("C0ALERTS")
    told = desk.workspace.private(ANA)
    assert (len(told), told[0].live_markup()) == (1, ["#C0ALERTS"])


async def test_a_question_which_call_counts_by_the_wall_clock(desk: Any, a_call: Any, a_view: Any, noon: Any) -> None:
    """Both calls were answered at 11:59:00 by the clock of the PBX, which is half a minute ahead."""
    ana = replace(await asker(desk), now=lambda: noon, pbx_behind=lambda: timedelta(seconds=-30))
    monitor = Intervene(action=ActionName.MONITOR, target=Target(kind="extension", text="0003*210"), call="c1")
    choice = CallChoice(call=a_call(), view=a_view(), agent="Bob Ionescu", button=Offer(monitor, "C0FLOOR"))
    await ana.choose(ActionName.MONITOR, (choice, choice))
    (question,) = desk.workspace.private(ANA)
    assert ["1 min 30 s" in button.label for button in question.buttons()] == [True, True]
