"""What a visitor of the page can do for the people of the demo. What cannot be done is refused with a reason."""

import secrets
from collections.abc import Mapping
from typing import Any

from bot.sandbox.changes import Changes
from bot.sandbox.console.guard import NotDone, refuse
from bot.sandbox.console.shown import SLASH_COMMANDS, FloorShown, WorkspaceShown, direct_message
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.scenario import CALLERS, CAST, CHANNELS
from bot.sandbox.workspace.conversations import Button, Channel, Conversations, Message
from bot.sandbox.workspace.deliveries import Delivery
from bot.sandbox.workspace.interactions import escaped
from bot.sandbox.workspace.workspace import Workspace

Json = dict[str, Any]
MOST_TYPED = 4000
"""Characters of one line."""
MOST_CALLER = 80
"""Characters of a caller's number, and of their name."""
MOST_CALLS = 40
"""The limit of live calls: enough for a visitor, and few enough for a page."""


class Acts:
    """The acts of one demo."""

    def __init__(
        self, floor: Floor, workspace: Workspace, floor_shown: FloorShown, workspace_shown: WorkspaceShown
    ) -> None:
        self._floor = floor
        self._workspace = workspace
        self._floor_shown = floor_shown
        self._workspace_shown = workspace_shown
        self._names = _names()

    async def type(self, *, user: str, channel: str, text: str) -> Json:
        """Type a line: a slash command goes to the app, anything else into the channel."""
        self._may_read(user, channel)
        line = text.strip()
        if not line or len(line) > MOST_TYPED or not _encodable(line):
            refuse("bad_text", f"A line has between 1 and {MOST_TYPED} characters.", status=400)
        if not line.startswith("/"):
            self._workspace.say(user, channel, escaped(line, self._names))
            return {"delivered": None}
        command = line.split(maxsplit=1)[0]
        if command not in {each.command for each in SLASH_COMMANDS}:
            refuse("unknown_command", f"{command} is not a command of this workspace. Nothing was sent.", status=400)
        return _delivered(await self._workspace.type(user, channel, line), f"{command} failed")

    async def click(
        self, *, user: str, channel: str, ts: str, block_id: str, action_id: str, confirmed: bool | None = None
    ) -> Json:
        """Click a button; one with a confirm dialog needs the answer, true or false."""
        self._may_read(user, channel)
        message = self._message(user, channel, ts)
        button, nth = self._button(message, block_id, action_id)
        if button.confirm is not None and confirmed is None:
            refuse("confirmation_needed", f"“{button.label}” asks first: answer with `confirmed`.", status=400)
        done = await self._workspace.click(user, message, button.label, confirm=confirmed is not False, nth=nth)
        return _delivered(done, f"“{button.label}” failed")

    async def phone(self, *, number: str, do: str, call: str, to: str | None = None) -> Json:
        """Use a desk phone by hand, as far as its line's `can` allows."""
        lines = self._floor_shown.lines(number)
        if not self._is_phone(number):
            refuse("no_such_phone", f"There is no phone {number}.", status=404)
        line = next((each for each in lines if each["call"] == call and do in each["can"]), None)
        if line is None:
            refuse("not_now", f"Phone {number} cannot do that with this call now.")
        self._do(number, do, call, to, of_its_own=line["kind"] == "intervention")
        return {}

    def _do(self, number: str, do: str, call: str, to: str | None, *, of_its_own: bool) -> None:
        floor = self._floor
        if do == "hop":
            if to is None:
                refuse("missing_field", "A call hops to another phone: name it with `to`.", status=400)
            if to == number or not self._is_phone(to):
                refuse("no_such_phone", f"There is no other phone {to}.", status=404)
            floor.hop(call, to)
        elif do == "lift" and of_its_own:
            floor.lift(number)
        elif do == "hang_up":
            if not floor.leave(call, number):
                floor.hang_up(call)
        else:
            by_hand = {"hold": floor.hold, "unhold": floor.unhold, "park": floor.park, "unpark": floor.unpark}
            (by_hand | {"lift": floor.answer})[do](call)

    async def ring(self, *, to: str, caller: str | None = None, caller_name: str | None = None) -> Json:
        """Let a call ring at a phone; without a caller, an invented person calls."""
        if not self._is_phone(to):
            refuse("no_such_phone", f"There is no phone {to}.", status=404)
        self._check_caller("caller", caller)
        self._check_caller("caller_name", caller_name)
        if len(self._floor.calls()) >= MOST_CALLS:
            refuse("too_many_calls", f"There are {MOST_CALLS} calls already.")
        number, name = (caller, caller_name) if caller else self._somebody()
        return {"call": self._floor.ring(caller=number, caller_name=name, to=to)}

    def _check_caller(self, field: str, given: str | None) -> None:
        """Refuse a caller that no list of the PBX could carry."""
        if given is None:
            return
        if not given.strip() or len(given) > MOST_CALLER or not given.isprintable():
            refuse("bad_field", f"{field} has between 1 and {MOST_CALLER} printable characters.", status=400)
        if field == "caller" and self._is_phone(given):
            refuse("bad_field", f"{given} is a phone of this floor; callers are outside.", status=400)

    def _is_phone(self, number: str) -> bool:
        return any(number == each.number for each in self._floor.extensions())

    def _somebody(self) -> tuple[str, str]:
        """An invented caller who is not in a call yet."""
        calling = {number for call in self._floor.calls() for view in call.views for number in view.source}
        return next((each for each in CALLERS if each[0] not in calling), secrets.choice(CALLERS))

    def _may_read(self, user: str, channel: str) -> None:
        if user not in CAST:
            refuse("no_such_person", f"Nobody here is {user}.", status=404)
        if channel not in CHANNELS and channel != direct_message(user):
            refuse("no_such_channel", f"{user} sees no channel {channel}.", status=404)

    def _message(self, user: str, channel: str, ts: str) -> Message:
        for each in self._workspace_shown.messages():
            if (each.channel, each.ts) == (channel, ts) and each.ephemeral_to in (None, user):
                return each
        raise NotDone("no_such_message", "This message is not there any more.", 409)

    def _button(self, message: Message, block_id: str, action_id: str) -> tuple[Button, int]:
        """The button, and how many of the same label stand before it."""
        before: list[str] = []
        for each in message.buttons():
            if (each.block_id, each.action_id) == (block_id, action_id):
                return each, before.count(each.label)
            before.append(each.label)
        raise NotDone("no_such_button", "This button is not there any more: the message has changed.", 409)


