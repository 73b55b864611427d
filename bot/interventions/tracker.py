"""Keeps the open interventions up to date: polls their calls, saves what changed, shows the card.

One loop for each call and the extension that it is read by, however many people intervene in it; each poll serves them all.
The table that says what a poll means is `bot.domain.intervention`, when and how the PBX is asked is `bot.polling.poller`;
here is what is open, and what happens with the answer.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Protocol

import structlog

from bot.domain.actions import JOINING, RECORDING, RINGS_PHONE, ActionName
from bot.domain.calls import PhoneCall, PhoneSeen
from bot.domain.clock import taken_up
from bot.domain.commands import Request
from bot.domain.intervention import UNDECIDED, Intervention, Poll, State, Why, answer_lost, follow, not_sent, removed
from bot.domain.legs import NOTHING_KNOWN, Known, as_others_see, without_legs
from bot.domain.permissions import Permissions
from bot.interventions.card import InterventionCard, card_of, is_removed, others_read
from bot.interventions.checks import POLL_PATIENCE, phone_seen
from bot.interventions.outcomes import InterventionLedger
from bot.interventions.waiting import WaitingRequests
from bot.polling.poller import CallPath, Haste, Poller
from bot.tasks import Tasks, WriteBehind

RECORDED = frozenset({State.RECORDING, State.RECORDING_STOPPED})
_SAVED_AT_ONCE = 16
"""States that are written at the same time: SQLite does so in one commit."""

_log = structlog.get_logger("callbot.tracker")


class Cards(Protocol):
    """The cards in Slack, sent by `bot.slack.card_publisher.CardPublisher`. `show` returns at once; the newest state wins."""

    def show(self, card: InterventionCard) -> None:
        """Post the card, or bring the posted one up to date."""

    def interrupted(self, request: Request) -> None:
        """Tell the person, in a direct message, that a restart cut the request off and that nothing was sent."""

    def never_sent(self, card: str) -> None:
        """Say on the card, if it stands, that what waited on it was not sent. Asked for at a start, of what ended before."""


class InterventionMetrics(Protocol):
    """The metrics that an operator watches, which `bot.app.metrics.Metrics` keeps."""

    def put(self, result: str) -> None:
        """One PUT, and how it was answered: call, ringing, nothing, refused, unreachable or lost."""

    def connected(self, seconds: float, *, by_alert: bool) -> None:
        """Proof that the supervisor is in the call, so many seconds after they asked, perhaps from an alert's card."""


class InterventionConfig(Protocol):
    """The live configuration (`bot.app.live_config.LiveConfig`), as far as interventions need it.

    Each is asked anew whenever it counts.
    """

    def permissions(self) -> Permissions:
        """Who may do what now."""

    def refuse_if_unread(self) -> None:
        """Raise NotAuthorized where those permissions may be out of date: the files cannot be read."""

    def silent_in(self) -> frozenset[str]:
        """The channels that may show silent actions."""


