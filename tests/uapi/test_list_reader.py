"""A page read entry by entry says what a page read whole says, and what has not changed is not read again."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calls import MOST_VIEWS_IN_CALL, OBJECT_ID, PhoneCall
from bot.domain.errors import PbxError, PbxUnreachable
from bot.uapi.list_reader import LONGEST_ENTRY, Entry, LastLists, ListReader
from bot.uapi.parsing import LARGEST_WHOLE, MOST_ENTRIES, TOO_LARGE, Page, read_calls

thorough = settings(max_examples=400, deadline=None)


def a_call(call_id: str = "b817d2618fe6f1804333", **fields: Any) -> dict[str, Any]:
    view = {"id": "01", "extension": "0003*210", "status": "5", "source": ["+15550100"], "callerId": "Jane <+15550100>"}
    return {"id": call_id, "extension": "0003*210", "published": "2026-11-20T10:00:00+02:00"} | {
        "phoneCallView": [view | fields, view | {"id": "02"}]
    }


def an_envelope(*entries: object, total: object = 2) -> bytes:
    return json.dumps({"entry": list(entries), "totalResults": total, "paging": {"next": "https://x[y"}}).encode()


def read(body: bytes, last: list[Entry] | None = None) -> tuple[tuple[PhoneCall, ...], list[Entry]]:
    reader = ListReader(last or [])
    return asyncio.run(reader.read(200, body)).entries, reader.shown


# ── both ways to read a page give the same ──

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
    json.dumps(a_call("e2", callerId="NaN Infinity <+15550100>")),
    json.dumps({"id": "e3", "phoneCallView": [{"id": str(number)} for number in range(MOST_VIEWS_IN_CALL)]}),
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


def outcome(http_status: int, body: bytes, last: list[Entry] | None = None) -> object:
    """The page, or what went wrong; without `last` the page is read whole."""
    try:
        if last is None:
            calls, total = read_calls(http_status, body)
            whole = list(calls)
            named = tuple(call for call in whole if call is not None and OBJECT_ID.fullmatch(call.id))
            return Page(named, total, whole.count(None))
        return asyncio.run(ListReader(last).read(http_status, body))
    except PbxError as failure:
        return type(failure), str(failure)


@pytest.mark.parametrize(("head", "tail"), AROUND)
def test_whatever_stands_around_the_entries_they_are_read_as_in_a_page_read_whole(head: str, tail: str) -> None:
    for between in (",", "", ",,", " ", "\x0b,", ",\x0c", " \n,\r\t", "x"):
        body = (head + between.join(ENTRIES[:2]) + tail).encode()
        assert outcome(200, body, []) == outcome(200, body)


@pytest.mark.parametrize("entry", ENTRIES, ids=range(len(ENTRIES)))
def test_whatever_an_entry_is_it_is_read_as_in_a_page_read_whole(entry: str) -> None:
    for listed in (entry, f"{entry},{ENTRIES[0]}", f"{ENTRIES[0]},{entry}"):
        for body in (f'{{"entry":[{listed}]}}'.encode(), f"[{listed}]".encode(), f"[ {listed}]".encode()):
            assert outcome(200, body, []) == outcome(200, body)


@thorough
@given(body=bodies(), earlier=bodies(), http_status=st.sampled_from([200, 200, 200, 200, 201, 204, 400, 503]))
def test_a_page_read_entry_by_entry_is_the_page_read_whole(body: bytes, earlier: bytes, http_status: int) -> None:
    last: list[Entry] = []
    for known in (earlier, body):
        assert outcome(http_status, body, last) == outcome(http_status, body)
        with suppress(PbxError):
            _, last = read(known, last)


# ── what has not changed ──


def test_an_entry_that_has_not_changed_is_not_read_again() -> None:
    first, shown = read(an_envelope(a_call("c1"), a_call("c2")))
    for _ in range(2):
        again, shown = read(an_envelope(a_call("c1"), a_call("c2")), shown)
        assert [one is other for one, other in zip(first, again, strict=True)] == [True, True]


CHANGES: dict[str, tuple[list[dict[str, Any]], list[bool]]] = {
    "one changed": ([a_call("c1"), a_call("c2", status=3), a_call("c3")], [True, False, True]),
    "the first ended": ([a_call("c2"), a_call("c3")], [False, True]),
    "one in the middle ended": ([a_call("c1"), a_call("c3"), a_call("c4")], [True, False, True]),
    "one came first": ([a_call("c0"), a_call("c1"), a_call("c2")], [False, True, True]),
    "one came last": ([a_call("c3"), a_call("c4"), a_call("c5")], [False, True, False]),
    "one twice": ([a_call("c1"), a_call("c1"), a_call("c2")], [True, False, True]),
    "all others": ([a_call("c1", status=4), a_call("c2", status=4)], [False, False]),
}


@pytest.mark.parametrize(("entries", "same"), CHANGES.values(), ids=CHANGES)
def test_after_a_change_what_follows_is_recognised_again(entries: list[dict[str, Any]], same: list[bool]) -> None:
    first, shown = read(an_envelope(*(a_call(call_id) for call_id in ("c1", "c2", "c3", "c4"))))
    again, _ = read(an_envelope(*entries), shown)
    assert [any(call is known for known in first) for call in again] == same


def test_an_entry_that_only_begins_like_one_of_the_last_list_is_another() -> None:
    _, shown = read(b'{"entry":[{"id":"c1"}]}')
    calls, _ = read(b'{"entry":[{"id":"c1","extension":"0003*210"}]}', shown)
    assert calls == (PhoneCall(id="c1", extension="0003*210"),)


def test_an_entry_that_nobody_can_name_is_left_out_again() -> None:
    _, shown = read(b'[{"id":"../x"},{"id":"c1"}]')
    calls, _ = read(b'[{"id":"../x"},{"id":"c1"}]', shown)
    assert [call.id for call in calls] == ["c1"]


def test_names_of_any_script_are_recognised_again() -> None:
    named = {"entry": [a_call(callerId="\u0218tefan \u6f22 <+15550100>")]}
    body = json.dumps(named, ensure_ascii=False).encode()
    (first,), shown = read(body)
    (again,), _ = read(body, shown)
    assert (again is first, again.views[0].caller_id) == (True, "\u0218tefan \u6f22 <+15550100>")


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_longest_entry_is_read_as_in_a_page_read_whole(over: int) -> None:
    short = json.dumps(a_call("c1", callerId="{"))
    entry = json.dumps(a_call("c1", callerId="{" * (LONGEST_ENTRY - len(short) + 1 + over)))
    body = f'{{"entry":[{entry},{{"id":"c2"}}]}}'.encode()
    assert (len(entry) - LONGEST_ENTRY, outcome(200, body, [])) == (over, outcome(200, body))


def test_a_page_that_cannot_be_read_leaves_what_was_known() -> None:
    (first,), shown = read(an_envelope(a_call("c1")))
    with pytest.raises(PbxUnreachable):
        read(an_envelope(a_call("c1"), 7), shown)
    (again,), _ = read(an_envelope(a_call("c1")), shown)
    assert again is first


def test_a_list_in_another_form_is_not_remembered() -> None:
    _, shown = read(json.dumps({"entry": {"c1": a_call("c1")}}).encode())
    assert shown == []


def test_a_byte_order_mark_changes_nothing() -> None:
    (first,), shown = read(b"\xef\xbb\xbf" + an_envelope(a_call()))
    (again,), _ = read(an_envelope(a_call()), shown)
    assert again is first


# ── what is remembered ──


def shown_of(*call_ids: str) -> list[Entry]:
    return read(an_envelope(*(a_call(call_id) for call_id in call_ids)))[1]


ONE = len(shown_of("c1")[0][0])


def test_of_a_scope_only_the_last_list_is_remembered() -> None:
    last_lists = LastLists()
    last_lists.keep(("@me", "@self"), shown_of("c1", "c2"))
    last_lists.keep(("@me", "@self"), later := shown_of("c3"))
    assert last_lists.of(("@me", "@self")) is later


def test_a_scope_that_was_never_listed_has_shown_nothing() -> None:
    assert LastLists().of(("@me", "@self")) == []


@pytest.mark.parametrize(("most", "kept"), [(3, "abc"), (2, "bc"), (1, "c"), (0, "")], ids=str)
def test_the_scope_that_was_listed_longest_ago_is_forgotten_first(most: int, kept: str) -> None:
    last_lists = LastLists(most * ONE)
    for user in "abc":
        last_lists.keep((user, "@self"), shown_of("c1"))
    assert "".join(user for user in "abc" if last_lists.of((user, "@self"))) == kept


def test_as_many_scopes_are_forgotten_as_it_takes() -> None:
    last_lists = LastLists(2 * ONE)
    for user, call_ids in (("a", ["c1"]), ("b", ["c1"]), ("c", ["c1", "c2"])):
        last_lists.keep((user, "@self"), shown_of(*call_ids))
    assert [user for user in "abc" if last_lists.of((user, "@self"))] == ["c"]


def test_a_scope_that_was_listed_again_was_not_listed_long_ago() -> None:
    last_lists = LastLists(2 * ONE)
    for user in "abac":
        last_lists.keep((user, "@self"), shown_of("c1"))
    assert [user for user in "abc" if last_lists.of((user, "@self"))] == ["a", "c"]


# ── a whole page ──


def test_a_page_of_the_documented_form_is_read_with_its_total() -> None:
    assert outcome(200, an_envelope(a_call("c1"), total="34922"), []) == Page(
        (PhoneCall.model_validate(a_call("c1")),), 34922
    )


FORMS: dict[str, Callable[[list[str]], object]] = {
    "a list": lambda ids: [{"id": one} for one in ids],
    "an envelope": lambda ids: {"entry": [{"id": one} for one in ids]},
    "an envelope by id": lambda ids: {"entry": {one: {"ownerId": "3"} for one in ids}},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_page_of_more_entries_than_can_be_asked_for_is_not_read(form: Callable[[list[str]], object]) -> None:
    ids = [f"c{number}" for number in range(MOST_ENTRIES + 1)]
    assert len(read(json.dumps(form(ids[:-1])).encode())[0]) == MOST_ENTRIES
    with pytest.raises(PbxUnreachable) as caught:
        read(json.dumps(form(ids)).encode())
    assert caught.value.why == TOO_LARGE


def test_a_page_with_much_beside_its_entries_is_not_read() -> None:
    with pytest.raises(PbxUnreachable) as caught:
        read(json.dumps({"beside": "x" * LARGEST_WHOLE, "entry": [a_call("c1"), a_call("c2")]}).encode())
    assert caught.value.why == TOO_LARGE


def test_a_long_page_with_an_entry_that_is_too_long_is_not_read() -> None:
    entry = json.dumps(a_call("c1", callerId="x" * LONGEST_ENTRY))
    others = ",".join(json.dumps(a_call(f"c{number}")) for number in range(2, 2000))
    with pytest.raises(PbxUnreachable) as caught:
        read(f"[{entry},{others}]".encode())
    assert caught.value.why == TOO_LARGE
