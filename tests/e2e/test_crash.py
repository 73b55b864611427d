"""`kill -9`, SIGTERM, and the next start: the same card goes on, and nothing is sent twice.

What is killed is a real process, with its own memory and its own hold of the ledger; what takes over is another one.
"""

import signal
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.ledger.ledger import Ledger
from bot.sandbox.pbx.server import Fault
from bot.sandbox.workspace.faults import SlackFault


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
