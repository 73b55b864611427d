"""What the card of an alert, or of a digest of many, shows, and which alerts share a digest. Pure.

A card shows as much as everybody in its channel may know. Of more than 10 new alerts within a minute a channel gets one digest.
All alerts count that were raised, on cards of their own or not, so a burst that goes on stays on its digest. A burst that
goes on for very long, or is very large, begins a new digest, so that people need not scroll up far to what is new.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from bot.alerts.alert import Alert, Resolution
from bot.domain.actions import fitting_actions
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.clock import shift_times
from bot.domain.commands import Intervene, Offer, Target
from bot.domain.permissions import Permissions, names_on

MOST_FULL_ALERTS = 8
"""Alerts that a digest shows in full."""
OWN_CARDS = 10
"""New alerts of one channel within WITHIN that each get a card of their own."""
WITHIN = timedelta(minutes=1)
LONGEST_DIGEST, LARGEST_DIGEST = timedelta(minutes=15), 500
"""How long one digest takes new alerts, and how many it takes."""


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
    buttons: tuple[Offer[Intervene], ...] = ()
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


class BlindCard(BaseModel):
    """Says that no alert can be raised, because live calls cannot be read. A channel has one at a time."""

    model_config = ConfigDict(frozen=True)

    id: str
    place: str
    """The channel."""
    since: datetime
    """When the calls could be read last."""
    whole: bool
    """True if no call can be read, False if those of some scopes cannot."""
    ended: datetime | None = None
    """When all could be read again."""


def shift_blind(card: BlindCard, own: timedelta) -> BlindCard:
    """The card with its times shifted by `own` (see `bot.domain.clock`)."""
    return shift_times(card, ("since", "ended"), own)


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


def describe_digest(
    alerts: Sequence[Alert], permissions: Permissions, without_legs: Callable[[PhoneCall], PhoneCall]
) -> DigestCard:
    """The card of a digest of these alerts."""
    open_ones = sorted((alert for alert in alerts if alert.open), key=lambda alert: (alert.since, alert.id))
    total, still_open = Counter(alert.name for alert in alerts), Counter(alert.name for alert in open_ones)
    return DigestCard(
        id=alerts[0].digest,
        place=alerts[0].channel,
        lines=tuple(describe_alert(alert, permissions, without_legs) for alert in open_ones[:MOST_FULL_ALERTS]),
        rules=tuple((name, still_open[name], number) for name, number in total.most_common()),
        begun_at=min(alert.steps[0].at for alert in alerts),
        changed_at=max(alert.steps[-1].at for alert in alerts),
        not_updated_since=min((alert.seen_at for alert in open_ones if alert.stale), default=None),
    )


def _agents_view(alert: Alert) -> PhoneCallView | None:
    """The agent's view of the call: the one that the alert is about, if it is still there."""
    own = [view for view in alert.call.named_views.values() if view.extension == alert.extension]
    return min(own, key=lambda view: (view.id != alert.view_id, view.id), default=None)


def _buttons(alert: Alert, view: PhoneCallView) -> tuple[Offer[Intervene], ...]:
    target = Target(kind="extension", text=alert.extension)
    commands = [Intervene(action=action, target=target, alert=alert.id) for action in fitting_actions(view)]
    return tuple(Offer(command.on_call(alert.extension, alert.call), alert.channel) for command in commands)


# ── which alerts share a digest ──


@dataclass
class _Digest:
    id: str
    begun: datetime
    added: datetime
    """When it took its last alert."""
    size: int = 0

    def is_full(self, now: datetime) -> bool:
        """Whether it takes no more alerts."""
        return now - self.begun >= LONGEST_DIGEST or self.size >= LARGEST_DIGEST


class Digests:
    """The alerts that were raised lately in each channel, and the newest digest of each. `new_id` makes ids of digests."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._lately: dict[str, list[tuple[datetime, int]]] = {}
        self._digests: dict[str, _Digest] = {}

    def digest_for(self, channel: str, number: int, now: datetime, open_digest: str = "") -> str:
        """The digest for this number of new alerts: its id, or empty if each gets a card of its own. Nothing is counted yet.

        It is the digest that took the last alerts, if that was less than a minute ago; else `open_digest`, one that still
        shows open alerts; else a new one.
        """
        lately = sum(many for at, many in self._lately.get(channel, ()) if _lately(at, now))
        if number + lately <= OWN_CARDS:
            return ""
        last = self._digests.get(channel)
        if last is None:
            return open_digest or self._new_id()
        if last.is_full(now):
            return self._new_id()
        return last.id if _lately(last.added, now) else open_digest or self._new_id()

    def count(self, channel: str, number: int, at: datetime, digest: str) -> None:
        """Count this number of alerts as raised at `at`, on that digest; empty if each has a card of its own."""
        lately = [(then, many) for then, many in self._lately.get(channel, ()) if _lately(then, at)]
        self._lately[channel] = [*lately, (at, number)]
        if not digest:
            return
        last = self._digests.get(channel)
        if last is None or (last.id != digest and last.added <= at):
            last = self._digests[channel] = _Digest(digest, at, at)
        if last.id == digest:
            last.begun, last.added = min(last.begun, at), max(last.added, at)
            last.size += number

    def current(self, digest: str, now: datetime) -> bool:
        """Whether that digest took its last alert less than a minute ago, so that the next burst goes on it too."""
        return any(
            known.id == digest and _lately(known.added, now) and not known.is_full(now)
            for known in self._digests.values()
        )


def _lately(at: datetime, now: datetime) -> bool:
    """Whether it was less than a minute ago. After a clock is set back by more than that, nothing before it counts as recent."""
    return abs(now - at) < WITHIN
