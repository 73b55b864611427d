"""The PBX as callbot asks it, how it answers, and the calls of some extensions as they are now, for one request.

`PhoneCalls` is implemented by `bot.uapi.client.UnifiedApi`; interventions get it inside
`bot.polling.known_parties.WithEveryParty`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall, Presence
from bot.domain.errors import ExtensionInvalid, PbxUnreachable, UserInvalid
from bot.domain.permissions import Permissions

EMPTY_AGAIN = 0.3
"""Seconds after which an empty list is read once more."""


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


async def live_on(
    call_id: str | None,
    extensions: tuple[str, ...],
    permissions: Permissions,
    phone_calls: PhoneCalls,
    sleep: Callable[[float], Awaitable[object]],
    *,
    is_wanted: Callable[[PhoneCall], bool],
) -> list[tuple[str, PhoneCall]]:
    """The calls of these extensions, or the one with that id, each with the extension whose list showed it. Raises PbxError.

    An extension that the PBX does not know has no calls, if others could be read. If no call `is_wanted`, the PBX is asked
    once more: a list may be empty for a moment. Other calls change nothing about that, so how long it takes tells nobody
    that they exist.
    """

    async def calls_on(extension: str) -> list[tuple[str, PhoneCall]]:
        user = permissions.owner(extension)
        if call_id is None:
            return [(extension, call) for call in await phone_calls.list(user, extension)]
        call = await phone_calls.get(user, extension, call_id)
        return [] if call is None else [(extension, call)]

    for last in (False, True):
        # All at once: however many phones a person has, the request waits no longer than for the slowest read.
        answers = await asyncio.gather(*map(calls_on, extensions), return_exceptions=True)
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        found = [one for answer in answers if not isinstance(answer, BaseException) for one in answer]
        serious = [failure for failure in failures if not isinstance(failure, ExtensionInvalid | UserInvalid)]
        if serious or (failures and not found):
            raise (serious or failures)[0]
        if last or any(is_wanted(call) for _, call in found):
            break
        await sleep(EMPTY_AGAIN)
    return found
