"""The card of an alert begins with its state, then says about whom, since when, who is on it, and offers what fits it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import (
    Alert,
    AlertState,
    Helper,
    Resolution,
    When,
    acknowledged,
    marked_stale,
    raised,
    resolved,
    snooze_over,
    snoozed,
)
from bot.alerts.card import AlertCard
from bot.domain.calls import PhoneCallView
from bot.domain.commands import AnswerAlert
from bot.slack.alert_card import ALERT_STATE, alert_message
from bot.slack.button_codec import unpack
from bot.slack.messages import Message, time_and_how_long_ago, time_of_day

MakeAlert = Callable[..., Alert]
MakeAlertCard = Callable[..., AlertCard]
CardMessage = Callable[..., Message]
MakeView = Callable[..., PhoneCallView]
Texts = Callable[[Message], list[str]]
Told = Callable[[Message], str]


def at(noon: datetime, seconds: float) -> datetime:
    return noon + timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def card_message(alert_card_of: MakeAlertCard) -> CardMessage:
    """The message of the card of this alert."""
    return lambda alert, **fields: alert_message(alert_card_of(alert, **fields))


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
def test_the_text_and_the_headline_begin_with_the_state(
    *,
    an_alert: MakeAlert,
    card_message: CardMessage,
    noon: datetime,
    shown: Texts,
    state: AlertState,
    change: Any,
    words: str,
) -> None:
    card = card_message(change(an_alert(), at(noon, 64)))
    assert words.startswith(ALERT_STATE[state])
    assert card.text.startswith(words)
    assert shown(card)[0].startswith(ALERT_STATE[state])


def test_every_state_is_in_the_table() -> None:
    assert {state for state, _, _ in STATES} == set(AlertState)


LASTED = [(0.9, "0 s"), (59.9, "59 s"), (64.7, "1 min 4 s")]


@pytest.mark.parametrize(("seconds", "words"), LASTED)
def test_what_is_resolved_says_after_how_long(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, seconds: float, words: str
) -> None:
    card = card_message(resolved(an_alert(), Resolution.CALL_OVER, at(noon, seconds)))
    assert card.text.startswith(f"Resolved after {words}: ")


def test_an_agent_whom_nobody_named_is_the_extension(
    an_alert: MakeAlert, card_message: CardMessage, shown: Texts
) -> None:
    card = card_message(an_alert(), agent="0003*211")
    assert shown(card)[0] == "Raised: Rings unanswered: 0003*211"


def test_long_names_leave_room_for_the_extension(an_alert: MakeAlert, card_message: CardMessage, shown: Texts) -> None:
    card = card_message(an_alert(name="Rule " * 99), agent="Dan " * 99)
    assert shown(card)[0].endswith("… 0003*211")


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
    card_message: CardMessage,
    told: Told,
    condition: When,
    fields: dict[str, Any],
    words: str,
) -> None:
    assert words in told(card_message(an_alert(when=condition, **fields)))


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
    an_alert: MakeAlert, card_message: CardMessage, told: Told, condition: When, words: str
) -> None:
    card = card_message(an_alert(when=condition), view=None)
    assert words in told(card)


def test_the_other_party_has_the_name_that_is_known(an_alert: MakeAlert, card_message: CardMessage, told: Told) -> None:
    card = card_message(an_alert(), names={"+15550188": "Hal Holder of Sales"})
    assert "Hal Holder of Sales +15550188 has been ringing" in told(card)


def test_slack_counts_how_long_ago_that_was(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, shown: Texts
) -> None:
    assert time_and_how_long_ago(noon) == "<!date^1795262400^{time_secs} ({ago})|12:00:00 UTC>"
    assert any(time_and_how_long_ago(noon) in text for text in shown(card_message(an_alert())))


def test_who_has_it_read_out_hears_the_same_with_times_in_utc(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime
) -> None:
    alert = marked_stale(acknowledged(an_alert(), "U0ANA", "Ana Pop", at(noon, 40)), at(noon, 90))
    assert card_message(alert).text == (
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
    card_message: CardMessage,
    noon: datetime,
    told: Told,
    condition: When,
    how: Resolution,
    by: str,
    name: str,
    words: str,
) -> None:
    alert = resolved(an_alert(when=condition), how, at(noon, 64), by)
    assert words in told(card_message(alert, by=name)).split("\n")


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
    card_message: CardMessage,
    noon: datetime,
    told: Told,
    condition: When,
    how: Resolution,
    words: str,
) -> None:
    alert = resolved(an_alert(when=condition), how, at(noon, 64))
    assert words in told(card_message(alert)).split("\n")


def test_what_is_raised_again_has_no_end(an_alert: MakeAlert, card_message: CardMessage, noon: datetime) -> None:
    alert = raised(resolved(an_alert(), Resolution.CALL_OVER, at(noon, 64)), at(noon, 70))
    text = card_message(alert).text
    assert (text.startswith("Raised: "), "over" in text) == (True, False)


SECRETS = ("after", "Hal", "15550188", "Dan", "0003*211", "Ana", "12:0", "refund")


@pytest.mark.parametrize("condition", When)
@pytest.mark.parametrize("ended", [True, False])
def test_of_a_protected_call_nothing_is_shown(
    *, an_alert: MakeAlert, card_message: CardMessage, noon: datetime, told: Told, condition: When, ended: bool
) -> None:
    """Whether it was resolved because of that, or for another reason before."""
    alert = snoozed(acknowledged(an_alert(when=condition, about="a refund"), "U0ANA", "Ana Pop", noon), "Ana Pop", noon)
    if ended:
        card = card_message(resolved(alert, Resolution.PROTECTED, at(noon, 64)))
    else:
        card = card_message(alert, agent="", view=None)
    message = card
    told_of_it = told(message) + message.text + str(message.blocks)
    assert [word for word in SECRETS if word in told_of_it] == []


@pytest.fixture
def bobs_view(a_view: MakeView) -> PhoneCallView:
    return a_view("01")


# ── who is on it ──


def with_helpers(alert: Alert, *helpers: Helper) -> Alert:
    return alert.model_copy(update={"helpers": helpers})


def helper(noon: datetime, name: str = "Ana Pop", **fields: Any) -> Helper:
    return Helper(slack_user=f"U{name}", name=name, since=at(noon, 40), **fields)


HELPERS: list[tuple[dict[str, Any], str]] = [
    ({"taken": True}, "Ana Pop is on it, since 12:00:40."),
    ({"intervening": True}, "Ana Pop is on it, since 12:00:40."),
    ({"intervening": True, "doing": "PickUp ringing"}, "Ana Pop is on it: Pick up, Ringing."),
    ({"taken": True, "intervening": True, "doing": "BargeIn connected"}, "Ana Pop is on it: Barge in, Connected."),
    ({"intervening": True, "doing": "Monitor connected"}, "Ana Pop is on it, since 12:00:40."),
    ({"intervening": True, "doing": "Whisper ringing"}, "Ana Pop is on it, since 12:00:40."),
    ({"came": True}, "Ana Pop was on it."),
]


@pytest.mark.parametrize(("fields", "words"), HELPERS, ids=[str(row[0]) for row in HELPERS])
def test_the_card_says_who_is_on_it_and_what_everybody_in_the_call_hears(
    *,
    an_alert: MakeAlert,
    card_message: CardMessage,
    noon: datetime,
    told: Told,
    fields: dict[str, Any],
    words: str,
) -> None:
    card = card_message(with_helpers(an_alert(), helper(noon, **fields)), buttons=())
    message = card
    lines = told(message).split("\n")
    assert (words in lines, "Monitor" in message.text, "Whisper" in message.text) == (True, False, False)


def test_once_it_is_resolved_everybody_was_on_it(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, told: Told
) -> None:
    helpers = helper(noon, taken=True), helper(noon, "Cleo Dima", came=True)
    alert = resolved(with_helpers(an_alert(), *helpers), Resolution.PICKED_UP, at(noon, 64))
    assert "Ana Pop and Cleo Dima were on it." in told(card_message(alert)).split("\n")


def test_of_many_who_are_on_it_all_are_counted(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, told: Told
) -> None:
    present = [helper(noon, f"On {number}", taken=True) for number in range(12)]
    former = [helper(noon, f"Was {number}", came=True) for number in range(12)]
    message = card_message(with_helpers(an_alert(), *present, *former))
    lines = told(message).split("\n")
    assert (sum("On " in line for line in lines), lines[8:10]) == (
        6,
        ["And 6 more are on it.", "Was 0, Was 1, Was 2, Was 3, Was 4 and 7 more were on it."],
    )


def test_where_nobody_is_on_it_nothing_is_said_of_that(
    an_alert: MakeAlert, card_message: CardMessage, told: Told
) -> None:
    assert "on it." not in told(card_message(an_alert()))


# ── snoozed, out of date, step by step ──


def test_what_is_snoozed_says_until_when_and_by_whom(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, told: Told
) -> None:
    card = card_message(snoozed(an_alert(), "Ana Pop", at(noon, 140)))
    assert "Snoozed until 12:12:20 by Ana Pop." in told(card).split("\n")


def test_when_the_snooze_is_over_it_is_said_no_more(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime
) -> None:
    alert = snooze_over(snoozed(an_alert(), "Ana Pop", noon), at(noon, 601))
    assert "Snoozed" not in card_message(alert).text


def test_a_card_that_is_out_of_date_says_since_when(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, told: Told
) -> None:
    card = card_message(marked_stale(an_alert(), at(noon, 50)))
    assert "Not updated since 12:00:20: the PBX does not answer." in told(card).split("\n")


def test_a_card_that_is_up_to_date_says_nothing_of_that(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime
) -> None:
    assert "Not updated" not in card_message(marked_stale(an_alert(), at(noon, 49))).text


def test_each_step_has_its_line_and_who_brought_it_about(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, shown: Texts
) -> None:
    alert = resolved(snoozed(an_alert(), "Ana Pop", at(noon, 30)), Resolution.CALL_OVER, at(noon, 64))
    steps = shown(card_message(alert))[-1].split("\n")
    assert steps == [
        f"{time_of_day(at(noon, 20))} Raised",
        f"{time_of_day(at(noon, 30))} Snoozed by Ana Pop",
        f"{time_of_day(at(noon, 64))} Resolved",
    ]


def test_of_many_steps_the_newest_are_shown(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime, shown: Texts
) -> None:
    alert = an_alert()
    for number in range(60):
        alert = raised(alert, at(noon, 30 + number))
    steps = shown(card_message(alert, buttons=()))[2].split("\n")
    assert steps == [f"{time_of_day(at(noon, 30 + number))} Raised" for number in range(40, 60)]


# ── a help request ──


@pytest.fixture
def a_help_request(an_alert: MakeAlert, bobs_view: PhoneCallView) -> MakeAlert:
    """Bob asks for help with his call with Jane."""

    def build(**fields: Any) -> Alert:
        whole = {"when": When.HELP_REQUESTED, "asked_by": "U0BOB", "about": "a refund", "longer_than": timedelta()}
        return an_alert(view=bobs_view, **{**whole, **fields})

    return build


def test_a_help_request_says_who_asks_for_help_with_what_and_which_call(
    a_help_request: MakeAlert, card_message: CardMessage, told: Told
) -> None:
    lines = told(card_message(a_help_request(), agent="Bob Ionescu")).split("\n")
    assert lines[:4] == [
        "Raised: Bob Ionescu asks for help",
        "“a refund”",
        "Bob Ionescu 0003*210 is on call with “Jane Roe” <+15550100>.",
        "Asked for help at 12:00:00 (ago).",
    ]


def test_a_help_request_that_is_resolved_says_so_in_the_past(
    a_help_request: MakeAlert, card_message: CardMessage, noon: datetime, told: Told
) -> None:
    alert = resolved(a_help_request(), Resolution.CALL_OVER, at(noon, 64))
    lines = told(card_message(alert, agent="Bob Ionescu")).split("\n")
    assert lines[:5] == [
        "Resolved after 1 min 4 s: Bob Ionescu asked for help",
        "“a refund”",
        "The call is over.",
        "Bob Ionescu 0003*210 was on call with “Jane Roe” <+15550100>.",
        "Asked for help at 12:00:00.",
    ]


def test_a_help_request_without_a_word_has_none(
    a_help_request: MakeAlert, card_message: CardMessage, told: Told
) -> None:
    assert told(card_message(a_help_request(about=""), agent="Bob Ionescu")).count("“") == 1  # the caller's name


def test_a_help_request_whose_call_is_not_shown_still_says_which_phone(
    a_help_request: MakeAlert, card_message: CardMessage, told: Told
) -> None:
    lines = told(card_message(a_help_request(), agent="Bob Ionescu", view=None)).split("\n")
    assert lines[2] == "Bob Ionescu 0003*210."


def test_whom_an_agent_mentions_is_shown_and_not_called(
    a_help_request: MakeAlert, card_message: CardMessage, shown: Texts
) -> None:
    message = card_message(a_help_request(about="ask <@U0EVE> or <!here>"), agent="Bob Ionescu")
    about = next(block for block in message.blocks if "EVE" in str(block))
    assert (about["text"], set(message.text) & set("<>@")) == (
        {"type": "plain_text", "text": "“ask <@U0EVE> or <!here>”", "emoji": False},
        set(),
    )


# ── buttons ──

OFFERED = [
    ("3", lambda alert, _: alert, ["Pick up", "I'm on it", "Snooze 10 min"]),
    ("5", lambda alert, _: alert, ["Monitor", "Whisper", "Barge in", "Record", "I'm on it", "Snooze 10 min"]),
    ("3", lambda alert, now: snoozed(alert, "Ana Pop", now), ["Pick up", "I'm on it"]),
    ("3", lambda alert, now: snooze_over(snoozed(alert, "Ana Pop", now), now + timedelta(hours=1)), None),
    ("3", lambda alert, now: resolved(alert, Resolution.CALL_OVER, now), []),
]


@pytest.mark.parametrize(("status", "change", "offered"), OFFERED)
def test_the_card_offers_what_suits_the_call_and_the_alert(
    *,
    an_alert: MakeAlert,
    card_message: CardMessage,
    a_view: MakeView,
    noon: datetime,
    labels: Texts,
    status: str,
    change: Any,
    offered: list[str] | None,
) -> None:
    card = card_message(change(an_alert(view=a_view(status=status)), at(noon, 64)))
    assert labels(card) == (["Pick up", "I'm on it", "Snooze 10 min"] if offered is None else offered)


def elements(message: Message) -> dict[str, dict[str, Any]]:
    return {
        element["text"]["text"]: element
        for block in message.blocks
        for element in block.get("elements", ())
        if element["type"] == "button"
    }


def test_to_be_on_it_is_what_the_card_suggests(an_alert: MakeAlert, card_message: CardMessage) -> None:
    found = elements(card_message(an_alert()))
    assert [label for label, element in found.items() if element.get("style") == "primary"] == ["I'm on it"]


@pytest.mark.parametrize(
    ("label", "action_id", "answer"), [("I'm on it", "alert:take", "take"), ("Snooze 10 min", "alert:snooze", "snooze")]
)
def test_the_answers_carry_the_alert_and_its_channel(
    an_alert: MakeAlert, card_message: CardMessage, label: str, action_id: str, answer: Any
) -> None:
    alert = an_alert()
    element = elements(card_message(alert))[label]
    carried = unpack(element["value"])
    assert (element["action_id"], carried.command, carried.channel) == (
        action_id,
        AnswerAlert(alert=alert.id, answer=answer),
        "C0ALERTS",
    )


def test_each_state_has_a_row_of_buttons_of_its_own(
    an_alert: MakeAlert, card_message: CardMessage, noon: datetime
) -> None:
    """Slack is recommended new ids for what is new ("Block Kit", block_id)."""
    first = an_alert()
    second = snoozed(first, "Ana Pop", noon)
    third = snooze_over(second, at(noon, 601))
    ids = [card_message(alert).blocks[-1]["block_id"] for alert in (first, second, third)]
    assert len(set(ids)) == 3
