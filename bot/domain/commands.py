"""What a person can ask callbot for, and the request to do it.

`bot.slack.command_parser` reads commands from what is typed; buttons carry them.
"""

import re
from datetime import datetime
from typing import Annotated, Generic, Literal, Self, TypeAlias, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

from bot.domain.actions import ActionName
from bot.domain.calls import CallerId, Extension, ObjectId, PhoneCall

LONGEST_ABOUT = 200
"""Characters of what an agent asks for help with."""
LONGEST_SEARCH = 100
"""Characters of all words that `/calls` looks for: they stand in the buttons of every page of the list."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


AlertId: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""One of our own random ids."""


class Target(_Frozen):
    """Whose call: an extension, a short extension of the asker's organisation, or a Slack user whose extension callbot.toml gives."""

    kind: Literal["extension", "short", "person"]
    text: str


class Intervene(_Frozen):
    """Do one action on one call of the target. What is None was not given."""

    action: ActionName
    target: Target
    call: ObjectId | None = None
    view: ObjectId | None = None
    wait: Annotated[int, Field(ge=1, le=300)] | None = None
    """`waitForPickup` in seconds."""
    caller_id: CallerId | None = None
    format: Literal["wav", "wav49"] | None = None
    private: bool = False
    published: datetime | None = None
    """When the call that a button was made for entered the system: an id may be used again for another call."""
    ring_anyway: bool = False
    """The person was told that their phone is not registered, and wants it rung all the same."""
    alert: AlertId | None = None
    """The alert from whose card it was asked."""

    def on_call(self, extension: str, call: PhoneCall, view_id: str | None = None) -> Self:
        """A copy, for one call of one extension. `view_id`: only where the person chooses between views."""
        target = Target(kind="extension", text=extension)
        return self.model_copy(update={"target": target, "call": call.id, "published": call.published, "view": view_id})


class AnswerAlert(_Frozen):
    """Say of an alert that one is on it, or that it may be quiet for a while."""

    alert: AlertId
    answer: Literal["take", "snooze"]


class AskForHelp(_Frozen):
    """Ask the team for help with one's own call. A button names the call, and when that entered the system."""

    about: Annotated[str, Field(max_length=LONGEST_ABOUT)] = ""
    extension: Extension | None = None
    call: ObjectId | None = None
    published: datetime | None = None


class AnswerWaiting(_Frozen):
    """Answer a card that waits for the supervisor's phone: ring now anyway, or cancel."""

    card: str
    now: bool
    """Ring now anyway; else cancel. The buttons of posted cards have this name as their key."""


class ListCalls(_Frozen):
    """Show the live calls, all or those that match every word."""

    words: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=LONGEST_SEARCH)], ...], Field(max_length=50)
    ] = ()
    page: Annotated[int, Field(ge=1, le=1000)] = 1


class Help(_Frozen):
    """Show every command with an example."""


Command: TypeAlias = Intervene | AnswerWaiting | AnswerAlert | AskForHelp | ListCalls | Help
C_co = TypeVar("C_co", bound=Command, covariant=True)


@dataclass(frozen=True)
class Offer(Generic[C_co]):
    """What a button carries: the command that a click gives, and the channel that it counts as coming from."""

    command: C_co
    channel: str


def new_id() -> str:
    """An id that nobody guesses and no two processes share."""
    return uuid4().hex


class Request(BaseModel):
    """One thing that one person typed or clicked."""

    model_config = ConfigDict(frozen=True)

    id: str
    trigger: str
    """Slack's trigger_id: the same in every repeat of one delivery, another in every click."""
    slack_user: str
    external: bool = False
    """The person is of another workspace (Slack Connect)."""
    channel: str
    """Where it counts as asked from: the channel of a command, the channel that the card of a button was asked in."""
    clicked: bool = Field(default=False, exclude=True)
    """A button, not a typed command; of no use in the audit log."""
    said: str
    """The command and its text, or the label of the button, for the audit log."""
    at: datetime


def mentioned(word: str) -> str | None:
    """The Slack user whom a word mentions, None where it is no mention."""
    mention = re.fullmatch(r"<@([A-Z0-9]+)>", word)
    return None if mention is None else mention[1]
