"""The claim: which card, which action, and the row in the ledger that stands before the PUT.

Writing the claim may take seconds. So afterwards the permissions are checked again, and old readings of the call and the
phone are read again. If something no longer holds, the claim is withdrawn and nothing is sent.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from weakref import WeakValueDictionary

import structlog

from bot.domain.actions import RINGS_PHONE
from bot.domain.calls import BUSY, PhoneCall, PhoneSeen
from bot.domain.commands import Intervene, Request
from bot.domain.errors import AlreadyAsked, NotSuitable, PhoneNotRegistered, Refusal
from bot.domain.intervention import Intervention, before_put, waiting_for_phone
from bot.domain.permissions import Permit
from bot.interventions.card import place_of_card
from bot.interventions.checks import asked_already, phone_meanwhile, refuse_if_full, refuse_if_inside, refuse_if_used_by
from bot.interventions.outcomes import InterventionLedger, Outcome, Outcomes
from bot.interventions.planner import CallAndView, permits_for, plan, suitable_views
from bot.interventions.tracker import InterventionConfig, InterventionTracker
from bot.interventions.waiting import Waited
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
    """What was read: a call, the one view of it that the action goes to, the permit for that, and the asker's phone."""

    chosen: CallAndView
    permit: Permit
    at: float
    """When the last of the calls was read, in seconds of the event loop's clock."""
    phone_seen: PhoneSeen = PhoneSeen.UNKNOWN
    """What the PBX says of the phone."""
    phone_seen_at: float = 0.0
    """When it said so."""


class PhoneBusy(Refusal):
    """The asker's phone is busy. `busy_with`: our intervention in another call; None: only the PBX knows with what."""

    rule = "phone busy"

    def __init__(self, busy_with: Intervention | None) -> None:
        super().__init__("Your phone is busy. Finish there first, then ask again. Nothing was sent.")
        self.busy_with = busy_with


