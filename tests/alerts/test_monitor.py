"""The monitor on a clock of the test's own: when alerts are raised, resolved, stale, snoozed and counted."""

from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs

from bot.alerts.alert import STALE_AFTER, AlertRule, AlertState, Resolution, When, snoozed
from bot.alerts.card import AlertCard, DigestCard
from bot.alerts.manager import DIGEST_EVERY
from tests.fixtures.monitored import DOWN, Monitored


async def test_a_call_is_raised_at_the_first_scan_after_its_time(monitored: Monitored, clock: Any, ring: Any) -> None:
    monitored.monitor.start()
    await clock.let_pass(0.5)
    ring()
    await clock.let_pass(19.9)
    assert monitored.states == []
    await clock.let_pass(1.1)
    assert monitored.states == [AlertState.RAISED]


async def test_an_alert_that_is_raised_is_a_line_of_the_log_with_ids_alone(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    with capture_logs() as logs:
        await clock.let_pass(1.5)
    alert = monitored.only.alert
    ids = {"alert": alert.id, "card": alert.card, "call": alert.call.id}
    assert logs == [{"event": "alert", "state": AlertState.RAISED, "log_level": "info", **ids}]


async def test_a_supervisor_s_own_phone_that_rings_raises_nothing(monitored: Monitored, clock: Any, ring: Any) -> None:
    monitored.legs = frozenset({"01"})
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(5)
    assert monitored.states == []


async def test_a_call_that_tells_when_it_entered_only_later_is_one_alert(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    monitored.config.rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=monitored.now().isoformat()),)})
    monitored.pbx.calls["c1"] = held.model_copy(update={"published": None})
    monitored.monitor.start()
    await clock.let_pass(2.5)
    monitored.pbx.calls["c1"] = held
    await clock.let_pass(5)
    assert monitored.states == [AlertState.RAISED]


