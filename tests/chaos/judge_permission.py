"""Whether each PUT was allowed: by the map as the cast says it, from what was typed and clicked, on the call as it was."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.cast import PROTECTED_CALLER, PROTECTED_EXTENSION, Cast
from tests.chaos.judge_requests import asked_for, owners
from tests.chaos.records import RECORDING, Asked, Evidence, InterventionRow, Put, Violation

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
    """What is wrong with the PUT whoever may ask."""
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
