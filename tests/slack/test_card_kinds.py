"""What the publisher asks of a card, for each kind: its message, whether it may change, and its rank."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import Alert, Resolution, resolved, snoozed
from bot.alerts.card import AlertCard, DigestCard
from bot.domain.intervention import State
from bot.interventions.card import Card
from bot.slack.alert_card import alert_message, digest_message
from bot.slack.card_kinds import (
    AnyCard,
    may_change,
    message_of,
    newest_step,
    person_to_tell,
    rank_of,
    urgency,
    who_asked,
)
from bot.slack.intervention_card import intervention_message
from bot.slack.outbox import Rank

MakeAlert = Callable[..., Alert]
MakeAlertCard = Callable[..., AlertCard]
MakeDigest = Callable[..., DigestCard]
CardIn = Callable[..., Card]
NONE_OPEN = (("Rings unanswered", 0, 20),)


@pytest.fixture
def cards(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_digest: MakeDigest, card_in: CardIn, noon: datetime
) -> dict[str, AnyCard]:
    """A card of each kind, open and over."""
    over = card_in(State.ENDED)
    gone = tuple(one.model_copy(update={"following": False}) for one in over.interventions)
    return {
        "intervention": card_in(State.RINGING),
        "intervention, over": over.model_copy(update={"interventions": gone}),
        "alert": alert_card_of(an_alert()),
        "alert, snoozed": alert_card_of(snoozed(an_alert(), "Ana Pop", noon + timedelta(seconds=30))),
        "alert, over": alert_card_of(resolved(an_alert(), Resolution.CALL_OVER, noon + timedelta(seconds=64))),
        "digest": a_digest(changed_at=noon + timedelta(seconds=7)),
        "digest, over": a_digest(rules=NONE_OPEN, changed_at=noon + timedelta(seconds=8)),
    }


KINDS: dict[str, tuple[Callable[[Any], Any], float, bool, Rank, str | None]] = {
    "intervention": (intervention_message, 1, True, Rank.INTERVENTION, "U0ANA"),
    "intervention, over": (intervention_message, 1, False, Rank.INTERVENTION, "U0ANA"),
    "alert": (alert_message, 20, True, Rank.ALERT, None),
    "alert, snoozed": (alert_message, 30, True, Rank.ALERT, None),
    "alert, over": (alert_message, 64, False, Rank.ALERT, None),
    "digest": (digest_message, 7, True, Rank.ALERT, None),
    "digest, over": (digest_message, 8, False, Rank.ALERT, None),
}
"""How it is shown, seconds after noon of its newest step, whether it may change, its rank, who is told instead."""


def test_every_kind_is_in_the_table(cards: dict[str, AnyCard]) -> None:
    assert set(cards) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_shown_in_its_own_way(cards: dict[str, AnyCard], kind: str) -> None:
    assert message_of(cards[kind]) == KINDS[kind][0](cards[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_newest_step_of_each_kind_is_known(cards: dict[str, AnyCard], noon: datetime, kind: str) -> None:
    assert newest_step(cards[kind]) == noon + timedelta(seconds=KINDS[kind][1])


@pytest.mark.parametrize("kind", KINDS)
def test_whether_a_card_may_change_again_is_known(cards: dict[str, AnyCard], kind: str) -> None:
    assert may_change(cards[kind]) is KINDS[kind][2]


@pytest.mark.parametrize("kind", KINDS)
def test_only_of_an_intervention_somebody_is_told_where_the_card_cannot_stand(
    cards: dict[str, AnyCard], kind: str
) -> None:
    assert (rank_of(cards[kind]), person_to_tell(cards[kind])) == KINDS[kind][3:]


PRESSING = [
    ("intervention", 0.0, True),
    ("intervention", 99.0, True),
    ("intervention, over", 0.0, True),
    ("intervention, over", 1.0, False),
    ("alert", 19.0, True),
    ("alert", 20.0, False),
    ("digest", 6.0, True),
    ("digest", 7.0, False),
]


@pytest.mark.parametrize(("kind", "shown", "pressing"), PRESSING)
def test_what_is_undecided_or_not_shown_yet_is_pressing(
    *, cards: dict[str, AnyCard], noon: datetime, kind: str, shown: float, pressing: bool
) -> None:
    found = urgency(cards[kind], noon.timestamp() + shown)
    since = noon.timestamp() + KINDS[kind][1]
    assert found == (KINDS[kind][3], pressing, since)


def test_only_of_a_raised_hand_somebody_has_asked_for_the_card(
    cards: dict[str, AnyCard], an_alert: MakeAlert, alert_card_of: MakeAlertCard
) -> None:
    hand = alert_card_of(an_alert(asked_by="U0BOB"))
    assert ({who_asked(card) for card in cards.values()}, who_asked(hand)) == ({""}, "U0BOB")
