"""What the PBX knows of the phone that is to ring, or that was not answered. It is never in the way.

The presence of the asker's own phone is read beside the call, for one second at most. Only what is certain counts; what
is slow, refused, failing, unknown or unreadable says nothing, and the request goes on as if nobody had asked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import structlog

from bot.domain.errors import PbxError
from bot.domain.permissions import Permissions
from bot.domain.presence import PhoneSeen, Presence
from bot.interventions.ports import Phones

PATIENCE = 1.0
"""Seconds, from its start, for which the presence of a phone is waited for."""
POLL_PATIENCE = 5.0
"""Seconds for a read of the presence that takes turns with the polls."""

_log = structlog.get_logger("callbot.preflight")


@asynccontextmanager
async def phone_beside(
    phones: Phones, rules: Permissions, phone: str | None, patience: float = PATIENCE
) -> AsyncIterator[Awaitable[PhoneSeen]]:
    """Read the phone's presence while the block reads the call, and await there what the PBX says of the phone.

    Where `phone` is None nothing is read.
    """
    reading = asyncio.create_task(_seen(phones, rules, phone, patience), name="presence of the phone")
    try:
        yield reading
    finally:
        reading.cancel()
        await asyncio.wait({reading})


async def phone_seen(phones: Phones, rules: Permissions, phone: str, patience: float = PATIENCE) -> PhoneSeen:
    """What the PBX says of a phone now."""
    return await _seen(phones, rules, phone, patience)


async def _seen(phones: Phones, rules: Permissions, phone: str | None, patience: float) -> PhoneSeen:
    found = None if phone is None else await _presence(phones, rules, phone, patience)
    return PhoneSeen.UNKNOWN if found is None else found.seen


async def _presence(phones: Phones, rules: Permissions, phone: str, patience: float) -> Presence | None:
    try:
        async with asyncio.timeout(patience):
            return await phones.presence(rules.owner(phone), phone)
    except TimeoutError:
        _log.info("presence_unknown", error="too slow")
    except PbxError as error:
        _log.info("presence_unknown", error=type(error).__name__)
    except Exception:  # noqa: BLE001 - whatever is wrong with this question, the request itself goes on
        _log.exception("presence_unknown")
    return None
