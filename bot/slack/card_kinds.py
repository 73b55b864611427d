"""What the publisher asks of every card, answered for each kind: intervention, alert, digest, outage of the PBX. Pure."""

from datetime import datetime, timedelta
from typing import TypeAlias

from bot.alerts.alert import shift_alert
from bot.alerts.card import AlertCard, BlindCard, DigestCard, shift_blind
from bot.domain.clock import shift_intervention, shift_times, shift_view
from bot.domain.intervention import UNDECIDED, Why
from bot.interventions.card import InterventionCard
from bot.slack.alert_card import alert_message, blind_message, digest_message
from bot.slack.intervention_card import intervention_message
from bot.slack.messages import Message
from bot.slack.outbox import Rank, Urgency

AnyCard: TypeAlias = InterventionCard | AlertCard | DigestCard | BlindCard


def message_of(card: AnyCard) -> Message:
    """The message that shows the card."""
    match card:
        case InterventionCard():
            return intervention_message(card)
        case AlertCard():
            return alert_message(card)
        case DigestCard():
            return digest_message(card)
        case BlindCard():
            return blind_message(card)


def newest_step(card: AnyCard) -> datetime:
    """When the newest state on the card was reached."""
    match card:
        case InterventionCard():
            return max(step.at for one in card.interventions for step in one.steps)
        case AlertCard():
            return max((step.at for step in card.alert.steps), default=card.alert.raised_at)
        case DigestCard():
            return card.changed_at
        case BlindCard():
            return card.ended or card.since


def shown_until(card: AnyCard) -> datetime | None:
    """When the newest state on the card was reached, for the ledger's `shown_until`; None: the next start has to update it.

    A request that waits for the supervisor's busy phone is in no ledger, so the next start has to take it off the card.
    """
    waits = isinstance(card, InterventionCard) and any(one.why is Why.PHONE_BUSY for one in card.interventions)
    return None if waits else newest_step(card)


def may_change(card: AnyCard) -> bool:
    """Whether what the card shows still goes on."""
    match card:
        case InterventionCard():
            return any(one.following for one in card.interventions)
        case AlertCard():
            return card.alert.open
        case DigestCard():
            return card.open > 0
        case BlindCard():
            return card.ended is None


def rank_of(card: AnyCard) -> Rank:
    """Its rank in the outbox."""
    return Rank.INTERVENTION if isinstance(card, InterventionCard) else Rank.ALERT


def person_to_tell(card: AnyCard) -> str | None:
    """The Slack user who gets a direct message where the card cannot be shown; None for alerts."""
    return card.interventions[-1].slack_user if isinstance(card, InterventionCard) else None


def who_asked(card: AnyCard) -> str:
    """The Slack user who asked for help, empty for other cards: they must know when their team cannot see it."""
    return card.alert.asked_by if isinstance(card, AlertCard) else ""


def urgency(card: AnyCard, shown_since: float) -> Urgency:
    """Undecided interventions and states that are not shown yet go first; of these the newest state.

    `shown_since`: when the newest state in the message began, in seconds since 1970.
    """
    since = newest_step(card).timestamp()
    interventions = card.interventions if isinstance(card, InterventionCard) else ()
    undecided = any(one.following and one.state in UNDECIDED for one in interventions)
    return Urgency(rank_of(card), undecided or since > shown_since, since)


def shift_card(card: AnyCard, own: timedelta, pbx: timedelta) -> AnyCard:
    """The card with its times shifted from callbot's clock by `own`, and from the clock of the PBX by `pbx`; not its buttons."""
    if not (own or pbx):
        return card
    match card:
        case InterventionCard():
            interventions = tuple(shift_intervention(one, own, pbx) for one in card.interventions)
            return card.model_copy(update={"interventions": interventions})
        case AlertCard():
            return _shift_alert_card(card, own, pbx)
        case DigestCard():
            lines = tuple(_shift_alert_card(line, own, pbx) for line in card.lines)
            changed = shift_times(card, ("begun_at", "changed_at", "not_updated_since"), own)
            return changed.model_copy(update={"lines": lines})
        case BlindCard():
            return shift_blind(card, own)


def _shift_alert_card(card: AlertCard, own: timedelta, pbx: timedelta) -> AlertCard:
    view = None if card.view is None else shift_view(card.view, pbx)
    return card.model_copy(update={"alert": shift_alert(card.alert, own, pbx), "view": view})
