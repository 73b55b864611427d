"""Polls of tracked calls: in few requests, the urgent ones first, never the same call twice at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain.calls import PhoneCall, Presence
from bot.domain.errors import AccessDenied, PbxUnreachable
from bot.domain.intervention import UNREADABLE, Poll
from bot.domain.permissions import Scope
from bot.polling.poller import Haste, Poller
from bot.polling.scan import READS_AT_A_TIME

MakeCall = Callable[..., PhoneCall]
SCOPES = (Scope("@me"), Scope("12"))
READS, LISTS = "get", "list"


def busy(watch: Any) -> None:
    """Let as many reads be under way as may be, so that what comes now has to wait."""
    for number in range(1, READS_AT_A_TIME + 1):
        watch.at(f"c{number}")


# ── one by one, or by lists ──


async def test_a_single_call_is_read_by_itself(watch: Any, clock: Any) -> None:
    watch.at("c1")
    await clock.let_pass(1)
    assert (watch.pbx.asked, watch.seen["c1"].call) == ([(READS, "c1")], watch.pbx.calls["c1"])


async def test_a_call_that_is_gone_is_seen_gone(watch: Any, clock: Any) -> None:
    watch.at("gone")
    await clock.let_pass(1)
    assert watch.seen["gone"] == Poll()


async def test_as_many_calls_as_there_are_scopes_are_read_one_by_one(watch: Any, clock: Any) -> None:
    busy(watch)
    watch.at("c5")
    watch.at("c6")
    await clock.let_pass(5)
    assert (len(watch.seen), watch.asked(LISTS)) == (6, [])


async def test_more_calls_than_scopes_are_polled_by_the_lists(watch: Any, clock: Any) -> None:
    busy(watch)
    for number in range(5, 13):
        watch.at(f"c{number}")
    await clock.let_pass(9)
    read = watch.asked(READS)
    assert (read, watch.asked(LISTS)) == (["c1", "c2", "c3", "c4"], ["@me"])
    assert watch.seen == {name: Poll(call=call) for name, call in watch.pbx.calls.items()}


async def test_no_further_scope_is_listed_than_is_needed(watch: Any, clock: Any) -> None:
    busy(watch)
    watch.pbx.shown_by["c7"] = ("12",)
    for number in range(5, 9):
        watch.at(f"c{number}")
    await clock.let_pass(9)
    assert watch.asked(LISTS) == ["@me", "12"]


async def test_a_call_that_no_list_shows_is_read_by_itself_before_it_is_believed_gone(watch: Any, clock: Any) -> None:
    busy(watch)
    watch.pbx.shown_by["c7"] = ()
    for number in range(5, 9):
        watch.at(f"c{number}")
    await clock.let_pass(9)
    assert (watch.asked(READS)[READS_AT_A_TIME:], watch.seen["c7"].call) == (["c7"], watch.pbx.calls["c7"])


async def test_a_call_that_a_list_shows_without_the_agent_s_side_is_read_by_itself(
    watch: Any, clock: Any, a_call: MakeCall, a_view: Any
) -> None:
    whole = watch.pbx.calls["c7"]
    watch.pbx.calls["c7"] = a_call(a_view(extension="0003*300"), call_id="c7")
    busy(watch)
    for number in range(5, 9):
        watch.at(f"c{number}")
    await clock.let_pass(2.5)
    watch.pbx.calls["c7"] = whole
    await clock.let_pass(9)
    assert watch.seen["c7"].call.views == whole.views


async def test_what_is_in_doubt_is_read_by_itself(watch: Any, clock: Any) -> None:
    busy(watch)
    watch.at("c5", Haste.DOUBTING)
    for number in range(6, 10):
        watch.at(f"c{number}")
    await clock.let_pass(9)
    assert watch.asked(READS)[READS_AT_A_TIME:] == ["c5"]


async def test_a_scope_of_many_pages_costs_as_many_requests(watch: Any, clock: Any, a_call: MakeCall) -> None:
    watch.scopes = SCOPES[:1]
    watch.pbx.calls |= {f"x{number}": a_call(call_id=f"x{number}") for number in range(7000)}
    for _ in range(2):
        busy(watch)
        for number in range(5, 8):
            watch.at(f"c{number}")
        await clock.let_pass(9)
    assert (watch.asked(LISTS), len(watch.asked(READS))) == (["@me"], 2 * READS_AT_A_TIME + 3)


async def test_a_scope_that_refuses_leaves_its_calls_to_single_reads(watch: Any, clock: Any) -> None:
    busy(watch)
    watch.pbx.failing["@me"] = AccessDenied("access_denied")
    for number in range(5, 9):
        watch.at(f"c{number}")
    await clock.let_pass(9)
    assert {name: poll.call is not None for name, poll in watch.seen.items()} == {f"c{n}": True for n in range(1, 9)}


# ── what a poll may show, and when ──


async def test_a_poll_begins_after_it_was_asked_for_even_while_a_list_is_read(
    watch: Any, clock: Any, a_call: MakeCall
) -> None:
    busy(watch)
    for number in range(5, 9):
        watch.at(f"c{number}")
    await clock.let_pass(1.5)
    watch.at("c9")
    asked_before = len(watch.pbx.asked)
    await clock.let_pass(9)
    assert (READS, "c9") in watch.pbx.asked[asked_before - 1 :]


async def test_the_lists_are_read_once_at_a_time(watch: Any, clock: Any) -> None:
    busy(watch)
    for number in range(5, 9):
        watch.at(f"c{number}")
    await clock.let_pass(1.5)
    watch.pbx.slow = 5.0
    for number in range(9, 13):
        watch.at(f"c{number}")
    await clock.let_pass(1)
    begun = len(watch.asked(LISTS))
    await clock.let_pass(30)
    assert (begun, len(watch.seen)) == (1, 12)


async def test_a_call_that_the_lists_are_read_for_can_be_polled_meanwhile(watch: Any, clock: Any) -> None:
    busy(watch)
    for call_id in ("gone", "c6", "c7", "c8"):
        watch.at(call_id)
    await clock.let_pass(1.5)
    watch.pbx.slow = 15.0
    for call_id in ("c9", "c10", "c11", "gone"):  # beside the lists three reads may be under way: the fourth waits
        watch.at(call_id, Haste.DOUBTING)
    await clock.let_pass(0.1)
    watch.pbx.slow = 1.0
    await clock.let_pass(30)
    assert [name for name in watch.order if name == "gone"] == ["gone", "gone"]


async def test_what_the_pbx_does_not_answer_is_unreadable(watch: Any, clock: Any) -> None:
    watch.pbx.failing["c1"] = PbxUnreachable("HTTP 502")
    watch.at("c1")
    await clock.let_pass(1)
    assert watch.seen["c1"] == UNREADABLE


async def test_a_call_that_hangs_holds_up_no_other(watch: Any, clock: Any) -> None:
    watch.pbx.slow = 15.0
    watch.at("c1")
    await clock.let_pass(0.5)
    watch.pbx.slow = 0.0
    watch.at("c2")
    await clock.let_pass(0.5)
    assert list(watch.seen) == ["c2"]


async def test_so_many_reads_are_under_way_and_no_more(watch: Any, clock: Any) -> None:
    watch.scopes = SCOPES * 100
    for number in range(1, 13):
        watch.at(f"c{number}")
    await clock.let_pass(9)
    assert (watch.pbx.most_under_way, len(watch.seen)) == (READS_AT_A_TIME, 12)


async def test_what_is_undecided_is_read_first(watch: Any, clock: Any) -> None:
    watch.scopes = SCOPES * 100
    busy(watch)
    for number in range(5, 9):
        watch.at(f"c{number}")
    watch.at("c9", Haste.EXPECTING)
    watch.at("c10", Haste.EXPECTING)
    await clock.let_pass(9)
    assert set(watch.order[READS_AT_A_TIME : READS_AT_A_TIME + 4]) >= {"c9", "c10"}


async def test_what_is_undecided_does_not_starve_the_rest(watch: Any, clock: Any) -> None:
    watch.scopes = SCOPES * 100
    busy(watch)
    watch.at("c5")
    for number in range(6, 13):
        watch.at(f"c{number}", Haste.EXPECTING)
    await clock.let_pass(2)
    assert "c5" in watch.seen


async def test_who_comes_later_is_placed_behind_what_was_read_already(watch: Any, clock: Any) -> None:
    watch.scopes = SCOPES * 100
    busy(watch)
    for number in range(5, 13):
        watch.at(f"c{number}", Haste.EXPECTING)
    await clock.let_pass(1.5)
    watch.at("c1")
    await clock.let_pass(9)
    assert watch.asked(READS)[2 * READS_AT_A_TIME :] == ["c9", "c10", "c1", "c11", "c12"]


async def test_after_the_end_nothing_is_begun(watch: Any, clock: Any) -> None:
    watch.scopes = SCOPES * 100
    for number in range(1, 9):
        watch.at(f"c{number}")
    await clock.let_pass(0.5)
    await watch.poller.stop()
    await clock.let_pass(9)
    assert len(watch.pbx.asked) == READS_AT_A_TIME


# ── whose turns it takes ──


@dataclass
class Noting:
    """A PBX without calls, which notes what it is asked and answers after a second."""

    clock: Any
    asked: list[str] = field(default_factory=list)

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        await self._answer(READS)
        return None

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        await self._answer(LISTS)
        return ()

    async def presence(self, user: str, extension: str) -> Presence | None:
        await self._answer("presence")
        return None

    async def act(self, *what: Any) -> Any:
        raise AssertionError("polling sends nothing")

    async def _answer(self, kind: str) -> None:
        self.asked.append(kind)
        await self.clock.sleep(1.0)


def polls(poller: Poller, haste: Haste, many: int = 1) -> Awaitable[object]:
    return asyncio.gather(*(poller.poll(("12", "0003*210", f"c{number}"), haste) for number in range(many)))


ASKED: dict[str, tuple[Callable[[Poller], Awaitable[object]], list[str], list[str]]] = {
    "a poll while a change is expected": (lambda poller: polls(poller, Haste.EXPECTING), [READS], []),
    "a poll to be sure": (lambda poller: polls(poller, Haste.DOUBTING), [READS], []),
    "a poll in the middle of a call": (lambda poller: polls(poller, Haste.WATCHING), [], [READS]),
    "polls for which a list is read": (lambda poller: polls(poller, Haste.EXPECTING, 6), [READS] * 6, [LISTS]),
    "a snapshot": (lambda poller: poller.snapshot(8.0), [LISTS], []),
    "a scan": (lambda poller: poller.scan(), [], [LISTS]),
    "the presence of a phone": (lambda poller: poller.presence("3", "0003*024"), ["presence"], []),
}


@pytest.mark.parametrize(("ask", "urgent", "background"), ASKED.values(), ids=ASKED)
async def test_what_a_person_waits_for_is_asked_urgently_and_the_rest_in_the_background(
    clock: Any, ask: Callable[[Poller], Awaitable[object]], urgent: list[str], background: list[str]
) -> None:
    first, second = Noting(clock), Noting(clock)
    poller = Poller(
        urgent=first,
        background=second,
        scopes=lambda: SCOPES[:1],
        every=lambda: 1.0,
        clock=clock,
        sleep=clock.sleep,
        random=lambda: 0.5,
    )
    asking = asyncio.ensure_future(ask(poller))
    await clock.let_pass(9)
    await asking
    assert (first.asked, second.asked) == (urgent, background)


# ── how soon a call is polled again ──


async def paused(watch: Any, clock: Any, haste: Haste) -> float:
    """Seconds until the next poll."""
    begun, ended = float(clock()), list[float]()

    async def pause() -> None:
        await watch.poller.pause(haste)
        ended.append(clock())

    task = asyncio.create_task(pause())
    await clock.let_pass(60)
    await task
    return ended[0] - begun


async def outage(watch: Any, clock: Any, seconds: float) -> None:
    """The PBX has not answered for so many seconds."""
    watch.pbx.slow = 0.0
    watch.pbx.failing["c1"] = PbxUnreachable("not connected")
    watch.at("c1")
    await clock.let_pass(seconds)


@pytest.mark.parametrize(("haste", "seconds"), [(Haste.DOUBTING, 0.3), (Haste.EXPECTING, 0.5), (Haste.WATCHING, 1.0)])
async def test_how_soon_a_call_is_polled_again(watch: Any, clock: Any, haste: Haste, seconds: float) -> None:
    assert await paused(watch, clock, haste) == pytest.approx(seconds)


@pytest.mark.parametrize(("seconds", "pause"), [(0.2, 0.5), (2, 1.2), (8, 4.8), (3600, 7.5)])
async def test_the_longer_the_pbx_has_not_answered_the_longer_the_pause(
    watch: Any, clock: Any, seconds: float, pause: float
) -> None:
    await outage(watch, clock, seconds)
    assert await paused(watch, clock, Haste.EXPECTING) == pytest.approx(pause)


@pytest.mark.parametrize("back", ["it answers", "it says no"])
async def test_a_pbx_that_is_back_ends_the_long_pauses_within_a_second(watch: Any, clock: Any, back: str) -> None:
    await outage(watch, clock, 600)
    waiting = asyncio.create_task(watch.poller.pause(Haste.WATCHING))
    await clock.let_pass(1.5)
    if back == "it says no":
        watch.pbx.failing["c2"] = AccessDenied("access_denied")
    watch.at("c2")
    await clock.let_pass(1.0)
    assert waiting.done()


async def test_a_no_does_not_make_the_pauses_longer(watch: Any, clock: Any) -> None:
    watch.pbx.failing["c1"] = AccessDenied("access_denied")
    watch.at("c1")
    await clock.let_pass(60)
    assert await paused(watch, clock, Haste.WATCHING) == pytest.approx(1.0)
