"""open_alerts, resolved_unshown: what is read after a restart, and what cannot be read any more."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from pydantic import TypeAdapter
from structlog.testing import capture_logs

from bot.alerts.alert import Alert, Resolution, raised, resolved
from bot.domain.calls import PhoneCall
from bot.ledger.alerts import WRITTEN_TOGETHER
from bot.ledger.ledger import Ledger
from tests.ledger.conftest import OtherProcess

Raise = Callable[..., Alert]
Count = Callable[[], Awaitable[int]]
Execute = Callable[..., Awaitable[Any]]
Start = Callable[..., OtherProcess]
SECOND = timedelta(seconds=1)
NOTHING_READABLE = '{"id": "a00001", "caller": "+15550142"}'


class Clock(Protocol):
    def __call__(self) -> datetime: ...
    def move(self, by: timedelta) -> None: ...


def as_line(alerts: list[Alert]) -> str:
    return TypeAdapter(list[Alert]).dump_json(alerts).decode()


# ── what is open ──


async def test_what_is_open_comes_the_first_raised_first(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    newer, older = alert(raised_at=clock() + 2 * SECOND), alert(raised_at=clock() + SECOND)
    await ledger.alerts.save_alerts([newer, older])
    assert await ledger.alerts.open_alerts() == (older, newer)


async def test_what_was_raised_again_counts_from_then(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    first, second = alert(), alert()
    await ledger.alerts.save_alerts([first, second])
    again = raised(resolved(first, Resolution.CONDITION_OVER, clock()), clock() + SECOND)
    await ledger.alerts.save_alerts([again])
    assert await ledger.alerts.open_alerts() == (second, again)


async def test_what_is_resolved_is_not_open(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    await ledger.alerts.save_alerts([resolved(alert(), Resolution.CALL_OVER, clock())])
    assert await ledger.alerts.open_alerts() == ()


async def test_a_digest_with_something_open_comes_whole(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    over, still_open = resolved(alert(digest="d1"), Resolution.CALL_OVER, clock()), alert(digest="d1")
    await ledger.alerts.save_alerts([over, still_open])
    assert await ledger.alerts.open_alerts() == (over, still_open)


async def test_a_digest_with_nothing_open_does_not_come(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    over, still_open = resolved(alert(digest="d1"), Resolution.CALL_OVER, clock()), alert(digest="d2")
    await ledger.alerts.save_alerts([over, still_open])
    assert await ledger.alerts.open_alerts() == (still_open,)


async def test_a_restart_finds_what_was_open(address: str, ledger: Ledger, alert: Raise, clock: Clock) -> None:
    await ledger.alerts.save_alerts([one := alert()])
    await ledger.close()
    restarted = await Ledger.open(address, now=clock)
    try:
        assert await restarted.alerts.open_alerts() == (one,)
    finally:
        await restarted.close()


async def test_an_alert_outlives_a_kill_right_after_it_was_saved(
    address: str, ledger: Ledger, alert: Raise, another_process: Start
) -> None:
    process, one = another_process("alerts", address), alert()
    process.tell(as_line([one]))
    assert [process.said(), process.said()] == ["ready", "saved"]
    process.kill()
    assert await ledger.alerts.open_alerts() == (one,)


async def test_a_kill_in_the_middle_of_a_flood_leaves_whole_pieces(
    address: str, ledger: Ledger, alert: Raise, saved_alerts: Count, another_process: Start
) -> None:
    process, flood = another_process("alerts", address), [alert() for _ in range(20 * WRITTEN_TOGETHER)]
    process.tell(as_line(flood))
    assert process.said() == "ready"
    while not await saved_alerts():
        assert process.runs
    process.kill()
    found = await ledger.alerts.open_alerts()
    assert (len(found) % WRITTEN_TOGETHER, found) == (0, tuple(flood[: len(found)]))


# ── what is resolved and not seen in Slack ──


async def shown(ledger: Ledger, card: str, until: datetime) -> None:
    await ledger.save_posted(card, "C0ALERTS", "1700000000.000100", shown="abc", until=until)


async def test_what_is_resolved_and_never_shown_is_unshown(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    over = resolved(alert(), Resolution.CALL_OVER, clock() + SECOND)
    await ledger.alerts.save_alerts([over, alert()])
    assert await ledger.alerts.resolved_unshown() == (over,)


@pytest.mark.parametrize(("seconds", "number"), [(-1, 1), (0, 0), (1, 0)], ids=["before", "as it was", "after"])
async def test_a_card_that_shows_the_state_from_before_is_unshown(
    ledger: Ledger, alert: Raise, clock: Clock, seconds: float, number: int
) -> None:
    fresh = alert()
    await ledger.alerts.save_alerts([fresh])
    over = resolved(fresh, Resolution.CALL_OVER, clock() + 10 * SECOND)
    await ledger.alerts.save_alerts([over])
    await shown(ledger, over.card, over.steps[-1].at + seconds * SECOND)
    assert len(await ledger.alerts.resolved_unshown()) == number


async def test_what_is_resolved_after_the_wall_clock_was_set_back_is_unshown(
    address: str, ledger: Ledger, alert: Raise, clock: Clock
) -> None:
    before, fresh = resolved(alert(), Resolution.CALL_OVER, clock()), alert()
    await ledger.alerts.save_alerts([before, fresh])
    await shown(ledger, before.card, clock() + SECOND)
    await shown(ledger, fresh.card, fresh.steps[-1].at)
    await ledger.close()
    clock.move(-timedelta(days=3))
    restarted = await Ledger.open(address, now=clock)
    await restarted.alerts.save_alerts([over := resolved(fresh, Resolution.CALL_OVER, clock() + SECOND)])
    unshown = await restarted.alerts.resolved_unshown()
    await restarted.close()
    assert unshown == (over,)


async def test_a_card_that_was_posted_anew_is_unshown_until_it_is_known_what_it_shows(
    ledger: Ledger, alert: Raise, clock: Clock
) -> None:
    over = resolved(alert(), Resolution.CALL_OVER, clock())
    await ledger.alerts.save_alerts([over])
    await shown(ledger, over.card, clock() + SECOND)
    await ledger.save_posted(over.card, "C0ALERTS", "1700000001.000200")
    assert await ledger.alerts.resolved_unshown() == (over,)


async def test_a_digest_that_does_not_show_a_resolved_one_comes_whole(
    ledger: Ledger, alert: Raise, clock: Clock
) -> None:
    older = resolved(alert(digest="d1"), Resolution.CALL_OVER, clock() + SECOND)
    newer = resolved(alert(digest="d1"), Resolution.CALL_OVER, clock() + 3 * SECOND)
    still_open = alert(digest="d1")
    await ledger.alerts.save_alerts([still_open, newer, older, alert()])
    await shown(ledger, "d1", clock() + 2 * SECOND)
    assert await ledger.alerts.resolved_unshown() == (older, newer, still_open)


@pytest.mark.parametrize("last_word_is_open", [True, False])
async def test_what_was_resolved_unshown_is_known_for_a_day_before_the_last_word_of_the_ledger(
    ledger: Ledger, alert: Raise, clock: Clock, *, last_word_is_open: bool
) -> None:
    await ledger.alerts.save_alerts([over := resolved(alert(), Resolution.CALL_OVER, clock())])
    for later, found in ((timedelta(days=1), (over,)), (SECOND, ())):
        clock.move(later)
        last = alert() if last_word_is_open else resolved(alert(), Resolution.CALL_OVER, clock())
        await ledger.alerts.save_alerts([last])
        await shown(ledger, last.card, clock())
        assert await ledger.alerts.resolved_unshown() == found


async def test_what_was_raised_long_ago_and_resolved_now_is_unshown(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    await ledger.alerts.save_alerts([long_open := alert()])
    clock.move(timedelta(days=9))
    over = resolved(long_open, Resolution.CALL_OVER, clock())
    await ledger.alerts.save_alerts([over, alert()])
    assert await ledger.alerts.resolved_unshown() == (over,)


async def test_of_a_day_that_nobody_was_there_nothing_is_forgotten(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    await ledger.alerts.save_alerts([over := resolved(alert(), Resolution.CALL_OVER, clock())])
    clock.move(timedelta(days=9))
    assert await ledger.alerts.resolved_unshown() == (over,)


async def test_of_very_many_cards_the_newest_are_unshown_and_the_others_are_counted(
    ledger: Ledger, alert: Raise, clock: Clock
) -> None:
    await ledger.alerts.save_alerts([resolved(alert(), Resolution.CALL_OVER, clock()) for _ in range(3)])
    clock.move(SECOND)
    newest = tuple(resolved(alert(), Resolution.CALL_OVER, clock()) for _ in range(500))
    with capture_logs() as logs:
        await ledger.alerts.save_alerts(newest[3:])
        assert len(await ledger.alerts.resolved_unshown()) == 500
        await ledger.alerts.save_alerts(newest[:3])
        assert await ledger.alerts.resolved_unshown() == newest
    assert logs == [{"event": "alert_cards_left_unshown", "number": 3, "log_level": "warning"}]


async def test_a_digest_of_very_many_is_one_card(ledger: Ledger, alert: Raise, clock: Clock) -> None:
    alone = resolved(alert(), Resolution.CALL_OVER, clock())
    await ledger.alerts.save_alerts([alone])
    clock.move(SECOND)
    digest = tuple(resolved(alert(digest="d1"), Resolution.CALL_OVER, clock()) for _ in range(501))
    await ledger.alerts.save_alerts(digest)
    assert await ledger.alerts.resolved_unshown() == (alone, *digest)


# ── what cannot be read any more ──

READS: tuple[Callable[[Ledger, Alert], Awaitable[object]], ...] = (
    lambda ledger, one: ledger.alerts.alerts_of([one.key]),
    lambda ledger, one: ledger.alerts.alert(one.id),
    lambda ledger, _: ledger.alerts.open_alerts(),
)


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(
    ledger: Ledger, alert: Raise, execute: Execute
) -> None:
    damaged, sound = alert(), alert()
    await ledger.alerts.save_alerts([damaged, sound])
    await execute("UPDATE alerts SET document = '{' WHERE id = :id", id=damaged.id)
    assert await ledger.alerts.open_alerts() == (sound,)


async def test_the_alert_of_a_row_that_cannot_be_read_is_not_open_and_can_be_raised_anew(
    ledger: Ledger, alert: Raise, execute: Execute
) -> None:
    for number, read in enumerate(READS, 1):
        call = PhoneCall.model_validate({"id": f"call{number}"})
        await ledger.alerts.save_alerts([one := alert(call=call)])
        await execute("UPDATE alerts SET document = '{' WHERE id = :id", id=one.id)
        await read(ledger, one)
        assert await execute("SELECT count(*) FROM alerts WHERE open") == number - 1
        await ledger.alerts.save_alerts([anew := alert(call=call)])
        assert await ledger.alerts.alerts_of([one.key]) == (anew,)


async def test_a_row_that_was_given_up_stays_so_although_its_document_can_be_read_again(
    ledger: Ledger, alert: Raise, execute: Execute
) -> None:
    await ledger.alerts.save_alerts([one := alert()])
    document = await execute("SELECT document FROM alerts")
    await execute("UPDATE alerts SET document = '{'")
    await ledger.alerts.open_alerts()
    await execute("UPDATE alerts SET document = :document", document=document)
    assert (await ledger.alerts.alert(one.id), await ledger.alerts.resolved_unshown()) == (None, ())


async def test_a_digest_that_shows_all_that_can_be_read_is_not_unshown(
    ledger: Ledger, alert: Raise, execute: Execute, clock: Clock
) -> None:
    over = resolved(alert(digest="d1"), Resolution.CALL_OVER, clock() + SECOND)
    damaged = resolved(alert(digest="d1"), Resolution.CALL_OVER, clock() + 2 * SECOND)
    await ledger.alerts.save_alerts([over, damaged])
    await shown(ledger, "d1", over.steps[-1].at)
    await execute("UPDATE alerts SET document = '{' WHERE id = :id", id=damaged.id)
    await ledger.alerts.alert(damaged.id)
    assert await ledger.alerts.resolved_unshown() == ()


async def test_a_row_that_cannot_be_read_is_logged_once_by_its_id_alone(
    ledger: Ledger, alert: Raise, execute: Execute
) -> None:
    await ledger.alerts.save_alerts([one := alert()])
    await execute("UPDATE alerts SET document = :document", document=NOTHING_READABLE)
    with capture_logs() as logs:
        for read in READS:
            await read(ledger, one)
    assert logs == [{"event": "unreadable", "alert": one.id, "log_level": "error"}]


async def test_a_document_with_fields_of_a_newer_version_is_still_read(
    ledger: Ledger, alert: Raise, execute: Execute
) -> None:
    await ledger.alerts.save_alerts([one := alert()])
    document = json.dumps(one.model_dump(mode="json") | {"mood": "fine"})
    await execute("UPDATE alerts SET document = :document", document=document)
    assert await ledger.alerts.open_alerts() == (one,)
