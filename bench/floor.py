"""A floor of 10,000 live calls with two views each, as "List PhoneCalls" shows them in the form of the pages' examples.

Nothing is left to chance, so every run measures the same. All numbers are 555 numbers, all names are invented.
"""

import json
from datetime import datetime, timedelta, timezone

CALLS = 10_000
LONGEST = 1500
"""Seconds since the oldest call entered."""

# The examples write one instant of a call in two zones: `published` in the first, every other date in the second.
PUBLISHED_ZONE = timezone(timedelta(hours=2))
OTHER_ZONE = timezone(timedelta(hours=3))

_NAMES = ("Ada Marin", "Ben Okoro", "Cleo Dima", "Dora Weiss", "Emil Novak", "Fay Lindqvist", "Gus Moreau", "Hana Sato")


def _scattered(number: int, below: int) -> int:
    """A number below that, the same for the same `number`, and spread evenly (Knuth's multiplicative hashing)."""
    return number * 2654435761 % 2**32 * below >> 32


def a_call(number: int, now: datetime, *, changed: bool = False) -> bytes:
    """The n-th call: one in ten rings, one in twenty is on hold. `changed`: the same call, on hold."""
    age = 15 + _scattered(number, LONGEST)
    ringing, held = number % 10 == 0, number % 20 == 7
    extension, customer = f"0003*{200 + _scattered(number, 800)}", f"+1{200 + number % 797}555{number % 10**4:04}"

    def ago(seconds: int, zone: timezone = OTHER_ZONE) -> str:
        return (now - timedelta(seconds=seconds)).astimezone(zone).isoformat(timespec="seconds")

    dates = {"ringing": ago(age - 1)} | ({} if ringing else {"answered": ago(age - 12)})
    if held or changed:
        dates["onHold"] = ago(max(1, age // 4))
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
    call_id = f"{number:08x}{_scattered(number, 2**31):012x}"
    call = {
        "id": call_id,
        "extension": extension,
        "ownerId": "3",
        "ownerName": "Example Organization",
        "published": ago(age, PUBLISHED_ZONE),
        "phoneCallView": views,
        "links": {"self": f"https://uapi.example.com/uapi/phoneCalls/12/{extension}/{call_id}"},
    }
    return json.dumps(call if ringing else call | {"answered": dates["answered"]}).encode()


def all_new(generation: int, now: datetime) -> list[bytes]:
    """The entries of a floor that has no call in common with another generation's."""
    first = generation * 10 * CALLS
    return [a_call(number, now) for number in range(first, first + CALLS)]


def one_in_a_hundred(entries: list[bytes], generation: int, now: datetime) -> list[bytes]:
    """The floor after 1 % of its calls have changed: 50 have ended, 50 have come, and 50 are on hold."""
    first = generation * 10 * CALLS
    gone, changed = set(range(0, CALLS, 200)), set(range(101, CALLS, 200))
    stayed = [
        a_call(first + place, now, changed=True) if place in changed else entry
        for place, entry in enumerate(entries)
        if place not in gone
    ]
    return stayed + [a_call(first + CALLS + place, now) for place in range(len(gone))]


def page(entries: list[bytes], start: int, count: int) -> bytes:
    """One page of the list, in its envelope."""
    around = {
        "startIndex": start,
        "totalResults": len(entries),
        "itemsPerPage": count,
        "filtered": True,
        "sorted": True,
    }
    shown = b", ".join(entries[start : start + count])
    return b'{"entry": [' + shown + b"], " + json.dumps(around).encode()[1:]


def twenty_rules() -> str:
    """Twenty `[[alerts]]` of callbot.toml: five of each condition, four of these for some extensions or callers only.

    None fires: each holds on many calls, and waits longer than the oldest of them is old. Raising alerts is no part of a scan.
    """
    choices = (
        "",
        'extensions = ["0003*2XX"]',
        'extensions = ["0003*3XX", "0003*45X"]',
        'callers = ["+1212555XXXX"]',
        'extensions = ["0003*9XX"]\ncallers = ["+1303555XXX7"]',
    )
    return "\n".join(
        f'[[alerts]]\nname = "{when} {place}"\nwhen = "{when}"\nlonger_than = 7200\nchannel = "C0ALERTS"\n{choice}'
        for when in ("ringing", "talking", "on_hold", "parked")
        for place, choice in enumerate(choices)
    )
