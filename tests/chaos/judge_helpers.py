"""Those who help: that no alert tells who listens, that whoever answers one may, and that only agents in need ask for it."""

import re
from collections.abc import Iterator

from tests.chaos.alert_records import AlertRow
from tests.chaos.cast import Cast
from tests.chaos.judge_alerts import SNOOZE, TAKE, AlertCards
from tests.chaos.records import Evidence, Violation

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
    """Whoever was heard with *I'm on it* or *Snooze* may do something there, from the channel of the card."""
    asked = {one.trigger: one for one in evidence.asked}
    for request in evidence.requests:
        by = asked.get(request.trigger)
        if request.outcome != "answered" or by is None or by.said not in ANSWERS:
            continue
        about = [row for row in evidence.alerts if by.clicked in {row.id, row.digest}]
        reasons = [cast.may_nothing(by.user, row.extension, row.channel) for row in about]
        if reasons and all(reasons):
            yield Violation("no answer without permission", f"{reasons[0]}: {by.user} “{by.said}” on {about[0].what}")


def hands_of_nobody(evidence: Evidence, cast: Cast) -> Iterator[Violation]:
    """A raised hand is that of somebody who has asked, for a call at their own phone."""
    cries = {one.user for one in evidence.asked if "help-me" in one.said or one.said == "[Ask for help]"}
    for row in evidence.alerts:
        if not row.by_hand:
            continue
        person = cast.person(row.asked_by)
        if person is None or person.team_id is not None or person.extension != row.extension:
            yield Violation("hands are raised by their own", f"{row.asked_by} has another phone: {row.what}")
        if row.asked_by not in cries:
            yield Violation("hands are raised by their own", f"nobody asked: {row.what}")
