"""The alerts that are remembered: every open one, and what shares a digest with it. Which is where, and nothing else. Pure."""

from collections.abc import Iterator

from bot.alerts.alert import Alert
from bot.domain.calls import PhoneCall


class AlertBoard:
    """Alerts by their card, by their id, and by what they are about."""

    def __init__(self) -> None:
        self._on_card: dict[str, dict[str, Alert]] = {}
        self._card_of: dict[str, str] = {}
        self._about: dict[tuple[str, str, str], dict[str, None]] = {}

    def __contains__(self, card_id: str) -> bool:
        """Whether anything of that card is remembered."""
        return card_id in self._on_card

    @property
    def cards(self) -> tuple[str, ...]:
        """Every card that is remembered."""
        return tuple(self._on_card)

    def on_card(self, card_id: str) -> tuple[Alert, ...]:
        """The alerts of one card."""
        return tuple(self._on_card.get(card_id, {}).values())

    @property
    def open(self) -> tuple[Alert, ...]:
        """Every alert that is open."""
        return tuple(alert for shown in self._on_card.values() for alert in shown.values() if alert.open)

    def of_id(self, alert_id: str) -> Alert | None:
        """The alert of that id."""
        return self._on_card.get(self._card_of.get(alert_id, ""), {}).get(alert_id)

    def about(self, rule: str, call: PhoneCall, asked_by: str = "") -> Iterator[Alert]:
        """Those of that rule and call: not of another call that had the same id before."""
        for alert_id in tuple(self._about.get((rule, call.id, asked_by), ())):
            alert = self.of_id(alert_id)
            if alert is not None and not alert.call.is_another_than(call):
                yield alert

    def open_digest(self, channel: str) -> str:
        """The digest of that channel which has open alerts, if there is one."""
        return next((alert.digest for alert in self.open if alert.channel == channel and alert.digest), "")

    def put(self, alert: Alert) -> None:
        """Remember it as it is now."""
        self._on_card.setdefault(alert.card, {})[alert.id] = alert
        self._card_of[alert.id] = alert.card
        self._about.setdefault((alert.rule, alert.call.id, alert.asked_by), {})[alert.id] = None

    def forget(self, card_id: str) -> None:
        """Forget all of a card."""
        for alert in self._on_card.pop(card_id, {}).values():
            del self._card_of[alert.id]
            about = (alert.rule, alert.call.id, alert.asked_by)
            self._about[about].pop(alert.id, None)
            if not self._about[about]:
                del self._about[about]
