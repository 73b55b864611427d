"""The asker's phone: for how long a card says that it rings, held against when it did, and when a card may give up."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tests.chaos.judge_cards import Cards, word_of
from tests.chaos.judge_requests import CLOCK, owners
from tests.chaos.records import RECORDING, Evidence, InterventionRow, Violation

RINGS_WITHIN = 2.0
"""Seconds between a PUT and the phone: the PBX may be slow."""
LATE = 10.0
"""Seconds after which a card has to say that the phone is silent: the grace, the polls, and a few tries at Slack."""
RECOVERS = 2.0
"""Seconds that callbot may need after each outage to look and write again."""
TOGETHER = 3.0
"""Seconds for which two cards may say that one phone rings: what one of them says is being replaced."""
PHONE, TOO_EARLY = "Ringing is true", "Not answered comes after the wait"


@dataclass(frozen=True)
class Claim:
    """From when to when a card said that this phone rings."""

    card: str
    phone: str
    since: float
    until: float


def ringing_phones_that_are_silent(evidence: Evidence) -> Iterator[Violation]:
    """No card says Ringing before the PUT, nor long after the phone was lifted or fell silent, or could not ring at all."""
    cards, sent = Cards(evidence), _sent(evidence)
    for claim in _claims(cards):
        starts = [(sent[row.id], row) for row in cards.rows[claim.card] if row.id in sent]
        rung = [_silent_at(evidence, row, at) for at, row in starts if at <= claim.until]
        if not any(at <= claim.since + CLOCK for at, _ in starts):
            yield Violation(PHONE, f"{claim} comes before the PUT")
        elif claim.until > (end := max(rung)) + LATE + _lost(evidence, end, claim.until):
            yield Violation(PHONE, f"silent since {end:.3f}: {claim}; {cards.rows[claim.card][-1].what}")


def two_cards_for_one_ringing_phone(evidence: Evidence) -> Iterator[Violation]:
    """No two cards say that one phone rings at one time."""
    of_phone: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in _claims(Cards(evidence)):
        of_phone[claim.phone].append(claim)
    for claims in of_phone.values():
        for one, other in combinations(claims, 2):
            since, until = max(one.since, other.since), min(one.until, other.until)
            if one.card != other.card and until - since > TOGETHER + _lost(evidence, since, until):
                yield Violation("one phone rings for one", f"{one} and {other}")


def given_up_too_early(evidence: Evidence) -> Iterator[Violation]:
    """No card says Not answered before the wait that was sent is over."""
    cards, sent = Cards(evidence), _sent(evidence)
    for card, rows in cards.rows.items():
        shown = cards.shown(card)
        waits = [sent.get(row.id, row.asked_at) + row.wait for row in rows if row.action not in RECORDING]
        for at, text in shown.versions if shown is not None else ():
            early = word_of(text) == "Not answered" and waits and at < min(waits) - CLOCK
            if early and not _aged(evidence, rows[0].asked_at, at):
                yield Violation(TOO_EARLY, f"at {at:.3f}, the wait ends at {min(waits):.3f}: {rows[0].what}")
                break


def _aged(evidence: Evidence, since: float, until: float) -> bool:
    """Whether the wall clock was set forward and the bot started anew after that: it reads that hours have passed."""
    before = [0.0, *(step.ahead for step in evidence.wall_steps)]
    forward = [step.at for step, ahead in zip(evidence.wall_steps, before, strict=False) if step.ahead > ahead]
    away = [outage for outage in evidence.outages if outage.kind == "bot"]
    return any(since <= at <= one.until and one.since <= until for at in forward for one in away)


def _claims(cards: Cards) -> Iterator[Claim]:
    """Each time that a card said Ringing; versions that follow each other are one."""
    for card, rows in cards.rows.items():
        shown, since = cards.shown(card), None
        if shown is None:
            continue
        for at, text in shown.versions:
            rings = word_of(text) == "Ringing"
            if since is not None and not rings:
                yield Claim(card, rows[0].phone, since, at)
            since = None if not rings else at if since is None else since
        if since is not None:
            yield Claim(card, rows[0].phone, since, cards.evidence.now)


def _sent(evidence: Evidence) -> dict[str, float]:
    """When the PUT of each intervention came, the last one where it came again."""
    return {row.id: put.at for put, row in owners(evidence) if row is not None}


def _silent_at(evidence: Evidence, row: InterventionRow, sent: float) -> float:
    """When the phone stopped ringing for that request; one that has never rung counts as ringing for its wait."""
    for span in evidence.rings.get((row.phone, row.call_id), []):
        if sent - CLOCK <= span.since <= sent + RINGS_WITHIN:
            return evidence.now if span.until is None else span.until
    return sent + row.wait


def _lost(evidence: Evidence, since: float, until: float) -> float:
    """Seconds of that time in which callbot could not see, or could not say it, and what Slack may keep back."""
    away = [
        min(one.until, until) - max(one.since, since) + RECOVERS
        for one in evidence.outages
        if one.touches(since, until)
    ]
    stalled = sum(seconds for at, seconds in evidence.stalls if since <= at <= until)
    return sum(away) + stalled + evidence.slack_keeps_back
