"""Scans: every scope is listed once for the alerts, and the same lists answer the polls of tracked calls."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.calls import PhoneCall
from bot.domain.errors import AccessDenied, PbxBusy, PbxError, PbxUnauthenticated, PbxUnreachable, UserInvalid
from bot.domain.intervention import Poll
from bot.domain.permissions import Scope
from bot.polling.poller import QUICK_SCAN, Haste
from bot.polling.scan import READS_AT_A_TIME, Scan

MakeCall = Callable[..., PhoneCall]
READS, LISTS = "get", "list"


def begin(watch: Any) -> "asyncio.Task[Scan]":
    return asyncio.create_task(watch.poller.scan())


async def scanned(watch: Any, clock: Any, seconds: float = 1.0) -> Scan:
    task = begin(watch)
    await clock.let_pass(seconds)
    return task.result()


# ── what it shows ──


async def test_every_scope_is_listed_once_and_each_call_is_there_once(watch: Any, clock: Any) -> None:
    watch.pbx.shown_by["c3"] = ("@me", "12")
    scan = await scanned(watch, clock)
    assert (sorted(watch.asked(LISTS)), watch.asked(READS)) == (["12", "@me"], [])
    assert (scan.calls, scan.read, scan.unread) == (tuple(watch.pbx.calls.values()), 2, 0)


async def test_a_call_that_is_not_shown_is_missed_where_every_scope_answers(watch: Any, clock: Any) -> None:
    assert (await scanned(watch, clock)).misses("gone")


async def test_a_call_of_a_scope_that_does_not_answer_is_in_doubt_and_no_other(watch: Any, clock: Any) -> None:
    watch.pbx.shown_by = {"c1": ("12",)}
    await scanned(watch, clock)
    watch.pbx.failing["12"] = PbxUnreachable("down")
    scan = await scanned(watch, clock)
    assert (scan.unread, scan.misses("c1"), scan.misses("gone")) == (1, False, True)


async def test_what_was_in_doubt_stays_so_as_long_as_its_scope_does_not_answer(watch: Any, clock: Any) -> None:
    watch.pbx.shown_by = {"c1": ("12",)}
    await scanned(watch, clock)
    watch.pbx.failing["12"] = PbxUnreachable("down")
    await scanned(watch, clock)
    assert not (await scanned(watch, clock)).misses("c1")


async def test_an_empty_list_and_then_no_answer_are_not_two_scans_without_a_call(watch: Any, clock: Any) -> None:
    watch.pbx.shown_by = {"c1": ("12",)}
    await scanned(watch, clock)
    call = watch.pbx.calls.pop("c1")
    assert (await scanned(watch, clock)).misses("c1")
    watch.pbx.calls["c1"] = call
    watch.pbx.failing["12"] = PbxUnreachable("down")
    assert not (await scanned(watch, clock)).misses("c1")


async def test_while_a_scope_has_never_answered_nothing_is_missed(watch: Any, clock: Any) -> None:
    watch.pbx.failing["12"] = PbxUnreachable("down")
    assert not (await scanned(watch, clock)).misses("gone")


@pytest.mark.parametrize(
    ("failure", "read"),
    [
        (UserInvalid("user_invalid"), 2),
        (AccessDenied("access_denied"), 1),
        (PbxBusy("", 429), 1),
        (PbxUnauthenticated("access_denied"), 1),
        (PbxUnreachable("down"), 1),
    ],
)
async def test_only_a_scope_that_the_pbx_does_not_know_has_no_calls(
    watch: Any, clock: Any, failure: PbxError, read: int
) -> None:
    watch.pbx.shown_by = {"c1": ("12",)}
    await scanned(watch, clock)
    watch.pbx.failing["12"] = failure
    scan = await scanned(watch, clock)
    assert (scan.read, scan.misses("c1")) == (read, read == 2)


async def test_a_scope_that_is_refused_from_the_first_leaves_no_doubt_for_ever(watch: Any, clock: Any) -> None:
    watch.pbx.failing["12"] = AccessDenied("access_denied")
    assert (await scanned(watch, clock)).misses("gone")


async def test_a_side_that_only_a_silent_scope_has_shown_is_not_lost(
    watch: Any, clock: Any, a_call: MakeCall, a_view: Any
) -> None:
    both, one = a_call(a_view(), a_view("02", extension="0003*299")), a_call(a_view())
    watch.pbx.calls = {"c1": one}
    shown = await scanned(watch, clock)
    assert [len(call.views) for call in shown.calls] == [1]
    watch.pbx.calls, watch.pbx.shown_by = {"c1": both}, {"c1": ("12",)}
    await scanned(watch, clock)
    watch.pbx.calls, watch.pbx.shown_by = {"c1": one}, {"c1": ("@me",)}
    watch.pbx.failing["12"] = PbxUnreachable("down")
    shown = await scanned(watch, clock)
    assert ["0003*299" in call.parties for call in shown.calls] == [True]


async def test_a_scope_that_is_watched_no_more_leaves_no_doubt(watch: Any, clock: Any) -> None:
    watch.pbx.shown_by = {"c1": ("12",)}
    await scanned(watch, clock)
    watch.scopes = (Scope("@me"),)
    assert (await scanned(watch, clock)).misses("c1")


# ── and tracked calls ──


async def test_a_scan_answers_the_polls_of_tracked_calls(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    watch.at("c1")
    watch.at("c2")
    await clock.let_pass(0)
    assert watch.asked(READS) == []
    await scanned(watch, clock)
    assert (watch.seen, watch.asked(READS)) == (
        {name: Poll(call=watch.pbx.calls[name]) for name in ("c1", "c2")},
        [],
    )


async def test_a_poll_during_a_scan_is_answered_by_the_next_one(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    task = begin(watch)
    await clock.let_pass(0.5)
    watch.at("c1")
    await clock.let_pass(0.5)
    assert task.done()
    assert watch.seen == {}
    await scanned(watch, clock)
    assert "c1" in watch.seen


async def test_what_no_list_shows_is_read_by_itself(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    watch.at("gone")
    await scanned(watch, clock, 2)
    assert (watch.asked(READS), watch.seen["gone"]) == (["gone"], Poll())


async def test_while_a_phone_rings_its_call_is_read_by_itself(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    watch.at("c1", Haste.EXPECTING)
    await clock.let_pass(1)
    assert (watch.asked(READS), "c1" in watch.seen) == (["c1"], True)


async def test_many_ringing_phones_wait_for_the_lists(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    for number in range(1, 5):
        watch.at(f"c{number}")
    for number in range(5, 12):
        watch.at(f"c{number}", Haste.EXPECTING)
    await scanned(watch, clock, 9)
    assert len(watch.seen) == 11
    assert len(watch.asked(READS)) <= READS_AT_A_TIME


async def test_a_scan_that_takes_too_long_keeps_no_tracked_call_waiting(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    watch.at("c1")
    watch.pbx.slow = 30.0
    begin(watch)
    await clock.let_pass(QUICK_SCAN - 0.1)
    assert watch.asked(READS) == []
    watch.pbx.slow = 1.0
    await clock.let_pass(1.1)
    assert (watch.asked(READS), "c1" in watch.seen) == (["c1"], True)


async def test_a_call_polled_during_a_slow_scan_is_read_alone(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    watch.pbx.slow = 30.0
    begin(watch)
    await clock.let_pass(QUICK_SCAN)
    watch.pbx.slow = 1.0
    watch.at("c1")
    await clock.let_pass(1)
    assert "c1" in watch.seen


async def test_without_scans_tracked_calls_are_polled_as_before(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    watch.at("c1")
    await clock.let_pass(3)
    assert watch.seen == {}
    watch.poller.stop_scanning()
    await clock.let_pass(1)
    assert (watch.asked(READS), "c1" in watch.seen) == (["c1"], True)


async def test_a_poll_that_waits_for_a_scan_does_not_pause_before(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    await asyncio.wait_for(watch.poller.pause(Haste.WATCHING), 1)


async def test_there_are_pauses_between_scans(watch: Any, clock: Any) -> None:
    await scanned(watch, clock)
    pause = asyncio.create_task(watch.poller.pause(Haste.WATCHING, before_scan=True))
    await clock.let_pass(0.9)
    assert not pause.done()
    await clock.let_pass(0.1)
    assert pause.done()


async def test_a_pbx_that_does_not_answer_stretches_the_pause_between_scans(watch: Any, clock: Any) -> None:
    watch.pbx.failing = {"@me": PbxUnreachable("down"), "12": PbxUnreachable("down")}
    await scanned(watch, clock)
    await clock.let_pass(9)
    await scanned(watch, clock)
    pause = asyncio.create_task(watch.poller.pause(Haste.WATCHING, before_scan=True))
    await clock.let_pass(5)
    assert not pause.done()
    await clock.let_pass(2)
    assert pause.done()
