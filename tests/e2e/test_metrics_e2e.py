"""`/metrics` after one intervention from the command to the proof: what an operator can read from it."""

import re
from typing import Any

import aiohttp

from bot.sandbox.pbx.server import Fault
from bot.sandbox.workspace.faults import SlackFault


async def metrics_of(house: Any) -> dict[str, float]:
    """Every figure of the bot by its name and labels, as Prometheus reads them."""
    url = f"http://127.0.0.1:{house.bots[-1].metrics_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


async def connected(house: Any) -> None:
    """Ana listens to Bob."""
    await house.ana_listens()


async def test_an_intervention_leaves_its_metrics(house: Any) -> None:
    await connected(house)
    seen = await metrics_of(house)
    expected = {
        'callbot_acknowledgement_seconds_count{kind="command"}': 1.0,
        'callbot_puts_total{result="accepted"}': 1.0,
        "callbot_connected_seconds_count": 1.0,
        'callbot_answer_seconds_count{method="put",system="pbx"}': 1.0,
        'callbot_answer_seconds_count{method="message",system="slack"}': seen[
            'callbot_answer_seconds_count{method="message",system="slack"}'
        ],
        "callbot_open_interventions": 1.0,
        'callbot_queue_length{queue="requests"}': 0.0,
        'callbot_queue_length{queue="slack"}': 0.0,
        'callbot_queue_length{queue="polls"}': seen['callbot_queue_length{queue="polls"}'],
        "callbot_rules_mistaken": 0.0,
    }
    assert {name: seen.get(name) for name in expected} == expected


async def test_what_goes_wrong_is_counted_by_its_reason(house: Any) -> None:
    house.pbx.faults.add(Fault("html 502", method="GET", path_contains="/phoneCalls/"))
    house.workspace.faults.add(SlackFault(method="chat.postMessage", kind="429"))
    await connected(house)
    errors = {name for name in await metrics_of(house) if name.startswith("callbot_answer_errors_total")}
    assert errors == {
        'callbot_answer_errors_total{error="HTTP 502",method="list",system="pbx"}',
        'callbot_answer_errors_total{error="ratelimited",method="message",system="slack"}',
    }


async def test_no_figure_carries_a_name_or_a_number_of_somebody(house: Any) -> None:
    await connected(house)
    text = "\n".join(await metrics_of(house))
    assert re.findall(r"0003|555|Bob|Ana|Carla|U0ANA|C0FLOOR", text) == []
