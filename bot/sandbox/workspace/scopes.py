"""Which scopes an app has, and which each method needs (the "Required scopes" of the pages of the methods)."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.workspace.message_rules import SlackRefusal

GRANTED = frozenset({"commands", "chat:write", "im:history", "im:write", "channels:history", "groups:history"})
"""What a workspace grants unless it is made otherwise."""
NEEDED = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.open": "im:write",
}
HISTORY = {"C": "channels:history", "G": "groups:history", "D": "im:history"}
"""The scope for a history, by how the id of the channel begins: public, private, direct message."""


class MissingScope(SlackRefusal):
    """The app lacks a scope: the answer names it, and those that it has."""

    def __init__(self, needed: str, provided: frozenset[str]) -> None:
        super().__init__("missing_scope")
        self.needed = needed
        self.provided = provided

    def answer(self) -> dict[str, Any]:
        """The body of the answer."""
        return super().answer() | {"needed": self.needed, "provided": ",".join(sorted(self.provided))}


def check_scope(method: str, args: Mapping[str, Any], provided: frozenset[str]) -> None:
    """Raises `MissingScope` where the app may not use the method on this channel."""
    needed = NEEDED.get(method)
    if method == "conversations.history":
        needed = HISTORY.get(str(args.get("channel"))[:1])
    if needed is not None and needed not in provided:
        raise MissingScope(needed, provided)
