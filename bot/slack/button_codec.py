"""The value of a button in Slack: the command that a click gives and the channel that it counts as coming from, as JSON. Pure.

    {"v": 1, "o": "C0FLOOR", "i": {"action": "Monitor", …}}

`v` is the version of this form, `o` the channel. The third key names the kind of command. Messages in Slack keep their
buttons for ever, so what an older release has written must stay readable.
"""

import json

from bot.domain.commands import AnswerAlert, AnswerWaiting, AskForHelp, Command, Intervene, ListCalls, Offer
from bot.domain.errors import BadCommand

BUTTON_VALUE_LIMIT = 2000
"""Characters in a button's value (Block Kit reference, button element)."""

# Messages in Slack have these keys in their buttons: none may change.
_COMMANDS: dict[str, type[Intervene | AnswerWaiting | ListCalls | AnswerAlert | AskForHelp]] = {
    "i": Intervene,
    "s": AnswerWaiting,
    "l": ListCalls,
    "a": AnswerAlert,
    "h": AskForHelp,
}
_KEYS: dict[type[Command], str] = {command: key for key, command in _COMMANDS.items()}


def pack(offer: Offer[Command]) -> str:
    """The value of a button, at most BUTTON_VALUE_LIMIT characters. Raises ValueError if it does not fit."""
    key = _KEYS[type(offer.command)]
    command = offer.command.model_dump(mode="json", exclude_defaults=key != "l")
    value = json.dumps({"v": 1, "o": offer.channel, key: command}, separators=(",", ":"))
    if len(value) > BUTTON_VALUE_LIMIT:
        raise ValueError(f"a button value of {len(value)} characters")
    return value


def unpack(value: str) -> Offer[Command]:
    """Read a button's value. Raises BadCommand for one that this version does not know."""
    try:
        document = json.loads(value)
        (key,) = document.keys() & _COMMANDS.keys()
        offer = Offer(_COMMANDS[key].model_validate(document[key]), document["o"])
        known = document["v"] == 1 and _names_a_call(offer.command)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        known = False
    if not known:
        raise BadCommand("This button is too old, or from another version of callbot.", "/calls")
    return offer


def _names_a_call(command: Command) -> bool:
    """Whether a command that is about a call says which one, and on whose extension."""
    match command:
        case Intervene():
            return command.target.kind == "extension" and command.call is not None
        case AskForHelp():
            return command.call is not None and command.extension is not None
    return True
