"""The six actions over HTTP: what is answered, and what the PBX does."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx

Ask = Callable[..., Awaitable[tuple[int, Any]]]

MONITOR = {"action": "Monitor", "sendCallTo": "0003*024", "phoneCallViewId": "01"}
RECORD = {"action": "StartRecording", "phoneCallViewId": "01"}
PATH = "/uapi/phoneCalls/12/0003*210"


@pytest.fixture
def talk(floor: Floor) -> str:
    return floor.talk(caller="+15550100", to="0003*210", caller_name="Carla Caller")


@pytest.mark.parametrize("action", ["Monitor", "Whisper", "BargeIn"])
async def test_an_accepted_intervention_rings_the_supervisor(ask: Ask, floor: Floor, talk: str, action: str) -> None:
    status, _ = await ask("PUT", f"{PATH}/{talk}", MONITOR | {"action": action})
    assert (status, floor.ringing("0003*024")) == (202, True)


async def test_an_accepted_intervention_is_answered_with_three_keys(ask: Ask, talk: str) -> None:
    _, receipt = await ask("PUT", f"/uapi/phoneCalls/@me/0003*210/{talk}", MONITOR)
    link = f"https://x.x.x.x//uapi/phoneCalls/12/0003*210/{talk}"
    assert receipt == {"id": talk, "extension": "0003*210", "link": {"self": link}}


@pytest.mark.parametrize(
    ("action", "asked", "shown"),
    [
        ("Monitor", {"callerId": "John Doe <42420042>"}, "Monitor <3334444>"),
        ("BargeIn", {"callerId": "John Doe <42420042>"}, "Barge In <3334444>"),
        ("Whisper", {"callerId": "Whisper To Me <42420042>"}, "Whisper To Me <42420042>"),
        ("Whisper", {}, "Ana Pop <0003*024>"),
    ],
)
async def test_a_leg_shows_the_caller_id_of_its_page(
    *, ask: Ask, floor: Floor, talk: str, action: str, asked: dict[str, str], shown: str
) -> None:
    await ask("PUT", f"{PATH}/{talk}", MONITOR | asked | {"action": action})
    floor.lift("0003*024")
    _, call = await ask("GET", f"{PATH}/{talk}")
    assert call["phoneCallView"][1]["callerId"] == shown


async def test_a_wait_without_a_number_is_25_seconds(ask: Ask, floor: Floor, talk: str) -> None:
    await ask("PUT", f"{PATH}/{talk}", MONITOR)
    assert floor.interventions()[0].wait == 25


@pytest.mark.parametrize(("sent", "seconds"), [("20", 20.0), (20, 20.0), ("0.5", 0.5), (0.5, 0.5)], ids=repr)
async def test_a_wait_is_a_number_or_its_text(ask: Ask, floor: Floor, talk: str, sent: object, seconds: float) -> None:
    await ask("PUT", f"{PATH}/{talk}", MONITOR | {"waitForPickup": sent})
    assert floor.interventions()[0].wait == seconds


@pytest.mark.parametrize(("sent", "private"), [(0, False), ("0", False), (1, True), ("1", True)], ids=repr)
async def test_private_is_a_number_or_its_text(ask: Ask, floor: Floor, talk: str, sent: object, private: bool) -> None:
    await ask("PUT", f"{PATH}/{talk}", MONITOR | {"action": "Whisper", "private": sent})
    assert floor.interventions()[0].private is private


async def test_a_phone_rung_by_an_intervention_is_present_as_ringing(ask: Ask, talk: str) -> None:
    await ask("PUT", f"{PATH}/{talk}", MONITOR)
    _, envelope = await ask("GET", "/uapi/extensions/@me/0003*024/presence")
    assert envelope["entry"][0]["status"] == "2"


async def test_a_busy_phone_is_accepted_and_does_not_ring(ask: Ask, floor: Floor, talk: str) -> None:
    floor.talk(caller="+15550101", to="0003*024")
    status, _ = await ask("PUT", f"{PATH}/{talk}", MONITOR)
    assert (status, floor.ringing("0003*024")) == (202, False)


async def test_pickup_of_a_ringing_call_moves_it(ask: Ask, floor: Floor) -> None:
    call_id = floor.ring(caller="+15550100", to="0003*210")
    await ask("PUT", f"{PATH}/{call_id}", MONITOR | {"action": "PickUp"})
    floor.lift("0003*024")
    _, call = await ask("GET", f"{PATH}/{call_id}")
    assert [(view["id"], view["source"]) for view in call["phoneCallView"]] == [("01", ["0003*024"])]


async def test_an_action_reaches_a_call_of_an_unknown_extension_by_self(ask: Ask, floor: Floor, talk: str) -> None:
    await ask("PUT", f"/uapi/phoneCalls/@me/@self/{talk}", MONITOR)
    assert floor.ringing("0003*024")


async def test_recording_is_answered_with_the_whole_call_and_its_link(ask: Ask, talk: str) -> None:
    status, call = await ask("PUT", f"{PATH}/{talk}", RECORD | {"format": "wav49"})
    assert (status, "recording" in call["phoneCallView"][0], "self" in call["link"]) == (200, True, True)


async def test_a_stopped_recording_leaves_no_key(ask: Ask, talk: str) -> None:
    await ask("PUT", f"{PATH}/{talk}", RECORD)
    status, call = await ask("PUT", f"{PATH}/{talk}", RECORD | {"action": "StopRecording"})
    assert (status, "recording" in call["phoneCallView"][0]) == (200, False)


async def test_a_phone_that_may_not_be_recorded_is_answered_as_if(ask: Ask, floor: Floor, talk: str) -> None:
    floor.extension("0003*210").recordable = False
    status, call = await ask("PUT", f"{PATH}/{talk}", RECORD)
    assert (status, "recording" in call["phoneCallView"][0]) == (200, False)


async def test_a_put_without_an_id_is_refused_and_seen(ask: Ask, pbx: SandboxPbx, talk: str) -> None:
    status, refusal = await ask("PUT", PATH, RECORD)
    assert (status, refusal["error"]["code"], len(pbx.puts())) == (400, "pc_phonecall_invalid", 1)


async def test_a_put_without_an_id_does_nothing(ask: Ask, floor: Floor, talk: str) -> None:
    await ask("PUT", f"{PATH}/", RECORD)
    assert floor.calls()[0].views[0].recording is None


@pytest.mark.parametrize(("form", "keys"), [(202, {"id", "extension", "link"}), (204, None)])
async def test_an_action_is_answered_in_the_form_that_is_set(
    ask: Ask, pbx: SandboxPbx, talk: str, form: Any, keys: set[str] | None
) -> None:
    pbx.forms.action = form
    status, answer = await ask("PUT", f"{PATH}/{talk}", RECORD)
    assert (status, answer and set(answer)) == (form, keys)


async def test_an_intervention_may_be_answered_with_the_whole_call(ask: Ask, pbx: SandboxPbx, talk: str) -> None:
    pbx.forms.action = 200
    _, call = await ask("PUT", f"{PATH}/{talk}", MONITOR)
    assert call["phoneCallView"][0]["id"] == "01"


async def test_every_request_is_kept_with_what_was_sent(ask: Ask, pbx: SandboxPbx, talk: str) -> None:
    await ask("PUT", f"{PATH}/{talk}", MONITOR)
    (put,) = pbx.puts()
    assert (put.path, put.json, put.status, put.headers["authorization"]) == (
        f"{PATH}/{talk}",
        MONITOR,
        202,
        "Bearer fixed-token-of-tests",
    )
