"""What the PBX refuses, with the code of the page; and that nothing is done then."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx

Ask = Callable[..., Awaitable[tuple[int, Any]]]

ERRORS = Path(__file__).parent.parent / "samples" / "uapi" / "errors"
PATH = "/uapi/phoneCalls/12/0003*210/444444"
CALLING = ["Monitor", "Whisper", "BargeIn", "PickUp"]


def body(action: str, **fields: object) -> dict[str, object]:
    target = {} if action.endswith("Recording") else {"sendCallTo": "0003*024"}
    return {"action": action, "phoneCallViewId": "01"} | target | fields


@pytest.fixture
def place(floor: Floor) -> Callable[[str], None]:
    """Let call 444444 be in the state that suits an action."""

    def place(action: str) -> None:
        enter = floor.ring if action == "PickUp" else floor.talk
        enter(caller="+15550100", to="0003*210", call_id="444444")

    return place


WRONG_FIELDS: list[tuple[str, object, str]] = [
    ("waitForPickup", wrong, "pc_timeout_invalid")
    for wrong in (0, "0", -1, "-1", "", "soon", "1e3", "nan", True, None, [20], " 20", "٢٠")
]
WRONG_FIELDS += [
    ("callerId", wrong, "pc_callerid_invalid")
    for wrong in ("", "John Doe", "<42420042>", "John Doe <>", "John Doe <4242", "John <x>", 42, None, "A\nB <42>")
]
WRONG_FIELDS += [
    ("sendCallTo", wrong, "pc_sendcallto_invalid")
    for wrong in ("", "024", "0003*999", "0003*500", "0004*100", "@self", None, ["0003*024"])
]


@pytest.mark.parametrize("action", CALLING)
async def test_a_wrong_field_is_refused_with_its_code(
    ask: Ask, floor: Floor, place: Callable[[str], None], action: str
) -> None:
    place(action)
    for field, wrong, code in WRONG_FIELDS:
        status, answer = await ask("PUT", PATH, body(action, **{field: wrong}))
        assert (field, wrong, status, answer["error"]["code"]) == (field, wrong, 400, code)
    assert floor.interventions() == []


async def test_private_is_0_or_1(ask: Ask, place: Callable[[str], None]) -> None:
    place("Whisper")
    for wrong in (2, "2", -1, True, None, "yes", 1.0, [1]):
        _, answer = await ask("PUT", PATH, body("Whisper", private=wrong))
        assert (wrong, answer["error"]["code"]) == (wrong, "pc_private_invalid")


async def test_a_recording_is_wav_or_wav49(ask: Ask, floor: Floor, place: Callable[[str], None]) -> None:
    place("StartRecording")
    for wrong in ("mp3", "WAV", "", 49, None, ["wav"]):
        _, answer = await ask("PUT", PATH, body("StartRecording", format=wrong))
        assert (wrong, answer["error"]["code"]) == (wrong, "pc_recformat_invalid")
    assert floor.calls()[0].views[0].recording is None


@pytest.mark.parametrize("action", [*CALLING, "StartRecording", "StopRecording"])
async def test_a_view_is_one_of_the_call_as_text(ask: Ask, place: Callable[[str], None], action: str) -> None:
    place(action)
    code = "pc_phoncallview_invalid" if action == "Monitor" else "pc_phonecallview_invalid"
    for wrong in ("02", "1", 1, "", None, ["01"]):
        _, answer = await ask("PUT", PATH, body(action, phoneCallViewId=wrong))
        assert (wrong, answer["error"]["code"]) == (wrong, code)


@pytest.mark.parametrize("action", CALLING)
async def test_a_field_that_is_required_must_be_there(ask: Ask, place: Callable[[str], None], action: str) -> None:
    place(action)
    _, answer = await ask("PUT", PATH, {"action": action, "phoneCallViewId": "01"})
    assert answer["error"]["code"] == "pc_sendcallto_invalid"


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("Monitor", "private"),
        ("BargeIn", "private"),
        ("PickUp", "format"),
        ("Whisper", "waitForPickUp"),
        ("StartRecording", "sendCallTo"),
        ("StartRecording", "recFormat"),
        ("StopRecording", "format"),
    ],
)
async def test_a_field_of_another_page_is_refused(
    ask: Ask, place: Callable[[str], None], action: str, field: str
) -> None:
    place(action)
    status, answer = await ask("PUT", PATH, body(action, **{field: 1}))
    assert (status, answer["error"]["code"]) == (400, "payload_invalid")


@pytest.mark.parametrize("action", ["Monitor", "Whisper", "BargeIn"])
async def test_a_ringing_view_suits_pickup_alone(ask: Ask, place: Callable[[str], None], action: str) -> None:
    place("PickUp")
    status, _ = await ask("PUT", PATH, body(action))
    assert status == 400


async def test_a_view_on_call_cannot_be_picked_up(ask: Ask, place: Callable[[str], None]) -> None:
    place("Monitor")
    _, answer = await ask("PUT", PATH, body("PickUp"))
    assert answer["error"]["code"] == "pc_phonecallview_invalid"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("Monitor", "pc_phoncall_invalid"),
        ("Whisper", "pc_honecall_invalid"),
        ("BargeIn", "pc_phonecall_invalid"),
        ("PickUp", "pc_phonecall_invalid"),
        ("StartRecording", "pc_phonecall_invalid"),
    ],
)
async def test_a_call_that_is_over_is_refused_in_the_spelling_of_the_page(ask: Ask, action: str, code: str) -> None:
    _, answer = await ask("PUT", PATH, body(action))
    assert answer == json.loads((ERRORS / f"{code}.json").read_text())["body"]


@pytest.mark.parametrize("action", ["Monitor", "Whisper"])
async def test_codes_can_be_spelt_correctly(ask: Ask, pbx: SandboxPbx, action: str) -> None:
    pbx.forms.spelling = "correct"
    _, answer = await ask("PUT", PATH, body(action))
    assert answer["error"]["code"] == "pc_phonecall_invalid"


@pytest.mark.parametrize("call_id", ["%2e%2e", "a%20b", "a%2Fb", "x" * 65])
async def test_an_id_that_is_none_is_refused(ask: Ask, call_id: str) -> None:
    status, answer = await ask("PUT", f"/uapi/phoneCalls/12/0003*210/{call_id}", body("BargeIn"))
    assert (status, answer["error"]["code"]) == (400, "pc_phonecall_invalid")


async def test_a_call_is_not_read_by_an_id_that_is_none(ask: Ask) -> None:
    status, answer = await ask("GET", "/uapi/phoneCalls/12/0003*210/a%20b")
    assert (status, answer["error"]["code"]) == (400, "pc_phonecall_invalid")


@pytest.mark.parametrize("action", ["OnHold", "Park", "Transfer", "monitor", "Hang up"])
async def test_an_action_that_is_not_here_is_not_implemented(
    ask: Ask, place: Callable[[str], None], action: str
) -> None:
    place("Monitor")
    status, answer = await ask("PUT", PATH, body(action))
    assert (status, answer["error"]["code"]) == (501, "request_not_implemented")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'"Monitor"',
        b"{}",
        b'{"action": 1}',
        b'{"action":"Monitor","action":"BargeIn"}',
        b'{"action": "Monitor", "waitForPickup": NaN}',
        b"\xff",
    ],
)
async def test_a_body_that_is_no_object_with_an_action_is_refused(
    ask: Ask, place: Callable[[str], None], raw: bytes
) -> None:
    place("Monitor")
    status, answer = await ask("PUT", PATH, raw)
    assert (status, answer["error"]["code"]) == (400, "payload_invalid")


async def test_a_body_must_be_called_json(ask: Ask, place: Callable[[str], None]) -> None:
    place("Monitor")
    status, _ = await ask("PUT", PATH, body("Monitor"), Content_Type="text/plain")
    assert status == 400


async def test_an_action_has_no_query(ask: Ask, place: Callable[[str], None]) -> None:
    place("Monitor")
    status, _ = await ask("PUT", f"{PATH}?force=1", body("Monitor"))
    assert status == 400


@pytest.mark.parametrize(
    ("user", "extension", "code"),
    [
        ("99", "0003*210", "user_invalid"),
        ("13", "0003*210", "user_invalid"),
        ("@you", "@self", "user_invalid"),
        ("12", "0003*999", "extension_invalid"),
        ("@me", "210", "extension_invalid"),
        ("@owner", "@self", "extension_invalid"),
    ],
)
async def test_an_address_that_is_wrong_is_refused(ask: Ask, user: str, extension: str, code: str) -> None:
    status, answer = await ask("GET", f"/uapi/phoneCalls/{user}/{extension}")
    assert (status, answer["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", PATH, 501),
        ("POST", "/uapi/phoneCalls/@me/simple", 501),
        ("GET", "/uapi/cdr/@me", 501),
        ("GET", "//uapi/phoneCalls/12/0003*210", 404),
        ("GET", "/", 404),
        ("GET", "/uapi/../uapi/phoneCalls/12/0003*210", 501),
    ],
)
async def test_what_is_not_there_is_refused(ask: Ask, method: str, path: str, status: int) -> None:
    answered, answer = await ask(method, path)
    assert (answered, answer["error"]["code"]) == (status, "request_not_implemented")


async def test_a_delete_hangs_nothing_up(ask: Ask, floor: Floor, place: Callable[[str], None]) -> None:
    place("Monitor")
    await ask("DELETE", PATH)
    assert len(floor.calls()) == 1
