"""What the card of an alert, and of a digest of many alerts, shows: as much as everybody in its channel may know. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.alerts.alert import Alert, Resolution
from bot.domain.actions import fitting_actions
from bot.domain.buttons import Button, button
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Intervene, Target
from bot.domain.permissions import Permissions, names_on

MOST_LINES = 8
"""Alerts that a digest shows in full."""


class AlertCard(BaseModel):
    """One alert as everybody in its channel may see it. It never says that somebody monitors or whispers."""

    model_config = ConfigDict(frozen=True)

    alert: Alert
    agent: str
    """The name of the person at the extension, or the number. Empty if a party is protected: then nothing of the call is shown."""
    view: PhoneCallView | None
    """The agent's view; None if the call no longer shows it, or a party is protected."""
    names: dict[str, str] = {}
    """The names of the other parties, by number."""
    by: str = ""
    """The name of the person who answered or picked up the call, if that resolved the alert."""
    buttons: tuple[Button, ...] = ()
    """The actions that suit the call now. Whether somebody may use them is checked when they click."""

    @property
    def id(self) -> str:
        """The id of the card."""
        return self.alert.id

    @property
    def place(self) -> str:
        """The channel."""
        return self.alert.channel


class DigestCard(BaseModel):
    """Many alerts of one channel on one card: the oldest open ones in full, all others as numbers."""

    model_config = ConfigDict(frozen=True)

    id: str
    place: str
    """The channel."""
    lines: tuple[AlertCard, ...] = ()
    """The alerts that have been open for longest, the oldest first."""
    rules: tuple[tuple[str, int, int], ...] = ()
    """For each rule its name, how many of its alerts are open, and how many there are in all."""
    begun_at: datetime
    changed_at: datetime
    not_updated_since: datetime | None = None
    """When the call of the stalest alert was shown last; None if no open alert is stale."""

    @property
    def open(self) -> int:
        """How many alerts are open."""
        return sum(number for _, number, _ in self.rules)

    @property
    def total(self) -> int:
        """How many alerts there are in all."""
        return sum(number for _, _, number in self.rules)


def describe_alert(alert: Alert, permissions: Permissions, without_legs: Callable[[PhoneCall], PhoneCall]) -> AlertCard:
    """The card of one alert. `without_legs` takes the legs of supervisors out of its call.

    Of a call with a protected party nothing is shown.
    """
    alert = alert.model_copy(update={"call": without_legs(alert.call)})
    protected = permissions.protects(alert.call) or permissions.protects_extension(alert.extension)
    if protected or alert.how is Resolution.PROTECTED:
        return AlertCard(alert=alert, agent="", view=None)
    view = _agents_view(alert)
    return AlertCard(
        alert=alert,
        agent=permissions.name_of(alert.extension),
        view=view,
        names={} if view is None else names_on(view, permissions),
        by=permissions.name_of(alert.by) if alert.by else "",
        buttons=_buttons(alert, view) if alert.open and view is not None else (),
    )


def describe_digest(alerts: Sequence[Alert], describe: Callable[[Alert], AlertCard]) -> DigestCard:
    """The card of a digest of these alerts; `describe` makes the lines that are shown in full."""
    open_ones = sorted((alert for alert in alerts if alert.open), key=lambda alert: (alert.since, alert.id))
    total, still_open = Counter(alert.name for alert in alerts), Counter(alert.name for alert in open_ones)
    return DigestCard(
        id=alerts[0].digest,
        place=alerts[0].channel,
        lines=tuple(map(describe, open_ones[:MOST_LINES])),
        rules=tuple((name, still_open[name], number) for name, number in total.most_common()),
        begun_at=min(alert.steps[0].at for alert in alerts),
        changed_at=max(alert.steps[-1].at for alert in alerts),
        not_updated_since=min((alert.seen_at for alert in open_ones if alert.stale), default=None),
    )


def _agents_view(alert: Alert) -> PhoneCallView | None:
    """The agent's view of the call: the one that the alert is about, if it is still there."""
    own = [view for view in alert.call.named_views.values() if view.extension == alert.extension]
    return min(own, key=lambda view: (view.id != alert.view_id, view.id), default=None)


def _buttons(alert: Alert, view: PhoneCallView) -> tuple[Button, ...]:
    target = Target(kind="extension", text=alert.extension)
    commands = [Intervene(action=action, target=target, alert=alert.id) for action in fitting_actions(view)]
    return tuple(button(command, alert.extension, alert.call, channel=alert.channel) for command in commands)
