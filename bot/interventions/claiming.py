"""The claim: which card, which action, and the row in the ledger that stands before the PUT.

A ledger may keep the claim waiting for seconds. So once it is written the permissions are asked again, and the call and the
presence of the phone are read again where that was done too long ago; what does not hold any more is withdrawn: nothing
was sent.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakValueDictionary

import structlog

from bot.domain.actions import RINGS_PHONE
from bot.domain.calls import BUSY, PhoneCall, PhoneSeen
from bot.domain.commands import Intervene, Request
from bot.domain.errors import AlreadyAsked, NotSuitable, PhoneNotRegistered, Refusal
from bot.domain.intervention import Intervention, before_put, waiting_for_phone
from bot.domain.permissions import Permissions, Permit
from bot.interventions.card import CardPlace, place_of_card
from bot.interventions.checks import asked_already, phone_beside, refuse_if_busy, refuse_if_inside
from bot.interventions.outcomes import InterventionLedger, Outcome, Outcomes
from bot.interventions.planner import CallAndView, permits_for, plan, suitable_views
from bot.interventions.tracker import InterventionTracker
from bot.polling.phone_calls import PhoneCalls

FRESH = 1.0
"""Seconds for which a call counts as it was read; after a claim that took longer it is read again."""

_CHANGED = (
    "The configuration has just changed: your phone, the owner of the extension, or where your card may go. "
    "Ask again. Nothing was sent."
)
_WITHDRAWN_LATE = "callbot's ledger is slow at the moment. Nothing was sent. Ask again in a moment."
_WAITS_ALREADY = (
    "Your card is already waiting for your phone. Finish there, or click Cancel there first. Nothing more was sent."
)

_log = structlog.get_logger("callbot.claiming")


def _is_fresh(read_at: float) -> bool:
    """Whether what was read then, on the event loop's clock, may still count as how things are."""
    return asyncio.get_running_loop().time() - read_at <= FRESH


@dataclass(frozen=True)
class Reading:
    """A call as it was read, the one view of it that the action goes to, and the permit for that."""

    target: CallAndView
    permit: Permit
    at: float
    """When the reading was done, in seconds of the event loop's clock."""


class PhoneBusy(Refusal):
    """The asker's phone is busy: with `why`, an intervention of ours in another call, or with what only the PBX knows."""

    rule = "phone busy"

    def __init__(self, why: Intervention | None) -> None:
        super().__init__("Your phone is busy. Finish there first, then ask again. Nothing was sent.")
        self.why = why


@dataclass(frozen=True)
class AskersPhone:
    """What is known of the asker's phone before it is to ring."""

    seen: PhoneSeen = PhoneSeen.UNKNOWN
    """What the PBX says of it."""
    at: float = 0.0
    """When it said so, in seconds of the event loop's clock."""
    anyway: bool = False
    """It may ring although it is busy: the person wants that."""
    waits: Intervention | None = None
    """What has waited for it on a card, if this request has."""


