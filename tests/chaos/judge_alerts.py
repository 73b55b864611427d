"""Whether the alerts are all there, once each, in time, and what their cards say is so: held against rules, floor and Slack."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.cast import PROTECTED_CALLER, RULES, Cast
from tests.chaos.records import AlertRow, CallSeen, Evidence, Shown, Violation

LATE = 10.0
"""Seconds beyond its limit within which a rule has to raise its alert."""
WORDS = {"raised": "Raised", "snoozed": "Snoozed", "resolved": "Resolved"}
"""The word that a card begins with, by the ledger's code."""
TAKE, SNOOZE = "I'm on it", "Snooze 10 min"
OPEN_DIGEST = re.compile(r"Raised: (?P<all>\d+) alerts? in this channel, (?P<open>\d+) open")
CLOSED_DIGEST = re.compile(r"Resolved: (?:the only alert|all (?P<all>\d+) alerts)")
LIES, ONE, FORGOTTEN = "no alert lies", "one card for one alert", "no alert is forgotten"


class AlertCards:
    """Every alert of the ledger, and the messages that are its card, or the digest that it shares."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.alerts: defaultdict[str, list[AlertRow]] = defaultdict(list)
        """The alerts of each card: one, or all of a digest."""
        for row in evidence.alerts:
            self.alerts[row.card].append(row)
        self.messages: defaultdict[str, list[Shown]] = defaultdict(list)
        for shown in evidence.shown:
            if shown.text.startswith(tuple(WORDS.values())):
                self.messages[shown.card].append(shown)

    def said(self, card: str) -> str:
        """What its messages say and what was asked of Slack about them, for a violation."""
        parts = [
            f"{one.channel} {one.ts} “{one.text[:160]}”; {self.evidence.traces(one)}" for one in self.messages[card]
        ]
        return " and ".join(parts) or "no message"

    def taken_away(self, card: str) -> bool:
        """Whether somebody has deleted the message."""
        return self.evidence.cards.get(card) in self.evidence.deleted


# ── one, and all of them ──


def one_card_for_one_alert(evidence: Evidence) -> Iterator[Violation]:
    """One row for one rule and call, one message for one card, and none that nobody keeps."""
    cards = AlertCards(evidence)
    for key, number in Counter(row.key for row in evidence.alerts).items():
        if number > 1:
            yield Violation(ONE, f"{number} alerts for {key}")
    for row in evidence.alerts:
        if row.digest and cards.messages.get(row.id):
            yield Violation(ONE, f"on a digest and on a card of its own, {cards.said(row.id)}: {row.what}")
    known = set(evidence.cards)
    for card, messages in list(cards.messages.items()):
        if len(messages) > 1 or card not in known:
            yield Violation(ONE, f"{len(messages)} messages are card {card}, kept: {card in known}: {cards.said(card)}")


def forgotten_alerts(evidence: Evidence) -> Iterator[Violation]:
    """Every call on which a rule has held for long enough has an open alert."""
    raised = {(row.when, row.name, row.call_id) for row in evidence.alerts if row.open}
    for call in evidence.calls.values():
        for rule in RULES:
            since = rule.since(call, of_parties=True)
            due = since is not None and evidence.now - since > rule.longer_than + LATE
            if due and call.id not in evidence.protected and (rule.when, rule.name, call.id) not in raised:
                closed = [row.what for row in evidence.alerts if (row.name, row.call_id) == (rule.name, call.id)]
                yield Violation(FORGOTTEN, f"“{rule.name}” holds since {since} on {call}: {closed}")


# ── what they say ──


def alerts_against_the_floor(evidence: Evidence) -> Iterator[Violation]:
    """What an open alert is about goes on, and a call that an alert calls over is over."""
    for row in evidence.alerts:
        call = evidence.calls.get(row.call_id)
        if row.open and not _goes_on(row, call):
            yield Violation(LIES, f"open, and nobody is needed: {row.what}; {call}")
        if row.how == "call_over" and call is not None:
            yield Violation(LIES, f"the call goes on: {row.what}; {call}")


def _goes_on(row: AlertRow, call: CallSeen | None) -> bool:
    if call is None:
        return False
    if row.is_help_request:
        return any(view.extension == row.extension for view in call.views)
    return any(rule.since(call) is not None for rule in RULES if (rule.when, rule.name) == (row.when, row.name))


def cards_against_their_alerts(evidence: Evidence) -> Iterator[Violation]:
    """Each alert is on a card, and that says what the ledger does; what is over has no buttons."""
    cards = AlertCards(evidence)
    for card, rows in cards.alerts.items():
        if cards.taken_away(card):
            continue
        messages = cards.messages[card]
        if not messages:
            yield Violation(FORGOTTEN, f"no card shows {'; '.join(row.what for row in rows[:3])}")
            continue
        wrong = _wrong_digest(rows, messages[0]) if rows[0].digest else _wrong_card(rows[0], messages[0])
        if wrong:
            yield Violation(LIES, f"{wrong}: {cards.said(card)}; {'; '.join(row.what for row in rows[:3])}")


def _wrong_card(row: AlertRow, shown: Shown) -> str:
    if not shown.text.startswith(WORDS[row.state]):
        return f"the ledger says “{row.state}”"
    expected = {"raised": {TAKE, SNOOZE}, "snoozed": {TAKE}, "resolved": set()}[row.state]
    found = {TAKE, SNOOZE} & set(shown.buttons)
    if found != expected or (shown.buttons and not row.open):
        return f"the buttons are {shown.buttons}"
    return ""


def _wrong_digest(rows: list[AlertRow], shown: Shown) -> str:
    """What is wrong with what a digest counts. One that is over may have counted what has gone to another card since."""
    still = sum(row.open for row in rows)
    said = OPEN_DIGEST.match(shown.text)
    if said is not None:
        counted = (int(said["open"]), int(said["all"]))
        return "" if counted == (still, len(rows)) and TAKE in shown.buttons else f"{still} of {len(rows)} are open"
    over = CLOSED_DIGEST.match(shown.text)
    if over is None or still:
        return f"{still} of {len(rows)} are open"
    if int(over["all"] or 1) < len(rows):
        return f"there were {len(rows)}"
    return f"the buttons are {shown.buttons}" if shown.buttons else ""


# ── what must not be there ──


def protected_calls_on_alerts(evidence: Evidence) -> Iterator[Violation]:
    """Of a call with a protected party there is no alert, and no card shows anything."""
    for row in evidence.alerts:
        if row.call_id in evidence.protected:
            yield Violation("protected calls raise nothing", row.what)
    cards = AlertCards(evidence)
    for card in cards.messages:
        texts = [text for one in cards.messages[card] for _, text in one.versions]
        if any(PROTECTED_CALLER in text for text in texts):
            yield Violation("protected calls raise nothing", f"shown: {cards.said(card)}")


# ── those who help ──


LISTENING = re.compile(r"\b(?:hear|listen|monitor|whisper)\w*", re.IGNORECASE)
SUPERVISOR = re.compile(r"\b0003\*1\d\d\b")
"""The phones of everybody who may do something."""
ANSWERS = frozenset({f"[{TAKE}]", f"[{SNOOZE}]"})


def listeners_on_alerts(evidence: Evidence) -> Iterator[Violation]:
    """No version of an alert's card says that somebody listens or whispers, or names the phone of one who does."""
    cards = AlertCards(evidence)
    picked = {(row.phone, row.call_id) for row in evidence.interventions if row.action == "PickUp"}
    for card, messages in cards.messages.items():
        calls = {row.call_id for row in _rows(evidence, card)}
        for at, text in (version for one in messages for version in one.versions):
            phones = {phone for phone in SUPERVISOR.findall(text) if not any((phone, call) in picked for call in calls)}
            words = LISTENING.findall(text)
            if words or phones:
                yield Violation("alerts tell of nobody who listens", f"{words} {phones} at {at:.3f} on {card}: {text}")
                break


