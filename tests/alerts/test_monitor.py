"""The lookout on a clock of the test's own: when alerts are raised, believed over, out of date, snoozed and counted."""

from datetime import timedelta
from typing import Any

from bot.alerts.alert import STALE_AFTER, AlertRule, AlertState, Resolution, When, snoozed
from bot.alerts.card import AlertCard, DigestCard
from bot.alerts.manager import DIGEST_EVERY
from tests.fixtures.monitor_post import DOWN, Post


async def test_a_call_is_raised_at_the_first_look_after_its_time(post: Post, clock: Any, ring: Any) -> None:
    post.monitor.start()
    await clock.let_pass(0.5)
    ring()
    await clock.let_pass(19.9)
    assert post.states == []
    await clock.let_pass(1.1)
    assert post.states == [AlertState.RAISED]


async def test_a_supervisor_s_own_phone_that_rings_raises_nothing(post: Post, clock: Any, ring: Any) -> None:
    post.legs = frozenset({"01"})
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(5)
    assert post.states == []


async def test_a_call_that_tells_when_it_entered_only_later_is_one_alert(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (AlertRule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    post.pbx.calls["c1"] = held.model_copy(update={"published": None})
    post.monitor.start()
    await clock.let_pass(2.5)
    post.pbx.calls["c1"] = held
    await clock.let_pass(5)
    assert post.states == [AlertState.RAISED]


async def test_what_the_ledger_does_not_take_is_not_shown_and_raised_later(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.book.away = True
    post.monitor.start()
    await clock.let_pass(5)
    assert post.wall.shown == {}
    post.book.away = False
    await clock.let_pass(1.5)
    assert post.states == [AlertState.RAISED]


async def test_a_call_that_one_look_does_not_show_goes_on(post: Post, clock: Any, ring: Any) -> None:
    call = ring(ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    del post.pbx.calls["c1"]
    await clock.let_pass(0.6)
    post.pbx.calls["c1"] = call
    await clock.let_pass(10)
    shown = [card for card in post.wall.shown[post.only.id] if isinstance(card, AlertCard)]
    assert {card.alert.state for card in shown} == {AlertState.RAISED}


async def test_a_call_that_is_gone_is_believed_so_within_two_seconds(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(3.5)
    del post.pbx.calls["c1"]
    await clock.let_pass(2)
    assert (post.only.alert.state, post.only.alert.how) == (AlertState.RESOLVED, Resolution.CALL_OVER)


async def test_an_answered_call_is_believed_so_at_once(post: Post, clock: Any, ring: Any, a_view: Any) -> None:
    call = ring(ago=30)
    post.monitor.start()
    await clock.let_pass(3.5)
    post.pbx.calls["c1"] = call.model_copy(update={"views": (a_view(),), "answered": post.now()})
    await clock.let_pass(1)
    assert (post.only.alert.how, post.only.alert.by) == (Resolution.ANSWERED, "0003*210")


async def test_another_call_under_its_id_resolves_it_and_is_its_own(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    ring(ago=25)
    await clock.let_pass(1)
    assert sorted(post.states) == [AlertState.RAISED, AlertState.RESOLVED]


async def test_after_thirty_seconds_without_a_look_the_card_says_so_and_stops_saying_it(
    post: Post, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    post.pbx.failing = {"@me": DOWN}
    await clock.let_pass(STALE_AFTER.total_seconds() - 1)
    assert not post.only.alert.stale
    await clock.let_pass(3)
    assert post.only.alert.stale
    post.pbx.failing = {}
    await clock.let_pass(12)
    assert not post.only.alert.stale


async def test_while_the_pbx_does_not_answer_nothing_is_resolved(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    post.pbx.failing, post.pbx.calls = {"@me": DOWN}, {}
    await clock.let_pass(120)
    assert post.states == [AlertState.RAISED]


async def test_a_pbx_that_fails_is_asked_ever_less_often_and_recovers_by_itself(
    post: Post, clock: Any, ring: Any
) -> None:
    post.pbx.failing = {"@me": DOWN}
    post.monitor.start()
    await clock.let_pass(120)
    asked = len(post.pbx.asked)
    assert asked < 40
    post.pbx.failing = {}
    await clock.let_pass(12)
    ring(ago=30)
    await clock.let_pass(1.1)
    assert post.states == [AlertState.RAISED]


async def test_looks_never_overlap_however_slow_the_pbx_is(post: Post, clock: Any) -> None:
    post.pbx.slow = 7.0
    post.monitor.start()
    await clock.let_pass(60)
    assert (post.pbx.most_under_way, 7 <= len(post.pbx.asked) <= 8) == (1, True)


async def test_a_snooze_is_over_after_ten_minutes(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    post.manager.update(snoozed(post.only.alert, "Ana Pop", post.now()))
    await clock.let_pass(595)
    assert post.states == [AlertState.SNOOZED]
    await clock.let_pass(10)
    assert post.states == [AlertState.RAISED]


async def test_without_rules_and_alerts_nothing_is_looked_at(post: Post, clock: Any) -> None:
    post.alert_rules = ()
    post.monitor.start()
    await clock.let_pass(60)
    assert post.pbx.asked == []


async def test_a_look_that_fails_for_an_unforeseen_reason_does_not_end_the_looking(
    post: Post, clock: Any, ring: Any
) -> None:
    post.pbx.failing = {"@me": RuntimeError("not foreseen")}
    post.monitor.start()
    await clock.let_pass(3)
    post.pbx.failing = {}
    ring(ago=30)
    await clock.let_pass(12)
    assert post.states == [AlertState.RAISED]


async def test_after_a_restart_an_open_alert_goes_on_and_one_whose_call_is_gone_is_resolved(
    post: Post, clock: Any, ring: Any
) -> None:
    ring("c1", ago=30)
    ring("c2", ago=30)
    post.monitor.start()
    await clock.let_pass(0.5)
    await post.stop()
    del post.pbx.calls["c2"]
    post.begin()
    await post.manager.start()
    post.monitor.start()
    await clock.let_pass(3)
    assert sorted(post.states) == [AlertState.RAISED, AlertState.RESOLVED]
    assert len(post.wall.shown) == 2


async def test_a_flood_is_one_digest_that_changes_no_oftener_than_every_few_seconds(
    post: Post, clock: Any, ring: Any
) -> None:
    for number in range(40):
        ring(f"c{number}", ago=19 - number / 4)
    post.monitor.start()
    await clock.let_pass(0.5)
    assert post.wall.shown == {}
    await clock.let_pass(40)
    digests = [cards for cards in post.wall.shown.values() if isinstance(cards[-1], DigestCard)]
    own = [cards for cards in post.wall.shown.values() if isinstance(cards[-1], AlertCard)]
    assert len(digests) == 1
    newest = digests[0][-1]
    assert isinstance(newest, DigestCard)
    assert len(own) + newest.total == 40
    assert len(digests[0]) <= 40 / DIGEST_EVERY


async def test_an_alert_of_a_digest_that_comes_back_is_counted_once(post: Post, clock: Any, ring: Any) -> None:
    calls = [ring(f"c{number}", ago=30) for number in range(12)]
    post.monitor.start()
    await clock.let_pass(4)
    del post.pbx.calls["c0"]
    await clock.let_pass(5)
    post.pbx.calls["c0"] = calls[0]
    await clock.let_pass(5)
    (cards,) = post.wall.shown.values()
    assert isinstance(cards[-1], DigestCard)
    assert (cards[-1].open, cards[-1].total) == (12, 12)


async def test_from_due_to_card_is_measured(post: Post, clock: Any, ring: Any) -> None:
    post.monitor.start()
    await clock.let_pass(0.5)
    ring(ago=10)
    await clock.let_pass(11)
    post.manager.card_posted(post.only.id)
    (seconds,) = [figure[1] for figure in post.wall.figures if figure[0] == "to card"]
    assert 0 <= seconds <= 2


async def test_a_date_that_cannot_be_used_is_counted_once(post: Post, clock: Any, ring: Any) -> None:
    post.pbx.calls["c1"] = ring().model_copy(update={"published": post.now() + timedelta(hours=1)})
    post.monitor.start()
    await clock.let_pass(5)
    assert post.wall.figures.count((When.RINGING, "future")) == 1
    assert post.wall.shown == {}


async def test_the_age_of_the_last_look_grows_while_the_pbx_is_away(post: Post, clock: Any) -> None:
    post.monitor.start()
    await clock.let_pass(1.5)
    assert post.monitor.scan_age() < 1
    post.pbx.failing = {"@me": DOWN}
    await clock.let_pass(60)
    assert post.monitor.scan_age() >= 60
