"""The lookout on a clock of the test's own: when alerts are raised, believed over, out of date, snoozed and counted."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from bot.alarms import DIGEST_EVERY, Alarms
from bot.alert_ports import AlertCard, DigestCard
from bot.alerts import HANDS, STALE_AFTER, Alert, AlertState, How, Rule, When, snoozed
from bot.authorization import AuthorizationMap, ExtensionPattern
from bot.errors import CallbotError, PbxUnreachable
from bot.following import Intervention, State
from bot.looking import Looks
from bot.lookout import Lookout
from bot.phonecalls import PhoneCall

MakeCall = Callable[..., PhoneCall]
DOWN = PbxUnreachable("down")


class LedgerAway(CallbotError):
    """The ledger does not take anything."""


class Book:
    """A memory of alerts; `away`: it takes nothing, `hanging`: not within half a minute."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.away = False
        self.hanging: Any = None

    async def save_alerts(self, alerts: Sequence[Alert]) -> None:
        if self.away:
            raise LedgerAway
        if self.hanging is not None:
            await self.hanging(30.0)
        self.alerts |= {alert.id: alert for alert in alerts}

    async def alerts_of(self, keys: Collection[str]) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts.values() if alert.key in keys)

    async def alert(self, alert_id: str) -> Alert | None:
        return self.alerts.get(alert_id)

    async def open_alerts(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts.values() if alert.open)

    async def resolved_unshown(self) -> tuple[Alert, ...]:
        return ()


class Wall:
    """Cards and figures that keep what they are given."""

    def __init__(self) -> None:
        self.shown: dict[str, list[AlertCard | DigestCard]] = {}
        self.figures: list[tuple[Any, ...]] = []

    def show(self, card: AlertCard | DigestCard) -> None:
        self.shown.setdefault(card.id, []).append(card)

    def coming(self, slack_user: str, name: str) -> None:
        self.figures.append(("coming", slack_user, name))

    def looked(self, seconds: float, calls: int, unread: int) -> None:
        self.figures.append(("looked", calls, unread))

    def alert(self, rule: str, what: str) -> None:
        self.figures.append((rule, what))

    def date_unusable(self, when: str, why: str) -> None:
        self.figures.append((when, why))

    def alert_to_card(self, seconds: float) -> None:
        self.figures.append(("to card", seconds))

    def card_to_click(self, seconds: float) -> None:
        self.figures.append(("to click", seconds))


class Post:
    """A lookout and all around it, on the PBX with many calls."""

    def __init__(self, clock: Any, pbx: Any, noon: datetime, rules: AuthorizationMap) -> None:
        self.clock = clock
        self.pbx = pbx
        self.noon = noon
        self.rules = rules
        self.book = Book()
        self.wall = Wall()
        self.scopes: tuple[tuple[str, str], ...] = (("@me", "@self"),)
        self.alert_rules: tuple[Rule, ...] = ()
        self.legs = frozenset[str]()
        self.interventions: tuple[Intervention, ...] = ()
        self.looks = Looks(
            asked=pbx,
            own=pbx,
            scopes=lambda: self.scopes,
            every=lambda: 1.0,
            clock=clock,
            sleep=clock.sleep,
            random=lambda: 0.5,
        )
        self.begin()

    def begin(self) -> None:
        """A process that starts: nothing is remembered but what the ledger holds."""
        numbers = count(len(self.book.alerts))
        self.alarms = Alarms(
            ledger=self.book,
            cards=self.wall,
            rules=lambda: self.rules,
            legs=lambda _: frozenset(),
            interventions=lambda: self.interventions,
            now=self.now,
            sleep=self.clock.sleep,
            new_id=lambda: f"{next(numbers):032x}",
            measures=self.wall,
        )
        self.lookout = Lookout(
            looks=self.looks,
            alarms=self.alarms,
            alert_rules=lambda: self.alert_rules,
            rules=lambda: self.rules,
            without_legs=self.without_legs,
            now=self.now,
            clock=self.clock,
            sleep=self.clock.sleep,
            new_id=lambda: f"{next(numbers):032x}",
            measures=self.wall,
        )

    def without_legs(self, calls: tuple[PhoneCall, ...]) -> tuple[PhoneCall, ...]:
        return tuple(
            call.model_copy(update={"views": tuple(view for view in call.views if view.id not in self.legs)})
            for call in calls
        )

    async def stop(self) -> None:
        await self.lookout.stop()
        await self.alarms.stop()

    def now(self) -> datetime:
        return self.noon + timedelta(seconds=self.clock())

    @property
    def states(self) -> list[AlertState]:
        """What the cards that were shown say now, one after the other."""
        return [cards[-1].alert.state for cards in self.wall.shown.values() if isinstance(cards[-1], AlertCard)]

    @property
    def only(self) -> AlertCard:
        (cards,) = self.wall.shown.values()
        assert isinstance(cards[-1], AlertCard)
        return cards[-1]


