"""Ready: this process can take a request and answer the person. And what it does where it cannot."""

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.faults import SlackFault

SOCKETS = pytest.mark.parametrize("transport", ["socket mode"])


async def ready(house: Any) -> int:
    """The status of `/readyz`."""
    url = f"http://127.0.0.1:{house.bots[-1].port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


async def health(house: Any) -> dict[str, float]:
    """What the metrics say of what works now."""
    url = f"http://127.0.0.1:{house.bots[-1].metrics_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        found = re.findall(
            r"^callbot_(ready|\w+_up|sockets_open|\w+_accepted) (\S+)$", await answer.text(), re.MULTILINE
        )
    return {name: float(value) for name, value in found}


# ── what works ──


@pytest.mark.parametrize("transport", ["http", "socket mode"])
async def test_what_works_is_a_metric_for_each(house: Any, transport: str) -> None:
    sockets = 0 if transport == "http" else 2
    await house.workspace.until(lambda: house.workspace.sockets == sockets)
    await house.pbx.until(lambda: any(seen.status == 200 and seen.method == "GET" for seen in house.pbx.requests))
    await house.ana_types("/calls")
    await house.told("U0ANA", "No live calls")
    expected = {"ready": 1, "sockets_open": sockets, "bot_token_accepted": 1, "pbx_up": 1, "ledger_up": 1}
    assert await health(house) == expected


async def test_a_pbx_that_is_away_is_a_metric_and_leaves_callbot_ready(empty_house: Any) -> None:
    await empty_house.pbx.stop()
    await empty_house.start_bot()
    assert (await ready(empty_house), (await health(empty_house))["pbx_up"]) == (200, 0)


async def test_a_pbx_that_comes_back_is_seen_where_nobody_asks_it_anything(empty_house: Any) -> None:
    await empty_house.pbx.stop()
    await empty_house.start_bot()
    await empty_house.pbx.start(port=empty_house.pbx.port)
    await seen(empty_house, pbx_up=1)


# ── Slack cannot be heard ──


@SOCKETS
async def test_without_a_connection_it_is_not_ready_and_with_one_again_it_is(house: Any) -> None:
    house.workspace.link_disabled()
    await house.workspace.cut_sockets()
    await seen(house, ready=0, sockets_open=0)
    deaf = await ready(house)
    house.workspace.link_enabled()
    await seen(house, ready=1)
    house.workspace.refusals.clear()  # an address is asked for while there is none, and that is right
    assert (deaf, await ready(house)) == (503, 200)


async def seen(house: Any, **states: float) -> None:
    """Wait until the metrics say so."""
    for _ in range(500):
        if states.items() <= (await health(house)).items():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never {states}")


# ── the ledger takes no rows ──


async def test_with_a_ledger_that_takes_no_rows_it_is_not_ready_until_it_takes_them_again(house: Any) -> None:
    with closing(sqlite3.connect(house.folder / "callbot.db", isolation_level=None)) as other:
        other.execute("ALTER TABLE requests RENAME TO elsewhere")
        await house.ana_types("/calls")
        await seen(house, ledger_up=0, ready=0)
        away = await ready(house)
        other.execute("ALTER TABLE elsewhere RENAME TO requests")
    await seen(house, ledger_up=1, ready=1)
    assert (away, await ready(house)) == (503, 200)


# ── the bot token is revoked ──


async def tested(house: Any) -> None:
    """Wait until the questions of the start are answered; the next one comes by itself after 10 s."""
    await house.workspace.until(lambda: sum(call.method == "auth.test" for call in house.workspace.calls) == 2)


@pytest.mark.parametrize(
    ("error", "transport"),
    [("token_revoked", "http"), ("invalid_auth", "socket mode"), ("account_inactive", "http")],
)
async def test_with_a_revoked_token_a_command_rings_no_phone_and_says_what_to_do(house: Any, error: str) -> None:
    house.talk()
    await tested(house)
    house.workspace.revoke_bot_token(error)
    await house.ana_types("/monitor 0003*210")
    await house.told("U0ANA", "Slack no longer accepts callbot's bot token")
    assert house.pbx.puts() == []


async def test_with_a_revoked_token_it_is_not_ready(house: Any) -> None:
    house.talk()
    house.workspace.revoke_bot_token()
    await house.ana_types("/monitor 0003*210")
    await house.told("U0ANA", "Nothing was sent")
    assert (await ready(house), (await health(house))["bot_token_accepted"]) == (503, 0)


async def test_with_a_revoked_token_the_live_calls_are_still_listed(house: Any) -> None:
    house.talk()
    house.workspace.revoke_bot_token()
    await house.ana_types("/calls")
    await house.told("U0ANA", "Bob Ionescu")


async def test_a_refusal_for_a_revoked_token_is_in_the_audit(house: Any) -> None:
    house.talk()
    house.workspace.revoke_bot_token()
    await house.ana_types("/monitor 0003*210")
    await house.told("U0ANA", "Nothing was sent")
    [entry] = await house.audit_log()
    assert (entry.outcome, entry.rule) == ("refused", "bot token revoked")


async def test_when_slack_takes_the_token_again_the_next_command_goes_out(house: Any) -> None:
    house.talk()
    house.workspace.revoke_bot_token()
    await house.ana_types("/monitor 0003*210")
    await house.told("U0ANA", "Nothing was sent")
    house.workspace.restore_bot_token()
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    assert await ready(house) == 200


@pytest.mark.parametrize("kind", ["429", "500", "garbage", "lost", "error"])
async def test_a_slack_that_fails_otherwise_holds_no_intervention_up(house: Any, kind: Any) -> None:
    house.talk()
    house.workspace.faults.add(SlackFault(method="auth.test", kind=kind, times=None))
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")


async def test_a_slack_that_is_slow_to_say_whether_it_takes_the_token_holds_no_intervention_up(house: Any) -> None:
    house.talk()
    house.workspace.faults.add(SlackFault(method="auth.test", kind="slow", seconds=4.0, times=None))
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing", timeout=2.0)
