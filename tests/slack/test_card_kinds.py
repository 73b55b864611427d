"""What the publisher asks of a card, for each kind: its message, whether it may change, and its rank."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import Alert, Resolution, resolved, snoozed
from bot.alerts.card import AlertCard, BlindCard, DigestCard
from bot.domain.calls import PhoneCallView
from bot.domain.intervention import State
from bot.interventions.card import InterventionCard
from bot.slack.alert_card import alert_message, blind_message, digest_message
from bot.slack.card_kinds import (
    AnyCard,
    may_change,
    message_of,
    newest_step,
    person_to_tell,
    rank_of,
    shift_card,
    urgency,
    who_asked,
)
from bot.slack.intervention_card import intervention_message
from bot.slack.outbox import Rank

MakeAlert = Callable[..., Alert]
MakeAlertCard = Callable[..., AlertCard]
MakeDigest = Callable[..., DigestCard]
CardIn = Callable[..., InterventionCard]
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
        "digest": a_digest(alert_card_of(an_alert()), changed_at=noon + timedelta(seconds=7)),
        "digest, over": a_digest(rules=NONE_OPEN, changed_at=noon + timedelta(seconds=8)),
        "outage": BlindCard(id="b1", place="C0ALERTS", since=noon + timedelta(seconds=9), whole=True),
    }


KINDS: dict[str, tuple[Callable[[Any], Any], float, bool, Rank, str | None]] = {
    "intervention": (intervention_message, 1, True, Rank.INTERVENTION, "U0ANA"),
    "intervention, over": (intervention_message, 1, False, Rank.INTERVENTION, "U0ANA"),
    "alert": (alert_message, 20, True, Rank.ALERT, None),
    "alert, snoozed": (alert_message, 30, True, Rank.ALERT, None),
    "alert, over": (alert_message, 64, False, Rank.ALERT, None),
    "digest": (digest_message, 7, True, Rank.ALERT, None),
    "digest, over": (digest_message, 8, False, Rank.ALERT, None),
    "outage": (blind_message, 9, True, Rank.ALERT, None),
}
"""How it is shown, seconds after noon of its newest step, whether it may change, its rank, who is told instead."""


def test_every_kind_is_in_the_table(cards: dict[str, AnyCard]) -> None:
    assert set(cards) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_own_answers(cards: dict[str, AnyCard], noon: datetime, kind: str) -> None:
    card, (show, seconds, changes, rank, told) = cards[kind], KINDS[kind]
    assert message_of(card) == show(card)
    assert newest_step(card) == noon + timedelta(seconds=seconds)
    assert may_change(card) is changes
    assert (rank_of(card), person_to_tell(card)) == (rank, told)


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_is_shown_by_the_wall_clock_and_its_buttons_name_calls_by_the_clock_of_the_pbx(
    cards: dict[str, AnyCard], kind: str
) -> None:
    card, own, pbx = cards[kind], timedelta(hours=1), timedelta(days=1)
    moved = shift_card(card, own, pbx)
    assert newest_step(moved) == newest_step(card) + own
    for now, before in zip(_calls(moved), _calls(card), strict=True):
        assert now.published == before.published + pbx
        assert [view.answered for view in now.views] == [view.answered and view.answered + pbx for view in before.views]
    assert getattr(moved, "buttons", ()) == getattr(card, "buttons", ())
    assert shift_card(card, timedelta(), timedelta()) is card


def test_an_alert_is_since_a_date_of_the_pbx(cards: dict[str, AnyCard]) -> None:
    moved, card = shift_card(cards["alert"], timedelta(hours=1), timedelta(days=1)), cards["alert"]
    assert isinstance(moved, AlertCard)
    assert isinstance(card, AlertCard)
    assert (moved.alert.since, moved.alert.raised_at) == (
        card.alert.since + timedelta(days=1),
        card.alert.raised_at + timedelta(hours=1),
    )


def test_the_view_of_an_alert_and_the_date_of_a_stale_digest_are_shown_by_the_wall_clock(
    cards: dict[str, Any], a_view: Callable[..., PhoneCallView], noon: datetime
) -> None:
    view, own, pbx = a_view(), timedelta(hours=1), timedelta(days=1)
    alert: Any = shift_card(cards["alert"].model_copy(update={"view": view}), own, pbx)
    digest: Any = shift_card(cards["digest"].model_copy(update={"not_updated_since": noon}), own, pbx)
    assert view.answered is not None
    assert (alert.view.answered, digest.not_updated_since) == (view.answered + pbx, noon + own)


def _calls(card: AnyCard) -> list[Any]:
    if isinstance(card, InterventionCard):
        return [one.call for one in card.interventions]
    lines = card.lines if isinstance(card, DigestCard) else (card,)
    return [line.alert.call for line in lines if isinstance(line, AlertCard)]


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


def test_only_a_help_request_has_somebody_who_asked_for_the_card(
    cards: dict[str, AnyCard], an_alert: MakeAlert, alert_card_of: MakeAlertCard
) -> None:
    request = alert_card_of(an_alert(asked_by="U0BOB"))
    assert ({who_asked(card) for card in cards.values()}, who_asked(request)) == ({""}, "U0BOB")