@pytest.fixture
async def post(watch: Any, clock: Any, noon: datetime, rules: AuthorizationMap) -> AsyncIterator[Post]:
    """No call, one rule: ringing for longer than 20 s."""
    watch.pbx.calls.clear()
    watch.pbx.slow = 0.0
    post = Post(clock, watch.pbx, noon, rules)
    post.alert_rules = (Rule("Rings", When.RINGING, timedelta(seconds=20), "C0ALERTS"),)
    yield post
    await post.stop()
    await post.looks.stop()


@pytest.fixture
def ring(post: Post, a_call: MakeCall, a_view: Any) -> Callable[..., PhoneCall]:
    """Let a call ring, published now or so many seconds ago."""

    def ring(call_id: str = "c1", ago: float = 0.0) -> PhoneCall:
        call = a_call(a_view(status=3, answered=None), call_id=call_id)
        call = call.model_copy(update={"published": post.now() - timedelta(seconds=ago), "answered": None})
        post.pbx.calls[call_id] = call
        return call

    return ring


async def test_a_call_is_raised_at_the_first_look_after_its_time(post: Post, clock: Any, ring: Any) -> None:
    post.lookout.start()
    await clock.let_pass(0.5)
    ring()
    await clock.let_pass(19.9)
    assert post.states == []
    await clock.let_pass(1.1)
    assert post.states == [AlertState.RAISED]


async def test_a_supervisor_s_own_phone_that_rings_raises_nothing(post: Post, clock: Any, ring: Any) -> None:
    post.legs = frozenset({"01"})
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(5)
    assert post.states == []


