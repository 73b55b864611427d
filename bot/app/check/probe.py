"""`callbot check --try`: one Monitor on a test call of the administrator's own, each step compared with the documentation.

It is claimed, sent and tracked like every intervention: permissions, the call as it is, a row in the ledger, the PUT, the
state table. What stays here is what the service does with Slack. A question on the terminal comes before the claim;
several calls are listed instead of offered as buttons; a busy phone, or one that is not registered, ends the probe
instead of waiting on a card. People have a time limit for each step, and the call is read once more after the supervisor
has left, because the form in which UnifiedAPI says that a call is over is part of the report.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from bot.app.check.pbx import unified_api
from bot.app.check.probe_report import ComparedPbx, LastAnswer, ProbeCard, Report, new_views
from bot.app.live_config import check_files, read_files
from bot.app.output import console, counted, shown, some
from bot.app.settings import OwnSettings, PbxSettings, read_part
from bot.domain.actions import ActionName
from bot.domain.calls import EXTENSION, OBJECT_ID, PhoneSeen
from bot.domain.clock import Clock
from bot.domain.commands import Intervene, Request, Target
from bot.domain.errors import NotAuthorized, NotSuitable, PbxError, Refusal, WrongUsage
from bot.domain.intervention import GRACE, UNDECIDED, Intervention, State, Why
from bot.domain.permissions import Permissions, Permit, Person
from bot.interventions.checks import phone_seen, refuse_if_inside
from bot.interventions.claiming import Claims, Reading
from bot.interventions.outcomes import Outcome, Outcomes, rule_of
from bot.interventions.planner import CallAndView, permits_for, suitable_views
from bot.interventions.service import send
from bot.interventions.tracker import InterventionTracker
from bot.ledger.audit_log import AuditLog
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet
from bot.ledger.ledger import Ledger
from bot.polling.phone_calls import live_on
from bot.polling.poller import Poller
from bot.slack.intervention_card import STATE
from bot.uapi import shapes
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.shapes import Comparison

TERMINAL = "terminal"
"""The channel of a probe in the audit log, and its user where nobody may make it."""
RINGS_FOR = 20
"""Seconds that the phone rings."""
PROBE_PRESENCE_TIMEOUT = 10.0
"""Seconds for the presence of the phone; longer than in an intervention, because its form is part of the report."""
POLL = 0.25
"""Seconds between two polls of the call."""
HANG_UP = timedelta(seconds=60)
"""How long the supervisor has to hang up."""
END_CALL = timedelta(seconds=30)
"""How long the people in the test call have to end it afterwards."""


@dataclass(frozen=True)
class ProbeOptions:
    """The extension that is on a test call, whose phone rings (a Slack user id), and which call."""

    extension: str
    supervisor: str | None = None
    call: str | None = None

    def command(self) -> Intervene:
        """The command that these options stand for. Raises WrongUsage."""
        if EXTENSION.fullmatch(self.extension) is None:
            raise WrongUsage("--try takes an extension with its organisation, for example --try 0003*210.")
        if self.call is not None and OBJECT_ID.fullmatch(self.call) is None:
            raise WrongUsage("--call takes the id of a call: letters, digits, and . _ -")
        target = Target(kind="extension", text=self.extension)
        return Intervene(action=ActionName.MONITOR, target=target, call=self.call, wait=RINGS_FOR)


def at_the_terminal(permissions: Permissions) -> Permissions:
    """The permissions for somebody at the terminal: no role is bound to a channel, and the audit log says so."""
    roles = {
        key: replace(role, name=f"{role.name}, at the terminal", channels=None)
        for key, role in permissions.roles.items()
    }
    return replace(permissions, roles=roles)


def supervisor(options: ProbeOptions, permissions: Permissions) -> Person:
    """Whose phone rings. Raises WrongUsage where --as must say it, NotAuthorized where a permission is missing."""
    command = options.command()
    if options.supervisor is not None:
        person = permissions.people.get(options.supervisor)
        if person is None:
            raise WrongUsage(
                f"--as takes a Slack user id of callbot.toml, and nobody there is {options.supervisor[:40]!r}."
            )
        permits_for(person, command, TERMINAL, permissions)
        return person
    may = [person for person in permissions.people.values() if _may(person, command, permissions)]
    if len(may) > 1:
        people = some(f"{person.slack_user} ({person.name})" for person in may)
        raise WrongUsage(
            f"Whose phone is to ring? These may use Monitor on {options.extension}: {people}. Say one with --as."
        )
    if not may:
        protected = permissions.protects_extension(options.extension)
        reason = "it is protected" if protected else "no role allows it to anybody of its organisation"
        raise NotAuthorized("action", f"Nobody may use Monitor on {options.extension}: {reason}.")
    return may[0]


def _may(person: Person, command: Intervene, permissions: Permissions) -> bool:
    try:
        permits_for(person, command, TERMINAL, permissions)
    except NotAuthorized:
        return False
    return True


# ── what the intervention service gets here ──


class ProbeLedger(Ledger):
    """The ledger of a probe: what a running callbot tracks in the same call stays on the cards of that callbot."""

    async def of_call(self, slack_user: str, call_id: str) -> tuple[Intervention, ...]:
        """Nothing: a probe has a card of its own."""
        return ()


class ProbeConfig:
    """The configuration of a probe: as it was read at its start, and no channel shows anything."""

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions

    def permissions(self) -> Permissions:
        """Who may do what."""
        return self._permissions

    def refuse_if_unread(self) -> None:
        """Nothing: it was read just now."""

    def silent_in(self) -> frozenset[str]:
        """None: the card of a probe is on the terminal."""
        return frozenset()


class NoMetrics:
    """The metrics of a probe: it has none."""

    def put(self, result: str) -> None:
        """One PUT."""

    def connected(self, seconds: float, *, by_alert: bool) -> None:
        """Proof that the supervisor is in the call."""


# ── the probe ──


class NotConfirmed(Refusal):
    """The question was not answered with yes."""

    rule = "not confirmed"


class Probe:
    """One probe, from the permissions to the end of the call. `ask` puts a question; True is a yes."""

    def __init__(
        self,
        *,
        api: UnifiedApi,
        last: LastAnswer,
        ledger: ProbeLedger,
        permissions: Permissions,
        report: Report,
        ask: Callable[[str], bool],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
    ) -> None:
        self._api = api
        self._last = last
        self._ledger = ledger
        self._permissions = at_the_terminal(permissions)
        self._report = report
        self._ask = ask
        self._now = now
        self._sleep = sleep
        self._new_id = new_id

    async def run(self, options: ProbeOptions) -> bool:
        """Whether the supervisor was seen in the call. Raises WrongUsage, Refusal, PbxError, LedgerUnavailable."""
        request = self._request(options)
        try:
            person = supervisor(options, self._permissions)
            request = request.model_copy(update={"slack_user": person.slack_user})
            pbx = ComparedPbx(self._api, self._last, self._report, person.phone)
            permit = permits_for(person, options.command(), TERMINAL, self._permissions)[options.extension]
            command, target = await self._confirmed(pbx, permit, options.command())
            await self._ledger.begin(request)
            action = ProbeAction(
                pbx=pbx,
                ledger=self._ledger,
                permissions=self._permissions,
                report=self._report,
                now=self._now,
                sleep=self._sleep,
            )
            claimed = await action.claim(request, command, target, permit)
        except (Refusal, PbxError) as error:
            await self._refused(request, options.extension, error)
            raise
        return await action.run(claimed)

    def _request(self, options: ProbeOptions) -> Request:
        request_id = self._new_id()
        return Request(
            id=request_id,
            trigger=f"{TERMINAL} {request_id}",
            slack_user=options.supervisor or TERMINAL,
            channel=TERMINAL,
            said=f"check --try {options.extension}",
            at=self._now(),
        )

    async def _refused(self, request: Request, extension: str, error: Refusal | PbxError) -> None:
        """Write down that nothing was sent, and why."""
        rule, allowed = rule_of(error)
        await self._ledger.begin(request)  # where it is written down already this does nothing
        await self._ledger.conclude(request.id, Outcome.REFUSED, rule=rule, allowed=allowed, extension=extension)

    async def _confirmed(self, pbx: ComparedPbx, permit: Permit, command: Intervene) -> tuple[Intervene, CallAndView]:
        """The command for one call, and that call, found and confirmed. Raises Refusal, PbxError."""
        await self._check_phone(pbx, permit.person)
        target = await self._target(pbx, permit, command)
        self._say_what_comes(permit.person, target)
        if not self._ask("Go on?"):
            raise NotConfirmed("Nothing was sent.")
        # The call may have changed during the question, so it is read and checked again.
        command = command.model_copy(update={"call": target.call.id})
        again = await self._target(pbx, permit, command)
        self._report.say("The call, read by its id:")
        self._report.add(*shapes.of_call(self._last.answer))
        if again.call.is_another_than(target.call):
            raise NotSuitable("The call has ended meanwhile, and another one has its id. Nothing was sent.")
        return command, again

    async def _check_phone(self, pbx: ComparedPbx, person: Person) -> None:
        """Raise NotSuitable where the PBX says that the phone cannot ring."""
        self._report.say(f"The phone of {person.name}, {person.phone}:")
        if await phone_seen(pbx, self._permissions, person.phone, PROBE_PRESENCE_TIMEOUT) is PhoneSeen.NOT_REGISTERED:
            raise NotSuitable(
                f"The PBX knows no device that is registered for {person.phone}. Switch it on, and try again."
            )

    async def _target(self, pbx: ComparedPbx, permit: Permit, command: Intervene) -> CallAndView:
        """The one call, and the agent's view of it, as the PBX shows them now. Raises Refusal, PbxError."""
        extension, permissions = permit.extension, self._permissions
        found = await live_on(
            command.call,
            (extension,),
            permissions,
            pbx,
            self._sleep,
            is_wanted=lambda call: not permissions.protects(call),
        )
        fitting = suitable_views(command, found, permissions, {})
        if len(fitting) == 1:
            refuse_if_inside(command.action, fitting[0].call, permit.person.phone)
            return fitting[0]
        began = {one.call.id: one.call.published for one in fitting}
        if len(began) > 1:
            ids = some(f"--call {key}" + (f" (since {at:%H:%M:%S} UTC)" if at else "") for key, at in began.items())
            raise NotSuitable(f"{extension} is on several calls. Say which is your test call: {ids}")
        raise NotSuitable(f"The call has several sides of {extension}. Make a plain test call, and try again.")

    def _say_what_comes(self, person: Person, target: CallAndView) -> None:
        agent = self._permissions.name_of(target.extension)
        self._report.say(
            f"This sends one Monitor to the PBX, for call {target.call.id} of {agent}, {target.extension}."
        )
        self._report.say(
            f"The phone of {person.name}, {person.phone}, rings for {RINGS_FOR} s. Who answers it hears that call, unheard."
        )
        self._report.say(
            "Use a test call of your own: everybody in it must know. The channels of roles do not count here."
        )


