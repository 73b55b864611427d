"""A request: one thing that one person typed or clicked."""

from datetime import datetime
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field


def new_id() -> str:
    """An id that nobody guesses and no two processes share."""
    return uuid4().hex


class Request(BaseModel):
    """One thing that one person typed or clicked."""

    model_config = ConfigDict(frozen=True)

    id: str
    trigger: str
    """Slack's trigger_id: the same in every repeat of one delivery, another in every click."""
    slack_user: str
    external: bool = False
    """The person is of another workspace (Slack Connect)."""
    channel: str
    """Where it counts as asked from: the channel of a command, the channel that the card of a button was asked in."""
    clicked: bool = Field(default=False, exclude=True)
    """A button, not a typed command; of no use in the audit log."""
    said: str
    """The command and its text, or the label of the button, for the audit log."""
    at: datetime
