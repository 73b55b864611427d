"""Lists, single calls and presence: who sees what, in which form, on which page."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.sandbox.pbx.answers import Forms
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.requests import request_from
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.pbx.uapi import Tokens, UnifiedApi

Ask = Callable[..., Awaitable[tuple[int, Any]]]
Wire = Callable[..., Awaitable[bytes]]

ALL = "/uapi/phoneCalls/@me/@self"
ONE = "/uapi/phoneCalls/12/0003*210/444444"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def floor() -> Floor:
    """A floor whose clock goes on by a minute with each look."""
    instants = (START + timedelta(minutes=minute) for minute in range(1000))
    floor = Floor(now=lambda: next(instants))
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    floor.add_extension("0003*211", user="13", name="Dan Albu")
    return floor


def ring(floor: Floor, *call_ids: str, to: str = "0003*210") -> None:
    for call_id in call_ids:
        floor.ring(caller="+15550100", to=to, call_id=call_id)


def ids(envelope: Any) -> list[str]:
    return [entry["id"] for entry in envelope["entry"]]


async def test_a_list_without_calls_is_an_empty_envelope(ask: Ask) -> None:
    assert await ask("GET", ALL) == (
        200,
        {
            "entry": [],
            "startIndex": 0,
            "totalResults": 0,
            "itemsPerPage": 20,
            "filtered": True,
            "sorted": True,
            "paging": {},
        },
    )


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("@me/@self", ["a1", "b2"]),
        ("@viewer/@self", ["a1", "b2"]),
        ("@me/0003*210", ["a1"]),
        ("@owner/0003*211", ["b2"]),
        ("12/@self", ["a1"]),
        ("13/0003*211", ["b2"]),
    ],
)
async def test_an_address_shows_the_calls_of_its_extensions(
    ask: Ask, floor: Floor, address: str, seen: list[str]
) -> None:
    ring(floor, "a1")
    ring(floor, "b2", to="0003*211")
    _, envelope = await ask("GET", f"/uapi/phoneCalls/{address}")
    assert ids(envelope) == seen


def test_me_without_extensions_sees_nothing() -> None:
    tokens = Tokens("sandbox-app", "sandbox-secret", 60)
    tokens.accept("fixed-token-of-tests")
    headers = {"Authorization": "Bearer fixed-token-of-tests"}
    answer = UnifiedApi(Floor(), tokens, Forms()).answer(request_from("GET", ALL, headers, b"", 0.0))
    assert (answer.status, ids(answer.payload)) == (200, [])


async def test_a_local_call_shows_under_both_its_extensions(ask: Ask, floor: Floor) -> None:
    floor.ring(caller="0003*211", to="0003*210", call_id="a1")
    answers = [await ask("GET", f"/uapi/phoneCalls/@me/{number}") for number in ("0003*210", "0003*211")]
    assert [ids(envelope) for _, envelope in answers] == [["a1"], ["a1"]]


@pytest.mark.parametrize(
    "target",
    [
        "/unifiedapi/phoneCalls/12/0003*210/444444",
        "/uapi/phoneCalls/12/0003*210/444444/",
        "/uapi/phoneCalls/12/0003*210/444444?",
        "/uapi/phoneCalls/%40me/0003%2A210/444444/?",
        "http://uapi.example.com/uapi/phoneCalls/@me/0003*210/444444",
        "https://uapi.example.com/uapi/phoneCalls/@me/@self/444444?count=20&startIndex=0",
    ],
)
async def test_every_way_to_write_the_address_reaches_the_call(wire: Wire, floor: Floor, target: str) -> None:
    ring(floor, "444444")
    answer = await wire("GET", target)
    assert (answer.split(b"\r\n")[0], b'"id": "444444"' in answer) == (b"HTTP/1.1 200 OK", True)


async def test_the_path_is_kept_as_it_was_sent(wire: Wire, pbx: SandboxPbx) -> None:
    await wire("GET", "/uapi/phoneCalls/@me/0003%2A210/?")
    assert pbx.requests[-1].path == "/uapi/phoneCalls/@me/0003%2A210/"


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("count=2", ["c0", "c1"]),
        ("count=2&startIndex=3", ["c3", "d4"]),
        ("startIndex=5000", []),
        ("sortOrder=descending&count=1", ["d4"]),
        ("sortOrder=asc&count=1", ["c0"]),
        ("filterBy=id&filterValue=c", ["c0", "c1", "c2", "c3"]),
        ("filterBy=id&filterOp=equals&filterValue=c1", ["c1"]),
        ("filterBy=id&filterOp=startsWith&filterValue=d", ["d4"]),
        ("filterBy=id&filterOp=inArray&filterValue=c1,d4", ["c1", "d4"]),
        ("filterBy=id&filterOp=greaterThan&filterValue=c2", ["c3", "d4"]),
        ("filterBy=id&filterOp=lessThan&filterValue=c2", ["c0", "c1"]),
        ("filterBy=published&filterOp=greaterThan&filterValue=2026-01-02T05:06:05%2B02:00", ["c3", "d4"]),
        ("filterBy=published&filterOp=lessThan&filterValue=2026-01-02T03:05:05Z", ["c0"]),
        ("filterBy=published&filterOp=equals&filterValue=2026-01-02T03:05:05Z", ["c1"]),
        ("filterBy=published&filterOp=present", ["c0", "c1", "c2", "c3", "d4"]),
    ],
)
async def test_a_list_is_cut_filtered_and_sorted_as_asked(ask: Ask, floor: Floor, query: str, seen: list[str]) -> None:
    ring(floor, "c0", "c1", "c2", "c3", "d4")
    _, envelope = await ask("GET", f"{ALL}?{query}")
    assert ids(envelope) == seen


async def test_a_page_has_20_calls_unless_another_count_is_asked(ask: Ask, floor: Floor) -> None:
    ring(floor, *(f"call{number:02}" for number in range(21)))
    _, envelope = await ask("GET", ALL)
    assert (len(envelope["entry"]), envelope["totalResults"], envelope["itemsPerPage"]) == (20, 21, 20)


async def test_a_page_between_two_names_both_neighbours(ask: Ask, floor: Floor) -> None:
    ring(floor, "c0", "c1", "c2", "c3", "c4")
    _, envelope = await ask("GET", f"{ALL}?count=2&startIndex=2&sortOrder=asc")
    links = {name: parse_qs(urlsplit(link).query) for name, link in envelope["paging"].items()}
    assert links == {
        "next": {"count": ["2"], "startIndex": ["4"], "sortOrder": ["asc"]},
        "prev": {"count": ["2"], "startIndex": ["0"], "sortOrder": ["asc"]},
    }


async def test_the_last_page_has_no_next(ask: Ask, floor: Floor) -> None:
    ring(floor, "c0", "c1", "c2", "c3")
    _, envelope = await ask("GET", f"{ALL}?count=2&startIndex=2")
    assert list(envelope["paging"]) == ["prev"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("count=0", "count_invalid"),
        ("count=5001", "count_invalid"),
        ("count=", "count_invalid"),
        ("count=2.5", "count_invalid"),
        ("startIndex=-1", "startindex_invalid"),
        ("filterBy=name&filterValue=x", "filterby_invalid"),
        ("filterValue=x", "filterby_invalid"),
        ("filterBy=id&filterOp=like&filterValue=x", "filterop_invalid"),
        ("filterBy=published&filterOp=contains&filterValue=2026", "filterop_invalid"),
        ("filterBy=id", "filtervalue_invalid"),
        ("filterBy=published&filterValue=today", "filtervalue_invalid"),
        ("filterBy=published&filterValue=2026-01-02T03:04:05", "filtervalue_invalid"),
        ("sortOrder=up", "sortorder_invalid"),
        ("fields=id,names", "fields_invalid"),
        ("page=2", "query_invalid"),
        ("count=1&count=2", "query_invalid"),
    ],
)
async def test_a_wrong_parameter_is_refused_with_its_code(ask: Ask, query: str, code: str) -> None:
    status, answer = await ask("GET", f"{ALL}?{query}")
    assert (status, answer["error"]["code"]) == (400, code)


async def test_only_the_fields_asked_for_are_shown(ask: Ask, floor: Floor) -> None:
    ring(floor, "c0")
    _, envelope = await ask("GET", f"{ALL}?fields=id,published")
    assert envelope["entry"] == [{"id": "c0", "published": "2026-01-02T05:04:05+02:00"}]


@pytest.mark.parametrize(
    ("form", "unwrap"),
    [
        ("object", lambda answer: answer),
        ("list", lambda answer: answer[0]),
        ("envelope", lambda answer: answer["entry"][0]),
        ("envelope-list", lambda answer: answer[0]["entry"][0]),
    ],
)
async def test_one_call_comes_in_the_form_that_is_set(
    ask: Ask, floor: Floor, pbx: SandboxPbx, form: Any, unwrap: Callable[[Any], Any]
) -> None:
    ring(floor, "444444")
    pbx.forms.single = form
    _, answer = await ask("GET", ONE)
    assert unwrap(answer)["id"] == "444444"


@pytest.mark.parametrize(
    ("form", "answered"), [("envelope", (200, "entry")), ("204", (204, None)), ("400", (400, "error"))]
)
async def test_a_call_that_is_over_is_answered_in_the_form_that_is_set(
    ask: Ask, pbx: SandboxPbx, form: Any, answered: tuple[int, str | None]
) -> None:
    pbx.forms.gone = form
    status, answer = await ask("GET", ONE)
    assert (status, next(iter(answer)) if answer else None) == answered


async def test_a_call_of_another_extension_is_none_of_this_one(ask: Ask, floor: Floor) -> None:
    ring(floor, "444444", to="0003*211")
    _, answer = await ask("GET", ONE)
    assert answer["entry"] == []


async def test_dates_of_one_call_are_in_two_zones_and_right(ask: Ask, floor: Floor) -> None:
    floor.talk(caller="+15550100", to="0003*210", call_id="444444")
    _, call = await ask("GET", ONE)
    assert (call["published"], call["answered"]) == ("2026-01-02T05:04:05+02:00", "2026-01-02T06:05:05+03:00")


async def test_a_key_without_a_value_is_left_out(ask: Ask, floor: Floor) -> None:
    ring(floor, "444444")
    _, call = await ask("GET", ONE)
    assert (set(call), set(call["phoneCallView"][0])) == (
        {"id", "extension", "ownerId", "ownerName", "published", "phoneCallView"},
        {"id", "extension", "status", "flow", "callerId", "source", "destination", "ringing"},
    )


@pytest.mark.parametrize(("form", "status"), [("strings", "5"), ("numbers", 5)])
async def test_a_status_is_text_or_a_number(ask: Ask, floor: Floor, pbx: SandboxPbx, form: Any, status: object) -> None:
    floor.talk(caller="+15550100", to="0003*210", call_id="444444")
    pbx.forms.numbers = form
    _, call = await ask("GET", ONE)
    assert call["phoneCallView"][0]["status"] == status


async def test_the_resource_pages_spellings_can_be_had(ask: Ask, floor: Floor, pbx: SandboxPbx) -> None:
    ring(floor, "444444")
    pbx.forms.links, pbx.forms.caller_id = "links", "callerID"
    _, call = await ask("GET", ONE)
    assert ("links" in call, "callerID" in call["phoneCallView"][0]) == (True, True)


async def test_hold_and_park_show_at_once(ask: Ask, floor: Floor) -> None:
    floor.talk(caller="+15550100", to="0003*210", call_id="444444")
    floor.hold("444444")
    floor.park("444444")
    _, call = await ask("GET", ONE)
    shown = {key: call["phoneCallView"][0].get(key) for key in ("onHold", "holder", "parked", "parkedPos", "parkedBy")}
    assert shown == {
        "onHold": "2026-01-02T06:06:05+03:00",
        "holder": "1",
        "parked": "2026-01-02T06:07:05+03:00",
        "parkedPos": "1",
        "parkedBy": "0003*210",
    }


async def test_presence_tells_who_is_online_ringing_or_busy(ask: Ask, floor: Floor) -> None:
    floor.add_extension("0003*212", user="14", name="Ema Rus", registered=False)
    ring(floor, "c0")
    floor.talk(caller="+15550101", to="0003*211")
    floor.add_extension("0003*213", user="15", name="Gil Pop")
    _, envelope = await ask("GET", "/uapi/extensions/@me/@self/presence")
    shown = [(entry["status"], entry["registration"][0]["registration"]) for entry in envelope["entry"]]
    assert shown == [("2", "1"), ("3", "1"), ("0", "-1"), ("1", "1")]


async def test_presence_of_one_phone_can_be_asked(ask: Ask) -> None:
    _, envelope = await ask("GET", "/uapi/extensions/13/0003*211/presence")
    assert [entry["extension"] for entry in envelope["entry"]] == ["0003*211"]


def test_a_form_that_does_not_exist_cannot_be_set(pbx: SandboxPbx) -> None:
    with pytest.raises(ValueError, match="single"):
        pbx.forms.single = "tuple"  # type: ignore[assignment]  # that is the point
