"""The state as a page receives it: all of it first, then each change once."""

import time
from collections.abc import Mapping
from typing import Any

from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.console.shown import FloorShown, WorkspaceShown, message_shown
from bot.sandbox.console.story import Plays
from bot.sandbox.workspace.workspace import Workspace

VERSION = 1
Json = dict[str, Any]


class State:
    """Everything that is shown, as it is now."""

    def __init__(
        self, *, workspace: Workspace, shown: WorkspaceShown, floor: FloorShown, plays: Plays, bot: BotProcess
    ) -> None:
        self._workspace = workspace
        self._shown = shown
        self._floor = floor
        self._plays = plays
        self._bot = bot

    def whole(self) -> Json:
        """The whole state; `now` is the current time of its clock, in milliseconds since 1970."""
        return {"version": VERSION, "type": "state", "now": _now(), "messages": self._messages()} | self.parts()

    def parts(self) -> Json:
        """The parts that are sent whole whenever they change."""
        return {
            "places": self._shown.places(),
            "floor": self._floor.now(),
            "story": self._plays.now(),
            "bot": {
                "state": self._bot.state,
                "connected": self._workspace.sockets > 0,
                "exit_code": self._bot.exit_code,
                "starts": self._bot.starts,
            },
        }

    def versions(self) -> dict[tuple[str, str], int]:
        """Every message by channel and ts, with its version."""
        return {(each.channel, each.ts): len(each.versions) for each in self._shown.messages()}

    def _messages(self, known: Mapping[tuple[str, str], int] | None = None) -> list[Json]:
        known = known or {}
        return [
            message_shown(each)
            for each in self._shown.messages()
            if known.get((each.channel, each.ts)) != len(each.versions)
        ]

    def since(self, known: Mapping[tuple[str, str], int], parts: Json) -> Json:
        """The differences from `known`: whole parts, changed messages, and the keys of those that are gone."""
        messages, there, now = self._messages(known), self.versions(), self.parts()
        gone = [list(name) for name in known if name not in there]
        changed: Json = {name: part for name, part in now.items() if parts.get(name) != part}
        return changed | ({"messages": messages} if messages else {}) | ({"gone": gone} if gone else {})


class Told:
    """What one page has received."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._versions: dict[tuple[str, str], int] = {}
        self._parts: Json = {}

    def everything(self) -> Json:
        """The whole state."""
        self._remember()
        return self._state.whole()

    def news(self) -> Json | None:
        """What has changed since; None: nothing."""
        changed = self._state.since(self._versions, self._parts)
        self._remember()
        return {"version": VERSION, "type": "change", "now": _now()} | changed if changed else None

    def _remember(self) -> None:
        self._versions, self._parts = self._state.versions(), self._state.parts()


def _now() -> int:
    return round(time.time() * 1000)
