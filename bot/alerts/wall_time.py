"""What is kept in callbot's time and in the PBX's, as the wall clock has it: alerts. See `bot.domain.wall_time`."""

from datetime import datetime, timedelta

from bot.alerts.alert import Alert
from bot.alerts.ports import BlindCard
from bot.domain.wall_time import NONE, call_at, moved


def alert_at(alert: Alert, own: timedelta, pbx: timedelta = NONE) -> Alert:
    """An alert, its steps, who is on it, and its call."""
    if not (own or pbx):
        return alert
    changed = moved(moved(alert, ("raised_at", "seen_at", "snoozed_until"), own), ("since",), pbx)
    steps = tuple(moved(step, ("at",), own) for step in alert.steps)
    helpers = tuple(moved(one, ("since",), own) for one in alert.helpers)
    return changed.model_copy(update={"steps": steps, "helpers": helpers, "call": call_at(alert.call, pbx)})


def alert_taken_up(alert: Alert, now: datetime) -> Alert:
    """The same of an alert."""
    ahead = max(alert.raised_at, alert.seen_at, *(step.at for step in alert.steps), now) - now
    return alert_at(alert, -ahead) if ahead else alert


def blind_at(card: BlindCard, own: timedelta) -> BlindCard:
    """That a channel is blind."""
    return moved(card, ("since", "ended"), own)
