"""What the PBX answers is read tolerantly: calls, their views, and phones."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.calls import (
    LONGEST_DATE,
    Flow,
    PhoneCall,
    PhoneCallView,
    PhoneSeen,
    Presence,
    Status,
    caller_numbers,
    is_caller_id,
    organisation,
    phone_call,
    presence_from,
)

quick = settings(max_examples=60, deadline=None)
MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]


def read(**fields: Any) -> PhoneCallView:
    call = phone_call({"id": "c1", "phoneCallView": [{"id": "01", **fields}]})
    assert call is not None
    return call.views[0]


# ── reading: documented variants ──


@pytest.mark.parametrize("raw", [5, "5", " 5 "], ids=["number", "text", "spaced"])
def test_a_status_is_read_as_number_and_as_text(raw: object) -> None:
    assert read(status=raw).status is Status.ON_CALL


@pytest.mark.parametrize("raw", [6, -1, 99, "x", "", None, True, 5.0, [], {}, "999999999999"])
def test_a_status_that_nobody_documents_is_unknown(raw: object) -> None:
    assert read(status=raw).status is Status.UNKNOWN


@pytest.mark.parametrize(("raw", "flow"), [(2, Flow.LOCAL), ("4", Flow.OUTGOING), ("8", Flow.INCOMING)])
def test_a_flow_is_read_as_number_and_as_text(raw: object, flow: Flow) -> None:
    assert read(flow=raw).flow is flow


@pytest.mark.parametrize("raw", [3, "x", None, False])
def test_a_flow_that_nobody_documents_is_unknown(raw: object) -> None:
    assert read(flow=raw).flow is Flow.UNKNOWN


@pytest.mark.parametrize("key", ["callerId", "callerID"])
def test_a_caller_id_is_read_in_both_spellings(key: str) -> None:
    assert read(**{key: "Jane Roe <+15550100>"}).caller_id == "Jane Roe <+15550100>"


@pytest.mark.parametrize(
    ("raw", "parties"),
    [
        (["0003*024", "+15550100"], ("0003*024", "+15550100")),
        ("0003*024", ("0003*024",)),
        ([15550100], ("15550100",)),
        (15550100, ("15550100",)),
        ([None, {}, ["x"], "0003*024"], ("0003*024",)),
        (None, ()),
        ({}, ()),
        (True, ()),
    ],
    ids=["list", "text", "list of numbers", "number", "with rubbish", "null", "object", "true"],
)
def test_source_and_destination_are_read_in_every_form(raw: object, parties: tuple[str, ...]) -> None:
    view = read(source=raw, destination=raw)
    assert (view.source, view.destination) == (parties, parties)


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("2015-01-23T04:56:22Z", datetime(2015, 1, 23, 4, 56, 22, tzinfo=UTC)),
        ("2014-05-07T16:08:55+03:00", datetime(2014, 5, 7, 13, 8, 55, tzinfo=UTC)),
        ("2014-05-07T16:08:55", datetime(2014, 5, 7, 16, 8, 55, tzinfo=UTC)),
        (" 2014-05-07T16:08:55Z ", datetime(2014, 5, 7, 16, 8, 55, tzinfo=UTC)),
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T23:59:59-02:00", None),
        ("yesterday", None),
        ("", None),
        (1421988982, None),
        (None, None),
    ],
)
def test_a_date_is_an_instant_in_utc_and_nonsense_is_none(raw: object, instant: datetime | None) -> None:
    assert read(recording=raw).recording == instant


def test_a_view_id_keeps_its_leading_zero() -> None:
    call = phone_call({"id": "c1", "phoneCallView": [{"id": "01"}, {"id": "1"}]})
    assert call is not None
    assert [call.view("01"), call.view("1"), call.view("001")] == [call.views[0], call.views[1], None]


def test_a_numeric_view_id_is_kept_as_text() -> None:
    assert read(id=7).id == "7"


def test_a_view_that_is_said_twice_counts_once() -> None:
    call = phone_call({"id": "c1", "phoneCallView": [{"id": "01", "status": 3}, {"id": "01", "status": 5}]})
    assert call is not None
    assert [view.status for view in call.named_views.values()] == [Status.RINGING]


def test_a_party_of_a_view_without_an_id_is_a_party_of_the_call() -> None:
    call = phone_call({"id": "c1", "phoneCallView": [{"source": "+15550199"}, {"id": "../x", "source": "+15550198"}]})
    assert call is not None
    assert call.parties == {"+15550199", "+15550198"}
    assert call.named_views == {}


@pytest.mark.parametrize("views", [None, "x", 3, {}, [], [None, 3, "x", [], {}, {"id": ""}, {"id": None}]])
def test_views_that_cannot_be_read_are_left_out(views: object) -> None:
    call = phone_call({"id": "c1", "phoneCallView": views})
    assert call is not None
    assert call.named_views == {}


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"id": ""}, {"id": None}, {"id": []}])
def test_what_has_no_id_is_no_call(value: object) -> None:
    assert phone_call(value) is None


def test_a_call_on_hold_is_a_conversation() -> None:
    assert read(status=5, onHold="2015-01-23T04:56:22Z").on_call


def test_a_ringing_view_is_no_conversation() -> None:
    assert not read(status=3).on_call


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters() | st.just("\ud800"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["id", "extension", "source", "destination", "flow", "status", "callerId", "callerID", "ringing", "answered"]
HOSTILE_VIEW = st.dictionaries(st.sampled_from([*FIELDS, "recording", "onHold", "parked"]), JSON) | JSON
HOSTILE_CALL = JSON | st.fixed_dictionaries(
    {"id": st.text(min_size=1), "phoneCallView": st.lists(HOSTILE_VIEW, max_size=4) | JSON},
    optional=dict.fromkeys(("extension", "ownerId", "ownerName", "published", "answered", "link"), JSON),
)


@quick
@given(HOSTILE_CALL)
def test_reading_never_raises_and_what_was_read_can_be_written_down(value: object) -> None:
    call = phone_call(value)
    if call is not None:
        assert PhoneCall.model_validate_json(call.model_dump_json(by_alias=True)) == call


@pytest.mark.parametrize("field", ["extension", "id"])
def test_half_a_character_cannot_keep_a_call_from_being_written_down(field: str) -> None:
    call = phone_call(json.loads('{"id": "c1", "%s": "c1\\ud800"}' % field))  # noqa: UP031 - braces and backslashes
    assert call is None or call.model_dump_json()


def test_who_owns_a_call_is_not_kept() -> None:
    call = phone_call({"id": "c1", "ownerId": "3", "ownerName": "Example Organization"})
    assert call is not None
    assert "Example" not in call.model_dump_json()


def test_half_a_character_in_a_view_cannot_keep_a_call_from_being_written_down() -> None:
    view = read(callerId="\ud800 <+15550100>", source=["\ud800"], extension="\ud800")
    assert view.model_dump_json()


# ── parties ──


@pytest.mark.parametrize(
    ("caller_id", "numbers"),
    [
        ("Jane Roe <+15550100>", ("+15550100",)),
        ("Jane Roe<+1 555 0100>", ("+1 555 0100",)),
        ("+15550100", ("+15550100",)),
        ("001 555-0100", ("001 555-0100",)),
        ("a <1> b <2>", ("1", "2")),
        ("Jane Roe", ()),
        ("", ()),
    ],
)
def test_the_number_of_a_caller_id_is_found(caller_id: str, numbers: tuple[str, ...]) -> None:
    assert caller_numbers(caller_id) == numbers


def test_parties_are_all_that_a_call_names(a_call: MakeCall, a_view: MakeView) -> None:
    view = a_view(source=["+15550101"], destination=["0003*211"], callerId="Jane <+15550102>")
    call = a_call(view, extension="0003*999")
    assert call.parties == {"0003*999", "0003*210", "+15550101", "0003*211", "+15550102"}


def test_a_call_without_fields_has_no_parties() -> None:
    assert PhoneCall.model_validate({"id": "c1", "views": [{"id": "01"}]}).parties == frozenset()


def test_the_organisation_stands_before_the_star() -> None:
    assert organisation("0003*210") == "0003"


@pytest.mark.parametrize(
    "text", ["John Doe <+3334444>", "O'Neil-Smith Jr. <42*1>", "Agent 7 <42>", "Ioana \u0218tef <1>", "X<1>"]
)
def test_a_caller_id_of_the_documented_form_is_one(text: str) -> None:
    assert is_caller_id(text)


NO_CALLER_IDS = ["", "John", "<+333>", " <+333>", "John <>", "John <abc>", "John <1> x", "Jo<hn <1>", "John, D <1>"]
HOSTILE_CALLER_IDS = [
    "'. <1>",
    "J\n <1>",
    "\u0661 <1>",
    "J <\u0661>",
    "J" * 65 + "<1>",
    "J <" + "1" * 33 + ">",
    "@here <1>",
]


@pytest.mark.parametrize("text", [*NO_CALLER_IDS, *HOSTILE_CALLER_IDS, "J <1>\n"])
def test_what_is_not_of_the_documented_form_is_no_caller_id(text: str) -> None:
    assert not is_caller_id(text)


@pytest.mark.parametrize(
    ("source", "party"),
    [
        ("299", "0003*299"),
        ("Pia <0003*299>", "0003*299"),
        ("Carla <+15550191>", "+15550191"),
        ("sip:+15550191@example.com", "+15550191"),
        ("tel:+15550191", "+15550191"),
    ],
)
def test_a_party_is_known_however_its_number_is_dressed(source: str, party: str) -> None:
    call = phone_call({"id": "c1", "phoneCallView": [{"id": "01", "extension": "0003*210", "source": source}]})
    assert call is not None
    assert party in call.parties


@pytest.mark.parametrize(
    ("earlier", "later", "another"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z", False),
        ("2026-11-20T10:00:00Z", "2026-11-20T12:00:00+02:00", False),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:05:00Z", True),
        (None, "2026-11-20T10:05:00Z", False),
        ("2026-11-20T10:00:00Z", None, False),
    ],
)
def test_a_call_that_entered_at_another_time_is_another_call(
    earlier: str | None, later: str | None, another: bool
) -> None:
    before, after = (PhoneCall.model_validate({"id": "c1", "published": each}) for each in (earlier, later))
    assert after.is_another_than(before) is another


# ── a call that was read ──


def test_a_call_cannot_be_changed(a_call: MakeCall) -> None:
    with pytest.raises(ValidationError):
        a_call().extension = "0003*211"  # type: ignore[misc]  # that is the claim


def test_calls_that_say_the_same_are_equal_and_count_once(a_call: MakeCall) -> None:
    assert len({a_call(), a_call(), a_call(extension="0003*211")}) == 2


def test_half_a_character_is_one_that_says_so(a_view: MakeView) -> None:
    assert a_view(callerId="\ud800 \U0001f600 \udc00x").caller_id == "\ufffd \U0001f600 \ufffdx"


@pytest.mark.parametrize("blanks", [0, LONGEST_DATE - 25], ids=["usual", "longest"])
def test_a_date_is_the_same_instant_every_time(a_view: MakeView, blanks: int) -> None:
    instants = {a_view(answered="2026-11-20T10:00:00+02:00" + " " * blanks).answered for _ in range(2)}
    assert instants == {datetime(2026, 11, 20, 8, tzinfo=UTC)}


def test_what_is_longer_than_any_date_is_none(a_view: MakeView) -> None:
    assert a_view(answered="2026-11-20T10:00:00+02:00" + " " * LONGEST_DATE).answered is None


# ── phones ──


def phone(value: object) -> Presence:
    found = presence_from(value)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("0", PhoneSeen.UNKNOWN),
        ("1", PhoneSeen.ONLINE),
        (2, PhoneSeen.RINGING),
        ("3", PhoneSeen.BUSY),
        (9, PhoneSeen.UNKNOWN),
        (None, PhoneSeen.UNKNOWN),
        ("busy", PhoneSeen.UNKNOWN),
    ],
    ids=str,
)
def test_the_state_is_a_number_or_a_numeric_string(status: object, state: PhoneSeen) -> None:
    assert phone({"extension": "0003*024", "status": status}).status is state


@pytest.mark.parametrize(
    ("registration", "unreachable"),
    [
        ([{"agent": "Desk", "registration": "-1"}], True),
        ([{"agent": "Desk", "registration": -2}], True),
        ([{"registration": "-1"}, {"registration": "-2"}], True),
        ([{"registration": "-1"}, {"registration": "1"}], False),
        ([{"registration": "1"}], False),
        ([{"registration": "2"}], False),
        ([{"registration": "0"}], False),
        ([{"registration": "-1"}, {"agent": "Soft"}], False),
        ({"registration": "-1"}, True),
        ("-1", True),
        (-2, True),
        ("1", False),
        ([], False),
        (None, False),
        ("nonsense", False),
    ],
    ids=str,
)
def test_a_phone_is_unreachable_only_where_every_device_is_surely_not_registered(
    registration: object, unreachable: bool
) -> None:
    assert phone({"extension": "0003*024", "registration": registration}).seen is (
        PhoneSeen.NOT_REGISTERED if unreachable else PhoneSeen.UNKNOWN
    )


@pytest.mark.parametrize("value", [None, [], {}, {"extension": ""}, "0003*024", {"extension": ["0003*024"]}], ids=str)
def test_what_names_no_phone_is_none(value: object) -> None:
    assert presence_from(value) is None
