"""The lookout where lists, ledgers, rules and people disagree for a while: nothing false, nothing lost, nothing for ever."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.alert import HELP_REQUEST_KEY, Alert, AlertRule, AlertState, Resolution, When
from bot.alerts.card import AlertCard
from bot.domain.intervention import State
from bot.domain.permissions import ExtensionPattern
from tests.fixtures.monitor_post import DOWN, Post


async def test_a_supervisor_s_leg_that_is_left_alone_is_never_taken_for_the_agent(
    post: Post, clock: Any, ring: Any, a_view: Any, a_leg: Any
) -> None:
    post.alert_rules = (AlertRule("Long", When.TALKING, timedelta(seconds=20), "C0ALERTS"),)
    call = ring(ago=100).model_copy(update={"views": (a_view(), a_leg("02"))})
    post.pbx.calls["c1"], post.legs = call, frozenset({"02"})
    post.monitor.start()
    await clock.let_pass(1.5)
    post.pbx.calls["c1"] = call.model_copy(update={"views": (a_leg("02"),)})
    await clock.let_pass(5)
    shown = [card.alert.call for card in post.wall.shown[post.only.id] if isinstance(card, AlertCard)]
    assert post.only.alert.state is AlertState.RESOLVED
    assert not any("0003*024" in view.source for call in shown for view in call.views)


async def test_an_alert_goes_on_after_a_restart_though_its_call_says_no_more_when_it_entered(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    post.pbx.calls["c1"] = held
    post.monitor.start()
    await clock.let_pass(1.5)
    await post.stop()
    post.pbx.calls["c1"] = held.model_copy(update={"published": None})
    post.begin()
    await post.manager.start()
    post.monitor.start()
    await clock.let_pass(3)
    assert (post.states, len(post.book.alerts)) == ([AlertState.RAISED], 1)


async def test_a_ledger_that_hangs_keeps_nobody_from_looking(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.book.hanging = post.clock.sleep
    post.monitor.start()
    await clock.let_pass(10.5)
    assert len(post.pbx.asked) >= 10
    assert post.wall.shown == {}


async def test_a_call_that_no_look_tells_of_for_an_hour_is_over(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.scopes = (("@me", "@self"), ("12", "@self"))
    post.pbx.failing = {"12": DOWN}
    post.monitor.start()
    await clock.let_pass(3.5)
    post.pbx.calls.clear()
    await clock.let_pass(3500)
    assert post.states == [AlertState.RAISED]
    await clock.let_pass(150)
    assert post.only.alert.how is Resolution.NOT_SEEN


async def test_an_alert_that_was_open_for_long_outlives_a_restart_though_its_scope_misses_the_first_looks(
    post: Post, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(4000)
    await post.stop()
    post.pbx.failing = {"@me": DOWN}
    post.scopes = (("@me", "@self"), ("12", "@self"))
    post.begin()
    await post.manager.start()
    post.monitor.start()
    await clock.let_pass(60)
    assert post.only.alert.open
    post.pbx.failing = {}
    await clock.let_pass(20)
    assert (post.only.alert.open, post.only.alert.stale) == (True, False)


async def test_an_alert_in_doubt_does_not_hurry_the_looks_for_long(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.scopes = (("@me", "@self"), ("12", "@self"))
    post.monitor.start()
    await clock.let_pass(3.5)
    post.pbx.calls.clear()
    await clock.let_pass(0.6)
    post.pbx.failing = {"@me": DOWN}
    asked = len(post.pbx.asked)
    await clock.let_pass(60)
    assert len(post.pbx.asked) - asked <= 2 * 62


async def test_an_alert_keeps_its_key_when_its_call_tells_only_later_when_it_entered(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    post.pbx.calls["c1"] = held.model_copy(update={"published": None})
    post.monitor.start()
    await clock.let_pass(2.5)
    key = post.only.alert.key
    post.pbx.calls["c1"] = held
    await clock.let_pass(2)
    assert (post.only.alert.call.published, post.only.alert.key) == (held.published, key)


async def test_an_alert_whose_call_told_only_later_when_it_entered_comes_back_on_its_card(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    post.pbx.calls["c1"] = held.model_copy(update={"published": None})
    post.monitor.start()
    await clock.let_pass(2.5)
    post.pbx.calls["c1"] = held
    await clock.let_pass(2)
    post.pbx.calls["c1"] = held.model_copy(update={"views": (a_view(),)})
    await clock.let_pass(2)
    await post.stop()
    post.begin()
    post.pbx.calls["c1"] = held
    post.monitor.start()
    await clock.let_pass(2)
    assert (post.states, len(post.book.alerts)) == ([AlertState.RAISED], 1)


# ── an entry of a list that cannot be read ──


async def test_an_entry_without_an_id_blinds_nobody_for_the_others(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.pbx.skipped = {"@me": 1}
    post.monitor.start()
    await clock.let_pass(1.5)
    assert post.states == [AlertState.RAISED]
    assert {figure[1:] for figure in post.wall.figures if figure[0] == "scanned"} == {(1, 0, 1)}


async def test_a_call_that_may_be_the_entry_without_an_id_is_not_over(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    post.pbx.skipped, post.pbx.shown_by = {"@me": 1}, {"c1": ("nobody",)}
    await clock.let_pass(30)
    assert (post.only.alert.open, post.only.alert.stale) == (True, False)


async def test_a_call_that_is_over_is_so_though_the_list_has_an_entry_without_an_id(
    post: Post, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    post.pbx.skipped = {"@me": 1}
    post.pbx.calls.clear()
    await clock.let_pass(4)
    assert post.only.alert.how is Resolution.CALL_OVER


async def test_a_protected_party_that_an_entry_without_an_id_hides_counts_on(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.rules = replace(post.rules, protected_extensions=(ExtensionPattern("0003*299"),))
    post.scopes = (("@me", "@self"), ("12", "@self"))
    call = ring(ago=10)
    whole = call.model_copy(update={"views": (*call.views, a_view("02", extension="0003*299"))})
    post.pbx.lists = {"@me": (call,), "12": (whole,)}
    post.monitor.start()
    await clock.let_pass(3)
    post.pbx.skipped, post.pbx.lists = {"12": 1}, {"@me": (call,), "12": ()}
    await clock.let_pass(60)
    assert post.states == []


async def test_what_has_ended_and_begun_anew_between_two_looks_is_not_too_long_yet(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (AlertRule("Held", When.ON_HOLD, timedelta(seconds=60), "C0ALERTS"),)
    long_ago = (post.now() - timedelta(seconds=70)).isoformat()
    call = ring(ago=100).model_copy(update={"views": (a_view(onHold=long_ago),)})
    post.pbx.calls["c1"] = call
    post.monitor.start()
    await clock.let_pass(1.5)
    post.pbx.calls["c1"] = call.model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    await clock.let_pass(2)
    assert post.states == [AlertState.RESOLVED]


async def test_a_rule_that_is_about_others_now_resolves_its_alert(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    (rule,) = post.alert_rules
    post.alert_rules = (replace(rule, extensions=(ExtensionPattern("0003*3XX"),)),)
    await clock.let_pass(2)
    assert post.only.alert.how is Resolution.RULE_GONE


async def test_a_rule_that_went_while_callbot_was_down_resolves_its_alert(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    await post.stop()
    post.alert_rules = ()
    post.begin()
    await post.manager.start()
    post.monitor.start()
    await clock.let_pass(2)
    assert post.only.alert.how is Resolution.RULE_GONE


async def test_rules_that_change_leave_no_doubt_behind(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    post.pbx.calls.clear()
    await clock.let_pass(0.6)
    post.alert_rules = (AlertRule("Other", When.PARKED, timedelta(), "C0ALERTS"),)
    post.monitor.rules_changed()
    asked = len(post.pbx.asked)
    await clock.let_pass(60)
    assert len(post.pbx.asked) - asked <= 61


async def test_after_a_restart_nothing_is_called_out_of_date_before_there_was_a_look(
    post: Post, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    await clock.let_pass(100)
    await post.stop()
    post.pbx.slow = 5.0
    post.begin()
    await post.manager.start()
    post.monitor.start()
    await clock.let_pass(4)
    assert not any(card.alert.stale for card in post.wall.shown[post.only.id] if isinstance(card, AlertCard))


async def test_who_is_in_the_call_by_it_is_on_it_when_it_comes_back_and_nobody_else(
    post: Post, clock: Any, ring: Any, a_view: Any, an_intervention: Any
) -> None:
    call = ring(ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    inside = an_intervention(alert=post.only.id).model_copy(update={"state": State.CONNECTED})
    post.manager.note_interventions((inside,))
    assert [one.name for one in post.only.alert.on_it] == ["Ana Pop"]
    answered = call.model_copy(update={"views": (a_view(),)})
    for interventions, on_it in (((inside,), ["Ana Pop"]), ((), [])):
        post.pbx.calls["c1"] = answered
        await clock.let_pass(2)
        post.interventions = interventions
        post.pbx.calls["c1"] = call
        await clock.let_pass(2)
        assert [one.name for one in post.only.alert.on_it] == on_it


async def test_a_truth_that_the_ledger_took_late_does_not_undo_a_newer_one(post: Post, clock: Any, ring: Any) -> None:
    call = ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    post.book.away = True
    post.pbx.calls.clear()
    await clock.let_pass(3)
    assert post.states == [AlertState.RESOLVED]
    post.book.away = False
    post.pbx.calls["c1"] = call
    await clock.let_pass(40)
    assert post.states == [AlertState.RAISED]
    assert [alert.state for alert in post.book.alerts.values()] == [AlertState.RAISED]


async def test_a_raised_hand_lasts_as_long_as_its_call_though_no_list_shows_that(
    post: Post, clock: Any, ring: Any, noon: datetime
) -> None:
    call = ring()
    post.pbx.shown_by = {"c1": ("nobody",)}
    side = {"extension": "0003*210", "view_id": "01", "since": noon, "raised_at": noon, "seen_at": noon}
    hand = {"id": "0a" * 16, "rule": HELP_REQUEST_KEY, "name": "Bob", "when": When.HELP_REQUESTED, "channel": "C0FLOOR"}
    await post.manager.raise_alerts([Alert.model_validate({**hand, **side, "call": call, "asked_by": "U0BOB"})])
    post.monitor.start()
    await clock.let_pass(30)
    assert post.states == [AlertState.RAISED]
    post.pbx.calls.clear()
    await clock.let_pass(3)
    assert post.only.alert.how is Resolution.CALL_OVER


async def test_while_the_ledger_hangs_nothing_is_asked_of_it_twice(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.book.hanging = post.clock.sleep
    post.monitor.start()
    await clock.let_pass(40)
    assert post.book.asked <= 2


async def test_a_party_that_is_protected_and_joins_later_ends_what_is_shown(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    call = ring(ago=30)
    post.rules = replace(post.rules, protected_extensions=(ExtensionPattern("0003*299"),))
    post.monitor.start()
    await clock.let_pass(1.5)
    assert post.states == [AlertState.RAISED]
    joined = (*call.views, a_view("02", extension="0003*299"))
    post.pbx.calls["c1"] = call.model_copy(update={"views": joined})
    await clock.let_pass(2)
    assert (post.only.alert.how, post.only.view) == (Resolution.PROTECTED, None)


async def test_what_becomes_of_an_alert_is_written_down(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    post.pbx.calls.clear()
    await clock.let_pass(3)
    assert [alert.state for alert in post.book.alerts.values()] == [AlertState.RESOLVED]


async def test_from_card_to_click_is_measured(post: Post, clock: Any, ring: Any, an_intervention: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(1.5)
    post.manager.card_posted(post.only.id)
    await clock.let_pass(7)
    post.manager.note_interventions((an_intervention(alert=post.only.id).model_copy(update={"asked_at": post.now()}),))
    assert [figure[1] for figure in post.wall.figures if figure[0] == "to click"] == [7.0]
