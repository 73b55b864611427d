"""One request from start to end: authorize, read the call, plan, claim, act, follow.

Interventions.handle(request, read, asker)
ledger.begin            Slack's repeats end here
permits_for             who, what, on whom, from where: by the rules of now, not of when the button was made
calls_meant, suitable   the call as it is, one view of it; permission checked again on what was found
switches.wait           only if the person is in the call in another mode: until they hang up, then all of it again
seat_of_card, plan      which card, which action
ledger.claim            a row before the PUT; a second open one is refused
phone_calls.act         the PUT, once
follower                what is true from then on, on the card
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import assert_never
from weakref import WeakValueDictionary

import structlog

from bot.actions import SILENT
from bot.authorization import AuthorizationMap, Permit
from bot.commands import AnswerSwitch, Command, Help, Intervene, ListCalls
from bot.errors import AlreadyAsked, AnswerLost, CallbotError, PbxError, Refusal
from bot.follower import Follower
from bot.following import Intervention, answer_lost, answered, begin, changes_mode, refused
from bot.guarding import MOST_OPEN, asked_already, refuse_if_busy
from bot.listing import calls_meant, choice, live_calls
from bot.placing import seat_of_card, why_elsewhere
from bot.planning import Suitable, button, named_call, permits_for, plan, suitable
from bot.ports import Asker, Card, CardElsewhere, Cards, Ledger, Outcome, PhoneCalls, Request
from bot.switching import Verdict
from bot.tasks import Tasks

SOON = 0.7
"""Seconds that a PUT may take before the card says Asked."""
_log = structlog.get_logger("callbot.interventions")


class Interventions:
    """Everything that a person can ask for. `rules` and `silent_in` are asked anew; `every` is `[watch] every`."""

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
        new_id: Callable[[], str],
        every: float = 1.0,
    ) -> None:
        self._phone_calls = phone_calls
        self._ledger = ledger
        self._cards = cards
        self._rules = rules
        self._silent_in = silent_in
        self._now = now
        self._new_id = new_id
        self._puts = Tasks()
        self._askers: dict[str, Asker] = {}
        self._claiming: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self.follower = Follower(
            phone_calls=phone_calls,
            ledger=ledger,
            cards=cards,
            rules=rules,
            silent_in=silent_in,
            now=now,
            sleep=sleep,
            every=every,
        )

    async def start(self) -> None:
        """Take up what an earlier process left open, and tell those whose requests it lost."""
        for request in await self._ledger.interrupted():
            self._cards.interrupted(request)
        await self.follower.resume()

    async def stop(self, seconds: float) -> None:
        """Wait for the answers to what was sent, at most so many seconds; then look at no call any more."""
        await self._puts.drain(seconds)
        await self.follower.stop()

    async def handle(self, request: Request, read: Callable[[], Command], asker: Asker) -> None:
        """Do what was asked, or say why not. Nothing is raised: whatever happens, the person and the ledger know."""
        extension = call_id = ""
        try:
            if not await self._ledger.begin(request):
                _log.info("repeat", request=request.id)
                return
            command = read()
            extension, call_id = named_call(command, request.slack_user, self._rules())
            await self._do(request, command, asker)
        except Refusal as refusal:
            await self._conclude(request, Outcome.REFUSED, refusal.rule, extension=extension, call_id=call_id)
            await asker.refused(refusal, request.id)
        except PbxError as error:
            await self._conclude(
                request,
                Outcome.REFUSED,
                f"pbx {error.code or type(error).__name__}",
                extension=extension,
                call_id=call_id,
            )
            await asker.failed(str(error) + (f" ({error.code})" if error.code else ""), request.id)
        except CallbotError as error:
            _log.error("failed", request=request.id, error=type(error).__name__)
            await asker.failed(str(error), request.id)
        except Exception:  # noqa: BLE001 - the last net: the person hears of it, whatever it is
            _log.exception("failed", request=request.id)
            await asker.failed(
                "Something is wrong in callbot itself. Nothing more is sent for this request.", request.id
            )

    async def card_has_no_access(self, card: Card) -> None:
        """Tell whoever asked that callbot may not post where they asked, so that the card is in the direct message."""
        asker = self._askers.get(card.id)
        if asker is not None:
            await asker.card_is_elsewhere(CardElsewhere.NO_ACCESS)

    def _remember(self, card: str, asker: Asker) -> None:
        """Whom to tell where this card cannot be posted; only the newest are remembered."""
        self._askers.pop(card, None)
        self._askers[card] = asker
        while len(self._askers) > MOST_OPEN:
            del self._askers[next(iter(self._askers))]

    async def _conclude(
        self,
        request: Request,
        outcome: Outcome,
        rule: str,
        *,
        allowed: bool = False,
        extension: str = "",
        call_id: str = "",
    ) -> None:
        try:
            await self._ledger.conclude(
                request.id, outcome, rule=rule, allowed=allowed, extension=extension, call_id=call_id
            )
        except CallbotError as error:
            _log.error("not_saved", request=request.id, error=type(error).__name__)

    async def _do(self, request: Request, command: Command, asker: Asker) -> None:
        match command:
            case Intervene():
                await self._intervene(request, command, asker)
            case AnswerSwitch():
                self.follower.switches.decide(command.card, request.slack_user, now=command.now)
                await self._conclude(request, Outcome.ANSWERED, "one's own card", allowed=True)
            case ListCalls():
                rules = self._rules()
                person = rules.person(request.slack_user, stranger=request.stranger)
                lines = await live_calls(
                    person,
                    request.channel,
                    command.words,
                    rules,
                    phone_calls=self._phone_calls,
                    legs=self.follower.legs(),
                )
                await self._conclude(request, Outcome.ANSWERED, "calls of one's own extensions", allowed=True)
                await asker.listed(lines, command.words)
            case Help():
                await self._conclude(request, Outcome.ANSWERED, "help is for everyone", allowed=True)
                await asker.helped()
            case unknown:
                assert_never(unknown)

    # ── an intervention ──

    async def _intervene(self, request: Request, command: Intervene, asker: Asker, *, anyway: bool = False) -> None:
        rules = self._rules()
        person = rules.person(request.slack_user, stranger=request.stranger)
        permits = permits_for(person, command, request.channel, rules)
        found = await calls_meant(command, tuple(permits), rules, self._phone_calls)
        fitting = suitable(command, found, rules, self.follower.legs())
        if len(fitting) > 1:
            choices = tuple(choice(command, one, request.channel, rules) for one in fitting)
            rule = permits[fitting[0].extension].rule
            await self._conclude(request, Outcome.CHOICE, rule, allowed=True, extension=fitting[0].extension)
            await asker.choose(command.action, choices)
            return
        [target] = fitting
        held = self.follower.holding(person.slack_user, target.call.id)
        if held is not None and not anyway and changes_mode(held, command.action):
            await self._switch(request, command, target, held, asker)
            return
        await self._act(request, command, target, permits[target.extension], asker, anyway=anyway)

    async def _switch(
        self, request: Request, command: Intervene, target: Suitable, held: Intervention, asker: Asker
    ) -> None:
        """Wait for the old leg to go, then ask for everything anew: the permission, the call, the view."""
        if self.follower.switches.waits(held.card):
            raise AlreadyAsked(
                "Your card is already waiting for you to hang up. Do that, or press Cancel there first. Nothing more was sent.",
                held.slack_user,
            )
        seen_by_others = held.place not in {held.slack_user, *self._silent_in()}
        named = None if command.action in SILENT and seen_by_others else command.action
        verdict = await self.follower.switches.wait(held, named)
        if verdict is Verdict.STOPPED:
            raise Refusal(
                "callbot is being restarted. Nothing was sent. Hang up if you like, and ask again in a moment."
            )
        if verdict not in {Verdict.LEFT, Verdict.NOW}:
            call_id = target.call.id
            await self._conclude(
                request, Outcome.NOT_SWITCHED, verdict, allowed=True, extension=target.extension, call_id=call_id
            )
            return
        same_call = button(command, target.extension, target.call.id, request.channel, view_id=command.view)
        await self._intervene(request, same_call.intervene, asker, anyway=verdict is Verdict.NOW)

    async def _act(
        self, request: Request, command: Intervene, target: Suitable, permit: Permit, asker: Asker, *, anyway: bool
    ) -> None:
        async with self._one_at_a_time(request.slack_user, target.call.id):
            held = self.follower.holding(permit.person.slack_user, target.call.id)
            refuse_if_busy(command.action, held, len(self.follower.open), anyway=anyway)
            intervention = await self._claim(request, command, target, permit)
        self._remember(intervention.card, asker)
        put = self._puts.spawn(self._put(intervention), name=f"put {intervention.id}")
        if not request.clicked:
            await asker.card_is_elsewhere(why_elsewhere(intervention, self._silent_in()))
        _, late = await asyncio.wait({put}, timeout=SOON)
        if late:
            self.follower.show(intervention.card)

    def _one_at_a_time(self, slack_user: str, call_id: str) -> asyncio.Lock:
        """One person's requests for one call wait for each other, so that what they see of each other is true."""
        key = (slack_user, call_id)
        lock = self._claiming.get(key) or asyncio.Lock()
        self._claiming[key] = lock
        return lock

    async def _claim(self, request: Request, command: Intervene, target: Suitable, permit: Permit) -> Intervention:
        """The row in the ledger that stands before the deed. Raises AlreadyAsked."""
        intervention = begin(await self._intervention(request, command, target, permit))
        earlier = await self.follower.open_card(intervention.card)
        try:
            await self._ledger.claim(request.id, intervention, rule=permit.rule)
        except AlreadyAsked as taken:
            raise asked_already(intervention, taken.who, self._rules()) from taken
        else:
            self.follower.put_on_card(intervention, earlier)
        finally:
            self.follower.forget_if_done(intervention.card)
        await self.follower.supersede(intervention)
        return intervention

    async def _intervention(
        self, request: Request, command: Intervene, target: Suitable, permit: Permit
    ) -> Intervention:
        rules = self._rules()
        earlier = await self._ledger.of_call(request.slack_user, target.call.id)
        seat = seat_of_card(request, command.action, earlier, self._silent_in())
        return Intervention(
            id=self._new_id(),
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
            asked_at=self._now(),
            call=target.call,
        )

    async def _put(self, intervention: Intervention) -> None:
        """The deed, and what is known after it. The row in the ledger stands already."""
        action = intervention.action
        try:
            answer = await self._phone_calls.act(
                intervention.user, intervention.extension, intervention.call_id, action
            )
            after = answered(intervention, answer.value, self._now())
        except AnswerLost:
            after = answer_lost(intervention)
        except PbxError as error:
            after = refused(intervention, error, self._now())
        except Exception:  # noqa: BLE001 - nobody knows what was done, so the call is looked at
            _log.exception("put_failed", intervention=intervention.id)
            after = answer_lost(intervention)
        _log.info("put", intervention=intervention.id, action=intervention.name, state=after.state)
        await self.follower.update(after)
