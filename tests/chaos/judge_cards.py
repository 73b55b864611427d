"""Whether what the cards say is so, and was: held against the floor, against each other, and against when a phone rang."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from tests.chaos.cast import SILENT_IN
from tests.chaos.judge_requests import CLOCK, owners
from tests.chaos.records import RECORDING, SILENT, Evidence, InterventionRow, Shown, Violation

WORDS = {
    "Recording stopped": "recording_stopped",
    "Recording": "recording",
    "Asked": "asked",
    "Ringing": "ringing",
    "Connected": "connected",
    "Not answered": "not_answered",
    "Not confirmed": "not_confirmed",
    "Ended": "ended",
    "Refused": "refused",
    "Unknown": "unknown",
}
"""The word that a card begins with, and the ledger's code for it; the longer one first where one begins like another."""
HEARS = re.compile(r"Who hears [^:]+: (?P<who>.+?)\.?$", re.MULTILINE)
INSIDE = re.compile(r"nobody$|only |everyone in the call|the caller")
"""What "who hears" says of somebody who is in the call."""
NEVER_SENT = "Ended: nothing was sent"
"""How a card begins once what has waited on it for the phone was not sent."""
GIVEN_UP = 3.5
"""Seconds after which callbot waits no longer for a ledger that is locked, and a moment more."""
PROMISE = "no card contradicts its call"


def word_of(text: str) -> str:
    """The state's word that a text begins with; empty where it is no card."""
    return next((word for word in WORDS if text.startswith(word)), "")


def says_inside(text: str) -> bool:
    """Whether a card's text or lines say that its supervisor is in the call."""
    found = HEARS.search(text)
    return found is not None and INSIDE.match(found["who"]) is not None


class Cards:
    """Every card that the ledger knows: its interventions, and the message that shows it."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.rows: defaultdict[str, list[InterventionRow]] = defaultdict(list)
        for row in sorted(evidence.interventions, key=lambda each: each.asked_at):
            self.rows[row.card].append(row)
        self._at = {(shown.channel, shown.ts): shown for shown in evidence.shown}

    def shown(self, card: str) -> Shown | None:
        """The message, None where it is not there."""
        place = self.evidence.cards.get(card)
        return None if place is None else self._at.get(place)

    def taken_away(self, card: str) -> bool:
        """Whether somebody has deleted the message."""
        return self.evidence.cards.get(card) in self.evidence.deleted

    def legs(self, row: InterventionRow) -> int:
        """How many times that person's phone is in that call."""
        call = self.evidence.calls.get(row.call_id)
        return 0 if call is None else len(call.legs_of(row.phone))


def cards_against_the_floor(evidence: Evidence) -> Iterator[Violation]:
    """Each card says what is so now."""
    cards = Cards(evidence)
    for card, rows in cards.rows.items():
        shown = cards.shown(card)
        if cards.taken_away(card):
            continue
        if shown is None:
            yield Violation("every intervention has a card", f"none is shown for {rows[-1].what}")
            continue
        lines = "\n".join(shown.lines)
        wrong = _wrong_word(cards, rows, shown) or _wrong_presence(cards, rows, lines)
        if wrong:
            said = f"{shown.channel} {shown.ts} “{shown.text}”; {evidence.traces(shown)}"
            yield Violation(PROMISE, f"{wrong}: {said}; {'; '.join(row.what for row in rows)}")


def _wrong_presence(cards: Cards, rows: list[InterventionRow], lines: str) -> str:
    if says_inside(lines) and not cards.legs(rows[-1]):
        return "it says that the supervisor is in the call, and they are not"
    return "" if HEARS.search(lines) else "it does not say who hears the supervisor"


def _wrong_word(cards: Cards, rows: list[InterventionRow], shown: Shown) -> str:
    """What is wrong with the word that the card begins with."""
    word = word_of(shown.text)
    if shown.text.startswith(NEVER_SENT) and _refused_since(cards.evidence, rows[-1]):
        return ""
    mine = [row for row in rows if row.state == WORDS.get(word)]
    if not mine:
        return f"it says “{word}” and the ledger {[row.state for row in rows]}"
    wrong = WRONG.get(word)
    return "" if wrong is None else wrong(cards, mine, shown)


def _refused_since(evidence: Evidence, row: InterventionRow) -> bool:
    """Whether a later request of that person for that extension sent nothing: what waits is in no row of an intervention."""
    whose = (row.slack_user, row.extension)
    theirs = (request for request in evidence.requests if (request.slack_user, request.extension) == whose)
    return any(request.outcome == "refused" and request.at > row.asked_at for request in theirs)


def _not_connected(cards: Cards, rows: list[InterventionRow], shown: Shown) -> str:
    return "" if cards.legs(rows[-1]) else "the phone is not in the call"


def _not_ringing(cards: Cards, rows: list[InterventionRow], shown: Shown) -> str:
    rings = any((row.phone, row.call_id) in cards.evidence.ringing for row in rows)
    return "" if rings else "the phone does not ring"


