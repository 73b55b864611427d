"""Errors of the PBX as tables, and bodies that are meant to hurt."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
from bot.uapi import wire

SAMPLES = Path(__file__).parent.parent / "samples" / "uapi"
OURS = "b817d2618fe6f1804333"


def body(document: object) -> bytes:
    return json.dumps(document).encode()


# ── errors ──

CODES = [(code, reason) for reason in REASONS for code in reason.codes]


@pytest.mark.parametrize(("code", "reason"), CODES)
def test_every_documented_code_has_its_error(code: str, reason: type[PbxRefused]) -> None:
    with pytest.raises(PbxRefused) as caught:
        wire.raise_for(400, body({"error": {"code": code, "message": "m"}}))
    assert (type(caught.value), caught.value.code, caught.value.http_status) == (reason, code, 400)


@pytest.mark.parametrize("path", sorted((SAMPLES / "errors").glob("*.json")), ids=lambda path: path.stem)
def test_a_documented_error_is_read_with_its_code(path: Path) -> None:
    documented = json.loads(path.read_text())
    with pytest.raises(PbxError) as caught:
        wire.raise_for(documented["status"], body(documented["body"]))
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
        wire.raise_for(http_status, raw)
    assert (type(caught.value), caught.value.code) == (error, code)


def test_a_redirect_says_that_it_is_one() -> None:
    with pytest.raises(PbxUnreachable) as caught:
        wire.raise_for(307, b"")
    assert caught.value.why == "HTTP 307 (a redirect, not followed)"


def test_the_documented_misspelling_is_kept_as_the_code() -> None:
    with pytest.raises(CallGone) as caught:
        wire.raise_for(400, b'{"error": {"code": "pc_honecall_invalid"}}')
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
    assert wire.is_unauthenticated(http_status, raw) is expected


@pytest.mark.parametrize(
    ("http_status", "expected"),
    [
        *((status, True) for status in (408, 409, 429, 500, 502, 503, 504)),
        *((status, False) for status in (200, 204, 307, 400, 401, 403, 404, 501)),
    ],
)
def test_a_read_is_worth_repeating_where_the_pbx_may_recover(http_status: int, expected: bool) -> None:
    assert wire.is_worth_repeating(http_status) is expected


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
        lambda: wire.read_call(http_status, raw, OURS),
        lambda: wire.read_page(http_status, raw),
        lambda: wire.read_accepted(http_status, raw),
    ):
        try:
            reading()
        except PbxError as error:
            str(error).encode()


@given(JSON)
def test_a_readable_call_can_be_written_as_utf8(document: object) -> None:
    try:
        page = wire.read_page(200, body(document))
    except PbxError:
        return
    for call in page.entries:
        call.model_dump_json().encode()


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=30))
def test_a_text_without_half_pairs_is_read_as_it_was_written(text: str) -> None:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    page = wire.read_page(200, body([{"id": "a", "extension": whole}]))
    assert page.entries[0].extension == whole
