"""The card of an alert begins with its state, then says about whom, since when, and who is on it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import Alert, AlertState, Resolution, When, acknowledged, marked_stale, raised, resolved, snoozed
from bot.alerts.card import AlertCard
from bot.domain.calls import PhoneCallView
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.alert_card import ALERT_STATE, alert_message
from bot.slack.messages import Message, time_and_how_long_ago

MakeAlert = Callable[..., Alert]
MakeAlertCard = Callable[..., AlertCard]
MakeView = Callable[..., PhoneCallView]
Texts = Callable[[Message], list[str]]
Told = Callable[[Message], str]


def at(noon: datetime, seconds: float) -> datetime:
    return noon + timedelta(seconds=seconds)


# ── the first word ──

STATES: list[tuple[AlertState, Callable[[Alert, datetime], Alert], str]] = [
    (AlertState.RAISED, lambda alert, _: alert, "Raised: Rings unanswered: Dan Popa 0003*211."),
    (AlertState.SNOOZED, lambda alert, now: snoozed(alert, "Ana Pop", now), "Snoozed: Rings unanswered: Dan Popa"),
    (
        AlertState.RESOLVED,
        lambda alert, now: resolved(alert, Resolution.CALL_OVER, now),
        "Resolved after 1 min 4 s: Rings unanswered: Dan Popa 0003*211.",
    ),
]


@pytest.mark.parametrize(("state", "change", "words"), STATES, ids=[str(row[0]) for row in STATES])
def test_the_text_begins_with_the_states_word(
    *, an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, state: AlertState, change: Any, words: str
) -> None:
    text = alert_message(alert_card_of(change(an_alert(), at(noon, 64)))).text
    assert (text.startswith(words), words.startswith(ALERT_STATE[state])) == (True, True)


@pytest.mark.parametrize(("state", "change"), [row[:2] for row in STATES], ids=[str(row[0]) for row in STATES])
def test_the_first_block_carries_the_states_word_too(
    *, an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, state: AlertState, change: Any, shown: Texts
) -> None:
    assert shown(alert_message(alert_card_of(change(an_alert(), at(noon, 64)))))[0].startswith(ALERT_STATE[state])


def test_every_state_is_in_the_table() -> None:
    assert {state for state, _, _ in STATES} == set(AlertState)


LASTED = [(0.9, "0 s"), (20, "20 s"), (59.9, "59 s"), (60, "1 min"), (64.7, "1 min 4 s"), (7503, "125 min 3 s")]


@pytest.mark.parametrize(("seconds", "words"), LASTED)
def test_what_is_resolved_says_after_how_long(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, seconds: float, words: str
) -> None:
    card = alert_card_of(resolved(an_alert(), Resolution.CALL_OVER, at(noon, seconds)))
    assert alert_message(card).text.startswith(f"Resolved after {words}: ")


def test_an_agent_whom_nobody_named_is_the_extension(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, shown: Texts
) -> None:
    card = alert_card_of(an_alert(), agent="0003*211")
    assert shown(alert_message(card))[0] == "Raised: Rings unanswered: 0003*211"


def test_long_names_leave_room_for_the_extension(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, shown: Texts
) -> None:
    card = alert_card_of(an_alert(name="Rule " * 99), agent="Dan " * 99)
    assert shown(alert_message(card))[0].endswith("… 0003*211")


# ── the call ──

CALLS: list[tuple[When, dict[str, Any], str]] = [
    (When.RINGING, {}, "“Hal Holder” <+15550188> has been ringing for longer than 20 s, since 12:00:00 (ago)."),
    (When.RINGING, {"longer_than": timedelta(0)}, "“Hal Holder” <+15550188> has been ringing since 12:00:00 (ago)."),
    (When.RINGING, {"longer_than": timedelta(seconds=0.5)}, "ringing for longer than 0.5 s, since"),
    (When.RINGING, {"longer_than": timedelta(seconds=90)}, "ringing for longer than 1 min 30 s, since"),
    (When.TALKING, {}, "The call with “Hal Holder” <+15550188> has lasted for longer than 20 s, since 12:00:00 (ago)."),
    (When.ON_HOLD, {}, "The call with “Hal Holder” <+15550188> has been on hold for longer than 20 s, since 12:00:00"),
    (When.PARKED, {}, "The call with “Hal Holder” <+15550188> has been parked for longer than 20 s, since 12:00:00"),
]


@pytest.mark.parametrize(("condition", "fields", "words"), CALLS, ids=[f"{row[0]} {row[1]}" for row in CALLS])
def test_the_card_says_what_lasts_with_whom_beyond_what_limit_and_since_when(
    *,
    an_alert: MakeAlert,
    alert_card_of: MakeAlertCard,
    told: Told,
    condition: When,
    fields: dict[str, Any],
    words: str,
) -> None:
    assert words in told(alert_message(alert_card_of(an_alert(when=condition, **fields))))


def test_every_condition_has_its_words() -> None:
    assert {row[0] for row in CALLS} == set(When) - {When.HELP_REQUESTED}


NOBODY = [
    (When.RINGING, "A call has been ringing for"),
    (When.TALKING, "The call has lasted for"),
    (When.ON_HOLD, "The call has been on hold for"),
    (When.PARKED, "The call has been parked for"),
]


@pytest.mark.parametrize(("condition", "words"), NOBODY)
def test_a_call_of_an_unknown_party_is_told_without_one(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, told: Told, condition: When, words: str
) -> None:
    card = alert_card_of(an_alert(when=condition), view=None)
    assert words in told(alert_message(card))


def test_the_other_party_has_the_name_that_is_known(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, told: Told
) -> None:
    card = alert_card_of(an_alert(), names={"+15550188": "Hal Holder of Sales"})
    assert "Hal Holder of Sales +15550188 has been ringing" in told(alert_message(card))


def test_slack_counts_how_long_ago_that_was(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, shown: Texts
) -> None:
    assert time_and_how_long_ago(noon) == "<!date^1795262400^{time_secs} ({ago})|12:00:00 UTC>"
    assert any(time_and_how_long_ago(noon) in text for text in shown(alert_message(alert_card_of(an_alert()))))


def test_who_has_it_read_out_hears_the_same_with_times_in_utc(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime
) -> None:
    alert = marked_stale(acknowledged(an_alert(), "U0ANA", "Ana Pop", at(noon, 40)), at(noon, 90))
    assert alert_message(alert_card_of(alert)).text == (
        "Raised: Rings unanswered: Dan Popa 0003*211. "
        "“Hal Holder” &lt;+15550188&gt; has been ringing for longer than 20 s, since 12:00:00 UTC. "
        "Not updated since 12:00:20 UTC: the PBX does not answer. Ana Pop is on it, since 12:00:40 UTC."
    )


# ── how it ended ──

ENDINGS: list[tuple[When, Resolution, str, str, str]] = [
    (When.RINGING, Resolution.ANSWERED, "0003*211", "Dan Popa", "Answered by Dan Popa 0003*211."),
    (When.RINGING, Resolution.ANSWERED, "0003*211", "0003*211", "Answered by 0003*211."),
    (When.RINGING, Resolution.ANSWERED, "", "", "Answered."),
    (When.RINGING, Resolution.PICKED_UP, "0003*024", "Ana Pop", "Picked up by Ana Pop 0003*024."),
    (When.RINGING, Resolution.CALL_OVER, "", "", "The call is over."),
    (When.TALKING, Resolution.NOT_SEEN, "", "", "The PBX has not shown this call for an hour."),
    (When.RINGING, Resolution.CONDITION_OVER, "", "", "The ringing is over."),
    (When.TALKING, Resolution.CONDITION_OVER, "", "", "The conversation is over."),
    (When.ON_HOLD, Resolution.CONDITION_OVER, "", "", "The hold is over."),
    (When.PARKED, Resolution.CONDITION_OVER, "", "", "The parking is over."),
    (When.HELP_REQUESTED, Resolution.CONDITION_OVER, "", "", "Their part of the call is over."),
    (When.TALKING, Resolution.RULE_GONE, "", "", "Its rule was changed or taken out."),
    (
        When.TALKING,
        Resolution.PROTECTED,
        "",
        "",
        "A party of this call is protected now, so nothing more of it is shown.",
    ),
]


@pytest.mark.parametrize(
    ("condition", "how", "by", "name", "words"), ENDINGS, ids=[f"{row[0]} {row[1]} {row[3]}" for row in ENDINGS]
)
def test_what_is_resolved_says_how(
    *,
    an_alert: MakeAlert,
    alert_card_of: MakeAlertCard,
    noon: datetime,
    told: Told,
    condition: When,
    how: Resolution,
    by: str,
    name: str,
    words: str,
) -> None:
    alert = resolved(an_alert(when=condition), how, at(noon, 64), by)
    assert words in told(alert_message(alert_card_of(alert, by=name))).split("\n")


def test_every_way_to_end_is_in_the_table() -> None:
    assert {row[1] for row in ENDINGS} == set(Resolution) - {Resolution.NONE}


WAS = [
    (When.RINGING, Resolution.CALL_OVER, "“Hal Holder” <+15550188> rang from 12:00:00 to 12:01:04."),
    (When.TALKING, Resolution.CALL_OVER, "The call with “Hal Holder” <+15550188> lasted from 12:00:00 to 12:01:04."),
    (
        When.ON_HOLD,
        Resolution.CONDITION_OVER,
        "The call with “Hal Holder” <+15550188> was on hold from 12:00:00 to 12:01:04.",
    ),
    (
        When.PARKED,
        Resolution.CONDITION_OVER,
        "The call with “Hal Holder” <+15550188> was parked from 12:00:00 to 12:01:04.",
    ),
    (When.RINGING, Resolution.RULE_GONE, "“Hal Holder” <+15550188> has been ringing since 12:00:00."),
]


@pytest.mark.parametrize(("condition", "how", "words"), WAS)
def test_what_is_resolved_says_what_was_so_from_when_to_when(
    *,
    an_alert: MakeAlert,
    alert_card_of: MakeAlertCard,
    noon: datetime,
    told: Told,
    condition: When,
    how: Resolution,
    words: str,
) -> None:
    alert = resolved(an_alert(when=condition), how, at(noon, 64))
    assert words in told(alert_message(alert_card_of(alert))).split("\n")


def test_what_is_raised_again_has_no_end(an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime) -> None:
    alert = raised(resolved(an_alert(), Resolution.CALL_OVER, at(noon, 64)), at(noon, 70))
    text = alert_message(alert_card_of(alert)).text
    assert (text.startswith("Raised: "), "over" in text) == (True, False)


SECRETS = ("after", "Hal", "15550188", "Dan", "0003*211", "Ana", "12:0", "refund")


@pytest.mark.parametrize("condition", When)
@pytest.mark.parametrize("ended", [True, False])
def test_of_a_protected_call_nothing_is_shown(
    *, an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, told: Told, condition: When, ended: bool
) -> None:
    """Whether it was resolved because of that, or for another reason before."""
    alert = snoozed(acknowledged(an_alert(when=condition, about="a refund"), "U0ANA", "Ana Pop", noon), "Ana Pop", noon)
    if ended:
        card = alert_card_of(resolved(alert, Resolution.PROTECTED, at(noon, 64)))
    else:
        card = alert_card_of(alert, agent="", view=None)
    message = alert_message(card)
    told_of_it = told(message) + message.text + str(message.blocks)
    assert [word for word in SECRETS if word in told_of_it] == []


@pytest.mark.parametrize(("state", "change"), [row[:2] for row in STATES], ids=[str(row[0]) for row in STATES])
@pytest.mark.parametrize("condition", When)
def test_slack_takes_the_card_of_every_state_and_condition(
    *,
    an_alert: MakeAlert,
    alert_card_of: MakeAlertCard,
    noon: datetime,
    condition: When,
    state: AlertState,
    change: Any,
) -> None:
    card = alert_card_of(change(an_alert(when=condition), at(noon, 64)))
    assert check_blocks(list(alert_message(card).blocks)) == []
