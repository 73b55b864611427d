"""One request to act on a call, from start to end: `Interventions.intervene`, read from top to bottom.

_authorize              who, what, on whom, from where: by the permissions of now, not of when a button was made
live_on                 the calls as they are; at the same time the PBX is asked about the asker's own phone, and Slack about
                        the bot token
_choose                 one view of one call, or the person is asked which
_change_mode            only if the person is in the call in another mode: wait until they hang up, then all of it again
_check_phone            the phone is registered, and no party of the call
_offer_to_ring_anyway   only if it is not registered: nothing is sent, and the person may insist
refuse_if_revoked       nothing is sent where Slack would take no card
Claims.claim            the phone is free; which card, which action, and a row before the PUT; a second open one is refused;
                        then the permissions are checked again; if the claim took long, also the call and the phone
_wait_for_phone         only if the phone is busy with something else: wait until it is free, then all of it again
_act, send              the PUT, once; meanwhile _tell_place says in private where the card is, if it is elsewhere
track in tracker.py     the answer, and from then on each poll: saved, and shown on the card
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from bot.domain.actions import LABEL, RINGS_PHONE, SILENT, ActionName
from bot.domain.calls import PhoneCall, PhoneSeen
from bot.domain.commands import Intervene, Offer, Request
from bot.domain.errors import (
    AlreadyAsked,
    AlreadyInCall,
    AnswerLost,
    PbxError,
    PbxUnreachable,
    PhoneNotRegistered,
    Refusal,
)
from bot.domain.intervention import Intervention, answer_lost, answered, refused
from bot.domain.permissions import Permit, Person
from bot.interventions.call_list import CallChoice, Listing, offered_choice
from bot.interventions.card import CardElsewhere, InterventionCard, others_read, why_elsewhere
from bot.interventions.checks import MOST_OPEN, phone_meanwhile, refuse_if_inside
from bot.interventions.claiming import Claims, PhoneBusy, Reading
from bot.interventions.outcomes import Outcome, Outcomes
from bot.interventions.planner import permits_for, suitable_views
from bot.interventions.tracker import InterventionConfig, InterventionMetrics, InterventionTracker
from bot.interventions.waiting import Verdict, Waited, changes_mode
from bot.polling.phone_calls import PhoneCalls, live_on
from bot.tasks import Tasks

SOON = 0.7
"""Seconds that a PUT may take before the card says Asked."""

_CAME_TO = {
    Verdict.LATE: "Your phone stayed busy for 30 s. Ask again when it is free.",
    Verdict.CANCELLED: "You cancelled it while your phone was busy.",
    Verdict.OVER: "The call was over before your phone was free.",
    Verdict.STOPPED: "callbot was restarted while your phone was busy. Ask again in a moment.",
}
"""What the card of a request says that waited for the phone in vain."""

_log = structlog.get_logger("callbot.interventions")


class BotTokenCheck(Protocol):
    """Whether Slack still accepts the bot token, without which nobody sees a card: `bot.slack.tokens.BotToken`."""

    def ask(self) -> None:
        """Ask Slack in the background."""

    async def refuse_if_revoked(self) -> None:
        """Wait a moment for the answer. Raises Refusal where Slack no longer accepts the token."""


class Asker(Protocol):
    """The person who asked, reachable privately: `bot.slack.private_answers.PrivateAnswers`. No method raises."""

    async def refused(self, refusal: Refusal, request: str) -> None:
        """Say why nothing was done."""

    async def phone_not_registered(self, refusal: Refusal, anyway: Offer[Intervene], request: str) -> None:
        """Say that their own phone could not ring, with a button that has it rung all the same."""

    async def failed(self, message: str, request: str) -> None:
        """Say what went wrong on our side or the PBX's."""

    async def choose(self, action: ActionName, choices: tuple[CallChoice, ...]) -> None:
        """Ask which call."""

    async def listed(self, listing: Listing) -> None:
        """Show the live calls, a page of them where there are many."""

    async def helped(self) -> None:
        """Show every command."""

    async def help_requested(self, channel: str) -> None:
        """Say where the help request is, and that they will hear who is coming."""

    async def card_is_elsewhere(self, why: CardElsewhere) -> None:
        """Say that the card is in the direct message, and why."""

    async def card_is_nowhere(self, card: InterventionCard) -> None:
        """Say that Slack takes the card nowhere, and what it would show."""


