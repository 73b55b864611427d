"""The states of an alert from raised to resolved, and who is on it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.alert import (
    SNOOZE,
    STALE_AFTER,
    Alert,
    AlertRule,
    AlertState,
    Resolution,
    When,
    acknowledged,
    alert_taken_up,
    key_of,
    marked_stale,
    raised,
    resolved,
    snooze_over,
    snoozed,
    still_firing,
    with_interventions,
)
from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.intervention import Intervention, State

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeAlert = Callable[..., Alert]
MakeIntervention = Callable[..., Intervention]
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RULE = AlertRule("Rings unanswered", When.RINGING, timedelta(seconds=20), "C0ALERTS")
ANA, CLEO = ("U0ANA", "Ana Pop"), ("U0CLEO", "Cleo Dima")


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


@pytest.fixture(scope="session")
def an_alert(a_call: MakeCall) -> MakeAlert:
    """An alert on Bob's call, raised at noon."""

    def build(**fields: Any) -> Alert:
        whole: dict[str, Any] = {
            "id": "a" * 32,
            "rule": RULE.key,
            "name": RULE.name,
            "when": RULE.when,
            "longer_than": RULE.longer_than,
            "channel": RULE.channel,
            "call": a_call(),
            "extension": "0003*210",
            "view_id": "01",
            "since": at(-60),
            "raised_at": NOON,
            "seen_at": NOON,
        }
        return raised(Alert(**(whole | fields)), NOON)

    return build


@pytest.fixture(scope="session")
def from_card(an_intervention: MakeIntervention) -> MakeIntervention:
    """An intervention that Ana asked for from the card of the alert."""

    def build(state: State, name: ActionName = ActionName.MONITOR, *, alert: str = "a" * 32, **fields: Any) -> Any:
        return an_intervention(name, alert=alert).model_copy(update={"state": state, **fields})

    return build


def steps(alert: Alert) -> list[tuple[AlertState, datetime, str]]:
    return [(step.state, step.at, step.who) for step in alert.steps]


# ── identity ──

