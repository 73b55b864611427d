"""What the feed needs to know of a card, whichever kind it is: of an intervention, of an alert, of many alerts, of none. Pure."""

from datetime import datetime
from typing import TypeAlias

from bot.alerts.blindness import BlindCard
from bot.alerts.card import AlertCard, DigestCard
from bot.domain.intervention import UNDECIDED, Why
from bot.interventions.ports import Card
from bot.slack.alert_cards import alert_message, blind_message, digest_message
from bot.slack.cards import intervention_message
from bot.slack.messages import Message
from bot.slack.outbox import Rank, Urgency

AnyCard: TypeAlias = Card | AlertCard | DigestCard | BlindCard


def message_of(card: AnyCard) -> Message:
    """The card as Slack shows it."""
    match card:
        case Card():
            return intervention_message(card)
        case AlertCard():
            return alert_message(card)
        case DigestCard():
            return digest_message(card)
        case BlindCard():
            return blind_message(card)


def newest_step(card: AnyCard) -> datetime:
    """When the newest state that it shows was reached."""
    match card:
        case Card():
            return max(step.at for one in card.interventions for step in one.steps)
        case AlertCard():
            return max((step.at for step in card.alert.steps), default=card.alert.raised_at)
        case DigestCard():
            return card.changed_at
        case BlindCard():
            return card.ended or card.since


def shown_until(card: AnyCard) -> datetime | None:
    """Until when the card shows what the ledger has, for the next start.

    What waits for a phone is in no ledger: such a card is out of date (None), so that the next start shows it without.
    """
    waits = isinstance(card, Card) and any(one.why is Why.PHONE_BUSY for one in card.interventions)
    return None if waits else newest_step(card)


def may_change(card: AnyCard) -> bool:
    """Whether it is still about something that happens, so that it may change at any time."""
    match card:
        case Card():
            return any(one.following for one in card.interventions)
        case AlertCard():
            return card.alert.open
        case DigestCard():
            return card.open > 0
        case BlindCard():
            return card.ended is None


def rank_of(card: AnyCard) -> Rank:
    """Before what it is sent."""
    return Rank.INTERVENTION if isinstance(card, Card) else Rank.ALERT


def person_to_tell(card: AnyCard) -> str | None:
    """The Slack user who is told the news where the card cannot stand; None where there is no such person."""
    return card.interventions[-1].slack_user if isinstance(card, Card) else None


def who_asked(card: AnyCard) -> str:
    """The Slack user who raised their hand, empty where nobody did: they must know when nobody sees it."""
    return card.alert.asked_by if isinstance(card, AlertCard) else ""


def urgency(card: AnyCard, shown_since: float) -> Urgency:
    """What is undecided, or has a state that is not shown yet, goes first; of these the newest state.

    `shown_since` is when the newest state that is shown began, in seconds since 1970.
    """
    since = newest_step(card).timestamp()
    interventions = card.interventions if isinstance(card, Card) else ()
    undecided = any(one.following and one.state in UNDECIDED for one in interventions)
    return Urgency(rank_of(card), undecided or since > shown_since, since)
