"""Keeps the open interventions true: looks at their calls, saves what changed, shows the card.

One loop for each call, however many people intervene in it; each look serves them all. The table that says what a look
means is `bot.following`; here is only when to look, and what happens with the answer.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from bot.actions import JOINING, RECORDING
from bot.authorization import AuthorizationMap
from bot.errors import CallbotError, PbxError
from bot.following import UNDECIDED, UNREADABLE, Intervention, Look, State, Why, answer_lost, follow
from bot.placing import why_elsewhere
from bot.planning import latest_seen, next_buttons, own_views
from bot.ports import Card, Cards, Ledger, PhoneCalls
from bot.switching import Switches
from bot.tasks import Tasks

WAITING, TALKING, DOUBTING = 0.5, 1.0, 0.3
"""When the next look is due, as multiples of `[watch] every`: while something is expected, in the middle of a call, and to be
sure that something is gone."""

_log = structlog.get_logger("callbot.follower")
_Call = tuple[str, str, str]


class Follower:
    """The open interventions and their cards."""

    def __init__(
        self,
        *,
        phone_calls: PhoneCalls,
        ledger: Ledger,
        cards: Cards,
        rules: Callable[[], AuthorizationMap],
        silent_in: Callable[[], frozenset[str]],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        every: float,
    ) -> None:
        self._phone_calls = phone_calls
        self._ledger = ledger
        self._cards = cards
        self._rules = rules
        self._silent_in = silent_in
        self._now = now
        self._sleep = sleep
        self._every = every
        self._on_card: dict[str, dict[str, Intervention]] = {}
        self._looking: set[_Call] = set()
        self._being_sent: set[str] = set()
        self._stopped = False
        self._tasks = Tasks()
        self.switches = Switches(self.show)

    # ── what others ask ──

    @property
    def open(self) -> tuple[Intervention, ...]:
        """Everything that is still followed."""
        return tuple(one for shown in self._on_card.values() for one in shown.values() if one.following)

    def legs(self) -> Mapping[str, frozenset[str]]:
        """The views that came with interventions of ours, by call id. A call picked up is no leg: it is a party's."""
        legs: dict[str, frozenset[str]] = {}
        for one in self.open:
            if one.leg is not None and one.name in JOINING:
                legs[one.call_id] = legs.get(one.call_id, frozenset()) | {one.leg}
        return legs

    def holding(self, slack_user: str, call_id: str) -> Intervention | None:
        """What this person's phone is busy with, or may be, in this call."""
        for one in self.open:
            in_the_way = one.name not in RECORDING and (one.state in UNDECIDED or one.in_call)
            if in_the_way and (one.slack_user, one.call_id) == (slack_user, call_id):
                return one
        return None

    # ── what others tell ──

    async def open_card(self, card_id: str) -> dict[str, Intervention]:
        """Remember what the card shows already, and return it. Raises CallbotError where the ledger cannot be read."""
        if card_id not in self._on_card:
            earlier = await self._ledger.of_card(card_id)
            self._on_card.setdefault(card_id, {one.id: one for one in earlier})
        return self._on_card[card_id]

    def put_on_card(self, intervention: Intervention, earlier: dict[str, Intervention]) -> None:
        """Remember a new intervention beside what `open_card` returned, even if that has ended and is forgotten since.

        No look is taken for it until the answer to its PUT comes with `update`.
        """
        self._being_sent.add(intervention.id)
        self._on_card.setdefault(intervention.card, earlier)[intervention.id] = intervention

    def show(self, card_id: str) -> None:
        """Bring the card up to date."""
        shown = self._on_card.get(card_id)
        if shown:
            self._cards.show(self._card(tuple(shown.values())))

    async def update(self, intervention: Intervention) -> None:
        """A new truth: save it, show it, and go on looking where there is more to see."""
        self._being_sent.discard(intervention.id)
        self._on_card[intervention.card][intervention.id] = intervention
        await self._save(intervention)
        self._show_and_forget(intervention.card)
        self._look_on(intervention)

    async def supersede(self, newer: Intervention) -> None:
        """A newer request rings the phone: what was not answered before can no more become Connected."""
        for older in self.open:
            same = (older.slack_user, older.call_id) == (newer.slack_user, newer.call_id)
            if same and older.id != newer.id and older.state is State.NOT_ANSWERED and newer.name not in RECORDING:
                await self.update(older.model_copy(update={"following": False}))

    async def resume(self) -> None:
        """Take up, after a start, what was open: look at the call, and let the same card go on."""
        for one in await self._ledger.following():
            taken_up = answer_lost(one) if one.state is State.ASKED and one.why is Why.NONE else one
            await self.open_card(taken_up.card)
            await self.update(taken_up)

    async def stop(self) -> None:
        """Look no more. What is open stays open in the ledger."""
        self._stopped = True
        await self._tasks.cancel()

    # ── looking ──

    def _look_on(self, intervention: Intervention) -> None:
        call = (intervention.user, intervention.extension, intervention.call_id)
        if intervention.following and call not in self._looking and not self._stopped:
            self._looking.add(call)
            self._tasks.spawn(self._follow_call(call), name=f"follow {intervention.call_id}")

    def _of(self, call: _Call) -> tuple[Intervention, ...]:
        """The interventions in this call whose PUT is answered, or lost: those that a look can tell about."""
        told = (one for one in self.open if one.id not in self._being_sent)
        return tuple(one for one in told if (one.user, one.extension, one.call_id) == call)

    async def _follow_call(self, call: _Call) -> None:
        """Look at one call until nobody follows it: at most as long as the call lasts."""
        try:
            while followed := self._of(call):
                await self._sleep(self._every * _pause(followed))
                await self._look_once(call)
        finally:
            self._looking.discard(call)

    async def _look_once(self, call: _Call) -> None:
        """One look, for everything open in this call. What goes wrong in one look must not end the looking."""
        try:
            look, now = await self._look(call), self._now()
            changed = [one.card for one in self._of(call) if await self._advance(one, look, now)]
            for card_id in dict.fromkeys(changed):
                self._show_and_forget(card_id)
        except Exception:  # noqa: BLE001 - a card that nobody brings up to date any more would lie
            _log.exception("look_failed", call=call[2])

    async def _look(self, call: _Call) -> Look:
        try:
            return Look(call=await self._phone_calls.get(*call))
        except PbxError as error:
            _log.warning("call_unreadable", call=call[2], error=type(error).__name__)
            return UNREADABLE

    async def _advance(self, before: Intervention, look: Look, now: datetime) -> bool:
        """Whether this look has changed what is to be seen."""
        if self._on_card.get(before.card, {}).get(before.id) is not before:
            return False  # a request that came meanwhile has ended it
        after = follow(before, look, now)
        self._on_card[before.card][before.id] = after
        if _memorable(after) == _memorable(before):
            return False
        if after.state is not before.state:
            _log.info("state", intervention=after.id, action=after.name, state=after.state, call=after.call_id)
            if after.state is State.ENDED:
                self.switches.ended(after)
        await self._save(after)
        return True

    async def _save(self, intervention: Intervention) -> None:
        try:
            await self._ledger.save(intervention)
        except CallbotError as error:
            _log.error("not_saved", intervention=intervention.id, error=type(error).__name__)

    def _show_and_forget(self, card_id: str) -> None:
        """Bring the card up to date."""
        self.show(card_id)
        self.forget_if_done(card_id)

    def forget_if_done(self, card_id: str) -> None:
        """Leave a card with nothing open to the ledger."""
        if not any(one.following for one in self._on_card.get(card_id, {}).values()):
            self._on_card.pop(card_id, None)

    def _card(self, interventions: tuple[Intervention, ...]) -> Card:
        rules = self._rules()
        newest = latest_seen(interventions)
        parties = newest.call.parties | {newest.phone, newest.extension}
        supervisors = rules.supervisors_of(newest.extension)
        ours = self.legs().get(newest.call_id, frozenset())
        own = {view.id for view in own_views(newest.call, newest.extension, ours, supervisors)}
        return Card(
            id=newest.card,
            place=newest.place,
            elsewhere=why_elsewhere(newest, self._silent_in()),
            interventions=interventions,
            names={number: holder.name for number in parties if (holder := rules.holder(number)) is not None},
            legs=frozenset(view.id for view in newest.call.views if view.extension == newest.extension) - own,
            buttons=next_buttons(interventions, rules),
            switching=self.switches.on_card(newest.card),
        )


def _pause(followed: tuple[Intervention, ...]) -> float:
    if any(one.unseen for one in followed):
        return DOUBTING
    return WAITING if any(one.state in UNDECIDED for one in followed) else TALKING


def _memorable(intervention: Intervention) -> Intervention:
    """What is worth saving and showing: all but the counters of single looks."""
    return intervention.model_copy(
        update={"unseen": 0, "doubt": Why.NONE, "unread_since": None, "legs_doubted": frozenset()}
    )
