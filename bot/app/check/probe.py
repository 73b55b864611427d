"""`callbot check --try`: one Monitor on a test call of the administrator's own, each step beside what is documented.

What is sent goes the way of every intervention: the rules, the call as it is, a row in the ledger, the PUT, the state
table. Only the channels of roles do not count, since nobody asks from one.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TextIO

from bot.app.check.pbx import unified_api
from bot.app.check.probe_action import ProbeAction, Seen
from bot.app.check.probe_options import TERMINAL, WAIT, ProbeOptions, from_anywhere, who_listens
from bot.app.check.probe_report import Report
from bot.app.findings import some
from bot.app.live_config import check_files, read_files
from bot.app.output import console, shown
from bot.app.settings import OwnSettings, PbxSettings, read_part
from bot.domain.clock import Clock
from bot.domain.commands import Intervene
from bot.domain.errors import AlreadyAsked, NotSuitable, PbxError, Refusal
from bot.domain.intervention import Intervention, begin
from bot.domain.permissions import Permissions, Person
from bot.domain.request import Request
from bot.interventions.checks import asked_already, refuse_if_inside
from bot.interventions.planner import Suitable, permits_for, plan, suitable
from bot.interventions.ports import Outcome
from bot.ledger.audit_log import AuditLog
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet
from bot.ledger.ledger import Ledger
from bot.uapi import shapes
from bot.uapi.client import UnifiedApi, pbx_session


class NotConfirmed(Refusal):
    """The question was not answered with yes."""

    rule = "not confirmed"


class Probe:
    """One trial, from the rules to the end of the call. `ask` puts a question and says whether the answer was yes."""

    def __init__(
        self,
        *,
        api: UnifiedApi,
        seen: Seen,
        ledger: Ledger,
        rules: Permissions,
        report: Report,
        ask: Callable[[str], bool],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
    ) -> None:
        self._api = api
        self._seen = seen
        self._ledger = ledger
        self._rules = from_anywhere(rules)
        self._report = report
        self._ask = ask
        self._now = now
        self._sleep = sleep
        self._new_id = new_id

    async def run(self, wish: ProbeOptions) -> bool:
        """Whether the listener was seen in the call. Raises WrongUsage, Refusal, PbxError, LedgerUnavailable."""
        intervene = wish.intervene()
        asker = wish.whose or TERMINAL
        try:
            person = who_listens(wish, self._rules)
            asker = person.slack_user
            target = await self._agreed(person, intervene)
        except (Refusal, PbxError) as error:
            await self._refused(self._request(asker, wish), wish.extension, error)
            raise
        request = self._request(person.slack_user, wish)
        self._report.say("The call, read by its id:")
        self._report.add(*shapes.of_call(self._seen.last))
        deed = await self._claimed(request, person, intervene, target)
        await deed.do()
        return deed.connected

    async def _refused(self, request: Request, extension: str, error: Refusal | PbxError) -> None:
        """Write down that nothing was sent, and why."""
        rule = error.rule if isinstance(error, Refusal) else f"pbx {error.code or type(error).__name__}"
        await self._ledger.begin(request)
        await self._ledger.conclude(request.id, Outcome.REFUSED, rule=rule, allowed=False, extension=extension)

    async def _agreed(self, person: Person, intervene: Intervene) -> Suitable:
        """What it goes to, found and agreed to. Raises Refusal, PbxError."""
        await self._check_phone_rings(person)
        target = await self._target(person, intervene)
        self._say_what_comes(person, target)
        if not self._ask("Go on?"):
            raise NotConfirmed("Nothing was sent.")
        # Meanwhile the call may have changed, so it is read anew, and everything is checked again.
        again = await self._target(person, intervene.model_copy(update={"call": target.call.id}))
        if again.call.is_another_than(target.call):
            raise NotSuitable("The call has ended meanwhile, and another one has its id. Nothing was sent.")
        return again

    async def _check_phone_rings(self, person: Person) -> None:
        """What the PBX says of the phone that shall ring. Raises NotSuitable where it cannot."""
        self._report.say(f"The phone of {person.name}, {person.phone}:")
        self._seen.forget()
        try:
            phone = await self._api.presence(self._rules.owner(person.phone), person.phone)
        except PbxError:
            phone = None  # presence is a courtesy: what came instead is compared like everything else
        self._report.add(*shapes.of_presence(self._seen.last))
        if phone is not None and phone.unreachable:
            raise NotSuitable(
                f"The PBX knows no device that is registered for {person.phone}. Switch it on, and try again."
            )

    async def _target(self, person: Person, intervene: Intervene) -> Suitable:
        """The one call and the one side of it, as the PBX shows them now. Raises Refusal, PbxError."""
        extension = intervene.target.text
        user = self._rules.owner(extension)
        if intervene.call is None:
            calls = await self._api.list(user, extension)
            self._report.say(f"The calls of {extension}:")
            self._report.add(*shapes.of_list(self._seen.last))
        else:
            call = await self._api.get(user, extension, intervene.call)
            calls = () if call is None else (call,)
        fitting = suitable(intervene, [(extension, call) for call in calls], self._rules, {})
        if len(fitting) == 1:
            refuse_if_inside(intervene.action, fitting[0].call, person.phone)
            return fitting[0]
        began = {one.call.id: one.call.published for one in fitting}
        if len(began) > 1:
            ids = some(f"--call {key}" + (f" (since {at:%H:%M:%S} UTC)" if at else "") for key, at in began.items())
            raise NotSuitable(f"{extension} is on several calls. Say which is your test call: {ids}")
        raise NotSuitable(f"The call has several sides of {extension}. Make a plain test call, and try again.")

    def _say_what_comes(self, person: Person, target: Suitable) -> None:
        agent = self._rules.name_of(target.extension)
        self._report.say(
            f"This sends one Monitor to the PBX, for call {target.call.id} of {agent}, {target.extension}."
        )
        self._report.say(
            f"The phone of {person.name}, {person.phone}, rings for {WAIT} s. Who answers hears that call, unheard."
        )
        self._report.say(
            "It has to be a test call of your own: whoever is in it must know. Channels of roles do not count here."
        )

    def _request(self, asker: str, wish: ProbeOptions) -> Request:
        request_id = self._new_id()
        return Request(
            id=request_id,
            trigger=f"{TERMINAL} {request_id}",
            slack_user=asker,
            channel=TERMINAL,
            said=f"check --try {wish.extension}",
            at=self._now(),
        )

    async def _claimed(self, request: Request, person: Person, intervene: Intervene, target: Suitable) -> ProbeAction:
        """The row in the ledger that stands before the deed. Raises AlreadyAsked."""
        permit = permits_for(person, intervene, TERMINAL, self._rules)[target.extension]
        intervention = begin(
            Intervention(
                id=self._new_id(),
                card=self._new_id(),
                place=person.slack_user,
                slack_user=person.slack_user,
                supervisor=person.name,
                phone=person.phone,
                user=self._rules.owner(target.extension),
                extension=target.extension,
                agent=self._rules.name_of(target.extension),
                call_id=target.call.id,
                action=plan(intervene, target.view, permit),
                channel=TERMINAL,
                asked_at=self._now(),
                call=target.call,
            )
        )
        await self._ledger.begin(request)
        try:
            await self._ledger.claim(request.id, intervention, rule=f"{permit.rule}, at the terminal")
        except AlreadyAsked as taken:
            await self._ledger.conclude(request.id, Outcome.REFUSED, rule=taken.rule, allowed=False)
            raise asked_already(intervention, taken.who, self._rules) from taken
        return ProbeAction(
            intervention,
            api=self._api,
            seen=self._seen,
            ledger=self._ledger,
            report=self._report,
            now=self._now,
            sleep=self._sleep,
        )


class ProbeSettings(PbxSettings, OwnSettings):
    """What a trial needs; Slack has no part in it."""


async def try_on_terminal(wish: ProbeOptions, out: TextIO, ask: Callable[[str], bool]) -> bool:
    """The trial, told on the terminal. Raises as `Trial.run`, and ConfigMistakes."""
    settings = read_part(ProbeSettings)
    path = Path(settings.callbot_config)
    rules = check_files(read_files(path), str(path)).authorization
    screen, seen, clock = console(out), Seen(), Clock()
    ledger = await _open_ledger(settings.database_url, clock)
    try:
        async with pbx_session(settings.uapi_ca_file) as session:
            trial = Probe(
                api=unified_api(session, settings, seen),
                seen=seen,
                ledger=ledger,
                rules=rules,
                report=Report(screen.print, lambda finding: screen.print(shown(finding))),
                ask=ask,
                now=clock.now,
                sleep=asyncio.sleep,
                new_id=lambda: uuid.uuid4().hex,
            )
            return await trial.run(wish)
    finally:
        await ledger.close()


async def _open_ledger(url: str, clock: Clock) -> Ledger:
    """The ledger to write in, beside a callbot that may be running: nothing is migrated under its feet."""
    try:
        audit_log = await AuditLog.open(url)
    except NoLedgerYet:
        return await Ledger.open(url, now=clock.wall, stepped=clock.stepped)
    try:
        if not audit_log.up_to_date:
            raise LedgerUnavailable(
                f"revision {audit_log.revision}",
                "The ledger is of an older callbot. Start this version once with `callbot run`, then try again.",
            )
    finally:
        await audit_log.close()
    return await Ledger.open(url, now=clock.wall, stepped=clock.stepped)
