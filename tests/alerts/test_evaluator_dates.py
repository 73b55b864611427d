"""Dates that are missing, ahead, or of two zones: nothing is raised too early by them, and each is told once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import Rule, When
from bot.alerts.evaluator import Evaluator
from bot.domain.calls import PhoneCall, PhoneCallView

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
RULES = tuple(Rule(when, when, timedelta(), "C0ALERTS") for when in When)
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
def watch() -> Evaluator:
    watch = Evaluator()
    watch.take(RULES, {})
    return watch


@pytest.fixture(scope="session")
def a_call_with(a_call: MakeCall, a_view: MakeView) -> Callable[..., PhoneCall]:
    """A call on which something holds since that date; dates without a day are today's, in UTC."""

    def build(when: When, date: str | None, *, published: str | None = "11:59:00", **fields: Any) -> PhoneCall:
        dates = {"published": published, FIELD[when]: date}
        shown = CONDITIONS[when] | fields | {name: text for name, text in dates.items() if name != "published"}
        view = a_view(**{name: _whole(text) for name, text in shown.items()})
        return a_call(view, published=_whole(dates["published"]))

    return build


def _whole(text: Any) -> Any:
    return f"2026-11-21T{text}+00:00" if isinstance(text, str) and len(text) == 8 else text


def look(watch: Evaluator, now: datetime, *calls: PhoneCall, complete: bool = True) -> list[tuple[When, timedelta]]:
    """One whole look; what is due, and for how long it has held."""
    watch.begin()
    due = watch.see(calls, now)
    watch.end(now, complete=complete)
    return [(one.rule.when, now - one.since) for one in due]


def held_for(watch: Evaluator, when: When, now: datetime) -> timedelta | None:
    holding = watch.holding(f"{when} C0ALERTS {when}", "c1")
    return None if holding is None else now - holding.since


# ── missing and ahead ──


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-11-31T12:00:00Z", 1763726400])
@pytest.mark.parametrize("when", [When.RINGING, When.TALKING])
def test_without_a_date_nothing_is_raised_and_that_is_told(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When, date: Any
) -> None:
    call = a_call_with(when, date, published=date, answered=date)
    assert (look(watch, noon, call), watch.unusable()) == ([], [(when, "missing")])


