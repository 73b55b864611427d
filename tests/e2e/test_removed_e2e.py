"""Who is taken out of the map while they listen: their leg is not cut, and their card says so at once."""

from typing import Any

import pytest

from bot.app.bot import Bot
from bot.sandbox.pbx.server import Fault
from tests.e2e.alerts_seen import scans

CHANGES = {
    "taken out of the map": ("[users.U0ANA]", "[users.U0OLD]"),
    "without the role": ('name = "Ana Pop"\nuapi_user = "3"\nextension = "0003*024"\nroles = ["supervisor"]', None),
}


@pytest.fixture
async def house(empty_house: Any) -> Any:
    """The house with a bot that reads callbot.toml often."""
    bot = await Bot.start(empty_house.settings(), rules_every=0.05)
    empty_house.bots.append(bot)
    empty_house.workspace.deliver_to(f"http://127.0.0.1:{bot.port}/slack/events")
    return empty_house


async def listening(house: Any) -> str:
    """Ana listens to Bob's call; its id."""
    call: str = await house.ana_listens()
    card = await house.card("Connected")
    await house.workspace.until(card.buttons)
    return call


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES)
async def test_the_card_of_who_is_removed_says_so_and_has_no_buttons(house: Any, old: str, new: str | None) -> None:
    call = await listening(house)
    changed = house.map.replace(old, new or old.replace('["supervisor"]', "[]")).replace('"U0ANA"', '"U0BOB"')
    (house.folder / "callbot.toml").write_text(changed)
    card = house.cards("U0ANA")[-1]
    await house.workspace.until(lambda: not card.buttons())
    assert ("hang up" in "\n".join(card.lines()), card.text.split()[0]) == (True, "Connected")
    assert [view.phone for view in house.floor.call(call).views if view.leg] == ["0003*024"], "the leg is not cut"


async def test_who_is_removed_and_hangs_up_has_left(house: Any) -> None:
    call = await listening(house)
    (house.folder / "callbot.toml").write_text(
        house.map.replace("[users.U0ANA]", "[users.U0OLD]").replace('"U0ANA"', '"U0BOB"')
    )
    card = house.cards("U0ANA")[-1]
    await house.workspace.until(lambda: not card.buttons())
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You are no longer in the call")


async def test_who_is_removed_sees_nothing_new_of_the_call(house: Any) -> None:
    call = await listening(house)
    (house.folder / "callbot.toml").write_text(
        house.map.replace("[users.U0ANA]", "[users.U0OLD]").replace('"U0ANA"', '"U0BOB"')
    )
    card = house.cards("U0ANA")[-1]
    await house.workspace.until(lambda: not card.buttons())
    shown = card.lines()
    house.floor.transfer(call, "0003*211")
    house.floor.hold(call)
    await scans(house, 6)
    assert (card.lines(), [line for line in shown if "15550142" in line]) == (shown, [])


async def test_the_card_of_a_call_that_becomes_protected_shows_no_more_of_it(house: Any) -> None:
    call = await listening(house)
    (house.folder / "callbot.toml").write_text(house.map.replace('callers = ["+15550199"]', 'callers = ["+15550142"]'))
    card = house.cards("U0ANA")[-1]
    await house.workspace.until(lambda: not card.buttons())
    text = "\n".join([card.text, *card.lines()])
    assert ("15550142" in text, "Carla" in text, "protected" in text) == (False, False, True)
    assert card.text.startswith("Connected"), "the leg is not cut, and that is said"
    house.floor.leave(call, "0003*024")
    await house.card("Ended")


@pytest.mark.parametrize("typed", ["/monitor 0003*210", "/calls"])
async def test_a_right_that_is_lost_while_the_pbx_is_slow_is_lost(house: Any, typed: str) -> None:
    """What counts are the rules when the answer is there, not when it was asked for."""
    house.talk()
    house.pbx.faults.add(Fault("slow", method="GET", path_contains="/phoneCalls/", seconds=1.0, times=None))
    await house.ana_types(typed)
    asked = len(house.pbx.requests)
    changed = house.map.replace("[users.U0ANA]", "[users.U0OLD]").replace('"U0ANA"', '"U0BOB"')
    (house.folder / "callbot.toml").write_text(changed)
    await house.told("U0ANA", "I don't know you yet")
    assert (asked > 0, house.pbx.puts()) == (True, [])
