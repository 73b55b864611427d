"""What goes over the wire to UnifiedAPI and what comes back, as plain values. No I/O here.

Requests are strict: every path segment is checked first, `@` and `*` stand literally, no trailing slash. Answers are
read tolerantly, for the pages differ: a call comes bare, in a list or in an OpenSocial envelope, whose `entry` is a
list or an object keyed by id. Links in answers (`link`, `links`, `paging.next`) are never followed. Of a body only an
error code in the documented form gets into an error.

Sources: the action pages ("Monitor PhoneCalls" and its sisters), "List PhoneCalls", "HTTP Return Codes".
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import EXTENSION, OBJECT_ID, USER_ID, PhoneCall, phone_call
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
from bot.domain.presence import Presence, presence_from
from bot.polling.phone_calls import Accepted
from bot.uapi.envelope import entries, error_code, is_bare, parsed, total

T = TypeVar("T")
PAGE_SIZE = 1000
"""Calls asked for at first; "List PhoneCalls" gives 20 by default. Few floors ever have more at a time."""
LONG_PAGE = 4300
"""Calls asked for if there are more: from the end of the first page a little further than LAST_START."""
LAST_PAGE, LAST_START = 5000, 5000
"""The highest count and the highest startIndex of "List PhoneCalls": so 10,000 calls can be reached, in three requests."""
PHONES_ON_A_PAGE = 100
"""Phones asked for at once; "List Presence" gives 20 by default."""


# ── requests ──


@dataclass(frozen=True)
class Request:
    """One request without the token. `target` is path and query; a body may hold a secret, so it is not in the repr.

    `name` is the label of the request in metrics.
    """

    method: str
    target: str
    body: bytes | None = field(default=None, repr=False)
    name: str = field(default="get", kw_only=True, compare=False)


def call_path(user: str, extension: str, call_id: str | None = None) -> str:
    """The path of one PhoneCall, or of all of an extension: `/uapi/phoneCalls/@me/0003*210/b817d2618fe6f1804333`.

    `extension` may be `@self`, every extension of the user. Raises ValueError for a segment outside its grammar.
    """
    path = f"/uapi/phoneCalls/{_user(user)}/{_extension(extension)}"
    return path if call_id is None else f"{path}/{_segment(OBJECT_ID, call_id, 'PhoneCall id')}"


def get_call(user: str, extension: str, call_id: str) -> Request:
    """The request for one call. Raises ValueError as `call_path` does."""
    return Request("GET", call_path(user, extension, call_id))


def get_page(user: str, extension: str, start: int) -> Request:
    """The request for one page of calls, from the `start`-th on (0 is the first). Raises ValueError as `call_path`.

    Also for a start beyond LAST_START.
    """
    if start > LAST_START:
        raise ValueError(f"startIndex is beyond {LAST_START}")
    count = PAGE_SIZE if start == 0 else LONG_PAGE if start < LAST_START else LAST_PAGE
    return Request("GET", f"{call_path(user, extension)}?count={count}&startIndex={start}", name="list")


def get_presence(user: str, extension: str, start: int = 0) -> Request:
    """The request for what is known of a phone, or with `@self` of all phones of the user, from the `start`-th on.

    Raises ValueError for a segment outside its grammar. Source: "List Presence".
    """
    path = f"/uapi/extensions/{_user(user)}/{_extension(extension)}/presence"
    return Request("GET", f"{path}?count={PHONES_ON_A_PAGE}&startIndex={start}", name="presence")


def put_action(user: str, extension: str, call_id: str, action: PhoneCallAction) -> Request:
    """The request to act on one call, as the action's page has it. Raises ValueError as `call_path` does."""
    return Request("PUT", call_path(user, extension, call_id), json.dumps(action.wire()).encode(), name="put")


def headers(token: str) -> dict[str, str]:
    """The headers of every request to `/uapi`. The vendor's own clients send Content-Type with GET, too."""
    return {"Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Bearer {token}"}


def _user(user: str) -> str:
    return _segment(USER_ID, user, "User-Id")


def _extension(extension: str) -> str:
    return extension if extension == "@self" else _segment(EXTENSION, extension, "extension")


def _segment(grammar: re.Pattern[str], text: str, name: str) -> str:
    if grammar.fullmatch(text) is None:
        raise ValueError(f"{name} is not of the form {grammar.pattern}")
    return text


# ── answers ──


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


def read_page(http_status: int, body: bytes) -> Page[PhoneCall]:
    """One page of calls. A call without an id is skipped and counted: any call that is not shown may be that one.

    A call whose id does not have the documented form is left out: it could never be named. Any other entry makes the whole
    page unreadable.

    Raises PbxUnreachable if the page cannot be read, and as `raise_for`.
    """
    found, total_of_all = read_calls(http_status, body)
    calls = tuple(found)
    return Page(tuple(call for call in calls if call is not None), total_of_all, calls.count(None))


def read_calls(http_status: int, body: bytes) -> tuple[Iterator[PhoneCall | None], int | None]:
    """The calls of a page one by one, None for one without an id, and the total. An entry that is not a call raises when reached."""
    if http_status == 204:
        return iter(()), 0
    document = _document(http_status, body)
    bare = is_bare(document)
    calls = map(a_call, [document] if bare else entries(document))
    if bare and a_call(document) is None:
        raise PbxUnreachable("unreadable answer")
    return (call for call in calls if call is None or OBJECT_ID.fullmatch(call.id)), None if bare else total(document)


def read_presences(http_status: int, body: bytes) -> Page[Presence]:
    """One page of phones. An entry that cannot be read is left out. Raises as `read_page`."""
    if http_status == 204:
        return Page((), 0)
    document = _document(http_status, body)
    bare = isinstance(document, dict) and "extension" in document and "entry" not in document
    found = map(presence_from, [document] if bare else entries(document))
    return Page(tuple(phone for phone in found if phone is not None), None if bare else total(document))


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


def raise_for(http_status: int, body: bytes) -> None:
    """Turn an answer that is not a success into an error of `bot.domain.errors`; so is a success with an error in its body.

    Raises PbxUnauthenticated (401), PbxRefused or the subclass that the code names (400, 403, 409, 429, other 4xx,
    501 request_not_implemented), PbxUnreachable (5xx, 408, redirects, whatever else is no 2xx).
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
    elif http_status == 501 and isinstance(reason, NotImplementedByPbx):
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


def _document(http_status: int, body: bytes) -> object:
    """The JSON of a successful read. Raises the error that the answer stands for.

    A read changes nothing, so a fault that the PBX names (`PbxFault`) is raised as such, not as PbxUnreachable.
    """
    reason = refusal_with(error_code(body), http_status)
    if http_status >= 500 and isinstance(reason, PbxFault):
        raise reason
    raise_for(http_status, body)
    if http_status != 200:
        raise PbxUnreachable(f"HTTP {http_status}")
    return parsed(body)


def a_call(value: object) -> PhoneCall | None:
    """A call; None if it has no id. Raises PbxUnreachable if it is not an object."""
    call = phone_call(value)
    if call is None and not isinstance(value, dict):
        raise PbxUnreachable("unreadable answer")
    return call
