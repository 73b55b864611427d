"""`callbot check --try`: one Monitor on a test call of the administrator's own, each step compared with the documentation.

It is sent like every intervention: permissions, the call as it is, a row in the ledger, the PUT, the state table. What
stays here is what the service does with Slack. A question on the terminal comes before the claim; several calls are
listed instead of offered as buttons; and a busy phone, or one that is not registered, ends the probe instead of
waiting on a card.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TextIO

from bot.app.check.pbx import unified_api
from bot.app.check.probe_action import ProbeAction, ProbeLedger
from bot.app.check.probe_options import TERMINAL, WAIT, ProbeOptions, at_the_terminal, supervisor
from bot.app.check.probe_pbx import ComparedPbx, LastAnswer
from bot.app.check.probe_report import Report
from bot.app.live_config import check_files, read_files
from bot.app.output import console, shown, some
from bot.app.settings import OwnSettings, PbxSettings, read_part
from bot.domain.clock import Clock
from bot.domain.commands import Intervene
from bot.domain.errors import NotSuitable, PbxError, Refusal
from bot.domain.permissions import Permissions, Permit, Person
from bot.domain.presence import PhoneSeen
from bot.domain.request import Request
from bot.interventions.checks import phone_seen, refuse_if_inside
from bot.interventions.claiming import rule_of
from bot.interventions.planner import CallAndView, permits_for, suitable_views
from bot.interventions.ports import Outcome
from bot.interventions.service import read_live_calls
from bot.ledger.audit_log import AuditLog
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet
from bot.uapi import shapes
from bot.uapi.client import UnifiedApi, pbx_session

PRESENCE_TIMEOUT = 10.0
"""Seconds for the presence of the phone; longer than in an intervention, because its form is part of the report."""


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
                new_id=self._new_id,
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
        if await phone_seen(pbx, self._permissions, person.phone, PRESENCE_TIMEOUT) is PhoneSeen.NOT_REGISTERED:
            raise NotSuitable(
                f"The PBX knows no device that is registered for {person.phone}. Switch it on, and try again."
            )

    async def _target(self, pbx: ComparedPbx, permit: Permit, command: Intervene) -> CallAndView:
        """The one call, and the agent's view of it, as the PBX shows them now. Raises Refusal, PbxError."""
        extension, permissions = permit.extension, self._permissions
        found = await read_live_calls(command, (extension,), permissions, pbx, self._sleep)
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
            f"The phone of {person.name}, {person.phone}, rings for {WAIT} s. Who answers it hears that call, unheard."
        )
        self._report.say(
            "Use a test call of your own: everybody in it must know. The channels of roles do not count here."
        )


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
