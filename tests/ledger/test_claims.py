"""claim, save: the guard against doing one thing twice."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import asyncpg
import pytest

from bot.domain.commands import Request
from bot.domain.errors import AlreadyAsked
from bot.domain.intervention import Intervention, State
from bot.interventions.outcomes import Outcome
from bot.ledger.audit_log import AuditEntry
from bot.ledger.ledger import Ledger, LedgerUnavailable
from tests.ledger.conftest import OtherProcess

Asked = Callable[..., Request]
Entries = Callable[..., Awaitable[list[AuditEntry]]]
Wanted = Callable[..., Intervention]
Start = Callable[..., OtherProcess]


async def send(ledger: Ledger, request: Request, intervention: Intervention) -> Intervention:
    await ledger.begin(request)
    await ledger.claim(request.id, intervention, rule="supervisor")
    return intervention


def became(intervention: Intervention, state: State, *, following: bool = True) -> Intervention:
    return intervention.model_copy(update={"state": state, "following": following})


async def test_the_audit_log_names_the_call_that_was_acted_on(
    ledger: Ledger, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    await send(ledger, asked(), wanted())
    (entry,) = await entries()
    assert (entry.extension, entry.call_id) == ("0003*210", "call1")


async def test_the_second_person_is_told_who_picks_the_call_up(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    await send(ledger, asked(), wanted("PickUp", slack_user="U0ANA"))
    with pytest.raises(AlreadyAsked) as refused:
        await send(ledger, asked(), wanted("PickUp", slack_user="U0DAN"))
    assert refused.value.who == "U0ANA"


async def test_a_refused_claim_leaves_no_intervention_and_its_request_undecided(
    ledger: Ledger, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    first = await send(ledger, asked(), wanted())
    with pytest.raises(AlreadyAsked):
        await send(ledger, asked(), wanted())
    assert await ledger.of_card("card1") == (first,)
    assert [entry.outcome for entry in await entries()] == [Outcome.SENT, Outcome.RECEIVED]


async def test_two_people_may_monitor_one_call(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    await send(ledger, asked(), wanted(slack_user="U0ANA"))
    await send(ledger, asked(), wanted(slack_user="U0DAN"))
    assert len(await ledger.tracked()) == 2


async def test_nothing_is_written_for_a_request_that_was_never_begun(ledger: Ledger, wanted: Wanted) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.claim("nobody's", wanted(), rule="supervisor")
    assert await ledger.tracked() == ()


async def test_one_request_sends_one_thing(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    await send(ledger, asked(id="r"), wanted("Monitor"))
    with pytest.raises(LedgerUnavailable):
        await ledger.claim("r", wanted("BargeIn"), rule="supervisor")
    assert [one.name for one in await ledger.tracked()] == ["Monitor"]


async def test_one_intervention_cannot_be_claimed_twice(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    done = became(await send(ledger, asked(), wanted()), State.NOT_ANSWERED)
    await ledger.save(done)
    with pytest.raises(LedgerUnavailable):
        await send(ledger, asked(), done)


@pytest.mark.parametrize("state", [State.NOT_ANSWERED, State.REFUSED, State.ENDED])
async def test_when_it_is_over_it_may_be_asked_again(
    ledger: Ledger, asked: Asked, wanted: Wanted, state: State
) -> None:
    first = await send(ledger, asked(), wanted())
    await ledger.save(became(first, state, following=state is State.NOT_ANSWERED))
    again = await send(ledger, asked(), wanted())
    assert again in await ledger.tracked()


@pytest.mark.parametrize("state", [State.RINGING, State.CONNECTED, State.UNKNOWN])
async def test_while_it_is_open_it_may_not_be_asked_again(
    ledger: Ledger, asked: Asked, wanted: Wanted, state: State
) -> None:
    first = await send(ledger, asked(), wanted())
    await ledger.save(became(first, state))
    with pytest.raises(AlreadyAsked):
        await send(ledger, asked(), wanted())


async def test_a_phone_answered_late_is_written_down_though_a_newer_request_has_its_claim(
    ledger: Ledger, asked: Asked, wanted: Wanted
) -> None:
    late = await send(ledger, asked(), wanted())
    await ledger.save(became(late, State.NOT_ANSWERED))
    newer = await send(ledger, asked(), wanted())
    await ledger.save(became(late, State.CONNECTED))
    assert await ledger.tracked() == (became(late, State.CONNECTED), newer)


async def test_a_phone_answered_late_takes_its_claim_back_where_it_is_free(
    ledger: Ledger, asked: Asked, wanted: Wanted
) -> None:
    late = await send(ledger, asked(), wanted())
    await ledger.save(became(late, State.NOT_ANSWERED))
    await ledger.save(became(late, State.CONNECTED))
    with pytest.raises(AlreadyAsked):
        await send(ledger, asked(), wanted())


async def test_the_newer_request_keeps_the_claim_that_a_late_phone_would_have(
    ledger: Ledger, asked: Asked, wanted: Wanted
) -> None:
    late = await send(ledger, asked(), wanted(id="late"))
    await ledger.save(became(late, State.NOT_ANSWERED))
    await send(ledger, asked(), wanted(id="newer"))
    await ledger.save(became(late, State.CONNECTED))
    await ledger.save(became(late, State.ENDED, following=False))
    with pytest.raises(AlreadyAsked):
        await send(ledger, asked(), wanted())


async def test_saving_twice_is_saving_once(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    ringing = became(await send(ledger, asked(), wanted()), State.RINGING)
    await ledger.save(ringing)
    await ledger.save(ringing)
    assert await ledger.of_card("card1") == (ringing,)


async def test_what_was_never_claimed_cannot_be_saved(ledger: Ledger, wanted: Wanted) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.save(wanted())


async def outcomes(claims: Iterable[asyncio.Future[None]]) -> list[str]:
    results = await asyncio.gather(*claims, return_exceptions=True)
    return sorted("won" if result is None else type(result).__name__ for result in results)


async def test_of_many_claims_at_once_exactly_one_wins(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    requests = [asked() for _ in range(40)]
    for request in requests:
        await ledger.begin(request)
    claims = [
        asyncio.ensure_future(ledger.claim(request.id, wanted("PickUp", slack_user=f"U{n}"), rule="supervisor"))
        for n, request in enumerate(requests)
    ]
    assert await outcomes(claims) == ["AlreadyAsked"] * 39 + ["won"]


async def test_of_many_repeats_at_once_exactly_one_begins(ledger: Ledger, asked: Asked) -> None:
    repeats = [asked(trigger="same") for _ in range(40)]
    assert sum(await asyncio.gather(*(ledger.begin(request) for request in repeats))) == 1


async def test_claims_on_different_calls_all_win_at_once(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    await asyncio.gather(*(send(ledger, asked(), wanted(call_id=f"call{n}")) for n in range(40)))
    assert len(await ledger.tracked()) == 40


async def test_a_claim_that_is_cancelled_leaves_a_ledger_that_works(
    ledger: Ledger, asked: Asked, wanted: Wanted
) -> None:
    for n in range(20):
        request = asked()
        await ledger.begin(request)
        task = asyncio.ensure_future(ledger.claim(request.id, wanted(call_id=f"call{n}"), rule="supervisor"))
        for _ in range(n):
            await asyncio.wait({task}, timeout=0)
        task.cancel()
        await asyncio.wait({task}, timeout=10)
    assert await send(ledger, asked(), wanted(call_id="another")) in await ledger.tracked()


async def prepared(address: str, clock: Callable[[], datetime], requests: Iterable[Request]) -> None:
    ledger = await Ledger.open(address, now=clock)
    for request in requests:
        await ledger.begin(request)
    await ledger.close()


async def test_of_claims_from_several_processes_exactly_one_wins(
    address: str, clock: Callable[[], datetime], asked: Asked, wanted: Wanted, another_process: Start
) -> None:
    requests = [asked(slack_user=f"U{n}") for n in range(4)]
    await prepared(address, clock, requests)
    claims = [wanted("PickUp", slack_user=request.slack_user).model_dump_json() for request in requests]
    processes = [
        another_process("claim", address, request.id, claim) for request, claim in zip(requests, claims, strict=True)
    ]
    assert [process.said() for process in processes] == ["ready"] * 4
    for process in processes:
        process.tell()
    said = [process.said() for process in processes]
    winner = requests[said.index("won")].slack_user
    assert sorted(said) == [f"lost to {winner}"] * 3 + ["won"]


async def test_a_claim_outlives_the_process_that_was_killed_after_it(
    address: str, clock: Callable[[], datetime], asked: Asked, wanted: Wanted, another_process: Start
) -> None:
    intervention, request = wanted(), asked()
    await prepared(address, clock, [request])
    process = another_process("claim", address, request.id, intervention.model_dump_json())
    process.tell()
    assert [process.said(), process.said()] == ["ready", "won"]
    process.kill()
    ledger = await Ledger.open(address, now=clock)
    try:
        assert await ledger.tracked() == (intervention,)
    finally:
        await ledger.close()


async def test_a_claim_that_another_session_has_not_committed_yet_is_left_to_it(
    own_postgresql_address: str, clock: Callable[[], datetime], asked: Asked, wanted: Wanted
) -> None:
    """On PostgreSQL, whose sessions see of each other what is committed: the late phone's state is written without it."""
    ledger = await Ledger.open(own_postgresql_address, now=clock)
    late = await send(ledger, asked(), wanted(id="late"))
    await ledger.save(became(late, State.NOT_ANSWERED))
    server = await asyncpg.connect(own_postgresql_address)
    columns = (
        "card, slack_user, call_id, extension, action, state, following, asked_at, updated_at, stepped_at, document"
    )
    newer = f"INSERT INTO interventions (id, claim, {columns}) SELECT 'newer', $1, {columns} FROM interventions"
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    connected = became(late, State.CONNECTED)
    try:
        async with server.transaction():
            await server.execute(newer, connected.claim_key)
            saving = asyncio.ensure_future(ledger.save(connected))
            async with asyncio.timeout(10):
                while not await server.fetchval(blocked):
                    await asyncio.wait({saving}, timeout=0.01)
        await saving
        rows = await server.fetch("SELECT id, claim, state FROM interventions ORDER BY id")
    finally:
        await server.close()
        await ledger.close()
    assert [tuple(row) for row in rows] == [("late", None, "connected"), ("newer", connected.claim_key, "not_answered")]


