"""The floor and the workspace as JSON: every desk phone with its lines, and every message that somebody can see.

A phone has a line for each call that it rings for, makes or is in; each line says what can be done by hand (`can`). Instants
are milliseconds since 1970, as browsers count. The page gets private answers too, because it can show the view of each
person. Nobody sees the app's metadata, so it is not here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Extension, Intervention, Status, View
from bot.sandbox.scenario import CHANNELS, PEOPLE
from bot.sandbox.workspace.conversations import Message
from bot.sandbox.workspace.workspace import Workspace


@dataclass(frozen=True)
class Ring:
    """A ringing phone: for which action, since when and until when (seconds since 1970)."""

    intervention: Intervention
    since: float
    until: float


class RingTimes:
    """Since when phones ring for an intervention, and by which action a supervisor is in a call.

    The floor knows neither: a real phone shows only that it rings, a real PBX only that there is a leg. `clock` gives
    seconds since 1970.
    """

    def __init__(self, floor: Floor, clock: Callable[[], float]) -> None:
        self._floor = floor
        self._clock = clock
        self._rings: dict[str, Ring] = {}
        self._asked: dict[str, Intervention] = {}
        self._end = floor.on_change(self._update)

    def close(self) -> None:
        """Stop watching."""
        self._end()

    def ring(self, phone: str) -> Ring | None:
        """For which action the phone rings, since when and until when; None: it does not ring."""
        return self._rings.get(phone)

    def action(self, phone: str, call_id: str) -> str | None:
        """The action by which that phone is in that call; None where there is none."""
        asked = self._asked.get(phone)
        return asked.action if asked is not None and asked.call_id == call_id else None

    def _update(self) -> None:
        ringing: dict[str, Ring] = {}
        for each in self._floor.interventions():
            now = self._clock()
            ringing[each.phone] = self._rings.get(each.phone) or Ring(each, now, now + each.wait)
            self._asked[each.phone] = each
        self._rings = ringing


Json = dict[str, Any]


class FloorShown:
    """Shows one floor."""

    def __init__(self, floor: Floor, rings: RingTimes) -> None:
        self._floor = floor
        self._rings = rings

    def now(self) -> Json:
        """Every phone, in the order of the floor."""
        return {"phones": [self.phone(each) for each in self._floor.extensions()]}

    def phone(self, extension: Extension) -> Json:
        """One phone; its state is that of its most urgent line."""
        lines = self.lines(extension.number)
        states = [line["state"] for line in lines]
        state = next(
            (each for each in ("ringing", "on_call", "on_hold", "parked", "calling") if each in states), "idle"
        )
        return {"number": extension.number, "name": extension.name, "state": state, "lines": lines}

    def lines(self, number: str) -> list[Json]:
        """The lines of one phone: a ringing intervention first, then its calls, oldest first."""
        ring = self._rings.ring(number)
        own = [self._line(call, view) for call in self._floor.calls() for view in call.views if view.phone == number]
        return [*([self._rung(ring)] if ring else []), *own]

    def _rung(self, ring: Ring) -> Json:
        """A phone that an intervention rings: for which action, and until when."""
        asked = ring.intervention
        call = self._floor.call(asked.call_id)
        view = call.view(asked.view_id) if call else None
        return {
            "call": asked.call_id,
            "kind": "intervention",
            "state": "ringing",
            "action": asked.action,
            "with": [self._name(view.extension)] if view else [],
            "since": _ms(ring.since),
            "until": _ms(ring.until),
            "recording_since": None,
            "slot": None,
            "can": ["lift"],
        }

    def _line(self, call: Call, view: View) -> Json:
        """One view of a call, as its phone shows it."""
        state = _state(view)
        supervisor = view.leg or view.phone != view.extension
        return {
            "call": call.id,
            "kind": "leg" if view.leg else "party",
            "state": state,
            "action": self._rings.action(view.phone, call.id) if supervisor else None,
            "with": [self._name(view.extension)] if view.leg else self._other_party(view),
            "since": _ms_of(_since(view, state) or call.published),
            "until": None,
            "recording_since": _ms_of(view.recording),
            "slot": view.parked_pos,
            "can": ["hang_up"] if view.leg else CAN[state],
        }

    def _other_party(self, view: View) -> list[str]:
        """The other party: a name and a number where both are known."""
        if view.phone == view.source[0] == view.extension:
            return [self._name(number) for number in view.destination]
        name, _, number = view.caller_id.removesuffix(">").rpartition(" <")
        return [name, number] if name else [view.caller_id]

    def _name(self, number: str) -> str:
        return next((each.name for each in self._floor.extensions() if each.number == number), number)


CAN = {
    "ringing": ["lift", "hop", "hang_up"],
    "calling": ["hang_up"],
    "on_call": ["hold", "park", "hang_up"],
    "on_hold": ["unhold", "hang_up"],
    "parked": ["unpark", "hang_up"],
}
"""What a party can do by hand in each state."""


def _state(view: View) -> str:
    if view.parked:
        return "parked"
    if view.status is Status.ON_CALL:
        return "on_hold" if view.on_hold else "on_call"
    return "ringing" if view.status is Status.RINGING else "calling"


def _since(view: View, state: str) -> datetime | None:
    if state == "parked":
        return view.parked
    if state == "on_hold":
        return view.on_hold
    return view.answered if state == "on_call" else view.ringing


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _ms_of(moment: datetime | None) -> int | None:
    return None if moment is None else _ms(moment.timestamp())


class SlashCommand(NamedTuple):
    """One of the app's commands, as Slack's composer lists it. A test compares them with manifest.yml."""

    command: str
    description: str
    usage_hint: str


SLASH_COMMANDS = (
    SlashCommand("/monitor", "Listen silently to an agent's live call", "0003*210 or @agent [call=ID] [wait=SECONDS]"),
    SlashCommand(
        "/whisper",
        "Speak to the agent; the caller does not hear you",
        "0003*210 or @agent [private] [call=ID] [wait=SECONDS]",
    ),
    SlashCommand("/barge", "Join the conversation; everyone hears you", "0003*210 or @agent [call=ID] [wait=SECONDS]"),
    SlashCommand("/pickup", "Take a call that is ringing", "0003*210 or @agent [call=ID] [wait=SECONDS]"),
    SlashCommand("/record", "Start or stop recording a call", "0003*210 or @agent [stop] [format=wav|wav49]"),
    SlashCommand(
        "/calls",
        "The live calls with buttons, and help",
        "[a name or number] or help-me [what about] or help, or monitor 0003*210 …",
    ),
)


class WorkspaceShown:
    """Shows one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._cleared = ""

    def clear(self) -> None:
        """Hide all messages that have been posted so far."""
        self._cleared = max([self._cleared, *(each.ts for each in self._everything())])

    def places(self) -> Json:
        """Channels, people, the app and its commands: what does not change while the demo runs."""
        return {
            "channels": [{"id": channel, "name": name} for channel, name in CHANNELS.items()],
            "people": [
                {
                    "id": player.user,
                    "handle": player.handle,
                    "name": player.name,
                    "part": player.part,
                    "extension": player.extension,
                    "dm": direct_message(player.user),
                }
                for player in PEOPLE
            ],
            "app": {"user": self._workspace.bot_user_id, "name": "callbot"},
            "commands": [each._asdict() for each in SLASH_COMMANDS],
        }

    def messages(self) -> list[Message]:
        """The current messages, oldest first."""
        return sorted((each for each in self._everything() if each.ts > self._cleared), key=lambda each: each.ts)

    def _everything(self) -> list[Message]:
        private = [each for player in PEOPLE for each in self._workspace.private(player.user)]
        return [*self._workspace.messages(), *private]


def direct_message(user: str) -> str:
    """The id of a person's direct message with the app."""
    return "D" + user[1:]


def message_shown(message: Message) -> Json:
    """One message as JSON; `version` counts its versions, from 1."""
    return {
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "only_for": message.ephemeral_to,
        "thread_ts": message.thread_ts,
        "version": len(message.versions),
        "text": message.text,
        "blocks": message.blocks,
    }
