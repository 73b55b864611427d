"""From the status and the body of an answer to a value or an error. No I/O.

Answers are read tolerantly, for the pages differ: a call comes bare, in a list or in an OpenSocial envelope
(`{"entry": …, "totalResults": …}`), whose `entry` is a list or an object keyed by id. Links in answers (`link`, `links`,
`paging.next`) are never followed. Of a body only an error code in the documented form gets into an error. How a single
value is read is in `bot.domain.calls`.

Sources: "List PhoneCalls", "CDR Resource", "List QueueAgents", "HTTP Return Codes".
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Never, TypeVar

from bot.domain.calls import PhoneCall, Presence, phone_call, presence_from
from bot.domain.errors import (
    AccessDenied,
    CallGone,
    NotImplementedByPbx,
    PbxBusy,
    PbxFault,
    PbxRefused,
    PbxUnauthenticated,
    PbxUnreachable,
    refusal_with,
)
from bot.polling.phone_calls import Accepted

LARGEST_WHOLE = 512 * 1024
"""Bytes of an answer that are read at once, in some 10 ms. A longer answer is read in slices, or not at all."""
MOST_ENTRIES = 5000
"""Entries of one answer: the highest `count` of "List PhoneCalls"."""
TOO_LARGE = "answer too large"

T = TypeVar("T")
_HALVES = re.compile(r"\\(?<!\\\\)((?:\\\\)*+)(?i:(ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|ud[89a-f][0-9a-f]{2})")
"""Escapes of surrogates in JSON, after backslashes that escape each other. Without the second group it is half a pair,
which is no character. It begins with a backslash, which `re` finds quickly."""


# ── calls, phones, actions ──


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list as it came, repeated ids included. `total` is of all pages, None if the PBX does not say.

    `skipped` is the number of calls without an id.
    """

    entries: tuple[T, ...]
    total: int | None
    skipped: int = 0


def read_call(http_status: int, body: bytes, call_id: str) -> PhoneCall | None:
    """The call asked for, or None if it is gone: 204, an empty envelope or list, or 400 with a code of CallGone.

    Raises PbxUnreachable if the answer cannot be read or is another call, and as `raise_for`.
    """
    if http_status == 204:
        return None
    try:
        document = _document(http_status, body)
    except CallGone:
        return None
    if is_bare(document):
        call = a_call(document)
        if call is None:
            raise PbxUnreachable("unreadable answer")
        if call.id != call_id:
            raise PbxUnreachable("answered with another call")
        return call
    calls = [phone_call(entry) for entry in entries(document)]
    found = next((call for call in calls if call is not None and call.id == call_id), None)
    if found is None and None in calls:
        raise PbxUnreachable("unreadable answer")
    return found


def read_calls(http_status: int, body: bytes) -> tuple[Iterator[PhoneCall | None], int | None]:
    """The calls of a page one by one, None for one without an id, and the total, None if the PBX does not say.

    An entry that is not a call raises PbxUnreachable when it is reached, as a page does that cannot be read. Else raises as
    `raise_for`.
    """
    if http_status == 204:
        return iter(()), 0
    document = _document(http_status, body)
    if not is_bare(document):
        return map(a_call, entries(document)), total(document)
    call = a_call(document)
    if call is None:
        raise PbxUnreachable("unreadable answer")
    return iter((call,)), None


def a_call(value: object) -> PhoneCall | None:
    """A call; None if it has no id. Raises PbxUnreachable if it is not an object."""
    call = phone_call(value)
    if call is None and not isinstance(value, dict):
        raise PbxUnreachable("unreadable answer")
    return call


def read_presences(http_status: int, body: bytes) -> Page[Presence]:
    """One page of phones. An entry that cannot be read is left out. Raises as `read_calls`."""
    if http_status == 204:
        return Page((), 0)
    document = _document(http_status, body)
    bare = isinstance(document, dict) and "extension" in document and "entry" not in document
    found = map(presence_from, [document] if bare else entries(document))
    return Page(tuple(phone for phone in found if phone is not None), None if bare else total(document))


def _document(http_status: int, body: bytes) -> object:
    """The JSON of a successful read. Raises the error that the answer stands for."""
    raise_for(http_status, body, read=True)
    if http_status != 200:
        raise PbxUnreachable(f"HTTP {http_status}")
    return parsed(body)


def read_accepted(http_status: int, body: bytes) -> Accepted:
    """How an action was accepted. The body may be anything but an error: the call is polled anyway.

    Raises PbxUnreachable for a status that neither accepts nor refuses, and as `raise_for`.
    """
    raise_for(http_status, body)
    match http_status:
        case 200 | 201:
            return Accepted.CALL
        case 202:
            return Accepted.RINGING
        case 204:
            return Accepted.NOTHING
    raise PbxUnreachable(f"HTTP {http_status}")


# ── errors ──


