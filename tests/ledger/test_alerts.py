"""save_alerts, alerts_of, alert: what is true of each alert, and that it is one."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.alert import (
    Alert,
    AlertState,
    Resolution,
    When,
    acknowledged,
    raised,
    resolved,
    snoozed,
    still_firing,
    with_interventions,
)
from bot.alerts.card import BlindCard
from bot.alerts.manager import AlertLedger
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Request
from bot.domain.intervention import Intervention
from bot.ledger.alerts import WRITTEN_TOGETHER
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.tables import document_of, read_document

Raise = Callable[..., Alert]
Asked = Callable[..., Request]
Wanted = Callable[..., Intervention]
Count = Callable[[], Awaitable[int]]
Execute = Callable[..., Awaitable[Any]]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LONG = "nobody answers " * 10_000


@pytest.fixture
def stored(ledger: Ledger) -> AlertLedger:
    return ledger.alerts


def of_call(call_id: str, published: str | None = None) -> dict[str, Any]:
    return {"call": PhoneCall.model_validate({"id": call_id, "published": published})}


# ── one alert ──


async def test_an_alert_comes_back_whole(stored: AlertLedger, alert: Raise, wanted: Wanted) -> None:
    call = {
        "id": "call1",
        "published": "2026-03-02T13:59:00.250+02:00",
        "phoneCallView": [{"id": "01", "extension": "0003*210", "callerID": "Eve <+15550100>", "onHold": "2026-03-02"}],
    }
    plain = alert(call=PhoneCall.model_validate(call), asked_by="U0BOB", about="a refund", digest="d1")
    helped = with_interventions(acknowledged(plain, "U0ANA", "Ana Pop", NOON), [wanted(alert=plain.id)])
    full = resolved(snoozed(helped, "Ana Pop", NOON), Resolution.PICKED_UP, NOON, by="0003*024")
    await stored.save_alerts([full])
    assert await stored.alert(full.id) == full


@given(name=st.text(), about=st.text(), source=st.text())
def test_no_text_is_changed_on_its_way_through_a_document(name: str, about: str, source: str) -> None:
    call = PhoneCall.model_validate({"id": "c", "phoneCallView": [{"id": "1", "source": [source], "callerId": about}]})
    plain = Alert(
        id="a1",
        rule=f"help_request {name}",
        name=name,
        when=When.HELP_REQUESTED,
        channel="C0ALERTS",
        call=call,
        extension="0003*210",
        view_id="1",
        since=NOON,
        raised_at=NOON,
        seen_at=NOON,
        about=about,
    )
    assert read_document(document_of(plain), Alert) == plain


@pytest.mark.parametrize("document", ["", "{", "null", '{"id": "a1", "caller": "+15550142"}'])
def test_a_document_that_cannot_be_read_is_none(document: str) -> None:
    assert (read_document(document, Alert), read_document(document, Intervention)) == (None, None)


async def test_half_a_character_in_a_foreign_text_does_not_stop_an_alert(stored: AlertLedger, alert: Raise) -> None:
    spoilt = alert().model_copy(update={"about": "a\x00b\ud83d 🎧"})
    await stored.save_alerts([spoilt])
    assert [kept.about for kept in await stored.open_alerts()] == ["a\x00b\ufffd 🎧"]


async def test_an_alert_of_an_id_that_was_never_raised_is_none(stored: AlertLedger, alert: Raise) -> None:
    await stored.save_alerts([alert()])
    assert await stored.alert("another") is None


async def test_of_one_alert_that_is_saved_twice_at_once_the_last_is_true(stored: AlertLedger, alert: Raise) -> None:
    first = alert()
    await stored.save_alerts([first, newest := acknowledged(first, "U0ANA", "Ana Pop", NOON)])
    assert await stored.open_alerts() == (newest,)


async def test_a_resolved_alert_may_be_raised_again(stored: AlertLedger, alert: Raise) -> None:
    over = resolved(alert(), Resolution.CONDITION_OVER, NOON)
    await stored.save_alerts([over])
    await stored.save_alerts([again := raised(over, NOON + timedelta(minutes=1))])
    assert await stored.open_alerts() == (again,)


async def test_an_alert_may_move_to_a_digest(stored: AlertLedger, alert: Raise) -> None:
    alone = alert()
    await stored.save_alerts([alone])
    moved = alone.model_copy(update={"digest": "d1"})
    await stored.save_alerts([moved, over := resolved(alert(digest="d1"), Resolution.CALL_OVER, NOON)])
    assert await stored.open_alerts() == (moved, over)


# ── one alert for one rule and one call ──


async def test_of_a_piece_with_a_second_alert_of_one_call_nothing_is_written(stored: AlertLedger, alert: Raise) -> None:
    first = alert(**of_call("call1"))
    await stored.save_alerts([first])
    with pytest.raises(LedgerUnavailable):
        await stored.save_alerts([alert(), acknowledged(first, "U0ANA", "Ana Pop", NOON), alert(**of_call("call1"))])
    assert await stored.open_alerts() == (first,)


async def test_of_another_rule_call_or_person_it_is_another_alert(stored: AlertLedger, alert: Raise) -> None:
    others: tuple[dict[str, Any], ...] = (
        {"rule": "ringing C0ALERTS another"},
        of_call("call2"),
        of_call("call1", "2026-03-02T12:00:00Z"),  # the PBX uses ids again
        of_call("call1", "2026-03-02T12:00:00.001Z"),
        {"asked_by": "U0BOB"},
    )
    each = tuple(alert(**(of_call("call1") | other)) for other in ({}, *others))
    await stored.save_alerts(each)
    assert await stored.open_alerts() == each


async def test_rules_of_names_that_a_database_finds_hard_to_tell_apart_are_two(
    stored: AlertLedger, alert: Raise
) -> None:
    pairs = (f"{LONG}1", f"{LONG}2"), ("a\x00", "a\ufffd"), ("b\ud83d", "b\ud83e"), ("Ringing", "ringing"), ("c", "c ")
    for pair in pairs:
        one, other = (alert(**of_call("call1")).model_copy(update={"rule": rule}) for rule in pair)
        await stored.save_alerts([one, other])
        assert [found.id for found in await stored.alerts_of([other.key])] == [other.id]


async def test_an_alert_is_found_by_the_key_that_it_has_now(stored: AlertLedger, alert: Raise) -> None:
    before = alert(**of_call("call1"))
    await stored.save_alerts([before])
    now = before.model_copy(update=of_call("call1", "2026-03-02T12:00:00Z"))
    await stored.save_alerts([now])
    assert (await stored.alerts_of([before.key]), await stored.alerts_of([now.key])) == ((), (now,))


async def test_alerts_are_found_by_their_keys_open_or_not(stored: AlertLedger, alert: Raise) -> None:
    still_open, over, other = alert(), resolved(alert(), Resolution.CALL_OVER, NOON), alert()
    await stored.save_alerts([still_open, over, other])
    keys = (still_open.key, over.key, "never raised")
    assert await stored.alerts_of(keys) == (still_open, over)


async def test_more_keys_than_a_database_takes_in_one_question_are_no_failure(
    stored: AlertLedger, alert: Raise
) -> None:
    first, last = alert(), alert()
    await stored.save_alerts([first, last])
    keys = [first.key, *(f"never raised {number}" for number in range(40_000)), last.key]
    assert set(await stored.alerts_of(keys)) == {first, last}


async def test_a_key_that_is_asked_for_twice_is_answered_once(stored: AlertLedger, alert: Raise) -> None:
    one = alert()
    await stored.save_alerts([one])
    assert await stored.alerts_of([one.key] * 1000) == (one,)


async def test_nothing_to_save_and_nothing_to_find_is_no_failure(stored: AlertLedger) -> None:
    await stored.save_alerts([])
    assert await stored.alerts_of(()) == ()


# ── a flood ──


async def test_a_flood_is_written_whole(stored: AlertLedger, alert: Raise) -> None:
    flood = tuple(alert() for _ in range(2 * WRITTEN_TOGETHER + 1))
    await stored.save_alerts(flood)
    assert await stored.open_alerts() == flood


async def test_new_requests_are_written_down_between_the_pieces_of_a_flood(
    ledger: Ledger, alert: Raise, asked: Asked, saved_alerts: Count
) -> None:
    """A request is written down as soon as it is acknowledged, or it would be lost in a kill."""
    flood = [alert() for _ in range(10 * WRITTEN_TOGETHER)]
    saving = asyncio.create_task(ledger.alerts.save_alerts(flood))
    seen = set()
    while not saving.done():
        await ledger.begin(asked())
        seen.add(await saved_alerts())
    await saving
    assert seen - {0, len(flood)}


async def test_what_is_saved_during_a_flood_is_not_overwritten_by_its_later_pieces(
    ledger: Ledger, alert: Raise
) -> None:
    flood = [alert() for _ in range(3 * WRITTEN_TOGETHER)]
    newest = acknowledged(flood[-1], "U0ANA", "Ana Pop", NOON)
    await asyncio.gather(ledger.alerts.save_alerts(flood), ledger.alerts.save_alerts([newest]))
    assert await ledger.alerts.alert(newest.id) == newest


async def test_a_flood_is_written_to_its_end_although_nobody_waits_for_it(stored: AlertLedger, alert: Raise) -> None:
    flood = tuple(alert() for _ in range(3 * WRITTEN_TOGETHER))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await stored.save_alerts(flood)
    await stored.save_alerts([last := alert()])
    assert await stored.open_alerts() == (*flood, last)


# ── failures ──

QUESTIONS: tuple[Callable[[AlertLedger, Alert], Awaitable[object]], ...] = (
    lambda stored, one: stored.save_alerts([one]),
    lambda stored, one: stored.alerts_of([one.key]),
    lambda stored, one: stored.alert(one.id),
    lambda stored, _: stored.open_alerts(),
    lambda stored, _: stored.resolved_unshown(),
)


async def test_a_ledger_without_its_table_is_unavailable_and_so_is_a_closed_one(
    ledger: Ledger, alert: Raise, execute: Execute
) -> None:
    await execute("ALTER TABLE alerts RENAME TO gone")
    try:
        for question in QUESTIONS:
            with pytest.raises(LedgerUnavailable):
                await question(ledger.alerts, alert())
    finally:
        await execute("ALTER TABLE gone RENAME TO alerts")
    await ledger.close()
    for question in QUESTIONS:
        with pytest.raises(LedgerUnavailable):
            await question(ledger.alerts, alert())


async def test_the_states_of_an_alert_are_open_until_it_is_resolved(stored: AlertLedger, alert: Raise) -> None:
    plain = alert()
    one_each = {
        AlertState.RAISED: plain,
        AlertState.SNOOZED: snoozed(alert(), "Ana Pop", NOON),
        AlertState.RESOLVED: resolved(alert(), Resolution.CALL_OVER, NOON),
    }
    await stored.save_alerts(tuple(one_each.values()))
    assert [one.state for one in await stored.open_alerts()] == [AlertState.RAISED, AlertState.SNOOZED]


async def test_an_alert_whose_call_tells_late_when_it_entered_is_saved_beside_the_one_that_is_known_by_that(
    stored: AlertLedger, alert: Raise
) -> None:
    dated = of_call("c1", "2026-03-02T12:00:00Z")
    undated = alert(**of_call("c1"))
    await stored.save_alerts([resolved(alert(**dated), Resolution.CALL_OVER, NOON)])
    await stored.save_alerts([undated])
    late = still_firing(undated, dated["call"], PhoneCallView(id="01", extension="0003*210"), NOON, NOON)
    await stored.save_alerts([late])
    assert await stored.alerts_of([undated.key]) == (late,)


# ── that no alert can come ──


@pytest.fixture
def blind() -> BlindCard:
    return BlindCard(id="b1", place="C0ALERTS", since=NOON, whole=True)


async def test_a_channel_that_is_blind_is_so_until_that_is_done(ledger: Ledger, blind: BlindCard) -> None:
    over = blind.model_copy(update={"ended": NOON + timedelta(minutes=8)})
    for card in (blind, over):
        await ledger.alerts.save_blind(card)
        assert await ledger.alerts.blind() == (card,)
    await ledger.alerts.save_blind(over, done=True)
    assert await ledger.alerts.blind() == ()


async def test_a_channel_that_is_blind_is_no_alert(ledger: Ledger, blind: BlindCard) -> None:
    await ledger.alerts.save_blind(blind)
    assert await ledger.alerts.open_alerts() == ()
    assert await ledger.alerts.alert(blind.id) is None
    assert await ledger.alerts.resolved_unshown() == ()
    assert await ledger.alerts.blind() == (blind,)
