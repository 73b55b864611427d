"""Which rules match which calls, when they fire, and how long calls are remembered."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import AlertRule, When
from bot.alerts.evaluator import Evaluator, RuleMatch
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.permissions import CallerPattern, ExtensionPattern

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
NOBODY: dict[str, frozenset[str]] = {}
SECOND = timedelta(seconds=1)
SOON = "2026-11-21T11:59:30Z"
"""Half a minute before noon."""


def a_rule(when: When = When.TALKING, seconds: float = 0, *, name: str = "", **fields: Any) -> AlertRule:
    """A rule about every extension and every caller, in one channel."""
    return AlertRule(name or when, when, timedelta(seconds=seconds), "C0ALERTS", **fields)


def on(*patterns: str) -> tuple[ExtensionPattern, ...]:
    return tuple(map(ExtensionPattern, patterns))


def evaluator_of(*rules: AlertRule, teams: dict[str, frozenset[str]] = NOBODY) -> Evaluator:
    evaluator = Evaluator()
    evaluator.use_rules(rules, teams)
    return evaluator


def scan(evaluator: Evaluator, now: datetime, *calls: PhoneCall, complete: bool = True) -> list[RuleMatch]:
    """One complete scan: the rules that fire."""
    evaluator.begin_scan()
    due = evaluator.evaluate(calls, now)
    list(evaluator.end_scan(now, complete=complete))
    return due


def views_of(due: list[RuleMatch]) -> list[tuple[str, str]]:
    return [(match.rule.name, match.view.id) for match in due]


# ── conditions ──

SHOWN: dict[str, tuple[dict[str, Any], set[When]]] = {
    "ringing": ({"status": 3, "answered": None}, {When.RINGING}),
    "other side is ringing": ({"status": 4, "answered": None}, set()),
    "trying": ({"status": 2, "answered": None}, set()),
    "off the hook": ({"status": 1}, set()),
    "unknown": ({"status": 0}, set()),
    "on call": ({"status": 5}, {When.TALKING}),
    "on hold": ({"status": 5, "onHold": "2026-11-21T11:59:30Z"}, {When.TALKING, When.ON_HOLD}),
    "on hold, it says, and not on call": ({"status": 4, "onHold": "2026-11-21T11:59:30Z"}, set()),
    "parked": ({"status": 0, "parked": "2026-11-21T11:59:30Z"}, {When.PARKED}),
    "parked and on call": ({"status": 5, "parked": "2026-11-21T11:59:30Z"}, {When.TALKING, When.PARKED}),
    "parked and ringing": ({"status": 3, "parked": "2026-11-21T11:59:30Z"}, {When.RINGING, When.PARKED}),
}


@pytest.mark.parametrize(("shown", "conditions"), SHOWN.values(), ids=SHOWN)
def test_conditions_are_what_the_view_shows(
    a_call: MakeCall, a_view: MakeView, noon: datetime, shown: dict[str, Any], conditions: set[When]
) -> None:
    evaluator = evaluator_of(*map(a_rule, When))
    assert {one.rule.when for one in scan(evaluator, noon, a_call(a_view(**shown)))} == conditions


SINCE: dict[str, tuple[When, dict[str, Any], str]] = {
    "ringing since the call came": (When.RINGING, {"status": 3, "ringing": "2026-11-21T11:59:50Z"}, "11:59:00"),
    "talking since the view was answered": (When.TALKING, {"answered": "2026-11-21T11:59:20Z"}, "11:59:20"),
    "talking since the call was answered": (When.TALKING, {"answered": None}, "11:59:10"),
    "on hold since it was put on hold": (When.ON_HOLD, {"onHold": "2026-11-21T11:59:40Z"}, "11:59:40"),
    "parked since it was parked": (When.PARKED, {"parked": "2026-11-21T11:59:45Z"}, "11:59:45"),
}


@pytest.mark.parametrize("case", SINCE.values(), ids=SINCE)
def test_a_condition_lasts_since_the_date_that_says_so(
    a_call: MakeCall, a_view: MakeView, noon: datetime, case: tuple[When, dict[str, Any], str]
) -> None:
    when, shown, since = case
    evaluator = evaluator_of(a_rule(when))
    scan(evaluator, noon, a_call(a_view(**shown), answered="2026-11-21T11:59:10Z"))
    match = evaluator.match(a_rule(when).key, "c1")
    assert match is not None
    assert f"{match.since:%H:%M:%S}" == since


def test_a_rule_fires_once_its_condition_has_lasted_for_so_long(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule(seconds=62))
    assert [len(scan(evaluator, noon + n * SECOND, a_call())) for n in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize("limits", [(62, 64), (64, 62)])
def test_of_several_rules_each_fires_in_its_time(a_call: MakeCall, noon: datetime, limits: tuple[int, int]) -> None:
    evaluator, call = evaluator_of(*(a_rule(seconds=limit, name=f"{limit}") for limit in limits)), a_call()
    due = [views_of(scan(evaluator, noon + n * SECOND, call)) for n in (1, 2, 3)]
    assert due == [[], [("62", "01")], [("62", "01")]]


@pytest.mark.parametrize("limits", [(62, 90), (90, 32)])
def test_of_several_conditions_each_fires_in_its_time(
    a_call: MakeCall, a_view: MakeView, noon: datetime, limits: tuple[int, int]
) -> None:
    talking, on_hold = limits
    evaluator, call = evaluator_of(a_rule(seconds=talking), a_rule(When.ON_HOLD, on_hold)), a_call(a_view(onHold=SOON))
    assert [len(scan(evaluator, noon + n * SECOND, call)) for n in (1, 2, 3)] == [0, 1, 1]


def test_what_does_not_fire_yet_matches_already(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule(seconds=62))
    scan(evaluator, noon, a_call())
    match = evaluator.match(a_rule().key, "c1")
    assert match is not None
    assert match.fires_at == noon + 2 * SECOND


def test_a_call_that_rings_at_one_after_the_other_has_rung_since_it_came(
    a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    evaluator = evaluator_of(a_rule(When.RINGING, 62))
    scan(evaluator, noon, a_call(a_view(status=3)))
    (match,) = scan(evaluator, noon + 2 * SECOND, a_call(a_view("02", status=3, extension="0003*211")))
    assert (match.view.extension, match.since) == ("0003*211", noon - timedelta(minutes=1))


# ── which calls a rule is about ──

ABOUT: dict[str, tuple[dict[str, Any], bool]] = {
    "everybody": ({}, True),
    "the extension": ({"extensions": on("0003*210")}, True),
    "extensions like it": ({"extensions": on("0004*2XX", "0003*2XX")}, True),
    "any extension": ({"extensions": on("XXXX*XXX")}, True),
    "another extension": ({"extensions": on("0003*211")}, False),
    "extensions of another length": ({"extensions": on("0003*2XXX")}, False),
    "the team": ({"extensions": on("team:sales")}, True),
    "another team": ({"extensions": on("team:support")}, False),
    "a team that is not there": ({"extensions": on("team:nowhere")}, False),
    "one of both": ({"extensions": on("team:nowhere", "0003*210")}, True),
    "no extension at all": ({"extensions": ()}, False),
    "the caller": ({"callers": (CallerPattern("+15550100"),)}, True),
    "callers like it": ({"callers": (CallerPattern("+40722XXXXXX"), CallerPattern("155501XX"))}, True),
    "any caller": ({"callers": (CallerPattern("XXXXXXXX"),)}, True),
    "a caller as a trunk writes it": ({"callers": (CallerPattern("0015550100"),)}, True),
    "another caller": ({"callers": (CallerPattern("+15550101"),)}, False),
    "nobody who calls": ({"callers": ()}, False),
    "the extension and the caller": ({"extensions": on("0003*2XX"), "callers": (CallerPattern("1555010X"),)}, True),
    "the extension and another": ({"extensions": on("0003*2XX"), "callers": (CallerPattern("1555011X"),)}, False),
    "another and the caller": ({"extensions": on("0003*3XX"), "callers": (CallerPattern("1555010X"),)}, False),
}


@pytest.mark.parametrize(("rule", "holds"), ABOUT.values(), ids=ABOUT)
def test_a_rule_is_about_its_extensions_and_its_callers(
    a_call: MakeCall, noon: datetime, rule: dict[str, Any], *, holds: bool
) -> None:
    teams = {"sales": frozenset({"0003*210"}), "support": frozenset({"0003*211"})}
    evaluator = evaluator_of(a_rule(**rule), teams=teams)
    assert bool(scan(evaluator, noon, a_call())) is holds


CALLS: dict[str, tuple[dict[str, Any], bool]] = {
    "a source": ({"source": ["+15550100"], "callerId": ""}, True),
    "one of several sources": ({"source": ["0003*211", "15550100"], "callerId": ""}, True),
    "the number in the caller id": ({"source": [], "callerId": "Jane Roe <+15550100>"}, True),
    "a caller id that is a number": ({"source": [], "callerId": "0015550100"}, True),
    "a number in groups": ({"source": ["+1 555 0100"], "callerId": ""}, True),
    "a number with spaces that do not break": ({"source": ["+1\u00a0555\u00a00100"], "callerId": ""}, True),
    "a number with an escaped digit": ({"source": ["+1%35550100"], "callerId": ""}, True),
    "a number in brackets": ({"source": ["(+1) 555-0100"], "callerId": ""}, True),
    "somebody else": ({"source": ["+15550101"], "callerId": "John Doe <+15550101>"}, False),
    "a number that only contains it": ({"source": ["+155501000"], "callerId": ""}, False),
    "who is called": ({"source": [], "callerId": "", "destination": ["+15550100"]}, False),
}


@pytest.mark.parametrize(("shown", "holds"), CALLS.values(), ids=CALLS)
def test_who_calls_is_named_by_source_and_caller_id(
    a_call: MakeCall, a_view: MakeView, noon: datetime, shown: dict[str, Any], *, holds: bool
) -> None:
    evaluator = evaluator_of(a_rule(callers=(CallerPattern("+15550100"),)))
    assert bool(scan(evaluator, noon, a_call(a_view(**shown)))) is holds


@pytest.mark.parametrize("source", [["210"], ["0003*210"]])
@pytest.mark.parametrize("caller_id", ["Bob <210>", "Bob <210> for Carla <+15550142>"])
def test_an_extension_does_not_call_itself(
    *, a_call: MakeCall, a_view: MakeView, noon: datetime, source: list[str], caller_id: str
) -> None:
    evaluator = evaluator_of(a_rule(callers=(CallerPattern("210"),)))
    assert scan(evaluator, noon, a_call(a_view(source=source, callerId=caller_id))) == []


def test_the_caller_of_one_side_is_not_the_caller_of_another(
    a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    evaluator = evaluator_of(a_rule(extensions=on("0003*210"), callers=(CallerPattern("+15550100"),)))
    sides = (a_view("00", extension="0003*211"), a_view("01", source=["+15550101"], callerId=""))
    assert scan(evaluator, noon, a_call(*sides)) == []


@pytest.mark.parametrize("extension", ["", "210", "+15550100", "0003*", "0003*2x0", "0003*210\n", "9" * 300 + "*1"])
def test_text_that_is_no_extension_raises_nothing(
    a_call: MakeCall, a_view: MakeView, noon: datetime, extension: str
) -> None:
    evaluator = evaluator_of(a_rule(), a_rule(extensions=on("XXXX*XXX"), name="patterns"))
    assert scan(evaluator, noon, a_call(a_view(extension=extension))) == []


@pytest.mark.parametrize("view_id", ["", ".", "..", "a/b", "0 1", "x" * 65])
def test_a_view_that_cannot_be_acted_on_raises_nothing(
    a_call: MakeCall, a_view: MakeView, noon: datetime, view_id: str
) -> None:
    assert scan(evaluator_of(a_rule()), noon, a_call(a_view(view_id))) == []


def test_the_first_view_is_what_an_id_means_that_is_said_twice(
    a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    call = a_call(a_view("01", status=4), a_view("01", status=5))
    assert scan(evaluator_of(a_rule()), noon, call) == []


def test_no_scan_raises_a_help_request(a_call: MakeCall, noon: datetime) -> None:
    assert scan(evaluator_of(a_rule(When.HELP_REQUESTED)), noon, a_call()) == []


# ── one view for one rule and call ──


def test_a_rule_matches_on_the_view_of_the_smallest_id(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    sides = (a_view("10"), a_view("02"), a_view("1"))
    assert views_of(scan(evaluator_of(a_rule()), noon, a_call(*sides))) == [("talking", "02")]


def test_a_rule_goes_on_on_the_view_that_it_matched_before(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call(a_view("02")))
    assert views_of(scan(evaluator, noon, a_call(a_view("01"), a_view("02")))) == [("talking", "02")]


def test_a_rule_moves_on_when_its_view_matches_no_more(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call(a_view("02")))
    assert views_of(scan(evaluator, noon, a_call(a_view("01"), a_view("02", status=4)))) == [("talking", "01")]


def test_each_rule_goes_on_on_its_own_view(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule(), a_rule(name="Bob", extensions=on("0003*210")))
    first, second = a_view("01", extension="0003*211"), a_view("02")
    scan(evaluator, noon, a_call(second))
    assert views_of(scan(evaluator, noon, a_call(first, second))) == [("talking", "02"), ("Bob", "02")]


def test_rules_hold_on_different_views_of_one_call(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule(), a_rule(name="Bob", extensions=on("0003*210")))
    call = a_call(a_view("01", extension="0003*211"), a_view("02"))
    assert sorted(views_of(scan(evaluator, noon, call))) == [("Bob", "02"), ("talking", "01")]


def test_a_rule_matches_on_the_view_of_the_smallest_id_though_another_fires_before(
    a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    call = a_call(a_view("01", answered="2026-11-21T11:59:30Z"), a_view("02", answered="2026-11-21T11:59:10Z"))
    assert views_of(scan(evaluator_of(a_rule()), noon, call)) == [("talking", "01")]


def test_a_rule_goes_on_on_its_view_though_another_rule_matches_on_another(
    a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    evaluator = evaluator_of(a_rule(), a_rule(name="Dan", extensions=on("0003*211")))
    first, second = a_view("01", extension="0003*211", answered="2026-11-21T11:59:00Z"), a_view("02", answered=SOON)
    scan(evaluator, noon, a_call(second))
    due = views_of(scan(evaluator, noon, a_call(first, second)))
    assert sorted(due) == [("Dan", "01"), ("talking", "02")]


def test_all_rules_that_hold_on_one_view_go_on_there(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule(When.TALKING), a_rule(When.ON_HOLD))
    first, second = (a_view(view_id, onHold=SOON) for view_id in ("01", "02"))
    scan(evaluator, noon, a_call(second))
    assert views_of(scan(evaluator, noon, a_call(first, second))) == [("talking", "02"), ("on_hold", "02")]


def test_a_view_without_a_date_stands_in_nobodys_way(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    call = a_call(a_view("01", answered=None), a_view("02"))
    assert views_of(scan(evaluator_of(a_rule()), noon, call)) == [("talking", "02")]


TWINS = {
    "on one view": (("0003*210", 30), ("0003*2XX", 10)),
    "on one view, the other way round": (("0003*2XX", 10), ("0003*210", 30)),
    "on two views": (("0003*210", 30), ("0003*211", 10)),
    "on two views, the other way round": (("0003*211", 10), ("0003*210", 30)),
}


@pytest.mark.parametrize("twins", TWINS.values(), ids=TWINS)
def test_two_rules_of_one_key_are_one_and_the_first_that_fires_counts(
    a_call: MakeCall, a_view: MakeView, noon: datetime, twins: tuple[tuple[str, float], ...]
) -> None:
    evaluator = evaluator_of(*(a_rule(seconds=seconds, extensions=on(pattern)) for pattern, seconds in twins))
    call = a_call(a_view("01"), a_view("02", extension="0003*211"))
    (due,) = scan(evaluator, noon, call)
    match = evaluator.match(a_rule().key, "c1")
    assert match is not None
    assert (due.fires_at, match.fires_at) == (noon - 50 * SECOND, noon - 50 * SECOND)


# ── one scan after the other ──


def test_what_matches_fires_at_every_scan(a_call: MakeCall, noon: datetime) -> None:
    evaluator, call = evaluator_of(a_rule()), a_call()
    assert [len(scan(evaluator, noon + n * SECOND, call)) for n in range(3)] == [1, 1, 1]


def test_what_is_over_matches_no_more(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    scan(evaluator, noon, a_call(a_view(status=4)))
    assert evaluator.match(a_rule().key, "c1") is None


def test_what_fires_comes_with_the_call_as_it_is_now(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    now = a_call(a_view(recording="2026-11-21T12:00:00Z"))
    (match,) = scan(evaluator, noon, now)
    assert (match.call, match.view) == (now, now.views[0])


def test_a_call_said_twice_in_one_scan_counts_once(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    assert views_of(scan(evaluator, noon, a_call(), a_call(), a_call(a_view("00")))) == [("talking", "01")]


def test_calls_without_views_are_seen_and_raise_nothing(noon: datetime) -> None:
    evaluator = evaluator_of(*map(a_rule, When))
    assert scan(evaluator, noon, PhoneCall.model_validate({"id": "c1"})) == []
    assert evaluator.call("c1") is not None


def test_a_call_is_there_as_the_last_scan_shows_it(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator, now = evaluator_of(), a_call(a_view(status=4))
    scan(evaluator, noon, a_call())
    scan(evaluator, noon, now)
    assert evaluator.call("c1") == now


def test_a_call_that_the_last_scan_does_not_show_is_not_there(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    scan(evaluator, noon)
    assert evaluator.call("c1") is None


def test_a_call_is_not_there_until_the_scan_shows_it(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    evaluator.begin_scan()
    assert evaluator.call("c1") is None


def test_what_matched_is_remembered_while_a_call_is_missing_for_a_moment(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    scan(evaluator, noon + 59 * SECOND)
    assert evaluator.match(a_rule().key, "c1") is not None


def test_a_minute_without_a_call_counts_from_when_it_was_seen_last(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    scan(evaluator, noon + 59 * SECOND, a_call())
    scan(evaluator, noon + 118 * SECOND)
    assert evaluator.match(a_rule().key, "c1") is not None


def test_a_call_is_not_forgotten_by_a_long_scan_that_has_shown_it(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    evaluator.begin_scan()
    evaluator.evaluate([a_call()], noon)
    list(evaluator.end_scan(noon + 61 * SECOND, complete=True))
    assert evaluator.call("c1") is not None


def test_a_call_that_no_scan_has_shown_for_a_minute_is_forgotten(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    scan(evaluator, noon + 60 * SECOND)
    assert evaluator.match(a_rule().key, "c1") is None


def test_a_call_that_is_shown_again_after_a_long_time_without_scans_is_not_forgotten(
    a_call: MakeCall, noon: datetime
) -> None:
    evaluator = evaluator_of(a_rule(seconds=100))
    scan(evaluator, noon, a_call())
    assert len(scan(evaluator, noon + 300 * SECOND, a_call())) == 1


def test_another_call_under_the_same_id_is_evaluated_anew(a_call: MakeCall, a_view: MakeView, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule(When.RINGING))
    scan(evaluator, noon, a_call(a_view("02", status=3)))
    other = a_call(a_view("01", status=3), a_view("02", status=3), published="2026-11-21T12:00:01Z")
    (match,) = scan(evaluator, noon + 2 * SECOND, other)
    assert (match.view.id, match.since) == ("01", noon + SECOND)


@pytest.mark.parametrize("first", [True, False])
def test_a_call_is_known_by_the_date_that_it_once_had(
    a_call: MakeCall, a_view: MakeView, noon: datetime, *, first: bool
) -> None:
    evaluator = evaluator_of(a_rule(When.RINGING))
    dates = [noon - 30 * SECOND, None] if first else [None, noon - 30 * SECOND]
    for date in dates:
        scan(evaluator, noon, a_call(a_view(status=3), published=date and date.isoformat()))
    match = evaluator.match(a_rule(When.RINGING).key, "c1")
    assert match is not None
    assert (match.since, match.call.published) == (noon - 30 * SECOND, noon - 30 * SECOND)


def test_a_call_whose_date_was_left_out_once_is_another_when_it_has_another(
    a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call(a_view("02"), published="2026-11-21T11:59:00Z"))
    scan(evaluator, noon, a_call(a_view("02"), published=None))
    other = a_call(a_view("01"), a_view("02"), published="2026-11-21T11:58:00Z")
    assert views_of(scan(evaluator, noon, other)) == [("talking", "01")]


# ── other rules ──


def test_new_rules_hold_at_the_next_scan(a_call: MakeCall, noon: datetime) -> None:
    evaluator, call = evaluator_of(a_rule(When.RINGING)), a_call()
    scan(evaluator, noon, call)
    evaluator.use_rules((a_rule(),), NOBODY)
    assert views_of(scan(evaluator, noon, call)) == [("talking", "01")]


def test_other_teams_count_from_the_next_scan_on(a_call: MakeCall, noon: datetime) -> None:
    rule, call = a_rule(extensions=on("team:sales")), a_call()
    evaluator = evaluator_of(rule)
    scan(evaluator, noon, call)
    evaluator.use_rules((rule,), {"sales": frozenset({"0003*210"})})
    assert views_of(scan(evaluator, noon, call)) == [("talking", "01")]


def test_what_matched_by_the_old_rules_is_forgotten(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    evaluator.use_rules((), NOBODY)
    assert evaluator.match(a_rule().key, "c1") is None


def test_new_rules_hold_on_nothing_before_the_next_scan(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, a_call())
    evaluator.use_rules((a_rule(name="new"),), NOBODY)
    assert evaluator.match(a_rule(name="new").key, "c1") is None


def test_the_same_rules_once_more_change_nothing(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule(extensions=on("0003*2XX")))
    scan(evaluator, noon, a_call())
    evaluator.use_rules((a_rule(extensions=on("0003*2XX")),), {})
    assert evaluator.match(a_rule().key, "c1") is not None


def test_a_call_that_is_not_known_matches_nothing() -> None:
    assert evaluator_of(a_rule()).match(a_rule().key, "c1") is None


def test_many_calls_are_forgotten_in_steps(a_call: MakeCall, noon: datetime) -> None:
    evaluator = evaluator_of(a_rule())
    scan(evaluator, noon, *(a_call(call_id=f"c{number}") for number in range(100)))
    evaluator.begin_scan()
    steps = evaluator.end_scan(noon + 61 * SECOND, complete=True)
    kept = [sum(evaluator.match(a_rule().key, f"c{number}") is not None for number in range(100)) for _ in steps]
    assert (len(kept), kept[0], kept[-1]) == (4, 99, 24)
    assert evaluator.match(a_rule().key, "c99") is None