def _rows(evidence: Evidence, card: str) -> list[AlertRow]:
    """The alerts that a card may have shown: its own, or all of the channel where it is a digest."""
    own = [row for row in evidence.alerts if row.id == card]
    channel = evidence.cards.get(card, ("", ""))[0]
    return own or [row for row in evidence.alerts if row.channel == channel]


def answers_without_permission(evidence: Evidence, cast: Cast) -> Iterator[Violation]:
    """Somebody who was heard with *I'm on it* or *Snooze* may do something there, from the channel of the card."""
    asked = {one.trigger: one for one in evidence.asked}
    for request in evidence.requests:
        by = asked.get(request.trigger)
        if request.outcome != "answered" or by is None or by.said not in ANSWERS:
            continue
        about = [row for row in evidence.alerts if by.clicked in {row.id, row.digest}]
        reasons = [cast.may_nothing(by.user, row.extension, row.channel) for row in about]
        if reasons and all(reasons):
            yield Violation("no answer without permission", f"{reasons[0]}: {by.user} “{by.said}” on {about[0].what}")


def help_requests_of_nobody(evidence: Evidence, cast: Cast) -> Iterator[Violation]:
    """A help request is from somebody who asked, for a call at their own phone."""
    asked = {one.user for one in evidence.asked if "help-me" in one.said or one.said == "[Ask for help]"}
    for row in evidence.alerts:
        if not row.is_help_request:
            continue
        person = cast.person(row.asked_by)
        if person is None or person.team_id is not None or person.extension != row.extension:
            yield Violation("nobody asks for help for somebody else", f"{row.asked_by} has another phone: {row.what}")
        if row.asked_by not in asked:
            yield Violation("nobody asks for help for somebody else", f"nobody asked: {row.what}")


# ── clocks that differ ──


WHOLE_SECONDS = 1.1
"""Seconds by which an alert may be early: the PBX leaves fractions out of its dates."""
UNSURE = 1.0
"""Seconds more where the clock of the PBX is off: callbot knows by how much from whole seconds alone."""


def alerts_before_they_are_due(evidence: Evidence) -> Iterator[Violation]:
    """No card of an alert appears before its rule has held for long enough, by the instants at which it was so."""
    limits = {rule.name: rule.longer_than for rule in RULES}
    rows = {row.id: row for row in evidence.alerts if row.name in limits and not row.is_help_request}
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
