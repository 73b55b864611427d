"""The workspace as JSON: channels, people, and every message that somebody can see.

The page gets private answers too, because it can show the view of each person. Nobody sees the app's metadata, so it is
not here.
"""

from typing import Any

from bot.sandbox.console.slash_commands import SLASH_COMMANDS
from bot.sandbox.scenario import CHANNELS, PEOPLE
from bot.sandbox.workspace.messages_shown import Message
from bot.sandbox.workspace.workspace import Workspace

Json = dict[str, Any]


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
