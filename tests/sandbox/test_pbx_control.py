"""The control interface: the floor's verbs over HTTP, for this machine alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx

Ask = Callable[..., Awaitable[tuple[int, Any]]]

RING = {"caller": "+15550100", "to": "0003*210", "call_id": "444444"}
MONITOR = {"action": "Monitor", "sendCallTo": "0003*024", "phoneCallViewId": "01"}
PUT = "/uapi/phoneCalls/12/0003*210/444444"


async def test_an_extension_can_be_added(ask: Ask, floor: Floor) -> None:
    await ask("POST", "/control/extensions", {"number": "0003*299", "user": "9", "name": "Ema Rus", "kind": "queue"})
    assert (floor.extension("0003*299").name, floor.extension("0003*299").kind) == ("Ema Rus", "queue")


async def test_a_call_can_ring(ask: Ask, floor: Floor) -> None:
    _, answer = await ask("POST", "/control/ring", RING)
    assert (answer, floor.calls()[0].views[0].status) == ({"result": "444444"}, 3)


async def test_a_call_is_shown(ask: Ask) -> None:
    await ask("POST", "/control/talk", RING)
    _, answer = await ask("GET", "/control/calls")
    (call,) = answer["calls"]
    assert (call["id"], call["views"][0]["status"], call["published"][-6:]) == ("444444", 5, "+00:00")


@pytest.mark.parametrize(
    ("verb", "mark"),
    [("answer", "answered"), ("hold", "on_hold"), ("park", "parked")],
)
async def test_a_verb_marks_the_call(ask: Ask, verb: str, mark: str) -> None:
    await ask("POST", "/control/ring", RING)
    await ask("POST", f"/control/{verb}", {"call_id": "444444"})
    _, answer = await ask("GET", "/control/calls")
    assert answer["calls"][0]["views"][0][mark] is not None


@pytest.mark.parametrize(("verb", "undone", "mark"), [("hold", "unhold", "on_hold"), ("park", "unpark", "parked")])
async def test_a_verb_can_be_undone(ask: Ask, verb: str, undone: str, mark: str) -> None:
    await ask("POST", "/control/talk", RING)
    await ask("POST", f"/control/{verb}", {"call_id": "444444"})
    await ask("POST", f"/control/{undone}", {"call_id": "444444"})
    _, answer = await ask("GET", "/control/calls")
    assert answer["calls"][0]["views"][0][mark] is None


async def test_a_call_can_be_hung_up(ask: Ask, floor: Floor) -> None:
    await ask("POST", "/control/ring", RING)
    await ask("POST", "/control/hang-up", {"call_id": "444444"})
    assert floor.calls() == []


async def test_a_supervisor_lifts_and_leaves(ask: Ask, floor: Floor) -> None:
    await ask("POST", "/control/talk", RING)
    await ask("PUT", PUT, MONITOR)
    lifted = await ask("POST", "/control/lift", {"number": "0003*024"})
    left = await ask("POST", "/control/leave", {"call_id": "444444", "number": "0003*024"})
    assert (lifted[1], left[1], len(floor.calls()[0].views)) == ({"result": True}, {"result": True}, 1)


async def test_a_ringing_phone_is_shown(ask: Ask) -> None:
    await ask("POST", "/control/talk", RING)
    await ask("PUT", PUT, MONITOR)
    _, answer = await ask("GET", "/control/extensions")
    assert [phone["number"] for phone in answer["extensions"] if phone["ringing"]] == ["0003*024"]


async def test_a_fault_can_be_ordered(ask: Ask) -> None:
    await ask("POST", "/control/faults", {"kind": "401", "method": "GET"})
    status, _ = await ask("GET", PUT)
    assert status == 401


async def test_forms_can_be_set(ask: Ask, pbx: SandboxPbx) -> None:
    await ask("POST", "/control/forms", {"gone": "204"})
    _, answer = await ask("GET", "/control/forms")
    assert (pbx.forms.gone, answer["forms"]["gone"]) == ("204", "204")


async def test_requests_are_shown_without_what_authenticates(ask: Ask, pbx: SandboxPbx) -> None:
    body = b"client_id=sandbox-app&client_secret=sandbox-secret&grant_type=client_credentials"
    await ask("POST", "/oauth/token.php", body, Content_Type="application/x-www-form-urlencoded")
    await ask("PUT", PUT, MONITOR)
    _, answer = await ask("GET", "/control/requests")
    text = str(answer)
    assert ("fixed-token" in text, "sandbox-secret" in text, answer["requests"][1]["json"]) == (False, False, MONITOR)


async def test_the_controls_own_requests_are_not_kept(ask: Ask, pbx: SandboxPbx) -> None:
    await ask("GET", "/control/calls")
    assert pbx.requests == []


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("hold", {"call_id": "gone"}, 404),
        ("ring", {"caller": "+15550100", "to": "0003*999"}, 404),
        ("ring", {"caller": "+15550100"}, 400),
        ("ring", [], 400),
        ("ring", b"{", 400),
        ("faults", {"kind": "gremlins"}, 400),
        ("forms", {"single": "tuple"}, 400),
        ("forms", {"shape": "round"}, 400),
        ("explode", {}, 404),
    ],
)
async def test_an_error_is_told(ask: Ask, verb: str, body: object, status: int) -> None:
    answered, answer = await ask("POST", f"/control/{verb}", body)
    assert (answered, "problem" in answer) == (status, True)


async def test_what_is_not_there_cannot_be_shown(ask: Ask) -> None:
    status, _ = await ask("GET", "/control/secrets")
    assert status == 404


@pytest.mark.parametrize("host", ["pbx.example.com", "127.0.0.1.example.com:80", "[::1"])
async def test_another_host_name_is_refused(ask: Ask, floor: Floor, host: str) -> None:
    status, _ = await ask("POST", "/control/ring", RING, Host=host)
    assert (status, floor.calls()) == (403, [])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080"])
async def test_a_loopback_name_is_let_in(ask: Ask, host: str) -> None:
    status, _ = await ask("GET", "/control/calls", Host=host)
    assert status == 200


async def test_a_form_of_a_web_page_is_refused(ask: Ask, floor: Floor) -> None:
    status, _ = await ask("POST", "/control/ring", RING, Content_Type="text/plain")
    assert (status, floor.calls()) == (400, [])


@pytest.fixture
async def uncontrolled(floor: Floor) -> AsyncIterator[SandboxPbx]:
    pbx = SandboxPbx(floor)
    await pbx.start()
    yield pbx
    await pbx.stop()


async def test_a_pbx_without_control_has_none(uncontrolled: SandboxPbx) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{uncontrolled.url}/control/calls") as answer:
        assert answer.status == 404
