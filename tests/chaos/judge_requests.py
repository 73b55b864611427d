"""What became of each request: one end state, nothing forgotten, and no PUT twice or without its row."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.records import Acknowledged, Evidence, InterventionRow, Kill, Put, RequestRow, Violation

KILLED_WITHIN = 0.1
"""Seconds between an acknowledgement and a kill in which the row may get lost."""
UNAUTHENTICATED = frozenset({401, 403})
ENDS = frozenset({"ended", "refused", "not_answered", "not_confirmed"})
"""States in which nothing is looked at any more."""
OPEN = frozenset({"connected", "recording", "recording_stopped", "not_answered", "not_confirmed"})
"""States that may be true for as long as the call lasts, or 60 s longer than the wait."""
CLOCK = 0.005
"""Seconds by which two clocks of one machine may differ."""


def requests_without_an_end(evidence: Evidence) -> Iterator[Violation]:
    """Every request in the ledger has one end state, and every intervention a final or truly current one."""
    for request in evidence.requests:
        if request.outcome == "received":
            yield Violation("one end state", f"request {request.id} of {request.slack_user} “{request.said}” is open")
        if (request.outcome == "sent") is (request.intervention is None):
            yield Violation("one end state", f"request {request.id}: {request.outcome} with {request.intervention}")
    asked_by = Counter(request.intervention for request in evidence.requests if request.intervention)
    for row in evidence.interventions:
        if asked_by[row.id] != 1:
            yield Violation("one end state", f"{asked_by[row.id]} requests have sent {row.what}")
        if row.state not in (OPEN if row.following else ENDS):
            yield Violation("one end state", f"followed: {row.following}; {row.what}")


def acknowledged_without_a_row(evidence: Evidence) -> Iterator[Violation]:
    """What was acknowledged is written down, or a kill followed within 100 ms, or the ledger took nothing; and nothing was sent."""
    written = {request.trigger for request in evidence.requests}
    for asked in evidence.asked:
        taken = [one for one in asked.deliveries if one.error is None and not one.refused]
        if not taken or asked.trigger in written:
            continue
        for one in taken:
            if not any(_hit(one, kill, evidence) for kill in evidence.kills) and not _refused(one, evidence):
                seen = f"“{asked.said}” of {asked.user}, trigger {asked.trigger}, acknowledged at {one.at:.3f}"
                nearest = min((kill.at - one.at for kill in evidence.kills if kill.at >= one.at), default=None)
                yield Violation("acknowledged is written down", f"{seen}; the next kill came {nearest} s later")


def _hit(one: Acknowledged, kill: Kill, evidence: Evidence) -> bool:
    """Whether the kill came so soon after the acknowledgement.

    How long the machine stood still in between, or gave the bot no processor, is no time of the bot's.
    """
    stood_still = sum(seconds for since, seconds in evidence.stalls if one.at - seconds <= since <= kill.at)
    lost = max(stood_still, kill.waited - one.waited)
    return -KILLED_WITHIN <= kill.at - one.at <= KILLED_WITHIN + lost


def _refused(one: Acknowledged, evidence: Evidence) -> bool:
    """Whether the ledger took nothing when the request came, so that it could only be refused."""
    away = [outage for outage in evidence.outages if outage.kind == "ledger"]
    return any(outage.touches(one.sent_at, one.at + KILLED_WITHIN) for outage in away)


def requests_from_nowhere(evidence: Evidence) -> Iterator[Violation]:
    """Every row was asked for by somebody, once, and by the one it names."""
    asked = {one.trigger: one for one in evidence.asked}
    for request in evidence.requests:
        by = asked.get(request.trigger)
        if by is None or by.user != request.slack_user:
            yield Violation("rows are people's", f"request {request.id} {request.slack_user} “{request.said}”")
    twice = Counter(request.trigger for request in evidence.requests)
    yield from (Violation("rows are people's", f"{trigger} has {n} rows") for trigger, n in twice.items() if n > 1)


# ── PUTs ──


def owners(evidence: Evidence) -> list[tuple[Put, InterventionRow | None]]:
    """Each PUT, oldest first, with the intervention that it belongs to: the newest one of its words that was there."""
    rows: defaultdict[tuple[str, str, str, str], list[InterventionRow]] = defaultdict(list)
    for row in sorted(evidence.interventions, key=lambda each: each.asked_at):
        rows[_key(row)].append(row)
    found: list[tuple[Put, InterventionRow | None]] = []
    for put in sorted(evidence.puts, key=lambda each: each.at):
        view = str(put.fields.get("phoneCallViewId"))
        mine = [
            row
            for row in rows[put.extension, put.call_id, put.action, view]
            if row.asked_at <= put.at + CLOCK and put.phone in {row.phone, None}
        ]
        found.append((put, mine[-1] if mine else None))
    return found


def _key(row: InterventionRow) -> tuple[str, str, str, str]:
    return row.extension, row.call_id, row.action, row.view


def puts_twice_or_without_a_row(evidence: Evidence) -> Iterator[Violation]:
    """Each PUT belongs to one row, was made after it, and is its only one, but for those refused as unauthenticated."""
    of_row: defaultdict[str, list[Put]] = defaultdict(list)
    for put, row in owners(evidence):
        if row is None:
            yield Violation("a row before the PUT", f"no row at all for {put.what}")
            continue
        if row.id not in put.rows:
            yield Violation("a row before the PUT", f"{put.what} came before its row {row.what}")
        of_row[row.id].append(put)
    for row_id, puts in of_row.items():
        if len(puts) > 1 and not (len(puts) == 2 and puts[0].status in UNAUTHENTICATED):
            yield Violation("no PUT twice", f"{row_id}: {'; '.join(put.what for put in puts)}")


def sent_without_a_put(evidence: Evidence) -> Iterator[Violation]:
    """What the ledger calls sent was sent, unless a kill or an outage came between, or it was refused."""
    put = {row.id for _, row in owners(evidence) if row is not None}
    for row in evidence.interventions:
        disturbed = any(outage.touches(row.asked_at, row.asked_at + 30.0) for outage in evidence.outages)
        if row.id not in put and row.state != "refused" and not disturbed:
            yield Violation("sent is sent", f"the PBX has seen no PUT of {row.what}")


def refused_without_a_no(evidence: Evidence) -> Iterator[Violation]:
    """Refused is only what the PBX refused, or what could not reach it."""
    statuses: defaultdict[str, list[int | None]] = defaultdict(list)
    for put, row in owners(evidence):
        if row is not None:
            statuses[row.id].append(put.status)
    for row in evidence.interventions:
        answered = statuses[row.id]
        if row.state == "refused" and answered and (answered[-1] is None or answered[-1] < 300):
            yield Violation("Refused is a no of the PBX", f"answered {answered}: {row.what}")


def two_open_for_one_claim(evidence: Evidence) -> Iterator[Violation]:
    """For PickUp and recording one request per call is open at a time; for the rest one per person."""
    claims = Counter(row.claim for row in evidence.interventions if row.claim is not None)
    yield from (Violation("one open request", f"{n} hold “{claim}”") for claim, n in claims.items() if n > 1)
    for request in evidence.interventions:
        if request.claim is not None and not request.following:
            yield Violation("one open request", f"claims, but is not followed: {request.what}")


def asked_for(evidence: Evidence) -> dict[str, RequestRow]:
    """The request that has sent each intervention."""
    return {request.intervention: request for request in evidence.requests if request.intervention is not None}