class ProbeAction:
    """The one Monitor. `claim` it first; `run` sends it and ends when nothing is left to see."""

    def __init__(
        self,
        *,
        pbx: ComparedPbx,
        ledger: ProbeLedger,
        permissions: Permissions,
        report: Report,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._pbx = pbx
        self._ledger = ledger
        self._report = report
        self._now = now
        self._sleep = sleep
        self._card = ProbeCard(report)
        self._metrics = NoMetrics()
        config = ProbeConfig(permissions)
        poller = Poller(
            urgent=pbx,
            background=pbx,
            scopes=lambda: (),
            every=lambda: 2 * POLL,  # an undecided intervention is polled twice as often
            clock=lambda: now().timestamp(),
            sleep=sleep,
            random=lambda: 0.0,
        )
        self._tracker = InterventionTracker(
            poller=poller,
            ledger=ledger,
            cards=self._card,
            config=config,
            now=now,
            metrics=self._metrics,
        )
        self._outcomes = Outcomes(ledger)
        self._claims = Claims(
            phone_calls=pbx,
            ledger=ledger,
            tracker=self._tracker,
            config=config,
            now=now,
            outcomes=self._outcomes,
        )

    async def claim(self, request: Request, command: Intervene, target: CallAndView, permit: Permit) -> Intervention:
        """Write the intervention down, on the call as it was read just now. Raises Refusal, PbxError, LedgerUnavailable."""
        reading = Reading(target, permit, asyncio.get_running_loop().time())
        return await self._claims.claim(request, command, reading)

    async def run(self, claimed: Intervention) -> bool:
        """Send it and say what happens. Whether the supervisor was seen in the call. Afterwards it holds no claim."""
        self._card.states.append(claimed)
        connected = False
        try:
            sent = await send(claimed, self._pbx, self._metrics, self._now)
            await self._tracker.track(sent)
            await self._until_decided(claimed)
            connected = self._newest.state is State.CONNECTED
            if connected:
                await self._until_left()
        except asyncio.CancelledError:
            self._report.say(self._what_is_left())
            raise
        finally:
            await self._stop()
            self._report.sum_up(self._end(claimed.asked_at))
        return connected

    @property
    def _newest(self) -> Intervention:
        return self._card.states[-1]

    async def _stop(self) -> None:
        """Track no more, and free the claim."""
        await self._tracker.stop()
        await self._outcomes.stop()
        try:
            await self._ledger.save(self._newest.model_copy(update={"following": False}))
        except LedgerUnavailable as error:
            self._report.say(f"  The ledger cannot be written ({error.why}), so the audit log does not show the end.")

    async def _until(self, happened: Callable[[], bool], end: datetime) -> bool:
        """Wait until it has happened; False where that is not so at the `end`."""
        while not happened():
            if self._now() >= end:
                return False
            await self._sleep(POLL)
        return True

    async def _until_decided(self, claimed: Intervention) -> None:
        """Wait until the supervisor is in the call, or surely is not."""
        if self._newest.state in UNDECIDED:
            self._report.say(f"{claimed.supervisor}, answer your phone now.")
        await self._until(lambda: self._newest.state not in UNDECIDED, self._newest.deadline + GRACE)
        one = self._newest
        if one.following:
            self._report.add(*new_views(claimed.call, one.call, phone=one.phone, extension=one.extension))
        elif one.why is Why.CALL_OVER:
            self._report.add(shapes.of_end(self._pbx.last.answer))

    async def _until_left(self) -> None:
        """Wait until the supervisor has left, and then until the call is over."""
        self._report.say("You are in the call. Hang up your phone now.")
        ended = await self._until(lambda: self._newest.state is not State.CONNECTED, self._now() + HANG_UP)
        left = self._newest.why is Why.LEFT
        promised = "the view is gone, the call goes on"
        here = promised if left else "the call is over" if ended else "still there"
        self._report.add(Comparison("after hanging up", here, promised, left))
        if left:
            await self._until_over()
        elif self._newest.why is Why.CALL_OVER:
            self._report.add(shapes.of_end(self._pbx.last.answer))

    async def _until_over(self) -> None:
        self._report.say("Now end the test call.")
        one, end, unseen = self._newest, self._now() + END_CALL, 0
        while unseen < 2 and self._now() < end:
            await self._sleep(POLL)
            try:
                unseen = 0 if await self._pbx.get(one.user, one.extension, one.call_id) else unseen + 1
            except PbxError:
                continue
        if unseen:
            self._report.add(shapes.of_end(self._pbx.last.answer))
        else:
            self._report.say(f"The call is still there after {END_CALL.seconds} s, so its end is not compared.")

    def _what_is_left(self) -> str:
        """What goes on at the PBX after Ctrl-C: callbot hangs up nobody."""
        one = self._newest
        phone = f"{one.supervisor}'s phone, {one.phone},"
        if one.state is State.CONNECTED:
            return f"Stopped. {phone} may still be in the call, and hear it: hang it up."
        if one.state in UNDECIDED:
            return f"Stopped. {phone} may still ring, and the person who answers it hears the call: let it ring out, or hang it up."
        return "Stopped. Nothing rings any more."

    def _end(self, since: datetime) -> str:
        """How it ended, for the summary."""
        one = self._newest
        steps = [f"{STATE[step.state]} after {(step.at - since).total_seconds():.1f} s" for step in one.steps[1:]]
        return ", ".join(steps) or f"{STATE[one.state]}, {counted(len(one.call.views), 'view')} in the call"


class ProbeSettings(PbxSettings, OwnSettings):
    """What a probe needs; Slack has no part in it."""


async def try_on_terminal(options: ProbeOptions, out: TextIO, ask: Callable[[str], bool]) -> bool:
    """The probe, reported on the terminal. Raises as `Probe.run`, and ConfigErrors."""
    settings = read_part(ProbeSettings)
    path = Path(settings.callbot_config)
    permissions = check_files(read_files(path), str(path)).permissions
    screen, last, clock = console(out), LastAnswer(), Clock()
    ledger = await _open_ledger(settings.database_url, clock)
    try:
        async with pbx_session(settings.uapi_ca_file) as session:
            probe = Probe(
                api=unified_api(session, settings, last),
                last=last,
                ledger=ledger,
                permissions=permissions,
                report=Report(screen.print, lambda finding: screen.print(shown(finding)), clock.now),
                ask=ask,
                now=clock.now,
                sleep=asyncio.sleep,
                new_id=lambda: uuid.uuid4().hex,
            )
            return await probe.run(options)
    finally:
        await ledger.close()


async def _open_ledger(url: str, clock: Clock) -> ProbeLedger:
    """The ledger, which a running callbot may have open too: so it is created if need be, but never migrated."""
    try:
        audit_log = await AuditLog.open(url)
    except NoLedgerYet:
        return await ProbeLedger.open(url, now=clock.wall, stepped=clock.stepped)
    try:
        if not audit_log.up_to_date:
            raise LedgerUnavailable(
                f"revision {audit_log.revision}",
                "The ledger is of an older callbot. Start this version once with `callbot run`, then try again.",
            )
    finally:
        await audit_log.close()
    return await ProbeLedger.open(url, now=clock.wall, stepped=clock.stepped)
