"""PhoneCallAction: what UnifiedAPI can be asked to do to a PhoneCall, one frozen model for each action. No I/O.

A model forbids every field that is not its page's; names are snake_case here and camelCase on the wire.

There are six actions. "The five pages" are Monitor, Whisper, BargeIn, PickUp and StartRecording PhoneCalls. StopRecording is
as the documentation of VoipNow 3 and 4 has it ("StopRecording PhoneCalls", wiki.4psa.com/display/VNUAPI30), whose error
table is not known.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from bot.domain.calls import CallerId, Extension, ObjectId, PhoneCallView, Status


class ActionName(StrEnum):
    """The action names that go over the wire, and that roles of callbot.toml use."""

    MONITOR = "Monitor"
    WHISPER = "Whisper"
    BARGE_IN = "BargeIn"
    PICK_UP = "PickUp"
    START_RECORDING = "StartRecording"
    STOP_RECORDING = "StopRecording"


SILENT = frozenset({ActionName.MONITOR, ActionName.WHISPER})
"""Actions that the agent may not know of: their cards are not for every eye."""
JOINING = frozenset({ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN})
"""Actions that add a leg of the supervisor to the call."""
LABEL = {
    ActionName.MONITOR: "Monitor",
    ActionName.WHISPER: "Whisper",
    ActionName.BARGE_IN: "Barge in",
    ActionName.PICK_UP: "Pick up",
    ActionName.START_RECORDING: "Record",
    ActionName.STOP_RECORDING: "Stop recording",
}
"""The names that people read."""
RECORDING = frozenset({ActionName.START_RECORDING, ActionName.STOP_RECORDING})
RINGS_PHONE = frozenset({*JOINING, ActionName.PICK_UP})
"""Actions that ring the phone of the person who asks."""


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    phone_call_view_id: ObjectId

    def wire(self) -> dict[str, Any]:
        """The JSON body: the fields of this action's page and no others, the optional ones only where given."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class _Ringing(_Sent):
    """What Monitor, Whisper, BargeIn and PickUp have in common: they ring `send_call_to`."""

    send_call_to: Extension
    caller_id: CallerId | None = None
    wait_for_pickup: Annotated[int, Field(ge=1, le=300), PlainSerializer(str)] | None = None
    """Seconds. The pages type it Number, and every sample of theirs sends a string."""


class Monitor(_Ringing):
    """Listen; nobody hears the supervisor ("Monitor PhoneCalls")."""

    action: Literal[ActionName.MONITOR] = ActionName.MONITOR


class Whisper(_Ringing):
    """Speak to the agent alone ("Whisper PhoneCalls")."""

    action: Literal[ActionName.WHISPER] = ActionName.WHISPER
    private: Literal[0, 1] | None = None
    """1: the extension that whispers does not hear the conversation."""


class BargeIn(_Ringing):
    """Join the conversation; everyone hears the supervisor ("BargeIn PhoneCalls")."""

    action: Literal[ActionName.BARGE_IN] = ActionName.BARGE_IN


class PickUp(_Ringing):
    """Take a ringing call ("PickUp PhoneCalls")."""

    action: Literal[ActionName.PICK_UP] = ActionName.PICK_UP


class StartRecording(_Sent):
    """Start recording ("StartRecording PhoneCalls"); the phone terminal needs "Record triggered: When *1 is pressed"."""

    action: Literal[ActionName.START_RECORDING] = ActionName.START_RECORDING
    format: Literal["wav", "wav49"] | None = None


class StopRecording(_Sent):
    """Stop recording ("StopRecording PhoneCalls" of VoipNow 3 and 4)."""

    action: Literal[ActionName.STOP_RECORDING] = ActionName.STOP_RECORDING


PhoneCallAction: TypeAlias = Annotated[
    Monitor | Whisper | BargeIn | PickUp | StartRecording | StopRecording, Field(discriminator="action")
]


def suits(action: ActionName, view: PhoneCallView) -> bool:
    """Whether the action fits a view in this state: a ringing call suits PickUp, a conversation the others."""
    if action is ActionName.PICK_UP:
        return view.status is Status.RINGING
    return view.on_call


def fitting_actions(view: PhoneCallView) -> tuple[ActionName, ...]:
    """Every action that makes sense on a view as it is, in the order of their buttons."""
    possible = [name for name in ActionName if suits(name, view)]
    unneeded = ActionName.STOP_RECORDING if view.recording is None else ActionName.START_RECORDING
    return tuple(name for name in possible if name is not unneeded)
