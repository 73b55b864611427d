"""What the PBX answers to a probe, compared with the documentation: said as it happens, and summed up at the end.

The summary holds no name, number or id, so that it can be copied into an issue.
"""

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version

from bot.app.output import Finding, counted, ok, remark
from bot.domain import commands
from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall, PhoneCallView, Presence
from bot.domain.errors import AnswerLost, PbxError
from bot.domain.intervention import Intervention, State
from bot.interventions.card import InterventionCard
from bot.polling.phone_calls import Accepted
from bot.slack.intervention_card import STATE
from bot.uapi import shapes
from bot.uapi.client import UnifiedApi
from bot.uapi.exchange import Answer, PbxRequest
from bot.uapi.shapes import Comparison, id_form


class Report:
    """Says each line at once, and remembers each comparison for the summary."""

    def __init__(
        self, say: Callable[[str], None], show: Callable[[Finding], None], now: Callable[[], datetime]
    ) -> None:
        self.say = say
        self._show = show
        self._now = now
        self._sent_at = now()
        self._compared: dict[str, Comparison] = {}

    def put_sent(self) -> None:
        """Steps are timed from this moment."""
        self._sent_at = self._now()

    def step(self, text: str) -> None:
        """Say what has just been seen, and how long after the PUT."""
        since = (self._now() - self._sent_at).total_seconds() * 1000
        self.say(f"  {since:6.0f} ms after the PUT: {text}")

    def add(self, *comparisons: Comparison) -> None:
        """Say what the PBX did, and what is documented where that differs. The last comparison of a topic counts."""
        for one in comparisons:
            self._compared[one.topic] = one
            same = ok(one.topic, one.here)
            self._show(same if one.same else remark(one.topic, f"{one.here}; documented: {one.promised}"))

    def differs(self) -> tuple[Comparison, ...]:
        """What is not as documented."""
        return tuple(one for one in self._compared.values() if not one.same)

    def sum_up(self, end: str) -> None:
        """Say all comparisons once more, in a form that can be copied into an issue."""
        same = [one.topic for one in self._compared.values() if one.same]
        self.say("")
        self.say("Summary, to be copied into an issue (it holds no name, number or id):")
        self.say(f"  callbot {version('callbot')}, Monitor: {end}")
        self.say(f"  As documented: {', '.join(same) or 'nothing'}")
        if not self.differs():
            self.say("  Differs: nothing")
        for one in self.differs():
            self.say(f"  Differs: {one.topic}: {one.here}; documented: {one.promised}")


class ProbeCard:
    """The card of a probe: each new state is a line on the terminal."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._said = ""
        self.states: list[Intervention] = []
        """What the intervention was, oldest first."""

    def show(self, card: InterventionCard) -> None:
        """Say the state where it is new, and what to do about a refusal."""
        one = card.interventions[-1]
        self.states.append(one)
        text = f"{STATE[one.state]}{f' ({one.code})' if one.code else ''}"
        if text != self._said:
            self._said = text
            self._report.step(text)
            if one.state is State.REFUSED:
                self._report.say(f"  {one.advice}")

    def interrupted(self, request: commands.Request) -> None:
        """Not asked of a probe: it takes up nothing."""

    def never_sent(self, card: str) -> None:
        """Not asked of a probe: nothing waits on its cards."""


class LastAnswer:
    """The last answer of the PBX, as it came."""

    def __init__(self) -> None:
        self.answer = Answer(0, b"")

    def __call__(self, request: PbxRequest, answer: Answer) -> None:
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


def new_views(before: PhoneCall, after: PhoneCall, *, phone: str, extension: str) -> tuple[Comparison, ...]:
    """Each view that came with the intervention, compared with the example of "Monitor PhoneCalls"."""
    added = [view for key, view in after.named_views.items() if key not in before.named_views]
    number = Comparison("new view", f"{len(added)} came", "1 came", len(added) == 1)
    return (number, *(fact for view in added for fact in _facts(view, phone, extension)))


def _facts(view: PhoneCallView, phone: str, extension: str) -> tuple[Comparison, ...]:
    whose = {phone: "the supervisor's phone", extension: "the agent's extension"}
    here = {
        "new view: source": " and ".join(whose.get(party, "another number") for party in view.source) or "none",
        "new view: extension": whose.get(view.extension, "another one" if view.extension else "none"),
        "new view: destination": " and ".join(whose.get(party, "another number") for party in view.destination)
        or "none",
        "new view: status": str(int(view.status)),
        "new view: id": id_form(view.id),
    }
    promised = ("the supervisor's phone", "the agent's extension", "the agent's extension", "5", "2 digits")
    return tuple(
        Comparison(topic, found, shown, found == shown)
        for (topic, found), shown in zip(here.items(), promised, strict=True)
    )


def glance(call: PhoneCall, phone: str) -> str:
    """What one poll shows, without names and numbers."""
    own = [str(int(view.status)) for view in call.views if phone in view.source]
    return counted(len(call.views), "view") + (
        f", from the supervisor's phone: status {' and '.join(own)}" if own else ""
    )
