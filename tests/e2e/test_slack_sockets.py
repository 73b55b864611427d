"""Commands arrive while Slack refreshes and cuts both connections: nothing acknowledged is lost, nothing is done twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.slack.socket_mode import CONNECTIONS


@pytest.fixture
def transport() -> str:
    return "socket mode"


Trouble = Callable[[list[asyncio.Task[Any]]], Awaitable[None]]


async def all_put(house: Any, typing: list[asyncio.Task[Any]]) -> list[Any]:
    """What became of each command, once the PBX has all that were acknowledged."""
    deliveries = await asyncio.gather(*typing)
    assert [delivery.body for delivery in deliveries if delivery.acknowledged and delivery.body] == []
    await house.puts(sum(delivery.acknowledged for delivery in deliveries))
    return deliveries


async def record(house: Any, number: int, trouble: Trouble) -> tuple[list[Any], Counter[str]]:
    """So many calls are to be recorded, with trouble every now and then: what became of each, and the PUTs by call."""
    calls = [str(house.floor.talk(caller=f"+1555{each:04}", to="0003*210")) for each in range(number)]
    await house.workspace.until(lambda: house.workspace.sockets == CONNECTIONS)
    typing: list[asyncio.Task[Any]] = []
    for each, call in enumerate(calls):
        typing.append(asyncio.create_task(house.ana_types(f"/record 0003*210 call={call}")))
        await asyncio.sleep(0)
        if (
            each % 4 == 2
        ):  # one person may have ten requests under way, and those before may not have ended with their PUT
            await trouble(typing)
            await all_put(house, typing)
    deliveries = await all_put(house, typing)
    return deliveries, Counter(put.path for put in house.pbx.puts())


async def test_while_both_connections_are_refreshed_every_command_is_acknowledged_and_done_once(house: Any) -> None:
    async def refresh(typing: list[asyncio.Task[Any]]) -> None:
        await house.workspace.refresh_sockets()

    deliveries, puts = await record(house, 50, refresh)
    assert [delivery.error for delivery in deliveries if not delivery.acknowledged] == []
    assert (len(puts), set(puts.values())) == (50, {1})


async def test_while_both_connections_are_cut_what_is_acknowledged_is_done_and_nothing_twice(house: Any) -> None:
    async def cut(typing: list[asyncio.Task[Any]]) -> None:
        await asyncio.wait(typing)
        await house.workspace.until(lambda: house.workspace.sockets > 0)
        await house.workspace.cut_sockets()

    deliveries, puts = await record(house, 24, cut)
    house.workspace.visible_errors.clear()  # without a connection people see an error of Slack's
    assert {delivery.error for delivery in deliveries} <= {None, "dispatch_failed"}
    assert set(puts.values()) == {1}
