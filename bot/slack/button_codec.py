"""The value of a button in Slack: which request it makes and for which channel, as JSON. Pure.

    {"v": 1, "o": "C0FLOOR", "i": {"action": "Monitor", …}}

`v` is the version of this form, `o` the channel that a click counts as coming from. The third key names the kind of
button. Messages in Slack keep their buttons for ever, so what an older release has written must stay readable.
"""

import json
from typing import NamedTuple

from bot.domain.buttons import AlertButton, AnyButton, Button, HelpButton, ModeChangeButton, PageButton
from bot.domain.errors import BadCommand

BUTTON_VALUE_LIMIT = 2000
"""Characters in a button's value (Block Kit reference, button element)."""


class _Kind(NamedTuple):
    """How one kind of button is written: the field with its command, and whether defaults are left out to save room."""

    model: type[AnyButton]
    field: str
    short: bool = False


_KINDS = {
    "i": _Kind(Button, "intervene", short=True),
    "s": _Kind(ModeChangeButton, "answer"),
    "l": _Kind(PageButton, "page"),
    "a": _Kind(AlertButton, "answer"),
    "h": _Kind(HelpButton, "hand", short=True),
}
_KEYS = {kind.model: key for key, kind in _KINDS.items()}


def pack(button: AnyButton) -> str:
    """The value of a button, at most BUTTON_VALUE_LIMIT characters. Raises ValueError if it does not fit."""
    key = _KEYS[type(button)]
    command = button.command.model_dump(mode="json", exclude_defaults=_KINDS[key].short)
    value = json.dumps({"v": 1, "o": button.channel, key: command}, separators=(",", ":"))
    if len(value) > BUTTON_VALUE_LIMIT:
        raise ValueError(f"a button value of {len(value)} characters")
    return value


def unpack(value: str) -> AnyButton:
    """Read a button's value. Raises BadCommand for one that this version does not know."""
    try:
        document = json.loads(value)
        (key,) = document.keys() & _KINDS.keys()
        kind = _KINDS[key]
        button = kind.model.model_validate({kind.field: document[key], "channel": document["o"]})
        known = document["v"] == 1 and _names_a_call(button)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        known = False
    if not known:
        raise BadCommand("This button is too old, or from another version of callbot.", "/calls")
    return button


def _names_a_call(button: AnyButton) -> bool:
    """Whether a button that acts on a call says which one, and on whose extension."""
    if isinstance(button, Button):
        return button.intervene.target.kind == "extension" and button.intervene.call is not None
    if isinstance(button, HelpButton):
        return button.hand.call is not None and button.hand.extension is not None
    return True
