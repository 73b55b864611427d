"""The monitor while lists, ledger, rules and people disagree: no false alert, no lost alert, and none that stays open for ever."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.alert import HELP_REQUEST_KEY, Alert, AlertRule, AlertState, Resolution, When
from bot.alerts.card import AlertCard
from bot.domain.intervention import State
from bot.domain.permissions import ExtensionPattern, Scope
from tests.fixtures.monitored import DOWN, Monitored


async def test_a_supervisor_s_leg_that_is_left_alone_is_never_taken_for_the_agent(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any, a_leg: Any
) -> None:
    monitored.config.rules = (AlertRule("Long", When.TALKING, timedelta(seconds=20), "C0ALERTS"),)
    call = ring(ago=100).model_copy(update={"views": (a_view(), a_leg("02"))})
    monitored.pbx.calls["c1"], monitored.legs = call, frozenset({"02"})
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.pbx.calls["c1"] = call.model_copy(update={"views": (a_leg("02"),)})
    await clock.let_pass(5)
    shown = [card.alert.call for card in monitored.slack.shown[monitored.only.id] if isinstance(card, AlertCard)]
    assert monitored.only.alert.state is AlertState.RESOLVED
    assert not any("0003*024" in view.source for call in shown for view in call.views)


async def test_an_alert_goes_on_after_a_restart_though_its_call_says_no_more_when_it_entered(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    monitored.config.rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=monitored.now().isoformat()),)})
    monitored.pbx.calls["c1"] = held
    monitored.monitor.start()
    await clock.let_pass(1.5)
    await monitored.stop()
    monitored.pbx.calls["c1"] = held.model_copy(update={"published": None})
    monitored.begin()
    await monitored.manager.start()
    monitored.monitor.start()
    await clock.let_pass(3)
    assert (monitored.states, len(monitored.ledger.alerts)) == ([AlertState.RAISED], 1)


async def test_a_ledger_that_hangs_does_not_stop_the_scans(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.ledger.hanging = monitored.clock.sleep
    monitored.monitor.start()
    await clock.let_pass(10.5)
    assert len(monitored.pbx.asked) >= 10
    assert monitored.slack.shown == {}


async def test_a_call_that_no_scan_shows_for_an_hour_is_over(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.scopes = (Scope("@me"), Scope("12"))
    monitored.pbx.failing = {"12": DOWN}
    monitored.monitor.start()
    await clock.let_pass(3.5)
    monitored.pbx.calls.clear()
    await clock.let_pass(3500)
    assert monitored.states == [AlertState.RAISED]
    await clock.let_pass(150)
    assert monitored.only.alert.how is Resolution.NOT_SEEN


async def test_an_alert_that_was_open_for_long_outlives_a_restart_though_its_scope_misses_the_first_scans(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(4000)
    await monitored.stop()
    monitored.pbx.failing = {"@me": DOWN}
    monitored.scopes = (Scope("@me"), Scope("12"))
    monitored.begin()
    await monitored.manager.start()
    monitored.monitor.start()
    await clock.let_pass(60)
    assert monitored.only.alert.open
    monitored.pbx.failing = {}
    await clock.let_pass(20)
    assert (monitored.only.alert.open, monitored.only.alert.stale) == (True, False)


async def test_an_alert_in_doubt_does_not_hurry_the_scans_for_long(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.scopes = (Scope("@me"), Scope("12"))
    monitored.monitor.start()
    await clock.let_pass(3.5)
    monitored.pbx.calls.clear()
    await clock.let_pass(0.6)
    monitored.pbx.failing = {"@me": DOWN}
    asked = len(monitored.pbx.asked)
    await clock.let_pass(60)
    assert len(monitored.pbx.asked) - asked <= 2 * 62


async def test_an_alert_keeps_its_key_when_its_call_tells_only_later_when_it_entered(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    monitored.config.rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=monitored.now().isoformat()),)})
    monitored.pbx.calls["c1"] = held.model_copy(update={"published": None})
    monitored.monitor.start()
    await clock.let_pass(2.5)
    key = monitored.only.alert.key
    monitored.pbx.calls["c1"] = held
    await clock.let_pass(2)
    assert (monitored.only.alert.call.published, monitored.only.alert.key) == (held.published, key)


async def test_another_call_under_the_id_of_one_that_never_told_when_it_entered_is_another_alert(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    monitored.config.rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=monitored.now().isoformat()),)})
    monitored.pbx.calls["c1"] = held.model_copy(update={"published": None})
    monitored.monitor.start()
    await clock.let_pass(2.5)
    monitored.pbx.calls.clear()
    await clock.let_pass(3)
    await monitored.stop()
    monitored.begin()
    monitored.pbx.calls["c1"] = held
    monitored.monitor.start()
    await clock.let_pass(2)
    assert sorted(alert.state for alert in monitored.ledger.alerts.values()) == [AlertState.RAISED, AlertState.RESOLVED]


async def test_an_alert_whose_call_told_only_later_when_it_entered_comes_back_on_its_card(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    monitored.config.rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=monitored.now().isoformat()),)})
    monitored.pbx.calls["c1"] = held.model_copy(update={"published": None})
    monitored.monitor.start()
    await clock.let_pass(2.5)
    monitored.pbx.calls["c1"] = held
    await clock.let_pass(2)
    monitored.pbx.calls["c1"] = held.model_copy(update={"views": (a_view(),)})
    await clock.let_pass(2)
    await monitored.stop()
    monitored.begin()
    monitored.pbx.calls["c1"] = held
    monitored.monitor.start()
    await clock.let_pass(2)
    assert (monitored.states, len(monitored.ledger.alerts)) == ([AlertState.RAISED], 1)


# ── an entry of a list that cannot be read ──


async def test_an_entry_without_an_id_blinds_nobody_for_the_others(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.pbx.skipped = {"@me": 1}
    monitored.monitor.start()
    await clock.let_pass(1.5)
    assert monitored.states == [AlertState.RAISED]
    assert {figure[1:] for figure in monitored.slack.figures if figure[0] == "scanned"} == {(1, 0, 1)}


async def test_a_call_that_may_be_the_entry_without_an_id_is_not_over(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.pbx.skipped, monitored.pbx.shown_by = {"@me": 1}, {"c1": ("nobody",)}
    await clock.let_pass(30)
    assert (monitored.only.alert.open, monitored.only.alert.stale) == (True, False)


async def test_a_call_that_is_over_is_so_though_the_list_has_an_entry_without_an_id(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.pbx.skipped = {"@me": 1}
    monitored.pbx.calls.clear()
    await clock.let_pass(4)
    assert monitored.only.alert.how is Resolution.CALL_OVER


async def test_a_protected_party_that_an_entry_without_an_id_hides_counts_on(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    monitored.config.allowed = replace(monitored.config.allowed, protected_extensions=(ExtensionPattern("0003*299"),))
    monitored.scopes = (Scope("@me"), Scope("12"))
    call = ring(ago=10)
    whole = call.model_copy(update={"views": (*call.views, a_view("02", extension="0003*299"))})
    monitored.pbx.lists = {"@me": (call,), "12": (whole,)}
    monitored.monitor.start()
    await clock.let_pass(3)
    monitored.pbx.skipped, monitored.pbx.lists = {"12": 1}, {"@me": (call,), "12": ()}
    await clock.let_pass(60)
    assert monitored.states == []


async def test_what_has_ended_and_begun_anew_between_two_scans_is_not_too_long_yet(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    monitored.config.rules = (AlertRule("Held", When.ON_HOLD, timedelta(seconds=60), "C0ALERTS"),)
    long_ago = (monitored.now() - timedelta(seconds=70)).isoformat()
    call = ring(ago=100).model_copy(update={"views": (a_view(onHold=long_ago),)})
    monitored.pbx.calls["c1"] = call
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.pbx.calls["c1"] = call.model_copy(update={"views": (a_view(onHold=monitored.now().isoformat()),)})
    await clock.let_pass(2)
    assert monitored.states == [AlertState.RESOLVED]


async def test_a_rule_that_is_about_others_now_resolves_its_alert(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    (rule,) = monitored.config.rules
    monitored.config.rules = (replace(rule, extensions=(ExtensionPattern("0003*3XX"),)),)
    await clock.let_pass(2)
    assert monitored.only.alert.how is Resolution.RULE_GONE


async def test_a_rule_that_went_while_callbot_was_down_resolves_its_alert(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    await monitored.stop()
    monitored.config.rules = ()
    monitored.begin()
    await monitored.manager.start()
    monitored.monitor.start()
    await clock.let_pass(2)
    assert monitored.only.alert.how is Resolution.RULE_GONE


async def test_rules_that_change_leave_no_doubt_behind(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.pbx.calls.clear()
    await clock.let_pass(0.6)
    monitored.config.rules = (AlertRule("Other", When.PARKED, timedelta(), "C0ALERTS"),)
    monitored.monitor.config_changed()
    asked = len(monitored.pbx.asked)
    await clock.let_pass(60)
    assert len(monitored.pbx.asked) - asked <= 61


async def test_after_a_restart_nothing_is_called_out_of_date_before_there_was_a_scan(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    await clock.let_pass(100)
    await monitored.stop()
    monitored.pbx.slow = 5.0
    monitored.begin()
    await monitored.manager.start()
    monitored.monitor.start()
    await clock.let_pass(4)
    assert not any(card.alert.stale for card in monitored.slack.shown[monitored.only.id] if isinstance(card, AlertCard))


async def test_who_is_in_the_call_by_it_is_on_it_when_it_comes_back_and_nobody_else(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any, an_intervention: Any
) -> None:
    call = ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(0.5)
    inside = an_intervention(alert=monitored.only.id).model_copy(update={"state": State.CONNECTED})
    monitored.manager.note_interventions((inside,))
    assert [one.name for one in monitored.only.alert.on_it] == ["Ana Pop"]
    answered = call.model_copy(update={"views": (a_view(),)})
    for interventions, on_it in (((inside,), ["Ana Pop"]), ((), [])):
        monitored.pbx.calls["c1"] = answered
        await clock.let_pass(2)
        monitored.open = interventions
        monitored.pbx.calls["c1"] = call
        await clock.let_pass(2)
        assert [one.name for one in monitored.only.alert.on_it] == on_it


async def test_a_state_that_the_ledger_took_late_does_not_undo_a_newer_one(
    monitored: Monitored, clock: Any, ring: Any
) -> None:
    call = ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.ledger.away = True
    monitored.pbx.calls.clear()
    await clock.let_pass(3)
    assert monitored.states == [AlertState.RESOLVED]
    monitored.ledger.away = False
    monitored.pbx.calls["c1"] = call
    await clock.let_pass(40)
    assert monitored.states == [AlertState.RAISED]
    assert [alert.state for alert in monitored.ledger.alerts.values()] == [AlertState.RAISED]


async def test_a_help_request_lasts_as_long_as_its_call_though_no_list_shows_that(
    monitored: Monitored, clock: Any, ring: Any, noon: datetime
) -> None:
    call = ring()
    monitored.pbx.shown_by = {"c1": ("nobody",)}
    side = {"extension": "0003*210", "view_id": "01", "since": noon, "raised_at": noon, "seen_at": noon}
    request = {
        "id": "0a" * 16,
        "rule": HELP_REQUEST_KEY,
        "name": "Bob",
        "when": When.HELP_REQUESTED,
        "channel": "C0FLOOR",
    }
    await monitored.manager.raise_alerts([Alert.model_validate({**request, **side, "call": call, "asked_by": "U0BOB"})])
    monitored.monitor.start()
    await clock.let_pass(30)
    assert monitored.states == [AlertState.RAISED]
    monitored.pbx.calls.clear()
    await clock.let_pass(3)
    assert monitored.only.alert.how is Resolution.CALL_OVER


async def test_while_the_ledger_hangs_nothing_is_asked_of_it_twice(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.ledger.hanging = monitored.clock.sleep
    monitored.monitor.start()
    await clock.let_pass(40)
    assert monitored.ledger.asked <= 2


async def test_a_party_that_is_protected_and_joins_later_ends_what_is_shown(
    monitored: Monitored, clock: Any, ring: Any, a_view: Any
) -> None:
    call = ring(ago=30)
    monitored.config.allowed = replace(monitored.config.allowed, protected_extensions=(ExtensionPattern("0003*299"),))
    monitored.monitor.start()
    await clock.let_pass(1.5)
    assert monitored.states == [AlertState.RAISED]
    joined = (*call.views, a_view("02", extension="0003*299"))
    monitored.pbx.calls["c1"] = call.model_copy(update={"views": joined})
    await clock.let_pass(2)
    assert (monitored.only.alert.how, monitored.only.view) == (Resolution.PROTECTED, None)


async def test_what_becomes_of_an_alert_is_saved(monitored: Monitored, clock: Any, ring: Any) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.pbx.calls.clear()
    await clock.let_pass(3)
    assert [alert.state for alert in monitored.ledger.alerts.values()] == [AlertState.RESOLVED]


async def test_the_time_from_card_to_click_is_measured(
    monitored: Monitored, clock: Any, ring: Any, an_intervention: Any
) -> None:
    ring(ago=30)
    monitored.monitor.start()
    await clock.let_pass(1.5)
    monitored.manager.card_posted(monitored.only.id)
    await clock.let_pass(7)
    monitored.manager.note_interventions(
        (an_intervention(alert=monitored.only.id).model_copy(update={"asked_at": monitored.now()}),)
    )
    assert [figure[1] for figure in monitored.slack.figures if figure[0] == "to click"] == [7.0]
