"""The intervention of a probe: claimed, sent and tracked by the intervention service, until the supervisor and the call are gone.

Two things stay here. A probe waits for people at each step, so it has time limits of its own; and it reads the call once
more after the supervisor has left, because the form in which UnifiedAPI says that a call is over is part of the report.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from bot.app.check.probe_pbx import ComparedPbx
from bot.app.check.probe_report import Report, new_views
from bot.app.output import counted
from bot.domain.commands import Intervene
from bot.domain.errors import PbxError
from bot.domain.intervention import GRACE, UNDECIDED, Intervention, State, Why
from bot.domain.permissions import Permissions, Permit
from bot.domain.request import Request
from bot.interventions.checks import phone_seen
from bot.interventions.claiming import AskersPhone, Claims, Reading
from bot.interventions.planner import CallAndView
from bot.interventions.ports import Card
from bot.interventions.service import send
from bot.interventions.tracker import InterventionTracker
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.polling.poller import Poller
from bot.slack.intervention_card import STATE
from bot.uapi import shapes
from bot.uapi.shapes import Comparison

POLL = 0.25
"""Seconds between two polls of the call."""
HANG_UP = timedelta(seconds=60)
"""How long the supervisor has to hang up."""
END_CALL = timedelta(seconds=30)
"""How long the people in the test call have to end it afterwards."""


class ProbeLedger(Ledger):
    """The ledger of a probe: what a running callbot tracks in the same call stays on the cards of that callbot."""

    async def of_call(self, slack_user: str, call_id: str) -> tuple[Intervention, ...]:
        """Nothing: a probe has a card of its own."""
        return ()


class ProbeCard:
    """The card of a probe: each new state is a line on the terminal."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._said = ""
        self.states: list[Intervention] = []
        """What the intervention was, oldest first."""

    def show(self, card: Card) -> None:
        """Say the state where it is new, and what to do about a refusal."""
        one = card.interventions[-1]
        self.states.append(one)
        text = f"{STATE[one.state]}{f' ({one.code})' if one.code else ''}"
        if text != self._said:
            self._said = text
            self._report.step(text)
            if one.state is State.REFUSED:
                self._report.say(f"  {one.advice}")

    def interrupted(self, request: Request) -> None:
        """Not asked of a probe: it takes up nothing."""

    def never_sent(self, card: str) -> None:
        """Not asked of a probe: nothing waits on its cards."""


class NotMeasured:
    """The metrics of a probe: it has none."""

    def put(self, result: str) -> None:
        """One PUT."""

    def connected(self, seconds: float, *, by_alert: bool) -> None:
        """Proof that the supervisor is in the call."""


class ProbeAction:
    """One Monitor by `person`. `claim` it first; `run` sends it and ends when nothing is left to see."""

    def __init__(
        self,
        *,
        pbx: ComparedPbx,
        ledger: ProbeLedger,
        permissions: Permissions,
        report: Report,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
    ) -> None:
        self._pbx = pbx
        self._ledger = ledger
        self._report = report
        self._now = now
        self._sleep = sleep
        self._card = ProbeCard(report)
        self._measures = NotMeasured()
        poller = Poller(
            asked=pbx,
            own=pbx,
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
            permissions=lambda: permissions,
            silent_in=frozenset,
            now=now,
            sleep=asyncio.sleep,
            measures=self._measures,
            phone_seen=partial(phone_seen, pbx, permissions),
        )
        self._claims = Claims(
            phone_calls=pbx,
            ledger=ledger,
            tracker=self._tracker,
            permissions=lambda: permissions,
            silent_in=frozenset,
            now=now,
            sleep=asyncio.sleep,
        )

    async def claim(self, request: Request, command: Intervene, target: CallAndView, permit: Permit) -> Intervention:
        """Write the intervention down, on the call as it was read just now. Raises Refusal, PbxError, LedgerUnavailable."""
        reading = Reading(target, permit, asyncio.get_running_loop().time())
        return await self._claims.claim(request, command, reading, AskersPhone())

    async def run(self, claimed: Intervention) -> bool:
        """Send it and say what happens. Whether the supervisor was seen in the call. Afterwards it holds no claim."""
        self._card.states.append(claimed)
        connected = False
        try:
            await self._tracker.update(await send(claimed, self._pbx, self._measures, self._now))
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
        await self._claims.stop()
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
