"""A list of calls over all of its pages: how they are asked for, what moves meanwhile, and how it ends."""

import asyncio
import itertools
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bot.domain.errors import PbxUnreachable
from bot.polling.phone_calls import PartlyRead
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.uapi.client import PAGES, UnifiedApi
from bot.uapi.list_reader import LastLists
from tests.uapi.conftest import Heard, RawPbx, http

Connect = Callable[..., UnifiedApi]
BOB = "0003*210"


def page(ids: list[str], total: object) -> bytes:
    entry = [{"id": one} for one in ids]
    return http(200, {"entry": entry, "totalResults": total, "paging": {"next": "http://127.0.0.1:1/"}})


def asked(raw: RawPbx) -> list[tuple[int, int]]:
    """The `startIndex` and `count` of each request."""
    found = (re.search(r"count=([0-9]+)&startIndex=([0-9]+) ", heard.line) for heard in raw.heard)
    return [(int(each[2]), int(each[1])) for each in found if each is not None]


def lists(ids: list[str], *, most: int = 5000, total: object = None) -> Callable[[Heard], bytes]:
    """A PBX that has these calls, and gives at most so many at a time."""

    def answer(heard: Heard) -> bytes:
        count, start = (int(number) for number in re.findall(r"=([0-9]+)", heard.line))
        return page(ids[start : start + min(count, most)], total or len(ids))

    return answer


def many(number: int) -> list[str]:
    return [f"c{place:05}" for place in range(number)]


# ── which pages are asked for ──

WHOLE: dict[int, list[tuple[int, int]]] = {
    0: [(0, 1000)],
    1: [(0, 1000)],
    1000: [(0, 1000)],
    1001: [(0, 1000), (950, 4300)],
    5250: [(0, 1000), (950, 4300)],
    5251: [(0, 1000), (950, 4300), (5000, 5000)],
    10_000: [(0, 1000), (950, 4300), (5000, 5000)],
}


@pytest.mark.parametrize(("number", "pages"), WHOLE.items(), ids=str)
async def test_a_list_is_read_to_its_end_in_few_requests(
    raw_api: UnifiedApi, raw: RawPbx, number: int, pages: list[tuple[int, int]]
) -> None:
    raw.replies = [lists(many(number))]
    calls = await raw_api.list("@me", "@self")
    assert ([call.id for call in calls], asked(raw)) == (many(number), pages)


async def test_a_list_of_the_sandbox_is_read_to_its_end(api: UnifiedApi, pbx: SandboxPbx, floor: Floor) -> None:
    ids = floor.crowd(1001, to=[BOB])
    assert ([call.id for call in await api.list("@me", "@self")], len(pbx.requests)) == (ids, 2)