# ── what was claimed and never sent ──


async def test_what_is_withdrawn_is_tracked_no_more_and_on_no_card(
    ledger: Ledger, asked: Asked, wanted: Wanted
) -> None:
    await send(ledger, asked(id="r"), wanted())
    await ledger.withdraw("r", rule="protected party", allowed=False)
    assert (await ledger.tracked(), await ledger.of_card("card1"), await ledger.ended_unshown()) == ((), (), ())


async def test_what_is_withdrawn_may_be_claimed_by_the_next_one(ledger: Ledger, asked: Asked, wanted: Wanted) -> None:
    await send(ledger, asked(id="r"), wanted("PickUp", slack_user="U0ANA"))
    await ledger.withdraw("r", rule="protected party", allowed=False)
    next_one = await send(ledger, asked(), wanted("PickUp", slack_user="U0DAN"))
    assert await ledger.tracked() == (next_one,)


async def test_what_is_withdrawn_is_a_refusal_in_the_audit_log(
    ledger: Ledger, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    await send(ledger, asked(id="r"), wanted())
    await ledger.withdraw("r", rule="protected party", allowed=False, extension="0003*210", call_id="call1")
    (entry,) = await entries()
    assert (entry.outcome, entry.rule, entry.allowed, entry.state, entry.call_id) == (
        *(Outcome.REFUSED, "protected party", False, None),
        "call1",
    )


async def test_a_request_without_a_claim_can_be_withdrawn(ledger: Ledger, entries: Entries, asked: Asked) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.withdraw("r", rule="failed", allowed=None)
    assert [entry.outcome for entry in await entries()] == [Outcome.REFUSED]


async def test_a_request_that_was_never_begun_cannot_be_withdrawn(ledger: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.withdraw("nobody's", rule="failed", allowed=None)
