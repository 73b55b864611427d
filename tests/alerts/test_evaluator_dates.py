"""Dates that are missing, in the future, or in two zones: no rule fires too early by them, and each is reported once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import AlertRule, When
from bot.alerts.evaluator import Evaluator, FirstSeen, TrackedCall
from bot.domain.calls import PhoneCall, PhoneCallView

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
RULES = tuple(AlertRule(when, when, timedelta(), "C0ALERTS") for when in When)
CONDITIONS: dict[When, dict[str, Any]] = {
    When.RINGING: {"status": 3, "answered": None},
    When.TALKING: {"status": 5},
    When.ON_HOLD: {"status": 5, "answered": "11:59:30"},
    When.PARKED: {"status": 0, "answered": None},
}
FIELD = {When.RINGING: "published", When.TALKING: "answered", When.ON_HOLD: "onHold", When.PARKED: "parked"}


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def evaluator() -> Evaluator:
    evaluator = Evaluator()
    evaluator.use_rules(RULES, {})
    return evaluator


@pytest.fixture(scope="session")
def a_call_with(a_call: MakeCall, a_view: MakeView) -> Callable[..., PhoneCall]:
    """A call that shows the condition since that date; a date without a day is of today, in UTC."""

    def build(when: When, date: str | None, *, published: str | None = "11:59:00", **fields: Any) -> PhoneCall:
        dates = {"published": published, FIELD[when]: date}
        shown = CONDITIONS[when] | fields | {name: text for name, text in dates.items() if name != "published"}
        view = a_view(**{name: _whole(text) for name, text in shown.items()})
        return a_call(view, published=_whole(dates["published"]))

    return build


def _whole(text: Any) -> Any:
    return f"2026-11-21T{text}+00:00" if isinstance(text, str) and len(text) == 8 else text


def scan(evaluator: Evaluator, now: datetime, *calls: PhoneCall, complete: bool = True) -> list[tuple[When, timedelta]]:
    """One complete scan: the conditions of the rules that fire, and how long they have lasted."""
    evaluator.begin_scan()
    due = evaluator.evaluate(calls, now)
    list(evaluator.end_scan(now, complete=complete))
    return [(one.rule.when, now - one.since) for one in due]


def held_for(evaluator: Evaluator, when: When, now: datetime) -> timedelta | None:
    match = evaluator.match(f"{when} C0ALERTS {when}", "c1")
    return None if match is None else now - match.since


# ── missing and ahead ──


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-11-31T12:00:00Z", 1763726400])
@pytest.mark.parametrize("when", [When.RINGING, When.TALKING])
def test_without_a_date_nothing_fires_and_that_is_reported(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, when: When, date: Any
) -> None:
    call = a_call_with(when, date, published=date, answered=date)
    assert (scan(evaluator, noon, call), evaluator.unusable_dates()) == ([], [(when, "missing")])


@pytest.mark.parametrize("when", [When.ON_HOLD, When.PARKED])
def test_what_is_nothing_but_a_date_does_not_hold_without_one(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    scan(evaluator, noon, a_call_with(when, None))
    assert held_for(evaluator, when, noon) is None


@pytest.mark.parametrize("when", CONDITIONS)
def test_a_date_ahead_fires_nothing_and_is_reported(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    scan(evaluator, noon, a_call_with(when, "12:00:06"))
    assert (held_for(evaluator, when, noon), (when, "future") in evaluator.unusable_dates()) == (None, True)


def test_clocks_may_differ_a_little(evaluator: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    scan(evaluator, noon, a_call_with(When.TALKING, "12:00:05"))
    assert (held_for(evaluator, When.TALKING, noon), evaluator.unusable_dates()) == (seconds(-5), [])


@pytest.mark.parametrize("when", CONDITIONS)
def test_a_date_ahead_counts_once_it_is_there_though_the_call_stays_as_it_is(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    call = a_call_with(when, "12:00:20")
    held = []
    for second in (0, 14, 15, 21):
        scan(evaluator, noon + seconds(second), call)
        held.append(held_for(evaluator, when, noon + seconds(second)))
    assert held == [None, None, seconds(-5), seconds(1)]


def test_of_two_dates_ahead_each_counts_once_it_is_there(
    evaluator: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    call = a_call(a_view(answered="2026-11-21T12:00:20Z", onHold="2026-11-21T12:00:40Z"))
    for second in (0, 21):
        scan(evaluator, noon + seconds(second), call)
    assert held_for(evaluator, When.TALKING, noon + seconds(21)) == seconds(1)


# ── contradictory ──

LATER = [When.TALKING, When.ON_HOLD, When.PARKED]


@pytest.mark.parametrize("when", LATER)
def test_what_began_before_the_call_counts_from_the_call(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    scan(evaluator, noon, a_call_with(when, "10:59:05"))
    assert (held_for(evaluator, when, noon), (when, "contradictory") in evaluator.unusable_dates()) == (
        seconds(60),
        True,
    )


def test_a_date_of_the_documented_sample_is_not_an_hour_old(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.TALKING, "2026-11-21T13:59:55+03:00", published="2026-11-21T13:59:50+02:00")
    scan(evaluator, noon, call)
    assert held_for(evaluator, When.TALKING, noon) == seconds(10)


def test_what_began_with_the_call_is_no_contradiction(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    scan(evaluator, noon, a_call_with(When.TALKING, "11:59:00"))
    assert (held_for(evaluator, When.TALKING, noon), evaluator.unusable_dates()) == (seconds(60), [])


def test_a_call_that_came_in_the_future_contradicts_nothing(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    held = []
    for second in (0, 7200):
        scan(
            evaluator,
            noon + seconds(second),
            a_call_with(When.TALKING, "11:59:05", published="12:59:00", callerId=f"{second}"),
        )
        held.append(held_for(evaluator, When.TALKING, noon + seconds(second)))
    assert held == [seconds(55), seconds(7255)]


def test_what_began_before_a_call_that_has_come_since_the_last_scan_counts_from_the_call(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    scan(evaluator, noon - seconds(2))
    scan(evaluator, noon, a_call_with(When.TALKING, "10:59:59", published="11:59:59"))
    assert held_for(evaluator, When.TALKING, noon) == seconds(1)


@pytest.mark.parametrize("published", [None, "nonsense"])
def test_a_call_that_does_not_say_when_it_came_contradicts_nothing(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, published: str | None
) -> None:
    scan(evaluator, noon, a_call_with(When.TALKING, "11:59:05", published=published))
    assert (held_for(evaluator, When.TALKING, noon), evaluator.unusable_dates()) == (seconds(55), [])


# ── implausible: what the last complete scan did not show is not much older ──


@pytest.mark.parametrize("published", ["11:45:00", "11:30:00", "10:59:58", "0001-01-01T00:00:00Z"])
def test_a_new_call_that_would_be_much_older_than_the_last_scan_counts_from_its_first_sight(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, published: str
) -> None:
    scan(evaluator, noon - seconds(1))
    assert scan(evaluator, noon, a_call_with(When.RINGING, published, published=published)) == [
        (When.RINGING, seconds(0))
    ]
    assert evaluator.unusable_dates() == [(When.RINGING, "implausible")]


def test_the_first_sight_of_a_call_stays_the_first(evaluator: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    scan(evaluator, noon - seconds(1))
    held = []
    for second in (0, 5):
        call = a_call_with(When.RINGING, "10:00:00", published="10:00:00", callerId=f"{second}")
        held += scan(evaluator, noon + seconds(second), call)
    assert held == [(When.RINGING, seconds(0)), (When.RINGING, seconds(5))]


@pytest.mark.parametrize("published", ["11:45:01", "11:58:00", "11:59:59", "12:00:00"])
def test_a_new_call_may_be_a_little_older_than_the_last_scan(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, published: str
) -> None:
    scan(evaluator, noon - seconds(1))
    scan(evaluator, noon, a_call_with(When.RINGING, published, published=published))
    assert evaluator.unusable_dates() == []


def test_a_new_call_may_be_as_old_as_the_last_scan_is_long_ago(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    scan(evaluator, noon - seconds(7200))
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert scan(evaluator, noon, call) == [(When.RINGING, seconds(7200))]


def test_at_the_first_scan_of_all_a_call_may_be_of_any_age(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.RINGING, "02:00:00", published="02:00:00")
    assert scan(evaluator, noon, call) == [(When.RINGING, seconds(36000))]


def test_a_scan_that_was_not_whole_may_have_left_a_call_out(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    scan(evaluator, noon - seconds(1), complete=False)
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert scan(evaluator, noon, call) == [(When.RINGING, seconds(7200))]


def test_a_whole_scan_still_tells_what_was_not_there_when_one_that_is_not_whole_has_followed(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    scan(evaluator, noon - seconds(2))
    scan(evaluator, noon - seconds(1), complete=False)
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert scan(evaluator, noon, call) == [(When.RINGING, seconds(0))]


def test_a_scan_that_has_nothing_to_show_is_a_whole_scan(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    evaluator.begin_scan()
    list(evaluator.end_scan(noon - seconds(1), complete=True))
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert scan(evaluator, noon, call) == [(When.RINGING, seconds(0))]


def test_what_comes_during_a_long_scan_is_as_old_as_it_says(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    evaluator.begin_scan()
    for minutes in (60, 30, 0):
        evaluator.evaluate([], noon - timedelta(minutes=minutes))
    list(evaluator.end_scan(noon, complete=True))
    call = a_call_with(When.RINGING, "11:15:00", published="11:15:00")
    assert scan(evaluator, noon, call) == [(When.RINGING, timedelta(minutes=45))]


def test_a_call_missing_for_a_moment_keeps_its_age(evaluator: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    scan(evaluator, noon, call)
    for second in (1, 30, 59):
        scan(evaluator, noon + seconds(second))
    assert scan(evaluator, noon + seconds(60), call) == [(When.RINGING, seconds(7260))]


def test_a_call_forgotten_while_a_scope_did_not_answer_keeps_its_age(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    scan(evaluator, noon, call)
    for second in (1, 61):
        scan(evaluator, noon + seconds(second), complete=False)
    assert scan(evaluator, noon + seconds(62), call) == [(When.RINGING, seconds(7262))]


def test_a_call_forgotten_while_every_scope_answered_is_new(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    scan(evaluator, noon, call)
    scan(evaluator, noon + seconds(61))
    assert scan(evaluator, noon + seconds(62), call) == [(When.RINGING, seconds(0))]


def test_another_call_under_the_same_id_is_not_older_than_the_last_scan(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    scan(evaluator, noon - seconds(1), a_call_with(When.RINGING, "11:58:00", published="11:58:00"))
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert scan(evaluator, noon, call) == [(When.RINGING, seconds(0))]


@pytest.mark.parametrize("when", LATER)
def test_a_date_that_a_known_call_did_not_show_is_not_much_older_than_the_scan_before(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    before = a_call_with(When.PARKED, None, published="09:00:00")
    scan(evaluator, noon - seconds(1), before)
    scan(evaluator, noon, a_call_with(when, "10:59:59", published="09:00:00", **_silent(when)))
    assert (held_for(evaluator, when, noon), evaluator.unusable_dates()) == (seconds(0), [(when, "implausible")])


def test_a_date_that_a_known_call_did_not_show_does_not_count_from_long_before_by_contradiction_either(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    before = a_call_with(When.PARKED, None, published="11:50:00")
    scan(evaluator, noon - seconds(1), before)
    scan(evaluator, noon, a_call_with(When.TALKING, "10:59:59", published="11:50:00"))
    assert (held_for(evaluator, When.TALKING, noon), evaluator.unusable_dates()) == (
        seconds(0),
        [(When.TALKING, "contradictory")],
    )


def _silent(when: When) -> dict[str, Any]:
    """No other condition on such a call has a date of its own."""
    return {"answered": "12:00:00"} if when is When.ON_HOLD else {}


def test_a_date_keeps_its_age_whatever_else_of_the_call_changes(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    for second, caller in enumerate(["John Doe <+15550101>", "Jane Roe <+15550100>", "Jane Roe <+15550100>"]):
        scan(
            evaluator,
            noon + seconds(second),
            a_call_with(When.TALKING, "10:00:00", published="09:00:00", callerId=caller),
        )
    assert held_for(evaluator, When.TALKING, noon) == seconds(7200)


def test_a_conversation_that_only_the_call_dates_keeps_its_age_too(
    evaluator: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    dates = {"published": "2026-11-21T09:00:00Z", "answered": "2026-11-21T10:00:00Z"}
    for second in range(3):
        scan(evaluator, noon + seconds(second), a_call(a_view(answered=None, callerId=f"{second}"), **dates))
    assert held_for(evaluator, When.TALKING, noon) == seconds(7200)


def test_a_date_keeps_its_age_however_many_others_come_and_go(
    evaluator: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    for second in range(200):
        hold = (noon + seconds(second)).isoformat()
        call = a_call(a_view(answered="2026-11-21T10:00:00Z", onHold=hold), published="2026-11-21T09:00:00Z")
        scan(evaluator, noon + seconds(second), call)
    assert held_for(evaluator, When.TALKING, noon) == seconds(7200)


def test_a_date_keeps_its_age_when_its_side_of_the_call_was_not_shown_for_a_moment(
    evaluator: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    whole = a_call(a_view("01", answered="2026-11-21T10:00:00Z"), published="2026-11-21T09:00:00Z")
    part = a_call(a_view("00", status=4, answered=None), published="2026-11-21T09:00:00Z")
    for second, call in enumerate([whole, part, whole]):
        scan(evaluator, noon + seconds(second), call)
    assert held_for(evaluator, When.TALKING, noon) == seconds(7200)


def test_a_conversation_keeps_its_age_when_it_moves_to_an_extension_that_a_rule_is_about(
    evaluator: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    for second, extension in enumerate(["+15550100", "0003*210"]):
        view = a_view(extension=extension, answered="2026-11-21T10:00:00Z")
        scan(evaluator, noon + seconds(second), a_call(view, published="2026-11-21T09:00:00Z"))
    assert held_for(evaluator, When.TALKING, noon) == seconds(7200)


def test_new_rules_do_not_make_a_call_younger(evaluator: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    call = a_call_with(When.TALKING, "10:00:00", published="09:00:00")
    scan(evaluator, noon, call)
    scan(evaluator, noon + seconds(1), call)
    evaluator.use_rules(RULES[::-1], {})
    assert scan(evaluator, noon + seconds(2), call) == [(When.TALKING, seconds(7202))]


def test_a_call_whose_dates_change_at_every_scan_does_not_fill_the_memory(
    a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.TALKING, "11:59:00")
    tracked = TrackedCall(call, FirstSeen(noon, None), call, scan=1, seen_at=noon)
    for second in range(1000):
        now = noon + seconds(second)
        tracked.change(a_call_with(When.TALKING, f"{now:%H:%M:%S}"), FirstSeen(now, noon))
    assert len(tracked.dates) < 100


# ── reported once ──


def test_a_date_is_reported_once_however_often_the_call_is_seen(
    evaluator: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    reported = []
    for second in range(3):
        scan(evaluator, noon + seconds(second), a_call_with(When.RINGING, None, published=None, callerId=f"{second}"))
        reported += evaluator.unusable_dates()
    assert reported == [(When.RINGING, "missing")]


def test_each_call_and_date_is_reported(
    evaluator: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    view = a_view(answered="2026-11-21T13:00:00Z", onHold="2026-11-21T14:00:00Z")
    scan(evaluator, noon, a_call(view, call_id="c1"), a_call(view, call_id="c2"))
    assert evaluator.unusable_dates() == [(When.TALKING, "future"), (When.ON_HOLD, "future")] * 2


def test_what_was_reported_is_not_reported_again(evaluator: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    scan(evaluator, noon, a_call_with(When.RINGING, None, published=None))
    evaluator.unusable_dates()
    assert evaluator.unusable_dates() == []


def test_a_date_that_no_rule_asks_for_is_not_reported(a_call_with: MakeCall, noon: datetime) -> None:
    evaluator = Evaluator()
    evaluator.use_rules(tuple(rule for rule in RULES if rule.when is When.PARKED), {})
    scan(evaluator, noon, a_call_with(When.RINGING, None, published=None))
    assert evaluator.unusable_dates() == []