async def test_more_calls_than_can_be_reached_are_no_list(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [lists(many(10_001))]
    with pytest.raises(PbxUnreachable) as caught:
        await raw_api.list("@me", "@self")
    assert (caught.value.why, asked(raw)) == ("list too long", WHOLE[10_000])


@pytest.mark.parametrize("most", [20, 100, 400])
async def test_a_pbx_may_give_fewer_at_a_time_than_asked_for(raw_api: UnifiedApi, raw: RawPbx, most: int) -> None:
    raw.replies = [lists(many(999), most=most)]
    assert [call.id for call in await raw_api.list("@me", "@self")] == many(999)


async def test_a_pbx_that_gives_a_hundred_at_a_time_is_read_to_its_last_start(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [lists(many(5100), most=100)]
    assert (len(await raw_api.list("@me", "@self")), asked(raw)[-1]) == (5100, (5000, 5000))


@pytest.mark.parametrize("total", ["1500", "many", -1])
async def test_a_total_that_is_text_or_nonsense_hides_no_page(raw_api: UnifiedApi, raw: RawPbx, total: object) -> None:
    raw.replies = [lists(many(1500), total=total)]
    assert len(await raw_api.list("@me", "@self")) == 1500


async def test_calls_without_an_id_make_it_a_part_of_the_list_and_are_counted_over_all_pages(
    raw_api: UnifiedApi, raw: RawPbx
) -> None:
    first, second = [{"id": "a"}, {"ownerId": "3"}], [{"ownerId": "4"}, {"id": "b"}]
    raw.replies = [http(200, {"entry": entry, "totalResults": 4}) for entry in (first, second)]
    with pytest.raises(PartlyRead) as caught:
        await raw_api.list("@me", "@self")
    assert ([call.id for call in caught.value.calls], caught.value.skipped) == (["a", "b"], 2)
    assert asked(raw) == [(0, 1000), (2, 4300)]


async def test_pages_are_counted_here(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [page(["a", "b"], 5), page(["c", "d"], "5"), page(["e"], 5)]
    await raw_api.list("@me", "@self")
    assert [start for start, _ in asked(raw)] == [0, 2, 4]


# ── what moves meanwhile ──


async def test_a_call_that_moved_to_the_page_before_is_not_missed(
    api: UnifiedApi, pbx: SandboxPbx, floor: Floor
) -> None:
    ids = floor.crowd(1010, to=[BOB])
    for ended in ids[:50]:
        pbx.meanwhile.after("startIndex=0", partial(floor.hang_up, ended))
    assert [call.id for call in await api.list("@me", "@self")] == ids


async def test_a_call_that_moved_to_the_next_page_is_listed_once(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [page(["a", "b"], 4), page(["b", "c"], 4)]
    assert [call.id for call in await raw_api.list("@me", "@self")] == ["a", "b", "c"]


async def test_of_two_states_of_one_call_the_first_is_listed(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(200, [{"id": "a", "extension": "First"}, {"id": "a", "extension": "Second"}]), http(200, [])]
    assert [call.extension for call in await raw_api.list("@me", "@self")] == ["First"]


async def test_a_list_that_grows_with_every_page_ends(raw_api: UnifiedApi, raw: RawPbx) -> None:
    counter = itertools.count()

    def growing(heard: Heard) -> bytes:
        return lists(many(1000 * (next(counter) + 2)))(heard)

    raw.replies = [growing]
    assert len(await raw_api.list("@me", "@self")) == 3000


# ── how it ends ──


async def test_a_list_ends_at_an_empty_page_whatever_the_total(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [page(["a"], 9), page([], 9)]
    assert ([call.id for call in await raw_api.list("@me", "@self")], len(raw.heard)) == (["a"], 2)


async def test_a_list_that_starts_over_again_and_again_ends(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [page(["a", "b"], None)]
    assert ([call.id for call in await raw_api.list("@me", "@self")], len(raw.heard)) == (["a", "b"], 2)


async def test_a_list_without_end_is_no_list(raw_api: UnifiedApi, raw: RawPbx) -> None:
    def another(heard: Heard) -> bytes:
        return page([heard.line.split("startIndex=")[1].split()[0]], 10**6)

    raw.replies = [another]
    with pytest.raises(PbxUnreachable) as caught:
        await raw_api.list("@me", "@self")
    assert (caught.value.why, len(raw.heard)) == ("list too long", PAGES)


async def test_a_page_that_fails_fails_the_list(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [page(["a"], 2), http(200, b"<html>")]
    with pytest.raises(PbxUnreachable):
        await raw_api.list("@me", "@self")


async def test_no_content_is_an_empty_list(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    assert await raw_api.list("@me", "@self") == ()


# ── what is remembered ──


async def test_what_has_not_changed_is_not_read_again(raw: RawPbx, connect: Connect) -> None:
    api = connect(raw.url, last_lists=LastLists())
    raw.replies = [page(["a", "b"], 2), page(["a", "c"], 2)]
    (first, _), (again, _) = [await api.list("@me", "@self") for _ in range(2)]
    assert again is first


async def test_several_may_share_what_is_remembered(raw: RawPbx, connect: Connect) -> None:
    last_lists = LastLists()
    raw.replies = [page(["a"], 1)]
    (one,), (other,) = [await connect(raw.url, last_lists=last_lists).list("@me", "@self") for _ in range(2)]
    assert one is other


async def test_what_one_scope_shows_says_nothing_of_another(raw: RawPbx, connect: Connect) -> None:
    api = connect(raw.url, last_lists=LastLists())
    raw.replies = [page(["a"], 1)]
    (one,), (other,) = [await api.list(user, "@self") for user in ("3", "12")]
    assert one is not other


async def test_a_list_that_failed_leaves_what_was_remembered(raw: RawPbx, connect: Connect) -> None:
    api = connect(raw.url, last_lists=LastLists())
    raw.replies = [page(["a"], 1), page(["b"], 2), http(200, b"<html>"), page(["a"], 1)]
    (first,) = await api.list("@me", "@self")
    with pytest.raises(PbxUnreachable):
        await api.list("@me", "@self")
    (again,) = await api.list("@me", "@self")
    assert again is first


async def test_nothing_is_remembered_unless_asked_for(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [page(["a"], 1)]
    (one,), (other,) = [await raw_api.list("@me", "@self") for _ in range(2)]
    assert one is not other


# ── others get their turn ──


async def test_others_get_their_turn_while_a_page_is_read(raw: RawPbx, connect: Connect) -> None:
    turns = 0

    def arrived(*_: Any) -> None:
        nonlocal turns
        turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    raw.replies = [lists(many(10_000))]
    counting = asyncio.create_task(count_turns())
    await connect(raw.url, seen=arrived).list("@me", "@self")
    counting.cancel()
    assert turns >= 3