class Claims:
    """Turns an allowed request into a claimed intervention, so that nobody can ask for the same twice."""

    def __init__(
        self,
        *,
        phone_calls: PhoneCalls,
        ledger: InterventionLedger,
        tracker: InterventionTracker,
        config: InterventionConfig,
        now: Callable[[], datetime],
        outcomes: Outcomes,
    ) -> None:
        self._phone_calls = phone_calls
        self._ledger = ledger
        self._tracker = tracker
        self._config = config
        self._now = now
        self._outcomes = outcomes
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """One lock per phone: requests that ring it are claimed one after the other. A lock lives while somebody uses it."""

    async def claim(
        self, request: Request, command: Intervene, reading: Reading, waited: Waited | None = None
    ) -> Intervention:
        """The intervention, written down and put on its card.

        Raises PhoneBusy, another Refusal where too much is open, somebody has asked already, or the permissions or the call have
        changed meanwhile; and PbxError where the call cannot be read again.
        """
        async with self._locks.setdefault(reading.permit.person.phone, asyncio.Lock()):
            refuse_if_full(len(self._tracker.open))
            current = self._tracker.current(request.slack_user, reading.chosen.call.id)
            anyway = waited is not None and waited.anyway
            self._refuse_if_phone_in_use(request, command, reading, current, anyway=anyway)
            asked = await self._asked_before(request, reading.chosen.call)
            wanted = self._intervention(request, command, reading, asked, waited)
            waiting = None if waited is None else waited.intervention
            if waiting is not None and (waiting.phone, waiting.place) != (wanted.phone, wanted.place):
                raise NotSuitable(_CHANGED)
            # A withdrawal of this same request (its phone was busy) is not written yet; written later, it would free this
            # claim too.
            if self._outcomes.is_withdrawing(request.id):
                raise Refusal(_WITHDRAWN_LATE)
            # A new card has the id of the request, and shows nothing yet.
            earlier = {} if wanted.card == request.id else await self._tracker.load_card(wanted.card)
            try:
                await self._ledger.claim(request.id, before_put(wanted), rule=reading.permit.rule)
            except AlreadyAsked as taken:
                self._tracker.forget_if_done(wanted.card)
                raise asked_already(wanted, taken.who, self._config.permissions()) from taken
            except BaseException as error:  # cancelled too: the claim may be written, and a withdrawal need not know
                await self._withdraw(wanted, error)
                raise
            try:
                may_be_inside = anyway or current is not None
                intervention = await self._checked_again(
                    request, command, reading, wanted, asked, may_be_inside=may_be_inside
                )
            except BaseException as error:
                await self._withdraw(wanted, error)
                raise
            self._tracker.add_to_card(intervention, earlier)
            _log.info(
                "claimed", intervention=wanted.id, action=wanted.name, call=wanted.call_id, card=intervention.card
            )
            return intervention

    async def wait_on_card(self, request: Request, command: Intervene, reading: Reading) -> Intervention:
        """Put the request on its card as one that waits for the phone, and return it. Nothing is claimed.

        Raises AlreadyAsked where something of the person's waits for this call already, and other CallbotErrors.
        """
        chosen = reading.chosen
        async with self._locks.setdefault(reading.permit.person.phone, asyncio.Lock()):
            if self._tracker.waiting_to_act_on(request.slack_user, chosen.call.id) is not None:
                raise AlreadyAsked(_WAITS_ALREADY, request.slack_user)
            asked = await self._asked_before(request, chosen.call)
            waits = waiting_for_phone(self._intervention(request, command, reading, asked))
            earlier = {} if waits.card == request.id else await self._tracker.load_card(waits.card)
            self._tracker.add_to_card(waits, earlier)
            return waits

    # ── before the claim ──

    def _refuse_if_phone_in_use(
        self, request: Request, command: Intervene, reading: Reading, current: Intervention | None, *, anyway: bool
    ) -> None:
        """Raise AlreadyAsked where `current` uses the phone in this call, PhoneBusy where it is busy with something else."""
        refuse_if_used_by(current, command.action, anyway=anyway)
        if command.action in RINGS_PHONE and not anyway:
            phone, call_id = reading.permit.person.phone, reading.chosen.call.id
            elsewhere = self._tracker.busy_elsewhere(request.slack_user, phone, call_id)
            if elsewhere is not None or (current is None and reading.phone_seen in BUSY):
                raise PhoneBusy(elsewhere)

    async def _asked_before(self, request: Request, call: PhoneCall) -> tuple[Intervention, ...]:
        """What else this person has asked of this call, also what waits for their phone; oldest first.

        What was asked of an earlier call under the same id has its own card, which is left alone.
        """
        asked = await self._ledger.of_call(request.slack_user, call.id)
        waits = self._tracker.waiting_to_act_on(request.slack_user, call.id)
        if waits is not None and waits.id != request.id:
            asked = (*asked, waits)
        return tuple(one for one in asked if not call.is_another_than(one.call))

    def _intervention(
        self,
        request: Request,
        command: Intervene,
        reading: Reading,
        asked: tuple[Intervention, ...],
        waited: Waited | None = None,
    ) -> Intervention:
        """The intervention as it would be claimed.

        Request, intervention and a new card share one id, so the next start finds the card.
        """
        permissions, chosen, person = self._config.permissions(), reading.chosen, reading.permit.person
        card, place = place_of_card(request, command.action, asked, self._config.silent_in())
        if waited is not None and waited.intervention is not None:
            card = waited.intervention.card
        return Intervention(
            id=request.id,
            card=card or request.id,
            place=place,
            slack_user=request.slack_user,
            supervisor=person.name,
            phone=person.phone,
            user=permissions.owner(chosen.extension),
            extension=chosen.extension,
            agent=permissions.name_of(chosen.extension),
            call_id=chosen.call.id,
            action=plan(command, chosen.view, reading.permit),
            channel=request.channel,
            alert=command.alert or "",
            asked_at=self._now(),
            call=chosen.call,
            # Two consents, one effect: the phone is not registered (a button of the refusal), or is busy (one of the card).
            rung_anyway=command.ring_anyway or (waited is not None and waited.anyway),
        )

    # ── after the claim ──

    async def _checked_again(
        self,
        request: Request,
        command: Intervene,
        reading: Reading,
        wanted: Intervention,
        asked: tuple[Intervention, ...],
        *,
        may_be_inside: bool,
    ) -> Intervention:
        """What was claimed, on the call as it is now, if the permissions of now permit it. Raises Refusal and PbxError.

        The call is read again unless that was done just now; so is the presence of the phone, if it is to ring.
        """
        before, phone_now = reading.chosen, PhoneSeen.UNKNOWN
        call: PhoneCall | None = before.call
        if not _is_fresh(reading.at):
            _log.info("read_again", intervention=wanted.id, call=wanted.call_id)
            rings = command.action in RINGS_PHONE and not wanted.rung_anyway and not may_be_inside
            phone = wanted.phone if rings and not _is_fresh(reading.phone_seen_at) else None
            async with phone_meanwhile(self._phone_calls, self._config.permissions(), phone) as presence:
                read = await self._phone_calls.get(wanted.user, wanted.extension, wanted.call_id)
                phone_now = await presence
            call = None if read is None or read.is_another_than(before.call) else read
        permissions = self._config.permissions()
        person = permissions.person(request.slack_user, external=request.external)
        # The same command for this one call, so that no other call of the agent is taken instead.
        for_this_call = command.on_call(before.extension, before.call, command.view)
        permit = permits_for(person, for_this_call, request.channel, permissions)[before.extension]
        calls = [] if call is None else [(before.extension, call)]
        known = self._tracker.known(each for _, each in calls)
        fitting = suitable_views(for_this_call, calls, permissions, known)
        same_view = next((one for one in fitting if one.view.id == before.view.id), None)
        if same_view is None:
            raise NotSuitable(
                "The call has just changed: that side of it is another one now. Nothing was sent. Ask again."
            )
        if not may_be_inside:
            refuse_if_inside(command.action, same_view.call, permit.person.phone)
        if phone_now is PhoneSeen.NOT_REGISTERED:
            raise PhoneNotRegistered(wanted.phone)
        if phone_now in BUSY:
            raise PhoneBusy(self._tracker.busy_elsewhere(wanted.slack_user, wanted.phone, wanted.call_id))
        wanted_now = self._intervention(request, command, replace(reading, chosen=same_view, permit=permit), asked)
        as_claimed = (wanted.phone, wanted.user, wanted.place, wanted.action)
        if (wanted_now.phone, wanted_now.user, wanted_now.place, wanted_now.action) != as_claimed:
            raise NotSuitable(_CHANGED)
        # Again, for the legs that are there now, not when the call was first read: they prove nothing.
        return before_put(wanted.model_copy(update={"call": same_view.call}))

    async def _withdraw(self, wanted: Intervention, error: BaseException) -> None:
        """Free the claim again, now or as soon as the ledger can."""
        self._tracker.forget_if_done(wanted.card)
        # RECEIVED: the request goes on. It waits for the phone, and may claim again.
        outcome = Outcome.RECEIVED if isinstance(error, PhoneBusy) else Outcome.REFUSED
        await self._outcomes.withdraw(wanted, error, outcome)
