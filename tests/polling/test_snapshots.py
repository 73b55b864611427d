"""A list of the live calls: every scope once, each call once, and never more said than was read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain.calls import PhoneCall
from bot.domain.errors import AccessDenied, PbxError, PbxUnreachable
from bot.domain.permissions import Scope
from bot.polling.phone_calls import PartlyRead
from bot.polling.poller import Poller
from bot.polling.scan import READS_AT_A_TIME, Snapshot, each_once

MakeCall = Callable[..., PhoneCall]
ME, BOB, DAN = "@me", "12", "13"
NOBODY_WAITS = 0.1
"""Seconds."""


@dataclass
class ManyLists:
    """A PBX that has a list for each user, and answers it after so many seconds."""

    clock: Any
    lists: dict[str, tuple[PhoneCall, ...]] = field(default_factory=dict)
    failing: dict[str, PbxError] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        self.asked.append(user)
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            await self.clock.sleep(self.slow.get(user, 1.0))
        finally:
            self.under_way -= 1
        if user in self.failing:
            raise self.failing[user]
        return self.lists.get(user, ())

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        raise AssertionError("a snapshot reads lists")

    async def presence(self, user: str, extension: str) -> Any:
        raise AssertionError("a snapshot reads lists")

    async def act(self, *what: Any) -> Any:
        raise AssertionError("polling sends nothing")


@dataclass
class Shop:
    """Somebody who takes snapshots."""

    clock: Any
    pbx: ManyLists
    scopes: tuple[Scope, ...] = (Scope(ME), Scope(BOB), Scope(DAN))

    def __post_init__(self) -> None:
        self.poller = Poller(
            urgent=self.pbx,
            background=self.pbx,
            scopes=lambda: self.scopes,
            every=lambda: 1.0,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=lambda: 0.5,
        )

    async def takes(self, within: float = 60.0) -> Snapshot:
        """A snapshot; two seconds of the PBX pass."""
        taking = asyncio.create_task(self.poller.snapshot(within))
        await self.clock.let_pass(2)
        return await taking


@pytest.fixture
def shop(clock: Any, a_call: MakeCall) -> Shop:
    """Three scopes; the first sees what the second sees, too."""
    one, two, three = (a_call(call_id=name) for name in ("c1", "c2", "c3"))
    return Shop(clock, ManyLists(clock, {ME: (one, two), BOB: (two,), DAN: (three,)}))


def ids(snapshot: Snapshot) -> list[str]:
    return [call.id for call in snapshot.calls]


async def test_every_scope_is_read_and_each_call_is_there_once(shop: Shop) -> None:
    snapshot = await shop.takes()
    assert (ids(snapshot), snapshot.scopes, snapshot.unread) == (["c1", "c2", "c3"], 3, 0)


async def test_of_two_scopes_the_one_that_shows_more_of_a_call_is_believed(
    shop: Shop, a_call: MakeCall, a_view: Any, a_leg: Any
) -> None:
    whole = a_call(a_view(), a_leg(), call_id="c2")
    shop.pbx.lists[BOB] = (whole,)
    assert whole in (await shop.takes()).calls


async def test_a_side_that_only_one_scope_shows_is_not_lost(
    shop: Shop, a_call: MakeCall, a_view: Any, a_leg: Any
) -> None:
    """It could be the protected one."""
    shop.pbx.lists[ME] = (a_call(a_view(), call_id="c2"),)
    shop.pbx.lists[BOB] = (a_call(a_leg("07", source=["+15550199000"]), call_id="c2"),)
    found = next(call for call in (await shop.takes()).calls if call.id == "c2")
    assert "+15550199000" in found.parties
    assert len(found.views) == 2


NOT_READ = {
    "refused": (AccessDenied("access_denied"), 1.0),
    "without an answer": (PbxUnreachable("HTTP 502"), 1.0),
    "too late": (None, 30.0),
}


@pytest.mark.parametrize(("failure", "seconds"), NOT_READ.values(), ids=NOT_READ)
async def test_a_scope_that_is_not_read_is_counted_and_hides_no_other(
    shop: Shop, failure: PbxError | None, seconds: float
) -> None:
    shop.pbx.slow[ME] = seconds
    if failure is not None:
        shop.pbx.failing[ME] = failure
    snapshot = await shop.takes(within=0.05)
    assert (ids(snapshot), snapshot.unread) == (["c2", "c3"], 1)


async def test_what_a_scope_shows_beside_calls_without_an_id_is_there_and_the_scope_is_counted(shop: Shop) -> None:
    shop.pbx.failing[ME] = PartlyRead(shop.pbx.lists[ME][:1], skipped=1)
    snapshot = await shop.takes()
    assert (ids(snapshot), snapshot.unread) == (["c1", "c2", "c3"], 1)


async def test_where_no_scope_can_be_read_there_is_no_snapshot(shop: Shop) -> None:
    shop.pbx.failing = dict.fromkeys((ME, BOB, DAN), PbxUnreachable("HTTP 502"))
    with pytest.raises(PbxUnreachable) as caught:
        await shop.takes()
    assert caught.value.why == "HTTP 502"


async def test_where_nothing_is_answered_in_time_there_is_no_snapshot(shop: Shop, clock: Any) -> None:
    shop.pbx.slow = dict.fromkeys((ME, BOB, DAN), 30.0)
    taking = asyncio.create_task(shop.poller.snapshot(0.01))
    with pytest.raises(PbxUnreachable) as caught:
        await taking
    assert (caught.value.why, shop.pbx.under_way) == ("timed out after 0.01 s", 0)


async def test_a_floor_without_scopes_is_empty(shop: Shop) -> None:
    shop.scopes = ()
    assert await shop.takes() == Snapshot((), 0)


async def test_who_asks_while_a_snapshot_is_taken_gets_the_same_one(shop: Shop, clock: Any) -> None:
    first = asyncio.create_task(shop.poller.snapshot(8.0))
    await clock.let_pass(0.5)
    second = asyncio.create_task(shop.poller.snapshot(8.0))
    await clock.let_pass(5)
    assert (await first is await second, len(shop.pbx.asked)) == (True, 3)


async def test_who_asks_later_gets_a_new_one(shop: Shop) -> None:
    await shop.takes()
    shop.pbx.lists[DAN] = ()
    assert ids(await shop.takes()) == ["c1", "c2"]


async def test_after_the_end_no_snapshot_goes_on(shop: Shop, clock: Any) -> None:
    taking = asyncio.create_task(shop.poller.snapshot(8.0))
    await clock.let_pass(0.5)
    await shop.poller.stop()
    await asyncio.wait({taking})
    assert (taking.cancelled(), shop.pbx.under_way) == (True, 0)


async def test_many_scopes_are_read_a_few_at_a_time(shop: Shop) -> None:
    shop.scopes = tuple(Scope(str(number)) for number in range(40))
    shop.pbx.slow = dict.fromkeys(map(str, range(40)), 0.1)
    await shop.takes()
    assert (shop.pbx.most_under_way, len(shop.pbx.asked)) == (READS_AT_A_TIME, 40)


async def test_nobody_waits_while_the_calls_of_six_long_lists_become_one_each(
    a_call: MakeCall, a_view: Any, turns: Callable[[], Any]
) -> None:
    """Each list shows another view of the same 10,000 calls."""
    lists = {
        Scope(str(user)): tuple(a_call(a_view(f"{user:02}"), call_id=f"c{number}") for number in range(10_000))
        for user in range(6)
    }
    async with turns() as measured:
        calls = await each_once(lists, tuple(lists))
    assert (len(calls), len(calls[0].views), measured.longest < NOBODY_WAITS) == (10_000, 6, True)
