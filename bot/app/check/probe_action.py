"""The deed of `callbot check --try`: the PUT, and what the PBX shows of it until the listener and the call are gone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.app.check.probe_report import Report, glance, new_views
from bot.app.findings import counted
from bot.domain.calls import PhoneCall
from bot.domain.errors import AnswerLost, PbxError
from bot.domain.intervention import (
    GRACE,
    UNDECIDED,
    UNREADABLE,
    Intervention,
    Poll,
    State,
    Why,
    answer_lost,
    answered,
    follow,
    refused,
)
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.uapi import shapes
from bot.uapi.client import UnifiedApi
from bot.uapi.exchange import Answer
from bot.uapi.shapes import Comparison
from bot.uapi.wire import Request

LOOK = 0.25
"""Seconds between two looks."""
HANG_UP = timedelta(seconds=60)
END_CALL = timedelta(seconds=30)
"""How long the listener, and whoever is in the test call, have to hang up."""


class Seen:
    """The last answer of the PBX as it came."""

    def __init__(self) -> None:
        self.last = Answer(0, b"")

    def forget(self) -> None:
        """What comes next is the answer to something else."""
        self.last = Answer(0, b"")

    def __call__(self, request: Request, answer: Answer) -> None:
        """Remember it."""
        self.last = answer


class ProbeAction:
    """One intervention whose row stands in the ledger already. Every wait has an end."""

    def __init__(
        self,
        intervention: Intervention,
        *,
        api: UnifiedApi,
        seen: Seen,
        ledger: Ledger,
        report: Report,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._is = intervention
        self._before = intervention.call
        self._api = api
        self._seen = seen
        self._ledger = ledger
        self._report = report
        self._now = now
        self._sleep = sleep
        self._sent_at = intervention.asked_at
        self._shown = ""
        self.connected = False
        """Whether the listener was seen in the call."""

    async def do(self) -> None:
        """Send it, and tell what happens. Afterwards nothing is followed, so that nothing is claimed any more."""
        try:
            await self._send()
            await self._until_decided()
            if self._is.state is State.CONNECTED:
                self.connected = True
                await self._until_left()
        except asyncio.CancelledError:
            self._report.say(self._what_is_left())
            raise
        finally:
            await self._save(self._is.model_copy(update={"following": False}))
            self._report.sum_up(self._end())

    def _what_is_left(self) -> str:
        """What goes on at the PBX although nobody looks any more: callbot cuts nothing."""
        phone = f"{self._is.supervisor}'s phone, {self._is.phone},"
        if self._is.state is State.CONNECTED:
            return f"Stopped. {phone} may still be in the call, and hear it: hang it up."
        if self._is.state in UNDECIDED:
            return f"Stopped. {phone} may still ring, and whoever answers it hears the call: let it ring out, or hang it up."
        return "Stopped. Nothing rings any more."

    async def _send(self) -> None:
        self._report.say("The PUT:")
        self._sent_at = self._now()
        one = self._is
        self._seen.forget()
        try:
            accepted = await self._api.act(one.user, one.extension, one.call_id, one.action)
        except AnswerLost as lost:
            self._report.add(Comparison("PUT", f"no answer ({lost.why})", "HTTP 202", same=False))
            await self._become(answer_lost(one))
        except PbxError as error:
            self._report.add(*shapes.of_action(self._seen.last))
            await self._become(refused(one, error, self._now()))
        else:
            self._report.add(*shapes.of_action(self._seen.last))
            await self._become(answered(one, accepted.value, self._now()))

    async def _until_decided(self) -> None:
        """Look at the call until the listener is in it, or surely is not."""
        if self._is.state in UNDECIDED:
            self._report.say(f"{self._is.supervisor}, answer your phone now.")
        while self._is.state in UNDECIDED and self._now() < self._is.deadline + GRACE:
            await self._look()
        call = self._is.call
        if self._is.following:
            self._report.add(*new_views(self._before, call, phone=self._is.phone, extension=self._is.extension))
        elif self._is.why is Why.CALL_OVER:
            self._report.add(shapes.of_end(self._seen.last))

    async def _until_left(self) -> None:
        """Look until the listener is gone, and then until the call is."""
        self._report.say("You are in the call. Hang up your phone now.")
        end = self._now() + HANG_UP
        while self._is.state is State.CONNECTED and self._now() < end:
            await self._look()
        how = "still there" if self._is.state is State.CONNECTED else "the call is over"
        left = self._is.why is Why.LEFT
        topic, promised = "after hanging up", "the view is gone, the call goes on"
        self._report.add(Comparison(topic, promised if left else how, promised, left))
        if left:
            await self._until_over()
        elif self._is.why is Why.CALL_OVER:
            self._report.add(shapes.of_end(self._seen.last))

    async def _until_over(self) -> None:
        self._report.say("Now end the test call.")
        one, end, unseen = self._is, self._now() + END_CALL, 0
        while unseen < 2 and self._now() < end:
            await self._sleep(LOOK)
            try:
                unseen = 0 if await self._api.get(one.user, one.extension, one.call_id) else unseen + 1
            except PbxError:
                continue
        if unseen:
            self._report.add(shapes.of_end(self._seen.last))
        else:
            self._report.say(f"The call is still there after {END_CALL.seconds} s, so its end is not compared.")

    async def _look(self) -> None:
        await self._sleep(LOOK)
        one = self._is
        try:
            call = await self._api.get(one.user, one.extension, one.call_id)
            look = Poll(call=call)
        except PbxError:
            call, look = None, UNREADABLE
        self._glance(call, look)
        after = follow(one, look, self._now())
        if after.state is not one.state or after.why is not one.why:
            await self._become(after)
        self._is = after

    def _glance(self, call: PhoneCall | None, look: Poll) -> None:
        """Say what this look shows, where it is not the same as before."""
        text = (
            "the call cannot be read"
            if not look.readable
            else "no call"
            if call is None
            else glance(call, self._is.phone)
        )
        if text != self._shown:
            self._shown = text
            self._report.say(f"  {self._since():6.0f} ms after the PUT: {text}")

    async def _become(self, after: Intervention) -> None:
        self._is = after
        await self._save(after)
        self._report.say(
            f"  {self._since():6.0f} ms after the PUT: {after.state}{f' ({after.code})' if after.code else ''}"
        )
        if after.state is State.REFUSED:
            self._report.say(f"  {after.advice}")

    async def _save(self, after: Intervention) -> None:
        """Write it down. What is under way cannot be called back, so it is told to its end where that fails."""
        try:
            await self._ledger.save(after)
        except LedgerUnavailable as error:
            self._report.say(
                f"  The ledger cannot be written ({error.why}), so the audit will not show what comes now."
            )

    def _since(self) -> float:
        return (self._now() - self._sent_at).total_seconds() * 1000

    def _end(self) -> str:
        """What came of it, for the summary."""
        steps = [f"{step.state} after {(step.at - self._sent_at).total_seconds():.1f} s" for step in self._is.steps[1:]]
        return ", ".join(steps) or f"{self._is.state}, {counted(len(self._is.call.views), 'view')} in the call"
