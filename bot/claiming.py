"""The claim: which card, which action, and the row in the ledger that stands before the PUT."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from weakref import WeakValueDictionary

import structlog

from bot.authorization import AuthorizationMap, Permit
from bot.commands import Intervene
from bot.errors import AlreadyAsked
from bot.follower import Follower
from bot.following import Intervention, begin
from bot.guarding import asked_already, refuse_if_busy
from bot.placing import Seat, seat_of_card
from bot.planning import Suitable, plan
from bot.ports import Ledger, Request

_log = structlog.get_logger("callbot.claiming")


class Claims:
    """Makes an intervention of a request that is allowed and fits, so that nobody can ask for the same twice."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        follower: Follower,
        rules: Callable[[], AuthorizationMap],
        silent_in: Callable[[], frozenset[str]],
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._follower = follower
        self._rules = rules
        self._silent_in = silent_in
        self._now = now
        self._new_id = new_id
        self._claiming: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def claim(
        self, request: Request, command: Intervene, target: Suitable, permit: Permit, *, anyway: bool
    ) -> Intervention:
        """The intervention, written down and put on its card. `anyway`: the phone may ring although it is in the call.

        Raises Refusal where the phone is busy with another request, too much is open, or somebody has asked already.
        """
        async with self._one_at_a_time(request.slack_user, target.call.id):
            held = self._follower.holding(request.slack_user, target.call.id)
            refuse_if_busy(command.action, held, len(self._follower.open), anyway=anyway)
            return await self._claimed(request, command, target, permit)

    def _one_at_a_time(self, slack_user: str, call_id: str) -> asyncio.Lock:
        """One person's requests for one call wait for each other, so that what they see of each other is true."""
        key = (slack_user, call_id)
        lock = self._claiming.get(key) or asyncio.Lock()
        self._claiming[key] = lock
        return lock

    async def _claimed(self, request: Request, command: Intervene, target: Suitable, permit: Permit) -> Intervention:
        seat = await self._seat(request, command, target)
        intervention = begin(self._intervention(request, command, target, permit, seat))
        earlier = {} if seat.card is None else await self._follower.open_card(seat.card)
        try:
            await self._ledger.claim(request.id, intervention, rule=permit.rule)
        except AlreadyAsked as taken:
            raise asked_already(intervention, taken.who, self._rules()) from taken
        else:
            self._follower.put_on_card(intervention, earlier)
        finally:
            self._follower.forget_if_done(intervention.card)
        _log.info("claimed", intervention=intervention.id, action=intervention.name, call=intervention.call_id)
        await self._follower.supersede(intervention)
        return intervention

    async def _seat(self, request: Request, command: Intervene, target: Suitable) -> Seat:
        """What was asked of an earlier call under the same id has its own card, which is left alone."""
        asked = await self._ledger.of_call(request.slack_user, target.call.id)
        earlier = tuple(one for one in asked if not target.call.is_another_than(one.call))
        return seat_of_card(request, command.action, earlier, self._silent_in())

    def _intervention(
        self, request: Request, command: Intervene, target: Suitable, permit: Permit, seat: Seat
    ) -> Intervention:
        """One request makes one intervention at most, so both have one id."""
        rules = self._rules()
        return Intervention(
            id=request.id,
            card=seat.card or self._new_id(),
            place=seat.place,
            slack_user=request.slack_user,
            supervisor=permit.person.name,
            phone=permit.person.phone,
            user=rules.owner(target.extension),
            extension=target.extension,
            agent=rules.name_of(target.extension),
            call_id=target.call.id,
            action=plan(command, target.view, permit),
            channel=request.channel,
            alert=command.alert or "",
            asked_at=self._now(),
            call=target.call,
        )
