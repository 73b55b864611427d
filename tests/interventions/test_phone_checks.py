"""The presence of a phone is read beside the call, is never in the way, and counts only where it is certain."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall, PhoneSeen, Presence, presence_from
from bot.domain.errors import PbxRefused, PbxUnauthenticated, PbxUnreachable
from bot.domain.permissions import Permissions
from bot.interventions.checks import phone_beside, phone_seen
from bot.polling.phone_calls import Accepted


async def nothing() -> None:
    return None


@dataclass
class Pbx:
    """A PBX that knows phones and no calls."""

    answer: Callable[[], Awaitable[Presence | None]] = nothing
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def presence(self, user: str, extension: str) -> Presence | None:
        self.asked.append((user, extension))
        return await self.answer()

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        raise AssertionError("it is about a phone")

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        raise AssertionError("it is about a phone")

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        raise AssertionError("asking about a phone does nothing to it")


def knows(status: int = 1, *registration: object) -> Callable[[], Awaitable[Presence | None]]:
    """An answer with this status, and an entry for each device."""
    devices = [{"agent": "phone", "registration": each} for each in registration]

    async def answer() -> Presence | None:
        return presence_from({"extension": "0003*024", "status": str(status), "registration": devices})

    return answer


def fails(error: Exception) -> Callable[[], Awaitable[Presence | None]]:
    async def answer() -> Presence | None:
        raise error

    return answer


async def hangs() -> Presence | None:
    await asyncio.Event().wait()
    raise AssertionError("it never comes")


async def is_not_registered(pbx: Pbx, rules: Permissions, phone: str | None = "0003*024") -> bool:
    async with phone_beside(pbx, rules, phone, patience=0.01) as seeing:
        return await seeing is PhoneSeen.NOT_REGISTERED


CERTAIN = {
    "not registered": (knows(0, "-1"), True),
    "expired": (knows(0, "-2"), True),
    "no device of several": (knows(0, "-1", -2), True),
    "registered": (knows(1, "1"), False),
    "registration not needed": (knows(1, "2"), False),
    "one device of several": (knows(1, "-1", "1"), False),
    "registration unknown": (knows(1, "0"), False),
    "nothing said of registration": (knows(1), False),
    "nothing said of the phone": (nothing, False),
    "refused": (fails(PbxRefused("access_denied", 403)), False),
    "unauthenticated": (fails(PbxUnauthenticated()), False),
    "unreachable": (fails(PbxUnreachable("HTTP 502")), False),
    "a mistake of our own": (fails(ValueError("0003*024")), False),
    "too slow": (hangs, False),
}


@pytest.mark.parametrize(("answer", "certain"), CERTAIN.values(), ids=CERTAIN)
async def test_only_a_certain_no_is_one(
    rules: Permissions, answer: Callable[[], Awaitable[Presence | None]], certain: bool
) -> None:
    assert await is_not_registered(Pbx(answer), rules) is certain


async def test_the_phone_is_asked_about_in_the_name_of_its_owner(rules: Permissions) -> None:
    pbx = Pbx()
    await is_not_registered(pbx, rules)
    assert pbx.asked == [("3", "0003*024")]


async def test_where_no_phone_is_to_be_asked_about_nothing_is_read(rules: Permissions) -> None:
    pbx = Pbx(knows(0, "-1"))
    assert (await is_not_registered(pbx, rules, phone=None), pbx.asked) == (False, [])


async def test_it_is_read_while_the_call_is(rules: Permissions) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer() -> Presence | None:
        asked.set()
        await answered.wait()
        return await knows(0, "-1")()

    async with phone_beside(Pbx(answer), rules, "0003*024") as seeing:
        await asked.wait()
        answered.set()
        assert await seeing is PhoneSeen.NOT_REGISTERED


async def test_who_does_not_need_the_answer_does_not_wait_for_it(rules: Permissions) -> None:
    ended = asyncio.Event()

    async def answer() -> Presence | None:
        try:
            return await hangs()
        finally:
            ended.set()

    pbx = Pbx(answer)
    async with phone_beside(pbx, rules, "0003*024", patience=60):
        while not pbx.asked:
            await asyncio.wait({asyncio.ensure_future(nothing())})
    assert ended.is_set()


SEEN = {
    "busy": (knows(3, "1"), PhoneSeen.BUSY),
    "ringing": (knows(2, "1"), PhoneSeen.RINGING),
    "online": (knows(1, "1"), PhoneSeen.ONLINE),
    "online, registration unknown": (knows(1), PhoneSeen.ONLINE),
    "not registered": (knows(1, "-1"), PhoneSeen.NOT_REGISTERED),
    "unknown": (knows(0, "1"), PhoneSeen.UNKNOWN),
    "of a state that is not documented": (knows(9, "1"), PhoneSeen.UNKNOWN),
    "not said": (nothing, PhoneSeen.UNKNOWN),
    "refused": (fails(PbxRefused("access_denied", 403)), PhoneSeen.UNKNOWN),
    "too slow": (hangs, PhoneSeen.UNKNOWN),
}


@pytest.mark.parametrize(("answer", "seen"), SEEN.values(), ids=SEEN)
async def test_of_a_phone_that_was_not_answered_only_what_is_known_is_said(
    rules: Permissions, answer: Callable[[], Awaitable[Presence | None]], seen: PhoneSeen
) -> None:
    assert await phone_seen(Pbx(answer), rules, "0003*024", patience=0.01) is seen
