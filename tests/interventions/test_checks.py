"""Before a phone is rung: nothing is asked for twice, and the phone is registered, free and no party of the call."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain.actions import JOINING, RECORDING, RINGS_PHONE, ActionName, PhoneCallAction
from bot.domain.calls import PhoneCall, PhoneCallView, PhoneSeen, Presence, Status, presence_from
from bot.domain.errors import AlreadyInCall, PbxRefused, PbxUnauthenticated, PbxUnreachable, Refusal
from bot.domain.intervention import Intervention, State
from bot.domain.permissions import Permissions
from bot.interventions.checks import MOST_OPEN, phone_meanwhile, phone_seen, refuse_if_full, refuse_if_inside
from bot.polling.phone_calls import Accepted

MakeIntervention = Callable[..., Intervention]
MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
OWN = {"extension": "0003*024", "source": ["0003*210"]}

INSIDE: dict[str, dict[str, Any]] = {
    "a party on call": {**OWN, "status": 5},
    "a party whose call rings elsewhere": {**OWN, "status": 4},
    "a party off the hook": {**OWN, "status": 1},
    "a party that is being called": {**OWN, "status": 2},
    "a party in a state that is not known": {**OWN, "status": 0},
    "a party whose own phone rings": {**OWN, "status": 3},
    "a leg on call": {"source": ["0003*024"], "status": 5},
    "one of several sources": {"source": ["+15550100", "0003*024"], "status": 5},
}
OUTSIDE: dict[str, dict[str, Any]] = {
    "somebody else's view": {},
    "a leg that only rings": {"source": ["0003*024"], "status": 3},
    "a phone of the same digits elsewhere": {"source": ["0004*024"], "status": 5},
    "somebody else's leg": {"source": ["0003*025"], "status": 5},
    "a destination alone": {"destination": ["0003*024"], "status": 5},
}


@pytest.mark.parametrize("view", INSIDE.values(), ids=INSIDE)
def test_whose_phone_is_in_the_call_is_in_it_already(a_call: MakeCall, a_view: MakeView, view: dict[str, Any]) -> None:
    with pytest.raises(AlreadyInCall, match="Nothing was sent"):
        refuse_if_inside(ActionName.MONITOR, a_call(a_view("01"), a_view("02", **view)), "0003*024")


@pytest.mark.parametrize("view", OUTSIDE.values(), ids=OUTSIDE)
def test_whose_phone_is_not_may_be_called_into_it(a_call: MakeCall, a_view: MakeView, view: dict[str, Any]) -> None:
    refuse_if_inside(ActionName.MONITOR, a_call(a_view("01"), a_view("02", **view)), "0003*024")


@pytest.mark.parametrize("action", ActionName)
def test_who_is_in_the_call_may_do_what_rings_no_phone(a_call: MakeCall, a_view: MakeView, action: ActionName) -> None:
    refused = pytest.raises(AlreadyInCall) if action in RINGS_PHONE else nullcontext()
    with refused:
        refuse_if_inside(action, a_call(a_view("01"), a_view("02", **OWN)), "0003*024")


WORDS = [
    (Status.RINGING, "Your phone 0003*024 rings for this call already: answer it."),
    (Status.ON_CALL, "You are in this call already: your phone 0003*024 is one of its parties"),
]


@pytest.mark.parametrize(("status", "words"), WORDS, ids=[status.name for status, _ in WORDS])
def test_a_party_is_told_what_its_phone_does(a_call: MakeCall, a_view: MakeView, status: Status, words: str) -> None:
    with pytest.raises(AlreadyInCall) as caught:
        refuse_if_inside(ActionName.MONITOR, a_call(a_view(**OWN, status=int(status))), "0003*024")
    assert str(caught.value).startswith(words)


def test_who_has_a_leg_is_told_how_to_change_the_mode(a_call: MakeCall, a_leg: MakeView) -> None:
    with pytest.raises(AlreadyInCall, match="Hang up first, then ask for Barge in again"):
        refuse_if_inside(ActionName.BARGE_IN, a_call(a_leg()), "0003*024")


# ── who blocks whom ──

OPEN = {State.ASKED, State.RINGING, State.UNKNOWN}


def key(make: MakeIntervention, action: ActionName, state: State = State.ASKED, **fields: object) -> str | None:
    return make(action, **fields).model_copy(update={"state": state}).claim_key


@pytest.mark.parametrize("action", ActionName)
def test_a_request_has_its_claim_until_it_is_over_and_a_recording_until_it_is_decided(
    an_intervention: MakeIntervention, action: ActionName
) -> None:
    claiming = {state for state in State if key(an_intervention, action, state) is not None}
    assert claiming == (OPEN if action in RECORDING else OPEN | {State.CONNECTED})


def test_what_nobody_tracks_claims_nothing(an_intervention: MakeIntervention) -> None:
    assert {key(an_intervention, action, following=False) for action in ActionName} == {None}


@pytest.mark.parametrize("action", ActionName)
def test_pick_up_and_recording_block_everyone_and_joining_the_same_person(
    an_intervention: MakeIntervention, action: ActionName
) -> None:
    ana, cleo = (key(an_intervention, action, slack_user=user) for user in ("U0ANA", "U0CLEO"))
    assert (ana == cleo) is (action not in JOINING)


def test_starting_and_stopping_to_record_block_each_other_and_nothing_else_does(
    an_intervention: MakeIntervention,
) -> None:
    assert [len({key(an_intervention, action) for action in some}) for some in (RECORDING, RINGS_PHONE)] == [1, 4]


def test_calls_do_not_block_each_other(an_intervention: MakeIntervention) -> None:
    for action in ActionName:
        assert key(an_intervention, action, call_id="c1") != key(an_intervention, action, call_id="c2")


def test_where_too_much_is_open_nothing_more_is_begun_and_the_person_knows_what_to_do() -> None:
    refuse_if_full(MOST_OPEN - 1)
    with pytest.raises(Refusal, match=r"Too many interventions are open .* Try again in a minute"):
        refuse_if_full(MOST_OPEN)


# ── the presence of the phone ──


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


async def test_the_phone_is_asked_about_in_the_name_of_its_owner(rules: Permissions) -> None:
    pbx = Pbx()
    await phone_seen(pbx, rules, "0003*024")
    assert pbx.asked == [("3", "0003*024")]


async def test_where_no_phone_is_to_be_asked_about_nothing_is_read(rules: Permissions) -> None:
    pbx = Pbx(knows(0, "-1"))
    async with phone_meanwhile(pbx, rules, None) as seeing:
        assert (await seeing, pbx.asked) == (PhoneSeen.UNKNOWN, [])


async def test_it_is_read_while_the_call_is(rules: Permissions) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer() -> Presence | None:
        asked.set()
        await answered.wait()
        return await knows(0, "-1")()

    async with phone_meanwhile(Pbx(answer), rules, "0003*024") as seeing:
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
    async with phone_meanwhile(pbx, rules, "0003*024", patience=60):
        while not pbx.asked:
            await asyncio.wait({asyncio.ensure_future(nothing())})
    assert ended.is_set()


SEEN = {
    "busy": (knows(3, "1"), PhoneSeen.BUSY),
    "ringing": (knows(2, "1"), PhoneSeen.RINGING),
    "online": (knows(1, "1"), PhoneSeen.ONLINE),
    "online, registration unknown": (knows(1), PhoneSeen.ONLINE),
    "not registered": (knows(1, "-1"), PhoneSeen.NOT_REGISTERED),
    "expired": (knows(0, "-2"), PhoneSeen.NOT_REGISTERED),
    "no device of several registered": (knows(0, "-1", -2), PhoneSeen.NOT_REGISTERED),
    "one device of several registered": (knows(1, "-1", "1"), PhoneSeen.ONLINE),
    "unknown": (knows(0, "1"), PhoneSeen.UNKNOWN),
    "of a state that is not documented": (knows(9, "1"), PhoneSeen.UNKNOWN),
    "not said": (nothing, PhoneSeen.UNKNOWN),
    "refused": (fails(PbxRefused("access_denied", 403)), PhoneSeen.UNKNOWN),
    "unauthenticated": (fails(PbxUnauthenticated()), PhoneSeen.UNKNOWN),
    "unreachable": (fails(PbxUnreachable("HTTP 502")), PhoneSeen.UNKNOWN),
    "a mistake of our own": (fails(ValueError("0003*024")), PhoneSeen.UNKNOWN),
    "too slow": (hangs, PhoneSeen.UNKNOWN),
}


@pytest.mark.parametrize(("answer", "seen"), SEEN.values(), ids=SEEN)
async def test_of_a_phone_only_what_is_certain_is_said(
    rules: Permissions, answer: Callable[[], Awaitable[Presence | None]], seen: PhoneSeen
) -> None:
    assert await phone_seen(Pbx(answer), rules, "0003*024", patience=0.01) is seen
