"""A page read entry by entry says what a page read whole says, and what stood there last time is the same object."""

import json
from collections.abc import Generator
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calls import MOST_VIEWS, PhoneCall
from bot.domain.errors import PbxError, PbxUnreachable
from bot.uapi import wire
from bot.uapi.pages import LONGEST, SLICE, Pages, Remembered, Shown, next_start
from bot.uapi.wire import LAST_START, Page

thorough = settings(max_examples=400, deadline=None)
T = TypeVar("T")


def a_call(call_id: str = "b817d2618fe6f1804333", **fields: Any) -> dict[str, Any]:
    view = {"id": "01", "extension": "0003*210", "status": "5", "source": ["+15550100"], "callerId": "Jane <+15550100>"}
    return {"id": call_id, "extension": "0003*210", "published": "2026-11-20T10:00:00+02:00"} | {
        "phoneCallView": [view | fields, view | {"id": "02"}]
    }


def an_envelope(*entries: object, total: object = 2) -> bytes:
    return json.dumps({"entry": list(entries), "totalResults": total, "paging": {"next": "https://x[y"}}).encode()


def whole(reading: Generator[None, None, T]) -> T:
    """What comes of reading in slices."""
    while True:
        try:
            next(reading)
        except StopIteration as read:
            result: T = read.value
            return result


def read(body: bytes, before: Shown | None = None) -> tuple[tuple[PhoneCall, ...], Shown]:
    pages = Pages(before or Shown())
    return whole(pages.reading(200, body)).entries, pages.shown


# ── the same as a page read whole ──

