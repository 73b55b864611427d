"""`/metrics`: what an operator can read after an intervention, who may read it, and what nobody learns from it."""

import json
import re
import socket
from typing import Any

import aiohttp
import pytest

from bot.sandbox.pbx.server import Fault
from bot.sandbox.workspace.faults import SlackFault


async def metrics_of(house: Any) -> dict[str, float]:
    """Every figure of the bot by its name and labels, as Prometheus reads them."""
    url = f"http://127.0.0.1:{house.bots[-1].metrics_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


async def test_an_intervention_leaves_its_metrics(house: Any) -> None:
    await house.ana_listens()
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
        "callbot_config_invalid": 0.0,
    }
    assert {name: seen.get(name) for name in expected} == expected


async def test_what_goes_wrong_is_counted_by_its_reason(house: Any) -> None:
    house.pbx.faults.add(Fault("html 502", method="GET", path_contains="/phoneCalls/"))
    house.workspace.faults.add(SlackFault(method="chat.postMessage", kind="429"))
    await house.ana_listens()
    errors = {name for name in await metrics_of(house) if name.startswith("callbot_answer_errors_total")}
    assert errors == {
        'callbot_answer_errors_total{error="HTTP 502",method="list",system="pbx"}',
        'callbot_answer_errors_total{error="ratelimited",method="message",system="slack"}',
    }


async def test_no_figure_carries_a_name_or_a_number_of_somebody(house: Any) -> None:
    await house.ana_listens()
    text = "\n".join(await metrics_of(house))
    assert re.findall(r"0003|555|Bob|Ana|Carla|U0ANA|C0FLOOR", text) == []


# ── who may read them ──


async def get(port: int, path: str, **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as got,
    ):
        return got.status


async def series(house: Any) -> dict[str, float]:
    """Every series of callbot's own, by its name and labels."""
    url = f"http://127.0.0.1:{house.bots[-1].metrics_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as got:
        lines = [line.rsplit(" ", 1) for line in (await got.text()).splitlines() if line.startswith("callbot_")]
    return {name: float(value) for name, value in lines}


async def test_the_door_for_slack_serves_no_metrics(house: Any) -> None:
    paths = ("/metrics", "/healthz", "/readyz")
    assert [await get(house.bots[-1].port, path) for path in paths] == [404, 200, 200]


async def test_the_listener_of_the_metrics_takes_nothing_of_slack(house: Any) -> None:
    port = house.bots[-1].metrics_port
    assert [await get(port, path) for path in ("/metrics", "/healthz", "/slack/events")] == [200, 404, 404]


async def test_there_are_no_metrics_unless_their_port_is_set(empty_house: Any) -> None:
    empty_house.more_settings = {"METRICS_PORT": ""}
    bot = await empty_house.start_bot()
    assert bot.metrics_port is None


async def test_with_a_token_only_who_has_it_reads_the_metrics(empty_house: Any) -> None:
    empty_house.more_settings = {"METRICS_TOKEN": "invented"}
    bot = await empty_house.start_bot()
    wrong = ["Bearer invente", "Bearer invented2", "Basic invented", "Bearer", "Bearer \u00e9"]
    read = [await get(bot.metrics_port, "/metrics", Authorization=f"{word} invented") for word in ("Bearer", "bearer")]
    refused = [await get(bot.metrics_port, "/metrics", Authorization=each) for each in wrong]
    assert (await get(bot.metrics_port, "/metrics"), read, refused) == (401, [200] * 2, [401] * len(wrong))


async def test_a_metrics_port_that_is_taken_ends_the_start_as_an_error_of_the_settings(run_bot: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = await run_bot(METRICS_PORT=str(port))
        code = await process.ended()
    said = f"METRICS_PORT: 127.0.0.1:{port} cannot be listened on (Address already in use). Set METRICS_HOST"
    assert (code, said in process.said) == (2, True)


async def test_a_metrics_port_that_is_the_port_for_slack_ends_the_start(run_bot: Any) -> None:
    process = await run_bot(PORT="3999", METRICS_PORT="3999")
    assert (await process.ended(), "METRICS_PORT is the same as PORT" in process.said) == (2, True)


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ({"METRICS_HOST": "0.0.0.0"}, True),
        ({"METRICS_HOST": "0.0.0.0", "METRICS_TOKEN": "invented"}, False),
        ({"METRICS_HOST": "127.0.0.1"}, False),
    ],
    ids=str,
)
async def test_metrics_that_other_machines_may_read_are_warned_of(
    run_bot: Any, more: dict[str, str], *, warned: bool
) -> None:
    process = await run_bot(**more)
    await process.started()
    events = [json.loads(line)["event"] for line in process.said.splitlines() if line.startswith("{")]
    assert ("metrics_without_token" in events) is warned


async def test_a_silent_action_changes_no_other_series_than_one_that_all_hear(house: Any) -> None:
    changed = []
    for number, (command, place) in enumerate((("/barge", "C0FLOOR"), ("/monitor", "U0ANA"), ("/barge", "C0FLOOR"))):
        before = await series(house)
        call = house.talk()
        await house.ana_types(f"{command} 0003*210")
        await house.puts(number + 1)
        await house.card("Ringing", place)
        house.floor.lift("0003*024")
        await house.card("Connected", place)
        house.floor.hang_up(call)
        await house.card("Ended", place)
        after = await series(house)
        changed.append({name for name in after if after[name] != before.get(name) and not _is_of_chance(name)})
    assert changed[1] == changed[2]


def _is_of_chance(name: str) -> bool:
    """Whether a series says how long something took, or what is under way in this very moment."""
    return "_bucket" in name or "_sum" in name or "age" in name or "queue" in name
