"""The JSON of answers: from bytes to the entries that `wire` reads. No I/O here.

A call comes bare, in a list or in an OpenSocial envelope (`{"entry": …, "totalResults": …}`), whose `entry` is a list
or an object keyed by id. Sources: "List PhoneCalls", "CDR Resource", "List QueueAgents", "HTTP Return Codes".
"""

import json
import re
from collections.abc import Iterator
from typing import Never

from bot.domain.errors import PbxUnreachable

LARGEST_WHOLE = 512 * 1024
"""Bytes of an answer that are read at once, in some 10 ms. A longer answer is read in slices, or not at all."""
MOST_ENTRIES = 5000
"""Entries of one answer: the highest `count` of "List PhoneCalls"."""
TOO_LARGE = "answer too large"

_HALVES = re.compile(r"\\(?<!\\\\)((?:\\\\)*+)(?i:(ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|ud[89a-f][0-9a-f]{2})")
"""Escapes of surrogates in JSON, after backslashes that escape each other. Without the second group it is half a pair,
which is no character. It begins with a backslash, which `re` finds quickly."""


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


def is_bare(document: object) -> bool:
    """Whether it is a PhoneCall without an envelope, as in the examples of the pages."""
    return isinstance(document, dict) and "id" in document and "entry" not in document


def _envelope(document: object) -> object:
    """The envelope, also if it is wrapped in a list, as in the sample of "List QueueAgents"."""
    match document:
        case [{"entry": _} as envelope]:
            return envelope
    return document


def entries(document: object) -> Iterator[object]:
    """The entries of an envelope or list, as JSON. An envelope without `entry` is empty only if its total is 0.

    Raises PbxUnreachable if it is neither, and after MOST_ENTRIES.
    """
    for number, entry in enumerate(_all_entries(document)):
        if number == MOST_ENTRIES:
            raise PbxUnreachable(TOO_LARGE)
        yield entry


def _all_entries(document: object) -> Iterator[object]:
    match _envelope(document):
        case list() as listed:
            yield from listed
        case {"entry": list() as listed}:
            yield from listed
        case {"entry": {"id": str() | int()} as entry}:
            yield entry
        case {"entry": dict() as by_id}:
            for key, entry in by_id.items():
                yield {"id": key, **entry} if isinstance(entry, dict) else entry
        case envelope if total(envelope) == 0:
            return
        case _:
            raise PbxUnreachable("unreadable answer")


def total(document: object) -> int | None:
    """`totalResults` of an envelope, a number or a numeric string; None if it is missing or invalid."""
    match _envelope(document):
        case {"totalResults": str() as digits} if re.fullmatch(r"[0-9]{1,9}", digits):
            return int(digits)
        case {"totalResults": int() as number} if number >= 0 and not isinstance(number, bool):
            return number
    return None