def raise_for(http_status: int, body: bytes, *, read: bool = False) -> None:
    """Turn an answer that is not a success into an error of `bot.domain.errors`; so is a success with an error in its body.

    Raises PbxUnauthenticated (401), PbxRefused or the subclass that the code names (400, 403, 409, 429, other 4xx,
    501 request_not_implemented), PbxUnreachable (5xx, 408, redirects, whatever else is no 2xx). A `read` changes nothing, so
    a fault that the PBX names is raised as PbxFault, not as PbxUnreachable.
    """
    code = error_code(body)
    if http_status == 401:
        raise PbxUnauthenticated(code or "access_denied")
    reason = refusal_with(code, http_status)
    if 200 <= http_status <= 299:
        if code:
            raise reason
    elif 400 <= http_status <= 499 and http_status != 408:
        raise _no(reason, http_status)
    elif (http_status == 501 and isinstance(reason, NotImplementedByPbx)) or (
        read and http_status >= 500 and isinstance(reason, PbxFault)
    ):
        raise reason
    else:
        redirect = " (a redirect, not followed)" if 300 <= http_status <= 399 else ""
        raise PbxUnreachable(f"HTTP {http_status}{redirect}")


def _no(reason: PbxRefused, http_status: int) -> PbxRefused:
    """What a 4xx means: its code if that is documented, else its status."""
    if type(reason) is not PbxRefused:
        return reason
    if http_status == 403:
        return AccessDenied(reason.code or "access_denied", http_status)
    if http_status in {409, 429}:  # the vendor's own client lists 409 as "Limit Exceeded"
        return PbxBusy(reason.code, http_status)
    return reason


def documented_code(body: bytes) -> str:
    """The code of an error if it is documented, else an empty text."""
    code = error_code(body)
    return "" if type(refusal_with(code)) is PbxRefused else code


def is_unauthenticated(http_status: int, body: bytes) -> bool:
    """Whether a fresh token may help. The pages say 401 for an old token; clients have met 403, too."""
    return http_status == 401 or (
        http_status == 403 and isinstance(_no(refusal_with(error_code(body), http_status), http_status), AccessDenied)
    )


def is_worth_repeating(http_status: int) -> bool:
    """Whether a read with this status may succeed in a moment. After 501 it never will."""
    return http_status in {408, 409, 429} or (http_status >= 500 and http_status != 501)


# ── JSON ──


def parsed(body: bytes) -> object:
    """The JSON of a body. Invalid characters become U+FFFD: one broken caller name must not hide all calls.

    Raises PbxUnreachable if it is not JSON (RFC 8259 has no NaN), too long or too deep, or has numbers of thousands of digits.
    """
    if len(body) > LARGEST_WHOLE:
        raise PbxUnreachable(TOO_LARGE)
    text = _HALVES.sub(
        lambda escape: escape[0] if escape[2] else rf"\{escape[1]}ufffd", body.decode("utf-8-sig", "replace")
    )
    try:
        return json.loads(text, parse_constant=not_a_number)
    except (ValueError, RecursionError):
        raise PbxUnreachable("unreadable answer") from None


def not_a_number(name: str) -> Never:
    """The `parse_constant` of a JSON decoder: NaN and infinity are not JSON. Raises ValueError."""
    raise ValueError(f"{name} is no JSON")


def error_code(body: bytes) -> str:
    """The code of `{"error": {"code": …}}`, or of the token endpoint's `{"error": …}`; empty if there is none."""
    if b'"error"' not in body:
        return ""
    try:
        document = parsed(body)
    except PbxUnreachable:
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_]{1,64}", code) else ""


# ── entries ──


def is_bare(document: object) -> bool:
    """Whether it is a PhoneCall without an envelope, as in the examples of the pages."""
    return isinstance(document, dict) and "id" in document and "entry" not in document


def entries(document: object) -> list[object]:
    """The entries of a list as JSON. An envelope without `entry` is empty only if its total is 0.

    Raises PbxUnreachable if it is neither, and if there are more than MOST_ENTRIES.
    """
    match _envelope(document):
        case list() as found:
            pass
        case {"entry": list() as found}:
            pass
        case {"entry": {"id": str() | int()} as entry}:
            found = [entry]
        case {"entry": dict() as by_id}:
            some = islice(by_id.items(), MOST_ENTRIES + 1)
            found = [{"id": key, **entry} if isinstance(entry, dict) else entry for key, entry in some]
        case envelope if total(envelope) == 0:
            found = []
        case _:
            raise PbxUnreachable("unreadable answer")
    if len(found) > MOST_ENTRIES:
        raise PbxUnreachable(TOO_LARGE)
    return found


def total(document: object) -> int | None:
    """`totalResults` of an envelope, a number or a numeric string; None if it is missing or invalid."""
    match _envelope(document):
        case {"totalResults": str() as digits} if re.fullmatch(r"[0-9]{1,9}", digits):
            return int(digits)
        case {"totalResults": int() as number} if number >= 0 and not isinstance(number, bool):
            return number
    return None


def _envelope(document: object) -> object:
    """The envelope, also if it is wrapped in a list, as in the sample of "List QueueAgents"."""
    match document:
        case [{"entry": _} as envelope]:
            return envelope
    return document
