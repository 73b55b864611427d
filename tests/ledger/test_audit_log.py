"""begin, conclude, interrupted, and what the audit log says of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.domain.commands import Request
from bot.domain.intervention import Intervention, State
from bot.interventions.outcomes import Outcome
from bot.ledger.audit_log import AuditEntry
from bot.ledger.ledger import Ledger, LedgerUnavailable

Asked = Callable[..., Request]
Entries = Callable[..., Awaitable[list[AuditEntry]]]
Wanted = Callable[..., Intervention]


async def test_a_new_request_is_written_down(ledger: Ledger, asked: Asked) -> None:
    assert await ledger.begin(asked())


async def test_a_repeat_of_slack_is_known_by_its_trigger(ledger: Ledger, asked: Asked) -> None:
    await ledger.begin(asked(trigger="1.2.abc"))
    assert not await ledger.begin(asked(trigger="1.2.abc"))


async def test_a_repeat_leaves_the_first_request_as_it_is(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    await ledger.begin(asked(trigger="t", said="/monitor 210"))
    await ledger.begin(asked(trigger="t", said="/barge 210"))
    assert [entry.said for entry in await entries()] == ["/monitor 210"]


async def test_an_id_that_is_taken_is_no_repeat(ledger: Ledger, asked: Asked) -> None:
    await ledger.begin(asked(id="r"))
    with pytest.raises(LedgerUnavailable):
        await ledger.begin(asked(id="r"))


async def test_a_request_begins_undecided(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    await ledger.begin(asked())
    (entry,) = await entries()
    assert (entry.outcome, entry.allowed, entry.state) == (Outcome.RECEIVED, None, None)


async def test_the_audit_log_says_what_came_of_a_request_that_sent_nothing(
    ledger: Ledger, entries: Entries, asked: Asked
) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.conclude(
        "r", Outcome.REFUSED, rule="no role allows it", allowed=False, extension="0003*210", call_id="call1"
    )
    (entry,) = await entries()
    assert entry.model_dump(include={"outcome", "rule", "allowed", "extension", "call_id"}) == {
        "outcome": Outcome.REFUSED,
        "rule": "no role allows it",
        "allowed": False,
        "extension": "0003*210",
        "call_id": "call1",
    }


async def test_what_was_sent_stays_sent_whatever_fails_later(
    ledger: Ledger, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.claim("r", wanted(), rule="supervisor")
    await ledger.conclude("r", Outcome.REFUSED, rule="pbx", allowed=False)
    assert [entry.outcome for entry in await entries()] == [Outcome.SENT]


async def test_a_request_that_was_never_begun_cannot_be_concluded(ledger: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.conclude("nobody's", Outcome.ANSWERED, rule="help", allowed=True)


async def test_a_request_that_a_crash_cut_off_comes_back_as_it_was(ledger: Ledger, asked: Asked) -> None:
    request = asked(external=True)
    await ledger.begin(request)
    assert await ledger.interrupted() == (request,)


async def test_a_request_that_a_crash_cut_off_comes_back_once(ledger: Ledger, asked: Asked) -> None:
    await ledger.begin(asked())
    await ledger.interrupted()
    assert await ledger.interrupted() == ()


async def test_the_audit_log_says_that_a_request_was_interrupted(
    ledger: Ledger, entries: Entries, asked: Asked
) -> None:
    await ledger.begin(asked())
    await ledger.interrupted()
    assert [entry.outcome for entry in await entries()] == [Outcome.INTERRUPTED]


async def test_requests_with_an_outcome_were_not_interrupted(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    await ledger.begin(asked(id="concluded"))
    await ledger.conclude("concluded", Outcome.ANSWERED, rule="help", allowed=True)
    await ledger.begin(asked(id="sent"))
    await ledger.claim("sent", wanted(), rule="supervisor")
    assert await ledger.interrupted() == ()


async def test_interrupted_requests_come_oldest_first(
    ledger: Ledger, asked: Asked, clock: Callable[[], datetime]
) -> None:
    newer, older = asked(at=clock() + timedelta(seconds=1)), asked(at=clock())
    await ledger.begin(newer)
    await ledger.begin(older)
    assert await ledger.interrupted() == (older, newer)


async def test_the_audit_log_shows_the_state_of_what_was_sent(
    ledger: Ledger, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    intervention = wanted()
    await ledger.begin(asked(id="r"))
    await ledger.claim("r", intervention, rule="supervisor")
    await ledger.save(intervention.model_copy(update={"state": State.CONNECTED}))
    (entry,) = await entries()
    assert (entry.outcome, entry.allowed, entry.rule, entry.state) == (
        Outcome.SENT,
        True,
        "supervisor",
        State.CONNECTED,
    )


async def test_the_audit_log_comes_newest_last(
    ledger: Ledger, entries: Entries, asked: Asked, clock: Callable[[], datetime]
) -> None:
    for minutes in (2, 1, 3):
        await ledger.begin(asked(said=f"{minutes}", at=clock() + timedelta(minutes=minutes)))
    assert [entry.said for entry in await entries()] == ["1", "2", "3"]


async def test_the_audit_log_begins_with_the_instant_asked_for(
    ledger: Ledger, entries: Entries, asked: Asked, clock: Callable[[], datetime]
) -> None:
    for seconds in (-1, 0, 1):
        await ledger.begin(asked(said=f"{seconds}", at=clock() + timedelta(seconds=seconds)))
    assert [entry.said for entry in await entries(clock())] == ["0", "1"]


async def test_the_instant_asked_for_may_be_of_any_zone(
    ledger: Ledger, entries: Entries, asked: Asked, clock: Callable[[], datetime]
) -> None:
    await ledger.begin(asked(at=clock()))
    bucharest = timezone(timedelta(hours=2))
    assert len(await entries(clock().astimezone(bucharest))) == 1


async def test_the_audit_log_of_one_person_has_nobody_elses_requests(
    ledger: Ledger, entries: Entries, asked: Asked
) -> None:
    await ledger.begin(asked(slack_user="U0ANA"))
    await ledger.begin(asked(slack_user="U0BOB"))
    assert [entry.slack_user for entry in await entries(user="U0BOB")] == ["U0BOB"]


async def test_a_time_of_another_zone_comes_back_in_utc(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    local = datetime(2026, 3, 2, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    await ledger.begin(asked(at=local))
    (entry,) = await entries()
    assert (entry.at, entry.at.tzinfo) == (local, UTC)


async def test_a_time_without_a_zone_is_refused(ledger: Ledger, asked: Asked) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.begin(asked(at=datetime(2026, 3, 2, 12, 0)))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("/monitor 210\x00'; DROP TABLE requests; --", "/monitor 210\ufffd'; DROP TABLE requests; --"),
        ("half of a pair: \ud83d!", "half of a pair: \ufffd!"),
        ("🎧 مرحبا \u202e %s %(x)s :name {}", "🎧 مرحبا \u202e %s %(x)s :name {}"),
        ("x" * 3000, "x" * 3000),
        ("", ""),
    ],
    ids=["nul", "surrogate", "emoji", "long", "empty"],
)
async def test_whatever_is_typed_can_be_kept(
    ledger: Ledger, entries: Entries, asked: Asked, said: str, kept: str
) -> None:
    await ledger.begin(asked(said=said))
    assert [entry.said for entry in await entries()] == [kept]


async def test_a_trigger_that_cannot_be_stored_as_it_is_still_shows_a_repeat(ledger: Ledger, asked: Asked) -> None:
    await ledger.begin(asked(trigger="a\x00\ud800"))
    assert not await ledger.begin(asked(trigger="a\x00\ud800"))


async def test_many_requests_are_concluded_at_once(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    requests = [asked() for _ in range(40)]
    await asyncio.gather(*(ledger.begin(request) for request in requests))
    await asyncio.gather(
        *(ledger.conclude(request.id, Outcome.ANSWERED, rule="help", allowed=True) for request in requests)
    )
    assert {entry.outcome for entry in await entries()} == {Outcome.ANSWERED}
