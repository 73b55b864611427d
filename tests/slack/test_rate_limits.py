"""Slack's rate limits, with a clock that the tests move."""

import itertools

import pytest

from bot.sandbox.workspace.limits import RateGate, SlackLimits
from bot.slack.rate_limits import (
    BEFORE_PACING,
    BETWEEN_POSTS,
    BURST,
    HISTORY,
    MOST_CHANNELS,
    NOT_SPARE,
    PER_MINUTE,
    POST,
    SPARE_PER_MINUTE,
    UPDATE,
    SlackRateLimits,
)


def sent_within(
    limits: SlackRateLimits, seconds: float, method: str = UPDATE, channel: str = "", *, spare: bool = False
) -> list[float]:
    """When requests pass that are always waiting, from 0 to `seconds`."""
    times: list[float] = []
    now = 0.0
    while now <= seconds and len(times) < 1000:
        wait = limits.wait(method, channel, now, spare=spare)
        if wait <= 0:
            limits.passed(method, channel, now)
            times.append(now)
        now += max(wait, 0.0)
    return times


def test_thirty_changes_at_one_moment_go_at_once() -> None:
    assert sent_within(SlackRateLimits(), 60)[:30] == [0.0] * 30


def test_a_storm_that_never_ends_meets_no_refusal_of_the_strict_workspace() -> None:
    clock = [0.0]
    slack = RateGate(SlackLimits(), lambda: clock[0])
    refused = []
    for at in sent_within(SlackRateLimits(), 300):
        clock[0] = at
        refused.append(slack.request(UPDATE))
    assert set(refused) == {None}


def test_after_a_storm_the_way_is_never_closed_for_long() -> None:
    times = sent_within(SlackRateLimits(), 300)
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 7


def test_thirty_changes_a_minute_never_wait() -> None:
    limits = SlackRateLimits()
    waits = []
    for number in range(300):
        waits.append(limits.wait(UPDATE, "", number * 2.0))
        limits.passed(UPDATE, "", number * 2.0)
    assert max(waits) == 0


def test_posts_in_one_channel_go_in_a_burst_and_then_one_by_one() -> None:
    times = sent_within(SlackRateLimits(), 5, POST, "C0FLOOR")
    assert (times.count(0.0), len(times)) == (BURST, BURST + 4)


def test_posts_in_one_channel_meet_no_refusal_of_the_strict_workspace() -> None:
    clock = [0.0]
    slack = RateGate(SlackLimits(), lambda: clock[0])
    refused = []
    for at in sent_within(SlackRateLimits(), 60, POST, "C0FLOOR"):
        clock[0] = at
        refused.append(slack.post("C0FLOOR"))
    assert set(refused) == {None}


def test_a_busy_channel_does_not_hold_another_one_up() -> None:
    limits = SlackRateLimits()
    for _ in range(BURST):
        limits.passed(POST, "C0FLOOR", 0.0)
    assert (limits.wait(POST, "C0FLOOR", 0.0) > 0, limits.wait(POST, "U0ANA", 0.0)) == (True, 0.0)


def test_each_method_has_a_minute_of_its_own() -> None:
    limits = SlackRateLimits()
    for _ in range(BEFORE_PACING):
        limits.passed(UPDATE, "", 0.0)
    assert (limits.wait(UPDATE, "", 0.0) > 0, limits.wait(HISTORY, "", 0.0)) == (True, 0.0)


@pytest.mark.parametrize(("method", "channel"), [(UPDATE, ""), (POST, "C0FLOOR")])
def test_what_slack_closes_stays_closed_until_it_said(method: str, channel: str) -> None:
    limits = SlackRateLimits()
    limits.close(method, channel, 12.0)
    assert (limits.wait(method, channel, 2.0), limits.wait(method, channel, 12.0)) == (10.0, 0.0)


def test_what_slack_closes_for_one_channel_is_open_for_another() -> None:
    limits = SlackRateLimits()
    limits.close(POST, "C0FLOOR", 12.0)
    assert limits.wait(POST, "U0ANA", 2.0) == 0.0


def test_what_slack_closes_for_the_workspace_is_closed_in_every_channel() -> None:
    limits = SlackRateLimits()
    limits.close(POST, "", 12.0)
    assert (limits.wait(POST, "C0FLOOR", 2.0), limits.wait(UPDATE, "C0FLOOR", 2.0)) == (10.0, 0.0)


def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    limits = SlackRateLimits()
    limits.close(POST, "", 12.0)
    limits.close(POST, "", 3.0)
    assert limits.wait(POST, "", 2.0) == 10.0


def test_changes_of_messages_in_a_channel_are_no_messages_there() -> None:
    limits = SlackRateLimits()
    for _ in range(BURST + 1):
        limits.passed(UPDATE, "C0FLOOR", 0.0)
    assert limits.wait(POST, "C0FLOOR", 0.0) == 0.0