class InterventionTracker:
    """The open interventions and their cards.

    `on_shown` is called with all interventions of a card whenever the card is shown.
    """

    def __init__(
        self,
        *,
        poller: Poller,
        ledger: InterventionLedger,
        cards: Cards,
        config: InterventionConfig,
        now: Callable[[], datetime],
        metrics: InterventionMetrics,
        on_shown: Callable[[tuple[Intervention, ...]], None] = lambda _: None,
    ) -> None:
        self._poller = poller
        self._ledger = ledger
        self._cards = cards
        self._config = config
        self._now = now
        self._metrics = metrics
        self._on_shown = on_shown
        self._on_card: dict[str, dict[str, Intervention]] = {}
        """The newest state of each intervention, by card and id, oldest first."""
        self._tracked: dict[str, dict[str, Intervention]] = {}
        """Those that are tracked, by call id and intervention id. Calls without any are removed."""
        self._polled: set[CallPath] = set()
        """The calls that have a loop."""
        self._being_sent: set[str] = set()
        """Ids of interventions whose PUT has no answer yet. Nothing is polled for them."""
        self._stopped = False
        # Shown by what has saved it, for the task that reached the state may be cancelled meanwhile.
        self._saving = WriteBehind(ledger.save, saved=self._show_and_forget, at_once=_SAVED_AT_ONCE)
        self._tasks = Tasks(apart=True)
        self.waiting_requests = WaitingRequests(
            self.show,
            phone_seen=self._phone_seen,
            is_ours=lambda one: self.busy_elsewhere(one.slack_user, one.phone, one.call_id) is not None,
        )

    # ── what is open ──

    @property
    def open(self) -> tuple[Intervention, ...]:
        """Everything that is still tracked."""
        return tuple(chain.from_iterable(in_call.values() for in_call in self._tracked.values()))

    def _in_call(self, call_id: str) -> tuple[Intervention, ...]:
        """What is still tracked in calls of this id."""
        return tuple(self._tracked.get(call_id, {}).values())

    def known(self, calls: Iterable[PhoneCall]) -> Mapping[str, Known]:
        """What interventions of ours tell of the views of these calls as they are now, by call id.

        Also a view that looks like a leg, but that no poll has proven yet. The view of a call picked up is a party's, not a
        leg.
        """
        return {call.id: self._known(call) for call in calls if call.id in self._tracked}

    def _known(self, call: PhoneCall) -> Known:
        ours = [one for one in self._in_call(call.id) if not call.is_another_than(one.call)]
        if not ours:
            return NOTHING_KNOWN
        return Known(
            legs=frozenset(key for one in ours for key in call.named_views if _came_with(one, call, key)),
            heard=frozenset(key for one in ours for key in call.named_views if self._is_heard(one, call, key)),
        )

    def _is_heard(self, one: Intervention, call: PhoneCall, key: str) -> bool:
        """Whether this view is no secret: a picked-up call, or the leg of a Barge in whose card others can read."""
        view = call.named_views[key]
        if one.name is ActionName.PICK_UP:
            return key == one.action.phone_call_view_id and view.on_call and one.phone in view.source
        public = one.name is ActionName.BARGE_IN and others_read(one.place, one.slack_user, self._config.silent_in())
        return public and one.in_call and key == one.leg and one.phone in view.source

    def without_legs(self, call: PhoneCall) -> PhoneCall:
        """The call without every view that is or may be a supervisor's leg: nobody may learn of those."""
        return without_legs(call, self._known(call), self._config.permissions())

    def current(self, slack_user: str, call_id: str) -> Intervention | None:
        """What a person's phone is used for in this call: an undecided intervention first, else one by which they are in it."""
        own = [one for one in self._in_call(call_id) if one.name in RINGS_PHONE and one.slack_user == slack_user]
        undecided = (one for one in own if one.state in UNDECIDED)
        return next(undecided, None) or next((one for one in own if one.in_call), None)

    def busy_elsewhere(self, slack_user: str, phone: str, call_id: str) -> Intervention | None:
        """The open intervention of a person in another call: undecided, or one by which they are in that call."""
        return next(
            (
                one
                for one in self.open
                if one.name in RINGS_PHONE
                and (one.slack_user == slack_user or one.phone == phone)
                and one.call_id != call_id
                and (one.in_call or one.state in UNDECIDED)
            ),
            None,
        )

    def waiting_to_act_on(self, slack_user: str, call_id: str) -> Intervention | None:
        """The request of this person on this call that waits for their phone; None where none does."""
        on_cards = chain.from_iterable(on_card.values() for on_card in self._on_card.values())
        theirs = (one for one in on_cards if (one.slack_user, one.call_id) == (slack_user, call_id))
        return next((one for one in theirs if one.why is Why.PHONE_BUSY), None)

    # ── what is on the cards ──

    async def load_card(self, card_id: str) -> dict[str, Intervention]:
        """Remember what the card shows already, and return it, by id. The dict is live: it changes as the interventions do.

        Raises CallbotError where the ledger cannot be read.
        """
        shown = () if card_id in self._on_card else taken_up(await self._ledger.of_card(card_id), self._now())
        if card_id not in self._on_card:  # another request may have loaded it while the ledger was read
            for one in shown:
                self._remember(one)
        return self._on_card.setdefault(card_id, {})

    def add_to_card(self, new: Intervention, earlier: dict[str, Intervention]) -> None:
        """Remember a new intervention beside what `load_card` returned, even if that has ended and is forgotten since.

        Its call is not polled for it until the answer to its PUT comes with `track`. An older request of this person that
        was not answered is no longer tracked: the next leg proves the new one.
        """
        on_card = self._on_card.setdefault(new.card, earlier)
        for one in (*on_card.values(), new):
            self._remember(one)
        if not new.following:  # it waits for the phone
            return
        self._being_sent.add(new.id)
        for older in self._in_call(new.call_id):
            same = older.slack_user == new.slack_user and older.id != new.id
            if same and older.state is State.NOT_ANSWERED and new.name in RINGS_PHONE:
                over = older.model_copy(update={"following": False})
                self._remember(over)
                self._saving.save_soon(over)

    def _remember(self, one: Intervention) -> None:
        """Keep a new state, on its card and in its call."""
        self._on_card.setdefault(one.card, {})[one.id] = one
        in_call = self._tracked.setdefault(one.call_id, {})
        if one.following:
            in_call[one.id] = one
        else:
            in_call.pop(one.id, None)
        if not in_call:
            del self._tracked[one.call_id]

    def _newest(self, one: Intervention) -> Intervention | None:
        """What is true of this one now; None where its card is forgotten."""
        return self._on_card.get(one.card, {}).get(one.id)

    def end_waiting(self, waiting: Intervention, advice: str) -> None:
        """What waited was not sent, and the card says so; nothing where it was sent after all."""
        as_it_is = self._newest(waiting)
        if as_it_is is not None and as_it_is.why is Why.PHONE_BUSY:
            self._remember(not_sent(as_it_is, advice, self._now()))
            self._show_and_forget(waiting)

    def show(self, card_id: str) -> None:
        """Bring the card up to date."""
        shown = tuple(self._on_card.get(card_id, {}).values())
        if shown:
            self._cards.show(
                card_of(
                    shown,
                    self._config.permissions(),
                    silent_in=self._config.silent_in(),
                    known=self._known,
                    waiting=self.waiting_requests.shown_on(card_id),
                )
            )
            self._on_shown(shown)

    def _show_and_forget(self, intervention: Intervention) -> None:
        """Bring its card up to date, for the last time where nothing on it is open."""
        self.show(intervention.card)
        self.forget_if_done(intervention.card)

    def forget_if_done(self, card_id: str) -> None:
        """Forget a card with nothing open, once the ledger has all of it."""
        shown = self._on_card.get(card_id, {}).values()
        if not any(one.following or one.why is Why.PHONE_BUSY or self._saving.is_unsaved(one.id) for one in shown):
            self._on_card.pop(card_id, None)

    async def track(self, intervention: Intervention) -> None:
        """Save a new state, and have its call polled while there is more to see.

        What is saved is shown by `_saving`. Where the ledger is slow it is shown here first.
        """
        self._being_sent.discard(intervention.id)
        self._remember(intervention)
        await self._saving.save(intervention)
        if self._saving.is_unsaved(intervention.id):
            self._show_and_forget(intervention)
        call = (intervention.user, intervention.extension, intervention.call_id)
        if intervention.following and call not in self._polled and not self._stopped:
            self._polled.add(call)
            self._tasks.spawn(self._poll_call(call), name=f"polls of {intervention.call_id}")

    async def resume(self) -> None:
        """Take up, after a start, what was open: poll the call, and let the same card go on. Tell whose requests are lost.

        What has ended is shown where its card does not show it yet: its end was written down before it reached Slack.
        """
        for request in await self._ledger.interrupted():
            self._cards.interrupted(request)
        for card_id in await self._ledger.waited_unshown():
            self._cards.never_sent(card_id)
        ended = await self._ledger.ended_unshown()
        for one in await self._ledger.tracked():
            open_one = (await self.load_card(one.card))[one.id]
            unanswered = open_one.state is State.ASKED and open_one.why is Why.NONE and not open_one.accepted
            await self.track(answer_lost(open_one) if unanswered else open_one)
        for card_id in ended:
            await self.load_card(card_id)
            self.show(card_id)
            self.forget_if_done(card_id)

    def permissions_changed(self) -> None:
        """Show every open card as the permissions of now would have it."""
        for card_id in tuple(self._on_card):
            self.show(card_id)

    async def stop(self) -> None:
        """Poll no more. What is open stays open in the ledger."""
        self._stopped = True
        await self._tasks.cancel()
        await self._saving.stop()
        await self._poller.stop()

    # ── polling ──

    def _to_poll(self, call: CallPath) -> tuple[Intervention, ...]:
        """The interventions in this call whose PUT is answered, or lost: those that a poll can tell about."""
        answered_ones = (one for one in self._in_call(call[2]) if one.id not in self._being_sent)
        return tuple(one for one in answered_ones if (one.user, one.extension) == call[:2])

    async def _poll_call(self, call: CallPath) -> None:
        """Poll one call until nothing in it is tracked any more: at most as long as the call lasts."""
        try:
            while tracked := self._to_poll(call):
                await self._poller.pause(_haste(tracked))
                await self._poll_once(call)
        finally:
            self._polled.discard(call)

    async def _poll_once(self, call: CallPath) -> None:
        """One poll, for what is open in this call when it begins. What goes wrong in one must not end the polling.

        What is asked for meanwhile needs a poll of its own: this one may show a leg from before its PUT.
        """
        tracked = self._to_poll(call)
        try:
            poll = await self._poller.poll(call, _haste(tracked))
            now = self._now()
            changed = [after for one in tracked if (after := self._advanced(one, poll, now)) is not None]
            await asyncio.gather(*map(self._saving.save, changed))
            for after in changed:
                if self._saving.is_unsaved(after.id):
                    self._show_and_forget(after)
        except Exception:  # noqa: BLE001 - a card that nobody brings up to date any more would lie
            _log.exception("poll_failed", call=call[2])

    def _advanced(self, before: Intervention, poll: Poll, now: datetime) -> Intervention | None:
        """The state after this poll, if it has changed what is to be seen."""
        if self._newest(before) is not before:
            return None  # a request that came meanwhile has ended it
        others = (one.leg for one in self._in_call(before.call_id) if one.id != before.id)
        if before.state in RECORDED and is_removed(before, self._config.permissions()):
            # Else the card would say Recording for ever if they get the right back.
            after = removed(before, now)
        else:
            shown = self._without_last_legs(before, poll)
            after = follow(before, shown, now, taken=frozenset(leg for leg in others if leg is not None))
        self._remember(after)
        if _memorable(after) == _memorable(before):
            return None
        if after.state is not before.state:
            _log.info("state", intervention=after.id, action=after.name, state=after.state, call=after.call_id)
            if after.state is State.ENDED:
                self.waiting_requests.ended(after)
            if after.state is State.NOT_ANSWERED:
                self._tasks.spawn(self._ask_about_phone(after), name=f"phone of {after.id}")
            if after.state is State.CONNECTED:
                self._metrics.connected((now - after.asked_at).total_seconds(), by_alert=bool(after.alert))
        return after

    def _without_last_legs(self, one: Intervention, poll: Poll) -> Poll:
        """The poll; or an empty one, as if the call were over, where only legs are left after the recorded view has gone.

        Else the card would say that only this side of the call is over, and so that somebody is still there: the legs.
        """
        call = poll.call
        if one.name not in RECORDING or call is None or call.view(one.action.phone_call_view_id) is not None:
            return poll
        left = as_others_see(call, self._known(call), self._config.permissions()).views
        return poll if left or not call.views else Poll()

    async def _ask_about_phone(self, missed: Intervention) -> None:
        """Add what the PBX knows of the phone to what was not answered, if that is still so by then."""
        seen = await self._phone_seen(missed.phone)  # falsy where it is UNKNOWN
        as_it_is = self._newest(missed)
        if seen and as_it_is is not None and as_it_is.state is State.NOT_ANSWERED:
            await self.track(as_it_is.model_copy(update={"phone_seen": seen}))

    async def _phone_seen(self, phone: str) -> PhoneSeen:
        return await phone_seen(self._poller, self._config.permissions(), phone, POLL_PATIENCE)


def _came_with(one: Intervention, call: PhoneCall, key: str) -> bool:
    """Whether this view of the call is the leg of that intervention, or looks like it though no poll has proven it yet."""
    if one.name not in JOINING:
        return False
    return key == one.leg or (
        one.leg is None and one.phone in call.named_views[key].source and key not in one.legs_before
    )


def _haste(tracked: tuple[Intervention, ...]) -> Haste:
    """How soon the next poll is due, for the one that needs it soonest."""
    if any(one.unseen for one in tracked):
        return Haste.DOUBTING
    return Haste.EXPECTING if any(one.state in UNDECIDED for one in tracked) else Haste.WATCHING


def _memorable(intervention: Intervention) -> Intervention:
    """What is worth saving and showing: all but the counters of single polls."""
    return intervention.model_copy(
        update={"unseen": 0, "doubt": Why.NONE, "unread_since": None, "legs_doubted": frozenset()}
    )
