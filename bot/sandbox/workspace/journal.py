"""What the workspace has seen of the bot: its requests, its mistakes, and the errors that people saw."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.changes import Changes
from bot.sandbox.workspace.message_rules import SlackRefusal

NO_MISTAKE = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "user_not_found", "ratelimited", "missing_scope"}
)
"""Answers that tell the bot about the workspace, and not that it has done something wrong."""


@dataclass(frozen=True)
class ApiCall:
    """One Web API request: `at` in seconds of `time.monotonic`; `status` None where the answer was lost."""

    method: str
    args: dict[str, Any]
    answer: dict[str, Any]
    status: int | None
    at: float


class Journal:
    """Everything noted, oldest first."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self.calls: list[ApiCall] = []
        self.refusals: list[str] = []
        self.visible_errors: list[str] = []

    def called(self, call: ApiCall) -> None:
        """A Web API request has been answered."""
        self.calls.append(call)
        self._changes.tell()

    def refused(self, what: str, refusal: SlackRefusal) -> None:
        """Something was refused; it is kept if it was a mistake of the bot."""
        if refusal.code not in NO_MISTAKE:
            self.refusals.append(f"{what}: {refusal}")
            self._changes.tell()

    def seen(self, error: str) -> None:
        """Somebody saw an error."""
        self.visible_errors.append(error)
        self._changes.tell()
