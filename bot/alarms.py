"""The alerts that are open, each on a card of its own or many on a digest: what is new is written down, and shown.

What a look means for them is `lookout`, what people say to them `helping`; here is what is so now, and who hears of it.
An alert is in the ledger before its card is in Slack, so a crash between the two loses none and doubles none.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import structlog

from bot.alert_ports import AlertCard, AlertCards, AlertLedger, AlertMeasures
from bot.alerts import Alert, When, awake, grown_old, intervened, raised, taken
from bot.authorization import AuthorizationMap
from bot.carding import alert_card, digest_card
from bot.floods import Floods
from bot.following import Intervention
from bot.phonecalls import PhoneCall
from bot.saving import Saving
from bot.tasks import Tasks

DIGEST_EVERY = 3.0
"""Seconds between two states of one digest: what floods it must not use up what Slack lets us send."""

_log = structlog.get_logger("callbot.alarms")


class Alarms:
    """The open alerts and their cards. `legs` are the views of calls that came with interventions of ours."""

    def __init__(
        self,
        *,
        ledger: AlertLedger,
        cards: AlertCards,
        rules: Callable[[], AuthorizationMap],
        legs: Callable[[PhoneCall], frozenset[str]],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        measures: AlertMeasures,
    ) -> None:
        self._ledger = ledger
        self._cards = cards
        self._rules = rules
        self._legs = legs
        self._now = now
        self._sleep = sleep
        self._measures = measures
        self._floods = Floods(new_id)
        self._on_card: dict[str, dict[str, Alert]] = {}
        self._card_of: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._due: dict[str, datetime] = {}
        self._clicked: set[str] = set()
        self._digests_changed: set[str] = set()
        self._digests_shown: set[str] = set()
        self._saving = Saving(self._save, sleep, saved=lambda alert: self._forget_if_done(alert.card))
        self._tasks = Tasks(apart=True)

    # ── what there is ──

    @property
    def open(self) -> tuple[Alert, ...]:
        """Every alert that is open."""
        return tuple(alert for shown in self._on_card.values() for alert in shown.values() if alert.open)

    def of_id(self, alert_id: str) -> Alert | None:
        """The alert of that id, if it is remembered: every open one is."""
        return self._on_card.get(self._card_of.get(alert_id, ""), {}).get(alert_id)

    def of_key(self, key: str) -> Alert | None:
        """The open alert for that rule and call."""
        alert = self.of_id(self._keys.get(key, ""))
        return alert if alert is not None and alert.open else None

    # ── from start to stop ──

    async def start(self) -> None:
        """Take up what an earlier process left open, and show what it has not shown. Raises CallbotError."""
        found = (*await self._ledger.open_alerts(), *await self._ledger.resolved_unshown())
        for alert in found:
            self._remember(alert)
            if alert.when is not When.HAND_RAISED:
                self._floods.remember(alert.channel, alert.steps[0].at, alert.digest)
        for card_id in tuple(self._on_card):
            self._show(card_id)
            self._forget_if_done(card_id)

    async def stop(self) -> None:
        """Change no more. What is open stays open in the ledger."""
        await self._tasks.cancel()
        await self._saving.stop()

    # ── what happens ──

    async def raise_(self, new: Sequence[Alert], due: Iterable[datetime] = ()) -> None:
        """Raise them, written down first: each on its own card, or all of them on their channel's digest.

        One that was raised before, for the same rule and call, is raised again on the card that it has. `due` are the
        moments from which on each could have been raised. Raises CallbotError: then
        none is shown, and what the ledger has taken all the same is found there when it is raised again, or at the next start.
        """
        now = self._now()
        before = {alert.key: alert for alert in await self._ledger.alerts_of([alert.key for alert in new])}
        again = [self._again(before.get(alert.key), alert) for alert in new]
        alerts = [raised(alert, now) for alert in self._seated(again, now)]
        await self._ledger.save_alerts(alerts)
        for alert, moment in zip(alerts, due, strict=False):
            if not alert.digest and len(alert.steps) == 1:
                self._due[alert.id] = moment
        for alert in alerts:
            self._remember(alert)
            self._measures.alert(alert.when, "digested" if alert.digest else "raised")
        for card_id in dict.fromkeys(alert.card for alert in alerts):
            self._show(card_id)

    def change(self, alert: Alert) -> None:
        """A new truth of a known alert: shown at once where it is to be seen, and written down."""
        before = self.of_id(alert.id)
        if before is None or alert == before:
            return
        self._on_card[alert.card][alert.id] = alert
        if alert.key != before.key:  # the call's `published` is shown only now
            self._keys.pop(before.key, None)
            self._keys[alert.key] = alert.id
        if _memorable(alert) != _memorable(before):
            self._saving.begin(alert)
            self._show(alert.card)
        if alert.state is not before.state:
            _log.info("alert", alert=alert.id, state=alert.state, how=alert.how, call=alert.call.id)
            self._measures.alert(alert.when, alert.state.lower())

    def intervened(self, interventions: tuple[Intervention, ...]) -> None:
        """What one person has asked for in one call, as it is now: on the alerts from whose cards they asked."""
        for alert_id in dict.fromkeys(one.alert for one in interventions if one.alert):
            alert = self.of_id(alert_id)
            if alert is None:
                continue
            self.change(intervened(alert, interventions))
            self._note_click(alert, next(one for one in reversed(interventions) if one.alert == alert_id))

    def _note_click(self, before: Alert, newest: Intervention) -> None:
        """The first click that acts on its call is measured; whoever raised their hand hears of each who comes by one."""
        known, now = before.helper(newest.slack_user), self.of_id(before.id)
        came = now is not None and (helper := now.helper(newest.slack_user)) is not None and helper.intervening
        if not came or (known is not None and known.intervening):
            return
        if before.id not in self._clicked:
            self._clicked.add(before.id)
            self._measures.card_to_click((newest.asked_at - before.raised_at).total_seconds())
        if known is None or not known.on_it:
            self._tell_who_asked(before, newest.slack_user, newest.supervisor)

    def take(self, alert: Alert, slack_user: str, name: str) -> None:
        """Somebody says that they are on it; whoever raised their hand hears of it."""
        known = alert.helper(slack_user)
        self.change(taken(alert, slack_user, name, self._now()))
        self._measures.alert(alert.when, "taken")
        if known is None or not known.on_it:
            self._tell_who_asked(alert, slack_user, name)

    def grow_older(self) -> None:
        """What time alone changes: a snooze that is over, and what no look has told of for too long."""
        now = self._now()
        for alert in self.open:
            self.change(grown_old(awake(alert, now), now))
        for card_id in tuple(self._on_card):
            self._forget_if_done(card_id)

    def show_all(self) -> None:
        """Show every open card as the rules of now would have it."""
        for card_id in {alert.card for alert in self.open}:
            self._show(card_id)

    def posted(self, card_id: str) -> None:
        """A card has come to stand in Slack."""
        due = self._due.pop(card_id, None)
        if due is not None:
            self._measures.alert_to_card((self._now() - due).total_seconds())

    # ── one card ──

    def _again(self, before: Alert | None, new: Alert) -> Alert:
        """The one from before, if there was one, with what is seen now. A digest that does not go on shows it no more."""
        if before is None:
            return new
        seen = {name: getattr(new, name) for name in ("call", "extension", "view_id", "since", "seen_at", "about")}
        digest = before.digest if before.digest in self._on_card else ""
        steps = before.steps if digest or not before.digest else ()
        return before.model_copy(update=seen | {"stale": False, "digest": digest, "steps": steps})

    def _seated(self, alerts: list[Alert], now: datetime) -> list[Alert]:
        """The alerts, those that no card shows with theirs. A raised hand always has its own."""
        new = {alert.id for alert in alerts if not alert.steps and alert.when is not When.HAND_RAISED}
        number = Counter(alert.channel for alert in alerts if alert.id in new)
        seats = {
            channel: self._floods.seat(channel, many, now, self._open_digest(channel))
            for channel, many in number.items()
        }
        return [
            alert.model_copy(update={"digest": seats[alert.channel]}) if alert.id in new else alert for alert in alerts
        ]

    def _open_digest(self, channel: str) -> str:
        """The digest of that channel which has open alerts."""
        return next((alert.digest for alert in self.open if alert.channel == channel and alert.digest), "")

    def _remember(self, alert: Alert) -> None:
        former = self._card_of.get(alert.id)
        if former is not None and former != alert.card:
            self._on_card.get(former, {}).pop(alert.id, None)
        self._on_card.setdefault(alert.card, {})[alert.id] = alert
        self._card_of[alert.id] = alert.card
        self._keys[alert.key] = alert.id

    def _show(self, card_id: str) -> None:
        """Bring a card up to date; a digest not too often."""
        shown = tuple(self._on_card[card_id].values())
        if not shown[0].digest:
            self._cards.show(self._alert_card(shown[0]))
            return
        self._digests_changed.add(card_id)
        if card_id not in self._digests_shown:
            self._digests_shown.add(card_id)
            self._tasks.spawn(self._keep_digest(card_id), name=f"digest {card_id}")

    async def _keep_digest(self, card_id: str) -> None:
        try:
            while card_id in self._digests_changed and card_id in self._on_card:
                self._digests_changed.discard(card_id)
                alerts = tuple(self._on_card[card_id].values())
                self._cards.show(digest_card(alerts, self._alert_card))
                await self._sleep(DIGEST_EVERY)
        finally:
            self._digests_shown.discard(card_id)
        self._forget_if_done(card_id)

    def _forget_if_done(self, card_id: str) -> None:
        """Leave a card with nothing open to the ledger, once that and Slack's turn know all of it."""
        alerts = tuple(self._on_card.get(card_id, {}).values())
        going = any(alert.open or self._saving.waits(alert.id) for alert in alerts)
        if not alerts or going or card_id in self._digests_shown:
            return
        if alerts[0].digest and self._floods.current(card_id, self._now()):
            return
        for alert in alerts:
            self._due.pop(alert.id, None)
            self._clicked.discard(alert.id)
            self._card_of.pop(alert.id, None)
            self._keys.pop(alert.key, None)
        del self._on_card[card_id]

    def _alert_card(self, alert: Alert) -> AlertCard:
        return alert_card(alert, self._rules(), self._legs(alert.call))

    async def _save(self, alert: Alert) -> None:
        await self._ledger.save_alerts((alert,))

    def _tell_who_asked(self, alert: Alert, slack_user: str, name: str) -> None:
        if alert.asked_by and alert.asked_by != slack_user:
            self._cards.coming(alert.asked_by, name)


def _memorable(alert: Alert) -> Alert:
    """What is worth writing down and showing: all but when it was looked at last, unless that is long ago."""
    return alert if alert.stale else alert.model_copy(update={"seen_at": alert.raised_at})
