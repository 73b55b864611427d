"""The six actions as the sandbox PBX reads them: every field of the body is checked against its action's page."""

import json
import re
from typing import cast, get_args

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Extension, Intervention, RingingAction, Status, View
from bot.sandbox.pbx.requests import Refusal, Request

# The "Request Payload" tables of the pages, action itself left out.
_CALLING = frozenset({"sendCallTo", "callerId", "waitForPickup", "phoneCallViewId"})
FIELDS: dict[str, frozenset[str]] = {
    "Monitor": _CALLING,
    "Whisper": _CALLING | {"private"},
    "BargeIn": _CALLING,
    "PickUp": _CALLING,
    "StartRecording": frozenset({"format", "phoneCallViewId"}),
    "StopRecording": frozenset({"phoneCallViewId"}),
}
RINGING_ACTIONS = frozenset(get_args(RingingAction))
CALLER_ID = re.compile(r"[^\W_][\w .'-]* <[0-9+*]+>")
SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
DEFAULT_WAIT = 25.0

Fields = dict[str, object]


def _no_key_twice(pairs: list[tuple[str, object]]) -> Fields:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def read_fields(request: Request) -> Fields:
    """Return the body's fields, its `action` known and every other one documented for it.

    Raises Refusal: payload_invalid for what is no such object, request_not_implemented for another action.
    """
    if request.media_type != "application/json":
        raise Refusal("payload_invalid", "Content-Type must be application/json")
    if request.query_pairs:
        raise Refusal("query_invalid", "an action has no query")
    try:
        fields = json.loads(request.body, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except ValueError as error:
        raise Refusal("payload_invalid", f"no JSON: {error}") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("action"), str):
        raise Refusal("payload_invalid", "no object with an action")
    action = cast("str", fields["action"])
    if action not in FIELDS:
        raise Refusal("request_not_implemented", "no such action")
    unknown = fields.keys() - FIELDS[action] - {"action"}
    if unknown:
        raise Refusal("payload_invalid", f"{action} has no field {', '.join(sorted(unknown))}", action=action)
    return fields


def view_of(fields: Fields, call: Call) -> View:
    """Return the view that the fields name, in a state that suits the action; Refusal with the view's code if not."""
    action, view_id = str(fields["action"]), fields.get("phoneCallViewId")
    view = call.view(view_id) if isinstance(view_id, str) else None
    if view is None:
        raise Refusal("pc_phonecallview_invalid", action=action)
    if action == "PickUp" and view.status is not Status.RINGING:
        raise Refusal("pc_phonecallview_invalid", "the view does not ring", action=action)
    if action in RINGING_ACTIONS - {"PickUp"} and view.status is not Status.ON_CALL:
        raise Refusal("pc_phonecallview_invalid", "the view is not on call", action=action)
    return view


def _phone(fields: Fields, call: Call, floor: Floor) -> Extension:
    number = fields.get("sendCallTo")
    phone = next((known for known in floor.extensions() if known.number == number), None)
    if phone is None or phone.kind != "phone terminal":
        raise Refusal("pc_sendcallto_invalid", action=str(fields["action"]))
    if phone.organisation != call.organisation:
        raise Refusal("pc_sendcallto_invalid", "of another organisation", action=str(fields["action"]))
    return phone


def _caller_id(fields: Fields, phone: Extension) -> str:
    caller_id = fields.get("callerId", f"{phone.name} <{phone.number}>")
    if not isinstance(caller_id, str) or ("callerId" in fields and not CALLER_ID.fullmatch(caller_id)):
        raise Refusal("pc_callerid_invalid", action=str(fields["action"]))
    return caller_id


def _wait(fields: Fields) -> float:
    wait = fields.get("waitForPickup", DEFAULT_WAIT)
    numeric = isinstance(wait, str | int | float) and SECONDS.fullmatch(str(wait))
    if not numeric or float(cast("str", wait)) <= 0:
        raise Refusal("pc_timeout_invalid", action=str(fields["action"]))
    return float(cast("str", wait))


def _private(fields: Fields) -> bool:
    private = fields.get("private", 0)
    if isinstance(private, bool | float) or private not in (0, 1, "0", "1"):
        raise Refusal("pc_private_invalid", action=str(fields["action"]))
    return str(private) == "1"


def intervention_of(fields: Fields, call: Call, floor: Floor) -> Intervention:
    """Return what the fields of Monitor, Whisper, BargeIn or PickUp ask for, or raise Refusal with the page's code."""
    view = view_of(fields, call)
    phone = _phone(fields, call, floor)
    return Intervention(
        action=cast("RingingAction", fields["action"]),
        call_id=call.id,
        view_id=view.id,
        phone=phone.number,
        caller_id=_caller_id(fields, phone),
        wait=_wait(fields),
        private=_private(fields),
    )


def check_format(fields: Fields) -> None:
    """Raise Refusal unless the recording format is one of the StartRecording PhoneCalls page."""
    if fields.get("format", "wav") not in ("wav", "wav49"):
        raise Refusal("pc_recformat_invalid", action=str(fields["action"]))
