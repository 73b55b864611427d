"""The bench says which goals are missed, and what it starts still starts. What it measures is for people to look at."""

import pytest

from bench.__main__ import report
from bench.acknowledgements import measure_acknowledgements
from bench.path import Entrance, Function, Section, path
from bench.servers import NO_NODE, node
from bench.table import Row, percentile
from bench.world import world

MET = Row("quick enough", "ms", [0.009, 0.011, 0.008], most=10)
MISSED = Row("too slow", "ms", [0.009, 0.011, 0.012], most=10)
TOO_FEW = Row("too few", "x", [0.9], least=1)
NOT_MEASURED = Row("beside Node", "x", (), most=1, note=NO_NODE)


def test_the_bench_succeeds_where_every_goal_that_was_measured_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert report("here", [MET, NOT_MEASURED]) == 0
    assert capsys.readouterr().err == ""


def test_the_bench_fails_and_names_each_goal_that_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    assert report("here", [MISSED, MET, TOO_FEW]) == 1
    assert capsys.readouterr().err == "missed: too slow\nmissed: too few\n"


def test_a_row_shows_its_goal_and_the_median_with_its_spread() -> None:
    assert (MISSED.goal, MISSED.measured) == ("<= 10 ms", "11.0 ms (9.0 to 12.0; 3)")
    assert (TOO_FEW.goal, TOO_FEW.measured) == (">= 1 x", "0.90 x")


def test_a_missed_goal_says_in_how_many_rounds() -> None:
    assert [row.verdict for row in (MET, MISSED, TOO_FEW)] == ["ok", "MISSED 2 of 3", "MISSED 1 of 1"]


def test_a_row_that_needs_node_says_what_it_needs_where_it_is_missing() -> None:
    assert (NOT_MEASURED.measured, NOT_MEASURED.verdict) == (NO_NODE, "not measured")


def test_a_percentile_is_the_figure_that_so_many_do_not_exceed() -> None:
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, share) for share in (50, 95, 99)] == [50, 95, 99]
    assert percentile([3.0], 99) == 3


def test_the_door_and_what_it_is_measured_beside_acknowledge_every_command() -> None:
    with world() as around:
        rows = measure_acknowledgements(around, 1, at_rate=1, at_saturation=1)
    assert [bool(row.figures) for row in rows] == [True, True, *[node() is not None] * 3]


async def test_the_path_leads_from_slack_to_the_pbx_and_from_a_scan_to_a_card() -> None:
    to_put, to_connected, alert = await path()
    assert to_put.functions[0].module == "app/connections"
    assert {"slack", "app", "interventions", "polling", "uapi", "ledger", "domain"} <= _packages(to_put)
    act, put = to_put.entrances[-1].callers[-1], to_put.entrances[-1]
    assert (act.module, put.function.module, put.task.split()[:2]) == ("uapi/client", "uapi/exchange", ["task", "`put"])
    assert not set(to_put.functions) & set(to_connected.functions)
    assert alert.functions[0].module == "alerts/monitor"
    assert {"alerts", "polling", "uapi", "ledger", "slack"} <= _packages(alert)
    beside = Function("alerts/monitor", "AlertMonitor._keep_time")  # a task of its own, which wakes up each second
    assert beside not in alert.functions


def test_a_section_of_the_path_has_a_line_for_each_first_entrance_in_order_below_its_caller() -> None:
    f, g, h = Function("b", "f"), Function("a", "g"), Function("b", "C.h")
    entrances = (Entrance(f, 3, "task `one`"), Entrance(g, 12, "task `one`", (f,)), Entrance(h, 40, "task `two`"))
    assert str(Section("To the PUT", entrances)).splitlines() == [
        "To the PUT: 3 functions in 2 modules",
        "  task `one`",
        "    bot/b.py:3 f",
        "      bot/a.py:12 g",
        "  task `two`",
        "    bot/b.py:40 C.h",
    ]


def test_a_line_of_the_path_names_its_caller_where_that_is_not_above_it() -> None:
    f, g, h = Function("b", "f"), Function("a", "g"), Function("b", "C.h")
    entrances = (Entrance(f, 3, "task `one`"), Entrance(g, 12, "task `one`"), Entrance(h, 40, "task `one`", (f,)))
    assert str(Section("To the PUT", entrances)).splitlines()[-1] == "      bot/b.py:40 C.h  (called by f)"


def _packages(section: Section) -> set[str]:
    return {function.module.split("/")[0] for function in section.functions}
