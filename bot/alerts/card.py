"""What goes on the card of an alert, and of a digest of many: as much as everybody in the channel may know. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence

from bot.alerts.alert import Alert, How
from bot.alerts.ports import AlertCard, DigestCard
from bot.domain.actions import fitting_actions
from bot.domain.buttons import Button, button
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Intervene, Target
from bot.domain.permissions import Permissions, names_on

MOST_LINES = 8
"""Alerts that a digest shows whole."""


def alert_card(alert: Alert, rules: Permissions, without_legs: Callable[[PhoneCall], PhoneCall]) -> AlertCard:
    """The card of one alert by the rules of now; `without_legs` gives a call as anybody may know of it.

    Of a call with a protected party nothing is on it.
    """
    alert = alert.model_copy(update={"call": without_legs(alert.call)})
    hidden = alert.how is How.PROTECTED or rules.protects(alert.call) or rules.protects_extension(alert.extension)
    if hidden:
        return AlertCard(alert=alert, agent="", view=None)
    view = _side(alert)
    return AlertCard(
        alert=alert,
        agent=rules.name_of(alert.extension),
        view=view,
        names={} if view is None else names_on(view, rules),
        by=rules.name_of(alert.by) if alert.by else "",
        buttons=_buttons(alert, view) if alert.open and view is not None else (),
    )


def digest_card(alerts: Sequence[Alert], card: Callable[[Alert], AlertCard]) -> DigestCard:
    """Many alerts of one channel: the oldest open ones whole, made by `card`, and how many all are."""
    open_ones = sorted((alert for alert in alerts if alert.open), key=lambda alert: (alert.since, alert.id))
    number, still = Counter(alert.name for alert in alerts), Counter(alert.name for alert in open_ones)
    return DigestCard(
        id=alerts[0].digest,
        place=alerts[0].channel,
        lines=tuple(map(card, open_ones[:MOST_LINES])),
        rules=tuple((name, still[name], many) for name, many in number.most_common()),
        begun_at=min(alert.steps[0].at for alert in alerts),
        changed_at=max(alert.steps[-1].at for alert in alerts),
        not_updated_since=min((alert.seen_at for alert in open_ones if alert.stale), default=None),
    )


def _side(alert: Alert) -> PhoneCallView | None:
    """The agent's own side of the call: the one that the alert is about, if that is still there."""
    own = [view for view in alert.call.named_views.values() if view.extension == alert.extension]
    return min(own, key=lambda view: (view.id != alert.view_id, view.id), default=None)


def _buttons(alert: Alert, view: PhoneCallView) -> tuple[Button, ...]:
    target = Target(kind="extension", text=alert.extension)
    return tuple(
        button(
            Intervene(action=action, target=target, alert=alert.id), alert.extension, alert.call, channel=alert.channel
        )
        for action in fitting_actions(view)
    )
