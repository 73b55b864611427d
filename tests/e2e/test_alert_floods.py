"""Many alerts at once become one digest that counts them all; the card of an intervention goes first."""

import re
from typing import Any

from tests.e2e.alerts_seen import ALERTS, ANA, FLOOR, RINGING, alert, raised, said, start

MANY = 30


def ring(house: Any, number: int, first: int = 0) -> list[str]:
    for each in range(first, first + number):
        house.floor.add_extension(f"0003*2{each + 20}", user="12", name=f"Agent {each}")
    return [
        house.floor.ring(caller=f"+1555{each:04}", caller_name="Hal Holder", to=f"0003*2{each + 20}")
        for each in range(first, first + number)
    ]


async def test_many_alerts_become_one_digest_that_counts_them(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, MANY)
    card = await alert(house, "Raised", f"{MANY} alerts")
    assert len(raised(house)) == 1
    assert "Rings unanswered" in said(card)


async def test_a_digest_is_kept_up_to_date_and_closed(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    calls = ring(house, MANY)
    await alert(house, "Raised", f"{MANY} alerts")
    for call in calls[:20]:
        house.floor.answer(call)
    await alert(house, "Raised", "10 open")
    for call in calls[20:]:
        house.floor.hang_up(call)
    await alert(house, "Resolved", str(MANY))


async def test_ten_alerts_have_their_own_cards_and_what_comes_then_is_digested(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, 10)
    await house.workspace.until(lambda: len(raised(house)) == 10, 30)
    ring(house, 4, first=10)
    await alert(house, "Raised", "4 alerts")
    assert len(raised(house)) == 11


async def test_no_alert_is_dropped_whatever_comes(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, 7)
    await house.workspace.until(lambda: len(raised(house)) == 7, 30)
    ring(house, 23, first=7)
    await alert(house, "Raised", "23 alerts")
    assert len(raised(house)) == 8


async def test_an_alert_on_a_digest_can_be_acted_on_from_there(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    ring(house, 12)
    card = await alert(house, "Raised", "12 alerts")
    await house.workspace.click(ANA, card, "Pick up", nth=0)
    await house.puts(1)
    house.floor.lift("0003*024")
    await alert(house, "Raised", "12 alerts in this channel, 11 open")


async def test_an_intervention_s_card_comes_at_once_in_the_middle_of_a_flood(empty_house: Any) -> None:
    house = await start(empty_house, RINGING)
    house.floor.talk(to="0003*210", caller="+15550142")
    ring(house, 10)
    await house.workspace.until(lambda: raised(house))
    await house.workspace.type(ANA, ALERTS, "/record 0003*210")
    await house.workspace.until(
        lambda: [card for card in house.cards(ALERTS) if card.text.startswith(("Asked", "Recording"))], 2.0
    )


async def test_other_channels_have_their_own_count(empty_house: Any) -> None:
    house = await start(empty_house, RINGING, re.sub("C0ALERTS", FLOOR, RINGING))
    ring(house, 12)
    await alert(house, "Raised", "12 alerts", channel=FLOOR)
    await alert(house, "Raised", "12 alerts")
