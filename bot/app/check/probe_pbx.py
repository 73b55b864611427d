"""The PBX as the intervention service asks it, for a probe: each answer is compared with the documentation."""

from bot.app.check.probe_report import Report, glance
from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall
from bot.domain.errors import AnswerLost, PbxError
from bot.domain.presence import Presence
from bot.polling.ports import Accepted
from bot.uapi import shapes
from bot.uapi.client import UnifiedApi
from bot.uapi.exchange import Answer
from bot.uapi.shapes import Comparison
from bot.uapi.wire import Request


class LastAnswer:
    """The last answer of the PBX, as it came."""

    def __init__(self) -> None:
        self.answer = Answer(0, b"")

    def __call__(self, request: Request, answer: Answer) -> None:
        """Remember it."""
        self.answer = answer

    def forget(self) -> None:
        """Begin a new question: without an answer to it, nothing is compared."""
        self.answer = Answer(0, b"")


class ComparedPbx:
    """UnifiedAPI with a report of its answers. `phone` is the phone that rings. Every method may raise PbxError."""

    def __init__(self, api: UnifiedApi, last: LastAnswer, report: Report, phone: str) -> None:
        self._api = api
        self.last = last
        self._report = report
        self._phone = phone
        self._sent = False
        self._shown = ""

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        """The call as it is now, None where it is gone. After the PUT, say what it shows whenever that changes."""
        shown = "the call cannot be read"
        try:
            call = await self._api.get(user, extension, call_id)
            shown = "no call" if call is None else glance(call, self._phone)
            return call
        finally:
            if self._sent and shown != self._shown:
                self._shown = shown
                self._report.step(shown)

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        """The live calls of an extension, each once."""
        calls = await self._api.list(user, extension)
        self._report.say(f"The calls of {extension}:")
        self._report.add(*shapes.of_list(self.last.answer))
        return calls

    async def presence(self, user: str, extension: str) -> Presence | None:
        """What the PBX knows of one phone beside calls."""
        self.last.forget()
        try:
            return await self._api.presence(user, extension)
        finally:
            self._report.add(*shapes.of_presence(self.last.answer))

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        """Send the action, once."""
        self._report.say("The PUT:")
        self._report.put_sent()
        self._sent = True
        self.last.forget()
        try:
            accepted = await self._api.act(user, extension, call_id, action)
        except AnswerLost as lost:
            self._report.add(Comparison("PUT", f"no answer ({lost.why})", "HTTP 202", same=False))
            raise
        except PbxError:
            self._report.add(*shapes.of_action(self.last.answer))
            raise
        self._report.add(*shapes.of_action(self.last.answer))
        return accepted
