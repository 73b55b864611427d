"""Rules that change while the bot runs hold for the very next command and click; with a mistake the old ones stay."""

import asyncio
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app.bot import Bot

Events = list[MutableMapping[str, Any]]
OFTEN = 0.05
LIS = 'roles = ["listener", "supervisor of 3"]'


@pytest.fixture
def events() -> Iterator[Events]:
    with capture_logs() as logged:
        yield logged


@pytest.fixture
async def house(empty_house: Any, events: Events) -> Any:
    """The house with a bot that looks at its rules often."""
    await start(empty_house)
    return empty_house


async def start(house: Any) -> None:
    bot = await Bot.start(house.settings(), rules_every=OFTEN)
    house.bots.append(bot)
    house.workspace.deliver_to(f"http://127.0.0.1:{bot.port}/slack/events")


async def logged(house: Any, events: Events, event: str) -> Any:
    """The first such line of the log."""
    found = await house.workspace.until(lambda: [one for one in events if one["event"] == event])
    return found[0]


async def change(house: Any, events: Events, old: str, new: str) -> None:
    """Another map, which holds when this returns."""
    write(house.folder, house.map.replace(old, new))
    await logged(house, events, "rules_taken")


def write(folder: Path, text: str) -> None:
    (folder / "callbot.toml").write_text(text)


async def typed(house: Any, user: str, text: str) -> None:
    await house.workspace.type(user, "C0FLOOR", text, raw=True)


async def test_who_gets_a_role_may_do_at_once_what_was_refused(house: Any, events: Events) -> None:
    house.floor.talk(caller="+15550142", to="0003*211")
    await typed(house, "U0LIS", "/monitor 0003*211")
    await house.told("U0LIS", "but not on 0003*211")
    await change(house, events, LIS, 'roles = ["supervisor"]')
    await typed(house, "U0LIS", "/monitor 0003*211")
    await house.card("Ringing Lis's phone 0003*025", "U0LIS")
    assert len(house.pbx.puts()) == 1


async def test_who_loses_a_role_is_refused_at_the_very_next_click(house: Any, events: Events) -> None:
    house.floor.extension("0003*024").kind = "queue"
    house.talk()
    await typed(house, "U0ANA", "/barge 0003*210")
    card = await house.card("Refused", "C0FLOOR")
    await change(house, events, 'extension = "0003*024"\nroles = ["supervisor"]', 'extension = "0003*024"\nroles = []')
    await house.workspace.click("U0ANA", card, "Monitor")
    await house.told("U0ANA", "None of your roles allows Monitor.")
    assert house.actions() == ["BargeIn"]


async def test_who_is_taken_out_of_the_map_is_a_stranger(house: Any, events: Events) -> None:
    await change(house, events, "[users.U0LIS]", "[users.U0ANYONE]")
    await typed(house, "U0LIS", "/monitor 0003*210")
    await house.told("U0LIS", "I don't know you yet.")
    assert house.pbx.puts() == []


async def test_an_extension_is_protected_from_the_change_on(house: Any, events: Events) -> None:
    house.talk()
    await change(house, events, 'extensions = ["0003*299"]', 'extensions = ["0003*21X"]')
    await typed(house, "U0ANA", "/monitor 0003*210")
    await house.told("U0ANA", "0003*210 is protected")
    assert house.pbx.puts() == []


async def test_a_channel_is_silent_from_the_change_on(house: Any, events: Events) -> None:
    house.talk()
    await change(house, events, 'silent_in = ["C0STAFF"]', 'silent_in = ["C0FLOOR"]')
    await typed(house, "U0ANA", "/monitor 0003*210")
    await house.card("Ringing", "C0FLOOR")
    assert house.cards("U0ANA") == []


async def test_a_mistake_keeps_the_old_rules_and_the_log_says_where_it_is(house: Any, events: Events) -> None:
    house.talk()
    write(house.folder, house.map.replace('extension = "0003*024"', 'extension = "24"'))
    line = await logged(house, events, "rules_not_taken")
    await typed(house, "U0ANA", "/monitor 0003*210")
    await house.card("Ringing Ana's phone 0003*024")
    assert (line["mistakes"], line["places"]) == (1, ["users.U0ANA.extension.0"])


async def test_a_swapped_symlink_is_taken_up(empty_house: Any, events: Events) -> None:
    house = empty_house
    for version, name in (("v1", "Ana Pop"), ("v2", "Anna Popescu")):
        (house.folder / version).mkdir()
        write(house.folder / version, house.map.replace("Ana Pop", name))
    (house.folder / "..data").symlink_to("v1")
    (house.folder / "callbot.toml").symlink_to("..data/callbot.toml")
    await start(house)
    (house.folder / "..new").symlink_to("v2")
    (house.folder / "..new").replace(house.folder / "..data")
    await logged(house, events, "rules_taken")
    await typed(house, "U0EVE", "/calls")
    await house.told("U0EVE", "Ask Anna Popescu to add")


async def test_a_changed_directory_is_taken_up(empty_house: Any, events: Events) -> None:
    house = empty_house
    house.map = house.map.replace('extensions = ["0003*2XX"]', 'extensions = ["team:sales"]')
    house.map += '[directory]\nfile = "agents.csv"\n'
    (house.folder / "agents.csv").write_text("extension,team\n0003*310,sales\n")
    await start(house)
    (house.folder / "agents.csv").write_text("extension,team\n0003*310,support\n")
    await logged(house, events, "rules_taken")
    await typed(house, "U0ANA", "/monitor 0003*310")
    await house.told("U0ANA", "on team:sales, but not on 0003*310")
    assert house.pbx.puts() == []


async def test_a_bot_that_has_stopped_reads_its_rules_no_more(house: Any) -> None:
    assert "configuration" in {task.get_name() for task in asyncio.all_tasks()}
    await house.stop_bot()
    assert "configuration" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_rules_that_cannot_be_read_permit_nothing_new(empty_house: Any, events: Events) -> None:
    house = empty_house
    bot = await Bot.start(house.settings(), rules_every=OFTEN, unread_for=0.0)
    house.bots.append(bot)
    house.workspace.deliver_to(f"http://127.0.0.1:{bot.port}/slack/events")
    house.talk()
    (house.folder / "callbot.toml").unlink()
    await logged(house, events, "rules_not_taken")
    await typed(house, "U0ANA", "/monitor 0003*210")
    await house.told("U0ANA", "callbot.toml cannot be read since")
    assert house.pbx.puts() == []
