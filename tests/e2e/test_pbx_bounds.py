"""At most so much at a time, and so often: beyond it a kind refusal at once, and a PBX that is not asked oftener."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot.domain.commands import Request
from bot.domain.intervention import Intervention
from bot.interventions.checks import MOST_OPEN
from bot.ledger.ledger import Ledger
from bot.sandbox.pbx.server import Fault
from bot.slack.listeners import MOST_EACH, STILL_AT_WORK


async def test_the_pbx_is_looked_at_no_oftener_than_the_configuration_allows(empty_house: Any) -> None:
    house = empty_house
    house.config = house.config.replace(
        "every = 0.2\nmax_requests_per_second = 200", "every = 0.02\nmax_requests_per_second = 5"
    )
    await house.start_bot()
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    put = house.pbx.puts()[0]

    def looks() -> list[float]:
        return [seen.at for seen in house.pbx.requests if seen.method == "GET" and seen.at > put.at]

    await house.pbx.until(lambda: len(looks()) >= 8)
    times = looks()
    assert min(sixth - first for first, sixth in zip(times, times[5:], strict=False)) > 0.7, "the times are of arrival"


async def test_an_intervention_is_not_held_back_by_looks(empty_house: Any) -> None:
    house = empty_house
    house.config = house.config.replace("max_requests_per_second = 200", "max_requests_per_second = 0.2")
    await house.start_bot()
    house.talk()
    await house.ana_types("/record 0003*210")
    await house.puts(1)
    await house.ana_types("/monitor 0003*210")
    await house.puts(2)
    assert house.actions() == ["StartRecording", "Monitor"]


async def many_open(house: Any, make: Callable[..., Intervention], count: int) -> None:
    """So many interventions that an earlier run of the bot left open, all on one card."""
    ledger = await Ledger.open(house.environment()["DATABASE_URL"], now=lambda: datetime.now(UTC))
    for number in range(count):
        asked = Request(
            id=f"r{number}", trigger=f"t{number}", slack_user="U0LIS", channel="C0FLOOR", said="", at=datetime.now(UTC)
        )
        await ledger.begin(asked)
        of_call = {"id": f"i{number}", "call_id": f"c{number}", "slack_user": "U0LIS", "asked_at": asked.at}
        await ledger.claim(asked.id, make(**of_call), rule="role listener")
    await ledger.close()


async def test_where_too_much_is_open_one_more_is_refused_at_once(
    empty_house: Any, an_intervention: Callable[..., Intervention]
) -> None:
    house = empty_house
    await many_open(house, an_intervention, MOST_OPEN)
    house.pbx.faults.add(Fault("slow", method="GET", path_contains="/0003*210/c", seconds=30, times=None))
    await house.start_bot()
    house.talk()
    await house.ana_types("/record 0003*210")
    await house.told("U0ANA", "Too many interventions are open at the moment. Nothing was sent.")
    assert house.pbx.puts() == []


async def test_what_one_person_asks_too_often_is_told_to_wait_for_its_answers(house: Any) -> None:
    house.pbx.faults.add(Fault("slow", method="GET", path_contains="@self", seconds=2.0, times=None))
    await asyncio.gather(*(house.workspace.type("U0BOB", "C0FLOOR", "/calls") for _ in range(MOST_EACH + 1)))
    house.pbx.faults.clear()
    said = await house.workspace.until(
        lambda: len(house.workspace.private("U0BOB")) > MOST_EACH and house.workspace.private("U0BOB")
    )
    assert [message.text for message in said].count(STILL_AT_WORK) == 1


async def test_700_lists_of_one_agent_are_not_in_the_way_of_a_supervisor(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("slow", method="GET", path_contains="@self", seconds=2.0, times=None))
    lists = [asyncio.create_task(house.workspace.type("U0BOB", "C0FLOOR", "/calls")) for _ in range(700)]
    await asyncio.sleep(0)
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    house.pbx.faults.clear()
    deliveries = await asyncio.gather(*lists)
    assert all(delivery.acknowledged for delivery in deliveries)
