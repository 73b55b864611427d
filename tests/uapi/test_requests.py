"""Requests as tables: each row is a form that a documented page or a client shows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.domain.actions import BargeIn, Monitor, PhoneCallAction, StartRecording, Whisper
from bot.uapi import exchange

SAMPLES = Path(__file__).parent.parent / "samples" / "uapi"
PAGES = ("monitor", "whisper", "bargein", "pickup", "startrecording")
ACTION: TypeAdapter[PhoneCallAction] = TypeAdapter(PhoneCallAction)
OURS = "b817d2618fe6f1804333"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


@pytest.mark.parametrize(
    ("user", "extension", "call_id", "path"),
    [
        ("@me", "0003*210", OURS, f"/uapi/phoneCalls/@me/0003*210/{OURS}"),
        ("12", "0003*210", "444444", "/uapi/phoneCalls/12/0003*210/444444"),
        ("0241", "@self", "a.b_c-d", "/uapi/phoneCalls/0241/@self/a.b_c-d"),
        ("@viewer", "@self", None, "/uapi/phoneCalls/@viewer/@self"),
        ("@owner", "0003*210", None, "/uapi/phoneCalls/@owner/0003*210"),
    ],
)
def test_a_path_has_its_segments_literally(user: str, extension: str, call_id: str | None, path: str) -> None:
    assert exchange.call_path(user, extension, call_id) == path


@pytest.mark.parametrize(
    ("user", "extension", "call_id"),
    [
        ("", "0003*210", OURS),
        (".", "0003*210", OURS),
        ("..", "0003*210", OURS),
        ("@you", "0003*210", OURS),
        ("1/2", "0003*210", OURS),
        ("12\n", "0003*210", OURS),
        ("@self", "0003*210", OURS),
        ("12", "210", OURS),
        ("12", "0003*2XX", OURS),
        ("12", "@self/..", OURS),
        ("12", "0003%2A210", OURS),
        ("12", "0003*\u0662\u0661\u0660", OURS),
        ("12", "", OURS),
        ("12", "0003*210", ""),
        ("12", "0003*210", "."),
        ("12", "0003*210", ".."),
        ("12", "0003*210", "../../x?y"),
        ("12", "0003*210", "a#b"),
        ("12", "0003*210", "a" * 65),
        ("12", "0003*210", f"{OURS}\n"),
    ],
)
def test_a_segment_outside_its_grammar_is_no_path(user: str, extension: str, call_id: str) -> None:
    with pytest.raises(ValueError, match=r"is not of the form|step in a path"):
        exchange.call_path(user, extension, call_id)


@given(st.text(max_size=70), st.text(max_size=40), st.text(max_size=70))
def test_no_text_whatever_leaves_its_segment(user: str, extension: str, call_id: str) -> None:
    try:
        path = exchange.call_path(user, extension, call_id)
    except ValueError:
        return
    assert [path.count("/"), "?" in path, "#" in path, "%" in path, "/../" in path] == [5, False, False, False, False]


@pytest.mark.parametrize(
    ("user", "extension"), [("..", "0003*024"), ("3", "../0003"), ("3/..", "@self"), ("3", "210?")]
)
def test_a_segment_outside_its_grammar_is_no_path_of_a_phone(user: str, extension: str) -> None:
    with pytest.raises(ValueError, match="form"):
        exchange.get_presence(user, extension)


def test_a_refused_segment_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError, match=r"^extension is not of the form \S+$"):
        exchange.call_path("12", "555-0100", OURS)


def test_one_call_is_asked_for_by_its_path_alone() -> None:
    assert exchange.get_call("@me", "0003*210", OURS) == exchange.PbxRequest(
        "GET", f"/uapi/phoneCalls/@me/0003*210/{OURS}"
    )


@pytest.mark.parametrize(("start", "count"), [(0, 1000), (1, 4300), (950, 4300), (4999, 4300), (5000, 5000)])
def test_a_page_is_asked_for_by_count_and_start(start: int, count: int) -> None:
    asked = exchange.get_page("@me", "@self", start).target
    assert asked == f"/uapi/phoneCalls/@me/@self?count={count}&startIndex={start}"


def test_a_page_beyond_the_documented_start_is_never_asked_for() -> None:
    with pytest.raises(ValueError, match="startIndex"):
        exchange.get_page("@me", "@self", 5001)


@pytest.mark.parametrize("page", PAGES)
def test_a_documented_request_is_the_one_that_is_sent(page: str) -> None:
    documented = sample(f"{page}/request.json")
    _, _, _, user, extension, call_id = documented["path"].split("/")
    sent = exchange.put_action(user, extension, call_id, ACTION.validate_python(documented["body"]))
    assert (sent.method, sent.target, json.loads(sent.body or b"")) == (
        documented["method"],
        documented["path"],
        documented["body"],
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_request_without_the_optional_fields_has_the_required_ones_alone(page: str) -> None:
    documented = sample(f"{page}/request.json")["body"]
    required = {k: v for k, v in documented.items() if k in {"action", "sendCallTo", "phoneCallViewId"}}
    sent = exchange.put_action("@me", "0003*210", OURS, ACTION.validate_python(required))
    assert json.loads(sent.body or b"") == required


@pytest.mark.parametrize("page", PAGES)
def test_the_documented_headers_are_sent(page: str) -> None:
    documented = sample(f"{page}/request.json")["headers"]
    del documented["Host"]
    assert exchange.headers("token") == {**documented, "Accept": "application/json"}


@pytest.mark.parametrize(
    ("action", "sent"),
    [
        (
            Monitor(phone_call_view_id="00", send_call_to="0003*024", wait_for_pickup=20),
            {"action": "Monitor", "phoneCallViewId": "00", "sendCallTo": "0003*024", "waitForPickup": "20"},
        ),
        (
            Whisper(phone_call_view_id="01", send_call_to="0003*024", private=0),
            {"action": "Whisper", "phoneCallViewId": "01", "sendCallTo": "0003*024", "private": 0},
        ),
        (
            BargeIn(phone_call_view_id="01", send_call_to="0003*024", caller_id="Zoë Ünal <+15550100>"),
            {
                "action": "BargeIn",
                "phoneCallViewId": "01",
                "sendCallTo": "0003*024",
                "callerId": "Zoë Ünal <+15550100>",
            },
        ),
        (
            StartRecording(phone_call_view_id="01", format="wav49"),
            {"action": "StartRecording", "phoneCallViewId": "01", "format": "wav49"},
        ),
    ],
)
def test_a_body_has_the_fields_that_are_given(action: PhoneCallAction, sent: dict[str, object]) -> None:
    assert json.loads(exchange.put_action("@me", "0003*210", OURS, action).body or b"") == sent


def test_a_request_does_not_show_its_body() -> None:
    assert "secret" not in repr(exchange.PbxRequest("POST", "/oauth/token.php", b"client_secret=secret"))


# ── from page to page ──


@pytest.mark.parametrize(
    ("start", "came", "following"),
    [
        (0, 1, 1),
        (0, 19, 19),
        (0, 20, 19),
        (0, 100, 95),
        (0, 1000, 950),
        (950, 4050, exchange.LAST_START - 202),
        (950, 4300, exchange.LAST_START),
        (4999, 1, exchange.LAST_START),
        (exchange.LAST_START, 5000, exchange.LAST_START),
    ],
)
def test_a_page_begins_a_little_before_the_end_of_the_one_before_it(start: int, came: int, following: int) -> None:
    assert exchange.next_start(start, came) == following


@given(start=st.integers(0, exchange.LAST_START - 1), came=st.integers(1, 5000))
def test_every_page_gets_further_until_the_last_start(start: int, came: int) -> None:
    assert start < exchange.next_start(start, came) <= min(start + came, exchange.LAST_START)
