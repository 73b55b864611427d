"""Keeps the open alerts, and shows each on a card of its own or many on a digest.

`monitor` says what a scan means for them, `responses` what people say to them. An alert is in the ledger before its card is
in Slack, so a crash between the two loses no alert and posts no second card. The ledger has one alert for one rule and call.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bot.alerts.alert import (
    Alert,
    AlertRule,
    AlertState,
    When,
    acknowledged,
    alert_taken_up,
    key_of,
    marked_stale,
    raised,
    snooze_over,
    with_interventions,
)
from bot.alerts.card import AlertCard, DigestCard, Digests, describe_alert, describe_digest
from bot.domain.calls import PhoneCall
from bot.domain.clock import Clock
from bot.domain.commands import new_id
from bot.domain.intervention import Intervention
from bot.domain.permissions import Permissions
from bot.tasks import Tasks, WriteBehind, in_slices

DIGEST_EVERY = 3.0
"""Seconds between two updates of one digest: a burst of alerts must not use up the requests that Slack allows."""

_log = structlog.get_logger("callbot.alerts")


class AlertConfig(Protocol):
    """The live configuration (`bot.app.live_config.LiveConfig`), as far as alerts go by it."""

    def permissions(self) -> Permissions:
        """Who may do what now."""

    def alert_rules(self) -> tuple[AlertRule, ...]:
        """The rules of `[[alerts]]` as they are now."""

    def help_channel(self) -> str | None:
        """Where help requests go now; None if it is not set."""


class OpenInterventions(Protocol):
    """The open interventions, from `bot.interventions.tracker.InterventionTracker`."""

    @property
    def open(self) -> tuple[Intervention, ...]:
        """All of them."""

    def without_legs(self, call: PhoneCall) -> PhoneCall:
        """The call without the legs of supervisors: what an alert keeps of a call is there for everybody to see."""


class AlertCards(Protocol):
    """The cards in Slack, sent by `bot.slack.card_publisher.CardPublisher`.

    Every method returns at once, and the newest version of a card is what is sent.
    """

    def show(self, card: AlertCard | DigestCard) -> None:
        """Post the card, or update the posted one."""

    def help_coming(self, slack_user: str, name: str) -> None:
        """Tell an agent who asked for help, in a direct message, who is coming."""


class AlertLedger(Protocol):
    """The alerts in the ledger (`bot.ledger.alerts.StoredAlerts`). Every method may raise CallbotError."""

    async def save_alerts(self, alerts: Sequence[Alert]) -> None:
        """Save these alerts as they are now. There is one row for each `key`.

        Many are saved in batches, each all or nothing: after a failure the first batches may be saved.
        """

    async def alerts_of(self, keys: Collection[str]) -> tuple[Alert, ...]:
        """The alerts with these keys, open or not, in no order."""

    async def alert(self, alert_id: str) -> Alert | None:
        """The alert with that id."""

    async def open_alerts(self) -> tuple[Alert, ...]:
        """The open alerts, and those that share a digest with one; the one that was raised first comes first."""

    async def resolved_unshown(self) -> tuple[Alert, ...]:
        """The alerts resolved within a day before the ledger was last written, whose card does not show that yet.

        With them all alerts that share such a card. Only the newest cards, if there are very many.
        """


class AlertMetrics(Protocol):
    """The metrics of alerts, which `bot.app.metrics.Metrics` keeps."""

    def scanned(self, seconds: float, calls: int, unread: int, skipped: int) -> None:
        """One scan: how long it took, how many calls it showed, how many scopes did not answer.

        `skipped`: entries of lists that could not be read.
        """

    def alert(self, when: str, what: str) -> None:
        """An alert of a rule with that `when` was raised, digested, acknowledged, snoozed or resolved, or its card was posted."""

    def date_unusable(self, when: str, why: str) -> None:
        """A date of a call was not used: missing or future (no rule fires by it), contradictory or implausible (it counts from later)."""

    def alert_to_card(self, seconds: float) -> None:
        """From the moment that a rule fired to the posted card."""

    def card_to_click(self, seconds: float) -> None:
        """From the posted card to the first click that acts on its call."""


class AlertManager:
    """The alerts that are remembered: every open one, and those that share a digest with an open one."""

    def __init__(
        self,
        *,
        ledger: AlertLedger,
        cards: AlertCards,
        config: AlertConfig,
        open_interventions: OpenInterventions,
        metrics: AlertMetrics,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ledger = ledger
        self._cards = cards
        self._config = config
        self._open_interventions = open_interventions
        self._metrics = metrics
        self._clock = clock
        self._sleep = sleep
        self._digests = Digests(new_id)
        self._started_at = clock.now()
        self._alerts: dict[str, Alert] = {}
        """By id."""
        self._on_card: dict[str, dict[str, None]] = {}
        """The ids of the alerts of each card, in the order in which they came."""
        self._of_rule_and_call: dict[tuple[str, str, str], dict[str, None]] = {}
        """The ids of the alerts of one rule key, call id and asker."""
        self._one_raising_at_a_time = asyncio.Lock()
        self._fired_at: dict[str, datetime] = {}
        """When the rule of each alert fired, until its own card is posted. For a metric."""
        self._card_posted_at: dict[str, datetime] = {}
        """When the own card of each alert was posted, until the first click that acts on its call. For a metric."""
        self._digests_changed: set[str] = set()
        """The ids of the digests that changed since they were shown last."""
        self._digest_tasks: set[str] = set()
        """The ids of the digests with a running `_show_digest`."""
        self._saving = WriteBehind[Alert](
            lambda alert: ledger.save_alerts((alert,)), sleep, saved=lambda alert: self._forget_if_done(alert.card)
        )
        self._tasks = Tasks(apart=True)

    async def start(self) -> None:
        """Take up the alerts that an earlier process left open or not shown. Raises CallbotError."""
        found = (*await self._ledger.open_alerts(), *await self._ledger.resolved_unshown())
        for alert in (alert_taken_up(one, self._started_at) for one in found):
            self._remember(alert)
            if alert.when is not When.HELP_REQUESTED:
                # so that more alerts of the same burst go on the same digest after a restart
                self._digests.count(alert.channel, 1, alert.steps[0].at, alert.digest)
        for card_id in tuple(self._on_card):
            self._show(card_id)
            self._forget_if_done(card_id)

    async def stop(self) -> None:
        """Stop. Open alerts stay open in the ledger."""
        await self._tasks.cancel()
        await self._saving.stop()

    # ── which alerts there are ──

    @property
    def open(self) -> tuple[Alert, ...]:
        """Every open alert."""
        return tuple(alert for alert in self._alerts.values() if alert.open)

    def by_id(self, alert_id: str) -> Alert | None:
        """The alert with that id, if it is remembered."""
        return self._alerts.get(alert_id)

    def of_call(self, rule: str, call: PhoneCall, asked_by: str = "") -> Iterator[Alert]:
        """The alerts of the rule with that key and this call, open or not; not those of an earlier call with the same id."""
        known = (self._alerts[alert_id] for alert_id in self._of_rule_and_call.get((rule, call.id, asked_by), ()))
        return (alert for alert in known if not alert.call.is_another_than(call))

    def _remember(self, alert: Alert) -> None:
        self._alerts[alert.id] = alert
        self._on_card.setdefault(alert.card, {})[alert.id] = None
        self._of_rule_and_call.setdefault((alert.rule, alert.call.id, alert.asked_by), {})[alert.id] = None

    def _forget_if_done(self, card_id: str) -> None:
        """Forget a card without open alerts, once the ledger knows all of it and no update of a digest is due."""
        alerts = [self._alerts[alert_id] for alert_id in self._on_card.get(card_id, ())]
        if not alerts or any(alert.open or self._saving.is_unsaved(alert.id) for alert in alerts):
            return
        if card_id in self._digest_tasks or self._digests.current(card_id, self._clock.now()):
            return
        del self._on_card[card_id]
        for alert in alerts:
            del self._alerts[alert.id]
            self._fired_at.pop(alert.id, None)
            self._card_posted_at.pop(alert.id, None)
            key = (alert.rule, alert.call.id, alert.asked_by)
            del self._of_rule_and_call[key][alert.id]
            if not self._of_rule_and_call[key]:
                del self._of_rule_and_call[key]

    # ── what happens to them ──

    async def raise_alerts(self, new: Sequence[Alert], fired_at: Iterable[datetime] = ()) -> tuple[Alert, ...]:
        """Save these alerts and show them: each on its own card, or all of a channel on its digest.

        An alert that was raised before, for the same rule and call, is raised again on the card that it has. `fired_at`:
        since when each could have been raised, for the metrics. Raises CallbotError: then none is shown, and any that was
        saved nevertheless is found in the ledger when it is raised again, or at the next start.
        """
        async with self._one_raising_at_a_time:
            now = self._clock.now()
            continued = await self._raised_before(new)
            alerts = [self._with_interventions(raised(one, now)) for one in self._on_digests(continued, now)]
            await self._ledger.save_alerts(alerts)
            for alert, moment in zip(alerts, fired_at, strict=False):  # `fired_at` is empty where nothing is measured
                if not alert.digest and _is_raised_first(alert):
                    self._fired_at[alert.id] = moment
            for alert in alerts:
                self._remember(alert)
                if self._saving.is_unsaved(alert.id):  # replace the older state that waits: it would overwrite this one
                    self._saving.save_soon(alert)
                if _is_raised_first(alert) and alert.when is not When.HELP_REQUESTED:
                    self._digests.count(alert.channel, 1, now, alert.digest)
                _log.info("alert", alert=alert.id, state=alert.state, card=alert.card, call=alert.call.id)
                self._metrics.alert(alert.when, "digested" if alert.digest else "raised")
            for card_id in dict.fromkeys(alert.card for alert in alerts):
                self._show(card_id)
            return tuple(alerts)

    async def _raised_before(self, new: Sequence[Alert]) -> list[Alert]:
        """Each alert; as the earlier one of the same rule and call, where there is one, with the call as it is now.

        A key contains the date `published` of the call. An alert that was first saved without it keeps a key without it, so
        each is looked up by both keys.
        """
        keys_without_date = {
            one.id: key_of(one.rule, one.call.model_copy(update={"published": None}), one.asked_by) for one in new
        }
        saved = {
            one.key: one
            for one in await self._ledger.alerts_of([*(one.key for one in new), *keys_without_date.values()])
        }
        alerts = []
        for one in new:
            saved_without_date = saved.get(keys_without_date[one.id])
            if saved_without_date is not None and saved_without_date.call.published != one.call.published:
                saved_without_date = None  # perhaps of an earlier call with the same id
            remembered = next(self.of_call(one.rule, one.call, one.asked_by), None)  # newer than what the ledger has
            earlier = remembered or saved.get(one.key) or saved_without_date
            alerts.append(one if earlier is None else self._continued(earlier, one))
        return alerts

    def _continued(self, earlier: Alert, new: Alert) -> Alert:
        """The new alert under the id, on the card and under the key of the earlier one."""
        kept: dict[str, object] = {name: getattr(earlier, name) for name in ("id", "channel", "steps", "digest")}
        if earlier.digest and earlier.digest not in self._on_card:  # a digest that is forgotten is not updated any more
            kept |= {"digest": "", "steps": ()}
        call = new.call.model_copy(update={"published": new.call.published or earlier.call.published})
        return new.model_copy(update=kept | {"call": call, "known_as": earlier.key})

    def _on_digests(self, alerts: list[Alert], now: datetime) -> list[Alert]:
        """The alerts; those without a card get the digest of their channel, if there are too many for cards of their own.

        A help request always has its own card.
        """
        new = {alert.id for alert in alerts if not alert.steps and alert.when is not When.HELP_REQUESTED}
        # If a channel has several open digests, this finds the one that was raised first.
        open_digests = {alert.channel: alert.digest for alert in reversed(self.open) if alert.digest}
        digests = {
            channel: self._digests.digest_for(channel, number, now, open_digests.get(channel, ""))
            for channel, number in Counter(alert.channel for alert in alerts if alert.id in new).items()
        }
        return [
            alert.model_copy(update={"digest": digests[alert.channel]}) if alert.id in new else alert
            for alert in alerts
        ]

    def _with_interventions(self, alert: Alert) -> Alert:
        """With the people as helpers who intervene in its call from its card."""
        by_person: dict[str, list[Intervention]] = {}
        for one in self._open_interventions.open:
            if one.alert == alert.id:
                by_person.setdefault(one.slack_user, []).append(one)
        for theirs in by_person.values():
            alert = with_interventions(alert, theirs)
        return alert

    def update(self, alert: Alert) -> None:
        """Replace a remembered alert. If anything changed that people see, it is saved and shown."""
        before = self._alerts.get(alert.id)
        if before is None or alert is before or alert == before:
            return
        self._remember(alert)
        if _without_age(alert) != _without_age(before):
            self._saving.save_soon(alert)
            self._show(alert.card)
        if alert.state is not before.state:
            _log.info("alert", alert=alert.id, state=alert.state, how=alert.how, call=alert.call.id)
            if alert.state is not AlertState.RAISED:
                self._metrics.alert(alert.when, alert.state)

    def note_interventions(self, interventions: tuple[Intervention, ...]) -> None:
        """Everything that one person asked for in one call, as it is now: put on the alerts from whose cards they asked."""
        for alert_id in dict.fromkeys(one.alert for one in interventions if one.alert):
            alert = self._alerts.get(alert_id)
            if alert is None:
                continue
            self.update(with_interventions(alert, interventions))
            self._note_click(alert, next(one for one in reversed(interventions) if one.alert == alert_id))

    def _note_click(self, before: Alert, newest: Intervention) -> None:
        """Measure the first click that acts on the call, and tell an agent who asked for help who comes through that click.

        `coming` stays while the alert is open, so this does something once for each person: when their first intervention
        got under way.
        """
        known, helper = before.helper(newest.slack_user), self._alerts[before.id].helper(newest.slack_user)
        if helper is None or not helper.coming or (known is not None and known.coming):
            return
        posted_at = self._card_posted_at.pop(before.id, None)
        if posted_at is not None:
            self._metrics.card_to_click(max(0.0, (newest.asked_at - posted_at).total_seconds()))
        if known is None or not known.on_it:  # else the agent was told when they acknowledged it
            self._tell_asker(before, newest.slack_user, newest.supervisor)

    def note_acknowledgement(self, alert: Alert, slack_user: str, name: str) -> None:
        """Somebody clicked *I'm on it*. An agent who asked for help is told who is coming."""
        known = alert.helper(slack_user)
        self.update(acknowledged(alert, slack_user, name, self._clock.now()))
        self._metrics.alert(alert.when, "acknowledged")
        if known is None or not (known.on_it or known.coming):
            self._tell_asker(alert, slack_user, name)

    async def pass_time(self) -> None:
        """End the snoozes that are over, mark stale alerts, forget what is done."""
        async for one in in_slices(self.open):
            alert, now = self._alerts.get(one.id), self._clock.now()
            if alert is not None:
                self.update(marked_stale(snooze_over(alert, now), now, self._started_at))
        async for card_id in in_slices(tuple(self._on_card)):
            self._forget_if_done(card_id)

    # ── cards ──

    async def refresh_cards(self) -> None:
        """Show every open card again, by the permissions as they are now."""
        async for card_id in in_slices({alert.card for alert in self.open}):
            if card_id in self._on_card:
                self._show(card_id)

    def card_posted(self, card_id: str) -> None:
        """A card is in Slack now."""
        shown, now = self._on_card.get(card_id), self._clock.now()
        if not shown:
            return
        self._metrics.alert(self._alerts[next(iter(shown))].when, "posted")
        fired_at = self._fired_at.pop(card_id, None)  # by alert id: an alert with its own card has the card's id
        if fired_at is not None:
            self._card_posted_at[card_id] = now
            self._metrics.alert_to_card((now - fired_at).total_seconds())

    def _show(self, card_id: str) -> None:
        """Show a card as it is now: the card of one alert at once, a digest every DIGEST_EVERY seconds."""
        alert = self._alerts[next(iter(self._on_card[card_id]))]
        if not alert.digest:
            self._cards.show(describe_alert(alert, self._config.permissions(), self._open_interventions.without_legs))
            return
        self._digests_changed.add(card_id)
        if card_id not in self._digest_tasks:
            self._digest_tasks.add(card_id)
            self._tasks.spawn(self._show_digest(card_id), name=f"digest {card_id}")

    async def _show_digest(self, card_id: str) -> None:
        try:
            while card_id in self._digests_changed and card_id in self._on_card:
                self._digests_changed.discard(card_id)
                alerts = [self._alerts[alert_id] for alert_id in self._on_card[card_id]]
                permissions, without_legs = self._config.permissions(), self._open_interventions.without_legs
                self._cards.show(describe_digest(alerts, permissions, without_legs))
                await self._sleep(DIGEST_EVERY)
        finally:
            self._digest_tasks.discard(card_id)
        self._forget_if_done(card_id)

    def _tell_asker(self, alert: Alert, slack_user: str, name: str) -> None:
        if alert.asked_by and alert.asked_by != slack_user:
            self._cards.help_coming(alert.asked_by, name)


def _is_raised_first(alert: Alert) -> bool:
    """Whether it is raised for the first time: raised again, it has the steps of before."""
    return len(alert.steps) == 1


def _without_age(alert: Alert) -> Alert:
    """The alert without `seen_at`, which changes with every scan, unless it is shown because the alert is stale."""
    return alert if alert.stale else alert.model_copy(update={"seen_at": alert.raised_at})
