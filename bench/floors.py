"""Floors of 10,000 live calls with two views each, as bytes: "List PhoneCalls" in the form of the pages' examples.

Nothing is left to chance, so every run measures the same. All numbers are 555 numbers, all names are invented.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from bot.alerts.alert import AlertRule, When
from bot.domain.permissions import CallerPattern, ExtensionPattern

CALLS = 10_000
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONGEST = 1500
"""Seconds since the oldest call entered."""

# The examples write one instant of a call in two zones: `published` in the first, every other date in the second.
PUBLISHED_ZONE = timezone(timedelta(hours=2))
OTHER_ZONE = timezone(timedelta(hours=3))

_NAMES = ("Ada Marin", "Ben Okoro", "Cleo Dima", "Dora Weiss", "Emil Novak", "Fay Lindqvist", "Gus Moreau", "Hana Sato")


def _date(seconds_ago: int, zone: timezone) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).astimezone(zone).isoformat()


def _mixed(number: int, below: int) -> int:
    """A number that looks like any other, below that."""
    return number * 2654435761 % 2**32 * below >> 32


def a_call(number: int, *, changed: bool = False) -> bytes:
    """The n-th call: one in ten rings, one in twenty is on hold. `changed`: it has another state."""
    age = 15 + _mixed(number, LONGEST)
    ringing, held = number % 10 == 0, number % 20 == 7
    extension, customer = f"0003*{200 + _mixed(number, 800)}", f"+1{200 + number % 797}555{number % 10**4:04}"
    dates = {"ringing": _date(age - 1, OTHER_ZONE)} | ({} if ringing else {"answered": _date(age - 12, OTHER_ZONE)})
    if held or changed:
        dates["onHold"] = _date(max(1, age // 4), OTHER_ZONE)
    views = [
        {
            "id": view,
            "extension": extension,
            **dates,
            "status": "3" if ringing else "5",
            "flow": "8",
            "callerId": f"{_NAMES[number % len(_NAMES)]} <{customer}>",
            "source": [customer],
            "destination": [extension],
        }
        for view in ("00", "01")
    ]
    call_id = f"{number:08x}{_mixed(number, 2**31):012x}"
    call = {
        "id": call_id,
        "extension": extension,
        "ownerId": "3",
        "ownerName": "Example Organization",
        "published": _date(age, PUBLISHED_ZONE),
        "phoneCallView": views,
        "links": {"self": f"https://uapi.example.com/uapi/phoneCalls/12/{extension}/{call_id}"},
    }
    return json.dumps(call if ringing else call | {"answered": dates["answered"]}).encode()


def all_new(generation: int) -> list[bytes]:
    """The entries of a floor on which no call is one of another generation's."""
    first = generation * 10 * CALLS
    return [a_call(number) for number in range(first, first + CALLS)]


def one_in_a_hundred(entries: list[bytes], generation: int) -> list[bytes]:
    """The same floor a look later: 50 calls have ended, 50 have come, and the other 50 have another state."""
    first = generation * 10 * CALLS
    gone, other = set(range(0, CALLS, 200)), set(range(101, CALLS, 200))
    stayed = [
        a_call(first + place, changed=True) if place in other else entry
        for place, entry in enumerate(entries)
        if place not in gone
    ]
    return stayed + [a_call(first + CALLS + place) for place in range(len(gone))]


def page(entries: list[bytes], start: int, count: int) -> bytes:
    """One page of the list, in its envelope."""
    shown = entries[start : start + count]
    around = {
        "startIndex": start,
        "totalResults": len(entries),
        "itemsPerPage": count,
        "filtered": True,
        "sorted": True,
    }
    return b'{"entry": [' + b", ".join(shown) + b"], " + json.dumps(around).encode()[1:]


def floors() -> Iterator[tuple[str, list[bytes]]]:
    """By name: two floors without a call in common, and each of them a look later."""
    for generation, name in enumerate("AB"):
        entries = all_new(generation)
        yield name, entries
        yield f"{name} later", one_in_a_hundred(entries, generation)


def the_rules() -> tuple[AlertRule, ...]:
    """Twenty rules: five of each kind, four of them for some extensions or callers only."""
    kinds = ((When.RINGING, 20), (When.TALKING, 1200), (When.ON_HOLD, 300), (When.PARKED, 60))
    choices: list[tuple[tuple[ExtensionPattern, ...] | None, tuple[CallerPattern, ...] | None]] = [
        (None, None),
        ((ExtensionPattern("0003*2XX"),), None),
        ((ExtensionPattern("0003*3XX"), ExtensionPattern("0003*45X")), None),
        (None, (CallerPattern("+1212555XXXX"),)),
        ((ExtensionPattern("0003*9XX"),), (CallerPattern("+1303555XXX7"),)),
    ]
    return tuple(
        AlertRule(f"{when} {place}", when, timedelta(seconds=seconds), "C0ALERTS", extensions, callers)
        for when, seconds in kinds
        for place, (extensions, callers) in enumerate(choices)
    )
