"""Calls and phones of the floor as the JSON that UnifiedAPI answers with, one by one and as pages of a list.

After the "Examples" of the Monitor, Whisper, BargeIn, PickUp and StartRecording PhoneCalls pages, with the keys of the
PhoneCalls Resource page for what the examples do not show. A key without a value is left out, as there. Lists are after
the List PhoneCalls and List Presence pages; codes for wrong parameters after the HTTP Return Codes page.

`Forms` has a switch for each thing on which the sources disagree. Its defaults are the forms of the five pages; the other
forms come from the resource pages or from what public clients were written to read.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Literal
from urllib.parse import quote, urlencode

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Extension, Status, View
from bot.sandbox.pbx.requests import Refusal

ALLOWED: dict[str, tuple[object, ...]] = {
    "single": ("object", "list", "envelope", "envelope-list"),
    "gone": ("envelope", "204", "400"),
    "numbers": ("strings", "numbers"),
    "links": ("link", "links"),
    "caller_id": ("callerId", "callerID"),
    "action": (None, 200, 202, 204),
    "spelling": ("documented", "correct"),
    "unauthenticated": (401, 403),
    "flow": ("shown", "left out"),
    "zones": ("right", "one clock"),
}


@dataclass
class Forms:
    """The forms of answers. Setting an unknown form raises ValueError."""

    single: Literal["object", "list", "envelope", "envelope-list"] = "object"
    """One call, read by its id or returned with status 200 by an action."""
    gone: Literal["envelope", "204", "400"] = "envelope"
    """A call that is over, read by its id: 200 with an empty envelope, nothing, or pc_phonecall_invalid."""
    numbers: Literal["strings", "numbers"] = "strings"
    """Status, flow, holder and parkedPos: "5" as on the five pages, or 5 as on the PhoneCalls Resource page."""
    links: Literal["link", "links"] = "link"
    """"link": in the answers of actions, as on the five pages. "links": in every call, as on the resource page."""
    caller_id: Literal["callerId", "callerID"] = "callerId"
    action: Literal[200, 202, 204] | None = None
    """The status of every accepted action; None: 202 where a phone rings, 200 for recording, as on the pages."""
    spelling: Literal["documented", "correct"] = "documented"
    """Error codes as each page spells them (pc_phoncall_invalid, pc_honecall_invalid), or as they are meant."""
    unauthenticated: Literal[401, 403] = 401
    """The answer to an expired token: 401 on the HTTP Return Codes page, 403 in 4PSA's demo apps."""
    flow: Literal["shown", "left out"] = "shown"
    """The resource page has `flow` in every view; the samples of the five pages leave it out."""
    zones: Literal["right", "one clock"] = "right"
    """The samples write `published` and all other dates in two zones. "right": each is the true instant. "one clock": the
    same clock is read for both, so that a call seems answered an hour before it was published, as in the samples."""
    clock_ahead: float = 0.0
    """Seconds that the clock of the PBX is ahead, in all dates and in the `Date` of its answers; negative: behind."""
    link_root: str = "https://x.x.x.x/"
    """The beginning of links. The double slash after it is as on the pages; a client should not follow links."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in {known.name for known in fields(self)}:
            raise ValueError(f"no form {name}")
        if name in ALLOWED and value not in ALLOWED[name]:
            raise ValueError(f"{name} is one of {ALLOWED[name]}, not {value!r}")
        object.__setattr__(self, name, value)


# The samples write one instant of a call in two zones: `published` in the first, every other date in the second.
PUBLISHED_ZONE = timezone(timedelta(hours=2))
OTHER_ZONE = timezone(timedelta(hours=3))

Json = dict[str, object]

CALL_FIELDS = frozenset({"id", "extension", "ownerId", "ownerName", "answered", "published", "phoneCallView", "links"})
PRESENCE_FIELDS = frozenset({"extension", "status", "registration"})


def _without_nulls(keys: Json) -> Json:
    return {key: value for key, value in keys.items() if value is not None}


class Answers:
    """Renders calls and phones of a floor in the forms that are set."""

    def __init__(self, floor: Floor, forms: Forms) -> None:
        self._floor = floor
        self._forms = forms

    def call(self, call: Call, *, of_action: bool = False) -> Json:
        """Return the whole PhoneCall; the answer of an action has its link with it."""
        linked = of_action or self._forms.links == "links"
        date = partial(self._date, call)
        return _without_nulls(
            {
                "id": call.id,
                "extension": call.extension,
                "ownerId": call.organisation,
                "ownerName": call.organisation_name,
                "answered": date("answered", call.answered),
                "published": date("published", call.published),
                "phoneCallView": [self._view(view, date) for view in call.views],
                self._forms.links: self._link(call) if linked else None,
            }
        )

    def receipt(self, call: Call) -> Json:
        """Return the three keys with which an accepted intervention is answered."""
        return {"id": call.id, "extension": call.extension, self._forms.links: self._link(call)}

    def single(self, entry: Json, envelope: Json) -> object:
        """Return one call in the form that is set; `envelope` is the list answer with this one entry."""
        shapes: dict[str, object] = {
            "object": entry,
            "list": [entry],
            "envelope": envelope,
            "envelope-list": [envelope],
        }
        return shapes[self._forms.single]

    def presence(self, extension: Extension) -> Json:
        """Return what the Presence Resource page says of a phone; `expire` is left out, its form is not documented."""
        registered = {"agent": extension.name, "registration": "1" if extension.registered else "-1"}
        return {
            "extension": extension.number,
            "status": self._state(extension),
            "registration": [registered],
        }

    def _state(self, extension: Extension) -> str:
        views = [view for call in self._floor.calls() for view in call.views if view.phone == extension.number]
        if any(view.status is not Status.RINGING for view in views):
            return "3"
        if views or self._floor.ringing(extension.number):
            return "2"
        return "1" if extension.registered else "0"

    def _link(self, call: Call) -> Json:
        user = self._floor.extension(call.extension).user
        return {"self": f"{self._forms.link_root}/uapi/phoneCalls/{user}/{call.extension}/{call.id}"}

    def _number(self, value: int | None) -> str | int | None:
        return str(int(value)) if value is not None and self._forms.numbers == "strings" else value

    def _date(self, call: Call, key: str, instant: datetime | None) -> str | None:
        if instant is None or key in call.said:
            return None if instant is None else call.said[key]
        instant += timedelta(seconds=self._forms.clock_ahead)
        zone = PUBLISHED_ZONE if key == "published" else OTHER_ZONE
        if self._forms.zones == "one clock":
            return instant.astimezone(PUBLISHED_ZONE).replace(tzinfo=zone).isoformat(timespec="seconds")
        return instant.astimezone(zone).isoformat(timespec="seconds")

    def _view(self, view: View, date: Callable[[str, datetime | None], str | None]) -> Json:
        return _without_nulls(
            {
                "id": view.id,
                "extension": view.extension,
                "answered": date("answered", view.answered),
                "status": self._number(view.status),
                "flow": self._number(view.flow) if self._forms.flow == "shown" else None,
                self._forms.caller_id: view.caller_id,
                "source": list(view.source),
                "destination": list(view.destination),
                "ringing": date("ringing", view.ringing),
                "recording": date("recording", view.recording),
                "onHold": date("onHold", view.on_hold),
                "holder": self._number(view.holder),
                "parked": date("parked", view.parked),
                "parkedPos": self._number(view.parked_pos),
                "parkedBy": view.parked_by,
            }
        )


DEFAULT_COUNT = 20
MOST = 5000
PARAMETERS = {"count", "startIndex", "filterBy", "filterOp", "filterValue", "fields", "sortOrder"}
ORDERS = {"ascending": False, "asc": False, "descending": True, "desc": True}


@dataclass(frozen=True)
class Entry:
    """One entry of a list: how it is shown, and the values by which it may be filtered, the last of them its order."""

    show: Callable[[], Json]
    keys: dict[str, str | datetime]


@dataclass(frozen=True)
class Kind:
    """What may be asked of a list: the keys of a filter (the last orders the list) and the fields that exist."""

    keys: tuple[str, ...]
    fields: frozenset[str]


def _contains(value: str | datetime, wanted: str | datetime) -> bool:
    return str(wanted) in str(value)


# The operators that 4PSA's own client offers; OpenSocial has the first, second, fourth and last of them.
OPERATORS: dict[str, Callable[[str | datetime, str | datetime], bool]] = {
    "contains": _contains,
    "equals": lambda value, wanted: value == wanted,
    "greaterThan": lambda value, wanted: value > wanted,  # type: ignore[operator]  # both are of the key's type
    "startsWith": lambda value, wanted: str(value).startswith(str(wanted)),
    "lessThan": lambda value, wanted: value < wanted,  # type: ignore[operator]  # both are of the key's type
    "inArray": lambda value, wanted: str(value) in str(wanted).split(","),
    "present": lambda value, wanted: True,
}
OPERATORS_OF_DATES = {"equals", "greaterThan", "lessThan", "present"}


def _whole(text: str, lowest: int, code: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and lowest <= int(text) <= MOST):
        raise Refusal(code)
    return int(text)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("filtervalue_invalid", "no date") from None
    if instant.tzinfo is None:
        raise Refusal("filtervalue_invalid", "a date without its zone")
    return instant


def _filter(query: dict[str, str], kind: Kind, entries: list[Entry]) -> list[Entry]:
    by = query.get("filterBy")
    if by is None:
        if "filterOp" in query or "filterValue" in query:
            raise Refusal("filterby_invalid", "missing")
        return entries
    if by not in kind.keys:
        raise Refusal("filterby_invalid")
    operator = query.get("filterOp", "equals" if by == "published" else "contains")
    if operator not in OPERATORS or (by == "published" and operator not in OPERATORS_OF_DATES):
        raise Refusal("filterop_invalid")
    text = query.get("filterValue", "")
    if not text and operator != "present":
        raise Refusal("filtervalue_invalid", "missing")
    wanted = _instant(text) if by == "published" and text else text
    return [entry for entry in entries if OPERATORS[operator](entry.keys[by], wanted)]


def _project(query: dict[str, str], kind: Kind, entries: list[Entry]) -> list[Json]:
    if "fields" not in query:
        return [entry.show() for entry in entries]
    asked = query["fields"].split(",")
    if not set(asked) <= kind.fields:
        raise Refusal("fields_invalid")
    return [{key: value for key, value in entry.show().items() if key in asked} for entry in entries]


def page(entries: list[Entry], query: dict[str, str], kind: Kind, url: str) -> Json:
    """Return the page of the list that the query asks for; `url` is what the links to its neighbours begin with.

    Raises Refusal with the documented code for the first parameter that is wrong.
    """
    if not query.keys() <= PARAMETERS:
        raise Refusal("query_invalid", ", ".join(sorted(query.keys() - PARAMETERS)))
    count = _whole(query.get("count", str(DEFAULT_COUNT)), 1, "count_invalid")
    start = _whole(query.get("startIndex", "0"), 0, "startindex_invalid")
    order = query.get("sortOrder", "ascending")
    if order not in ORDERS:
        raise Refusal("sortorder_invalid")
    found = _filter(query, kind, entries)
    found = sorted(found, key=lambda entry: entry.keys[kind.keys[-1]], reverse=ORDERS[order])

    def link(index: int) -> str:
        return f"{url}?{urlencode(query | {'count': str(count), 'startIndex': str(index)}, quote_via=quote)}"

    paging: Json = {}
    if start + count < len(found):
        paging["next"] = link(start + count)
    if start > 0:
        paging["prev"] = link(max(0, start - count))
    return {
        "entry": _project(query, kind, found[start : start + count]),
        "startIndex": start,
        "totalResults": len(found),
        "itemsPerPage": count,
        "filtered": True,
        "sorted": True,
        "paging": paging,
    }
