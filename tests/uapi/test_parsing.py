"""Answers as tables: one call, a page of calls, phones, an action, every error; and bodies that are meant to hurt."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.calls import PhoneCall, Status
from bot.domain.errors import (
    REASONS,
    AccessDenied,
    CallGone,
    NotImplementedByPbx,
    PbxBusy,
    PbxError,
    PbxRefused,
    PbxUnauthenticated,
    PbxUnreachable,
    QuestionInvalid,
)
from bot.polling.phone_calls import Accepted
from bot.uapi import parsing

SAMPLES = Path(__file__).parent.parent / "samples" / "uapi"
PAGES = ("monitor", "whisper", "bargein", "pickup", "startrecording")
OURS = "b817d2618fe6f1804333"
CALL = {"id": OURS, "extension": "0003*210", "phoneCallView": [{"id": "01", "extension": "0003*210", "status": "5"}]}
OTHER = {"id": "444444", "extension": "0003*211"}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


def body(document: object) -> bytes:
    return json.dumps(document).encode()


def read_page(http_status: int, raw: bytes) -> parsing.Page[PhoneCall]:
    found, total = parsing.read_calls(http_status, raw)
    calls = tuple(found)
    return parsing.Page(tuple(call for call in calls if call is not None), total, calls.count(None))


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
    call = parsing.read_call(200, body(document), OURS)
    assert call is not None
    assert (call.id, call.extension, call.views[0].status) == (OURS, "0003*210", Status.ON_CALL)


@pytest.mark.parametrize("page", PAGES)
def test_a_documented_call_is_understood(page: str) -> None:
    call = parsing.read_call(200, (SAMPLES / page / "200.json").read_bytes(), OURS)
    assert call is not None
    assert [view.id for view in call.views] == [view["id"] for view in sample(f"{page}/200.json")["phoneCallView"]]


def test_a_numeric_id_is_the_same_call() -> None:
    assert parsing.read_call(200, b'{"id": 444444}', "444444") is not None


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
    assert parsing.read_call(http_status, raw, OURS) is None


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
        parsing.read_call(200, raw, OURS)


@pytest.mark.parametrize("raw", UNREADABLE, ids=lambda raw: raw[:40])
def test_what_cannot_be_read_is_no_page(raw: bytes) -> None:
    with pytest.raises(PbxUnreachable):
        read_page(200, raw)


def test_another_bare_call_is_not_ours() -> None:
    with pytest.raises(PbxUnreachable) as caught:
        parsing.read_call(200, body(OTHER), OURS)
    assert caught.value.why == "answered with another call"


@pytest.mark.parametrize("http_status", [201, 202, 203, 205, 206, 207])
def test_a_success_that_no_page_documents_is_no_read(http_status: int) -> None:
    with pytest.raises(PbxUnreachable) as caught:
        parsing.read_call(http_status, body(CALL), OURS)
    assert caught.value.why == f"HTTP {http_status}"


def test_half_a_surrogate_pair_spoils_only_its_own_character() -> None:
    raw = rb'{"id":"a1","extension":"\ud83d\ude00 \ud83d \\ud83d \uDC00x \ud83d\ud83d\ude00 \u0041"}'
    call = parsing.read_call(200, raw, "a1")
    assert call is not None
    assert call.extension == "\U0001f600 \ufffd \\ud83d \ufffdx \ufffd\U0001f600 A"


def test_a_byte_that_is_no_utf8_spoils_only_its_own_character() -> None:
    call = parsing.read_call(200, b'\xef\xbb\xbf{"id":"a1","extension":"Zo\xeb"}', "a1")
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
    page = read_page(200, body(document))
    assert ([call.id for call in page.entries], page.total) == (ids, total)


def test_no_content_is_an_empty_page() -> None:
    assert read_page(204, b"") == parsing.Page((), 0)


def test_a_call_without_an_id_is_skipped_and_counted() -> None:
    page = read_page(200, body({"entry": [CALL, {"extension": "0003*211"}], "totalResults": 2}))
    assert ([call.id for call in page.entries], page.skipped) == ([CALL["id"]], 1)


def test_an_entry_that_is_no_call_spoils_its_page() -> None:
    with pytest.raises(PbxUnreachable):
        read_page(200, body({"entry": [CALL, 5], "totalResults": 2}))


def test_a_date_beyond_the_calendar_is_never_more_than_an_unreadable_answer() -> None:
    try:
        page = read_page(200, b'[{"id":"a","published":"0001-01-01T00:00:00+14:00"}]')
    except PbxUnreachable:
        return
    assert page.entries[0].published is None


# ── phones ──


@pytest.mark.parametrize(
    "document",
    [
        {"extension": "0003*024", "status": "1"},
        [{"extension": "0003*024", "status": "1"}],
        {"entry": [{"extension": "0003*024", "status": "1"}]},
        {"entry": [{"extension": "0003*024", "status": "1"}, {"status": "1"}, 7]},
        [{"entry": [{"extension": "0003*024", "status": "1"}]}],
    ],
    ids=str,
)
def test_presence_is_read_from_every_form(document: object) -> None:
    page = parsing.read_presences(200, json.dumps(document).encode())
    assert [phone.extension for phone in page.entries] == ["0003*024"]


@pytest.mark.parametrize("body", [b"<html>", b"{", b"", b"[1"])
def test_what_is_no_json_is_no_presence(body: bytes) -> None:
    with pytest.raises(PbxUnreachable):
        parsing.read_presences(200, body)


# ── the answer to an action ──


@pytest.mark.parametrize(
    ("http_status", "raw", "accepted"),
    [
        (200, body(CALL), Accepted.CALL),
        (200, body([CALL]), Accepted.CALL),
        (200, body({"entry": [CALL]}), Accepted.CALL),
        (200, body({**CALL, "links": {"self": "x"}}), Accepted.CALL),
        (200, body(OTHER), Accepted.CALL),
        (200, b"", Accepted.CALL),
        (200, b"<html>", Accepted.CALL),
        (200, b'{"error": nul', Accepted.CALL),
        (201, b"", Accepted.CALL),
        (202, body({"id": OURS, "extension": "0003*210", "link": {"self": "x"}}), Accepted.RINGING),
        (202, b"", Accepted.RINGING),
        (202, b"[" * 100_000, Accepted.RINGING),
        (204, b"", Accepted.NOTHING),
    ],
    ids=repr,
)
def test_an_action_is_accepted_by_its_status(http_status: int, raw: bytes, accepted: Accepted) -> None:
    assert parsing.read_accepted(http_status, raw) is accepted


@pytest.mark.parametrize("page", PAGES)
def test_a_documented_answer_to_an_action_is_accepted(page: str) -> None:
    answer = next(path for path in (SAMPLES / page / "202.json", SAMPLES / page / "200.json") if path.exists())
    accepted = {"202": Accepted.RINGING, "200": Accepted.CALL}[answer.stem]
    assert parsing.read_accepted(int(answer.stem), answer.read_bytes()) is accepted


@pytest.mark.parametrize("http_status", [203, 205, 206, 226])
def test_a_success_that_no_page_documents_is_doubtful(http_status: int) -> None:
    with pytest.raises(PbxUnreachable):
        parsing.read_accepted(http_status, b"")


def test_an_error_under_a_status_of_success_is_a_no() -> None:
    with pytest.raises(CallGone):
        parsing.read_accepted(200, b'{"error": {"code": "pc_phonecall_invalid", "message": "no"}}')


# ── errors ──

CODES = [(code, reason) for reason in REASONS for code in reason.codes]


@pytest.mark.parametrize(("code", "reason"), CODES)
def test_every_documented_code_has_its_error(code: str, reason: type[PbxRefused]) -> None:
    with pytest.raises(PbxRefused) as caught:
        parsing.raise_for(400, body({"error": {"code": code, "message": "m"}}))
    assert (type(caught.value), caught.value.code, caught.value.http_status) == (reason, code, 400)


@pytest.mark.parametrize("path", sorted((SAMPLES / "errors").glob("*.json")), ids=lambda path: path.stem)
def test_a_documented_error_is_read_with_its_code(path: Path) -> None:
    documented = json.loads(path.read_text())
    with pytest.raises(PbxError) as caught:
        parsing.raise_for(documented["status"], body(documented["body"]))
    assert caught.value.code == path.stem


@pytest.mark.parametrize(
    ("http_status", "raw", "error", "code"),
    [
        (400, b"", PbxRefused, ""),
        (400, b"<html>", PbxRefused, ""),
        (400, b'{"error": {"code": "count_invalid"}}', QuestionInvalid, "count_invalid"),
        (400, b'{"error": {"code": "pc_moon_invalid"}}', PbxRefused, "pc_moon_invalid"),
        (400, b'{"error": {"code": "<!channel>"}}', PbxRefused, ""),
        (400, b'{"error": {"code": 7}}', PbxRefused, ""),
        (400, b'{"error": {"code": "' + b"a" * 65 + b'"}}', PbxRefused, ""),
        (400, b'{"error": {}}', PbxRefused, ""),
        (400, b'{"error": []}', PbxRefused, ""),
        (400, b'["error"]', PbxRefused, ""),
        (400, b'{"error": "invalid_grant"}', PbxRefused, "invalid_grant"),
        (401, b"", PbxUnauthenticated, "access_denied"),
        (401, b'{"error": {"code": "access_denided"}}', PbxUnauthenticated, "access_denided"),
        (401, b'{"error": {"code": "pc_phonecall_invalid"}}', PbxUnauthenticated, "pc_phonecall_invalid"),
        (403, b"", AccessDenied, "access_denied"),
        (403, b'{"error": {"code": "forbidden"}}', AccessDenied, "forbidden"),
        (403, b'{"error": {"code": "pc_phonecall_invalid"}}', CallGone, "pc_phonecall_invalid"),
        (404, b"", PbxRefused, ""),
        (409, b"", PbxBusy, ""),
        (409, b'{"error": {"code": "limit_exceeded"}}', PbxBusy, "limit_exceeded"),
        (429, b"<html>", PbxBusy, ""),
        (429, b'{"error": {"code": "pc_phonecall_invalid"}}', CallGone, "pc_phonecall_invalid"),
        (501, b'{"error": {"code": "request_not_implemented"}}', NotImplementedByPbx, "request_not_implemented"),
        (501, b"", PbxUnreachable, ""),
        (501, b'{"error": {"code": "pc_phonecall_invalid"}}', PbxUnreachable, ""),
        (100, b"", PbxUnreachable, ""),
        (301, b"", PbxUnreachable, ""),
        (307, b"", PbxUnreachable, ""),
        (408, b"", PbxUnreachable, ""),
        (500, b'{"error": {"code": "internal_server_error"}}', PbxUnreachable, ""),
        (502, b"", PbxUnreachable, ""),
        (599, b"", PbxUnreachable, ""),
        (600, b"", PbxUnreachable, ""),
    ],
)
def test_a_status_and_body_become_one_error(http_status: int, raw: bytes, error: type[PbxError], code: str) -> None:
    with pytest.raises(PbxError) as caught:
        parsing.raise_for(http_status, raw)
    assert (type(caught.value), caught.value.code) == (error, code)


def test_a_redirect_says_that_it_is_one() -> None:
    with pytest.raises(PbxUnreachable) as caught:
        parsing.raise_for(307, b"")
    assert caught.value.why == "HTTP 307 (a redirect, not followed)"


def test_the_documented_misspelling_is_kept_as_the_code() -> None:
    with pytest.raises(CallGone) as caught:
        parsing.raise_for(400, b'{"error": {"code": "pc_honecall_invalid"}}')
    assert caught.value.code == "pc_honecall_invalid"


@pytest.mark.parametrize(
    ("http_status", "raw", "expected"),
    [
        (401, b"", True),
        (403, b"", True),
        (403, b'{"error": {"code": "access_denided"}}', True),
        (403, b'{"error": {"code": "pc_phonecall_invalid"}}', False),
        (400, b'{"error": {"code": "access_denied"}}', False),
        (200, b"", False),
    ],
)
def test_a_fresh_token_may_help_against_401_and_403(http_status: int, raw: bytes, expected: bool) -> None:
    assert parsing.is_unauthenticated(http_status, raw) is expected


@pytest.mark.parametrize(
    ("http_status", "expected"),
    [
        *((status, True) for status in (408, 409, 429, 500, 502, 503, 504)),
        *((status, False) for status in (200, 204, 307, 400, 401, 403, 404, 501)),
    ],
)
def test_a_read_is_worth_repeating_where_the_pbx_may_recover(http_status: int, expected: bool) -> None:
    assert parsing.is_worth_repeating(http_status) is expected


# ── hostile bodies ──

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "entry", "totalResults", "error", "code", "phoneCallView", "published", "status", "source"]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
BODIES = st.binary(max_size=200) | JSON.map(body) | JSON.map(body).map(lambda raw: raw[: len(raw) // 2])


@given(st.integers(100, 599), BODIES)
@example(200, b'{"id":"a","answered":"9999-12-31T23:59:59-14:00"}')
@example(200, rb'{"id":"\ud800"}')
def test_a_hostile_body_makes_nothing_but_a_clean_error(http_status: int, raw: bytes) -> None:
    for reading in (
        lambda: parsing.read_call(http_status, raw, OURS),
        lambda: read_page(http_status, raw),
        lambda: parsing.read_accepted(http_status, raw),
    ):
        try:
            reading()
        except PbxError as error:
            str(error).encode()


@given(JSON)
def test_a_readable_call_can_be_written_as_utf8(document: object) -> None:
    try:
        page = read_page(200, body(document))
    except PbxError:
        return
    for call in page.entries:
        call.model_dump_json().encode()


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=30))
def test_a_text_without_half_pairs_is_read_as_it_was_written(text: str) -> None:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    page = read_page(200, body([{"id": "a", "extension": whole}]))
    assert page.entries[0].extension == whole
