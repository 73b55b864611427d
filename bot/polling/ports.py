"""What is asked of the PBX, and how it answers.

Implemented by `bot.uapi.client.UnifiedApi`; interventions get it inside `bot.polling.known_parties.WithEveryParty`.
"""

from enum import StrEnum
from typing import Protocol

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall
from bot.domain.errors import PbxUnreachable
from bot.domain.presence import Presence


class Accepted(StrEnum):
    """How the PBX accepted an action: 200 with the call, 202 with three fields, 204 with nothing."""

    CALL = "call"
    RINGING = "ringing"
    NOTHING = "nothing"


class PartlyRead(PbxUnreachable):
    """A list of live calls in which `skipped` entries have no id; `calls` are the others.

    A call that is not among them may be one of the skipped. Callers that do not handle this treat the list as unreadable.
    """

    def __init__(self, calls: tuple[PhoneCall, ...], skipped: int) -> None:
        super().__init__(f"{skipped} {'call has' if skipped == 1 else 'calls have'} no id")
        self.calls = calls
        self.skipped = skipped


class PhoneCalls(Protocol):
    """The PBX. Every method may raise PbxError."""

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        """The call as it is now, None if it is gone."""

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        """The live calls of an extension (or `@self`), each once. Raises PartlyRead if some have no id."""

    async def presence(self, user: str, extension: str) -> Presence | None:
        """What the PBX knows of one phone besides its calls; None if it does not know the phone."""

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        """Send the action, once. Raises PbxRefused if refused, AnswerLost if nobody knows whether it was done."""