OTHERS: dict[str, dict[str, Any]] = {
    "another name": {"name": "Rings"},
    "another condition": {"when": When.PARKED},
    "another channel": {"channel": "C0FLOOR"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_rule_is_another_by_name_condition_and_channel(other: dict[str, Any]) -> None:
    assert replace(RULE, **other).key != RULE.key


def test_a_rule_stays_the_same_when_its_limit_changes() -> None:
    assert replace(RULE, longer_than=timedelta(seconds=30)).key == RULE.key


KEYS: dict[str, tuple[dict[str, Any], bool]] = {
    "the same call": ({}, True),
    "the same call with another party": ({"extension": "0003*220"}, True),
    "the same call in another zone": ({"published": "2026-11-21T13:59:00+02:00"}, True),
    "another call": ({"call_id": "c2"}, False),
    "another call under the same id": ({"published": "2026-11-21T11:59:00.5Z"}, False),
    "a call without a date": ({"published": None}, False),
}


@pytest.mark.parametrize(("call", "same"), KEYS.values(), ids=KEYS)
def test_there_is_one_alert_for_one_rule_and_one_call(
    a_call: MakeCall, an_alert: MakeAlert, call: dict[str, Any], *, same: bool
) -> None:
    assert (key_of(RULE.key, a_call(**call)) == an_alert().key) is same


def test_everybody_who_asks_for_help_has_an_alert_of_their_own(an_alert: MakeAlert) -> None:
    assert len({an_alert(asked_by=who).key for who in ("", "U0BOB", "U0DAN")}) == 3


@pytest.mark.parametrize(("digest", "card"), [("", "a" * 32), ("d" * 32, "d" * 32)])
def test_an_alert_is_on_its_own_card_or_on_its_digest(an_alert: MakeAlert, digest: str, card: str) -> None:
    assert an_alert(digest=digest).card == card


# ── raised, snoozed, resolved ──


def test_an_alert_begins_raised(an_alert: MakeAlert) -> None:
    assert steps(an_alert()) == [(AlertState.RAISED, NOON, "")]


def test_what_is_about_to_be_answered_by_nobody_is_open(an_alert: MakeAlert) -> None:
    one = an_alert()
    assert (one.open, snoozed(one, "Ana Pop", at(1)).open) == (True, True)


def test_a_resolved_alert_says_how_and_by_whom(an_alert: MakeAlert) -> None:
    one = resolved(an_alert(), Resolution.ANSWERED, at(64), "0003*211")
    assert (one.state, one.how, one.by, one.open) == (AlertState.RESOLVED, Resolution.ANSWERED, "0003*211", False)


def test_what_is_resolved_is_resolved_once(an_alert: MakeAlert) -> None:
    one = resolved(an_alert(), Resolution.ANSWERED, at(64), "0003*211")
    assert resolved(one, Resolution.CALL_OVER, at(70)) is one


def test_what_is_resolved_is_neither_out_of_date_nor_quiet(an_alert: MakeAlert) -> None:
    one = resolved(snoozed(marked_stale(an_alert(), at(60)), "Ana Pop", at(61)), Resolution.CALL_OVER, at(62))
    assert (one.stale, one.snoozed_until) == (False, None)


def test_what_comes_back_is_raised_again_on_the_same_card(an_alert: MakeAlert) -> None:
    one = raised(resolved(an_alert(), Resolution.ANSWERED, at(10), "0003*211"), at(20))
    assert (one.id, one.raised_at, one.how, one.by) == ("a" * 32, at(20), Resolution.NONE, "")
    assert [state for state, _, _ in steps(one)] == [AlertState.RAISED, AlertState.RESOLVED, AlertState.RAISED]


def test_a_snooze_names_who_wanted_it(an_alert: MakeAlert) -> None:
    assert steps(snoozed(an_alert(), "Ana Pop", at(5)))[-1] == (AlertState.SNOOZED, at(5), "Ana Pop")


@pytest.mark.parametrize(("after", "state"), [(0, "snoozed"), (599.9, "snoozed"), (600, "raised"), (9999, "raised")])
def test_a_snooze_is_over_after_ten_minutes(an_alert: MakeAlert, after: float, state: str) -> None:
    assert snooze_over(snoozed(an_alert(), "Ana Pop", at(5)), at(5 + after)).state == state


def test_what_is_not_snoozed_any_more_was_not_raised_a_second_time(an_alert: MakeAlert) -> None:
    one = snooze_over(snoozed(acknowledged(an_alert(), *ANA, at(1)), "Ana Pop", at(5)), at(5) + SNOOZE)
    assert (one.raised_at, one.snoozed_until, [helper.name for helper in one.on_it]) == (NOON, None, ["Ana Pop"])


@pytest.mark.parametrize("state", [AlertState.RAISED, AlertState.RESOLVED])
def test_only_a_snooze_ends_with_time(an_alert: MakeAlert, state: AlertState) -> None:
    one = an_alert() if state is AlertState.RAISED else resolved(an_alert(), Resolution.CALL_OVER, at(1))
    assert snooze_over(one, at(99999)) is one


# ── shown by scans ──


def test_what_a_scan_shows_is_shown(an_alert: MakeAlert, a_call: MakeCall, a_view: MakeView) -> None:
    view = a_view("02", extension="0003*211")
    one = still_firing(an_alert(), a_call(view), view, at(-50), at(1))
    assert (one.call.views, one.extension, one.view_id, one.since, one.seen_at) == (
        (view,),
        "0003*211",
        "02",
        at(-50),
        at(1),
    )


def test_to_be_seen_is_no_step(an_alert: MakeAlert, a_call: MakeCall, a_view: MakeView) -> None:
    one = an_alert()
    assert still_firing(one, a_call(), a_view(), one.since, at(1)).steps == one.steps


def test_a_call_that_leaves_out_its_date_once_is_still_the_same(
    an_alert: MakeAlert, a_call: MakeCall, a_view: MakeView
) -> None:
    one = an_alert()
    assert still_firing(one, a_call(published=None), a_view(), one.since, at(1)).key == one.key


@pytest.mark.parametrize(("after", "stale"), [(0, False), (29.9, False), (30, True), (999, True)])
def test_what_no_scan_has_shown_for_half_a_minute_is_out_of_date(
    an_alert: MakeAlert, after: float, *, stale: bool
) -> None:
    assert marked_stale(an_alert(), at(after)).stale is stale


def test_what_is_seen_again_is_out_of_date_no_more(an_alert: MakeAlert, a_call: MakeCall, a_view: MakeView) -> None:
    one = marked_stale(an_alert(), NOON + STALE_AFTER)
    assert not still_firing(one, a_call(), a_view(), one.since, at(31)).stale


def test_what_is_resolved_does_not_become_stale(an_alert: MakeAlert) -> None:
    one = resolved(an_alert(), Resolution.CALL_OVER, at(1))
    assert marked_stale(one, at(999)) is one


# ── who is on it ──


def test_who_acknowledges_it_is_on_it_since_then(an_alert: MakeAlert) -> None:
    (helper,) = acknowledged(an_alert(), *ANA, at(5)).on_it
    assert (helper.slack_user, helper.name, helper.since, helper.taken) == (*ANA, at(5), True)


def test_several_may_be_on_it_in_their_order(an_alert: MakeAlert) -> None:
    one = acknowledged(acknowledged(acknowledged(an_alert(), *ANA, at(5)), *CLEO, at(6)), *ANA, at(7))
    assert [(helper.name, helper.since) for helper in one.on_it] == [("Ana Pop", at(5)), ("Cleo Dima", at(6))]


def test_who_acknowledged_it_is_on_it_no_more_when_it_comes_back(an_alert: MakeAlert) -> None:
    one = raised(resolved(acknowledged(an_alert(), *ANA, at(5)), Resolution.ANSWERED, at(10)), at(20))
    assert one.helpers == ()


def test_who_acknowledged_it_and_is_in_the_call_is_on_it_as_long_as_they_are_in_the_call(
    an_alert: MakeAlert, from_card: MakeIntervention
) -> None:
    inside = with_interventions(acknowledged(an_alert(), *ANA, at(5)), [from_card(State.CONNECTED)])
    again = raised(resolved(inside, Resolution.ANSWERED, at(10)), at(20))
    assert with_interventions(again, [from_card(State.ENDED, following=False)]).on_it == ()


def test_when_it_comes_back_nobody_is_on_it_who_does_not_come_anew(
    an_alert: MakeAlert, from_card: MakeIntervention
) -> None:
    inside = from_card(State.CONNECTED)
    again = raised(resolved(with_interventions(an_alert(), [inside]), Resolution.ANSWERED, at(10)), at(20))
    assert again.helpers == ()
    assert [helper.name for helper in with_interventions(again, [inside]).on_it] == ["Ana Pop"]


@pytest.mark.parametrize("action", [ActionName.MONITOR, ActionName.WHISPER, ActionName.START_RECORDING])
def test_when_a_silent_leg_ends_is_not_shown(
    an_alert: MakeAlert, from_card: MakeIntervention, action: ActionName
) -> None:
    inside = with_interventions(an_alert(), [from_card(State.CONNECTED, action)])
    assert with_interventions(inside, [from_card(State.ENDED, action, following=False)]) == inside


def test_who_did_not_get_into_the_call_is_not_named(an_alert: MakeAlert, from_card: MakeIntervention) -> None:
    assert with_interventions(an_alert(), [from_card(State.REFUSED, following=False)]).helpers == ()


def test_who_comes_back_is_on_it_since_then(an_alert: MakeAlert, from_card: MakeIntervention) -> None:
    left = from_card(State.ENDED, ActionName.BARGE_IN, following=False)
    begun = with_interventions(an_alert(), [from_card(State.CONNECTED, ActionName.BARGE_IN)])
    newer = from_card(State.CONNECTED, ActionName.BARGE_IN).model_copy(update={"asked_at": at(50)})
    (helper,) = with_interventions(with_interventions(begun, [left]), [left, newer]).on_it
    assert helper.since == at(50)


def test_before_there_was_any_scan_nothing_is_out_of_date(an_alert: MakeAlert) -> None:
    later = NOON + 2 * STALE_AFTER
    assert marked_stale(an_alert(), later, later) == an_alert()


def test_who_acknowledges_it_again_is_on_it_since_then(an_alert: MakeAlert, from_card: MakeIntervention) -> None:
    left = with_interventions(an_alert(), [from_card(State.ENDED, following=False)])
    (helper,) = acknowledged(left, *ANA, at(50)).on_it
    assert helper.since == at(50)


UNDER_WAY = [
    (State.ASKED, False),
    (State.RINGING, False),
    (State.CONNECTED, True),
    (State.RECORDING, True),
    (State.UNKNOWN, False),
    (State.RECORDING_STOPPED, False),
    (State.NOT_ANSWERED, False),
    (State.NOT_CONFIRMED, False),
    (State.ENDED, False),
    (State.REFUSED, False),
]


@pytest.mark.parametrize(("state", "on_it"), UNDER_WAY)
def test_who_intervenes_from_the_card_is_on_it_as_long_as_the_call_shows_it(
    an_alert: MakeAlert, from_card: MakeIntervention, state: State, *, on_it: bool
) -> None:
    one = with_interventions(an_alert(), [from_card(state)])
    assert bool(one.on_it) is on_it


@pytest.mark.parametrize("state", State)
def test_who_is_followed_no_more_is_on_it_no_more(
    an_alert: MakeAlert, from_card: MakeIntervention, state: State
) -> None:
    one = with_interventions(an_alert(), [from_card(state, following=False)])
    assert one.on_it == ()


DOING = {
    ActionName.MONITOR: "",
    ActionName.WHISPER: "",
    ActionName.BARGE_IN: "BargeIn connected",
    ActionName.PICK_UP: "PickUp connected",
    ActionName.START_RECORDING: "",
    ActionName.STOP_RECORDING: "",
}


@pytest.mark.parametrize(("action", "doing"), DOING.items())
def test_only_what_everybody_hears_is_shown(
    an_alert: MakeAlert, from_card: MakeIntervention, action: ActionName, doing: str
) -> None:
    (helper,) = with_interventions(an_alert(), [from_card(State.CONNECTED, action)]).on_it
    assert helper.doing == doing


def test_what_is_over_is_shown_no_more(an_alert: MakeAlert, from_card: MakeIntervention) -> None:
    begun = with_interventions(an_alert(), [from_card(State.RINGING, ActionName.PICK_UP)])
    ended = from_card(State.ENDED, ActionName.PICK_UP, following=False)
    (helper,) = with_interventions(begun, [ended]).helpers
    assert (helper.on_it, helper.doing) == (False, "")


def test_who_has_acknowledged_it_is_on_it_though_the_intervention_is_over(
    an_alert: MakeAlert, from_card: MakeIntervention
) -> None:
    ended = from_card(State.ENDED, following=False)
    assert len(with_interventions(acknowledged(an_alert(), *ANA, at(5)), [ended]).on_it) == 1


def test_one_of_several_interventions_that_goes_on_is_enough(an_alert: MakeAlert, from_card: MakeIntervention) -> None:
    going = from_card(State.RECORDING, ActionName.START_RECORDING)
    ended = from_card(State.ENDED, following=False)
    assert len(with_interventions(an_alert(), [going, ended]).on_it) == 1


def test_an_intervention_from_elsewhere_does_not_change_this_alert(
    an_alert: MakeAlert, from_card: MakeIntervention
) -> None:
    one = an_alert()
    assert (
        with_interventions(one, [from_card(State.CONNECTED, alert=""), from_card(State.ASKED, alert="b" * 32)]) is one
    )


def test_who_was_on_it_when_it_was_resolved_stays_named(an_alert: MakeAlert, from_card: MakeIntervention) -> None:
    inside = with_interventions(an_alert(), [from_card(State.CONNECTED)])
    one = resolved(inside, Resolution.CALL_OVER, at(10))
    ended = from_card(State.ENDED, following=False)
    assert with_interventions(one, [ended]).on_it == one.on_it != ()


# ── any order of events ──

HAPPENINGS = st.lists(
    st.tuples(st.floats(0, 400), st.sampled_from(["raise", "see", "time", "take", "snooze", "resolve", "intervene"])),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(HAPPENINGS)
def test_an_alert_is_in_the_state_of_its_last_step_and_steps_never_go_back(
    an_alert: MakeAlert, from_card: MakeIntervention, happenings: Any
) -> None:
    one = played(an_alert(), from_card, happenings)
    times = [step.at for step in one.steps]
    assert (one.state, times) == (one.steps[-1].state, sorted(times))


@settings(max_examples=60, deadline=None)
@given(HAPPENINGS)
def test_only_what_is_snoozed_has_an_end_of_that(
    an_alert: MakeAlert, from_card: MakeIntervention, happenings: Any
) -> None:
    one = played(an_alert(), from_card, happenings)
    assert (one.snoozed_until is not None) is (one.state is AlertState.SNOOZED)


@settings(max_examples=60, deadline=None)
@given(HAPPENINGS)
def test_nobody_is_named_twice(an_alert: MakeAlert, from_card: MakeIntervention, happenings: Any) -> None:
    names = [helper.slack_user for helper in played(an_alert(), from_card, happenings).helpers]
    assert len(names) == len(set(names))


@settings(max_examples=60, deadline=None)
@given(HAPPENINGS)
def test_an_alert_reads_back_from_the_ledger_as_it_was(
    an_alert: MakeAlert, from_card: MakeIntervention, happenings: Any
) -> None:
    one = played(an_alert(), from_card, happenings)
    assert Alert.model_validate_json(one.model_dump_json()) == one


def played(one: Alert, from_card: MakeIntervention, happenings: Any) -> Alert:
    """Something that may happen to an alert. A resolved one can only be raised again."""
    now = NOON
    for pause, what in happenings:
        now += timedelta(seconds=pause)
        if what == "raise" and not one.open:
            one = raised(one, now)
        elif what == "resolve":
            one = resolved(one, Resolution.CALL_OVER, now)
        elif what == "time":
            one = marked_stale(snooze_over(one, now), now)
        elif what == "intervene":
            one = with_interventions(one, [from_card(State.CONNECTED)])
        elif one.open and what == "see":
            one = still_firing(one, one.call, one.call.views[0], one.since, now)
        elif one.open and what == "take":
            one = acknowledged(one, *ANA, now)
        elif one.open and what == "snooze":
            one = snoozed(one, "Ana Pop", now)
    return one


# ── after a restart ──


def test_what_was_written_while_the_clock_was_ahead_is_moved_back_as_a_whole(an_alert: MakeAlert) -> None:
    """But for the date since when the condition holds, which is by the clock of the PBX."""
    alert = raised(an_alert(), NOON).model_copy(update={"seen_at": at(30)})
    taken_up = alert_taken_up(alert, at(-60))
    assert (taken_up.raised_at, taken_up.seen_at, taken_up.steps[0].at) == (at(-90), at(-60), at(-90))
    assert taken_up.since == alert.since


def test_what_was_written_before_now_stays_as_it_is(an_alert: MakeAlert) -> None:
    alert = raised(an_alert(), NOON)
    assert alert_taken_up(alert, at(60)) == alert
