"""A floor of 10,000 calls and hundreds of alerts keeps nobody waiting: others get their turn within a tenth of a second."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

CALLS, ALERTS, PATTERNS = 10_000, 250, 300
NOBODY_WAITS = 0.1
"""Seconds."""

pytestmark = pytest.mark.timeout(120)


def a_call(number: int, begun: datetime) -> bytes:
    """The n-th call: the first ones ring, the others are conversations."""
    extension, customer = f"0003*{300 + number % 700}", f"+1555{number:07}"
    ringing = number < ALERTS
    view = {
        "extension": extension,
        "status": "3" if ringing else "5",
        "flow": "8",
        "callerId": f"Ada Marin <{customer}>",
        "source": [customer],
        "destination": [extension],
        **({} if ringing else {"answered": begun.isoformat()}),
    }
    views = [view | {"id": view_id} for view_id in ("00", "01")]
    call = {"id": f"c{number:05}", "extension": extension, "published": begun.isoformat(), "phoneCallView": views}
    return json.dumps(call).encode()


class FullPbx:
    """Lists 10,000 calls, made once: what it takes to send them is little."""

    def __init__(self) -> None:
        begun = datetime.now(UTC) - timedelta(minutes=2)
        self.entries = [a_call(number, begun) for number in range(CALLS)]
        self.url = ""
        self.lists = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        count, start = (int(request.query.get(name, 0)) for name in ("count", "startIndex"))
        self.lists += start == 0
        shown = b", ".join(self.entries[start : start + count])
        body = b'{"entry": [' + shown + b'], "totalResults": %d}' % len(self.entries)
        return web.Response(body=body, content_type="application/json")


@pytest.fixture
async def full_pbx() -> AsyncIterator[FullPbx]:
    pbx = FullPbx()
    runner = web.ServerRunner(web.Server(pbx.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pbx.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield pbx
    await runner.cleanup()


def rules() -> str:
    """Alerts about those who ring, by 300 patterns of extensions and 300 of callers."""
    extensions = [f"0003*{number}" for number in range(300, 300 + PATTERNS)]
    callers = [f"+1555{number:05}XX" for number in range(PATTERNS)]
    return f"""
[[alerts]]
name = "Rings unanswered"
when = "ringing"
longer_than = 20
channel = "C0ALERTS"
extensions = {json.dumps(extensions)}
callers = {json.dumps(callers)}
"""


@pytest.mark.parametrize("typed", ["/calls", "/calls ada 0003*350"])
async def test_nobody_waits_for_a_list_of_10_000_calls(
    empty_house: Any, full_pbx: FullPbx, turns: Callable[[], Any], typed: str
) -> None:
    house = empty_house
    house.config = house.config.replace('extensions = ["0003*2XX"]', 'extensions = ["0003*XXX"]')
    await house.start_bot_of(full_pbx)
    async with turns() as measured:
        await house.ana_types(typed)
        await house.workspace.until(lambda: house.workspace.private("U0ANA"), 60.0)
    assert measured.longest < NOBODY_WAITS


async def test_nobody_waits_while_250_alerts_of_300_patterns_are_raised_and_looked_at_again(
    empty_house: Any, full_pbx: FullPbx, turns: Callable[[], Any]
) -> None:
    house = empty_house
    house.config += rules()
    await house.start_bot_of(full_pbx)
    async with turns() as measured:
        await house.workspace.until(
            lambda: any(f"{ALERTS} open" in card.text for card in house.cards("C0ALERTS")), 60.0
        )
        seen = full_pbx.lists
        await house.workspace.until(lambda: full_pbx.lists >= seen + 12, 60.0)
    assert measured.longest < NOBODY_WAITS


async def test_how_late_turns_of_the_event_loop_come_is_a_figure(house: Any) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"http://127.0.0.1:{house.bots[0].metrics_port}/metrics")
        assert "callbot_event_loop_lag_seconds_count" in await answer.text()
