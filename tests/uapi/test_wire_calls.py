"""Answers to reads as tables: one call, a page of calls, and what is neither."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.calls import Status
from bot.domain.errors import (
    CallGone,
    PbxUnreachable,
)
from bot.uapi import wire

SAMPLES = Path(__file__).parent.parent / "samples" / "uapi"
PAGES = ("monitor", "whisper", "bargein", "pickup", "startrecording")
OURS = "b817d2618fe6f1804333"
CALL = {"id": OURS, "extension": "0003*210", "phoneCallView": [{"id": "01", "extension": "0003*210", "status": "5"}]}
OTHER = {"id": "444444", "extension": "0003*211"}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


def body(document: object) -> bytes:
    return json.dumps(document).encode()


# ── one call ──


@pytest.mark.parametrize(
    "document",
    [
        CALL,
        [CALL],
        {"entry": [CALL]},
        {"entry": CALL},
        {"id": "list", "entry": [CALL]},
        {"entry": {OURS: CALL}},
        {"entry": {OURS: {"extension": "0003*210", "phoneCallView": CALL["phoneCallView"]}}},
        [{"entry": [CALL], "totalResults": "1"}],
        {"entry": [OTHER, CALL], "totalResults": 2},
        [OTHER, CALL],
        [None, CALL],
        {**CALL, "link": {"self": "https://x.x.x.x//"}, "callerID": "", "unknown": [[[{}]]]},
    ],
    ids=str,
)
def test_a_call_is_read_from_every_form(document: object) -> None:
    call = wire.read_call(200, body(document), OURS)
    assert call is not None
    assert (call.id, call.extension, call.views[0].status) == (OURS, "0003*210", Status.ON_CALL)


@pytest.mark.parametrize("page", PAGES)
def test_a_documented_call_is_understood(page: str) -> None:
    call = wire.read_call(200, (SAMPLES / page / "200.json").read_bytes(), OURS)
    assert call is not None
    assert [view.id for view in call.views] == [view["id"] for view in sample(f"{page}/200.json")["phoneCallView"]]


def test_a_numeric_id_is_the_same_call() -> None:
    assert wire.read_call(200, b'{"id": 444444}', "444444") is not None


@pytest.mark.parametrize(
    ("http_status", "raw"),
    [
        (204, b""),
        (200, b"[]"),
        (200, b'{"entry": []}'),
        (200, b'{"entry": {}}'),
        (200, b'{"entry": null, "totalResults": 0}'),
        (200, b'{"totalResults": "0"}'),
        (200, b'{"totalResults": 0, "startIndex": 0}'),
        (200, b'[{"entry": [], "totalResults": 0}]'),
        (200, body([OTHER])),
        (200, body({"entry": [OTHER]})),
        *((400, body({"error": {"code": code, "message": "m"}})) for code in CallGone.codes),
    ],
)
def test_a_call_that_is_over_is_gone(http_status: int, raw: bytes) -> None:
    assert wire.read_call(http_status, raw, OURS) is None


UNREADABLE = [
    b"",
    b"{}",
    b"null",
    b"true",
    b'"b817d2618fe6f1804333"',
    b"17",
    b"<html><body>It works!</body></html>",
    b'{"id": "b817d2618fe6f1804333", "extension": "00',
    b'{"entry": null}',
    b'{"entry": null, "totalResults": 3}',
    b'{"entry": "none"}',
    b'{"totalResults": false}',
    b'{"totalResults": -1}',
    b'{"entry": [1]}',
    b'{"entry": {"a": 1}}',
    b"[[]]",
    b"[null]",
    b'{"id": ""}',
    b'{"id": null}',
    b'{"id": NaN}',
    b'{"entry": [], "totalResults": NaN}',
    b'{"entry": [], "itemsPerPage": -Infinity}',
    b'{"id": ' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"entry":' * 50_000,
    b'{"id": "b817d2618fe6f1804333", "published": "0001-01-01T00:00:00+14:00", "entry": [7]}',
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize("raw", [*UNREADABLE, b'{"entry": [{"extension": "0003*210"}]}'], ids=lambda raw: raw[:40])
def test_what_cannot_be_read_is_no_call(raw: bytes) -> None:
    with pytest.raises(PbxUnreachable):
        wire.read_call(200, raw, OURS)


@pytest.mark.parametrize("raw", UNREADABLE, ids=lambda raw: raw[:40])
def test_what_cannot_be_read_is_no_page(raw: bytes) -> None:
    with pytest.raises(PbxUnreachable):
        wire.read_page(200, raw)


def test_another_bare_call_is_not_ours() -> None:
    with pytest.raises(PbxUnreachable) as caught:
        wire.read_call(200, body(OTHER), OURS)
    assert caught.value.why == "answered with another call"


@pytest.mark.parametrize("http_status", [201, 202, 203, 205, 206, 207])
def test_a_success_that_no_page_documents_is_no_read(http_status: int) -> None:
    with pytest.raises(PbxUnreachable) as caught:
        wire.read_call(http_status, body(CALL), OURS)
    assert caught.value.why == f"HTTP {http_status}"


def test_half_a_surrogate_pair_spoils_only_its_own_character() -> None:
    raw = rb'{"id":"a1","extension":"\ud83d\ude00 \ud83d \\ud83d \uDC00x \ud83d\ud83d\ude00 \u0041"}'
    call = wire.read_call(200, raw, "a1")
    assert call is not None
    assert call.extension == "\U0001f600 \ufffd \\ud83d \ufffdx \ufffd\U0001f600 A"


def test_a_byte_that_is_no_utf8_spoils_only_its_own_character() -> None:
    call = wire.read_call(200, b'\xef\xbb\xbf{"id":"a1","extension":"Zo\xeb"}', "a1")
    assert call is not None
    assert call.extension == "Zo\ufffd"


# ── a page of calls ──


@pytest.mark.parametrize(
    ("document", "ids", "total"),
    [
        ({"entry": [CALL, OTHER], "totalResults": 2, "startIndex": 0, "itemsPerPage": 20}, [OURS, "444444"], 2),
        ({"entry": [CALL], "totalResults": "34922"}, [OURS], 34922),
        ({"entry": [CALL], "totalResults": "many"}, [OURS], None),
        ({"entry": [CALL], "totalResults": True}, [OURS], None),
        ({"entry": [CALL], "totalResults": -1}, [OURS], None),
        ({"entry": [CALL], "totalResults": 1.5}, [OURS], None),
        ({"entry": [CALL]}, [OURS], None),
        ({"entry": {"444444": {"extension": "0003*211"}, OURS: CALL}, "totalResults": 2}, ["444444", OURS], 2),
        ([{"entry": [CALL], "totalResults": 7}], [OURS], 7),
        ([CALL, OTHER], [OURS, "444444"], None),
        ([CALL, CALL], [OURS, OURS], None),
        (CALL, [OURS], None),
        ([], [], None),
        ({"entry": [], "totalResults": 0}, [], 0),
        ({"totalResults": "0"}, [], 0),
        ({"entry": [CALL], "totalResults": 3, "paging": {"next": "https://evil.example.com/"}}, [OURS], 3),
    ],
    ids=str,
)
def test_a_page_is_read_from_every_form(document: object, ids: list[str], total: int | None) -> None:
    page = wire.read_page(200, body(document))
    assert ([call.id for call in page.entries], page.total) == (ids, total)


def test_no_content_is_an_empty_page() -> None:
    assert wire.read_page(204, b"") == wire.Page((), 0)


def test_a_call_without_an_id_is_skipped_and_counted() -> None:
    page = wire.read_page(200, body({"entry": [CALL, {"extension": "0003*211"}], "totalResults": 2}))
    assert ([call.id for call in page.entries], page.skipped) == ([CALL["id"]], 1)


def test_an_entry_that_is_no_call_spoils_its_page() -> None:
    with pytest.raises(PbxUnreachable):
        wire.read_page(200, body({"entry": [CALL, 5], "totalResults": 2}))


def test_a_date_beyond_the_calendar_is_never_more_than_an_unreadable_answer() -> None:
    try:
        page = wire.read_page(200, b'[{"id":"a","published":"0001-01-01T00:00:00+14:00"}]')
    except PbxUnreachable:
        return
    assert page.entries[0].published is None
