"""Which views of a call are supervisors' legs, or may be; and the call as others may see it. Pure.

A leg's source is a supervisor's extension, its extension the agent's ("Monitor PhoneCalls"). Nothing in it says whether
the supervisor listens, whispers or speaks to everybody, and it may have come from outside callbot. So every view that may be
a leg counts as a silent one wherever others read, unless callbot knows better. Whether a view may be one never depends on
the legs beside it: when a leg comes or goes, what others see stays as it was.
"""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from bot.domain.calls import Flow, PhoneCall, PhoneCallView, Status, organisation
from bot.domain.permissions import Permissions

MOST_TRANSFERS = 4
"""How often a call may be passed on and its parties still be found: caller, queue, agent, colleague."""
_EXTENSIONS = re.compile(r"[0-9]+\*[0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_PHONE_NUMBER = re.compile(r"[+ ]*[0-9][0-9() ./-]*")
_NO_SOURCE = frozenset({""})
"""No party of any call."""


class Known(NamedTuple):
    """What callbot knows of the views of one call, by their ids."""

    legs: frozenset[str] = frozenset()
    """They came with a Monitor, Whisper or BargeIn of ours."""
    heard: frozenset[str] = frozenset()
    """Their supervisor is no secret: a leg by a BargeIn whose card others read, or the view of a call picked up."""


NOTHING_KNOWN = Known()


def own_views(
    call: PhoneCall, extension: str, known: Known, permissions: Permissions, *, owner: bool = False
) -> tuple[PhoneCallView, ...]:
    """The views of the extension in this call that are no supervisor's leg; none where only legs are left.

    Where each of them may be a leg: the view that was picked up, else those that do not come from somebody who may act on
    the extension. With `owner`, none of these.
    """
    named = call.named_views
    mine = [view for view in reversed(named.values()) if view.extension == extension and view.id not in known.legs]
    parties = _party_views(call, permissions)
    sure = set(map(id, parties))
    surely = tuple(view for view in mine if id(view) in sure)
    if surely or owner or not mine:
        return surely
    picked_up = tuple(view for view in mine if view.id in known.heard)
    supervisors = permissions.supervisors_of(extension)
    return picked_up or tuple(view for view in mine if supervisors.isdisjoint(_colleagues(view, call, permissions)))


def without_legs(call: PhoneCall, known: Known, permissions: Permissions) -> PhoneCall:
    """The call without every view that is a leg, or may be one. Its parties stay, as far as those may be some."""
    parties = _party_views(call, permissions)
    return _showing(call, [view for view in parties if view.id not in known.legs])


def as_others_see(call: PhoneCall, known: Known, permissions: Permissions) -> PhoneCall:
    """The call as anybody may see it: without legs, but for those whose supervisors are no secret."""
    named = call.named_views
    shown = {id(view) for view in _party_views(call, permissions) if view.id not in known.legs}
    shown |= {id(named[key]) for key in known.heard if key in named}
    return _showing(call, [view for view in call.views if id(view) in shown])


def talks(call: PhoneCall, phones: Collection[str], known: Known, permissions: Permissions) -> bool:
    """Whether one of these phones is a party of the call, so that a leg listens to its owner."""
    parties = {view.extension for view in _party_views(call, permissions) if view.id not in known.legs}
    picked_up = {number for view in call.views if view.id in known.heard - known.legs for number in view.source}
    return not (parties | picked_up).isdisjoint(phones)


def _showing(call: PhoneCall, shown: list[PhoneCallView]) -> PhoneCall:
    """The call with these of its views. What is left out counts as a party where it may have been the only view of one."""
    if len(shown) == len(call.views):
        return call
    sides = {view.extension for view in shown}
    others = call.other_parties.union(*(view.parties for view in call.views if view.extension not in sides))
    return call.model_copy(update={"views": tuple(shown), "other_parties": others})


def _party_views(call: PhoneCall, permissions: Permissions) -> Collection[PhoneCallView]:
    """The views that are surely no leg: those who call there are outside or parties themselves, or a phone rings.

    What rings for somebody who may act there could be the phone that is to become a leg.
    """
    callers = [_colleagues(view, call, permissions) for view in call.views]
    if not any(callers):
        return call.views
    parties: set[str] = set()
    for _ in range(MOST_TRANSFERS):
        parties |= {
            view.extension
            for view, who in zip(call.views, callers, strict=True)
            if view.extension and view.status is not Status.RINGING and parties.issuperset(who)
        }
    return [
        view
        for view, who in zip(call.views, callers, strict=True)
        if parties.issuperset(who)
        or (view.status is Status.RINGING and permissions.supervisors_of(view.extension).isdisjoint(who))
    ]


def _colleagues(view: PhoneCallView, call: PhoneCall, permissions: Permissions) -> Iterable[str]:
    """The other extensions of the PBX that this view comes from; the empty one where nobody knows from where."""
    if not view.source and view.flow not in {Flow.INCOMING, Flow.OUTGOING}:
        return _NO_SOURCE
    found: set[str] = set()
    for number in view.source:
        if "*" in number:
            found.update(_EXTENSIONS.findall(number))
            continue
        short = [f"{organisation(view.extension or call.extension)}*{digits}" for digits in _numbers_in(number)]
        known = [full for full in short if permissions.knows(full)]
        if view.flow is Flow.LOCAL and not number.startswith("+"):
            found.update(known or short or _NO_SOURCE)
        else:
            found.update(known)
    found.discard(view.extension)
    return found


def _numbers_in(source: str) -> list[str]:
    """The digits of a phone number, however it is punctuated; else every number in an address or a channel's name."""
    user = source.partition("@")[0]
    return ["".join(_DIGITS.findall(user))] if _PHONE_NUMBER.fullmatch(user) else _DIGITS.findall(user)
