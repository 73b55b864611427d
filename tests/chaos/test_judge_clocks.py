"""A card that is wrong about a ringing phone, and an alert before its time, are found; what is in time is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import test_judge, test_judge_alerts
from tests.chaos.cast import STAFF
from tests.chaos.judge import violations
from tests.chaos.records import Evidence, Outage, Put, Shown, Span, Step
from tests.chaos.test_judge import CARD, CAST, PHONE, PUT, ROW, TEXT
from tests.chaos.wall_clock import FILE, STEPS, WallClock, stepped_wall

RINGING = "Ringing. Who hears Sup01: nobody yet."
UNANSWERED = "Not answered. Who hears Sup01: nobody (no connection seen)."
TRUE, ALONE, AFTER, DUE, DATED = (
    "Ringing is true",
    "one phone rings for one",
    "Not answered comes after the wait",
    "no alert is early",
    "dates are the wall clock's",
)


def promises(evidence: Evidence) -> set[str]:
    return {violation.promise for violation in violations(evidence, CAST)}


def versions(*shown: tuple[float, str], rang: Span, **changes: Any) -> Evidence:
    """The phone rang for that long after the PUT at 10.1, with a wait of 2 s, and the card has said this."""
    card = replace(CARD, versions=shown)
    return test_judge.evidence(shown=[card], rings={(PHONE, "c1"): [rang]}, **changes)


def second(since: float) -> Evidence:
    """A second card of that person says Ringing for another call until 18, the first one until 14."""
    put: Put = replace(PUT, call_id="c2", rows=frozenset({"i2"}))
    mine = replace(ROW, id="i2", card="k2", call_id="c2", place=STAFF, claim=None)
    shown = Shown(STAFF, "2.2", TEXT, (TEXT,), ((since, RINGING), (18.0, TEXT)))
    return test_judge.evidence(
        puts=[PUT, put],
        interventions=[ROW, mine],
        cards={"k1": ("D0SUP01", "1.1"), "k2": (STAFF, "2.2")},
        shown=[replace(CARD, versions=((10.2, RINGING), (14.0, TEXT))), shown],
    )


def test_ringing_before_the_put_is_found() -> None:
    assert TRUE in promises(versions((10.0, RINGING), (11.0, TEXT), rang=Span(10.15, 10.5)))


def test_ringing_long_after_the_phone_was_lifted_is_found() -> None:
    assert TRUE in promises(versions((10.2, RINGING), (21.0, TEXT), rang=Span(10.15, 10.5)))


def test_ringing_long_after_the_wait_of_a_phone_that_cannot_ring_is_found() -> None:
    assert TRUE in promises(versions((10.2, RINGING), (22.5, UNANSWERED), rang=Span(1.0, 2.0)))


@pytest.mark.parametrize(
    "evidence",
    [
        versions((10.2, RINGING), (11.0, TEXT), rang=Span(10.15, 10.5)),
        versions((10.2, RINGING), (20.0, TEXT), rang=Span(10.15, 18.0)),
        versions((10.2, RINGING), (21.0, TEXT), rang=Span(10.15, 10.5), outages=[Outage("pbx", 11.0, 12.0)]),
    ],
    ids=["it was lifted", "it rings for long", "nobody could see it"],
)
def test_ringing_while_the_phone_rings_is_no_violation(evidence: Evidence) -> None:
    assert TRUE not in promises(evidence)


def test_two_cards_that_say_that_one_phone_rings_are_found() -> None:
    assert ALONE in promises(second(since=10.5))


def test_a_card_that_follows_another_is_no_violation() -> None:
    assert ALONE not in promises(second(since=13.5))


def test_a_card_that_gives_up_before_the_wait_is_over_is_found() -> None:
    assert AFTER in promises(versions((10.2, RINGING), (12.0, UNANSWERED), rang=Span(10.15, 12.15)))


@pytest.mark.parametrize(
    ("ahead", "started_at", "early"), [(3600.0, 11.8, False), (3600.0, 10.5, True), (0.0, 11.8, True)]
)
def test_only_a_start_after_the_clock_was_set_forward_cuts_a_wait_short(
    ahead: float, started_at: float, early: bool
) -> None:
    set_forward = [Step(9.0, 3600.0), Step(11.0, 3600.0 + ahead)]
    restart = [Outage("bot", started_at - 0.3, started_at)]
    evidence = versions(
        (10.2, RINGING), (12.0, UNANSWERED), rang=Span(10.15, 12.15), wall_steps=set_forward, outages=restart
    )
    assert (AFTER in promises(evidence)) is early


def test_a_card_that_gives_up_after_the_wait_is_no_violation() -> None:
    assert AFTER not in promises(versions((10.2, RINGING), (12.2, UNANSWERED), rang=Span(10.15, 12.15)))


@pytest.mark.parametrize(
    ("held", "ahead", "early"),
    [
        (Span(11.5), 0.0, True),
        (Span(8.0, 8.5), 0.0, True),
        (Span(12.5), 600.0, True),
        (Span(10.0), 0.0, False),
        (Span(10.95), 0.0, False),
        (Span(5.0, 11.0), 0.0, False),
        (Span(11.5), 600.0, False),
    ],
)
def test_the_judge_knows_when_an_alert_is_early(held: Span, ahead: float, early: bool) -> None:
    key = (test_judge_alerts.ALERT.name, "c1")
    evidence = test_judge_alerts.evidence(holds={key: [held]}, pbx_ahead=ahead)
    assert (DUE in promises(evidence)) is early


@pytest.mark.parametrize("ahead", STEPS)
def test_a_date_of_the_ledger_is_read_by_the_clock_that_wrote_it(tmp_path: Path, ahead: float) -> None:
    clock = WallClock(tmp_path, lambda date: date.timestamp() - 1_000_000.0)
    clock.step(3600.0)
    written = datetime.fromtimestamp(1_000_030.0 + ahead, UTC)
    assert clock.instant(written, now=50.0) == pytest.approx(30.0)


def test_the_bot_reads_the_clock_that_was_set(tmp_path: Path) -> None:
    WallClock(tmp_path, datetime.timestamp).step(-7200.0)
    assert abs(stepped_wall(tmp_path / FILE) + timedelta(hours=2) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(("dated", "wrong"), [(10.0, False), (14.0, False), (3610.0, True), (-3590.0, True)])
def test_a_request_that_is_dated_by_no_clock_is_found(dated: float, wrong: bool) -> None:
    evidence = test_judge.evidence(requests=[replace(test_judge.REQUEST, at=dated)])
    assert (DATED in promises(evidence)) is wrong


@pytest.mark.parametrize(
    ("ahead", "set_at", "wrong"), [(0.0, 8.0, True), (3600.0, 8.0, False), (0.0, 9.0, False), (3600.0, 30.0, True)]
)
def test_a_request_that_is_dated_by_the_clock_as_it_was_at_another_time_is_found(
    ahead: float, set_at: float, wrong: bool
) -> None:
    dated = replace(test_judge.REQUEST, ahead=ahead)
    evidence = test_judge.evidence(requests=[dated], wall_steps=[Step(set_at, 3600.0)])
    assert (DATED in promises(evidence)) is wrong
