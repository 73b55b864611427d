"""Reads the calls of some extensions as they are now, for one request."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.domain.calls import PhoneCall
from bot.domain.errors import ExtensionInvalid, UserInvalid
from bot.domain.permissions import Permissions
from bot.polling.ports import PhoneCalls

MOMENT = 0.3
"""Seconds after which an empty answer is asked for once more."""


async def live_on(
    call_id: str | None,
    extensions: tuple[str, ...],
    rules: Permissions,
    phone_calls: PhoneCalls,
    sleep: Callable[[float], Awaitable[object]],
    *,
    counts: Callable[[PhoneCall], bool],
) -> list[tuple[str, PhoneCall]]:
    """The calls of these extensions, or the one of that id, each with the extension that it was asked for.

    Where the PBX shows none that `counts` it is asked once more, a moment later: a list may be empty for a moment. Of the
    others nobody learns that they are there, by the time that it takes either. Raises PbxError.
    """
    found = await _calls_of(call_id, extensions, rules, phone_calls)
    if not any(counts(call) for _, call in found):
        await sleep(MOMENT)
        found = await _calls_of(call_id, extensions, rules, phone_calls)
    return found


async def _calls_of(
    call_id: str | None, extensions: tuple[str, ...], rules: Permissions, phone_calls: PhoneCalls
) -> list[tuple[str, PhoneCall]]:
    """The calls of all these extensions. One that the PBX does not know has none, if another has one."""

    async def on(extension: str) -> list[tuple[str, PhoneCall]]:
        user = rules.owner(extension)
        if call_id is None:
            return [(extension, call) for call in await phone_calls.list(user, extension)]
        call = await phone_calls.get(user, extension, call_id)
        return [] if call is None else [(extension, call)]

    # All at once: however many phones a person has, the reads of one request end when the slowest does.
    answers = await asyncio.gather(*map(on, extensions), return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    found = [one for answer in answers if not isinstance(answer, BaseException) for one in answer]
    serious = [failure for failure in failures if not isinstance(failure, ExtensionInvalid | UserInvalid)]
    if serious or (failures and not found):
        raise (serious or failures)[0]
    return found
