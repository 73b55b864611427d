"""What goes wrong on request, and whether the PBX acted meanwhile."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx

Ask = Callable[..., Coroutine[Any, Any, tuple[int, Any]]]
Wire = Callable[..., Awaitable[bytes]]

PUT = "/uapi/phoneCalls/12/0003*210/444444"
MONITOR = json.dumps({"action": "Monitor", "sendCallTo": "0003*024", "phoneCallViewId": "01"}).encode()


@pytest.fixture(autouse=True)
def call(floor: Floor) -> str:
    return floor.talk(caller="+15550100", to="0003*210", call_id="444444")


@pytest.mark.parametrize(
    ("kind", "first_line", "acted"),
    [
        ("cut before", b"", False),
        ("cut after", b"", True),
        ("html 500", b"HTTP/1.1 500 Internal Server Error", False),
        ("html 502", b"HTTP/1.1 502 Bad Gateway", False),
        ("401", b"HTTP/1.1 401 Unauthorized", False),
        ("403", b"HTTP/1.1 403 Forbidden", False),
        ("redirect", b"HTTP/1.1 307 Temporary Redirect", False),
        ("204", b"HTTP/1.1 204 No Content", True),
        ("200", b"HTTP/1.1 200 OK", True),
        ("empty list", b"HTTP/1.1 200 OK", True),
        ("empty body", b"HTTP/1.1 200 OK", True),
        ("half json", b"HTTP/1.1 202 Accepted", True),
        ("slow", b"HTTP/1.1 202 Accepted", True),
    ],
)
async def test_a_fault_spoils_the_answer_and_acts_or_not(
    *, wire: Wire, floor: Floor, pbx: SandboxPbx, kind: Any, first_line: bytes, acted: bool
) -> None:
    pbx.faults.add(Fault(kind=kind, method="PUT", to="http://127.0.0.1:9/"))
    answer = await wire("PUT", PUT, MONITOR)
    assert (answer.split(b"\r\n")[0], floor.ringing("0003*024")) == (first_line, acted)


async def test_a_request_without_an_answer_has_no_status(wire: Wire, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="cut after"))
    await wire("PUT", PUT, MONITOR)
    assert [request.status for request in pbx.puts()] == [None]


async def test_a_clock_that_is_ahead_is_so_in_dates_and_in_the_date_of_the_answer(
    wire: Wire, floor: Floor, pbx: SandboxPbx
) -> None:
    pbx.forms.clock_ahead = 3600.0
    answer = await wire("GET", PUT)
    said = re.search(rb"\r\nDate: (.*?)\r\n", answer)
    published = re.search(rb'"published": "(.*?)"', answer)
    call = floor.call("444444")
    assert said
    assert published
    assert call
    dates = parsedate_to_datetime(said[1].decode()), datetime.fromisoformat(published[1].decode())
    assert [round((date - call.published) / timedelta(hours=1)) for date in dates] == [1, 1]


async def test_the_200_of_a_fault_carries_the_whole_call(wire: Wire, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="200"))
    assert b'"phoneCallView"' in await wire("PUT", PUT, MONITOR)


async def test_half_json_is_no_json(wire: Wire, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="half json"))
    _, _, body = (await wire("GET", PUT)).partition(b"\r\n\r\n")
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(body)


async def test_a_redirect_points_where_it_is_told(wire: Wire, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="redirect", to="http://127.0.0.1:9/trap"))
    assert b"\r\nLocation: http://127.0.0.1:9/trap\r\n" in await wire("GET", PUT)


async def test_an_empty_list_hides_the_calls(ask: Ask, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="empty list", method="GET"))
    _, envelope = await ask("GET", "/uapi/phoneCalls/@me/@self")
    assert envelope["entry"] == []


async def test_a_refusal_is_not_disguised_as_success(ask: Ask, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="204"))
    status, _ = await ask("GET", PUT, Authorization="Bearer wrong-token-1")
    assert status == 401


async def test_the_token_endpoint_refuses_in_its_own_words(ask: Ask, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="401", method="POST"))
    assert await ask("POST", "/oauth/token.php") == (401, {"error": "invalid_client"})


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        (Fault(kind="html 500"), [500, 200, 200]),
        (Fault(kind="html 500", times=2), [500, 500, 200]),
        (Fault(kind="html 500", times=None), [500, 500, 500]),
        (Fault(kind="html 500", method="PUT"), [200, 200, 200]),
        (Fault(kind="html 500", path_contains="/presence"), [200, 200, 200]),
        (Fault(kind="html 500", path_contains="444444"), [500, 200, 200]),
    ],
)
async def test_a_fault_happens_to_what_it_is_meant_for(
    wire: Wire, pbx: SandboxPbx, fault: Fault, statuses: list[int]
) -> None:
    pbx.faults.add(fault)
    answers = [await wire("GET", PUT) for _ in range(3)]
    assert [int(answer.split()[1]) for answer in answers] == statuses


async def test_faults_can_be_cleared(ask: Ask, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="empty list", times=None))
    pbx.faults.clear()
    _, call = await ask("GET", PUT)
    assert call["id"] == "444444"


def test_a_fault_that_does_not_exist_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="gremlins"):
        Fault(kind="gremlins")  # type: ignore[arg-type]  # that is the point


async def test_a_slow_answer_takes_its_seconds(ask: Ask, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault(kind="slow", seconds=0.05))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await ask("GET", PUT)
    assert loop.time() - began >= 0.05


async def test_a_slow_pbx_acts_although_nobody_waits_any_more(floor: Floor, pbx: SandboxPbx, ask: Ask) -> None:
    pbx.faults.add(Fault(kind="slow", seconds=0.05))
    asked = asyncio.create_task(ask("PUT", PUT, MONITOR))
    await pbx.until(pbx.puts)
    asked.cancel()
    await floor.until(lambda: floor.ringing("0003*024"))


async def test_a_stopped_pbx_refuses_connections(ask: Ask, pbx: SandboxPbx) -> None:
    await pbx.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask("GET", PUT)


async def test_a_stopped_pbx_starts_again_on_its_port(ask: Ask, pbx: SandboxPbx) -> None:
    await pbx.stop()
    await pbx.start(port=pbx.port)
    status, _ = await ask("GET", PUT)
    assert status == 200


async def test_a_pbx_stops_in_the_middle_of_an_answer(pbx: SandboxPbx, ask: Ask) -> None:
    pbx.faults.add(Fault(kind="slow", seconds=30, times=None))
    asked = asyncio.create_task(ask("GET", PUT))
    await pbx.until(lambda: pbx.requests)
    await asyncio.wait_for(pbx.stop(), 5)
    with pytest.raises(aiohttp.ClientError):
        await asked


async def test_a_running_pbx_is_not_started_twice(pbx: SandboxPbx) -> None:
    with pytest.raises(RuntimeError):
        await pbx.start()


async def test_a_port_in_use_is_an_error(floor: Floor, pbx: SandboxPbx) -> None:
    with pytest.raises(OSError, match=str(pbx.port)):
        await SandboxPbx(floor).start(port=pbx.port)


async def test_a_wait_for_a_request_that_never_comes_says_what_came(ask: Ask, pbx: SandboxPbx) -> None:
    await ask("GET", PUT)
    with pytest.raises(TimeoutError, match="444444"):
        await pbx.until(pbx.puts, timeout=0.01)