def test_only_the_channels_of_the_last_posts_are_remembered() -> None:
    limits = SlackRateLimits()
    for _ in range(BURST):
        for channel in ("Cagain", *(f"C{number}" for number in range(MOST_CHANNELS - 1)), "Cagain"):
            limits.passed(POST, channel, 0.0)
    for _ in range(BURST):
        limits.passed(POST, "Cone more", 0.0)
    waits = [limits.wait(POST, channel, 0.0) > 0 for channel in ("Cagain", "C0", "C1", "Cone more")]
    assert waits == [True, False, True, True]


WAITS = [
    (False, [0.0, 5.0, *[9.0] * 37, 60.0], 61.0 - 60.0),
    (False, [0.0, 5.0, *[9.0] * 38, 60.0], 66.0 - 60.0),
    (False, [0.0, 5.0, *[9.0] * 48], 61.0 - 60.0),
    (True, [0.0, 5.0, *[9.0] * 29, 60.0], 66.0 - 60.0),
    (True, [0.0, 5.0, *[9.0] * 36], 66.0 - 60.0),
]


@pytest.mark.parametrize(("spare", "passed", "wait"), WAITS)
def test_it_is_known_to_the_moment_when_a_minute_has_room_again(
    *, spare: bool, passed: list[float], wait: float
) -> None:
    limits = SlackRateLimits()
    for at in passed:
        limits.passed(UPDATE, "", at)
    assert limits.wait(UPDATE, "", 60.0, spare=spare) == pytest.approx(wait)


# ── what alerts leave to others ──

ROOM = [(0, 31), (1, 30), (20, 11), (30, 1), (31, 0), (37, 0), (45, 0)]


@pytest.mark.parametrize(("used", "room"), ROOM)
def test_alerts_go_at_once_while_less_than_31_requests_of_a_minute_are_used(used: int, room: int) -> None:
    limits = SlackRateLimits()
    for _ in range(used):
        limits.passed(UPDATE, "", 0.0)
    assert len(sent_within(limits, 10, spare=True)) == room


def test_a_storm_of_alerts_leaves_thirteen_requests_of_any_minute() -> None:
    times = sent_within(SlackRateLimits(), 300, spare=True)
    most = max(sum(start <= at < start + 60 for at in times) for start in times)
    assert most <= SPARE_PER_MINUTE == PER_MINUTE[UPDATE] - 13


def test_after_a_storm_of_alerts_the_way_is_not_closed_to_alerts_for_long() -> None:
    times = sent_within(SlackRateLimits(), 300, spare=True)
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 10.2


def test_thirty_alerts_a_minute_never_wait() -> None:
    limits, waits = SlackRateLimits(), list[float]()
    for number in range(300):
        waits.append(limits.wait(UPDATE, "", number * 2.0, spare=True))
        limits.passed(UPDATE, "", number * 2.0)
    assert max(waits) == 0


STORMS = [(2.0, 61.0), (3.0, 61.0), (8.0, 0.0), (30.0, 0.0)]


@pytest.mark.parametrize(("every", "storm_at"), STORMS)
def test_interventions_never_wait_for_a_storm_of_alerts(every: float, storm_at: float) -> None:
    """Neither thirty a minute that were going on before it, nor those few that come when it has used all that it may."""
    limits, waits = SlackRateLimits(), list[float]()
    for number in range(int(300 / every)):
        now = number * every
        while now >= storm_at and limits.wait(UPDATE, "", now, spare=True) <= 0:
            limits.passed(UPDATE, "", now)
        waits.append(limits.wait(UPDATE, "", now))
        limits.passed(UPDATE, "", now)
    assert max(waits) == 0


BURSTS = [(0, 3), (1, 2), (2, 1), (3, 0), (5, 0)]


@pytest.mark.parametrize(("used", "room"), BURSTS)
def test_the_last_two_posts_of_a_channels_burst_are_not_for_alerts(used: int, room: int) -> None:
    limits = SlackRateLimits()
    for _ in range(used):
        limits.passed(POST, "C0FLOOR", 0.0)
    assert len(sent_within(limits, 0.5, POST, "C0FLOOR", spare=True)) == room


def test_alerts_are_posted_as_fast_as_slack_takes_them_once_the_burst_is_used() -> None:
    times = sent_within(SlackRateLimits(), 20, POST, "C0FLOOR", spare=True)
    later = times[BURST - NOT_SPARE :]
    assert {round(b - a, 6) for a, b in itertools.pairwise(later)} == {BETWEEN_POSTS}


def test_after_a_storm_of_alerts_two_posts_in_their_channel_go_at_once() -> None:
    limits, waits = SlackRateLimits(), list[float]()
    last = sent_within(limits, 20, POST, "C0FLOOR", spare=True)[-1]
    for _ in range(3):
        waits.append(limits.wait(POST, "C0FLOOR", last))
        limits.passed(POST, "C0FLOOR", last)
    assert waits == [0.0, 0.0, pytest.approx(BETWEEN_POSTS)]


def test_what_slack_closes_is_closed_for_alerts_too() -> None:
    limits = SlackRateLimits()
    limits.close(UPDATE, "", 12.0)
    assert limits.wait(UPDATE, "", 2.0, spare=True) == 10.0
