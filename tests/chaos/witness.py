"""Records what happens at the PBX and in the workspace, in the moment it happens."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Status, View
from bot.sandbox.pbx.requests import Request
from bot.sandbox.workspace.conversations import Message, seen
from bot.sandbox.workspace.journal import ApiCall
from bot.sandbox.workspace.workspace import Workspace
from tests.chaos.cast import PROTECTED, RULES
from tests.chaos.ledger import Memory
from tests.chaos.records import CallSeen, Evidence, Put, Shown, Span, ViewSeen

TICK = 0.02
"""Seconds between two looks at the clock."""
SAME = 0.05
"""Seconds by which one instant may differ when it is read twice: two clocks are compared each time."""


class Witness:
    """Fills the evidence while the run goes on; `look_back` completes it in the end."""

    def __init__(self, floor: Floor, workspace: Workspace, memory: Memory) -> None:
        self.evidence = Evidence()
        self.on_post: Callable[[], None] = lambda: None
        self._floor = floor
        self._workspace = workspace
        self._memory = memory
        self._puts: list[tuple[Put, Request]] = []
        self._calls_read = 0
        self._refusals_read = 0
        self._to_leave = [floor.on_change(self._floor_changed), workspace.on_change(self._workspace_changed)]

    # ── while it happens ──

    async def note_stalls(self) -> None:
        """Note when this machine stands still: what is late by that much is not the bot's doing."""
        while True:
            due = time.monotonic() + TICK
            await asyncio.sleep(TICK)
            late = time.monotonic() - due
            if late > TICK:
                self.evidence.stalls.append((due, late))

    def request(self, request: Request) -> None:
        """A request has reached the PBX. A token is noted as a secret, a PUT with the rows that stand before it."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token:
            self.evidence.secrets.setdefault(token, "a token of the PBX")
        if request.method != "PUT" or len(request.segments) != 5 or not isinstance(request.json, dict):
            return
        _, _, _, extension, call_id = request.segments
        rows = self._memory.claimed(call_id, extension, str(request.json.get("action")))
        call = self._floor.call(call_id)
        put = Put(request.at, extension, call_id, request.json, rows, None if call is None else call_seen(call))
        self._puts.append((put, request))
        self.evidence.puts.append(put)

    def _floor_changed(self) -> None:
        """Which phones ring for and are in which calls, what rules hold on them, and which have a protected party."""
        self.evidence.protected |= {call.id for call in self._floor.calls() if parties_of(call) & PROTECTED}
        now, calls = time.monotonic(), self._floor.calls()
        there = {(view.phone, call.id) for call in calls for view in call.views if _came(view)}
        _keep(self.evidence.legs, dict.fromkeys(there, now), now)
        ringing = {(one.phone, one.call_id) for one in self._floor.interventions()}
        _keep(self.evidence.rings, dict.fromkeys(ringing, now), now)
        held = {(rule.name, call.id): rule.since(call) for call in map(call_seen, calls) for rule in RULES}
        since = {key: at for key, at in held.items() if at is not None}
        for key, spans in self.evidence.holds.items():
            if spans[-1].until is None and abs(since.get(key, now) - spans[-1].since) > SAME:
                spans[-1].until = now
        _keep(self.evidence.holds, since, now)

    def _workspace_changed(self) -> None:
        """New mistakes of the bot, and new posts."""
        now = time.monotonic()
        for call in self._workspace.calls[self._calls_read :]:
            self._said(call)
            if call.method == "chat.postMessage":
                self.on_post()
        self._calls_read = len(self._workspace.calls)
        self.evidence.refusals += [(now, text) for text in self._workspace.refusals[self._refusals_read :]]
        self._refusals_read = len(self._workspace.refusals)

    def _said(self, call: ApiCall) -> None:
        """What the bot asked of Slack about one message, for the reader of a violation."""
        place = str(call.args.get("channel")), str(call.args.get("ts") or call.answer.get("ts"))
        word = str(call.args.get("text", "")).partition(" ")[0]
        said = self.evidence.slack.setdefault((str(call.answer.get("channel") or place[0]), place[1]), [])
        said.append(f"{call.at:.3f} {call.method} {word} -> {call.status} {call.answer.get('error', '')}".rstrip())

    # ── in the end ──

    def look_back(self) -> Evidence:
        """Everything as it is now, with all that was written down before."""
        evidence = self.evidence
        evidence.now = time.monotonic()
        for put, request in self._puts:
            put.status = request.status
        self._memory.tell(evidence)
        evidence.calls = {call.id: call_seen(call) for call in self._floor.calls()}
        evidence.ringing = frozenset((one.phone, one.call_id) for one in self._floor.interventions())
        evidence.visible_errors = list(self._workspace.visible_errors)
        people = {asked.user for asked in evidence.asked}
        evidence.private = {user: [shown(each) for each in self._workspace.private(user)] for user in people}
        evidence.shown = [shown(each) for each in self._workspace.messages() if self._is_the_bots(each)]
        return evidence

    def leave(self) -> None:
        """Watch no more."""
        while self._to_leave:
            self._to_leave.pop()()

    def _is_the_bots(self, message: Message) -> bool:
        return message.user == self._workspace.bot_user_id


def _keep(kept: dict[tuple[str, str], list[Span]], there: dict[tuple[str, str], float], now: float) -> None:
    """What is no longer so ends now; what is so, and was not before, begins."""
    for key, spans in kept.items():
        if key not in there and spans[-1].until is None:
            spans[-1].until = now
    for key, since in there.items():
        spans = kept.setdefault(key, [])
        if not spans or spans[-1].until is not None:
            spans.append(Span(since))


def shown(message: Message) -> Shown:
    """A message as plain values; a version's text is all that it said."""
    versions = tuple(
        (version.at, "\n".join([version.text, *(seen(text) for text in _texts(message, version.blocks))]))
        for version in message.versions
    )
    return Shown(
        message.channel,
        message.ts,
        message.text,
        tuple(message.lines()),
        versions,
        card=card_of(message),
        buttons=tuple(button.label for button in message.buttons()),
    )


