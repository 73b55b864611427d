"""What alerts ask of the outside: the ledger, the cards in Slack, the figures. No I/O here.

These are the ports of `alarms`, `lookout` and `helping`. Whoever fulfils them has a folder of its own and imports this module.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from bot.alerts.alert import Alert
from bot.domain.buttons import Button
from bot.domain.calls import PhoneCallView


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class AlertCard(_Frozen):
    """One alert as everybody in its channel may see it. That somebody listens or whispers is not in it."""

    alert: Alert
    agent: str
    """The name of the person at the extension, or the number. Empty: a party is protected, and nothing of the call is shown."""
    view: PhoneCallView | None
    """The agent's side of the call; None where the call no longer shows it, or a party is protected."""
    names: dict[str, str] = {}
    """Of the other parties, by their numbers."""
    by: str = ""
    """The name of who answered or picked up, where that resolved it."""
    buttons: tuple[Button, ...] = ()
    """What can be done about it now; whether somebody may is asked when they click."""

    @property
    def id(self) -> str:
        """The card's own id."""
        return self.alert.id

    @property
    def place(self) -> str:
        """The channel."""
        return self.alert.channel


class DigestCard(_Frozen):
    """Many alerts of one channel on one card: the oldest open ones whole, of all others how many they are."""

    id: str
    place: str
    lines: tuple[AlertCard, ...] = ()
    """Those open for longest, the first of them first."""
    rules: tuple[tuple[str, int, int], ...] = ()
    """The name of each rule, how many of its alerts are open, and how many there were."""
    begun_at: datetime
    changed_at: datetime
    not_updated_since: datetime | None = None
    """Since when no look has told of the calls, where that is too long ago."""

    @property
    def open(self) -> int:
        """How many alerts are open."""
        return sum(number for _, number, _ in self.rules)

    @property
    def total(self) -> int:
        """How many alerts there were."""
        return sum(number for _, _, number in self.rules)


class BlindCard(_Frozen):
    """That no alert can come, because the live calls cannot be read: one for a channel at a time."""

    id: str
    place: str
    """The channel."""
    since: datetime
    """When they could be read last."""
    whole: bool
    """No call can be read; else not those of some scopes."""
    ended: datetime | None = None
    """When all could be read again."""


class AlertCards(Protocol):
    """The cards in Slack. Each returns at once; the newest truth wins."""

    def show(self, card: AlertCard | DigestCard) -> None:
        """Post the card, or bring the posted one up to date."""

    def coming(self, slack_user: str, name: str) -> None:
        """Tell an agent who raised their hand, in a direct message, who is coming."""


class AlertLedger(Protocol):
    """The memory of alerts. Every method may raise CallbotError."""

    async def save_alerts(self, alerts: Sequence[Alert]) -> None:
        """Write down what is true of these now; there is one row for each `key` at most.

        Many go in pieces, each all or none: after a failure the first of them may be written.
        """

    async def alerts_of(self, keys: Collection[str]) -> tuple[Alert, ...]:
        """Those of these keys that were ever raised, in no order."""

    async def alert(self, alert_id: str) -> Alert | None:
        """The one of that id."""

    async def open_alerts(self) -> tuple[Alert, ...]:
        """All that are open, and those that share a digest with one; the first raised first."""

    async def resolved_unshown(self) -> tuple[Alert, ...]:
        """Those resolved in the ledger's last day whose card does not show that yet, and all that share such a card.

        Of very many cards the newest.
        """


class AlertMeasures(Protocol):
    """The figures that an operator watches."""

    def looked(self, seconds: float, calls: int, unread: int, skipped: int) -> None:
        """One look at all live calls: how long it took, how many it showed, how many scopes did not answer.

        `skipped`: entries of lists that could not be read.
        """

    def alert(self, kind: str, what: str) -> None:
        """One alert was raised on its own card or `digested`, taken, snoozed, resolved; or one card was posted. `kind`: of its rule."""

    def date_unusable(self, when: str, why: str) -> None:
        """A date of a call was missing or future: nothing is raised by it; or contradictory or implausible: it counts from later."""

    def alert_to_card(self, seconds: float) -> None:
        """From the moment that an alert was due to its card in Slack."""

    def card_to_click(self, seconds: float) -> None:
        """From its card to the first click that acts on its call."""
