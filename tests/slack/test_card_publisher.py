"""Cards in a strict workspace that misbehaves: one card for one person and one call, which is soon up to date."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.calls import PhoneCall
from bot.domain.commands import Request
from bot.domain.intervention import State, Why
from bot.interventions.card import InterventionCard
from bot.slack.card_publisher import CARD_LONGEST_PAUSE, MOST_CARDS

CardIn = Callable[..., InterventionCard]
ANA, FLOOR = "U0ANA", "C0FLOOR"
POST, UPDATE = "chat.postMessage", "chat.update"


# ── Slack is away, or slow, or says no ──


@pytest.mark.parametrize("kind", ["500", "lost", "done500"])
async def test_an_update_comes_again_until_it_stands_however_often_slack_fails(
    desk: Any, card_in: CardIn, kind: str
) -> None:
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing")
    desk.fault(UPDATE, kind, times=20)
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.workspace.until(lambda: desk.asked(UPDATE) > 20)
    assert await desk.shows("Connected") is card


async def test_the_pauses_grow_up_to_a_minute(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    desk.fault(UPDATE, "500", times=10)
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.shows("Connected")
    assert desk.pauses == [
        0.5,
        1.0,
        2.0,
        4.0,
        8.0,
        16.0,
        32.0,
        CARD_LONGEST_PAUSE,
        CARD_LONGEST_PAUSE,
        CARD_LONGEST_PAUSE,
    ]


async def test_while_slack_is_away_only_the_newest_state_waits(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing")
    desk.fault(UPDATE, "500", times=3)
    for after, state in enumerate((State.CONNECTED, State.NOT_ANSWERED, State.ENDED), 2):
        desk.publisher.show(card_in(state, after=after))
    await desk.shows("Ended")
    assert [version.text.split()[0] for version in card.versions] == ["Ringing", "Ended:"]


async def test_each_message_that_slack_took_is_a_line_of_the_log_with_nothing_but_the_id_of_its_card(
    desk: Any, card_in: CardIn
) -> None:
    ringing = card_in(State.RINGING)
    with capture_logs() as logs:
        desk.publisher.show(ringing)
        await desk.shows("Ringing")
        desk.publisher.show(card_in(State.CONNECTED, after=2))
        await desk.shows("Connected")
        await desk.publisher.drain(1.0)
    assert logs == [
        {"event": "card_posted", "card": ringing.id, "log_level": "debug"},
        {"event": "card_updated", "card": ringing.id, "log_level": "debug"},
    ]


async def test_what_is_shown_already_is_not_sent(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    for _ in range(3):
        desk.publisher.show(card_in(State.RINGING))
        await desk.publisher.drain(1.0)
    assert desk.asked(UPDATE) == 0


async def test_after_a_lost_answer_what_was_shown_before_is_sent_again(
    desk: Any, card_in: CardIn, a_call: Callable[..., PhoneCall], a_view: Callable[..., Any]
) -> None:
    desk.publisher.show(card_in(State.CONNECTED))
    await desk.shows("Connected")
    desk.fault(UPDATE, "late", seconds=0.7)
    desk.publisher.show(card_in(State.CONNECTED, call=a_call(a_view(onHold="2026-11-21T12:00:20Z"))))
    await desk.workspace.until(lambda: len(desk.cards()[0].versions) == 2)
    desk.publisher.show(card_in(State.CONNECTED))
    await desk.workspace.until(lambda: len(desk.cards()[0].versions) == 3)
    assert "hold" not in "\n".join(desk.cards()[0].lines())


async def test_after_a_restart_what_is_shown_already_is_not_sent(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.ENDED))
    await desk.shows("Ended")
    await desk.publisher.drain(1.0)
    restarted = desk.another_publisher()
    restarted.show(card_in(State.ENDED))
    await restarted.drain(1.0)
    assert (desk.asked(UPDATE), len(restarted)) == (0, 0)


async def test_after_a_restart_what_was_not_shown_is_sent(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing")
    await desk.publisher.drain(1.0)
    desk.another_publisher().show(card_in(State.ENDED, after=2))
    assert await desk.shows("Ended") is card


async def test_while_a_card_is_updated_that_waits_for_a_busy_phone_the_ledger_does_not_say_what_is_shown(
    desk: Any, card_in: CardIn
) -> None:
    """A request that waits is in no ledger, so after a crash the next start has to take it off the card."""
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    await desk.publisher.drain(1.0)
    before = (await desk.ledger.posted("k1")).shown
    desk.rests = asyncio.Event()
    desk.fault(UPDATE, "error", error="token_revoked")  # the next try comes after a minute
    desk.publisher.show(card_in(State.ASKED, why=Why.PHONE_BUSY))
    await desk.workspace.until(lambda: desk.asked(UPDATE))
    assert (bool(before), (await desk.ledger.posted("k1")).shown) == (True, "")
    desk.rests.set()


async def test_a_card_that_cannot_be_made_ends_nothing(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING).model_copy(update={"interventions": ()}))
    await desk.workspace.until(lambda: desk.pauses)
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")


async def test_a_retry_after_of_nothing_is_no_hot_loop(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "429", times=2, retry_after=0)
    begun = asyncio.get_running_loop().time()
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    assert asyncio.get_running_loop().time() - begun >= 1.0


async def test_a_token_that_slack_takes_no_more_is_said_once_and_tried_slowly(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "error", error="token_revoked", times=3)
    with capture_logs() as logs:
        desk.publisher.show(card_in(State.RINGING))
        await desk.shows("Ringing")
    errors = [line for line in logs if line["log_level"] == "error"]
    assert (errors, desk.pauses) == (
        [{"event": "token_refused", "reason": "token_revoked", "log_level": "error"}],
        [CARD_LONGEST_PAUSE] * 3,
    )
    desk.fault(UPDATE, "error", error="token_revoked")
    with capture_logs() as logs:
        desk.publisher.show(card_in(State.CONNECTED, after=2))
        await desk.shows("Connected")
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["token_refused"]


@pytest.mark.parametrize(
    ("method", "reason"), [(POST, "not_in_channel"), (UPDATE, "is_archived"), (UPDATE, "restricted_action")]
)
async def test_where_callbot_may_not_write_the_card_goes_on_in_the_direct_message(
    *, desk: Any, card_in: CardIn, method: str, reason: str
) -> None:
    if method == UPDATE:
        desk.publisher.show(card_in(State.RINGING))
        await desk.shows("Ringing")
    desk.fault(method, "error", error=reason)
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    card = await desk.shows("Connected", ANA)
    await desk.workspace.until(lambda: desk.no_access)
    assert ("/invite" in "\n".join(card.lines()), desk.no_access) == (True, ["k1"])


@pytest.mark.parametrize("reason", ["missing_scope", "never_heard_of"])
async def test_a_channel_that_refuses_a_post_for_whatever_reason_moves_the_card(
    desk: Any, card_in: CardIn, reason: str
) -> None:
    desk.fault(POST, "error", error=reason)
    desk.publisher.show(card_in(State.RINGING))
    card = await desk.shows("Ringing", ANA)
    await desk.workspace.until(lambda: desk.no_access)
    assert ("/invite" in "\n".join(card.lines()), desk.no_access, desk.nowhere) == (True, ["k1"], [])


@pytest.mark.parametrize("place", [FLOOR, ANA])
async def test_a_card_that_slack_takes_nowhere_is_said_once_in_another_way(
    desk: Any, card_in: CardIn, place: str
) -> None:
    desk.fault(POST, "error", error="messages_tab_disabled", times=None)
    for after, state in enumerate((State.RINGING, State.CONNECTED), 1):
        desk.publisher.show(card_in(state, place, after=after))
        await desk.publisher.drain(1.0)
    assert (desk.nowhere, desk.no_access, len(desk.publisher), desk.workspace.messages()) == (["k1"], [], 0, [])


async def test_what_a_refused_message_would_have_said_comes_as_text(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    desk.fault(UPDATE, "error", error="invalid_blocks")
    desk.publisher.show(card_in(State.ENDED, after=2))
    told = await desk.workspace.until(lambda: desk.cards(ANA))
    assert ("Now: Ended" in told[0].text, told[0].blocks, desk.no_access) == (True, [], [])


async def test_a_message_that_cannot_be_changed_is_posted_anew_in_the_same_place(desk: Any, card_in: CardIn) -> None:
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    desk.fault(UPDATE, "error", error="message_not_found")
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.workspace.until(lambda: len(desk.cards()) == 2)
    desk.publisher.show(card_in(State.ENDED, after=3))
    await desk.workspace.until(lambda: desk.cards()[-1].text.startswith("Ended"))
    assert len(desk.cards()) == 2


async def test_where_no_message_can_ever_be_changed_there_is_one_new_card_and_then_text(
    desk: Any, card_in: CardIn
) -> None:
    desk.publisher.show(card_in(State.ASKED, after=0))
    await desk.shows("Asked")
    desk.fault(UPDATE, "error", error="edit_window_closed", times=None)
    for after, state in enumerate((State.RINGING, State.CONNECTED, State.ENDED), 1):
        desk.publisher.show(card_in(state, after=after))
        await desk.publisher.drain(1.0)
    assert (len(desk.cards()), [one.text.split("Now: ")[1].split()[0] for one in desk.cards(ANA)]) == (
        2,
        ["Connected", "Ended:"],
    )


async def test_a_refused_card_does_not_stop_the_next_version(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "error", error="invalid_blocks")
    desk.publisher.show(card_in(State.RINGING))
    await desk.workspace.until(lambda: desk.asked(POST) == 1)
    await desk.publisher.drain(1.0)
    desk.publisher.show(card_in(State.CONNECTED, after=2))
    await desk.shows("Connected")


async def test_the_end_does_not_wait_for_a_slack_that_is_away(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "429", times=None, retry_after=30)
    desk.publisher.show(card_in(State.RINGING))
    await desk.workspace.until(lambda: desk.asked(POST) == 1)
    begun = asyncio.get_running_loop().time()
    with capture_logs() as logs:
        await desk.publisher.drain(0.1)
    late = asyncio.get_running_loop().time() - begun
    assert (late < 1.0, [line["event"] for line in logs]) == (True, ["cards_not_shown"])


async def test_a_card_that_slack_shows_is_not_called_unshown_because_the_ledger_is_slow(
    desk: Any, card_in: CardIn, tmp_path: Path
) -> None:
    desk.publisher.show(card_in(State.RINGING))
    await desk.shows("Ringing")
    await desk.publisher.drain(1.0)
    with closing(sqlite3.connect(tmp_path / "callbot.db", isolation_level=None)) as other, capture_logs() as logs:
        other.execute("BEGIN IMMEDIATE")
        desk.publisher.show(card_in(State.CONNECTED, after=2))
        await desk.shows("Connected")
        await desk.publisher.drain(0.1)
    assert ([line["event"] for line in logs], len(desk.publisher)) == (["card_updated"], 0)


async def test_a_request_that_a_restart_cut_off_is_told_when_slack_takes_it_again(desk: Any) -> None:
    desk.fault(POST, "429", retry_after=1)
    moment = datetime.now(UTC) - timedelta(seconds=5)
    desk.publisher.interrupted(
        Request(id="r1", trigger="t1", slack_user=ANA, channel=FLOOR, said="/monitor 210", at=moment)
    )
    message = await desk.workspace.until(lambda: desk.cards(ANA))
    assert "/monitor 210" in "\n".join(message[0].lines())


# ── many cards at once ──


async def posted_apart(desk: Any, card_in: CardIn, number: int) -> None:
    """So many cards, each in a channel of its own, all of them Ringing."""
    for each in range(number):
        desk.workspace.add_channel(f"C{each}", f"floor-{each}")
        desk.publisher.show(card_in(State.RINGING, f"C{each}", card=f"k{each}"))
    await desk.workspace.until(lambda: len(desk.workspace.messages()) == number)


async def test_thirty_cards_that_change_at_one_moment_are_all_true_within_two_seconds(
    desk: Any, card_in: CardIn
) -> None:
    await posted_apart(desk, card_in, 30)
    begun = asyncio.get_running_loop().time()
    for each in range(30):
        desk.publisher.show(card_in(State.CONNECTED, f"C{each}", card=f"k{each}", after=2))
    await desk.workspace.until(lambda: all(one.text.startswith("Connected") for one in desk.workspace.messages()))
    assert asyncio.get_running_loop().time() - begun < 2


async def test_when_slack_takes_updates_again_the_newest_states_go_first_and_mere_details_last(
    desk: Any, card_in: CardIn, a_call: Callable[..., PhoneCall], a_view: Callable[..., Any]
) -> None:
    await posted_apart(desk, card_in, 4)
    desk.publisher.show(card_in(State.CONNECTED, "C0", card="k0", after=20))
    await desk.workspace.until(lambda: desk.asked(UPDATE) == 1)
    desk.fault(UPDATE, "429", retry_after=1)
    desk.publisher.show(card_in(State.CONNECTED, "C1", card="k1", after=2))
    await desk.workspace.until(lambda: desk.asked(UPDATE) == 2)
    held = a_call(a_view(onHold="2026-11-21T12:00:20Z"))
    desk.publisher.show(card_in(State.CONNECTED, "C0", card="k0", after=20, call=held))
    for each, (state, after) in enumerate([(State.ENDED, 5), (State.CONNECTED, 9), (State.UNKNOWN, 7)], 1):
        desk.publisher.show(card_in(state, f"C{each}", card=f"k{each}", after=after))
    await desk.workspace.until(lambda: desk.asked(UPDATE) == 6)
    order = [call.args["channel"] for call in desk.workspace.calls if call.method == UPDATE][2:]
    assert order == ["C2", "C3", "C1", "C0"]


async def test_more_cards_than_can_wait_are_dropped_and_the_log_says_so(desk: Any, card_in: CardIn) -> None:
    desk.fault(POST, "429", times=None, retry_after=30)
    with capture_logs() as logs:
        for number in range(MOST_CARDS + 1):
            desk.publisher.show(card_in(State.RINGING, card=f"k{number}"))
    assert [line["event"] for line in logs] == ["card_dropped"]
    await desk.publisher._tasks.cancel()
