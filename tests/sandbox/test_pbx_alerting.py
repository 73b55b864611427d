"""What alerts are made of: calls that hop from phone to phone, dates that are wrong, crowds, lists that change meanwhile."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.pbx.floor import Floor, UnknownExtension
from bot.sandbox.pbx.phones import Call, Intervention, Status, leg_of
from bot.sandbox.pbx.server import SandboxPbx

Ask = Callable[..., Awaitable[tuple[int, Any]]]

ALL = "/uapi/phoneCalls/@me/@self"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BOB, DAN = "0003*210", "0003*211"


@pytest.fixture
def floor() -> Floor:
    """A floor whose clock goes on by a minute with each look."""
    instants = (START + timedelta(minutes=minute) for minute in range(100_000))
    floor = Floor(now=lambda: next(instants))
    floor.add_extension(BOB, user="12", name="Bob Ionescu")
    floor.add_extension(DAN, user="13", name="Dan Albu")
    return floor


def ring(floor: Floor, call_id: str = "444444", caller: str = "+15550100", to: str = BOB) -> Call:
    return found(floor, floor.ring(caller=caller, to=to, call_id=call_id))


def found(floor: Floor, call_id: str = "444444") -> Call:
    call = floor.call(call_id)
    assert call is not None
    return call


def ids(envelope: Any) -> list[str]:
    return [entry["id"] for entry in envelope["entry"]]


# ── a call that hops ──


def test_a_call_that_hops_rings_at_the_next_phone_in_the_same_view(floor: Floor) -> None:
    call = ring(floor)
    floor.hop(call.id, DAN)
    (view,) = call.views
    assert (view.id, view.extension, view.phone, view.destination, view.status) == (
        "01",
        DAN,
        DAN,
        [DAN],
        Status.RINGING,
    )


def test_a_call_that_hops_was_published_when_it_entered_and_rings_anew(floor: Floor) -> None:
    call = ring(floor)
    published = call.published
    floor.hop(call.id, DAN)
    assert (call.published, call.views[0].ringing) == (published, published + timedelta(minutes=1))


def test_a_phone_that_a_call_has_left_is_free(floor: Floor) -> None:
    call = ring(floor)
    floor.hop(call.id, DAN)
    assert (floor.busy(BOB), floor.busy(DAN)) == (False, True)


def test_a_call_that_is_transferred_is_the_next_phone_s_and_a_leg_stays_with_whom_it_was_for(floor: Floor) -> None:
    floor.add_extension("0003*024", user="3", name="Ana Pop")
    call = ring(floor)
    floor.answer(call.id)
    listening = Intervention("Monitor", call.id, "01", "0003*024", "Ana Pop <100>", 25.0)
    call.views.append(leg_of(call, call.views[0], listening, START))
    floor.transfer(call.id, DAN)
    assert [(view.id, view.extension, view.phone) for view in call.views] == [
        ("01", DAN, DAN),
        ("02", BOB, "0003*024"),
    ]


def test_only_a_conversation_can_be_transferred(floor: Floor) -> None:
    call = ring(floor)
    with pytest.raises(ValueError, match="nobody talks"):
        floor.transfer(call.id, DAN)


def test_the_caller_stays_where_they_are_while_a_call_hops(floor: Floor) -> None:
    floor.add_extension("0003*212", user="14", name="Ema Rus")
    call = ring(floor, caller="0003*212")
    floor.hop(call.id, DAN)
    assert [(view.extension, view.destination) for view in call.views] == [("0003*212", [DAN]), (DAN, [DAN])]


def test_a_call_that_hopped_can_be_answered(floor: Floor) -> None:
    call = ring(floor)
    floor.hop(call.id, DAN)
    floor.answer(call.id)
    assert (call.views[0].extension, call.views[0].status, call.views[0].ringing) == (DAN, Status.ON_CALL, None)


def test_a_call_in_conversation_hops_nowhere(floor: Floor) -> None:
    call = ring(floor)
    floor.answer(call.id)
    with pytest.raises(ValueError, match="does not ring"):
        floor.hop(call.id, DAN)


def test_a_call_hops_to_no_phone_that_there_is_not(floor: Floor) -> None:
    call = ring(floor)
    with pytest.raises(UnknownExtension):
        floor.hop(call.id, "0003*999")
    assert call.views[0].extension == BOB


# ── dates ──


async def test_another_date_is_said_as_it_is_for_the_call_and_its_views(ask: Ask, floor: Floor) -> None:
    floor.answer(ring(floor).id)
    floor.misdate("444444", {"answered": "2099-12-31T23:59:59-05:30"})
    _, envelope = await ask("GET", ALL)
    (call,) = envelope["entry"]
    assert {call["answered"], call["phoneCallView"][0]["answered"]} == {"2099-12-31T23:59:59-05:30"}


@pytest.mark.parametrize("key", ["ringing", "answered", "onHold", "parked", "recording"])
async def test_a_date_of_a_view_can_be_missing(ask: Ask, floor: Floor, key: str) -> None:
    call = ring(floor)
    if key != "ringing":
        floor.answer(call.id)
        floor.hold(call.id)
        floor.park(call.id)
        floor.record(call.id, "01")
    _, before = await ask("GET", ALL)
    floor.misdate(call.id, {key: None})
    _, after = await ask("GET", ALL)
    views = [envelope["entry"][0]["phoneCallView"][0] for envelope in (before, after)]
    assert [key in view for view in views] == [True, False]


async def test_a_call_without_the_date_that_it_was_published_is_still_listed(ask: Ask, floor: Floor) -> None:
    ring(floor)
    floor.misdate("444444", {"published": None})
    _, envelope = await ask("GET", ALL)
    assert [(entry["id"], "published" in entry) for entry in envelope["entry"]] == [("444444", False)]


async def test_a_date_that_is_not_there_is_not_said_in_another_way(ask: Ask, floor: Floor) -> None:
    ring(floor)
    floor.misdate("444444", {"onHold": "2026-01-02T03:04:05Z"})
    _, envelope = await ask("GET", ALL)
    assert "onHold" not in envelope["entry"][0]["phoneCallView"][0]


async def test_what_is_said_of_one_date_stays_when_another_is_misdated(ask: Ask, floor: Floor) -> None:
    ring(floor)
    floor.misdate("444444", {"published": "soon"})
    floor.misdate("444444", {"ringing": "later"})
    _, envelope = await ask("GET", ALL)
    (call,) = envelope["entry"]
    assert (call["published"], call["phoneCallView"][0]["ringing"]) == ("soon", "later")


@pytest.mark.parametrize("dates", [{"on_hold": None}, {"published": 3}])
def test_what_is_no_date_cannot_be_misdated(floor: Floor, dates: Any) -> None:
    ring(floor)
    with pytest.raises(ValueError, match="instead of a date"):
        floor.misdate("444444", dates)
    assert found(floor).said == {}


async def test_one_clock_in_two_zones_answers_a_call_before_it_was_published(
    ask: Ask, floor: Floor, pbx: SandboxPbx
) -> None:
    floor.answer(ring(floor).id)
    pbx.forms.zones = "one clock"
    _, envelope = await ask("GET", ALL)
    (call,) = envelope["entry"]
    assert (call["published"], call["answered"]) == ("2026-01-02T05:04:05+02:00", "2026-01-02T05:05:05+03:00")


# ── crowds ──


def test_a_crowd_calls_in_turn_at_each_phone(floor: Floor) -> None:
    call_ids = floor.crowd(5, to=[BOB, DAN])
    calls = [found(floor, call_id) for call_id in call_ids]
    assert [(call.views[0].extension, call.views[0].status) for call in calls] == [
        (BOB, Status.RINGING),
        (DAN, Status.RINGING),
        (BOB, Status.RINGING),
        (DAN, Status.RINGING),
        (BOB, Status.RINGING),
    ]


def test_everybody_of_a_crowd_has_a_number_of_their_own(floor: Floor) -> None:
    floor.crowd(20, to=[BOB])
    assert len({call.views[0].source[0] for call in floor.calls()}) == 20


def test_a_crowd_may_be_in_conversation(floor: Floor) -> None:
    floor.crowd(3, to=[BOB], talking=True)
    assert [call.views[0].status for call in floor.calls()] == [Status.ON_CALL] * 3


def test_a_crowd_is_one_change(floor: Floor) -> None:
    told: list[int] = []
    floor.on_change(lambda: told.append(len(floor.calls())))
    floor.crowd(50, to=[BOB])
    assert told == [50]


def test_after_a_crowd_every_change_is_told_again(floor: Floor) -> None:
    floor.crowd(1, to=[BOB])
    told: list[int] = []
    floor.on_change(lambda: told.append(1))
    ring(floor)
    assert told == [1]


@pytest.mark.parametrize(("to", "error"), [([], ValueError), (BOB, ValueError), ([BOB, "0003*999"], UnknownExtension)])
def test_a_crowd_that_cannot_call_does_not_call_at_all(floor: Floor, to: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        floor.crowd(2, to=to)
    assert floor.calls() == []


# ── long lists ──


async def test_ten_thousand_calls_are_reached_with_the_largest_page_at_the_largest_start(
    ask: Ask, floor: Floor
) -> None:
    call_ids = floor.crowd(10_000, to=[BOB, DAN])
    pages = [await ask("GET", f"{ALL}?count=5000&startIndex={start}") for start in (0, 5000)]
    assert [call_id for _, envelope in pages for call_id in ids(envelope)] == call_ids


async def test_what_is_beyond_ten_thousand_calls_cannot_be_reached(ask: Ask, floor: Floor) -> None:
    floor.crowd(10_001, to=[BOB])
    _, envelope = await ask("GET", f"{ALL}?count=5000&startIndex=5000")
    assert (len(envelope["entry"]), envelope["totalResults"], list(envelope["paging"])) == (
        5000,
        10_001,
        ["next", "prev"],
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("count=5001&startIndex=0", "count_invalid"),
        ("count=10000", "count_invalid"),
        ("count=100&startIndex=5001", "startindex_invalid"),
        ("count=100&startIndex=9900", "startindex_invalid"),
    ],
)
async def test_a_page_beyond_what_is_documented_is_refused(ask: Ask, query: str, code: str) -> None:
    status, answer = await ask("GET", f"{ALL}?{query}")
    assert (status, answer["error"]["code"]) == (400, code)


# ── what happens meanwhile ──


async def test_a_call_that_ends_between_two_pages_pushes_another_off_the_second(
    ask: Ask, floor: Floor, pbx: SandboxPbx
) -> None:
    for call_id in ("a1", "b2", "c3", "d4"):
        ring(floor, call_id)
    pbx.meanwhile.after("startIndex=0", lambda: floor.hang_up("a1"))
    pages = [await ask("GET", f"{ALL}?count=2&startIndex={start}") for start in (0, 2)]
    assert [ids(envelope) for _, envelope in pages] == [["a1", "b2"], ["d4"]]


async def test_a_call_that_comes_between_two_pages_shows_another_twice_where_the_newest_are_first(
    ask: Ask, floor: Floor, pbx: SandboxPbx
) -> None:
    for call_id in ("a1", "b2", "c3"):
        ring(floor, call_id)
    pbx.meanwhile.after("startIndex=0", lambda: ring(floor, "d4"))
    query = f"{ALL}?count=2&sortOrder=descending&startIndex="
    pages = [await ask("GET", f"{query}{start}") for start in (0, 2)]
    assert [ids(envelope) for _, envelope in pages] == [["c3", "b2"], ["b2", "a1"]]


async def test_it_happens_once_and_only_after_the_request_that_it_waits_for(
    ask: Ask, floor: Floor, pbx: SandboxPbx
) -> None:
    pbx.meanwhile.after("startIndex=2", lambda: floor.ring(caller="+15550100", to=BOB))
    seen: list[int] = []
    for start in (0, 2, 2, 0):
        await ask("GET", f"{ALL}?startIndex={start}")
        seen.append(len(floor.calls()))
    assert seen == [0, 1, 1, 1]


async def test_two_things_happen_after_one_request_in_their_order(ask: Ask, floor: Floor, pbx: SandboxPbx) -> None:
    pbx.meanwhile.after(ALL, lambda: ring(floor))
    pbx.meanwhile.after(ALL, lambda: floor.answer("444444"))
    await ask("GET", ALL)
    assert found(floor).views[0].status is Status.ON_CALL


# ── over HTTP ──


async def test_a_call_hops_over_http(ask: Ask, floor: Floor) -> None:
    ring(floor)
    await ask("POST", "/control/hop", {"call_id": "444444", "to": DAN})
    assert found(floor).views[0].extension == DAN


async def test_a_crowd_calls_over_http(ask: Ask, floor: Floor) -> None:
    status, answer = await ask("POST", "/control/crowd", {"number": 3, "to": [BOB, DAN], "talking": True})
    assert (status, answer["result"]) == (200, [call.id for call in floor.calls()])


async def test_a_call_is_misdated_over_http_and_shown_so(ask: Ask, floor: Floor) -> None:
    ring(floor)
    await ask("POST", "/control/misdate", {"call_id": "444444", "dates": {"published": None}})
    _, answer = await ask("GET", "/control/calls")
    assert answer["calls"][0]["said"] == {"published": None}


async def test_something_is_ordered_for_between_two_requests_over_http(ask: Ask, floor: Floor) -> None:
    ring(floor)
    order = {"after": "startIndex=0", "verb": "hang-up", "given": {"call_id": "444444"}}
    await ask("POST", "/control/meanwhile", order)
    before = len(floor.calls())
    await ask("GET", f"{ALL}?startIndex=0")
    assert (before, floor.calls()) == (1, [])


async def test_what_cannot_be_done_any_more_spoils_no_answer(ask: Ask, floor: Floor) -> None:
    await ask("POST", "/control/meanwhile", {"after": ALL, "verb": "hang-up", "given": {"call_id": "444444"}})
    assert (await ask("GET", ALL))[0] == 200


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("hop", {"call_id": "gone", "to": DAN}, 404),
        ("hop", {"call_id": "444444", "to": "0003*999"}, 404),
        ("hop", {"call_id": "444444"}, 400),
        ("crowd", {"number": 3, "to": []}, 400),
        ("crowd", {"number": "three", "to": [BOB]}, 400),
        ("crowd", {"number": 3, "to": ["0003*999"]}, 404),
        ("misdate", {"call_id": "444444", "dates": {"when": None}}, 400),
        ("misdate", {"call_id": "444444", "dates": None}, 400),
        ("meanwhile", {"after": ALL, "verb": "explode", "given": {}}, 400),
        ("meanwhile", {"after": 3, "verb": "hang-up", "given": {}}, 400),
        ("meanwhile", {"after": ALL, "verb": "hang-up"}, 400),
    ],
)
async def test_an_error_in_these_verbs_is_told(
    ask: Ask, floor: Floor, verb: str, body: dict[str, object], status: int
) -> None:
    ring(floor)
    answered, answer = await ask("POST", f"/control/{verb}", body)
    assert (answered, "problem" in answer) == (status, True)
