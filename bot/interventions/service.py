"""One request from start to end: authorize, read the call, plan, claim, act, follow.

Interventions.intervene(request, command, asker)
permits_for             who, what, on whom, from where: by the rules of now, not of when the button was made
bot_token               beside the reading of the call: whether Slack takes a card at all
phone_beside            beside it, too: whether the asker's own phone can ring at all
calls_meant, suitable   the call as it is, one view of it; permission checked again on what was found
switches.wait           only if the person is in the call in another mode: until they hang up, then all of it again
switches.wait_for_phone only if their phone is busy with something else: until it is free, then all of it again
claims.claim            which card, which action, and a row before the PUT; a second open one is refused;
                        then the rules once more, and the call, if that has taken long
send                    the PUT, once
follower                what is true from then on, on the card
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.domain.actions import LABEL, RECORDING, SILENT
from bot.domain.buttons import button
from bot.domain.calls import PhoneCall
from bot.domain.commands import Intervene
from bot.domain.errors import AlreadyAsked, AlreadyInCall, PhoneNotRegistered, Refusal
from bot.domain.intervention import Intervention
from bot.domain.permissions import Permissions, Permit, Person
from bot.domain.presence import PhoneSeen
from bot.domain.request import Request
from bot.interventions.call_list import calls_meant, choice
from bot.interventions.checks import MOST_OPEN, refuse_if_inside
from bot.interventions.claiming import Claims, Phone, PhoneBusy, Reading
from bot.interventions.conclusions import Conclusions
from bot.interventions.mode_change import Verdict, changes_mode
from bot.interventions.placing import others_read, why_elsewhere
from bot.interventions.planner import Suitable, permits_for, suitable
from bot.interventions.ports import Asker, BotToken, Cards, Ledger, Measures, Outcome
from bot.interventions.preflight import phone_beside
from bot.interventions.sending import send
from bot.interventions.tracker import InterventionTracker
from bot.polling.ports import PhoneCalls
from bot.tasks import Tasks

SOON = 0.7
"""Seconds that a PUT may take before the card says Asked."""

_CAME_TO = {
    Verdict.LATE: "Your phone stayed busy for 30 s. Ask again when it is free.",
    Verdict.CANCELLED: "You cancelled it while your phone was busy.",
    Verdict.STOPPED: "callbot was restarted while your phone was busy. Ask again in a moment.",
}
"""What the card of a request says that waited for the phone in vain."""

_log = structlog.get_logger("callbot.interventions")


@dataclass(frozen=True)
class Waits:
    """A request that waits for the asker's phone: as its card shows it, and until when, on the event loop's clock."""

    asked: Intervention
    until: float


class Interventions:
    """What a person can ask to be done to a call. `rules` and `silent_in` are asked anew.

    `refuse_if_unread` raises NotAuthorized where those rules may be old, because what people write cannot be read.
    """

    def __init__(
        self,
        *,
        phone_calls: PhoneCalls,
        ledger: Ledger,
        cards: Cards,
        rules: Callable[[], Permissions],
        refuse_if_unread: Callable[[], None],
        silent_in: Callable[[], frozenset[str]],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        measures: Measures,
        tracker: InterventionTracker,
        conclusions: Conclusions,
        bot_token: BotToken,
    ) -> None:
        self._phone_calls = phone_calls
        self._ledger = ledger
        self._cards = cards
        self._rules = rules
        self._refuse_if_unread = refuse_if_unread
        self._silent_in = silent_in
        self._now = now
        self._sleep = sleep
        self._measures = measures
        self._bot_token = bot_token
        self._puts = Tasks()
        self._conclusions = conclusions
        self._askers: dict[str, Asker] = {}
        self.tracker = tracker
        self._claims = Claims(
            phone_calls=phone_calls,
            ledger=ledger,
            tracker=tracker,
            rules=rules,
            silent_in=silent_in,
            now=now,
            sleep=sleep,
            new_id=new_id,
        )

    async def start(self) -> None:
        """Take up what an earlier process left open, and tell those whose requests it lost."""
        for request in await self._ledger.interrupted():
            self._cards.interrupted(request)
        for card in await self._ledger.waited_unshown():
            self._cards.never_sent(card)
        await self.tracker.resume()

    async def stop(self, seconds: float) -> None:
        """Wait for the answers to what was sent, at most so many seconds; then look no more."""
        await self._puts.drain(seconds)
        await self._claims.stop()
        await self.tracker.stop()

    def asker(self, card: str) -> Asker | None:
        """Who asked for what a card shows; None after a restart, and where many others have asked since."""
        return self._askers.get(card)

    def _remember(self, card: str, asker: Asker) -> None:
        """Whom to tell where this card cannot be posted; only the newest are remembered."""
        self._askers.pop(card, None)
        self._askers[card] = asker
        while len(self._askers) > MOST_OPEN:
            del self._askers[next(iter(self._askers))]

    async def intervene(
        self,
        request: Request,
        command: Intervene,
        asker: Asker,
        *,
        switched: Verdict | None = None,
        waits: Waits | None = None,
    ) -> None:
        """Read and plan, then act. Raises Refusal, PbxError and LedgerUnavailable where nothing was sent.

        `switched`: how a waiting for the phone ended that came before; `waits`: on which card.

        Reading takes time, so the rules are asked before it and after it: what counts is what they say last.
        """
        self._refuse_if_unread()
        rules = self._rules()
        person = rules.person(request.slack_user, external=request.external)
        permits = permits_for(person, command, request.channel, rules)
        self._bot_token.ask()
        seen_just_now = waits is not None or switched is Verdict.NOW
        phone = None if seen_just_now else self._phone_in_doubt(command, person)
        async with phone_beside(self._phone_calls, rules, phone) as seeing:
            found = await calls_meant(command, tuple(permits), rules, self._phone_calls, self._sleep)
            read_at = asyncio.get_running_loop().time()
            _log.info("read", calls=len(found))
            chosen = await self._chosen(request, command, found, asker)
            if chosen is None:
                return
            target, permit = chosen
            held = self.tracker.holding(person.slack_user, target.call.id)
            anyway = switched is Verdict.NOW
            seen, seen_at = PhoneSeen.UNKNOWN, read_at
            if held is None and not anyway:
                refuse_if_inside(command.action, target.call, permit.person.phone)
                seen, seen_at = await seeing, asyncio.get_running_loop().time()
                if seen is PhoneSeen.NOT_REGISTERED:
                    await self._offer_to_ring_anyway(request, command, target, permit, asker)
                    return
                chosen = await self._chosen(request, command, found, asker)
                if chosen is None:
                    return
                target, permit = chosen
        if held is not None and not anyway and changes_mode(held, command.action):
            await self._switch(request, command, target, held, asker)
            return
        reading = Reading(target, permit, read_at)
        asked = None if waits is None else waits.asked
        try:
            await self._act(request, command, reading, Phone(seen, seen_at, anyway, asked), asker)
        except PhoneBusy as busy:
            await self._when_free(request, command, reading, asker, busy=busy.why, waits=waits)
        except PhoneNotRegistered:
            await self._offer_to_ring_anyway(request, command, target, permit, asker)

    async def _chosen(
        self, request: Request, command: Intervene, found: list[tuple[str, PhoneCall]], asker: Asker
    ) -> tuple[Suitable, Permit] | None:
        """The one view that the action may go to, by the rules of now; None where the person is asked which.

        Raises NotAuthorized or NotSuitable.
        """
        rules = self._rules()
        person = rules.person(request.slack_user, external=request.external)
        permits = permits_for(person, command, request.channel, rules)
        allowed = [(extension, call) for extension, call in found if extension in permits]
        fitting = suitable(command, allowed, rules, self.tracker.known(call for _, call in allowed))
        if len(fitting) == 1:
            return fitting[0], permits[fitting[0].extension]
        choices = tuple(choice(command, one, request.channel, rules) for one in fitting)
        extension = fitting[0].extension
        await self._conclusions.conclude(
            request, Outcome.CHOICE, permits[extension].rule, allowed=True, extension=extension
        )
        await asker.choose(command.action, choices)
        return None

    def _phone_in_doubt(self, command: Intervene, person: Person) -> str | None:
        """The phone that is to ring, unless nothing rings, we know what it is busy with, or it is to ring whatever is known."""
        ours = self.tracker.busy_elsewhere(person.slack_user, person.phone, "") is not None
        certain = command.action in RECORDING or command.ring_anyway or ours
        return None if certain else person.phone

    async def _offer_to_ring_anyway(
        self, request: Request, command: Intervene, target: Suitable, permit: Permit, asker: Asker
    ) -> None:
        """The phone is certainly not registered: nothing is sent, and the person may insist, for this call and view."""
        refusal = PhoneNotRegistered(permit.person.phone)
        insisting = command.model_copy(update={"ring_anyway": True})
        anyway = button(insisting, target.extension, target.call, request.channel, view_id=target.view.id)
        await self._conclusions.conclude(
            request, Outcome.REFUSED, refusal.rule, extension=target.extension, call_id=target.call.id
        )
        await asker.phone_not_registered(refusal, anyway, request.id)

    async def _switch(
        self, request: Request, command: Intervene, target: Suitable, held: Intervention, asker: Asker
    ) -> None:
        """Wait for the old leg to go, then ask for everything anew: the permission, the call, the view."""
        if self.tracker.mode_changes.waits(held.card):
            raise AlreadyAsked(
                "Your card is already waiting for you to hang up. Do that, or press Cancel there first. Nothing more was sent.",
                held.slack_user,
            )
        if command.action in SILENT and others_read(held.place, held.slack_user, self._silent_in()):
            raise AlreadyInCall(
                f"You are in this call, and everyone hears you. Hang up, then ask for {LABEL[command.action]} again: others "
                "read your card, so it does not wait for you there. Nothing was sent."
            )
        verdict = await self.tracker.mode_changes.wait(held, command.action)
        if verdict is Verdict.STOPPED:
            raise Refusal(
                "callbot is being restarted. Nothing was sent. Hang up if you like, and ask again in a moment."
            )
        if verdict not in {Verdict.LEFT, Verdict.NOW}:
            call_id = target.call.id
            await self._conclusions.conclude(
                request, Outcome.NOT_SWITCHED, verdict, allowed=True, extension=target.extension, call_id=call_id
            )
            return
        same_call = button(command, target.extension, target.call, request.channel, view_id=command.view)
        await self.intervene(request, same_call.intervene, asker, switched=verdict)

    async def _when_free(
        self,
        request: Request,
        command: Intervene,
        reading: Reading,
        asker: Asker,
        *,
        busy: Intervention | None,
        waits: Waits | None,
    ) -> None:
        """Wait on a card for the phone, then ask for everything anew: the permission, the call, the view.

        `waits`: it has waited before, and the phone is busy again. Nothing is claimed or sent meanwhile.
        """
        await self._bot_token.refuse_if_revoked()
        target = reading.target
        mode_changes = self.tracker.mode_changes
        if waits is None:
            waits = Waits(await self._claims.wait_on_card(request, command, reading), mode_changes.ends_at())
            self._remember(waits.asked.card, asker)
            _log.info("waits", call=target.call.id)
            if not request.clicked:
                elsewhere = asker.card_is_elsewhere(why_elsewhere(waits.asked, self._silent_in()))
                self._puts.spawn(elsewhere, name=f"place of {request.id}")  # Slack may take long for it
        whose = self._busy_with(busy, waits.asked)
        came_to = "callbot stopped."
        try:
            verdict = await mode_changes.wait_for_phone(waits.asked, whose, waits.until)
            came_to = _CAME_TO.get(verdict, "You were told why in private.")
            if verdict is Verdict.STOPPED:
                raise Refusal("callbot is being restarted. Nothing was sent. Ask again in a moment.")
            if verdict in {Verdict.LEFT, Verdict.NOW}:
                same_call = button(command, target.extension, target.call, request.channel, view_id=command.view)
                await self.intervene(request, same_call.intervene, asker, switched=verdict, waits=waits)
                return
            await self._conclusions.conclude(
                request,
                Outcome.REFUSED,
                f"{PhoneBusy.rule}: {verdict}",
                extension=target.extension,
                call_id=target.call.id,
            )
        finally:
            self.tracker.end_waiting(waits.asked, came_to)

    def _busy_with(self, busy: Intervention | None, asked: Intervention) -> str:
        """Whose call the phone is busy with, as far as those may know who see the card."""
        if busy is None or busy.slack_user != asked.slack_user or self._rules().protects(busy.call):
            return ""
        read_by_others = others_read(asked.place, asked.slack_user, self._silent_in())
        return "" if busy.name in SILENT and read_by_others else busy.agent

    async def _act(self, request: Request, command: Intervene, reading: Reading, phone: Phone, asker: Asker) -> None:
        await self._bot_token.refuse_if_revoked()
        _log.info("allowed", rule=reading.permit.rule, action=reading.permit.action)
        intervention = await self._claims.claim(request, command, reading, phone)
        self._remember(intervention.card, asker)
        put = self._puts.spawn(self._put(intervention), name=f"put {intervention.id}")
        await asyncio.sleep(0)  # the PUT goes before what is said of it
        async with asyncio.TaskGroup() as both:  # a private answer that takes long must not hold the card back
            both.create_task(self._show_if_late(put, intervention.card))
            if not request.clicked and phone.waits is None:
                both.create_task(asker.card_is_elsewhere(why_elsewhere(intervention, self._silent_in())))

    async def _show_if_late(self, put: "asyncio.Task[None]", card: str) -> None:
        _, late = await asyncio.wait({put}, timeout=SOON)
        if late:
            self.tracker.show(card)

    async def _put(self, intervention: Intervention) -> None:
        """The deed, and what is known after it, on the card."""
        await self.tracker.update(await send(intervention, self._phone_calls, self._measures, self._now))
