"""The cards of alerts in a strict workspace that misbehaves: one for each, up to date in the end, and never in a direct message."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.alerts.alert import Alert
from bot.alerts.card import AlertCard, DigestCard
from bot.domain.intervention import State
from bot.interventions.card import InterventionCard
from bot.slack.card_publisher import BETWEEN_TRIES, CARD_LONGEST_PAUSE, MOST_CARDS

MakeAlert = Callable[..., Alert]
AlertIn = Callable[..., AlertCard]
CardIn = Callable[..., InterventionCard]
ANA, BOB, FLOOR = "U0ANA", "U0BOB", "C0FLOOR"
POST, UPDATE, HISTORY = "chat.postMessage", "chat.update", "conversations.history"


# ── one card, from raised to resolved ──


async def test_an_alert_is_one_card_that_is_brought_up_to_date_in_place(desk: Any, alert_in: AlertIn) -> None:
    desk.publisher.show(alert_in())
    card = await desk.shows("Raised")
    for state in ("Snoozed", "Resolved"):
        desk.publisher.show(alert_in(state))
        assert await desk.shows(state) is card


async def test_what_is_raised_again_after_it_was_resolved_goes_on_on_its_card(desk: Any, alert_in: AlertIn) -> None:
    for state, word in (("Raised", "Raised"), ("Resolved", "Resolved"), ("Again", "Raised")):
        desk.publisher.show(alert_in(state))
        await desk.shows(word)
    await desk.publisher.drain(1.0)
    assert (len(desk.cards()), len(desk.cards()[0].versions)) == (1, 3)


async def test_a_digest_is_one_card_too(desk: Any, a_digest: Callable[..., DigestCard]) -> None:
    desk.publisher.show(a_digest(place=FLOOR))
    card = await desk.shows("Raised: 37 alerts")
    desk.publisher.show(a_digest(place=FLOOR, rules=(("Rings unanswered", 0, 37),)))
    assert await desk.shows("Resolved: all 37") is card


async def test_what_is_over_is_left_to_the_ledger(desk: Any, alert_in: AlertIn) -> None:
    desk.publisher.show(alert_in("Resolved"))
    await desk.shows("Resolved")
    await desk.publisher.drain(1.0)
    assert desk.publisher._placements == {}


async def test_after_a_restart_an_alert_that_is_shown_already_is_not_sent(desk: Any, alert_in: AlertIn) -> None:
    desk.publisher.show(alert_in())
    await desk.shows("Raised")
    await desk.publisher.drain(1.0)
    restarted = desk.another_publisher()
    restarted.show(alert_in())
    await restarted.drain(1.0)
    assert (desk.asked(UPDATE), len(desk.cards())) == (0, 1)


async def test_the_ledger_knows_until_when_the_card_of_an_alert_is_true(desk: Any, alert_in: AlertIn) -> None:
    """By that an alert whose end its card does not show yet is found after a crash."""
    noted: list[Any] = []
    save_posted = desk.ledger.save_posted

    class Noting:
        def __getattr__(self, name: str) -> Any:
            return getattr(desk.ledger, name)

        async def save_posted(self, *where: str, shown: str, until: Any) -> None:
            noted.append(until)
            await save_posted(*where, shown=shown, until=until)

    desk.publisher._posts._card_ledger = Noting()
    desk.publisher.show(alert_in("Resolved"))
    await desk.shows("Resolved")
    await desk.publisher.drain(1.0)
    assert noted == [alert_in("Resolved").alert.steps[-1].at]


async def test_each_card_is_told_of_once_when_it_has_come_to_stand(desk: Any, alert_in: AlertIn) -> None:
    for number in (1, 2):
        for state in ("Raised", "Snoozed"):
            desk.publisher.show(alert_in(state, number))
            await desk.workspace.until(lambda word=state: any(one.text.startswith(word) for one in desk.cards()))
    await desk.publisher.drain(1.0)
    assert desk.posted == [alert_in(number=number).id for number in (1, 2)]


async def test_a_card_that_stood_before_a_restart_is_not_told_of_again(desk: Any, alert_in: AlertIn) -> None:
    desk.publisher.show(alert_in())
    await desk.shows("Raised")
    await desk.publisher.drain(1.0)
    desk.another_publisher().show(alert_in("Snoozed"))
    await desk.shows("Snoozed")
    assert desk.posted == [alert_in().id]


async def test_who_raised_their_hand_is_told_who_is_coming_and_nobody_else_is(desk: Any) -> None:
    desk.workspace.add_person(BOB, "bob")
    desk.publisher.help_coming(BOB, "Ana <@U0EVE> Pop")
    told = await desk.workspace.until(lambda: desk.workspace.messages(to=BOB))
    assert (told[0].lines(), told[0].live_markup(), len(desk.workspace.messages())) == (
        ["Ana <@U0EVE> Pop is on it: help is coming."],
        [],
        1,
    )


# ── answers that are lost ──


async def test_an_alert_whose_answer_was_lost_is_found_and_gets_no_second_card(desk: Any, alert_in: AlertIn) -> None:
    desk.fault(POST, "lost")
    desk.publisher.show(alert_in())
    card = await desk.shows("Raised")
    desk.publisher.show(alert_in("Resolved"))
    assert await desk.shows("Resolved") is card
    assert desk.posted == [card.metadata["event_payload"]["card"]]


async def test_where_the_history_is_closed_there_is_no_second_card_and_nobody_is_told_instead(
    blind_desk: Any, alert_in: AlertIn
) -> None:
    desk = blind_desk
    desk.fault(POST, "lost")
    with capture_logs() as logs:
        desk.publisher.show(alert_in())
        await desk.workspace.until(lambda: desk.asked(HISTORY) > 2)
        desk.publisher.show(alert_in("Resolved"))
        await desk.workspace.until(lambda: desk.asked(HISTORY) > 5)
    refused = [line for line in logs if line["event"] == "alerts_refused"]
    assert (desk.asked(POST), len(desk.cards()), desk.cards(ANA), [(r["where"], r["reason"]) for r in refused]) == (
        1,
        1,
        [],
        [(f"history of {FLOOR}", "missing_scope")],
    )


# ── messages that are gone, or wrong ──


async def test_an_alert_whose_message_is_gone_is_posted_anew_in_its_channel(desk: Any, alert_in: AlertIn) -> None:
    desk.publisher.show(alert_in())
    await desk.shows("Raised")
    desk.fault(UPDATE, "error", error="message_not_found")
    desk.publisher.show(alert_in("Snoozed"))
    await desk.workspace.until(lambda: [one for one in desk.cards() if one.text.startswith("Snoozed")])
    assert (len(desk.cards()), desk.posted, desk.cards(ANA)) == (2, [alert_in().id], [])


async def test_an_alert_whose_message_is_gone_again_and_again_is_posted_anew_once(desk: Any, alert_in: AlertIn) -> None:
    desk.publisher.show(alert_in())
    await desk.shows("Raised")
    desk.fault(UPDATE, "error", error="edit_window_closed", times=None)
    for state in ("Snoozed", "Resolved"):
        desk.publisher.show(alert_in(state))
        await desk.publisher.drain(0.3)
    assert (len(desk.cards()), len(desk.publisher), desk.cards(ANA)) == (2, 0, [])


@pytest.mark.parametrize(("method", "reason"), [(POST, "invalid_blocks"), (UPDATE, "msg_too_long"), (UPDATE, "never")])
async def test_an_alert_that_slack_takes_in_no_form_does_not_stop_the_next_version(
    *, desk: Any, alert_in: AlertIn, method: str, reason: str
) -> None:
    if method == UPDATE:
        desk.publisher.show(alert_in())
        await desk.shows("Raised")
    desk.fault(method, "error", error=reason)
    with capture_logs() as logs:
        desk.publisher.show(alert_in("Snoozed"))
        await desk.publisher.drain(0.3)
    desk.publisher.show(alert_in("Resolved"))
    await desk.shows("Resolved")
    said = {"event": "alerts_refused", "where": FLOOR, "reason": reason, "log_level": "error"}
    errors = [line for line in logs if line["log_level"] == "error"]
    assert (errors, desk.cards(ANA), desk.pauses) == ([said], [], [])


async def test_after_a_429_an_alert_waits_as_long_as_slack_said_and_no_longer(desk: Any, alert_in: AlertIn) -> None:
    desk.fault(POST, "429", retry_after=1)
    desk.publisher.show(alert_in())
    await desk.shows("Raised")
    assert (desk.asked(POST), desk.pauses) == (2, [])


async def test_a_token_that_slack_takes_no_more_is_no_closed_channel_and_loses_no_alert(
    desk: Any, alert_in: AlertIn
) -> None:
    desk.fault(POST, "error", error="token_revoked", times=3)
    with capture_logs() as logs:
        desk.publisher.show(alert_in("Resolved"))
        await desk.shows("Resolved")
    errors = [line["event"] for line in logs if line["log_level"] == "error"]
    assert (errors, desk.pauses) == (["token_refused"], [CARD_LONGEST_PAUSE] * 3)


# ── beside interventions ──


async def test_alerts_that_wait_take_no_place_of_an_interventions_card(
    desk: Any, alert_in: AlertIn, card_in: CardIn
) -> None:
    desk.workspace.add_channel("C0CLOSED", "closed", bot_is_member=False)
    with capture_logs() as logs:
        for number in range(MOST_CARDS + 1):
            desk.publisher._newest[f"a{number}"] = alert_in(channel="C0CLOSED")
        desk.publisher.show(card_in(State.RINGING))
        desk.publisher.show(alert_in(number=2))
    await desk.shows("Ringing")
    assert [line["event"] for line in logs] == ["card_dropped"]
    desk.publisher._newest.clear()


async def test_a_channel_in_which_an_interventions_card_stands_is_open_to_alerts(
    desk: Any, alert_in: AlertIn, card_in: CardIn
) -> None:
    hours = asyncio.Event()
    desk.rests = hours
    desk.fault(POST, "error", error="not_in_channel")
    desk.publisher.show(alert_in())
    await desk.workspace.until(lambda: BETWEEN_TRIES in desk.pauses)
    desk.publisher.show(card_in(State.RINGING))
    await desk.workspace.until(lambda: len(desk.cards()) == 2)
    assert sorted(one.text.split()[0] for one in desk.cards()) == ["Raised:", "Ringing"]
    hours.set()
