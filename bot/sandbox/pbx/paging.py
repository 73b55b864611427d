"""Lists as UnifiedAPI answers them: the OpenSocial envelope, its pages, filters and order.

Parameters after the List PhoneCalls and List Presence pages; codes for wrong ones after the HTTP Return Codes page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from bot.sandbox.pbx.answers import Json
from bot.sandbox.pbx.refusals import Refusal

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
