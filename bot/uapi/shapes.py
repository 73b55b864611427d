"""The form of an answer compared with the form that the documentation promises; never its values. No I/O here.

Only for `callbot check --try`: its report has no names, numbers or ids of a call, so it can be shown to anybody.
Sources: "PhoneCalls Resource", "Presence Resource", "Monitor PhoneCalls", "HTTP Return Codes".
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from bot.domain.errors import PbxUnreachable
from bot.uapi.exchange import Answer
from bot.uapi.parsing import entries, error_code, is_bare, parsed

Json = dict[str, Any]
CALL = ("id", "extension", "ownerId", "ownerName", "nonce", "published", "answered", "phoneCallView", "link", "links")
VIEW = (
    *("id", "extension", "source", "destination", "flow", "status", "ringing", "callerId", "recording", "answered"),
    *("parked", "parkedPos", "parkedBy", "onHold", "holder", "disposition", "duration"),
)
PRESENCE = ("extension", "status", "registration", "agent", "expire")
DATES = ("published", "answered", "ringing", "recording", "onHold", "parked")
NUMBERS = ("status", "flow", "holder", "parkedPos")


class Comparison(NamedTuple):
    """One detail of an answer as it is here and as it is promised; `same` if the two agree."""

    topic: str
    here: str
    promised: str
    same: bool


def of_presence(answer: Answer) -> tuple[Comparison, ...]:
    """The presence of one phone."""
    where, phones = "presence", tuple(_objects(answer))
    if answer.http_status != 200:
        return (_status(where, answer, 200),)
    kinds = _kinds(phone.get("registration") for phone in phones)
    return (
        _status(where, answer, 200),
        _same_in(f"{where}: form", container(answer), ("an envelope, entry a list", "a bare object")),
        _fields(f"{where}: fields", phones, PRESENCE),
        Comparison(f"{where}: registration", kinds, "a list, one entry for each device", kinds == "list"),
        _number_types(f"{where}: numbers", phones, ("status",)),
    )


def of_list(answer: Answer) -> tuple[Comparison, ...]:
    """The live calls of an extension."""
    where = "list of calls"
    if answer.http_status != 200:
        return (_status(where, answer, 200),)
    return (
        _status(where, answer, 200),
        _same_in(f"{where}: form", container(answer), ("an envelope, entry a list",)),
    )


def of_call(answer: Answer) -> tuple[Comparison, ...]:
    """One call, read by its id."""
    where, calls = "call", tuple(_objects(answer))
    views = _views(calls)
    links = sorted({key for call in calls for key in ("link", "links") if key in call})
    spelled = sorted({key for view in views for key in view if key.lower() == "callerid"})
    lists = _kinds(view.get(name) for view in views for name in ("source", "destination"))
    return (
        _status(where, answer, 200),
        _same_in(f"{where}: form", container(answer), ("a bare object",)),
        _fields(f"{where}: fields", calls, CALL),
        _fields(f"{where}: fields of a view", views, VIEW),
        Comparison(f"{where}: link", " and ".join(links) or "none", "link, links or none", len(links) < 2),
        Comparison(f"{where}: caller id", " and ".join(spelled) or "none", "callerId", spelled in ([], ["callerId"])),
        _number_types(f"{where}: numbers", views, NUMBERS),
        Comparison(f"{where}: source and destination", lists, "a list", lists == "list"),
        _dates(f"{where}: dates", (*calls, *views)),
        _ids(f"{where}: id", calls),
        _view_ids(f"{where}: view ids", views),
    )


def of_action(answer: Answer) -> tuple[Comparison, ...]:
    """The answer to the PUT."""
    keys = sorted({key for each in _objects(answer) for key in each if _is_key(key)})
    return (
        _status("PUT", answer, 202),
        _same_in("PUT: body", ", ".join(keys) or "nothing", ("extension, id, link", "extension, id, links")),
    )


def of_end(answer: Answer) -> Comparison:
    """A call that is over, read by its id."""
    code = error_code(answer.body)
    empty = f", {container(answer)}, {len(tuple(_objects(answer)))} entries"
    here = f"HTTP {answer.http_status}{empty if answer.http_status == 200 else f' {code}' if code else ''}"
    known = answer.http_status == 204 or (answer.http_status == 400 and "call_invalid" in code)
    return Comparison("call that is over", here, "HTTP 204, or 400 pc_phonecall_invalid", known)


def container(answer: Answer) -> str:
    """What surrounds the entries of an answer."""
    match _document(answer):
        case [{"entry": _}]:
            return "an envelope in a list"
        case {"entry": list()}:
            return "an envelope, entry a list"
        case {"entry": dict()}:
            return "an envelope, entry an object"
        case list():
            return "a list"
        case {"id": _} | {"extension": _}:
            return "a bare object"
    return "nothing that is documented" if answer.body else "nothing"


# ── the parts of an answer ──


def _document(answer: Answer) -> object:
    try:
        return parsed(answer.body)
    except PbxUnreachable:
        return None


def _objects(answer: Answer) -> Iterator[Json]:
    document = _document(answer)
    bare = is_bare(document) or (isinstance(document, dict) and "extension" in document and "entry" not in document)
    try:
        found = list([document] if bare else entries(document))
    except PbxUnreachable:
        return
    yield from (entry for entry in found if isinstance(entry, dict))


def _views(calls: tuple[Json, ...]) -> tuple[Json, ...]:
    listed = (call["phoneCallView"] for call in calls if isinstance(call.get("phoneCallView"), list))
    return tuple(view for view in chain.from_iterable(listed) if isinstance(view, dict))


# ── the comparisons ──


def _status(where: str, answer: Answer, promised: int) -> Comparison:
    code = error_code(answer.body)
    here = f"HTTP {answer.http_status}{f' {code}' if code else ''}" if answer.http_status else "no answer"
    return Comparison(where, here, f"HTTP {promised}", answer.http_status == promised and not code)


def _same_in(topic: str, here: str, promised: tuple[str, ...]) -> Comparison:
    return Comparison(topic, here, " or ".join(promised), here in promised)


def _is_key(key: str) -> bool:
    """Whether it can be the name of a field, and nobody's name or number."""
    return re.fullmatch(r"[A-Za-z_]{1,32}", key) is not None


