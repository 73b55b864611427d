"""`kill -9`, SIGTERM, and the next start: the same card and the same alert go on, and nothing is sent twice.

What is killed is a real process, with its own memory and its own hold of the ledger; what takes over is another one.
"""

import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.ledger.ledger import Ledger
from bot.sandbox.pbx.server import Fault
from bot.sandbox.workspace.faults import SlackFault
from tests.e2e.alerts_seen import ALERTS, ANA, HAL, RINGING, alert, raised, said, scans, start


@pytest.fixture
def transport() -> str:
    return "socket mode"


async def first_look(house: Any) -> None:
    """Wait until the call is looked at after the PUT: where the card was posted is written down by then."""
    await house.puts(1)
    put = house.pbx.puts()[0]
    await house.pbx.until(lambda: [seen for seen in house.pbx.requests if seen.method == "GET" and seen.at > put.at])


async def test_after_kill_9_while_the_phone_rings_the_same_card_goes_on_to_its_end(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    killed = await run_bot()
    await killed.started()
    call = house.talk()
    await house.ana_types("/monitor 0003*210")
    card = await house.card("Ringing")
    await first_look(house)
    killed.process.kill()
    await killed.ended()
    house.floor.lift("0003*024")
    await house.start_bot()
    await house.card("Connected")
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You left; Bob's call goes on")
    assert (house.cards("U0ANA"), house.actions()) == ([card], ["Monitor"])


async def test_after_kill_9_in_the_moment_of_the_put_nothing_is_sent_again_and_the_card_tells_the_truth(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    house.pbx.faults.add(Fault("slow", method="PUT", seconds=0.6))
    killed = await run_bot()
    await killed.started()
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    killed.process.kill()
    await killed.ended()
    await house.start_bot()
    card = await house.card("Asked")
    assert "The answer of the PBX was lost. Nothing is sent again" in "\n".join(card.lines())
    await house.pbx.until(lambda: house.floor.lift("0003*024"))
    await house.card("Connected")
    assert (house.cards("U0ANA"), house.actions()) == ([card], ["Monitor"])


async def test_after_kill_9_the_card_of_an_accepted_request_does_not_speak_of_a_lost_answer(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    house.pbx.forms.action = 204  # accepted, and not a word of a phone that rings: the card stays at Asked
    killed = await run_bot()
    await killed.started()
    house.talk()
    await house.ana_types("/monitor 0003*210")
    card = await house.card("Asked")
    await first_look(house)
    killed.process.kill()
    await killed.ended()
    polls = len(house.pbx.requests)
    await house.start_bot()
    await house.pbx.until(lambda: [seen for seen in house.pbx.requests[polls:] if "0003*210" in seen.path])
    house.floor.lift("0003*024")
    await house.card("Connected")
    assert not [version for version in card.versions if "lost" in version.text]


async def test_sigterm_answers_what_has_arrived_and_exits_0_and_the_next_start_goes_on(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    house.pbx.faults.add(Fault("slow", method="PUT", seconds=1.2))
    stopped = await run_bot(LOG_LEVEL="debug")
    await stopped.started()
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    stopped.process.send_signal(signal.SIGTERM)
    card = await house.card("Ringing")
    assert await stopped.ended() == 0
    house.floor.lift("0003*024")
    await house.start_bot()
    await house.card("Connected")
    assert (house.cards("U0ANA"), house.actions()) == ([card], ["Monitor"])


async def test_a_new_card_has_the_id_of_its_request_by_which_the_next_start_finds_what_waits_there(house: Any) -> None:
    house.talk()
    await house.ana_types("/monitor 0003*210")
    card = await house.card("Ringing")
    (entry,) = await house.audit_log()
    assert card.metadata["event_payload"]["card"] == entry.id


async def test_an_end_that_is_shown_is_not_shown_again_by_the_next_start(house: Any) -> None:
    call = house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    house.floor.hang_up(call)
    await house.card("Ended: Bob's call is over")
    await house.stop_bot()
    ledger = await Ledger.open(house.environment()["DATABASE_URL"], now=lambda: datetime.now(UTC))
    try:
        assert await ledger.ended_unshown() == ()
    finally:
        await ledger.close()


async def test_an_end_that_was_written_down_and_not_yet_shown_is_shown_by_the_next_start(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    killed = await run_bot()
    await killed.started()
    call = house.talk()
    await house.ana_types("/monitor 0003*210")
    card = await house.card("Ringing")
    later = SlackFault(method="chat.update", kind="429", retry_after=30)
    house.workspace.faults.add(later)
    house.floor.hang_up(call)
    await house.workspace.until(lambda: later.times == 0)
    killed.process.kill()
    await killed.ended()
    house.workspace.faults.clear()
    await house.start_bot()
    assert await house.card("Ended: Bob's call is over") == card


async def test_after_kill_9_a_card_that_waited_for_the_phone_says_that_nothing_was_sent(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    killed = await run_bot()
    await killed.started()
    house.floor.talk(caller="+15550144", to="0003*024")
    house.floor.ring(caller="+15550143", to="0003*211")
    await house.ana_types("/pickup 0003*211")
    card = await house.card("Asked: your phone is busy", "C0FLOOR")
    await place_known(house, killed)
    killed.process.kill()
    await killed.ended()
    await house.start_bot()
    assert (await house.card("Ended: nothing was sent", "C0FLOOR")).ts == card.ts
    assert house.actions() == []


async def test_after_kill_9_a_card_with_earlier_requests_says_no_more_that_it_waits_for_the_phone(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    killed = await run_bot()
    await killed.started()
    call = house.floor.talk(caller="+15550143", to="0003*211")
    await house.ana_types("/monitor 0003*211")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    house.floor.leave(call, "0003*024")
    await house.card("Ended")
    house.floor.talk(caller="+15550144", to="0003*024")
    await house.ana_types("/monitor 0003*211")
    await house.card("Asked: your phone is busy")
    await place_known(house, killed)
    killed.process.kill()
    await killed.ended()
    await house.start_bot()
    await house.workspace.until(lambda: house.cards("U0ANA")[0].text.startswith("Ended: You left"))
    assert house.actions() == ["Monitor"]


async def test_after_kill_9_a_card_that_waited_and_has_a_recording_goes_on_with_the_recording(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    killed = await run_bot()
    await killed.started()
    house.floor.talk(caller="+15550144", to="0003*024")
    call = house.floor.talk(caller="+15550143", to="0003*211")
    await house.ana_types("/barge 0003*211")
    card = await house.card("Asked: your phone is busy", "C0FLOOR")
    await house.ana_types("/record 0003*211")
    await house.workspace.until(lambda: "Record: Recording" in "\n".join(card.lines()))
    await place_known(house, killed)
    killed.process.kill()
    await killed.ended()
    await house.start_bot()
    await house.card("Recording", "C0FLOOR")
    house.floor.hang_up(call)
    await house.card("Ended: Dan's call is over", "C0FLOOR")
    assert not [version for version in card.versions if "nothing was sent" in version.text]
    assert house.actions() == ["StartRecording"]


@pytest.mark.parametrize("channel", ["C0FLOOR", "D0ANA"])
async def test_a_card_that_waits_and_whose_place_was_not_written_down_before_kill_9_says_that_nothing_was_sent(
    empty_house: Any, run_bot: Any, channel: str
) -> None:
    house = empty_house
    killed = await run_bot()
    await killed.started()
    house.floor.talk(caller="+15550144", to="0003*024")
    house.floor.ring(caller="+15550143", to="0003*211")
    house.workspace.faults.add(SlackFault(method="chat.postMessage", kind="late", seconds=5))
    await house.workspace.type("U0ANA", channel, "/pickup 0003*211")
    place = "U0ANA" if channel == "D0ANA" else channel
    card = await house.card("Asked: your phone is busy", place)
    killed.process.kill()
    await killed.ended()
    await house.start_bot()
    await house.workspace.until(lambda: card.text.startswith("Ended: nothing was sent"))
    assert house.actions() == []


async def test_a_card_whose_waiting_ended_while_slack_was_away_says_so_after_the_next_start(house: Any) -> None:
    house.floor.talk(caller="+15550144", to="0003*024")
    house.floor.ring(caller="+15550143", to="0003*211")
    await house.ana_types("/pickup 0003*211")
    card = await house.card("Asked: your phone is busy", "C0FLOOR")
    away = SlackFault(method="chat.update", kind="429", retry_after=30)
    house.workspace.faults.add(away)
    await house.workspace.click("U0ANA", card, "Cancel")
    await house.workspace.until(lambda: away.times == 0)
    await house.stop_bot()
    await house.start_bot()
    assert (await house.card("Ended: nothing was sent", "C0FLOOR")).ts == card.ts


async def test_an_end_of_waiting_that_is_shown_is_not_shown_again_by_the_next_start(house: Any) -> None:
    house.floor.talk(caller="+15550144", to="0003*024")
    house.floor.ring(caller="+15550143", to="0003*211")
    await house.ana_types("/pickup 0003*211")
    card = await house.card("Asked: your phone is busy", "C0FLOOR")
    await house.workspace.click("U0ANA", card, "Cancel")
    await house.card("Ended: nothing was sent. You cancelled it", "C0FLOOR")
    await house.stop_bot()
    ledger = await Ledger.open(house.environment()["DATABASE_URL"], now=lambda: datetime.now(UTC))
    try:
        assert await ledger.waited_unshown() == ()
    finally:
        await ledger.close()


async def test_after_kill_9_in_the_moment_of_an_update_a_card_says_no_more_that_it_waits_for_the_phone(
    empty_house: Any, run_bot: Any
) -> None:
    house = empty_house
    killed = await run_bot()
    await killed.started()
    call = house.floor.talk(caller="+15550143", to="0003*211")
    await house.ana_types("/monitor 0003*211")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    house.floor.leave(call, "0003*024")
    await house.card("Ended")
    await place_known(house, killed)
    house.floor.talk(caller="+15550144", to="0003*024")
    house.workspace.faults.add(SlackFault(method="chat.update", kind="late", seconds=5))
    await house.ana_types("/monitor 0003*211")
    await house.card("Asked: your phone is busy")
    killed.process.kill()
    await killed.ended()
    await house.start_bot()
    await house.workspace.until(lambda: house.cards("U0ANA")[0].text.startswith("Ended: You left"))
    assert house.actions() == ["Monitor"]


async def place_known(house: Any, process: Any) -> None:
    """Wait until the ledger knows where the newest card stands: what is typed after it is answered after it."""
    await house.ana_types("/calls help")
    await house.told("U0ANA", "/monitor")


# ── alerts ──


Run = Callable[..., Awaitable[Any]]


async def kill(bot: Any) -> None:
    bot.process.kill()
    await bot.ended()


async def test_after_kill_9_an_open_alert_goes_on_on_its_card(empty_house: Any, run_bot: Run) -> None:
    empty_house.config += RINGING
    bot = await run_bot()
    await bot.started()
    call = empty_house.floor.ring(to="0003*211", **HAL)
    first = await alert(empty_house, "Raised")
    await kill(bot)
    await (await run_bot()).started()
    await scans(empty_house)
    assert [card.ts for card in raised(empty_house)] == [first.ts]
    empty_house.floor.answer(call)
    await alert(empty_house, "Resolved")


async def test_what_ended_while_callbot_was_down_is_resolved(empty_house: Any, run_bot: Run) -> None:
    empty_house.config += RINGING
    bot = await run_bot()
    await bot.started()
    call = empty_house.floor.ring(to="0003*211", **HAL)
    await alert(empty_house, "Raised")
    await kill(bot)
    empty_house.floor.hang_up(call)
    await (await run_bot()).started()
    await alert(empty_house, "Resolved")
    assert len(raised(empty_house)) == 1


async def test_an_alert_that_slack_has_not_accepted_before_a_kill_is_posted_once(
    empty_house: Any, run_bot: Run
) -> None:
    empty_house.config += RINGING
    bot = await run_bot()
    await bot.started()
    empty_house.workspace.faults.add(slack_is_silent())
    empty_house.floor.ring(to="0003*211", **HAL)
    await empty_house.workspace.until(
        lambda: [one for one in empty_house.workspace.calls if "postMessage" in one.method]
    )
    await kill(bot)
    await (await run_bot()).started()
    await alert(empty_house, "Raised")
    await scans(empty_house)
    assert len(raised(empty_house)) == 1


def slack_is_silent() -> Any:
    from bot.sandbox.workspace.faults import SlackFault  # noqa: PLC0415

    return SlackFault(method="chat.postMessage", kind="lost", times=1)


async def test_a_digest_goes_on_after_an_orderly_restart(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    calls = [house.floor.ring(caller=f"+1555{each:04}", to="0003*211") for each in range(12)]
    first = await alert(house, "Raised", "12 alerts")
    await house.stop_bot()
    house.floor.hang_up(calls[0])
    await house.start_bot()
    card = await alert(house, "Raised", "11 open")
    assert card.ts == first.ts


async def test_who_was_on_it_is_still_named_after_a_restart(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    call = house.floor.ring(to="0003*211", **HAL)
    await house.workspace.click(ANA, await alert(house, "Raised"), "I'm on it")
    await alert(house, "Raised", "Ana Pop is on it")
    await house.stop_bot()
    await house.start_bot()
    house.floor.hang_up(call)
    await alert(house, "Resolved", "Ana Pop")


# ── the PBX away ──


async def test_an_empty_list_for_a_moment_resolves_nothing(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    card = await alert(house, "Raised")
    house.pbx.faults.add(Fault("empty list", method="GET", times=1))
    await scans(house)
    assert [version.text[:6] for version in card.versions] == ["Raised"]


async def test_a_pbx_that_does_not_answer_resolves_nothing(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    card = await alert(house, "Raised")
    house.pbx.faults.add(Fault("html 502", method="GET", times=12))
    await scans(house, 20)
    assert not any(version.text.startswith("Resolved") for version in card.versions)
    assert "Not updated" not in said(card)
    assert card.channel == ALERTS
