"""Turns the times of cards and lists, in callbot's and the PBX's time, into wall-clock times. See `bot.domain.wall_time`."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

from bot.alerts.card import AlertCard, BlindCard, DigestCard
from bot.alerts.wall_time import alert_at, blind_at
from bot.domain.wall_time import call_at, intervention_at, moved, view_at
from bot.interventions.ports import Card, Choice, Line

_WithCall = TypeVar("_WithCall", Choice, Line)


def lines_at(lines: Iterable[_WithCall], pbx: timedelta) -> tuple[_WithCall, ...]:
    """Lines of `/calls`, or calls to choose from, with wall-clock times. Their buttons keep the PBX's times."""
    if not pbx:
        return tuple(lines)
    return tuple(
        line.model_copy(update={"call": call_at(line.call, pbx), "view": view_at(line.view, pbx)}) for line in lines
    )


def card_at(
    card: Card | AlertCard | DigestCard | BlindCard, own: timedelta, pbx: timedelta
) -> Card | AlertCard | DigestCard | BlindCard:
    """A card of any kind with wall-clock times. Its buttons keep the PBX's times."""
    if not (own or pbx):
        return card
    match card:
        case Card():
            interventions = tuple(intervention_at(one, own, pbx) for one in card.interventions)
            return card.model_copy(update={"interventions": interventions})
        case AlertCard():
            return _alert_card_at(card, own, pbx)
        case DigestCard():
            lines = tuple(_alert_card_at(line, own, pbx) for line in card.lines)
            changed = moved(card, ("begun_at", "changed_at", "not_updated_since"), own)
            return changed.model_copy(update={"lines": lines})
        case BlindCard():
            return blind_at(card, own)


def _alert_card_at(card: AlertCard, own: timedelta, pbx: timedelta) -> AlertCard:
    view = None if card.view is None else view_at(card.view, pbx)
    return card.model_copy(update={"alert": alert_at(card.alert, own, pbx), "view": view})
