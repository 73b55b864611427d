"""A record of the bot: its requests, its invalid requests, and the errors that people saw."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.changes import Changes
from bot.sandbox.workspace.message_rules import SlackRefusal

NO_MISTAKE = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "user_not_found", "ratelimited", "missing_scope"}
)
"""Error codes about the state of the workspace: the request itself was valid."""


@dataclass(frozen=True)
class ApiCall:
    """One Web API request: `at` in seconds of `time.monotonic`; `status` None where the answer was lost."""

    method: str
    args: dict[str, Any]
    answer: dict[str, Any]
    status: int | None
    at: float


class Journal:
    """All records, oldest first."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self.calls: list[ApiCall] = []
        self.refusals: list[str] = []
        self.visible_errors: list[str] = []

    def called(self, call: ApiCall) -> None:
        """Record the answer to a Web API request."""
        self.calls.append(call)
        self._changes.tell()

    def refused(self, what: str, refusal: SlackRefusal) -> None:
        """Record a refusal, if the request was invalid."""
        if refusal.code not in NO_MISTAKE:
            self.refusals.append(f"{what}: {refusal}")
            self._changes.tell()

    def seen(self, error: str) -> None:
        """Record an error that a person saw."""
        self.visible_errors.append(error)
        self._changes.tell()
