"""What is checked before a phone is rung: nothing is asked for twice, and the phone is free and can ring.

The PBX is asked about the asker's own phone while the call is read, for one second at most. Only a certain answer counts: where the
PBX is slow, refuses, fails or does not know, the request goes on as if nobody had asked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from bot.domain.actions import LABEL, RINGS_PHONE, ActionName
from bot.domain.calls import PhoneCall, PhoneSeen, Presence, Status
from bot.domain.errors import AlreadyAsked, AlreadyInCall, PbxError, Refusal
from bot.domain.intervention import Intervention
from bot.domain.permissions import Permissions

MOST_OPEN = 200
"""Interventions that may be open at a time. Those in one call share its polls."""
PRESENCE_TIMEOUT = 1.0
"""Seconds, from its start, that a request waits for the presence of a phone."""
POLL_PATIENCE = 5.0
"""Seconds for a read of the presence that takes turns with the polls."""

_log = structlog.get_logger("callbot.checks")


class Phones(Protocol):
    """What the PBX knows of phones beside calls: the PBX itself (`bot.uapi.client.UnifiedApi`), or the Poller, which takes turns."""

    async def presence(self, user: str, extension: str) -> Presence | None:
        """One phone; None where nothing is known of it. Raises PbxError."""


def refuse_if_full(number_open: int) -> None:
    """Raise Refusal where so many interventions are open that one more has to wait."""
    if number_open >= MOST_OPEN:
        raise Refusal("Too many interventions are open at the moment. Nothing was sent. Try again in a minute.")


def refuse_if_used_by(current: Intervention | None, action: ActionName, *, anyway: bool) -> None:
    """Raise AlreadyAsked where `current` uses the person's phone in this call, and another action would ring it.

    `anyway`: the person wants their phone to ring although they are in the call. The same action is left to the claim,
    which the ledger grants once.
    """
    if current is None or action not in RINGS_PHONE or current.name is action or (anyway and current.in_call):
        return
    if current.in_call:
        text = f"You are already in this call ({LABEL[current.name]}). Hang up, then ask for {LABEL[action]} again."
    else:
        text = f"Your phone may already be ringing for {LABEL[current.name]}. Wait until that is over."
    raise AlreadyAsked(f"{text} Nothing was sent.", who=current.slack_user)


def refuse_if_inside(action: ActionName, call: PhoneCall, phone: str) -> None:
    """Raise AlreadyInCall where the call as it is shows the person's own phone as a party, or as a leg on call.

    Meant for a call that no open request of the person holds: what brought the phone there was not callbot, or callbot
    has given up on it.
    """
    if action not in RINGS_PHONE:
        return
    own = [view for view in call.views if view.extension == phone]
    if any(view.status is Status.RINGING for view in own):
        raise AlreadyInCall(f"Your phone {phone} rings for this call already: answer it. Nothing was sent.")
    if own:
        raise AlreadyInCall(
            f"You are in this call already: your phone {phone} is one of its parties, and cannot be called into it "
            "once more. Nothing was sent."
        )
    if any(view.on_call and phone in view.source for view in call.views):
        raise AlreadyInCall(
            f"You are in this call already, with your phone {phone}. Hang up first, then ask for {LABEL[action]} again. "
            "Nothing was sent."
        )


def asked_already(intervention: Intervention, who: str, permissions: Permissions) -> AlreadyAsked:
    """The refusal of what `who` has asked for, and holds the claim of."""
    if who == intervention.slack_user:
        return AlreadyAsked("You have asked for this already: your card shows how it goes. Nothing more was sent.", who)
    person = permissions.people.get(who)
    name = person.name if person is not None else "Somebody else"
    return AlreadyAsked(f"{name} has asked for this already. Nothing more was sent.", who)


async def phone_seen(
    phones: Phones, permissions: Permissions, phone: str, patience: float = PRESENCE_TIMEOUT
) -> PhoneSeen:
    """What the PBX says of a phone now; UNKNOWN where it does not say so within `patience` seconds. Nothing is raised."""
    try:
        async with asyncio.timeout(patience):
            found = await phones.presence(permissions.owner(phone), phone)
    except TimeoutError:
        _log.info("presence_unknown", error="too slow")
    except PbxError as error:
        _log.info("presence_unknown", error=type(error).__name__)
    except Exception:  # noqa: BLE001 - whatever is wrong with this question, the request itself goes on
        _log.exception("presence_unknown")
    else:
        return PhoneSeen.UNKNOWN if found is None else found.seen
    return PhoneSeen.UNKNOWN


@asynccontextmanager
async def phone_meanwhile(
    phones: Phones, permissions: Permissions, phone: str | None, patience: float = PRESENCE_TIMEOUT
) -> AsyncIterator[Awaitable[PhoneSeen]]:
    """Ask about the phone while the block reads the call, and await there what the PBX says; UNKNOWN where `phone` is None."""
    if phone is None:
        unknown: asyncio.Future[PhoneSeen] = asyncio.get_running_loop().create_future()
        unknown.set_result(PhoneSeen.UNKNOWN)
        yield unknown
        return
    reading = asyncio.create_task(phone_seen(phones, permissions, phone, patience), name="presence of the phone")
    try:
        yield reading
    finally:
        reading.cancel()
        await asyncio.wait({reading})
