"""Clocks that differ: no alert comes before it is due in the time of the PBX."""

from collections.abc import Iterator
from math import inf

from tests.chaos.alert_rules import RULES
from tests.chaos.records import Evidence, Violation

WHOLE_SECONDS = 1.1
"""Seconds by which an alert may be early: the PBX leaves fractions out of its dates."""
NOT_WHOLE = 5.0
"""Seconds by which a date may be off: Slack gives a request up before a bot that has no processor has read it."""
STEPS_ARE_WHOLE = 1.0
"""Seconds by which a request may be dated before it came: callbot knows steps of the clock in whole seconds."""
UNSURE = 1.0
"""Seconds more where the clock of the PBX is off: callbot knows by how much from whole seconds alone."""


def dates_of_no_clock(evidence: Evidence) -> Iterator[Violation]:
    """Each request is dated by the wall clock as it was when the request came."""
    came = {
        asked.trigger: (asked.deliveries[0].sent_at, max(one.at for one in asked.deliveries))
        for asked in evidence.asked
        if asked.deliveries
    }
    for request in evidence.requests:
        since, until = came.get(request.trigger, (request.at, request.at))
        if not since - NOT_WHOLE <= request.at <= until + NOT_WHOLE:
            seen = f"{request.id} “{request.said}” came at {since:.3f}, dated {request.at:.3f}"
            yield Violation("dates are the wall clock's", seen)
        elif request.ahead not in _ahead(evidence, since - STEPS_ARE_WHOLE, until + NOT_WHOLE):
            seen = f"{request.id} “{request.said}” came at {since:.3f}, dated by a clock {request.ahead:+.0f} s off"
            yield Violation("dates are the wall clock's", seen)


def _ahead(evidence: Evidence, since: float, until: float) -> frozenset[float]:
    """By how much the wall clock was ahead at some time in between."""
    set_to = [0.0, *(step.ahead for step in evidence.wall_steps)]
    set_at = [step.at for step in evidence.wall_steps]
    spans = zip(set_to, [-inf, *set_at], [*set_at, inf], strict=True)
    return frozenset(ahead for ahead, begun, ended in spans if begun <= until and since <= ended)


def alerts_before_they_are_due(evidence: Evidence) -> Iterator[Violation]:
    """No card of an alert appears before its rule has held for long enough, by the instants at which it was so."""
    limits = {rule.name: rule.longer_than for rule in RULES}
    rows = {row.id: row for row in evidence.alerts if row.name in limits and not row.by_hand}
    for shown in evidence.shown:
        row = rows.get(shown.card)
        if row is None or not shown.versions:
            continue
        at = shown.versions[0][0]
        held = [
            (at if span.until is None else min(at, span.until)) - span.since
            for span in evidence.holds.get((row.name, row.call_id), [])
        ]
        early = limits[row.name] - max(held, default=0.0)
        if early > WHOLE_SECONDS + (UNSURE if evidence.pbx_ahead else 0.0):
            yield Violation(
                "no alert is early", f"{early:.3f} s, at {at:.3f}, PBX {evidence.pbx_ahead} s ahead: {row.what}"
            )
