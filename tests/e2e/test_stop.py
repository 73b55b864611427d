"""Start and stop: what `callbot run` refuses to start with, when it is ready, and how it ends."""

import asyncio
import shutil
import signal
import socket
from typing import Any

import aiohttp
import pytest

from bot.app.bot import Bot
from bot.app.connections import CannotListen
from bot.ledger.audit_log import AuditLog
from bot.sandbox.pbx.server import Fault
from bot.sandbox.workspace.faults import SlackFault

STOPPING = 10.0


async def get(bot: Any, path: str) -> int:
    """The status of one answer of the bot's own server."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{bot.port}{path}") as answer:
        return answer.status


# ── ready ──


@pytest.mark.parametrize("transport", ["http", "socket mode"])
async def test_it_is_alive_and_ready_once_it_has_started(house: Any) -> None:
    assert [await get(house.bots[0], path) for path in ("/healthz", "/readyz")] == [200, 200]


async def test_an_address_that_another_program_has_is_named_once(empty_house: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        empty_house.more_settings = {"PORT": str(port), "HOST": "127.0.0.1"}
        with pytest.raises(CannotListen) as refused:
            await Bot.start(empty_house.settings())
    assert str(refused.value) == (
        f"127.0.0.1:{port} cannot be listened on (Address already in use). Set HOST and PORT to a free one."
    )


async def test_it_is_not_ready_while_it_stops(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("slow", method="PUT", seconds=0.5))
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    bot = house.bots[0]
    stopping = asyncio.create_task(house.stop_bot())
    status = await get(bot, "/readyz")
    await stopping
    assert status == 503


# ── the end ──


async def test_a_request_that_has_arrived_is_answered_before_the_end(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("slow", method="GET", seconds=0.3, times=None))
    await house.ana_types("/calls")
    await house.stop_bot()
    assert [answer.lines()[0] for answer in house.workspace.private("U0ANA")] == ["1 live call"]


async def test_what_comes_while_it_stops_is_told_that_nothing_was_sent(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("slow", method="PUT", seconds=0.5))
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    stopping = asyncio.create_task(house.stop_bot())
    await house.workspace.type("U0LIS", "C0FLOOR", "/monitor 0003*210")
    await stopping
    answers = ["\n".join(answer.lines()) for answer in house.workspace.private("U0LIS")]
    assert (["Nothing was sent" in answer for answer in answers], house.actions()) == ([True], ["Monitor"])


async def test_a_click_while_it_stops_is_told_privately_that_nothing_was_sent(house: Any) -> None:
    """Slack shows nothing of what the acknowledgement of a click says."""
    house.talk()
    await house.workspace.type("U0LIS", "C0FLOOR", "/calls")
    listed = await house.told("U0LIS", "1 live call")
    house.pbx.faults.add(Fault("slow", method="PUT", seconds=0.5))
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    stopping = asyncio.create_task(house.stop_bot())
    await house.workspace.click("U0LIS", listed, "Monitor")
    await stopping
    await house.told("U0LIS", "callbot is being restarted. Nothing was sent.")
    assert house.actions() == ["Monitor"]


async def test_it_ends_within_10_s_whatever_hangs(house: Any) -> None:
    """A PBX that does not answer, and a client that has sent half a request and waits."""
    house.talk()
    await house.ana_types("/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.pbx.faults.add(Fault("slow", seconds=60, times=None))
    await house.ana_types("/calls")
    _, writer = await asyncio.open_connection("127.0.0.1", house.bots[0].port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    try:
        async with asyncio.timeout(STOPPING):
            await house.stop_bot()
    finally:
        writer.close()


async def test_sigterm_while_it_still_waits_for_slack_ends_it_at_once(empty_house: Any, run_bot: Any) -> None:
    house = empty_house
    house.workspace.faults.add(SlackFault(method="auth.test", kind="429", retry_after=60, times=None))
    waiting = await run_bot()
    await house.workspace.until(lambda: house.workspace.calls, timeout=20)
    waiting.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STOPPING):
        assert await waiting.ended() == 0


async def test_after_the_end_a_copy_of_the_ledgers_file_alone_has_the_audit(house: Any) -> None:
    house.talk()
    await house.ana_types("/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    await house.stop_bot()
    copied = shutil.copy(house.folder / "callbot.db", house.folder / "copied.db")
    audit_log = await AuditLog.open(f"sqlite:///{copied}")
    said = [(entry.said, entry.outcome) async for piece in audit_log.pieces() for entry in piece]
    await audit_log.close()
    assert said == [("/barge 0003*210", "sent")]


# ── what it does not start with ──


async def test_a_start_that_cannot_be_says_every_reason_at_once_and_exits(house: Any, run_bot: Any) -> None:
    """One after the other, which leaves a core to other tests. None shows a traceback (`run_bot`)."""
    folder, good = house.folder, house.config
    broken = good.replace('"0003*024"', '"0003024"').replace('["agent"]', '["agnet"]').replace("2XX", "2*")
    (folder / "broken.toml").write_text(broken)
    (folder / "torn.toml").write_text("\n\n[users.U0ANA\n")
    wrong_settings = {
        "SLACK_BOT_TOKEN": "",
        "UAPI_URL": "http://pbx.example.com",
        "UAPI_CLIENT_SECRET": "",
        "PORT": "x",
    }
    cases: list[tuple[dict[str, str], int, list[str]]] = [
        ({}, 1, ["Another `callbot run` is using the ledger already"]),
        (wrong_settings, 2, list(wrong_settings)),
        ({"CALLBOT_CONFIG": "broken.toml"}, 2, ["U0ANA", "0003024", "agnet", "0003*2*"]),
        ({"CALLBOT_CONFIG": "torn.toml"}, 2, ["torn.toml", "line 3"]),
        ({"CALLBOT_CONFIG": "nowhere.toml"}, 2, ["nowhere.toml"]),
    ]
    for settings, code, words in cases:
        refused = await run_bot(**settings)
        assert await refused.ended() == code, refused.said
        assert [word for word in words if word not in refused.said] == [], refused.said
