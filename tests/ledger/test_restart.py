"""tracked, of_call, of_card, posted: what is read after a restart, and by the cards."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from structlog.testing import capture_logs

from bot.domain.calls import PhoneCall
from bot.domain.commands import Request
from bot.domain.intervention import Intervention, State, Step, Why
from bot.interventions.card import PostedCard
from bot.ledger.ledger import Ledger

Asked = Callable[..., Request]
Wanted = Callable[..., Intervention]
Send = Callable[..., Awaitable[Intervention]]
Execute = Callable[..., Awaitable[Any]]
NOTHING_READABLE = '{"id": "i1", "caller": "+15550142"}'


class Clock(Protocol):
    def __call__(self) -> datetime: ...
    def move(self, by: timedelta) -> None: ...


@pytest.fixture
def send(ledger: Ledger, asked: Asked, wanted: Wanted) -> Send:
    """Writes an intervention down, as it is before its PUT."""

    async def send(action: str = "Monitor", /, **changes: Any) -> Intervention:
        request, intervention = asked(), wanted(action, **changes)
        await ledger.begin(request)
        await ledger.claim(request.id, intervention, rule="supervisor")
        return intervention

    return send


def ended(intervention: Intervention, at: datetime | None = None) -> Intervention:
    """The intervention after its end; `at` adds the step."""
    steps = intervention.steps if at is None else (*intervention.steps, Step(state=State.ENDED, at=at))
    return intervention.model_copy(update={"state": State.ENDED, "why": Why.LEFT, "following": False, "steps": steps})


async def test_what_is_over_is_not_tracked(ledger: Ledger, send: Send) -> None:
    await ledger.save(ended(await send()))
    assert await ledger.tracked() == ()


async def test_what_is_tracked_comes_oldest_first(ledger: Ledger, send: Send, clock: Clock) -> None:
    newer = await send(call_id="call2", asked_at=clock() + timedelta(seconds=2))
    older = await send(call_id="call1", asked_at=clock() + timedelta(seconds=1))
    assert await ledger.tracked() == (older, newer)


async def test_a_restart_finds_what_was_open(address: str, ledger: Ledger, send: Send, clock: Clock) -> None:
    intervention = await send()
    await ledger.close()
    restarted = await Ledger.open(address, now=clock)
    try:
        assert await restarted.tracked() == (intervention,)
    finally:
        await restarted.close()


async def test_an_intervention_comes_back_whole(ledger: Ledger, send: Send, clock: Clock) -> None:
    call = {
        "id": "call1",
        "ownerName": "Bob",
        "published": "2026-03-02T11:59:00Z",
        "phoneCallView": [
            {
                "id": "01",
                "extension": "0003*210",
                "source": ["0003*024"],
                "status": "5",
                "flow": 8,
                "callerID": "<+15550100>",
            }
        ],
    }
    action = {"action": "Whisper", "phone_call_view_id": "01", "send_call_to": "0003*024", "private": 1}
    sent = await send(
        call=PhoneCall.model_validate(call),
        action=action | {"wait_for_pickup": 20, "caller_id": "Ana <+15550101>"},
    )
    full = sent.model_copy(update={"leg": "01", "unseen": 1, "unread_since": clock(), "code": "x", "advice": "y"})
    await ledger.save(full)
    assert await ledger.of_card("card1") == (full,)


async def test_foreign_text_that_no_database_can_hold_does_not_stop_a_claim(ledger: Ledger, send: Send) -> None:
    await send(agent="a\x00b\ud83d 🎧")
    assert [kept.agent for kept in await ledger.tracked()] == ["a\x00b\ufffd 🎧"]


async def test_of_call_has_what_this_person_asked_of_this_call(ledger: Ledger, send: Send) -> None:
    mine = await send("Monitor")
    await send("Monitor", slack_user="U0DAN")
    await send("Monitor", call_id="call2")
    assert await ledger.of_call("U0ANA", "call1") == (mine,)


async def test_of_call_has_also_what_is_over(ledger: Ledger, send: Send) -> None:
    over = ended(await send())
    await ledger.save(over)
    assert await ledger.of_call("U0ANA", "call1") == (over,)


async def test_of_call_comes_oldest_first(ledger: Ledger, send: Send, clock: Clock) -> None:
    newer = await send("Whisper", asked_at=clock() - timedelta(seconds=1))
    older = await send("Monitor", asked_at=clock() - timedelta(seconds=2))
    assert await ledger.of_call("U0ANA", "call1") == (older, newer)


async def test_of_call_looks_a_day_back_and_no_more(ledger: Ledger, send: Send, clock: Clock) -> None:
    kept = await send(asked_at=clock())
    clock.move(timedelta(days=1))
    assert await ledger.of_call("U0ANA", "call1") == (kept,)
    clock.move(timedelta(seconds=1))
    assert await ledger.of_call("U0ANA", "call1") == ()


async def test_a_card_shows_its_interventions_alone_oldest_first(ledger: Ledger, send: Send) -> None:
    first = await send("Monitor")
    second = await send("Whisper")
    await send("BargeIn", card="card2")
    assert await ledger.of_card("card1") == (first, second)


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(ledger: Ledger, send: Send, execute: Execute) -> None:
    await send(id="damaged", call_id="call1")
    sound = await send(call_id="call2")
    await execute("UPDATE interventions SET document = '{' WHERE id = 'damaged'")
    assert await ledger.tracked() == (sound,)


async def test_a_row_that_cannot_be_read_is_tracked_no_more_and_gives_its_claim_up(
    ledger: Ledger, send: Send, execute: Execute
) -> None:
    await send()
    await execute("UPDATE interventions SET document = '{'")
    await ledger.tracked()
    assert await execute("SELECT count(*) FROM interventions WHERE following") == 0
    again = await send()
    assert await ledger.tracked() == (again,)


async def test_a_row_that_cannot_be_read_is_logged_once_by_its_id_alone(
    ledger: Ledger, send: Send, execute: Execute
) -> None:
    await send(id="damaged")
    await execute("UPDATE interventions SET document = :document", document=NOTHING_READABLE)
    with capture_logs() as logs:
        await ledger.of_card("card1")
        await ledger.tracked()
        await ledger.of_call("U0ANA", "call1")
    assert logs == [{"event": "unreadable", "intervention": "damaged", "log_level": "error"}]


async def test_a_document_with_fields_of_a_newer_version_is_still_read(
    ledger: Ledger, send: Send, execute: Execute
) -> None:
    sent = await send()
    document = json.dumps(sent.model_dump(mode="json") | {"mood": "fine"})
    await execute("UPDATE interventions SET document = :document", document=document)
    assert await ledger.tracked() == (sent,)


async def test_a_card_that_was_posted_anew_is_found_where_it_is_now(ledger: Ledger) -> None:
    await ledger.save_posted("card1", "C0FLOOR", "1700000000.000100")
    await ledger.save_posted("card1", "D0ANA", "1700000001.000200")
    assert (await ledger.posted("card1")).address == ("D0ANA", "1700000001.000200")


# ── a post that may stand although its place is not known ──


async def test_of_a_card_that_was_never_posted_nothing_is_known(ledger: Ledger) -> None:
    assert await ledger.posted("card1") == PostedCard()


async def test_a_pending_post_says_where_and_when(ledger: Ledger, clock: Clock) -> None:
    await ledger.save_pending_post("card1", "C0FLOOR", clock())
    assert (await ledger.posted("card1")).pending == ("C0FLOOR", clock())


async def test_of_two_pending_posts_the_newer_counts(ledger: Ledger, clock: Clock) -> None:
    await ledger.save_pending_post("card1", "C0FLOOR", clock())
    clock.move(timedelta(seconds=1))
    await ledger.save_pending_post("card1", "U0ANA", clock())
    assert (await ledger.posted("card1")).pending == ("U0ANA", clock())


async def test_a_post_whose_place_is_known_is_no_longer_pending(ledger: Ledger, clock: Clock) -> None:
    await ledger.save_pending_post("card1", "C0FLOOR", clock())
    await ledger.save_pending_post("card2", "C0FLOOR", clock())
    await ledger.save_posted("card1", "C0FLOOR", "1700000000.000100")
    assert ((await ledger.posted("card1")).pending, (await ledger.posted("card2")).pending is None) == (None, False)


async def test_a_pending_post_outlives_a_restart(address: str, ledger: Ledger, clock: Clock) -> None:
    await ledger.save_pending_post("card1", "U0ANA", clock())
    await ledger.close()
    restarted = await Ledger.open(address, now=clock)
    try:
        assert (await restarted.posted("card1")).pending == ("U0ANA", clock())
    finally:
        await restarted.close()


# ── what has ended and is not seen in Slack ──


async def shown(ledger: Ledger, card: str, until: datetime) -> None:
    await ledger.save_posted(card, "C0FLOOR", "1700000000.000100", shown="abc", until=until)


async def test_the_cards_of_what_has_ended_and_is_not_shown_come_newest_last(
    ledger: Ledger, send: Send, clock: Clock
) -> None:
    older, newer, _still_open = [await send(call_id=f"call{n}", card=f"card{n}") for n in (1, 2, 3)]
    for one in (older, newer):
        clock.move(timedelta(seconds=1))
        await ledger.save(ended(one, clock()))
    assert await ledger.ended_unshown() == ("card1", "card2")


async def test_a_card_that_shows_the_end_is_not_unshown(ledger: Ledger, send: Send, clock: Clock) -> None:
    over = ended(await send(), clock() + timedelta(seconds=1))
    await ledger.save(over)
    await shown(ledger, "card1", over.steps[-1].at)
    assert await ledger.ended_unshown() == ()


async def test_a_card_that_shows_what_was_before_the_end_is_unshown(ledger: Ledger, send: Send, clock: Clock) -> None:
    sent = await send()
    await ledger.save(ended(sent, clock() + timedelta(seconds=1)))
    await shown(ledger, "card1", sent.steps[-1].at)
    assert await ledger.ended_unshown() == ("card1",)


async def test_an_end_after_the_wall_clock_was_set_back_is_unshown(
    address: str, ledger: Ledger, send: Send, clock: Clock
) -> None:
    before = await send(call_id="call2", card="card2")
    await ledger.save(ended(before, clock()))
    await shown(ledger, "card2", clock() + timedelta(seconds=1))
    sent = await send()
    await shown(ledger, "card1", sent.steps[-1].at)
    await ledger.close()
    clock.move(-timedelta(days=3))
    restarted = await Ledger.open(address, now=clock)
    await restarted.save(ended(sent, clock() + timedelta(seconds=1)))
    unshown = await restarted.ended_unshown()
    await restarted.close()
    assert unshown == ("card1",)


async def test_an_end_is_unshown_where_the_wall_clock_was_set_forward_while_the_ledger_was_awaited(
    address: str, ledger: Ledger, send: Send, clock: Clock
) -> None:
    sent = await send()
    await shown(ledger, "card1", sent.steps[-1].at)
    await ledger.close()
    clock.move(-timedelta(minutes=30))
    hour = timedelta(hours=1)
    restarted = await Ledger.open(address, now=lambda: clock() + hour, stepped=lambda: hour)
    await restarted.save(ended(sent, clock() + timedelta(seconds=1)))
    unshown = await restarted.ended_unshown()
    await restarted.close()
    assert unshown == ("card1",)


async def test_a_card_that_was_posted_anew_is_unshown_until_it_is_known_what_it_shows(
    ledger: Ledger, send: Send, clock: Clock
) -> None:
    await ledger.save(ended(await send(), clock()))
    await shown(ledger, "card1", clock() + timedelta(seconds=1))
    await ledger.save_posted("card1", "D0ANA", "1700000001.000200")
    assert await ledger.ended_unshown() == ("card1",)


@pytest.mark.parametrize(("seconds_later", "found"), [(86_400, ("card1",)), (86_401, ())])
async def test_what_ended_unshown_is_known_for_a_day_before_the_last_word_of_the_ledger(
    ledger: Ledger, send: Send, clock: Clock, seconds_later: float, found: tuple[str, ...]
) -> None:
    await ledger.save(ended(await send(call_id="call1", card="card1"), clock()))
    clock.move(timedelta(seconds=seconds_later))
    await send(call_id="call2", card="card2")
    assert await ledger.ended_unshown() == found


async def test_what_an_older_callbot_has_ended_counts_as_shown(ledger: Ledger, send: Send, execute: Execute) -> None:
    await send()
    await execute("UPDATE interventions SET following = false, stepped_at = NULL")
    assert await ledger.ended_unshown() == ()


async def test_a_card_whose_request_was_not_sent_is_unshown_until_its_end_is_shown(
    ledger: Ledger, asked: Asked, clock: Clock
) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.save_pending_post("r", "C0FLOOR", clock())
    begun = await ledger.waited_unshown()
    await ledger.save_posted("r", "C0FLOOR", "1700000000.000100", shown="abc")
    waiting = await ledger.waited_unshown()
    await ledger.save_posted("r", "C0FLOOR", "1700000000.000100", shown="def", until=clock())
    assert (begun, waiting, await ledger.waited_unshown()) == (("r",), ("r",), ())


async def test_the_card_of_a_request_that_was_sent_is_not_one_that_waited(
    ledger: Ledger, asked: Asked, wanted: Wanted, clock: Clock
) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.save_pending_post("r", "C0FLOOR", clock())
    await ledger.claim("r", wanted(card="r"), rule="supervisor")
    assert await ledger.waited_unshown() == ()


async def test_what_a_posted_card_shows_is_known_until_it_is_posted_anew(ledger: Ledger, clock: Clock) -> None:
    before = (await ledger.posted("card1")).shown
    await ledger.save_posted("card1", "C0FLOOR", "1700000000.000100", shown="abc", until=clock())
    known = (await ledger.posted("card1")).shown
    await ledger.save_posted("card1", "D0ANA", "1700000001.000200")
    assert (before, known, (await ledger.posted("card1")).shown) == ("", "abc", "")


async def test_a_storm_of_card_states_does_not_stand_before_a_new_request(
    ledger: Ledger, asked: Asked, clock: Clock
) -> None:
    """A request is written down as soon as it is acknowledged, or it would be lost in a kill."""
    until = clock()
    states = (ledger.save_posted(f"k{number}", "C0FLOOR", "1.1", shown="abc", until=until) for number in range(60))
    storm = [asyncio.create_task(state) for state in states]
    await asyncio.create_task(ledger.begin(asked()))
    done = sum(task.done() for task in storm)
    await asyncio.gather(*storm)
    assert done < 30


async def test_a_card_on_which_something_else_was_sent_is_none_that_only_waited(
    ledger: Ledger, asked: Asked, wanted: Wanted, clock: Clock
) -> None:
    await ledger.begin(asked(id="r"))
    await ledger.save_pending_post("r", "C0FLOOR", clock())
    await ledger.begin(asked(id="s", trigger="another"))
    await ledger.claim("s", wanted(id="s", card="r"), rule="supervisor")
    assert await ledger.waited_unshown() == ()