async def test_a_call_that_tells_when_it_entered_only_later_is_one_alert(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (Rule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    post.pbx.calls["c1"] = held.model_copy(update={"published": None})
    post.lookout.start()
    await clock.let_pass(2.5)
    post.pbx.calls["c1"] = held
    await clock.let_pass(5)
    assert post.states == [AlertState.RAISED]


async def test_what_the_ledger_does_not_take_is_not_shown_and_raised_later(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.book.away = True
    post.lookout.start()
    await clock.let_pass(5)
    assert post.wall.shown == {}
    post.book.away = False
    await clock.let_pass(1.5)
    assert post.states == [AlertState.RAISED]


async def test_a_call_that_one_look_does_not_show_goes_on(post: Post, clock: Any, ring: Any) -> None:
    call = ring(ago=30)
    post.lookout.start()
    await clock.let_pass(0.5)
    del post.pbx.calls["c1"]
    await clock.let_pass(0.6)
    post.pbx.calls["c1"] = call
    await clock.let_pass(10)
    shown = [card for card in post.wall.shown[post.only.id] if isinstance(card, AlertCard)]
    assert {card.alert.state for card in shown} == {AlertState.RAISED}


async def test_a_call_that_is_gone_is_believed_so_within_two_seconds(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(3.5)
    del post.pbx.calls["c1"]
    await clock.let_pass(2)
    assert (post.only.alert.state, post.only.alert.how) == (AlertState.RESOLVED, How.CALL_OVER)


async def test_an_answered_call_is_believed_so_at_once(post: Post, clock: Any, ring: Any, a_view: Any) -> None:
    call = ring(ago=30)
    post.lookout.start()
    await clock.let_pass(3.5)
    post.pbx.calls["c1"] = call.model_copy(update={"views": (a_view(),), "answered": post.now()})
    await clock.let_pass(1)
    assert (post.only.alert.how, post.only.alert.by) == (How.ANSWERED, "0003*210")


async def test_another_call_under_its_id_resolves_it_and_is_its_own(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(0.5)
    ring(ago=25)
    await clock.let_pass(1)
    assert sorted(post.states) == [AlertState.RAISED, AlertState.RESOLVED]


async def test_after_thirty_seconds_without_a_look_the_card_says_so_and_stops_saying_it(
    post: Post, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    post.lookout.start()
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
    post.lookout.start()
    await clock.let_pass(0.5)
    post.pbx.failing, post.pbx.calls = {"@me": DOWN}, {}
    await clock.let_pass(120)
    assert post.states == [AlertState.RAISED]


async def test_a_pbx_that_fails_is_asked_ever_less_often_and_recovers_by_itself(
    post: Post, clock: Any, ring: Any
) -> None:
    post.pbx.failing = {"@me": DOWN}
    post.lookout.start()
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
    post.lookout.start()
    await clock.let_pass(60)
    assert (post.pbx.most_under_way, 7 <= len(post.pbx.asked) <= 8) == (1, True)


async def test_a_snooze_is_over_after_ten_minutes(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(0.5)
    post.alarms.change(snoozed(post.only.alert, "Ana Pop", post.now()))
    await clock.let_pass(595)
    assert post.states == [AlertState.SNOOZED]
    await clock.let_pass(10)
    assert post.states == [AlertState.RAISED]


async def test_without_rules_and_alerts_nothing_is_looked_at(post: Post, clock: Any) -> None:
    post.alert_rules = ()
    post.lookout.start()
    await clock.let_pass(60)
    assert post.pbx.asked == []


async def test_a_look_that_fails_for_an_unforeseen_reason_does_not_end_the_looking(
    post: Post, clock: Any, ring: Any
) -> None:
    post.pbx.failing = {"@me": RuntimeError("not foreseen")}
    post.lookout.start()
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
    post.lookout.start()
    await clock.let_pass(0.5)
    await post.stop()
    del post.pbx.calls["c2"]
    post.begin()
    await post.alarms.start()
    post.lookout.start()
    await clock.let_pass(3)
    assert sorted(post.states) == [AlertState.RAISED, AlertState.RESOLVED]
    assert len(post.wall.shown) == 2


async def test_a_flood_is_one_digest_that_changes_no_oftener_than_every_few_seconds(
    post: Post, clock: Any, ring: Any
) -> None:
    for number in range(40):
        ring(f"c{number}", ago=19 - number / 4)
    post.lookout.start()
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
    post.lookout.start()
    await clock.let_pass(4)
    del post.pbx.calls["c0"]
    await clock.let_pass(5)
    post.pbx.calls["c0"] = calls[0]
    await clock.let_pass(5)
    (cards,) = post.wall.shown.values()
    assert isinstance(cards[-1], DigestCard)
    assert (cards[-1].open, cards[-1].total) == (12, 12)


async def test_from_due_to_card_is_measured(post: Post, clock: Any, ring: Any) -> None:
    post.lookout.start()
    await clock.let_pass(0.5)
    ring(ago=10)
    await clock.let_pass(11)
    post.alarms.posted(post.only.id)
    (seconds,) = [figure[1] for figure in post.wall.figures if figure[0] == "to card"]
    assert 0 <= seconds <= 2


async def test_a_date_that_cannot_be_used_is_counted_once(post: Post, clock: Any, ring: Any) -> None:
    post.pbx.calls["c1"] = ring().model_copy(update={"published": post.now() + timedelta(hours=1)})
    post.lookout.start()
    await clock.let_pass(5)
    assert post.wall.figures.count((When.RINGING, "future")) == 1
    assert post.wall.shown == {}


async def test_the_age_of_the_last_look_grows_while_the_pbx_is_away(post: Post, clock: Any) -> None:
    post.lookout.start()
    await clock.let_pass(1.5)
    assert post.lookout.age() < 1
    post.pbx.failing = {"@me": DOWN}
    await clock.let_pass(60)
    assert post.lookout.age() >= 60


# ── what fresh eyes found ──


async def test_a_supervisor_s_leg_that_is_left_alone_is_never_taken_for_the_agent(
    post: Post, clock: Any, ring: Any, a_view: Any, a_leg: Any
) -> None:
    post.alert_rules = (Rule("Long", When.TALKING, timedelta(seconds=20), "C0ALERTS"),)
    call = ring(ago=100).model_copy(update={"views": (a_view(), a_leg("02"))})
    post.pbx.calls["c1"], post.legs = call, frozenset({"02"})
    post.lookout.start()
    await clock.let_pass(1.5)
    post.pbx.calls["c1"] = call.model_copy(update={"views": (a_leg("02"),)})
    await clock.let_pass(5)
    shown = [card.alert.call for card in post.wall.shown[post.only.id] if isinstance(card, AlertCard)]
    assert post.only.alert.state is AlertState.RESOLVED
    assert not any("0003*024" in view.source for call in shown for view in call.views)


async def test_an_alert_goes_on_after_a_restart_though_its_call_says_no_more_when_it_entered(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (Rule("Held", When.ON_HOLD, timedelta(), "C0ALERTS"),)
    held = ring().model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    post.pbx.calls["c1"] = held
    post.lookout.start()
    await clock.let_pass(1.5)
    await post.stop()
    post.pbx.calls["c1"] = held.model_copy(update={"published": None})
    post.begin()
    await post.alarms.start()
    post.lookout.start()
    await clock.let_pass(3)
    assert (post.states, len(post.book.alerts)) == ([AlertState.RAISED], 1)


async def test_a_ledger_that_hangs_keeps_nobody_from_looking(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.book.hanging = post.clock.sleep
    post.lookout.start()
    await clock.let_pass(10.5)
    assert len(post.pbx.asked) >= 10
    assert post.wall.shown == {}


async def test_a_call_that_no_look_tells_of_for_an_hour_is_over(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.scopes = (("@me", "@self"), ("12", "@self"))
    post.pbx.failing = {"12": DOWN}
    post.lookout.start()
    await clock.let_pass(3.5)
    post.pbx.calls.clear()
    await clock.let_pass(3500)
    assert post.states == [AlertState.RAISED]
    await clock.let_pass(150)
    assert post.only.alert.how is How.NOT_SEEN


async def test_what_has_ended_and_begun_anew_between_two_looks_is_not_too_long_yet(
    post: Post, clock: Any, ring: Any, a_view: Any
) -> None:
    post.alert_rules = (Rule("Held", When.ON_HOLD, timedelta(seconds=60), "C0ALERTS"),)
    long_ago = (post.now() - timedelta(seconds=70)).isoformat()
    call = ring(ago=100).model_copy(update={"views": (a_view(onHold=long_ago),)})
    post.pbx.calls["c1"] = call
    post.lookout.start()
    await clock.let_pass(1.5)
    post.pbx.calls["c1"] = call.model_copy(update={"views": (a_view(onHold=post.now().isoformat()),)})
    await clock.let_pass(2)
    assert post.states == [AlertState.RESOLVED]


async def test_a_rule_that_is_about_others_now_resolves_its_alert(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(1.5)
    (rule,) = post.alert_rules
    post.alert_rules = (replace(rule, extensions=(ExtensionPattern("0003*3XX"),)),)
    await clock.let_pass(2)
    assert post.only.alert.how is How.RULE_GONE


async def test_a_rule_that_went_while_callbot_was_down_resolves_its_alert(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(1.5)
    await post.stop()
    post.alert_rules = ()
    post.begin()
    await post.alarms.start()
    post.lookout.start()
    await clock.let_pass(2)
    assert post.only.alert.how is How.RULE_GONE


async def test_rules_that_change_leave_no_doubt_behind(post: Post, clock: Any, ring: Any) -> None:
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(1.5)
    post.pbx.calls.clear()
    await clock.let_pass(0.6)
    post.alert_rules = (Rule("Other", When.PARKED, timedelta(), "C0ALERTS"),)
    post.lookout.rules_changed()
    asked = len(post.pbx.asked)
    await clock.let_pass(60)
    assert len(post.pbx.asked) - asked <= 61


async def test_after_a_restart_nothing_is_called_out_of_date_before_there_was_a_look(
    post: Post, clock: Any, ring: Any
) -> None:
    ring(ago=30)
    post.lookout.start()
    await clock.let_pass(0.5)
    await clock.let_pass(100)
    await post.stop()
    post.pbx.slow = 5.0
    post.begin()
    await post.alarms.start()
    post.lookout.start()
    await clock.let_pass(4)
    assert not any(card.alert.stale for card in post.wall.shown[post.only.id] if isinstance(card, AlertCard))


async def test_who_is_in_the_call_by_it_is_on_it_when_it_comes_back_and_nobody_else(
    post: Post, clock: Any, ring: Any, a_view: Any, an_intervention: Any
) -> None:
    call = ring(ago=30)
    post.lookout.start()
    await clock.let_pass(0.5)
    inside = an_intervention(alert=post.only.id).model_copy(update={"state": State.CONNECTED})
    post.alarms.intervened((inside,))
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
    post.lookout.start()
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
    hand = {"id": "0a" * 16, "rule": HANDS, "name": "Bob", "when": When.HAND_RAISED, "channel": "C0FLOOR"}
    await post.alarms.raise_([Alert.model_validate({**hand, **side, "call": call, "asked_by": "U0BOB"})])
    post.lookout.start()
    await clock.let_pass(30)
    assert post.states == [AlertState.RAISED]
    post.pbx.calls.clear()
    await clock.let_pass(3)
    assert post.only.alert.how is How.CALL_OVER