ENTRIES = [
    json.dumps(a_call("c1")),
    json.dumps(a_call("c1", status=3)),
    json.dumps(a_call("c2", callerId='a "]}},{"id":"[[{ \\'), separators=(",", ":")),
    json.dumps(a_call("c3", callerId="\u0218tefan \U0001f600 <+15550100>"), indent=2),
    json.dumps(a_call("c4", callerId="\u0218tefan \U0001f600 \x85 <+15550100>"), ensure_ascii=False),
    json.dumps(a_call("c5", answered="2026-11-20T10:00:00")).replace("/", r"\/"),
    json.dumps(a_call("c6", source="+15550100", status=5, destination=[7, None])),
    r'{"id":"c7","extension":"\ud83d \ud83d\ude00 \\ud83d \uDC00x","phoneCallView":[{"source":["\uD800"]}]}',
    r'{"id":"c8\ud800"}',
    r'{"id":"c9","\ud800":1,"phoneCallView":[{"id":"1","\udfff":[]}]}',
    '{"id":"d1","id":"d2","phoneCallView":[{"id":"1"}],"phoneCallView":[]}',
    '{"id":"d3","entry":[{"id":"d4"}]}',
    '{"id":"../x"}',
    '{"id":"Zo\u00eb"}',
    '{"id":444444,"link":{"self":"https://x.x.x.x//"},"phoneCallView":null}',
    '{"id":"d5","published":"yesterday","answered":1e400,"phoneCallView":{"01":{}}}',
    *('{"id":"d6","cost":NaN}', '{"id":"d7","cost":-Infinity}', '{"id":%s}' % ("9" * 5000), '{"id":"\x1f"}'),
    *("{}", "[]", "null", "7", '"d8"', '{"id":""}', "[" * 3000, '{"a":' * 3000, "", '{"id":"d9"', '{"id":"e1"},'),
]
AROUND = [
    ("[", "]"),
    (' \n{ "entry" :\t[ ', " ]\r\n} "),
    ('{"entry":[', '],"totalResults":"2","startIndex":0,"filtered":true}'),
    ('{"startIndex":0,"totalResults":7,"itemsPerPage":"20","entry":[', "]}"),
    ('\ufeff{"entry":[', '],"totalResults":true}'),
    ('{"entry":[', '],"paging":{"next":"https://uapi.example.com/[\\ud800"}}'),
    ('{"paging":["x"],"entry":[', "]}"),
    ('{"a[":1,"entry":[', "]}"),
    ('[{"entry":[', '],"totalResults":3}]'),
    ('{"entry":{"a":', "}}"),
    ('{"entry":', "}"),
    ('{"entry":[', '],"entry":[]}'),
    ('{"entry":[', '],"entry":[null]}'),
    ('{"entry":[', '],"entry":[{"id":"z1"}]}'),
    ('{"entry":[', '],"\\u0065ntry":[{"id":"z2"}]}'),
    ('{"paging":{"entry":[', ']},"entry":[null]}'),
    ('{"paging":{"entry":[', ']},"entry":[{"id":"z3"}]}'),
    ('{"id":"z4","phoneCallView":[', "]}"),
    ('{"id":"z5","phoneCallView":[', '],"totalResults":0}'),
    ('{"entry":[', '],"error":{"code":"user_invalid"}}'),
    ('{"entry":[', '],"error":null}'),
    ('{"entry":[', '],"x":NaN}'),
    ('{"x":Infinity,"entry":[', "]}"),
    ('{"entry":[', "]}]"),
    ('{"entry":[', "]"),
    (" [ ", " ] "),
    ('{"entry":[\x0b', "]}"),
    ('{"entry":[', "\x0c]}"),
    ("", ""),
]
BYTES = [b",", b"]", b"[", b"{", b"}", b'"', b"\\", b" ", b"\xff", b"\xe2\x82", b"\x00", b"\xef\xbb\xbf", b"NaN", b"0"]


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Lists in every form, of true entries and others; some of them broken somewhere."""
    head, tail = draw(st.sampled_from(AROUND[:8]) | st.sampled_from(AROUND))
    entries = draw(st.lists(st.sampled_from(ENTRIES[:9]) | st.sampled_from(ENTRIES), max_size=4))
    body = (head + draw(st.sampled_from([",", ", ", " ,\n "])).join(entries) + tail).encode()
    at = draw(st.integers(0, len(body)))
    return draw(st.sampled_from([body] * 6 + [body[:at], body[:at] + draw(st.sampled_from(BYTES)) + body[at:]]))


def outcome(http_status: int, body: bytes, before: Shown | None = None) -> object:
    """The page, or what went wrong; without `before` the page is read whole."""
    try:
        if before is None:
            return wire.read_page(http_status, body)
        return whole(Pages(before).reading(http_status, body))
    except PbxError as failure:
        return type(failure), str(failure)


@pytest.mark.parametrize(("head", "tail"), AROUND)
def test_whatever_stands_around_the_entries_they_are_read_as_ever(head: str, tail: str) -> None:
    for between in (",", "", ",,", " ", "\x0b,", ",\x0c", " \n,\r\t", "x"):
        body = (head + between.join(ENTRIES[:2]) + tail).encode()
        assert outcome(200, body, Shown()) == outcome(200, body)


@pytest.mark.parametrize("entry", ENTRIES, ids=range(len(ENTRIES)))
def test_whatever_an_entry_is_it_is_read_as_ever(entry: str) -> None:
    for listed in (entry, f"{entry},{ENTRIES[0]}", f"{ENTRIES[0]},{entry}"):
        for body in (f'{{"entry":[{listed}]}}'.encode(), f"[{listed}]".encode(), f"[ {listed}]".encode()):
            assert outcome(200, body, Shown()) == outcome(200, body)


@thorough
@given(body=bodies(), earlier=bodies(), http_status=st.sampled_from([200, 200, 200, 200, 201, 204, 400, 503]))
def test_a_page_read_entry_by_entry_is_the_page_read_whole(body: bytes, earlier: bytes, http_status: int) -> None:
    shown = Pages(Shown())
    for known in (earlier, body):
        assert outcome(http_status, body, shown.shown) == outcome(http_status, body)
        shown = Pages(shown.shown)
        try:
            whole(shown.reading(200, known))
        except PbxError:
            continue


# ── what was there last time ──


def test_an_entry_of_the_last_list_is_the_same_object() -> None:
    first, shown = read(an_envelope(a_call("c1"), a_call("c2")))
    again, _ = read(an_envelope(a_call("c1"), a_call("c2")), shown)
    assert [one is other for one, other in zip(first, again, strict=True)] == [True, True]


CHANGES: dict[str, tuple[list[dict[str, Any]], list[bool], int]] = {
    "nothing": ([a_call("c1"), a_call("c2"), a_call("c3")], [True, True, True], 0),
    "one changed": ([a_call("c1"), a_call("c2", status=3), a_call("c3")], [True, False, True], 1),
    "the first ended": ([a_call("c2"), a_call("c3")], [True, True], 1),
    "one in the middle ended": ([a_call("c1"), a_call("c3")], [True, True], 1),
    "one came first": ([a_call("c0"), a_call("c1"), a_call("c2"), a_call("c3")], [False, True, True, True], 1),
    "one came last": ([a_call("c1"), a_call("c2"), a_call("c3"), a_call("c4")], [True, True, True, False], 1),
    "the other way round": ([a_call("c3"), a_call("c2"), a_call("c1")], [True, True, True], 3),
    "one twice": ([a_call("c1"), a_call("c1"), a_call("c2"), a_call("c3")], [True, True, True, True], 1),
    "all others": ([a_call("c1", status=4), a_call("c2", status=4)], [False, False], 2),
}


@pytest.mark.parametrize(("entries", "same", "anew"), CHANGES.values(), ids=CHANGES)
def test_only_what_has_changed_is_another_object(entries: list[dict[str, Any]], same: list[bool], anew: int) -> None:
    first, shown = read(an_envelope(a_call("c1"), a_call("c2"), a_call("c3")))
    again, _ = read(an_envelope(*entries), shown)
    assert [any(call is known for known in first) for call in again] == same


@pytest.mark.parametrize(("entries", "same", "anew"), CHANGES.values(), ids=CHANGES)
def test_what_stands_where_it_stood_is_not_read_again(
    entries: list[dict[str, Any]], same: list[bool], anew: int
) -> None:
    _, shown = read(an_envelope(a_call("c1"), a_call("c2"), a_call("c3")))
    pages = Pages(shown)
    whole(pages.reading(200, an_envelope(*entries)))
    assert pages.anew == anew


def test_nothing_is_read_again_of_pages_that_overlap() -> None:
    parts = [an_envelope(*(a_call(f"c{n}") for n in numbers)) for numbers in (range(5), range(3, 8))]
    first = Pages(Shown())
    for part in parts:
        whole(first.reading(200, part))
    again = Pages(first.shown)
    for part in parts:
        whole(again.reading(200, part))
    assert (first.anew, again.anew) == (10, 0)


def test_an_entry_that_only_begins_like_one_of_the_last_list_is_another() -> None:
    _, shown = read(b'{"entry":[{"id":"c1"}]}')
    calls, _ = read(b'{"entry":[{"id":"c1","extension":"0003*210"}]}', shown)
    assert calls == (PhoneCall(id="c1", extension="0003*210"),)


def test_what_came_before_the_entry_that_is_expected_is_still_known() -> None:
    first, shown = read(an_envelope(a_call("c1"), a_call("c2"), a_call("c3")))
    pages = Pages(shown)
    parts = [an_envelope(a_call("c1"), a_call("c2")), an_envelope(a_call("c1"), a_call("c2"), a_call("c3"))]
    again = [call for part in parts for call in whole(pages.reading(200, part)).entries]
    assert [call is first[place] for call, place in zip(again, (0, 1, 0, 1, 2), strict=True)] == [True] * 5


def test_of_two_entries_of_one_call_the_first_is_known_again() -> None:
    (_, first, _), shown = read(an_envelope(a_call("c0"), a_call("c1"), a_call("c1", status=3)))
    (again,), _ = read(an_envelope(a_call("c1")), shown)
    assert again is first


def test_an_entry_that_nobody_can_name_is_left_out_again() -> None:
    _, shown = read(b'[{"id":"../x"},{"id":"c1"}]')
    calls, _ = read(b'[{"id":"../x"},{"id":"c1"}]', shown)
    assert [call.id for call in calls] == ["c1"]


def test_names_of_any_script_are_known_again() -> None:
    named = {"entry": [a_call(callerId="\u0218tefan \u6f22 <+15550100>")]}
    body = json.dumps(named, ensure_ascii=False).encode()
    (first,), shown = read(body)
    (again,), _ = read(body, shown)
    assert (again is first, again.views[0].caller_id) == (True, "\u0218tefan \u6f22 <+15550100>")


LONG_WAY: dict[str, bytes] = {
    "an opening brace in a name": json.dumps(a_call("c1", callerId="{ <+15550100>")).encode(),
    "a closing brace in a name": json.dumps(a_call("c1", callerId="}}} <+15550100>")).encode(),
    "half a character": rb'{"id":"c1","phoneCallView":[{"id":"1","callerId":"\ud83d <+15550100>"}]}',
    "a byte that is no UTF-8": b'{"id":"c1","phoneCallView":[{"id":"1","callerId":"Zo\xeb <+15550100>"}]}',
    "NaN in a name": json.dumps(a_call("c1", callerId="NaN <+15550100>")).encode(),
    "Infinity in a name": json.dumps(a_call("c1", callerId="Infinity <+15550100>")).encode(),
    "many views": json.dumps({"id": "c1", "phoneCallView": [{"id": str(n)} for n in range(MOST_VIEWS)]}).encode(),
}


@pytest.mark.parametrize("entry", LONG_WAY.values(), ids=LONG_WAY)
def test_an_entry_that_is_read_the_long_way_is_known_again(entry: bytes) -> None:
    body = b'{"entry":[' + entry + b',{"id":"c2"}]}'
    first, shown = read(body)
    again, _ = read(body, shown)
    assert [one is other for one, other in zip(first, again, strict=True)] == [True, True]


@pytest.mark.parametrize("entry", LONG_WAY.values(), ids=LONG_WAY)
def test_an_entry_that_is_read_the_long_way_is_read_as_ever(entry: bytes) -> None:
    body = b'{"entry":[' + entry + b',{"id":"c2"}]}'
    assert outcome(200, body, Shown()) == outcome(200, body)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_an_entry_that_is_too_long_for_the_long_way_is_read_as_ever(over: int) -> None:
    short = json.dumps(a_call("c1", callerId="{"))
    entry = json.dumps(a_call("c1", callerId="{" * (LONGEST - len(short) + 1 + over)))
    body = f'{{"entry":[{entry},{{"id":"c2"}}]}}'.encode()
    assert (len(entry) - LONGEST, outcome(200, body, Shown())) == (over, outcome(200, body))


def test_a_page_that_cannot_be_read_leaves_what_was_known() -> None:
    (first,), shown = read(an_envelope(a_call("c1")))
    with pytest.raises(PbxUnreachable):
        read(an_envelope(a_call("c1"), 7), shown)
    (again,), _ = read(an_envelope(a_call("c1")), shown)
    assert again is first


def test_a_list_in_another_form_is_not_remembered() -> None:
    _, shown = read(json.dumps({"entry": {"c1": a_call("c1")}}).encode())
    assert (shown.pages, shown.calls) == ([], [])


def test_a_byte_order_mark_changes_nothing() -> None:
    (first,), shown = read(b"\xef\xbb\xbf" + an_envelope(a_call()))
    (again,), _ = read(an_envelope(a_call()), shown)
    assert again is first


# ── what is remembered ──


def shown_of(*call_ids: str) -> Shown:
    return read(an_envelope(*(a_call(call_id) for call_id in call_ids)))[1]


ONE = shown_of("c1").size


def test_of_a_scope_only_the_last_list_is_remembered() -> None:
    remembered = Remembered()
    remembered.keep(("@me", "@self"), shown_of("c1", "c2"))
    remembered.keep(("@me", "@self"), later := shown_of("c3"))
    assert remembered.of(("@me", "@self")) is later


def test_a_scope_that_was_never_listed_has_shown_nothing() -> None:
    assert Remembered().of(("@me", "@self")).pages == []


@pytest.mark.parametrize(("most", "kept"), [(3, "abc"), (2, "bc"), (1, "c"), (0, "")], ids=str)
def test_the_scope_that_was_listed_longest_ago_is_forgotten_first(most: int, kept: str) -> None:
    remembered = Remembered(most * ONE)
    for user in "abc":
        remembered.keep((user, "@self"), shown_of("c1"))
    assert "".join(user for user in "abc" if remembered.of((user, "@self")).pages) == kept


def test_as_many_scopes_are_forgotten_as_it_takes() -> None:
    remembered = Remembered(2 * ONE)
    for user, call_ids in (("a", ["c1"]), ("b", ["c1"]), ("c", ["c1", "c2"])):
        remembered.keep((user, "@self"), shown_of(*call_ids))
    assert [user for user in "abc" if remembered.of((user, "@self")).pages] == ["c"]


def test_a_scope_that_was_listed_again_was_not_listed_long_ago() -> None:
    remembered = Remembered(2 * ONE)
    for user in "abac":
        remembered.keep((user, "@self"), shown_of("c1"))
    assert [user for user in "abc" if remembered.of((user, "@self")).pages] == ["a", "c"]


def test_a_list_that_is_longer_than_all_that_may_be_remembered_is_not() -> None:
    remembered = Remembered(ONE)
    remembered.keep(("@me", "@self"), shown_of("c1", "c2"))
    assert remembered.of(("@me", "@self")).pages == []


# ── in slices, and in pages ──

FORMS: dict[str, Any] = {
    "documented": lambda calls: {"entry": calls},
    "keyed by id": lambda calls: {"entry": {call["id"]: call for call in calls}},
    "wrapped": lambda calls: [{"entry": calls}],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_others_get_their_turn_after_each_slice(form: Any) -> None:
    reading = Pages(Shown()).reading(200, json.dumps(form([a_call(f"c{n}") for n in range(3 * SLICE + 1)])).encode())
    assert len(list(reading)) == 3


def test_others_get_their_turn_though_nothing_has_changed() -> None:
    body = an_envelope(*(a_call(f"c{number}") for number in range(3 * SLICE + 1)))
    _, shown = read(body)
    assert len(list(Pages(shown).reading(200, body))) == 3


@pytest.mark.parametrize(
    ("start", "came", "following"),
    [
        (0, 1, 1),
        (0, 19, 19),
        (0, 20, 19),
        (0, 100, 95),
        (0, 1000, 950),
        (950, 4050, LAST_START - 202),
        (950, 4300, LAST_START),
        (4999, 1, LAST_START),
        (LAST_START, 5000, LAST_START),
    ],
)
def test_a_page_begins_a_little_before_the_end_of_the_one_before_it(start: int, came: int, following: int) -> None:
    assert next_start(start, came) == following


@given(start=st.integers(0, LAST_START - 1), came=st.integers(1, 5000))
def test_every_page_gets_further_until_the_last_start(start: int, came: int) -> None:
    assert start < next_start(start, came) <= min(start + came, LAST_START)


def test_a_page_of_the_documented_form_is_read_with_its_total() -> None:
    assert outcome(200, an_envelope(a_call("c1"), total="34922"), Shown()) == Page(
        (PhoneCall.model_validate(a_call("c1")),), 34922
    )