@pytest.mark.parametrize("when", [When.ON_HOLD, When.PARKED])
def test_what_is_nothing_but_a_date_does_not_hold_without_one(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    look(watch, noon, a_call_with(when, None))
    assert held_for(watch, when, noon) is None


@pytest.mark.parametrize("when", CONDITIONS)
def test_a_date_ahead_raises_nothing_and_is_told(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    look(watch, noon, a_call_with(when, "12:00:06"))
    assert (held_for(watch, when, noon), (when, "future") in watch.unusable()) == (None, True)


@pytest.mark.parametrize("when", CONDITIONS)
def test_clocks_may_differ_a_little(watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When) -> None:
    look(watch, noon, a_call_with(when, "12:00:05"))
    assert (held_for(watch, when, noon), watch.unusable()) == (seconds(-5), [])


@pytest.mark.parametrize("when", CONDITIONS)
def test_a_date_ahead_counts_once_it_is_there_though_the_call_stays_as_it_is(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    call = a_call_with(when, "12:00:20")
    held = []
    for second in (0, 14, 15, 21):
        look(watch, noon + seconds(second), call)
        held.append(held_for(watch, when, noon + seconds(second)))
    assert held == [None, None, seconds(-5), seconds(1)]


def test_of_two_dates_ahead_each_counts_once_it_is_there(
    watch: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    call = a_call(a_view(answered="2026-11-21T12:00:20Z", onHold="2026-11-21T12:00:40Z"))
    for second in (0, 21):
        look(watch, noon + seconds(second), call)
    assert held_for(watch, When.TALKING, noon + seconds(21)) == seconds(1)


# ── contradictory ──

LATER = [When.TALKING, When.ON_HOLD, When.PARKED]


@pytest.mark.parametrize("when", LATER)
def test_what_began_before_the_call_counts_from_the_call(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    look(watch, noon, a_call_with(when, "10:59:05"))
    assert (held_for(watch, when, noon), (when, "contradictory") in watch.unusable()) == (seconds(60), True)


@pytest.mark.parametrize("when", LATER)
def test_a_date_of_the_documented_sample_is_not_an_hour_old(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    call = a_call_with(when, "2026-11-21T13:59:55+03:00", published="2026-11-21T13:59:50+02:00")
    look(watch, noon, call)
    assert held_for(watch, when, noon) == seconds(10)


@pytest.mark.parametrize("when", LATER)
def test_what_began_with_the_call_is_no_contradiction(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    look(watch, noon, a_call_with(when, "11:59:00"))
    assert (held_for(watch, when, noon), watch.unusable()) == (seconds(60), [])


@pytest.mark.parametrize("when", LATER)
def test_a_call_that_came_in_the_future_contradicts_nothing(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    held = []
    for second in (0, 7200):
        look(watch, noon + seconds(second), a_call_with(when, "11:59:05", published="12:59:00", callerId=f"{second}"))
        held.append(held_for(watch, when, noon + seconds(second)))
    assert held == [seconds(55), seconds(7255)]


@pytest.mark.parametrize("when", LATER)
def test_what_began_before_a_call_that_has_come_since_the_last_look_counts_from_the_call(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    look(watch, noon - seconds(2))
    look(watch, noon, a_call_with(when, "10:59:59", published="11:59:59"))
    assert held_for(watch, when, noon) == seconds(1)


@pytest.mark.parametrize("published", [None, "nonsense"])
@pytest.mark.parametrize("when", LATER)
def test_a_call_that_does_not_say_when_it_came_contradicts_nothing(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When, published: str | None
) -> None:
    look(watch, noon, a_call_with(when, "11:59:05", published=published))
    assert (held_for(watch, when, noon), watch.unusable()) == (seconds(55), [])


# ── implausible: what the last whole look did not show is not much older ──


@pytest.mark.parametrize("published", ["11:45:00", "11:30:00", "10:59:58", "0001-01-01T00:00:00Z"])
def test_a_new_call_that_would_be_much_older_than_the_last_look_counts_from_its_first_sight(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, published: str
) -> None:
    look(watch, noon - seconds(1))
    assert look(watch, noon, a_call_with(When.RINGING, published, published=published)) == [(When.RINGING, seconds(0))]
    assert watch.unusable() == [(When.RINGING, "implausible")]


def test_the_first_sight_of_a_call_stays_the_first(watch: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    look(watch, noon - seconds(1))
    held = []
    for second in (0, 5):
        call = a_call_with(When.RINGING, "10:00:00", published="10:00:00", callerId=f"{second}")
        held += look(watch, noon + seconds(second), call)
    assert held == [(When.RINGING, seconds(0)), (When.RINGING, seconds(5))]


@pytest.mark.parametrize("published", ["11:45:01", "11:58:00", "11:59:59", "12:00:00"])
def test_a_new_call_may_be_a_little_older_than_the_last_look(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, published: str
) -> None:
    look(watch, noon - seconds(1))
    look(watch, noon, a_call_with(When.RINGING, published, published=published))
    assert watch.unusable() == []


def test_a_new_call_may_be_as_old_as_the_last_look_is_long_ago(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    look(watch, noon - seconds(7200))
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert look(watch, noon, call) == [(When.RINGING, seconds(7200))]


def test_at_the_first_look_of_all_a_call_may_be_of_any_age(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.RINGING, "02:00:00", published="02:00:00")
    assert look(watch, noon, call) == [(When.RINGING, seconds(36000))]


def test_a_look_that_was_not_whole_may_have_left_a_call_out(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    look(watch, noon - seconds(1), complete=False)
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert look(watch, noon, call) == [(When.RINGING, seconds(7200))]


def test_a_whole_look_still_tells_what_was_not_there_when_one_that_is_not_whole_has_followed(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    look(watch, noon - seconds(2))
    look(watch, noon - seconds(1), complete=False)
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert look(watch, noon, call) == [(When.RINGING, seconds(0))]


def test_a_look_that_has_nothing_to_show_is_a_whole_look(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    watch.begin()
    watch.end(noon - seconds(1), complete=True)
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert look(watch, noon, call) == [(When.RINGING, seconds(0))]


def test_what_comes_during_a_long_look_is_as_old_as_it_says(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    watch.begin()
    for minutes in (60, 30, 0):
        watch.see([], noon - timedelta(minutes=minutes))
    watch.end(noon, complete=True)
    call = a_call_with(When.RINGING, "11:15:00", published="11:15:00")
    assert look(watch, noon, call) == [(When.RINGING, timedelta(minutes=45))]


def test_a_call_missing_for_a_moment_keeps_its_age(watch: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    look(watch, noon, call)
    for second in (1, 30, 59):
        look(watch, noon + seconds(second))
    assert look(watch, noon + seconds(60), call) == [(When.RINGING, seconds(7260))]


def test_a_call_forgotten_while_a_scope_did_not_answer_keeps_its_age(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    look(watch, noon, call)
    for second in (1, 61):
        look(watch, noon + seconds(second), complete=False)
    assert look(watch, noon + seconds(62), call) == [(When.RINGING, seconds(7262))]


def test_a_call_forgotten_while_every_scope_answered_is_new(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    look(watch, noon, call)
    look(watch, noon + seconds(61))
    assert look(watch, noon + seconds(62), call) == [(When.RINGING, seconds(0))]


def test_another_call_under_the_same_id_is_not_older_than_the_last_look(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    look(watch, noon - seconds(1), a_call_with(When.RINGING, "11:58:00", published="11:58:00"))
    call = a_call_with(When.RINGING, "10:00:00", published="10:00:00")
    assert look(watch, noon, call) == [(When.RINGING, seconds(0))]


@pytest.mark.parametrize("when", LATER)
def test_a_date_that_a_known_call_did_not_show_is_not_much_older_than_the_look_before(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    before = a_call_with(When.PARKED, None, published="09:00:00")
    look(watch, noon - seconds(1), before)
    look(watch, noon, a_call_with(when, "10:59:59", published="09:00:00", **_silent(when)))
    assert (held_for(watch, when, noon), watch.unusable()) == (seconds(0), [(when, "implausible")])


@pytest.mark.parametrize("when", LATER)
def test_a_date_that_a_known_call_did_not_show_does_not_count_from_long_before_by_contradiction_either(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    before = a_call_with(When.PARKED, None, published="11:50:00")
    look(watch, noon - seconds(1), before)
    look(watch, noon, a_call_with(when, "10:59:59", published="11:50:00", **_silent(when)))
    assert (held_for(watch, when, noon), watch.unusable()) == (seconds(0), [(when, "contradictory")])


def _silent(when: When) -> dict[str, Any]:
    """Nothing else that holds on such a call has a date of its own."""
    return {"answered": "12:00:00"} if when is When.ON_HOLD else {}


@pytest.mark.parametrize("when", LATER)
def test_a_date_keeps_its_age_whatever_else_of_the_call_changes(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime, when: When
) -> None:
    for second, caller in enumerate(["John Doe <+15550101>", "Jane Roe <+15550100>", "Jane Roe <+15550100>"]):
        look(watch, noon + seconds(second), a_call_with(when, "10:00:00", published="09:00:00", callerId=caller))
    assert held_for(watch, when, noon) == seconds(7200)


def test_a_conversation_that_only_the_call_dates_keeps_its_age_too(
    watch: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    dates = {"published": "2026-11-21T09:00:00Z", "answered": "2026-11-21T10:00:00Z"}
    for second in range(3):
        look(watch, noon + seconds(second), a_call(a_view(answered=None, callerId=f"{second}"), **dates))
    assert held_for(watch, When.TALKING, noon) == seconds(7200)


def test_a_date_keeps_its_age_however_many_others_come_and_go(
    watch: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    for second in range(200):
        hold = (noon + seconds(second)).isoformat()
        call = a_call(a_view(answered="2026-11-21T10:00:00Z", onHold=hold), published="2026-11-21T09:00:00Z")
        look(watch, noon + seconds(second), call)
    assert held_for(watch, When.TALKING, noon) == seconds(7200)


def test_a_date_keeps_its_age_when_its_side_of_the_call_was_not_shown_for_a_moment(
    watch: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    whole = a_call(a_view("01", answered="2026-11-21T10:00:00Z"), published="2026-11-21T09:00:00Z")
    part = a_call(a_view("00", status=4, answered=None), published="2026-11-21T09:00:00Z")
    for second, call in enumerate([whole, part, whole]):
        look(watch, noon + seconds(second), call)
    assert held_for(watch, When.TALKING, noon) == seconds(7200)


def test_a_conversation_keeps_its_age_when_it_moves_to_an_extension_that_a_rule_is_about(
    watch: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    for second, extension in enumerate(["+15550100", "0003*210"]):
        view = a_view(extension=extension, answered="2026-11-21T10:00:00Z")
        look(watch, noon + seconds(second), a_call(view, published="2026-11-21T09:00:00Z"))
    assert held_for(watch, When.TALKING, noon) == seconds(7200)


def test_new_rules_do_not_make_a_call_younger(watch: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    call = a_call_with(When.TALKING, "10:00:00", published="09:00:00")
    look(watch, noon, call)
    look(watch, noon + seconds(1), call)
    watch.take(RULES[::-1], {})
    assert look(watch, noon + seconds(2), call) == [(When.TALKING, seconds(7202))]


def test_a_call_whose_dates_change_at_every_look_does_not_fill_the_memory(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    for second in range(1000):
        when = noon + seconds(second)
        look(watch, when, a_call_with(When.TALKING, f"{when:%H:%M:%S}", published="09:00:00"))
    (call,) = watch._calls.values()
    assert len(call.dates or ()) < 100


# ── told once ──


def test_a_date_is_told_once_however_often_the_call_is_seen(
    watch: Evaluator, a_call_with: MakeCall, noon: datetime
) -> None:
    told = []
    for second in range(3):
        look(watch, noon + seconds(second), a_call_with(When.RINGING, None, published=None, callerId=f"{second}"))
        told += watch.unusable()
    assert told == [(When.RINGING, "missing")]


def test_each_call_and_date_is_told(watch: Evaluator, a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    view = a_view(answered="2026-11-21T13:00:00Z", onHold="2026-11-21T14:00:00Z")
    look(watch, noon, a_call(view, call_id="c1"), a_call(view, call_id="c2"))
    assert watch.unusable() == [(When.TALKING, "future"), (When.ON_HOLD, "future")] * 2


def test_what_was_told_is_told_no_more(watch: Evaluator, a_call_with: MakeCall, noon: datetime) -> None:
    look(watch, noon, a_call_with(When.RINGING, None, published=None))
    watch.unusable()
    assert watch.unusable() == []


def test_a_date_that_no_rule_asks_for_is_not_told(a_call_with: MakeCall, noon: datetime) -> None:
    watch = Evaluator()
    watch.take(tuple(rule for rule in RULES if rule.when is When.PARKED), {})
    look(watch, noon, a_call_with(When.RINGING, None, published=None))
    assert watch.unusable() == []
