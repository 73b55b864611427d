"""Reads the calls of some extensions as they are now, for one request."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.domain.calls import PhoneCall
from bot.domain.errors import ExtensionInvalid, UserInvalid
from bot.domain.permissions import Permissions
from bot.polling.ports import PhoneCalls

EMPTY_AGAIN = 0.3
"""Seconds after which an empty list is read once more."""


async def live_on(
    call_id: str | None,
    extensions: tuple[str, ...],
    rules: Permissions,
    phone_calls: PhoneCalls,
    sleep: Callable[[float], Awaitable[object]],
    *,
    counts: Callable[[PhoneCall], bool],
) -> list[tuple[str, PhoneCall]]:
    """The calls of these extensions, or the one with that id, each with the extension whose list showed it. Raises PbxError.

    If there is none that `counts`, the PBX is asked once more: a list may be empty for a moment. Calls that do not count
    change nothing about that, so how long it takes tells nobody that they exist.
    """
    found = await _calls_of(call_id, extensions, rules, phone_calls)
    if not any(counts(call) for _, call in found):
        await sleep(EMPTY_AGAIN)
        found = await _calls_of(call_id, extensions, rules, phone_calls)
    return found


async def _calls_of(
    call_id: str | None, extensions: tuple[str, ...], rules: Permissions, phone_calls: PhoneCalls
) -> list[tuple[str, PhoneCall]]:
    """The calls of all these extensions. An extension that the PBX does not know has no calls, if others could be read."""

    async def on(extension: str) -> list[tuple[str, PhoneCall]]:
        user = rules.owner(extension)
        if call_id is None:
            return [(extension, call) for call in await phone_calls.list(user, extension)]
        call = await phone_calls.get(user, extension, call_id)
        return [] if call is None else [(extension, call)]

    # All at once: however many phones a person has, the request waits no longer than for the slowest read.
    answers = await asyncio.gather(*map(on, extensions), return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    found = [one for answer in answers if not isinstance(answer, BaseException) for one in answer]
    serious = [failure for failure in failures if not isinstance(failure, ExtensionInvalid | UserInvalid)]
    if serious or (failures and not found):
        raise (serious or failures)[0]
    return found
