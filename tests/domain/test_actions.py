"""What is sent has the fields of its page and no others; and which action suits a view as it is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.domain.actions import ActionName, PhoneCallAction, fitting_actions, suits
from bot.domain.calls import PhoneCallView, Status

MakeView = Callable[..., PhoneCallView]
ACTION: TypeAdapter[PhoneCallAction] = TypeAdapter(PhoneCallAction)
RECORDED = {"recording": "2026-11-21T11:59:30Z"}
RING = {"phoneCallViewId": "01", "sendCallTo": "0003*024"}
GIVEN = {"waitForPickup": 20, "callerId": "John Doe <+15550100>"}
WIRE_GIVEN = {"waitForPickup": "20", "callerId": "John Doe <+15550100>"}
BODIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"action": name, **RING}, {"action": name, **RING}) for name in ("Monitor", "Whisper", "BargeIn", "PickUp")
]
BODIES += [({**asked, **GIVEN}, {**sent, **WIRE_GIVEN}) for asked, sent in BODIES]
BODIES += [({"action": "Whisper", "private": n, **RING},) * 2 for n in (0, 1)]
BODIES += [({"action": name, "phoneCallViewId": "00"},) * 2 for name in ("StartRecording", "StopRecording")]
BODIES += [({"action": "StartRecording", "phoneCallViewId": "00", "format": f},) * 2 for f in ("wav", "wav49")]


@pytest.mark.parametrize(("asked", "sent"), BODIES, ids=str)
def test_the_body_holds_the_fields_that_were_given_and_no_others(asked: dict[str, Any], sent: dict[str, Any]) -> None:
    assert json.dumps(ACTION.validate_python(asked).wire(), sort_keys=True) == json.dumps(sent, sort_keys=True)


@pytest.mark.parametrize("asked", [asked for asked, _ in BODIES], ids=str)
def test_an_action_that_was_written_down_reads_back_the_same(asked: dict[str, Any]) -> None:
    action = ACTION.validate_python(asked)
    assert ACTION.validate_json(ACTION.dump_json(action)) == action


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "Monitor", **RING, "private": 1},
        {"action": "Monitor", **RING, "format": "wav"},
        {"action": "BargeIn", **RING, "private": 0},
        {"action": "PickUp", **RING, "private": 0},
        {"action": "StopRecording", "phoneCallViewId": "00", "format": "wav"},
        {"action": "StartRecording", **RING},
        {"action": "StartRecording", "phoneCallViewId": "00", "format": "mp3"},
        {"action": "Whisper", **RING, "private": 2},
        {"action": "Monitor", **RING, "waitForPickup": 0},
        {"action": "Monitor", **RING, "waitForPickup": 301},
        {"action": "Monitor", **RING, "callerId": "John"},
        {"action": "Monitor", "phoneCallViewId": "01"},
        {"action": "Monitor", "sendCallTo": "0003*024"},
        {"action": "Monitor", "phoneCallViewId": "01", "sendCallTo": "@self"},
        {"action": "Monitor", "phoneCallViewId": "01", "sendCallTo": "+15550100"},
        {"action": "Monitor", "phoneCallViewId": "..", "sendCallTo": "0003*024"},
        {"action": "Monitor", "phoneCallViewId": "a/b", "sendCallTo": "0003*024"},
        {"action": "Transfer", **RING},
    ],
    ids=str,
)
def test_a_body_that_no_page_allows_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ACTION.validate_python(wrong)


# ── what suits ──

FITS = [
    (Status.RINGING, {ActionName.PICK_UP}),
    (Status.ON_CALL, set(ActionName) - {ActionName.PICK_UP}),
    (Status.UNKNOWN, set()),
    (Status.OFF_HOOK, set()),
    (Status.TRYING, set()),
    (Status.OTHER_SIDE_RINGING, set()),
]


@pytest.mark.parametrize(("status", "fitting"), FITS, ids=lambda value: value.name if isinstance(value, Status) else "")
def test_a_ringing_call_suits_pick_up_and_a_conversation_the_others(
    a_view: MakeView, status: Status, fitting: set[ActionName]
) -> None:
    assert {action for action in ActionName if suits(action, a_view(status=int(status)))} == fitting


def test_a_call_on_hold_suits_like_any_conversation(a_view: MakeView) -> None:
    assert suits(ActionName.WHISPER, a_view(onHold="2026-11-21T11:59:30Z"))


def test_a_call_that_is_not_recorded_cannot_be_stopped_to_be(a_view: MakeView) -> None:
    assert ActionName.STOP_RECORDING not in fitting_actions(a_view())


def test_a_call_that_is_recorded_cannot_be_recorded(a_view: MakeView) -> None:
    assert fitting_actions(a_view(**RECORDED)) == (
        ActionName.MONITOR,
        ActionName.WHISPER,
        ActionName.BARGE_IN,
        ActionName.STOP_RECORDING,
    )
