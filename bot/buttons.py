"""What a button carries: the same Command as a typed line, packed into its value and read back. No I/O here."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.commands import AnswerSwitch, Intervene, ListCalls
from bot.errors import BadCommand

BUTTON_VALUE_LIMIT = 2000
"""Characters in a button's value (Block Kit reference, button element)."""


class Button(BaseModel):
    """What a button carries: an intervention, and the channel its card was asked in, which a click counts as from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intervene: Intervene
    channel: str


class SwitchButton(BaseModel):
    """What *Ring now anyway* and *Cancel* carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: AnswerSwitch
    channel: str


class PageButton(BaseModel):
    """What *Next* and *Previous* carry: which page of which list, and the channel it was asked in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: ListCalls
    channel: str


def pack(button: Button) -> str:
    """The value of a button, at most BUTTON_VALUE_LIMIT characters. Raises ValueError if it does not fit."""
    document = {"v": 1, "o": button.channel, "i": button.intervene.model_dump(mode="json", exclude_defaults=True)}
    return _fitting(document)


def pack_page(button: PageButton) -> str:
    """The value of *Next* or *Previous*. Raises ValueError if it does not fit: `parse` lets no search be so long."""
    return _fitting({"v": 1, "o": button.channel, "l": button.page.model_dump(mode="json")})


def _fitting(document: dict[str, Any]) -> str:
    value = json.dumps(document, separators=(",", ":"))
    if len(value) > BUTTON_VALUE_LIMIT:
        raise ValueError(f"a button value of {len(value)} characters")
    return value


def pack_switch(button: SwitchButton) -> str:
    """The value of *Ring now anyway* or *Cancel*."""
    document = {"v": 1, "o": button.channel, "s": button.answer.model_dump()}
    return json.dumps(document, separators=(",", ":"))


def unpack_switch(value: str) -> SwitchButton:
    """Read the value of such a button. Raises BadCommand for one that this version does not know."""
    try:
        document = json.loads(value)
        button = SwitchButton.model_validate({"answer": document["s"], "channel": document["o"]})
        known = document["v"] == 1
    except (ValueError, TypeError, KeyError, RecursionError):
        known = False
    if not known:
        raise BadCommand("This button is too old, or from another version of callbot.", "/calls")
    return button


def unpack_page(value: str) -> PageButton:
    """Read the value of *Next* or *Previous*. Raises BadCommand for one that this version does not know."""
    try:
        document = json.loads(value)
        button = PageButton.model_validate({"page": document["l"], "channel": document["o"]})
        known = document["v"] == 1
    except (ValueError, TypeError, KeyError, RecursionError):
        known = False
    if not known:
        raise BadCommand("This button is too old, or from another version of callbot.", "/calls")
    return button


def unpack(value: str) -> Button:
    """Read a button's value. Raises BadCommand for one that this version does not know."""
    try:
        document = json.loads(value)
        button = Button.model_validate({"intervene": document["i"], "channel": document["o"]})
        known = document["v"] == 1 and button.intervene.target.kind == "extension" and button.intervene.call is not None
    except (ValueError, TypeError, KeyError, RecursionError):
        known = False
    if not known:
        raise BadCommand("This button is too old, or from another version of callbot.", "/calls")
    return button
