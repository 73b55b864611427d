"""What became of each request: one end state, allowed, dated by the wall clock, no PUT twice or without its row."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from math import inf

from tests.chaos.cast import PROTECTED_CALLER, PROTECTED_EXTENSION, Cast
from tests.chaos.records import (
    RECORDING,
    Acknowledged,
    Asked,
    Evidence,
    InterventionRow,
    Kill,
    Put,
    RequestRow,
    Violation,
)

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


# ── permission ──


FIELDS = {
    "Monitor": {"sendCallTo", "callerId", "waitForPickup", "phoneCallViewId"},
    "Whisper": {"sendCallTo", "callerId", "waitForPickup", "phoneCallViewId", "private"},
    "BargeIn": {"sendCallTo", "callerId", "waitForPickup", "phoneCallViewId"},
    "PickUp": {"sendCallTo", "callerId", "waitForPickup", "phoneCallViewId"},
    "StartRecording": {"format", "phoneCallViewId"},
    "StopRecording": {"phoneCallViewId"},
}
"""The fields of each action's page."""
NOTICED_WITHIN = 2.0
"""Seconds after which a change of callbot.toml counts: it is looked at twice a second, and again 0.3 s later."""


class Places:
    """From which channels a request counts as asked: a click counts as coming from where its card's action was asked.

    On the card of an alert nothing was asked: a click there comes from the card's own channel.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._cards = evidence.cards
        self._asked = {one.trigger: one for one in evidence.asked}
        self._on_card: defaultdict[str, list[str]] = defaultdict(list)
        self._waited = {request.id: request.trigger for request in evidence.requests}
        """What has waited for a phone on a card of its own, which has the id of the request, and was never sent."""
        requests = asked_for(evidence)
        for row in sorted(evidence.interventions, key=lambda each: each.asked_at):
            request = requests.get(row.id)
            if request is not None:
                self._on_card[row.card].append(request.trigger)

    def of(self, asked: Asked, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """The channels; of a click on a card, those of what is on the card already."""
        if asked.clicked is None or asked.private:
            return frozenset({asked.channel})
        on_card = self._on_card.get(asked.clicked)
        if on_card is None and asked.clicked in self._waited:
            on_card = [self._waited[asked.clicked]]
        if on_card is None:
            place = self._cards.get(asked.clicked)
            return frozenset() if place is None else frozenset({place[0]})
        earlier = [each for each in on_card if each != asked.trigger and each not in seen]
        found = [self._asked[trigger] for trigger in earlier if trigger in self._asked]
        return frozenset().union(*(self.of(one, seen | {asked.trigger}) for one in found))


def puts_without_permission(evidence: Evidence, cast: Cast) -> Iterator[Violation]:
    """No PUT of somebody who may not, on what they may not, to a phone that is not theirs."""
    asked = {one.trigger: one for one in evidence.asked}
    requests, places = asked_for(evidence), Places(evidence)
    for put, row in owners(evidence):
        request = requests.get(row.id) if row is not None else None
        by = asked.get(request.trigger) if request is not None else None
        if row is None or by is None:
            yield Violation("no PUT without permission", f"nobody asked for {put.what}")
            continue
        reasons = [cast.why_not(by.user, put.action, put.extension, places.of(by)), *_wrong(put, row, cast)]
        if any(
            span.since + NOTICED_WITHIN < put.at < (span.until or put.at) for span in evidence.removed.get(by.user, ())
        ):
            reasons.append("they were removed before")
        for reason in filter(None, reasons):
            yield Violation("no PUT without permission", f"{reason}: {by.user} “{by.said}” in {by.channel}; {put.what}")


def _wrong(put: Put, row: InterventionRow, cast: Cast) -> Iterator[str]:
    """What is wrong with the PUT, whatever the person is allowed."""
    person = cast.person(row.slack_user)
    if put.fields.keys() - {"action"} - FIELDS.get(put.action, set()):
        yield "a field that the page does not have"
    if put.action not in RECORDING and (person is None or put.phone != person.extension):
        yield "somebody else's phone rings"
    if put.extension == PROTECTED_EXTENSION:
        yield "a protected extension"
    if put.call is None:
        return
    if put.call.parties & {PROTECTED_CALLER, PROTECTED_EXTENSION}:
        yield "a protected party is in the call"
    view = put.call.view(str(put.fields.get("phoneCallViewId")))
    if view is not None and view.leg:
        yield "the view is a supervisor's leg"
    if view is not None and view.extension != put.extension:
        yield "the view is not the target's"


# ── a lost ledger ──


ON_ITS_WAY = 1.0
"""Seconds for which a PUT may still be on its way whose row stood before the ledger was replaced."""
STOPPED_WITHIN = 13.0
"""Seconds until the bot has stopped: a look at the file every 2 s, and an orderly end within 10 s."""


def lost_ledgers(evidence: Evidence) -> Iterator[Violation]:
    """The bot stops with exit code 1 after its ledger was replaced, and sends nothing meanwhile."""
    for lost in evidence.lost:
        if lost.code != 1 or lost.seconds > STOPPED_WITHIN:
            seen = f"exit code {lost.code} after {lost.seconds:.1f} s"
            yield Violation("a replaced ledger stops callbot", f"replaced at {lost.at:.3f}: {seen}")
        for put in evidence.puts:
            if lost.at + ON_ITS_WAY < put.at < lost.at + lost.seconds:
                yield Violation("nothing is sent past a lost ledger", f"replaced at {lost.at:.3f}: {put.what}")


# ── dates ──


NOT_WHOLE = 5.0
"""Seconds by which a date may be off: Slack gives a request up before a bot that has no processor has read it."""
STEPS_ARE_WHOLE = 1.0
"""Seconds by which a request may be dated before it came: callbot knows steps of the clock in whole seconds."""


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