class Claims:
    """Makes an intervention of a request that is allowed and fits, so that nobody can ask for the same twice."""

    def __init__(
        self,
        *,
        phone_calls: PhoneCalls,
        ledger: InterventionLedger,
        tracker: InterventionTracker,
        permissions: Callable[[], Permissions],
        silent_in: Callable[[], frozenset[str]],
        now: Callable[[], datetime],
        outcomes: Outcomes,
    ) -> None:
        self._phone_calls = phone_calls
        self._ledger = ledger
        self._tracker = tracker
        self._permissions = permissions
        self._silent_in = silent_in
        self._now = now
        self._claiming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._outcomes = outcomes

    async def claim(self, request: Request, command: Intervene, reading: Reading, phone: AskersPhone) -> Intervention:
        """The intervention, written down and put on its card.

        Raises PhoneBusy, another Refusal where too much is open, somebody has asked already, or the permissions or the call have
        changed meanwhile; and PbxError where the call cannot be read again.
        """
        call_id, number = reading.target.call.id, reading.permit.person.phone
        async with self._one_at_a_time(number):
            held = self._tracker.holding(request.slack_user, call_id)
            refuse_if_busy(command.action, held, len(self._tracker.open), anyway=phone.anyway)
            if command.action in RINGS_PHONE and not phone.anyway:
                elsewhere = self._tracker.busy_elsewhere(request.slack_user, number, call_id)
                if elsewhere is not None or (held is None and phone.seen in BUSY):
                    raise PhoneBusy(elsewhere)
            return await self._claimed(request, command, reading, phone, inside=held is not None)

    def _one_at_a_time(self, phone: str) -> asyncio.Lock:
        """What rings one phone waits for each other, so that what the requests see of each other is true."""
        lock = self._claiming.get(phone) or asyncio.Lock()
        self._claiming[phone] = lock
        return lock

    async def wait_on_card(self, request: Request, command: Intervene, reading: Reading) -> Intervention:
        """What waits for the phone, on the card that will show it. Nothing is claimed.

        Raises AlreadyAsked where something of the person's waits for this call already, and other CallbotErrors.
        """
        target = reading.target
        async with self._one_at_a_time(reading.permit.person.phone):
            if self._tracker.waiting(request.slack_user, target.call.id) is not None:
                raise AlreadyAsked(_WAITS_ALREADY, request.slack_user)
            asked = await self._asked_before(request, target.call)
            card_place = place_of_card(request, command.action, asked, self._silent_in())
            earlier = {} if card_place.card is None else await self._tracker.open_card(card_place.card)
            waits = waiting_for_phone(self._intervention(request, command, target, reading.permit, card_place))
            self._tracker.wait_on_card(waits, earlier)
            return waits

    async def _claimed(
        self, request: Request, command: Intervene, reading: Reading, phone: AskersPhone, *, inside: bool
    ) -> Intervention:
        target, waits = reading.target, phone.waits
        asked = await self._asked_before(request, target.call)
        card_place = place_of_card(request, command.action, asked, self._silent_in())
        if waits is not None:
            card_place = CardPlace(waits.card, card_place.place)
        wanted = self._intervention(request, command, target, reading.permit, card_place)
        if waits is not None and (waits.phone, waits.place) != (wanted.phone, wanted.place):
            raise NotSuitable(_CHANGED)
        anyway = command.ring_anyway or phone.anyway
        if anyway:
            wanted = wanted.model_copy(update={"rung_anyway": True})
        rings = command.action in RINGS_PHONE and not anyway and not inside
        if self._outcomes.is_withdrawing(request.id):
            raise Refusal(_WITHDRAWN_LATE)
        earlier = {} if card_place.card is None else await self._tracker.open_card(card_place.card)
        try:
            await self._ledger.claim(request.id, before_put(wanted), rule=reading.permit.rule)
        except AlreadyAsked as taken:
            self._tracker.forget_if_done(wanted.card)
            raise asked_already(wanted, taken.who, self._permissions()) from taken
        except BaseException as error:
            await self._withdrawn(wanted, error)
            raise
        try:
            call, seen = await self._read_again(
                wanted, reading, wanted.phone if rings and not _is_fresh(phone.at) else None
            )
            now = self._suitable_as_it_is(request, command, target, call, may_be_inside=inside or phone.anyway)
            self._refuse_unless_free(wanted, seen)
            card_place = place_of_card(request, command.action, asked, self._silent_in())
            intervention = _unchanged(wanted, self._intervention(request, command, *now, card_place))
        except BaseException as error:
            await self._withdrawn(wanted, error)
            raise
        self._tracker.put_on_card(intervention, earlier)
        self._tracker.supersede(intervention)
        _log.info("claimed", intervention=intervention.id, action=intervention.name, call=intervention.call_id)
        return intervention

    async def _asked_before(self, request: Request, call: PhoneCall) -> tuple[Intervention, ...]:
        """What else this person has asked of this call, also what waits for their phone; oldest first.

        What was asked of an earlier call under the same id has its own card, which is left alone.
        """
        asked = await self._ledger.of_call(request.slack_user, call.id)
        waits = self._tracker.waiting(request.slack_user, call.id)
        if waits is not None and waits.id != request.id:
            asked = (*asked, waits)
        return tuple(one for one in asked if not call.is_another_than(one.call))

    # ── after the claim ──

    async def _read_again(
        self, wanted: Intervention, reading: Reading, phone: str | None
    ) -> tuple[PhoneCall | None, PhoneSeen]:
        """The call, read again unless that was done just now, None where it is gone; beside it the presence of `phone`.

        Raises PbxError.
        """
        if _is_fresh(reading.at):
            return reading.target.call, PhoneSeen.UNKNOWN
        _log.info("read_again", intervention=wanted.id, call=wanted.call_id)
        async with phone_beside(self._phone_calls, self._permissions(), phone) as presence:
            call = await self._phone_calls.get(wanted.user, wanted.extension, wanted.call_id)
            return call, await presence

    def _suitable_as_it_is(
        self, request: Request, command: Intervene, before: CallAndView, call: PhoneCall | None, *, may_be_inside: bool
    ) -> tuple[CallAndView, Permit]:
        """That view of that call, if the permissions of now permit it. Raises Refusal."""
        permissions = self._permissions()
        person = permissions.person(request.slack_user, external=request.external)
        same = command.on_call(before.extension, before.call, command.view)
        permit = permits_for(person, same, request.channel, permissions)[before.extension]
        there = () if call is None or call.is_another_than(before.call) else (call,)
        fitting = suitable_views(
            same, [(before.extension, one) for one in there], permissions, self._tracker.known(there)
        )
        now = next((one for one in fitting if one.view.id == before.view.id), None)
        if now is None:
            raise NotSuitable(
                "The call has just changed: that side of it is another one now. Nothing was sent. Ask again."
            )
        if not may_be_inside:
            refuse_if_inside(command.action, now.call, permit.person.phone)
        return now, permit

    def _refuse_unless_free(self, wanted: Intervention, seen: PhoneSeen) -> None:
        """Raise PhoneNotRegistered or PhoneBusy where the phone, as the PBX has just shown it, should not be rung."""
        if seen is PhoneSeen.NOT_REGISTERED:
            raise PhoneNotRegistered(wanted.phone)
        if seen in BUSY:
            raise PhoneBusy(self._tracker.busy_elsewhere(wanted.slack_user, wanted.phone, wanted.call_id))

    async def _withdrawn(self, wanted: Intervention, error: BaseException) -> None:
        """Free the claim again, now or as soon as the ledger can."""
        self._tracker.forget_if_done(wanted.card)
        outcome = Outcome.RECEIVED if isinstance(error, PhoneBusy) else Outcome.REFUSED
        await self._outcomes.withdraw(wanted, error, outcome)

    def _intervention(
        self, request: Request, command: Intervene, target: CallAndView, permit: Permit, card_place: CardPlace
    ) -> Intervention:
        """One request makes one intervention and one card at most, so all have one id: by it the next start finds the card."""
        permissions = self._permissions()
        return Intervention(
            id=request.id,
            card=card_place.card or request.id,
            place=card_place.place,
            slack_user=request.slack_user,
            supervisor=permit.person.name,
            phone=permit.person.phone,
            user=permissions.owner(target.extension),
            extension=target.extension,
            agent=permissions.name_of(target.extension),
            call_id=target.call.id,
            action=plan(command, target.view, permit),
            channel=request.channel,
            alert=command.alert or "",
            asked_at=self._now(),
            call=target.call,
        )


def _unchanged(wanted: Intervention, now: Intervention) -> Intervention:
    """What was claimed, begun on the call as it is. Raises NotSuitable where the configuration makes another thing of it."""
    if (now.phone, now.user, now.place, now.action) != (wanted.phone, wanted.user, wanted.place, wanted.action):
        raise NotSuitable(_CHANGED)
    return before_put(wanted.model_copy(update={"call": now.call}))