def _names() -> Conversations:
    """The people and channels that a line can mention."""
    names = Conversations("T0LOCAL", Changes())
    for user, handle in CAST.items():
        names.add_person(user, handle, None)
    for channel, name in CHANNELS.items():
        names.add_channel(Channel(channel, name))
    return names


def _encodable(text: str) -> bool:
    """Whether the text can be typed: JSON can carry lone surrogates, UTF-8 cannot."""
    return text.encode(errors="ignore").decode() == text


def _delivered(delivery: Delivery, failed: str) -> Json:
    """The result of a command or click; an error is in the words of Slack's client."""
    problem = None if delivery.acknowledged or not delivery.sent else f"{failed} with the error “{delivery.error}”."
    return {"delivered": {"sent": delivery.sent, "acknowledged": delivery.acknowledged, "problem": problem}}


def fields_of(asked: Mapping[str, object], needed: tuple[str, ...], allowed: tuple[str, ...] = ()) -> Json:
    """The fields of a request: all that are needed, those that are allowed, and no others. Raises NotDone."""
    unknown = sorted(set(asked) - {*needed, *allowed})
    if unknown:
        refuse("unknown_field", f"There is no field {unknown[0]}.", status=400)
    missing = [name for name in needed if name not in asked]
    if missing:
        refuse("missing_field", f"The field {missing[0]} is missing.", status=400)
    for name, value in asked.items():
        kind = bool if name == "confirmed" else str
        if not isinstance(value, kind):
            refuse("bad_field", f"{name} is not {'true or false' if kind is bool else 'text'}.", status=400)
    return dict(asked)
