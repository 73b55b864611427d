"""Whether what the cards say is so: held against the floor, against each other, and against what was so before."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

from tests.chaos.cast import SILENT_IN
from tests.chaos.judge_requests import owners
from tests.chaos.records import SILENT, Evidence, InterventionRow, Shown, Violation

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
