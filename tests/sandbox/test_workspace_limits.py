"""Rate limits, faults on order, and the life of response URLs."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.limits import RateGate, SlackLimits
from bot.sandbox.workspace.workspace import Workspace


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def workspace(clock: Clock) -> AsyncIterator[Workspace]:
    workspace = Workspace(clock=clock)
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(workspace: Workspace, session: aiohttp.ClientSession, method: str, **args: Any) -> tuple[int, Any, Any]:
    headers = {"Authorization": f"Bearer {workspace.bot_token}"}
    async with session.post(workspace.api_url + method, json=args, headers=headers) as response:
        return response.status, response.headers.get("Retry-After"), await response.text()


async def post(workspace: Workspace, session: aiohttp.ClientSession) -> tuple[int, Any]:
    status, retry_after, _ = await ask(workspace, session, "chat.postMessage", channel="C0FLOOR", text="x")
    return status, retry_after


async def respond(workspace: Workspace, session: aiohttp.ClientSession, url: str, **said: Any) -> tuple[int, Any]:
    async with session.post(url, json={"text": "x"} | said) as response:
        return response.status, (await response.json()).get("error")


async def response_url(workspace: Workspace) -> str:
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert delivery.interaction
    return delivery.interaction.response_url


def test_a_burst_of_five_posts_passes_and_the_sixth_waits_a_second(clock: Clock) -> None:
    gate = RateGate(SlackLimits(), clock)
    assert [gate.post("C0FLOOR") for _ in range(6)] == [None] * 5 + [1]


def test_after_a_burst_one_post_passes_each_second(clock: Clock) -> None:
    gate = RateGate(SlackLimits(), clock)
    for _ in range(5):
        gate.post("C0FLOOR")
    clock.now += 1
    assert [gate.post("C0FLOOR") for _ in range(2)] == [None, 1]


def test_each_channel_has_its_own_rate(clock: Clock) -> None:
    gate = RateGate(SlackLimits(), clock)
    for _ in range(5):
        gate.post("C0FLOOR")
    assert gate.post("C0ALERTS") is None


def test_the_fifty_first_update_waits_until_the_first_is_a_minute_old(clock: Clock) -> None:
    gate = RateGate(SlackLimits(), clock)
    gate.request("chat.update")
    clock.now += 20
    assert [gate.request("chat.update") for _ in range(50)] == [None] * 49 + [40]


def test_after_a_minute_updates_pass_again(clock: Clock) -> None:
    gate = RateGate(SlackLimits(), clock)
    for _ in range(50):
        gate.request("chat.update")
    clock.now += 60
    assert gate.request("chat.update") is None


def test_without_rates_everything_passes(clock: Clock) -> None:
    gate = RateGate(SlackLimits.without_rates(), clock)
    assert {gate.post("C0FLOOR") for _ in range(100)} | {gate.request("chat.update") for _ in range(100)} == {None}


async def test_too_many_posts_are_answered_with_429_and_when_to_come_again(
    workspace: Workspace, session: aiohttp.ClientSession
) -> None:
    answers = [await post(workspace, session) for _ in range(6)]
    assert (answers, workspace.refusals) == ([(200, None)] * 5 + [(429, "1")], [])


async def test_answers_into_the_channel_count_as_posts(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    url = await response_url(workspace)
    for _ in range(5):
        await post(workspace, session)
    assert await respond(workspace, session, url, response_type="in_channel") == (429, "ratelimited")


async def test_a_fault_of_kind_429_says_when_to_come_again(
    workspace: Workspace, session: aiohttp.ClientSession
) -> None:
    workspace.faults.add(SlackFault(method="chat.postMessage", kind="429", retry_after=7))
    assert [await post(workspace, session) for _ in range(2)] == [(429, "7"), (200, None)]


async def test_a_fault_of_kind_500_is_an_error_page(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    workspace.faults.add(SlackFault(method="chat.postMessage", kind="500", times=2))
    assert [(await post(workspace, session))[0] for _ in range(3)] == [500, 500, 200]


async def test_a_fault_without_times_stays_until_it_is_cleared(
    workspace: Workspace, session: aiohttp.ClientSession
) -> None:
    workspace.faults.add(SlackFault(method="*", kind="500", times=None))
    statuses = [(await post(workspace, session))[0] for _ in range(3)]
    workspace.faults.clear()
    assert [*statuses, (await post(workspace, session))[0]] == [500, 500, 500, 200]


async def test_a_fault_meets_its_method_alone(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    workspace.faults.add(SlackFault(method="chat.update", kind="500"))
    assert await post(workspace, session) == (200, None)


async def test_a_fault_of_kind_error_does_nothing(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    workspace.faults.add(SlackFault(method="chat.postMessage", kind="error", error="not_in_channel"))
    await post(workspace, session)
    assert (workspace.calls[0].answer["error"], workspace.messages()) == ("not_in_channel", [])


async def test_a_slow_answer_comes_after_its_time(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    workspace.faults.add(SlackFault(method="chat.postMessage", kind="slow", seconds=0.2))
    await post(workspace, session)
    (message,) = workspace.messages()
    assert message.versions[0].at - workspace.calls[0].at >= 0.2


async def test_a_lost_answer_has_done_its_work_and_is_kept_without_a_status(
    workspace: Workspace, session: aiohttp.ClientSession
) -> None:
    workspace.faults.add(SlackFault(method="chat.postMessage", kind="lost"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(workspace, session)
    assert ([message.text for message in workspace.messages()], workspace.calls[0].status) == (["x"], None)


def test_there_is_no_fault_of_an_invented_kind() -> None:
    with pytest.raises(ValueError, match="fire"):
        SlackFault(method="*", kind="fire")  # type: ignore[arg-type]  # the mistake that is tested


async def test_a_response_url_takes_five_answers(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    url = await response_url(workspace)
    assert [await respond(workspace, session, url) for _ in range(6)] == [(200, None)] * 5 + [(404, "used_url")]
    assert workspace.refusals == ["response_url: used_url"]


async def test_a_response_url_lives_thirty_minutes(
    workspace: Workspace, session: aiohttp.ClientSession, clock: Clock
) -> None:
    url = await response_url(workspace)
    clock.now += 1800
    first = await respond(workspace, session, url)
    clock.now += 1
    assert [first, await respond(workspace, session, url)] == [(200, None), (404, "expired_url")]


async def test_an_answer_without_text_is_refused(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    url = await response_url(workspace)
    assert await respond(workspace, session, url, text="") == (400, "no_text")


async def test_an_invented_response_url_leads_nowhere(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    url = await response_url(workspace)
    assert await respond(workspace, session, url + "x") == (404, "no_service")


async def test_a_response_url_can_fail_on_order(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    url = await response_url(workspace)
    workspace.faults.add(SlackFault(method="response_url", kind="error", error="expired_url"))
    assert await respond(workspace, session, url) == (200, "expired_url")


async def test_an_answer_is_ephemeral_by_itself(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    await respond(workspace, session, await response_url(workspace))
    assert ([each.text for each in workspace.private("U0ANA")], workspace.messages()) == (["x"], [])


async def test_an_answer_into_the_channel_publishes_the_command_too(
    workspace: Workspace, session: aiohttp.ClientSession
) -> None:
    await respond(workspace, session, await response_url(workspace), response_type="in_channel")
    assert [(each.user, each.text) for each in workspace.messages()] == [
        ("U0ANA", "/calls"),
        (workspace.bot_user_id, "x"),
    ]


async def test_an_unknown_response_type_is_refused(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    url = await response_url(workspace)
    assert await respond(workspace, session, url, response_type="public") == (400, "invalid_arguments")


async def test_a_typed_command_cannot_be_deleted(workspace: Workspace, session: aiohttp.ClientSession) -> None:
    url = await response_url(workspace)
    assert await respond(workspace, session, url, delete_original=True) == (404, "message_not_found")


async def test_a_typed_command_cannot_be_replaced_so_the_answer_is_new(
    workspace: Workspace, session: aiohttp.ClientSession
) -> None:
    url = await response_url(workspace)
    await respond(workspace, session, url)
    await respond(workspace, session, url, text="y", replace_original=True)
    assert [each.text for each in workspace.private("U0ANA")] == ["x", "y"]


async def test_a_method_that_is_asked_too_often_says_when_to_come_again(
    clock: Clock, session: aiohttp.ClientSession
) -> None:
    workspace = Workspace(clock=clock, limits=SlackLimits(per_minute={"auth.test": 1}))
    await workspace.start()
    try:
        answers = [(await ask(workspace, session, "auth.test"))[:2] for _ in range(2)]
    finally:
        await workspace.stop()
    assert answers == [(200, None), (429, "60")]


def test_a_refused_post_does_not_put_off_the_next(clock: Clock) -> None:
    gate = RateGate(SlackLimits(), clock)
    for _ in range(5):
        gate.post("C0FLOOR")
    for _ in range(3):
        clock.now += 0.5
        gate.post("C0FLOOR")
    clock.now += 0.5
    assert gate.post("C0FLOOR") is None
