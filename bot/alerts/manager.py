"""The alerts that are open, each on a card of its own or many on a digest: what is new is written down, and shown.

What a look means for them is `lookout`, what people say to them `helping`; here is what is so now, and who hears of it.
An alert is in the ledger before its card is in Slack, so a crash between the two loses none and doubles none.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import structlog

from bot.alerts.alert import Alert, AlertState, When, awake, grown_old, intervened, key_of, raised, taken
from bot.alerts.board import AlertBoard
from bot.alerts.card import alert_card, digest_card
from bot.alerts.digests import Digests
from bot.alerts.ports import AlertCard, AlertCards, AlertLedger, AlertMeasures
from bot.alerts.wall_time import alert_taken_up
from bot.domain.calls import PhoneCall
from bot.domain.intervention import Intervention
from bot.domain.permissions import Permissions
from bot.tasks import Tasks, WriteBehind, in_slices

DIGEST_EVERY = 3.0
"""Seconds between two states of one digest: what floods it must not use up what Slack lets us send."""

_log = structlog.get_logger("callbot.alarms")


class AlertManager:
    """The open alerts and their cards. `interventions` are those that are open.

    `without_legs` gives a call as anybody may know of it: its cards are there for everybody to see.
    """

    def __init__(
        self,
        *,
        ledger: AlertLedger,
        cards: AlertCards,
        rules: Callable[[], Permissions],
        without_legs: Callable[[PhoneCall], PhoneCall],
        interventions: Callable[[], tuple[Intervention, ...]],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        measures: AlertMeasures,
    ) -> None:
        self._ledger = ledger
        self._cards = cards
        self._rules = rules
        self._without_legs = without_legs
        self._interventions = interventions
        self._now = now
        self._sleep = sleep
        self._measures = measures
        self._digests = Digests(new_id)
        self._board = AlertBoard()
        self._started_at = now()
        self._one_raising_at_a_time = asyncio.Lock()
        self._due: dict[str, datetime] = {}
        self._posted_at: dict[str, datetime] = {}
        self._digests_changed: set[str] = set()
        self._digests_shown: set[str] = set()
        self._saving = WriteBehind(self._save, sleep, saved=lambda alert: self._forget_if_done(alert.card))
        self._tasks = Tasks(apart=True)

    # ── what there is ──

    @property
    def open(self) -> tuple[Alert, ...]:
        """Every alert that is open."""
        return self._board.open

    def of_id(self, alert_id: str) -> Alert | None:
        """The alert of that id, if it is remembered: every open one is."""
        return self._board.of_id(alert_id)

    def about(self, rule: str, call: PhoneCall, asked_by: str = "") -> Alert | None:
        """The open alert of that rule and call."""
        return next((alert for alert in self._board.about(rule, call, asked_by) if alert.open), None)

    # ── from start to stop ──

    async def start(self) -> None:
        """Take up what an earlier process left open, and show what it has not shown. Raises CallbotError."""
        found = (*await self._ledger.open_alerts(), *await self._ledger.resolved_unshown())
        for alert in (alert_taken_up(one, self._started_at) for one in found):
            self._board.put(alert)
            if alert.when is not When.HELP_REQUESTED:
                self._digests.count(alert.channel, 1, alert.steps[0].at, alert.digest)
        for card_id in self._board.cards:
            self._show(card_id)
            self._forget_if_done(card_id)

    async def stop(self) -> None:
        """Change no more. What is open stays open in the ledger."""
        await self._tasks.cancel()
        await self._saving.stop()

    # ── what happens ──

    async def raise_(self, new: Sequence[Alert], due: Iterable[datetime] = ()) -> tuple[Alert, ...]:
        """Raise them, written down first: each on its own card, or all of them on their channel's digest.

        One that was raised before, for the same rule and call, is raised again on the card that it has. `due` are the
        moments from which on each could have been raised. Raises CallbotError: then none is shown, and what the ledger has
        taken all the same is found there when it is raised again, or at the next start.
        """
        async with self._one_raising_at_a_time:
            return await self._raise(new, due)

    async def _raise(self, new: Sequence[Alert], due: Iterable[datetime]) -> tuple[Alert, ...]:
        now = self._now()
        again = [self._again(before, alert) for before, alert in zip(await self._before(new), new, strict=True)]
        alerts = [self._joined(raised(alert, now)) for alert in self._seated(again, now)]
        await self._ledger.save_alerts(alerts)
        for alert, moment in zip(alerts, due, strict=False):
            if not alert.digest and len(alert.steps) == 1:
                self._due[alert.id] = moment
        for alert in alerts:
            self._board.put(alert)
            if self._saving.waits(alert.id):  # an older truth would be written after this one
                self._saving.begin(alert)
            if len(alert.steps) == 1 and alert.when is not When.HELP_REQUESTED:
                self._digests.count(alert.channel, 1, now, alert.digest)
            self._measures.alert(alert.when, "digested" if alert.digest else "raised")
        for card_id in dict.fromkeys(alert.card for alert in alerts):
            self._show(card_id)
        return tuple(alerts)

    async def _before(self, new: Sequence[Alert]) -> list[Alert | None]:
        """For each what there was of the same rule and call: what is remembered is newer than what is written down."""
        remembered = [next(self._board.about(one.rule, one.call, one.asked_by), None) for one in new]
        keys = [one.key for one in new]
        late = [key_of(one.rule, one.call.model_copy(update={"published": None}), one.asked_by) for one in new]
        written = {one.key: one for one in await self._ledger.alerts_of([*keys, *late])}

        def before(one: Alert, late_key: str) -> Alert | None:
            undated = written.get(late_key)
            same = undated is not None and undated.call.published == one.call.published
            return written.get(one.key) or (undated if same else None)

        return [known or before(one, key) for known, one, key in zip(remembered, new, late, strict=True)]

    def _joined(self, alert: Alert) -> Alert:
        """With those on it who are in its call by it."""
        by_person: dict[str, list[Intervention]] = {}
        for one in self._interventions():
            if one.alert == alert.id:
                by_person.setdefault(one.slack_user, []).append(one)
        for theirs in by_person.values():
            alert = intervened(alert, theirs)
        return alert

    def change(self, alert: Alert) -> None:
        """A new truth of a known alert: shown at once where it is to be seen, and written down."""
        before = self.of_id(alert.id)
        if before is None or alert is before or alert == before:
            return
        self._board.put(alert)
        if _memorable(alert) != _memorable(before):
            self._saving.begin(alert)
            self._show(alert.card)
        if alert.state is not before.state:
            _log.info("alert", alert=alert.id, state=alert.state, how=alert.how, call=alert.call.id)
            if alert.state is not AlertState.RAISED:
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
        came = now is not None and (helper := now.helper(newest.slack_user)) is not None and helper.coming
        if not came or (known is not None and known.coming):
            return
        posted_at = self._posted_at.pop(before.id, None)
        if posted_at is not None:
            self._measures.card_to_click(max(0.0, (newest.asked_at - posted_at).total_seconds()))
        if known is None or not known.on_it:
            self._tell_who_asked(before, newest.slack_user, newest.supervisor)

    def take(self, alert: Alert, slack_user: str, name: str) -> None:
        """Somebody says that they are on it; whoever raised their hand hears of it."""
        known = alert.helper(slack_user)
        self.change(taken(alert, slack_user, name, self._now()))
        self._measures.alert(alert.when, "taken")
        if known is None or not (known.on_it or known.coming):
            self._tell_who_asked(alert, slack_user, name)

    async def grow_older(self) -> None:
        """What time alone changes: a snooze that is over, and what no look has told of for too long."""
        async for one in in_slices(self.open):
            alert, now = self.of_id(one.id), self._now()
            if alert is not None:
                self.change(grown_old(awake(alert, now), now, self._started_at))
        async for card_id in in_slices(self._board.cards):
            self._forget_if_done(card_id)

    async def show_all(self) -> None:
        """Show every open card as the rules of now would have it."""
        async for card_id in in_slices({alert.card for alert in self.open}):
            if card_id in self._board:
                self._show(card_id)

    def posted(self, card_id: str) -> None:
        """A card has come to stand in Slack."""
        shown, now = self._board.on_card(card_id), self._now()
        if not shown:
            return
        self._measures.alert(shown[0].when, "posted")
        due = self._due.pop(card_id, None)
        if due is not None:
            self._posted_at[card_id] = now
            self._measures.alert_to_card((now - due).total_seconds())

    # ── one card ──

    def _again(self, before: Alert | None, new: Alert) -> Alert:
        """The one from before, if there was one, with what is seen now. A digest that does not go on shows it no more."""
        if before is None:
            return new
        kept = ("id", "channel", "steps", "digest")
        goes_on = not before.digest or before.digest in self._board
        call = new.call.model_copy(update={"published": new.call.published or before.call.published})
        return new.model_copy(
            update={name: getattr(before, name) for name in kept}
            | {"call": call, "known_as": before.key}
            | ({} if goes_on else {"digest": "", "steps": ()})
        )

    def _seated(self, alerts: list[Alert], now: datetime) -> list[Alert]:
        """The alerts; those that no card shows yet get the digest that is to show them, if any. A raised hand has its own card."""
        new = {alert.id for alert in alerts if not alert.steps and alert.when is not When.HELP_REQUESTED}
        number = Counter(alert.channel for alert in alerts if alert.id in new)
        seats = {
            channel: self._digests.seat(channel, many, now, self._board.open_digest(channel))
            for channel, many in number.items()
        }
        return [
            alert.model_copy(update={"digest": seats[alert.channel]}) if alert.id in new else alert for alert in alerts
        ]

    def _show(self, card_id: str) -> None:
        """Bring a card up to date; a digest not too often."""
        shown = self._board.on_card(card_id)
        if not shown[0].digest:
            self._cards.show(self._alert_card(shown[0]))
            return
        self._digests_changed.add(card_id)
        if card_id not in self._digests_shown:
            self._digests_shown.add(card_id)
            self._tasks.spawn(self._keep_digest(card_id), name=f"digest {card_id}")

    async def _keep_digest(self, card_id: str) -> None:
        try:
            while card_id in self._digests_changed and card_id in self._board:
                self._digests_changed.discard(card_id)
                self._cards.show(digest_card(self._board.on_card(card_id), self._alert_card))
                await self._sleep(DIGEST_EVERY)
        finally:
            self._digests_shown.discard(card_id)
        self._forget_if_done(card_id)

    def _forget_if_done(self, card_id: str) -> None:
        """Leave a card with nothing open to the ledger, once that and Slack's turn know all of it."""
        alerts = self._board.on_card(card_id)
        going = any(alert.open or self._saving.waits(alert.id) for alert in alerts)
        if not alerts or going or card_id in self._digests_shown:
            return
        if alerts[0].digest and self._digests.current(card_id, self._now()):
            return
        for alert in alerts:
            self._due.pop(alert.id, None)
            self._posted_at.pop(alert.id, None)
        self._board.forget(card_id)

    def _alert_card(self, alert: Alert) -> AlertCard:
        return alert_card(alert, self._rules(), self._without_legs)

    async def _save(self, alert: Alert) -> None:
        await self._ledger.save_alerts((alert,))

    def _tell_who_asked(self, alert: Alert, slack_user: str, name: str) -> None:
        if alert.asked_by and alert.asked_by != slack_user:
            self._cards.coming(alert.asked_by, name)


def _memorable(alert: Alert) -> Alert:
    """What is worth writing down and showing: all but when it was looked at last, unless that is long ago."""
    return alert if alert.stale else alert.model_copy(update={"seen_at": alert.raised_at})