class Interventions:
    """What a person can ask to be done to a call."""

    def __init__(
        self,
        *,
        phone_calls: PhoneCalls,
        claims: Claims,
        config: InterventionConfig,
        now: Callable[[], datetime],
        metrics: InterventionMetrics,
        tracker: InterventionTracker,
        outcomes: Outcomes,
        bot_token: BotTokenCheck,
    ) -> None:
        self._phone_calls = phone_calls
        self._claims = claims
        self._config = config
        self._now = now
        self._metrics = metrics
        self._tracker = tracker
        self._outcomes = outcomes
        self._bot_token = bot_token
        self._tasks = Tasks()
        self._askers: dict[str, Asker] = {}

    async def stop(self, seconds: float) -> None:
        """Wait for the answers to what was sent, at most so many seconds; then poll no more."""
        await self._tasks.drain(seconds)
        await self._tracker.stop()

    def asker(self, card: str) -> Asker | None:
        """Who asked for what a card shows; None after a restart, and if very many newer cards have been begun."""
        return self._askers.get(card)

    async def intervene(self, request: Request, command: Intervene, asker: Asker, waited: Waited | None = None) -> None:
        """Do to a call what was asked. Raises Refusal, PbxError and LedgerUnavailable where nothing was sent.

        `waited`: the request has waited for the phone, and everything is checked and read again.
        """
        person, permits = self._authorize(request, command)
        self._bot_token.ask()
        permissions, phone = self._config.permissions(), self._phone_to_ask_about(command, person, waited)
        async with phone_meanwhile(self._phone_calls, permissions, phone) as presence:
            calls = await live_on(
                command.call,
                tuple(permits),
                permissions,
                self._phone_calls,
                asyncio.sleep,
                is_wanted=lambda call: not permissions.protects(call),
            )
            _log.info("read", calls=len(calls))
            reading = await self._choose(request, command, calls, permits, asker)
            if reading is None:
                return
            current = self._tracker.current(person.slack_user, reading.chosen.call.id)
            anyway = waited is not None and waited.anyway
            if current is not None and not anyway and changes_mode(current, command.action):
                await self._change_mode(request, command, reading, current, asker)
                return
            try:
                if current is None and not anyway:
                    reading = await self._check_phone(command, reading, presence)
                await self._bot_token.refuse_if_revoked()
                _log.info("allowed", rule=reading.permit.rule, action=reading.permit.action)
                intervention = await self._claims.claim(request, command, reading, waited)
            except PhoneNotRegistered as refusal:
                await self._offer_to_ring_anyway(request, command, reading, refusal, asker)
                return
            except PhoneBusy as busy:
                await self._wait_for_phone(request, command, reading, asker, busy_with=busy.busy_with, waited=waited)
                return
        await self._act(request, intervention, asker, shown=waited is not None and waited.intervention is not None)

    # ── the steps ──

    def _authorize(self, request: Request, command: Intervene) -> tuple[Person, dict[str, Permit]]:
        """Who asks, and a Permit for each extension that is meant. Raises NotAuthorized and NotSuitable."""
        self._config.refuse_if_unread()
        permissions = self._config.permissions()
        person = permissions.person(request.slack_user, external=request.external)
        return person, permits_for(person, command, request.channel, permissions)

    def _phone_to_ask_about(self, command: Intervene, person: Person, waited: Waited | None) -> str | None:
        """The phone that the PBX is asked about; None where nothing will ring, it rings anyway, or we know how it is."""
        if (
            command.action not in RINGS_PHONE
            or command.ring_anyway
            or (waited and (waited.anyway or waited.intervention))
        ):
            return None
        ours = self._tracker.busy_elsewhere(person.slack_user, person.phone, "")  # in any call
        return None if ours is not None else person.phone

    async def _choose(
        self,
        request: Request,
        command: Intervene,
        calls: list[tuple[str, PhoneCall]],
        permits: dict[str, Permit],
        asker: Asker,
    ) -> Reading | None:
        """The one view that the action goes to; None where the person is asked which. Raises NotAuthorized or NotSuitable."""
        read_at = asyncio.get_running_loop().time()
        permissions = self._config.permissions()
        known = self._tracker.known(call for _, call in calls)
        fitting = suitable_views(command, calls, permissions, known)
        if len(fitting) > 1:  # choices show calls before there is any claim, so the permission is checked now
            _, permits = self._authorize(request, command)
            fitting = suitable_views(command, [one for one in calls if one[0] in permits], permissions, known)
        extension = fitting[0].extension
        if len(fitting) == 1:
            return Reading(fitting[0], permits[extension], read_at)
        choices = tuple(offered_choice(command, one, request.channel, permissions) for one in fitting)
        await self._outcomes.conclude(
            request, Outcome.ASKED_WHICH_CALL, permits[extension].rule, allowed=True, extension=extension
        )
        await asker.choose(command.action, choices)
        return None

    async def _check_phone(self, command: Intervene, reading: Reading, presence: Awaitable[PhoneSeen]) -> Reading:
        """What is read, with the asker's phone. Raises AlreadyInCall and PhoneNotRegistered where it is not to ring."""
        phone = reading.permit.person.phone
        refuse_if_inside(command.action, reading.chosen.call, phone)
        reading = replace(reading, phone_seen=await presence, phone_seen_at=asyncio.get_running_loop().time())
        if reading.phone_seen is PhoneSeen.NOT_REGISTERED:
            raise PhoneNotRegistered(phone)
        return reading

    async def _act(self, request: Request, intervention: Intervention, asker: Asker, *, shown: bool) -> None:
        """Send the PUT, and have its answer on the card; the card says Asked where the answer takes long.

        `shown`: the card is there already.
        """

        async def put_and_track() -> None:
            sent = await send(intervention, self._phone_calls, self._metrics, self._now)
            await self._tracker.track(sent)

        sending = self._tasks.spawn(put_and_track(), name=f"put {intervention.id}")
        await asyncio.sleep(0)  # the PUT goes before what is said of it
        if not shown:
            self._remember_asker(intervention.card, asker)
            self._tell_place(request, intervention, asker)
        _, late = await asyncio.wait({sending}, timeout=SOON)
        if late:
            self._tracker.show(intervention.card)

    def _remember_asker(self, card: str, asker: Asker) -> None:
        """Remember whom to tell if Slack takes the card nowhere."""
        self._askers.pop(card, None)
        self._askers[card] = asker
        while len(self._askers) > MOST_OPEN:  # only the newest are remembered
            del self._askers[next(iter(self._askers))]

    def _tell_place(self, request: Request, intervention: Intervention, asker: Asker) -> None:
        """Say in private where the card is to those who typed, unless it is where they did."""
        why = why_elsewhere(intervention, self._config.silent_in())
        if not request.clicked and why is not CardElsewhere.NO:
            elsewhere = asker.card_is_elsewhere(why)
            self._tasks.spawn(elsewhere, name=f"place of {intervention.id}")  # Slack may take long for it

    # ── not now ──

    async def _offer_to_ring_anyway(
        self, request: Request, command: Intervene, reading: Reading, refusal: PhoneNotRegistered, asker: Asker
    ) -> None:
        """The phone is certainly not registered: nothing is sent, and the person may insist, for this call and view."""
        chosen = reading.chosen
        insisting = command.model_copy(update={"ring_anyway": True})
        anyway = Offer(insisting.on_call(chosen.extension, chosen.call, chosen.view.id), request.channel)
        await self._outcomes.conclude(
            request, Outcome.REFUSED, refusal.rule, extension=chosen.extension, call_id=chosen.call.id
        )
        await asker.phone_not_registered(refusal, anyway, request.id)

    async def _change_mode(
        self, request: Request, command: Intervene, reading: Reading, current: Intervention, asker: Asker
    ) -> None:
        """Wait for the old leg to go, then check and read everything again: the permission, the call, the view."""
        chosen = reading.chosen
        if self._tracker.waiting_requests.waits(current.card):
            raise AlreadyAsked(
                "Your card is already waiting for you to hang up. Do that, or click Cancel there first. Nothing more was sent.",
                current.slack_user,
            )
        if command.action in SILENT and others_read(current.place, current.slack_user, self._config.silent_in()):
            raise AlreadyInCall(
                f"You are in this call, and everyone hears you. Hang up, then ask for {LABEL[command.action]} again: others "
                "read your card, so it does not wait for you there. Nothing was sent."
            )
        verdict = await self._tracker.waiting_requests.wait_for_hang_up(current, command.action)
        if verdict is Verdict.STOPPED:
            raise Refusal(
                "callbot is being restarted. Nothing was sent. Hang up if you like, and ask again in a moment."
            )
        if verdict in {Verdict.FREE, Verdict.NOW}:
            await self.intervene(
                request, command.on_call(chosen.extension, chosen.call, command.view), asker, Waited(verdict)
            )
            return
        await self._outcomes.conclude(
            request,
            Outcome.MODE_NOT_CHANGED,
            verdict,
            allowed=True,
            extension=chosen.extension,
            call_id=chosen.call.id,
        )

    async def _wait_for_phone(
        self,
        request: Request,
        command: Intervene,
        reading: Reading,
        asker: Asker,
        *,
        busy_with: Intervention | None,
        waited: Waited | None,
    ) -> None:
        """Wait on a card for the phone, then check and read everything again: the permission, the call, the view.

        `waited`: given where it has waited already and the phone is busy again. Nothing is claimed or sent meanwhile.
        """
        chosen, waiting_requests = reading.chosen, self._tracker.waiting_requests
        waiting, until = (None, 0.0) if waited is None else (waited.intervention, waited.until)
        if waiting is None:
            # The card shows the call before any claim, so the permission is checked now.
            self._authorize(request, command)
            waiting, until = await self._claims.wait_on_card(request, command, reading), waiting_requests.ends_at()
            _log.info("waits", call=chosen.call.id)
            self._remember_asker(waiting.card, asker)
            self._tell_place(request, waiting, asker)
        # What the card says if nothing is sent. If the request goes on, `end_waiting` finds it sent and says nothing; the
        # default of `_CAME_TO` is for a refusal on that way, which the person reads in private.
        came_to = "callbot stopped."
        try:
            verdict = await waiting_requests.wait_for_phone(waiting, self._whose_call(busy_with, waiting), until)
            came_to = _CAME_TO.get(verdict, "You were told why in private.")
            if verdict is Verdict.STOPPED:
                raise Refusal("callbot is being restarted. Nothing was sent. Ask again in a moment.")
            if verdict in {Verdict.FREE, Verdict.NOW}:
                again = Waited(verdict, waiting, until)
                await self.intervene(
                    request, command.on_call(chosen.extension, chosen.call, command.view), asker, again
                )
                return
            await self._outcomes.conclude(
                request,
                Outcome.REFUSED,
                f"{PhoneBusy.rule}: {verdict}",
                extension=chosen.extension,
                call_id=chosen.call.id,
            )
        finally:
            self._tracker.end_waiting(waiting, came_to)

    def _whose_call(self, busy_with: Intervention | None, asked: Intervention) -> str:
        """The agent of the call that the phone is busy with; empty if somebody who reads the card may not know it."""
        if (
            busy_with is None
            or busy_with.slack_user != asked.slack_user
            or self._config.permissions().protects(busy_with.call)
        ):
            return ""
        read_by_others = others_read(asked.place, asked.slack_user, self._config.silent_in())
        return "" if busy_with.name in SILENT and read_by_others else busy_with.agent


async def send(
    intervention: Intervention, phone_calls: PhoneCalls, metrics: InterventionMetrics, now: Callable[[], datetime]
) -> Intervention:
    """Send the PUT, once, and return what is known after it. Its row is in the ledger. Nothing is raised."""
    action = intervention.action
    try:
        answer = await phone_calls.act(intervention.user, intervention.extension, intervention.call_id, action)
        result, after = answer.value, answered(intervention, answer.value, now())
    except AnswerLost as lost:
        result, after = "lost", answer_lost(intervention, lost.code)
    except PbxError as error:
        result = "unreachable" if isinstance(error, PbxUnreachable) else "refused"
        after = refused(intervention, error, now())
    except Exception:  # noqa: BLE001 - nobody knows what was done, so the call is polled
        _log.exception("put_failed", intervention=intervention.id)
        result, after = "lost", answer_lost(intervention)
    metrics.put(result)
    _log.info("put", intervention=intervention.id, action=intervention.name, result=result, state=after.state)
    return after
