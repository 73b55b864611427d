"""What a button carries: the same Command as a typed line, packed into its value and read back. No I/O here."""

import json
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from bot.domain.calls import PhoneCall
from bot.domain.commands import AnswerAlert, AnswerModeChange, AskForHelp, Command, Intervene, ListCalls, Target
from bot.domain.errors import BadCommand

T = TypeVar("T", bound=BaseModel)
BUTTON_VALUE_LIMIT = 2000
"""Characters in a button's value (Block Kit reference, button element)."""


class _Carried(BaseModel):
    """What every button carries besides: the channel that a click counts as coming from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str


class Button(_Carried):
    """What a button carries: an intervention, and the channel its card was asked in, which a click counts as from."""

    intervene: Intervene

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.intervene


class ModeChangeButton(_Carried):
    """What *Ring now anyway* and *Cancel* carry."""

    answer: AnswerModeChange

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.answer


class AlertButton(_Carried):
    """What *I'm on it* and *Snooze* carry."""

    answer: AnswerAlert

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.answer


class HelpButton(_Carried):
    """What *Ask for help* carries."""

    hand: AskForHelp

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.hand


class PageButton(_Carried):
    """What *Next* and *Previous* carry: which page of which list, and the channel it was asked in."""

    page: ListCalls

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.page


AnyButton: TypeAlias = Button | ModeChangeButton | AlertButton | HelpButton | PageButton

INTERVENE, ANSWER, PAGE, ALERT, HAND = "i", "s", "l", "a", "h"
"""Under which key of a value its command stands; `o` is the channel, `v` the version of the form."""


def pack(button: Button) -> str:
    """The value of a button, at most BUTTON_VALUE_LIMIT characters. Raises ValueError if it does not fit."""
    return _packed(INTERVENE, button.intervene.model_dump(mode="json", exclude_defaults=True), button.channel)


def pack_page(button: PageButton) -> str:
    """The value of *Next* or *Previous*. Raises ValueError if it does not fit: `parse` lets no search be so long."""
    return _packed(PAGE, button.page.model_dump(mode="json"), button.channel)


def pack_mode_change(button: ModeChangeButton) -> str:
    """The value of *Ring now anyway* or *Cancel*."""
    return _packed(ANSWER, button.answer.model_dump(), button.channel)


def pack_alert(button: AlertButton) -> str:
    """The value of *I'm on it* or *Snooze*."""
    return _packed(ALERT, button.answer.model_dump(), button.channel)


def pack_help(button: HelpButton) -> str:
    """The value of *Ask for help*."""
    return _packed(HAND, button.hand.model_dump(mode="json", exclude_defaults=True), button.channel)


def unpack(value: str) -> Button:
    """Read a button's value. Raises BadCommand for one that this version does not know."""
    button = _unpacked(value, INTERVENE, "intervene", Button)
    if button.intervene.target.kind != "extension" or button.intervene.call is None:
        raise _too_old()
    return button


def unpack_page(value: str) -> PageButton:
    """Read the value of *Next* or *Previous*. Raises BadCommand for one that this version does not know."""
    return _unpacked(value, PAGE, "page", PageButton)


def unpack_mode_change(value: str) -> ModeChangeButton:
    """Read the value of *Ring now anyway* or *Cancel*. Raises BadCommand for one that this version does not know."""
    return _unpacked(value, ANSWER, "answer", ModeChangeButton)


def unpack_alert(value: str) -> AlertButton:
    """Read the value of *I'm on it* or *Snooze*. Raises BadCommand for one that this version does not know."""
    return _unpacked(value, ALERT, "answer", AlertButton)


def unpack_help(value: str) -> HelpButton:
    """Read the value of *Ask for help*. Raises BadCommand for one that this version does not know."""
    button = _unpacked(value, HAND, "hand", HelpButton)
    if button.hand.call is None or button.hand.extension is None:
        raise _too_old()
    return button


def _packed(key: str, command: dict[str, Any], channel: str) -> str:
    value = json.dumps({"v": 1, "o": channel, key: command}, separators=(",", ":"))
    if len(value) > BUTTON_VALUE_LIMIT:
        raise ValueError(f"a button value of {len(value)} characters")
    return value


def _unpacked(value: str, key: str, field: str, kind: type[T]) -> T:
    try:
        document = json.loads(value)
        if document["v"] != 1:
            raise _too_old()
        return kind.model_validate({field: document[key], "channel": document["o"]})
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _too_old() from None


def _too_old() -> BadCommand:
    return BadCommand("This button is too old, or from another version of callbot.", "/calls")


def button(intervene: Intervene, extension: str, call: PhoneCall, channel: str, view_id: str | None = None) -> Button:
    """The same request for this one call of one extension. `view_id` only where the person has to choose between views."""
    meant = {
        "target": Target(kind="extension", text=extension),
        "call": call.id,
        "published": call.published,
        "view": view_id,
    }
    return Button(intervene=intervene.model_copy(update=meant), channel=channel)