def _still_open(cards: Cards, rows: list[InterventionRow], shown: Shown) -> str:
    return "after all that calm it is still open"


def _not_ended(cards: Cards, rows: list[InterventionRow], shown: Shown) -> str:
    if "call is over" in shown.text and rows[-1].call_id in cards.evidence.calls:
        return "the call goes on"
    return "the phone is in the call" if "You left" in shown.text and cards.legs(rows[-1]) else ""


def _not_so_recorded(cards: Cards, rows: list[InterventionRow], shown: Shown) -> str:
    """Recording is said of a view that records, Recording stopped of one that does not."""
    call = cards.evidence.calls.get(rows[-1].call_id)
    if call is None:
        return "the call is over"
    views = [view for row in rows if (view := call.view(row.view)) is not None]
    recording = any(view.recording for view in views)
    return "" if recording is (word_of(shown.text) == "Recording") else f"recording: {recording}"


WRONG: dict[str, Callable[[Cards, list[InterventionRow], Shown], str]] = {
    "Connected": _not_connected,
    "Ringing": _not_ringing,
    "Asked": _still_open,
    "Unknown": _still_open,
    "Ended": _not_ended,
    "Recording": _not_so_recorded,
    "Recording stopped": _not_so_recorded,
}
"""What is wrong with a card of that word and with the interventions that it is true of; empty where it is so."""


def legs_without_a_card(evidence: Evidence) -> Iterator[Violation]:
    """A phone that is in a call through callbot is so on a card; not on more cards than it has legs."""
    cards = Cards(evidence)
    mine: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    example: dict[tuple[str, str], InterventionRow] = {}
    for row in evidence.interventions:
        mine[row.phone, row.call_id].add(row.card)
        example[row.phone, row.call_id] = row
    for (phone, call_id), row in example.items():
        legs, of_person = cards.legs(row), mine[phone, call_id]
        if any(cards.taken_away(card) for card in of_person):
            continue
        inside = [card for card in of_person if (shown := cards.shown(card)) and says_inside("\n".join(shown.lines))]
        if (legs and not inside) or len(inside) > legs:
            yield Violation(
                PROMISE, f"{phone} has {legs} legs in {call_id}, and {len(inside)} cards say so: {of_person}"
            )


def too_many_cards(evidence: Evidence) -> Iterator[Violation]:
    """One card for one person and one call: at most one that others see, and one that they do not."""
    places: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in evidence.interventions:
        places[row.slack_user, row.call_id][row.card] = row.place
        others_see = row.place not in {row.slack_user, *SILENT_IN}
        if others_see and row.action in SILENT:
            yield Violation("silent stays silent", f"in {row.place}: {row.what}")
    for (user, call_id), cards in places.items():
        private = [card for card, place in cards.items() if place in {user, *SILENT_IN}]
        if len(private) > 1 or len(cards) - len(private) > 1:
            yield Violation("one card", f"{user} has {cards} for {call_id}")
    known = set(evidence.cards.values())
    for shown in evidence.shown:
        a_card = word_of(shown.text) and HEARS.search("\n".join(shown.lines))
        if a_card and (shown.channel, shown.ts) not in known and not _could_not_be_kept(evidence, shown):
            said = f"{shown.channel} {shown.ts} “{shown.text}”; {evidence.traces(shown)}"
            yield Violation("one card", f"nobody keeps this one: {said}")


def _could_not_be_kept(evidence: Evidence, shown: Shown) -> bool:
    """Whether the ledger was locked at the post, and the bot was killed before the ledger could take where it is."""
    at = shown.versions[0][0] if shown.versions else 0.0
    locked = [one for one in evidence.outages if one.kind == "ledger" and one.touches(at - GIVEN_UP, at)]
    return any(at <= kill.at <= max(at, one.until) + GIVEN_UP for one in locked for kill in evidence.kills)


def connected_before_it_was_so(evidence: Evidence) -> Iterator[Violation]:
    """No version of a card said that somebody is in the call before their phone was."""
    cards = Cards(evidence)
    for card, rows in cards.rows.items():
        shown = cards.shown(card)
        first = rows[0]
        spans = evidence.legs.get((first.phone, first.call_id), [])
        for at, text in shown.versions if shown is not None else ():
            claims = word_of(text) == "Connected" or says_inside(text)
            if claims and not any(span.since <= at for span in spans):
                yield Violation("Connected is proven", f"{shown.ts if shown else ''} at {at:.3f}: {text}; {first.what}")
                break


def refused_by_mistake(evidence: Evidence) -> Iterator[Violation]:
    """The PBX never has to say that a PUT is malformed."""
    for put, row in owners(evidence):
        malformed = row is not None and row.code in {"payload_invalid", "query_invalid", "request_not_implemented"}
        if row is not None and malformed:
            yield Violation("only documented PUTs", f"{row.code}: {put.what}")


# ── the phone of who asked ──


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