async def test_what_the_ledger_does_not_take_is_not_shown_and_raised_later(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.ledger.away = True
    monitored.monitor.start()
    await clock.let_pass(5)
    assert monitored.slack.shown == {}
    monitored.ledger.away = False
    await clock.let_pass(1.5)
    assert monitored.states == [AlertState.RAISED]


async def test_a_call_that_one_scan_does_not_show_goes_on(monitored: Monitored, clock: Any, ring: Any) -> None:
    call = ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    del monitored.pbx.calls["c1"]
    await clock.let_pass(0.6)
    monitored.pbx.calls["c1"] = call
    await clock.let_pass(10)
    shown = [card for card in monitored.slack.shown[monitored.only.id] if isinstance(card, AlertCard)]
    assert {card.alert.state for card in shown} == {AlertState.RAISED}


async def test_a_call_that_is_gone_is_believed_so_within_two_seconds(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(3.5)
    del monitored.pbx.calls["c1"]
    await clock.let_pass(2)
    assert (monitored.only.alert.state, monitored.only.alert.how) == (AlertState.RESOLVED, Resolution.CALL_OVER)


async def test_an_answered_call_is_believed_so_at_once(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    call = ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(3.5)
    monitored.pbx.calls["c1"] = call.model_copy(update={"views": (a_view(),), "answered": monitored.now()})
    await clock.let_pass(1)
    assert (monitored.only.alert.how, monitored.only.alert.by) == (Resolution.ANSWERED, "0003*210")


async def test_another_call_under_its_id_resolves_it_and_is_its_own(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    ring(ago=25)
    await clock.let_pass(1)
    assert sorted(monitored.states) == [AlertState.RAISED, AlertState.RESOLVED]


async def test_after_thirty_seconds_without_a_scan_the_card_says_so_and_stops_saying_it(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    monitored.pbx.failing = {"@me": DOWN}
    await clock.let_pass(STALE_AFTER.total_seconds() - 1)
    assert not monitored.only.alert.stale
    await clock.let_pass(3)
    assert monitored.only.alert.stale
    monitored.pbx.failing = {}
    await clock.let_pass(12)
    assert not monitored.only.alert.stale


async def test_while_the_pbx_does_not_answer_nothing_is_resolved(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    monitored.pbx.failing, monitored.pbx.calls = {"@me": DOWN}, {}
    await clock.let_pass(120)
    assert monitored.states == [AlertState.RAISED]


async def test_a_pbx_that_fails_is_asked_ever_less_often_and_recovers_by_itself(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    monitored.pbx.failing = {"@me": DOWN}
    monitored.monitor.start()
    await clock.let_pass(120)
    asked = len(monitored.pbx.asked)
    assert asked < 40
    monitored.pbx.failing = {}
    await clock.let_pass(12)
    ring(ago=30)
    await clock.let_pass(1.1)
    assert monitored.states == [AlertState.RAISED]


async def test_scans_never_overlap_however_slow_the_pbx_is(monitored: Monitored, clock: Any) -> None:
    monitored.pbx.slow = 7.0
    monitored.monitor.start()
    await clock.let_pass(60)
    assert (monitored.pbx.most_under_way, 7 <= len(monitored.pbx.asked) <= 8) == (1, True)


async def test_a_snooze_is_over_after_ten_minutes(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    monitored.manager.update(snoozed(monitored.only.alert, "Ana Pop", monitored.now()))
    await clock.let_pass(595)
    assert monitored.states == [AlertState.SNOOZED]
    await clock.let_pass(10)
    assert monitored.states == [AlertState.RAISED]


async def test_without_rules_and_alerts_nothing_is_scanned(monitored: Monitored, clock: Any) -> None:
    monitored.config.rules = ()
    monitored.monitor.start()
    await clock.let_pass(60)
    assert monitored.pbx.asked == []


async def test_a_scan_that_fails_for_an_unforeseen_reason_is_not_the_last(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    monitored.pbx.failing = {"@me": RuntimeError("not foreseen")}
    monitored.monitor.start()
    await clock.let_pass(3)
    monitored.pbx.failing = {}
    ring(ago=30)
    await clock.let_pass(12)
    assert monitored.states == [AlertState.RAISED]


async def test_after_a_restart_an_open_alert_goes_on_and_one_whose_call_is_gone_is_resolved(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring("c1", ago=30)
    ring("c2", ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    await monitored.stop()
    del monitored.pbx.calls["c2"]
    monitored.begin()
    await monitored.manager.start()
    monitored.monitor.start()
    await clock.let_pass(3)
    assert sorted(monitored.states) == [AlertState.RAISED, AlertState.RESOLVED]
    assert len(monitored.slack.shown) == 2


async def test_a_flood_is_one_digest_that_changes_no_oftener_than_every_few_seconds(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    for number in range(40):
        ring(f"c{number}", ago=19 - number / 4)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    assert monitored.slack.shown == {}
    await clock.let_pass(40)
    digests = [cards for cards in monitored.slack.shown.values() if isinstance(cards[-1], DigestCard)]
    own = [cards for cards in monitored.slack.shown.values() if isinstance(cards[-1], AlertCard)]
    assert len(digests) == 1
    newest = digests[0][-1]
    assert isinstance(newest, DigestCard)
    assert len(own) + newest.total == 40
    assert len(digests[0]) <= 40 / DIGEST_EVERY


async def test_a_later_flood_goes_on_the_digest_that_still_shows_open_alerts(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    for flood in "cd":
        for number in range(12):
            ring(f"{flood}{number}", ago=30)
        if flood == "c":
            monitored.monitor.start()
        await clock.let_pass(90)
    (cards,) = monitored.slack.shown.values()
    assert isinstance(cards[-1], DigestCard)
    assert (cards[-1].open, cards[-1].total) == (24, 24)


async def test_an_alert_of_a_digest_that_is_done_comes_back_on_a_card_of_its_own(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    calls = {f"c{number}": ring(f"c{number}", ago=30) for number in range(12)}
    monitored.monitor.start()
    await clock.let_pass(5)
    monitored.pbx.calls.clear()
    await clock.let_pass(90)
    monitored.pbx.calls["c1"] = calls["c1"]
    await clock.let_pass(5)
    *_, newest = monitored.slack.shown.values()
    assert isinstance(newest[-1], AlertCard)
    assert (newest[-1].alert.call.id, len(newest[-1].alert.steps), len(monitored.ledger.alerts)) == ("c1", 1, 12)


async def test_an_alert_of_a_digest_that_comes_back_is_counted_once(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    calls = [ring(f"c{number}", ago=30) for number in range(12)]
    monitored.monitor.start()
    await clock.let_pass(4)
    del monitored.pbx.calls["c0"]
    await clock.let_pass(5)
    monitored.pbx.calls["c0"] = calls[0]
    await clock.let_pass(5)
    (cards,) = monitored.slack.shown.values()
    assert isinstance(cards[-1], DigestCard)
    assert (cards[-1].open, cards[-1].total) == (12, 12)


async def test_the_time_from_firing_to_card_is_measured(monitored: Monitored, clock: Any, ring: Any) -> None:
    monitored.monitor.start()
    await clock.let_pass(0.5)
    ring(ago=10)
    await clock.let_pass(11)
    monitored.manager.card_posted(monitored.only.id)
    (seconds,) = [figure[1] for figure in monitored.slack.figures if figure[0] == "to card"]
    assert 0 <= seconds <= 2


async def test_a_date_that_cannot_be_used_is_counted_once(monitored: Monitored, clock: Any, ring: Any) -> None:
    monitored.pbx.calls["c1"] = ring().model_copy(update={"published": monitored.now() + timedelta(hours=1)})
    monitored.monitor.start()
    await clock.let_pass(5)
    assert monitored.slack.figures.count((When.RINGING, "future")) == 1
    assert monitored.slack.shown == {}


async def test_the_age_of_the_last_scan_grows_while_the_pbx_is_away(monitored: Monitored, clock: Any) -> None:
    monitored.monitor.start()
    await clock.let_pass(1.5)
    assert monitored.monitor.scan_age() < 1
    monitored.pbx.failing = {"@me": DOWN}
    await clock.let_pass(60)
    assert monitored.monitor.scan_age() >= 60
