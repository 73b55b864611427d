"""The card of an alert says who is on it, what was done about it, what an agent asks for, and offers what suits it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import Alert, Helper, Resolution, When, marked_stale, raised, resolved, snooze_over, snoozed
from bot.alerts.card import AlertCard
from bot.domain.calls import PhoneCallView
from bot.domain.commands import AnswerAlert
from bot.slack.alert_card import alert_message
from bot.slack.button_codec import unpack
from bot.slack.messages import Message, time_of_day

MakeAlert = Callable[..., Alert]
MakeAlertCard = Callable[..., AlertCard]
MakeView = Callable[..., PhoneCallView]
Texts = Callable[[Message], list[str]]
Told = Callable[[Message], str]


def at(noon: datetime, seconds: float) -> datetime:
    return noon + timedelta(seconds=seconds)


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
    alert_card_of: MakeAlertCard,
    noon: datetime,
    told: Told,
    fields: dict[str, Any],
    words: str,
) -> None:
    card = alert_card_of(with_helpers(an_alert(), helper(noon, **fields)), buttons=())
    message = alert_message(card)
    lines = told(message).split("\n")
    assert (words in lines, "Monitor" in message.text, "Whisper" in message.text) == (True, False, False)


def test_once_it_is_resolved_everybody_was_on_it(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, told: Told
) -> None:
    helpers = helper(noon, taken=True), helper(noon, "Cleo Dima", came=True)
    alert = resolved(with_helpers(an_alert(), *helpers), Resolution.PICKED_UP, at(noon, 64))
    assert "Ana Pop and Cleo Dima were on it." in told(alert_message(alert_card_of(alert))).split("\n")


def test_of_many_who_are_on_it_all_are_counted(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, told: Told
) -> None:
    present = [helper(noon, f"On {number}", taken=True) for number in range(12)]
    former = [helper(noon, f"Was {number}", came=True) for number in range(12)]
    message = alert_message(alert_card_of(with_helpers(an_alert(), *present, *former)))
    lines = told(message).split("\n")
    assert (sum("On " in line for line in lines), lines[8:10]) == (
        6,
        ["And 6 more are on it.", "Was 0, Was 1, Was 2, Was 3, Was 4 and 7 more were on it."],
    )


def test_where_nobody_is_on_it_nothing_is_said_of_that(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, told: Told
) -> None:
    assert "on it." not in told(alert_message(alert_card_of(an_alert())))


# ── snoozed, out of date, step by step ──


def test_what_is_snoozed_says_until_when_and_by_whom(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, told: Told
) -> None:
    card = alert_card_of(snoozed(an_alert(), "Ana Pop", at(noon, 140)))
    assert "Snoozed until 12:12:20 by Ana Pop." in told(alert_message(card)).split("\n")


def test_when_the_snooze_is_over_it_is_said_no_more(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime
) -> None:
    alert = snooze_over(snoozed(an_alert(), "Ana Pop", noon), at(noon, 601))
    assert "Snoozed" not in alert_message(alert_card_of(alert)).text


def test_a_card_that_is_out_of_date_says_since_when(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, told: Told
) -> None:
    card = alert_card_of(marked_stale(an_alert(), at(noon, 50)))
    assert "Not updated since 12:00:20: the PBX does not answer." in told(alert_message(card)).split("\n")


def test_a_card_that_is_up_to_date_says_nothing_of_that(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime
) -> None:
    assert "Not updated" not in alert_message(alert_card_of(marked_stale(an_alert(), at(noon, 49)))).text


def test_each_step_has_its_line_and_who_brought_it_about(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, shown: Texts
) -> None:
    alert = resolved(snoozed(an_alert(), "Ana Pop", at(noon, 30)), Resolution.CALL_OVER, at(noon, 64))
    steps = shown(alert_message(alert_card_of(alert)))[-1].split("\n")
    assert steps == [
        f"{time_of_day(at(noon, 20))} Raised",
        f"{time_of_day(at(noon, 30))} Snoozed by Ana Pop",
        f"{time_of_day(at(noon, 64))} Resolved",
    ]


def test_of_many_steps_the_newest_are_shown(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, shown: Texts
) -> None:
    alert = an_alert()
    for number in range(60):
        alert = raised(alert, at(noon, 30 + number))
    steps = shown(alert_message(alert_card_of(alert, buttons=())))[2].split("\n")
    assert steps == [f"{time_of_day(at(noon, 30 + number))} Raised" for number in range(40, 60)]


# ── a raised hand ──


@pytest.fixture
def a_hand(an_alert: MakeAlert, bobs_view: PhoneCallView) -> MakeAlert:
    """Bob asks for help with his call with Jane."""

    def build(**fields: Any) -> Alert:
        whole = {"when": When.HELP_REQUESTED, "asked_by": "U0BOB", "about": "a refund", "longer_than": timedelta()}
        return an_alert(view=bobs_view, **{**whole, **fields})

    return build


def test_a_raised_hand_says_who_asks_for_help_with_what_and_which_call(
    a_hand: MakeAlert, alert_card_of: MakeAlertCard, told: Told
) -> None:
    lines = told(alert_message(alert_card_of(a_hand(), agent="Bob Ionescu"))).split("\n")
    assert lines[:4] == [
        "Raised: Bob Ionescu asks for help",
        "“a refund”",
        "Bob Ionescu 0003*210 is on call with “Jane Roe” <+15550100>.",
        "Asked for help at 12:00:00 (ago).",
    ]


def test_a_hand_that_was_raised_says_so_in_the_past(
    a_hand: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime, told: Told
) -> None:
    alert = resolved(a_hand(), Resolution.CALL_OVER, at(noon, 64))
    lines = told(alert_message(alert_card_of(alert, agent="Bob Ionescu"))).split("\n")
    assert lines[:5] == [
        "Resolved after 1 min 4 s: Bob Ionescu asked for help",
        "“a refund”",
        "The call is over.",
        "Bob Ionescu 0003*210 was on call with “Jane Roe” <+15550100>.",
        "Asked for help at 12:00:00.",
    ]


def test_a_hand_that_was_raised_without_a_word_has_none(
    a_hand: MakeAlert, alert_card_of: MakeAlertCard, told: Told
) -> None:
    assert (
        told(alert_message(alert_card_of(a_hand(about=""), agent="Bob Ionescu"))).count("“") == 1
    )  # the caller's name


def test_a_hand_whose_side_of_the_call_is_not_shown_still_says_which_phone(
    a_hand: MakeAlert, alert_card_of: MakeAlertCard, told: Told
) -> None:
    lines = told(alert_message(alert_card_of(a_hand(), agent="Bob Ionescu", view=None))).split("\n")
    assert lines[2] == "Bob Ionescu 0003*210."


def test_whom_an_agent_mentions_is_shown_and_not_called(
    a_hand: MakeAlert, alert_card_of: MakeAlertCard, shown: Texts
) -> None:
    message = alert_message(alert_card_of(a_hand(about="ask <@U0EVE> or <!here>"), agent="Bob Ionescu"))
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
    alert_card_of: MakeAlertCard,
    a_view: MakeView,
    noon: datetime,
    labels: Texts,
    status: str,
    change: Any,
    offered: list[str] | None,
) -> None:
    card = alert_card_of(change(an_alert(view=a_view(status=status)), at(noon, 64)))
    assert labels(alert_message(card)) == (["Pick up", "I'm on it", "Snooze 10 min"] if offered is None else offered)


def elements(message: Message) -> dict[str, dict[str, Any]]:
    return {
        element["text"]["text"]: element
        for block in message.blocks
        for element in block.get("elements", ())
        if element["type"] == "button"
    }


def test_barge_in_and_record_ask_first(an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_view: MakeView) -> None:
    found = elements(alert_message(alert_card_of(an_alert(view=a_view()))))
    asking = {label: element["confirm"]["text"]["text"] for label, element in found.items() if "confirm" in element}
    assert asking == {"Barge in": "The customer will hear you.", "Record": "The conversation will be recorded."}


def test_to_be_on_it_is_what_the_card_suggests(an_alert: MakeAlert, alert_card_of: MakeAlertCard) -> None:
    found = elements(alert_message(alert_card_of(an_alert())))
    assert [label for label, element in found.items() if element.get("style") == "primary"] == ["I'm on it"]


@pytest.mark.parametrize(
    ("label", "action_id", "answer"), [("I'm on it", "alert:take", "take"), ("Snooze 10 min", "alert:snooze", "snooze")]
)
def test_the_answers_carry_the_alert_and_its_channel(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, label: str, action_id: str, answer: Any
) -> None:
    alert = an_alert()
    element = elements(alert_message(alert_card_of(alert)))[label]
    carried = unpack(element["value"])
    assert (element["action_id"], carried.command, carried.channel) == (
        action_id,
        AnswerAlert(alert=alert.id, answer=answer),
        "C0ALERTS",
    )


def test_each_state_has_a_row_of_buttons_of_its_own(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, noon: datetime
) -> None:
    """Slack is recommended new ids for what is new ("Block Kit", block_id)."""
    first = an_alert()
    second = snoozed(first, "Ana Pop", noon)
    third = snooze_over(second, at(noon, 601))
    ids = [alert_message(alert_card_of(alert)).blocks[-1]["block_id"] for alert in (first, second, third)]
    assert len(set(ids)) == 3
