"""A PBX that cannot be read: every channel that alerts go to says so, and says when it is over; a restart says nothing twice."""

from typing import Any

from tests.e2e.alerts_seen import ALERTS, FLOOR, HAL, RINGING, alert, said

BLIND = "Blind since "


async def blind(house: Any, channel: str = ALERTS) -> Any:
    """The card of the channel that says so."""
    found = await house.workspace.until(
        lambda: [card for card in house.cards(channel) if card.text.startswith(BLIND)], 10.0
    )
    return found[0]


async def over(house: Any, channel: str = ALERTS) -> Any:
    """The same card, once it says that it is over: of all calls at last, if some scopes could be read before others."""
    found = await house.workspace.until(
        lambda: [card for card in house.cards(channel) if card.text.startswith("Resolved: callbot sees ")], 20.0
    )
    return found[0]


async def start(house: Any) -> None:
    house.change_map('contact = "U0ANA"', f'contact = "U0ANA"\nchannel = "{FLOOR}"')
    house.map += RINGING
    await house.start_bot(blind_after=1.0)


async def test_every_channel_is_told_once_and_told_when_it_is_over(empty_house: Any) -> None:
    house = empty_house
    await start(house)
    await house.pbx.stop()
    first = {channel: await blind(house, channel) for channel in (ALERTS, FLOOR)}
    await house.pbx.start(port=house.pbx.port)
    for channel, card in first.items():
        assert (await over(house, channel)).ts == card.ts


async def test_a_restart_says_nothing_twice(empty_house: Any) -> None:
    house = empty_house
    await start(house)
    await house.pbx.stop()
    first = await blind(house)
    await house.stop_bot()
    await house.start_bot(blind_after=1.0)
    await house.pbx.start(port=house.pbx.port)
    assert (await over(house)).ts == first.ts
    assert len([card for card in house.cards(ALERTS) if "lind since" in said(card) or "again" in card.text]) == 1


async def test_what_rings_on_is_alerted_when_it_is_over(empty_house: Any) -> None:
    house = empty_house
    await start(house)
    await house.pbx.stop()
    await blind(house)
    house.floor.ring(to="0003*211", **HAL)
    await house.pbx.start(port=house.pbx.port)
    await over(house)
    await alert(house, "Raised", "Dan Popa")
