"""A protected party that only one list shows counts for the call wherever it is read."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain.calls import PhoneCall
from bot.domain.errors import AccessDenied, PbxError, PbxUnreachable
from bot.domain.permissions import Permissions, Person, Scope
from bot.polling.known_parties import KnownParties, WithEveryParty
from bot.polling.poller import Haste, Poller

MakeCall = Callable[..., PhoneCall]
PIA = "0003*299"
SCOPES = (Scope("@me"), Scope("14"))


@dataclass
class TwoUsers:
    """A PBX that shows each UnifiedAPI user their own view of a call, and of a list what fails."""

    calls: dict[str, PhoneCall]
    failing: dict[str, PbxError] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        self.asked.append((user, extension, call_id))
        return self.calls.get(user)

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        self.asked.append((user, extension))
        if user in self.failing:
            raise self.failing[user]
        return (self.calls[user],) if user in self.calls else ()

    async def presence(self, user: str, extension: str) -> Any:
        raise AssertionError("no presence is asked for")

    async def act(self, *what: Any) -> Any:
        raise AssertionError("reading sends nothing")


@pytest.fixture
def pbx(a_call: MakeCall, a_view: Any) -> TwoUsers:
    """Bob's view of the call for all but user 14, who is protected and sees the other."""
    bobs, pias = a_call(a_view("01")), a_call(a_view("00", extension=PIA))
    return TwoUsers({"@me": bobs, "12": bobs, "14": pias})


@pytest.fixture
def here(rules: Permissions) -> Permissions:
    """The people of every test, and Pia, who is protected."""
    pia = Person("U0PIA", "Pia Protected", (PIA,), uapi_user="14")
    return Permissions(
        people={**rules.people, "U0PIA": pia}, roles=rules.roles, protected_extensions=rules.protected_extensions
    )


@pytest.fixture
async def poller(pbx: TwoUsers, clock: Any) -> AsyncIterator[Poller]:
    poller = Poller(
        urgent=pbx,
        background=pbx,
        scopes=lambda: SCOPES,
        every=lambda: 1.0,
        clock=clock,
        sleep=clock.sleep,
        random=lambda: 0.5,
    )
    yield poller
    await poller.stop()


def asking(pbx: TwoUsers, clock: Any, here: Permissions) -> WithEveryParty:
    return WithEveryParty(pbx, KnownParties(clock), here.protected_elsewhere)


# ── polls, snapshots and scans ──


async def test_a_poll_of_one_call_knows_whom_another_list_has_shown(poller: Poller, here: Permissions) -> None:
    await poller.scan()
    poll = await poller.poll(("12", "0003*210", "c1"), Haste.DOUBTING)
    assert poll.call is not None
    assert here.protects(poll.call)


async def test_a_list_knows_whom_another_list_has_shown_before(
    poller: Poller, here: Permissions, pbx: TwoUsers
) -> None:
    await poller.snapshot(8.0)
    pbx.failing["14"] = PbxUnreachable("not connected")
    taken = await poller.snapshot(8.0)
    assert [here.protects(call) for call in taken.calls] == [True]


async def test_whom_no_list_has_shown_for_a_minute_is_forgotten(
    poller: Poller, here: Permissions, clock: Any, pbx: TwoUsers
) -> None:
    await poller.snapshot(8.0)
    pbx.failing["14"] = PbxUnreachable("not connected")
    clock.passed += 61
    taken = await poller.snapshot(8.0)
    assert [here.protects(call) for call in taken.calls] == [False]


# ── what an intervention reads ──


@pytest.mark.parametrize("named", [False, True], ids=["the calls of an extension", "one call"])
async def test_what_an_intervention_reads_knows_whom_the_protected_lists_show(
    pbx: TwoUsers, clock: Any, here: Permissions, *, named: bool
) -> None:
    reading = asking(pbx, clock, here)
    call = await reading.get("12", "0003*210", "c1") if named else (await reading.list("12", "0003*210"))[0]
    assert call is not None
    assert here.protects(call)


async def test_no_list_is_read_besides_where_the_protected_are_of_the_same_user(
    pbx: TwoUsers, clock: Any, rules: Permissions
) -> None:
    await asking(pbx, clock, rules).list("12", "0003*210")
    assert pbx.asked == [("12", "0003*210")]


async def test_where_it_cannot_be_read_who_is_protected_nothing_is_read(
    pbx: TwoUsers, clock: Any, here: Permissions
) -> None:
    pbx.failing["14"] = PbxUnreachable("not connected")
    with pytest.raises(PbxUnreachable):
        await asking(pbx, clock, here).list("12", "0003*210")


async def test_a_protected_list_that_the_pbx_refuses_is_in_nobodys_way(
    pbx: TwoUsers, clock: Any, here: Permissions
) -> None:
    pbx.failing["14"] = AccessDenied("access_denied")
    assert len(await asking(pbx, clock, here).list("12", "0003*210")) == 1
