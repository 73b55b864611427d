"""Moves the times of alerts between callbot's clock, the clock of the PBX and the wall clock. See `bot.domain.wall_time`."""

from datetime import datetime, timedelta

from bot.alerts.alert import Alert
from bot.alerts.card import BlindCard
from bot.domain.wall_time import NONE, call_at, moved


def alert_at(alert: Alert, own: timedelta, pbx: timedelta = NONE) -> Alert:
    """The alert with the times by callbot's clock moved by `own`, and those by the clock of the PBX moved by `pbx`."""
    if not (own or pbx):
        return alert
    changed = moved(moved(alert, ("raised_at", "seen_at", "snoozed_until"), own), ("since",), pbx)
    steps = tuple(moved(step, ("at",), own) for step in alert.steps)
    helpers = tuple(moved(one, ("since",), own) for one in alert.helpers)
    return changed.model_copy(update={"steps": steps, "helpers": helpers, "call": call_at(alert.call, pbx)})


def alert_taken_up(alert: Alert, now: datetime) -> Alert:
    """An alert from the ledger. If its newest time is after `now`, all are moved back by the difference."""
    ahead = max(alert.raised_at, alert.seen_at, *(step.at for step in alert.steps), now) - now
    return alert_at(alert, -ahead) if ahead else alert


def blind_at(card: BlindCard, own: timedelta) -> BlindCard:
    """The card with its times moved by `own`."""
    return moved(card, ("since", "ended"), own)
