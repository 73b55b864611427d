"""What the card says is true: what it reached, why it ended, and what became of a phone that nobody could ring."""

from datetime import UTC, datetime
from typing import Any

from bot.ledger.ledger import Ledger


async def typed(house: Any, text: str) -> None:
    await house.ana_types(text, raw=True)


def labels(card: Any) -> list[str]:
    return [button.label for button in card.buttons()]


async def test_a_call_that_ends_while_the_phone_still_rings_ends_the_card(house: Any) -> None:
    call = house.talk()
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.hang_up(call)
    card = await house.card("Ended: Bob's call is over")
    assert (labels(card), [each.state.value for each in await house.audit_log()]) == ([], ["ended"])


async def test_each_state_that_was_reached_is_a_line_on_the_card(house: Any) -> None:
    call = await house.ana_listens()
    house.floor.leave(call, "0003*024")
    card = await house.card("Ended: You left; Bob's call goes on")
    [steps] = [line for line in card.lines() if "Monitor: Asked" in line]
    assert [line.partition("> ")[2] for line in steps.split("\n")] == [
        *("Monitor: Asked", "Monitor: Ringing", "Monitor: Connected", "Monitor: Ended")
    ]


async def test_a_call_on_hold_is_a_conversation_and_the_card_says_since_when_it_is_held(house: Any) -> None:
    call = house.talk()
    house.floor.hold(call)
    await typed(house, "/monitor 0003*210")
    card = await house.card("Ringing")
    held = int(house.floor.call(call).view("01").on_hold.timestamp())
    assert [line for line in card.lines() if line.startswith(f"On hold since <!date^{held}^")]


async def test_a_hold_changes_the_card_while_the_supervisor_listens(house: Any) -> None:
    call = await house.ana_listens()
    house.floor.hold(call)
    await house.workspace.until(lambda: "On hold since" in "\n".join(house.cards("U0ANA")[-1].lines()))


async def test_the_card_shows_every_side_of_the_call(house: Any) -> None:
    await house.ana_listens()
    card = await house.card("Connected")
    lines = card.lines()
    assert "Party: Bob Ionescu 0003*210" in lines
    assert "Supervisor's leg on: Bob Ionescu 0003*210" in lines
    assert [line for line in lines if line.startswith(("From: ", "To: ", "Caller id: "))] == [
        "From: +15550142",
        "To: Bob Ionescu 0003*210",
        "Caller id: “Carla Caller” <+15550142>",
        "From: Ana Pop 0003*024",
        "To: Bob Ionescu 0003*210",
    ]
    assert [line.partition(" <!date")[0] for line in lines if "since <!date" in line] == [
        "On call, incoming since",
        "On call, internal since",
    ]


async def test_a_busy_phone_that_is_rung_anyway_is_not_answered_and_may_be_asked_for_again(house: Any) -> None:
    """The PBX accepts and rings nothing: the phone is in a call and has no call waiting."""

    async def ring_anyway() -> None:
        await house.workspace.click("U0ANA", await house.card("Asked: your phone is busy"), "Ring anyway")

    house.floor.talk(caller="+15550143", to="0003*024")
    house.talk()
    await typed(house, "/monitor 0003*210 wait=1")
    await ring_anyway()
    card = await house.card("Not answered: no connection seen in 1 s")
    assert "Who hears Ana: nobody (no connection seen)" in card.lines()
    await house.workspace.click("U0ANA", card, "Whisper")
    await ring_anyway()
    assert (await house.card("Asked: Whisper")).ts == card.ts
    assert house.actions() == ["Monitor", "Whisper"]
    ledger = await Ledger.open(house.environment()["DATABASE_URL"], now=lambda: datetime.now(UTC))
    followed = [one.name for one in await ledger.tracked()]
    await ledger.close()
    assert followed == ["Whisper"], "what was not answered can no more take the new leg for its own"


async def test_a_pickup_of_a_call_that_is_answered_meanwhile_is_not_connected(house: Any) -> None:
    call = house.floor.ring(caller="+15550142", to="0003*210")
    await typed(house, "/pickup 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.answer(call)
    await house.workspace.until(lambda: "On call" in "\n".join(house.cards()[-1].lines()))
    assert house.cards()[-1].text.startswith("Ringing")
    house.floor.hang_up(call)
    await house.card("Ended: Bob's call is over", "C0FLOOR")