def card_of(message: Message) -> str:
    """The card that a message is, empty for another one: its place is no name, for a card may be posted anew."""
    return str(message.metadata.get("event_payload", {}).get("card", ""))


def _texts(message: Message, blocks: list[dict[str, object]]) -> list[dict[str, object]]:
    """Every text of the blocks but the labels of buttons."""
    said = [block for block in blocks if block["type"] != "actions"]
    then = Message(message.channel, message.ts, "", said, message.user)
    return [dict(text) for text in then.texts()] if said else []


def call_seen(call: Call) -> CallSeen:
    """A call of the floor as plain values."""
    views = tuple(_view_seen(view) for view in call.views)
    return CallSeen(call.id, parties_of(call), views, clock()(call.published))


def _view_seen(view: View) -> ViewSeen:
    instant = clock()
    return ViewSeen(
        view.id,
        view.extension,
        tuple(view.source),
        view.phone,
        view.leg,
        view.recording is not None,
        ringing=view.status is Status.RINGING,
        answered=None if view.answered is None else instant(view.answered),
        on_hold=None if view.on_hold is None else instant(view.on_hold),
    )


def parties_of(call: Call) -> frozenset[str]:
    """Every number in a call."""
    numbers = {number for view in call.views for number in (view.extension, *view.source, *view.destination)}
    numbers |= {view.caller_id.partition("<")[2].rstrip(">") for view in call.views}
    return frozenset({call.extension, *numbers})


def _came(view: View) -> bool:
    """Whether a phone came to this view through an intervention: a leg, or a call that was picked up."""
    return view.source == [view.phone] and (view.leg or view.phone != view.extension)


def clock() -> Callable[[datetime], float]:
    """What turns a date of this machine into seconds of `time.monotonic`."""
    offset = time.time() - time.monotonic()
    return lambda moment: moment.timestamp() - offset