def _fields(topic: str, objects: tuple[Json, ...], promised: tuple[str, ...]) -> Comparison:
    """Which fields came. One that differs from a promised field in capitals only has a comparison of its own."""
    keys = {key for each in objects for key in each}
    known = {name.lower() for name in promised}
    other = sorted(key for key in keys if key.lower() not in known)
    shown = [name for name in promised if name.lower() in {key.lower() for key in keys}]
    unknown = [key if _is_key(key) else "(no plain name)" for key in other]
    here = ", ".join(shown) + (f"; and unknown ones: {', '.join(unknown)}" if unknown else "")
    return Comparison(topic, here or "none", f"some of {', '.join(promised)}", bool(keys) and not unknown)


def _kind(value: object) -> str:
    match value:
        case None:
            return "absent"
        case int() | float() if not isinstance(value, bool):
            return "number"
        case str() if re.fullmatch(r"-?[0-9]+", value):
            return "number as text"
        case str():
            return "text"
        case list():
            return "list"
    return "object"


def _kinds(values: Any) -> str:
    return " and ".join(sorted({_kind(value) for value in values})) or "none"


def _number_types(topic: str, objects: tuple[Json, ...], names: tuple[str, ...]) -> Comparison:
    kinds = _kinds(each[name] for each in objects for name in names if name in each)
    documented = {"number", "number as text", "number and number as text"}
    return Comparison(topic, kinds, "number or number as text", kinds in documented)


def _dates(topic: str, objects: tuple[Json, ...]) -> Comparison:
    """Which offsets from UTC the dates have."""
    dates = [each[name] for each in objects for name in DATES if each.get(name) is not None]
    zones = sorted({_offset(date) for date in dates})
    strange = {"no offset", "no date"} & set(zones)
    return Comparison(topic, ", ".join(zones) or "none", "ISO 8601 with Z or an offset", bool(zones) and not strange)


def _offset(date: object) -> str:
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"
    found = re.fullmatch(form, date.strip()) if isinstance(date, str) else None
    return "no date" if found is None else found[1] or "no offset"


def _form(ids: Any) -> str:
    """What ids look like."""
    return " and ".join(sorted({id_form(one) for one in ids})) or "none"


def id_form(one: object) -> str:
    """What one id looks like: its length and its kind of characters."""
    text = str(one) if isinstance(one, (str, int)) else ""
    for form, name in (
        ("[0-9]+", "digits"),
        ("[0-9a-f]+", "lowercase hexadecimal"),
        ("[A-Za-z0-9]+", "letters and digits"),
    ):
        if re.fullmatch(form, text):
            return f"{len(text)} {name}"
    return f"{len(text)} characters, not only letters and digits" if text else "none"


def _ids(topic: str, calls: tuple[Json, ...]) -> Comparison:
    here = _form(call.get("id") for call in calls)
    return Comparison(topic, here, "letters and digits", here != "none" and "not only" not in here)


def _view_ids(topic: str, views: tuple[Json, ...]) -> Comparison:
    here = _form(view.get("id") for view in views)
    return Comparison(topic, here, "2 digits", here == "2 digits")
