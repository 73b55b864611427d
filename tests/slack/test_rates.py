"""How fast requests go, with a clock that stands until it is moved."""

import itertools

import pytest

from bot.sandbox.slack_limits import RateGate, SlackLimits
from bot.slack.rates import AT_ONCE, BURST, HISTORY, MOST_CHANNELS, PER_MINUTE, POST, UPDATE, Gates


def sent_within(gates: Gates, seconds: float, method: str = UPDATE, channel: str = "") -> list[float]:
    """When requests pass that are always waiting, from 0 to `seconds`."""
    times: list[float] = []
    now = 0.0
    while now <= seconds and len(times) < 1000:
        wait = gates.wait(method, channel, now)
        if wait <= 0:
            gates.passed(method, channel, now)
            times.append(now)
        now += max(wait, 0.0)
    return times


def test_thirty_changes_at_one_moment_go_at_once() -> None:
    assert sent_within(Gates(), 60)[:30] == [0.0] * 30


def test_in_no_minute_there_are_more_updates_than_slack_takes() -> None:
    times = sent_within(Gates(), 300)
    assert max(sum(start <= at < start + 60 for at in times) for start in times) <= PER_MINUTE[UPDATE]


def test_a_storm_that_never_ends_meets_no_refusal_of_the_strict_workspace() -> None:
    clock = [0.0]
    slack = RateGate(SlackLimits(), lambda: clock[0])
    refused = []
    for at in sent_within(Gates(), 300):
        clock[0] = at
        refused.append(slack.request(UPDATE))
    assert set(refused) == {None}


def test_after_a_storm_the_way_is_never_closed_for_long() -> None:
    times = sent_within(Gates(), 300)
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 7


def test_thirty_changes_a_minute_never_wait() -> None:
    gates = Gates()
    waits = []
    for number in range(300):
        waits.append(gates.wait(UPDATE, "", number * 2.0))
        gates.passed(UPDATE, "", number * 2.0)
    assert max(waits) == 0


def test_posts_in_one_channel_go_in_a_burst_and_then_one_by_one() -> None:
    times = sent_within(Gates(), 5, POST, "C0FLOOR")
    assert (times.count(0.0), len(times)) == (BURST, BURST + 4)


def test_posts_in_one_channel_meet_no_refusal_of_the_strict_workspace() -> None:
    clock = [0.0]
    slack = RateGate(SlackLimits(), lambda: clock[0])
    refused = []
    for at in sent_within(Gates(), 60, POST, "C0FLOOR"):
        clock[0] = at
        refused.append(slack.post("C0FLOOR"))
    assert set(refused) == {None}


def test_a_busy_channel_does_not_hold_another_one_up() -> None:
    gates = Gates()
    for _ in range(BURST):
        gates.passed(POST, "C0FLOOR", 0.0)
    assert (gates.wait(POST, "C0FLOOR", 0.0) > 0, gates.wait(POST, "U0ANA", 0.0)) == (True, 0.0)


def test_each_method_has_a_minute_of_its_own() -> None:
    gates = Gates()
    for _ in range(AT_ONCE):
        gates.passed(UPDATE, "", 0.0)
    assert (gates.wait(UPDATE, "", 0.0) > 0, gates.wait(HISTORY, "", 0.0)) == (True, 0.0)


@pytest.mark.parametrize(("method", "channel"), [(UPDATE, ""), (POST, "C0FLOOR")])
def test_what_slack_closes_stays_closed_until_it_said(method: str, channel: str) -> None:
    gates = Gates()
    gates.close(method, channel, 12.0)
    assert (gates.wait(method, channel, 2.0), gates.wait(method, channel, 12.0)) == (10.0, 0.0)


def test_what_slack_closes_for_one_channel_is_open_for_another() -> None:
    gates = Gates()
    gates.close(POST, "C0FLOOR", 12.0)
    assert gates.wait(POST, "U0ANA", 2.0) == 0.0


def test_only_the_channels_of_the_last_posts_are_remembered() -> None:
    gates = Gates()
    for number in range(MOST_CHANNELS + 10):
        for _ in range(BURST):
            gates.passed(POST, f"C{number}", 0.0)
    waits = [gates.wait(POST, f"C{number}", 0.0) for number in range(MOST_CHANNELS + 10)]
    assert (waits[0], sum(wait > 0 for wait in waits)) == (0.0, MOST_CHANNELS)
