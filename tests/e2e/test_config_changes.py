"""callbot.toml changes while callbot runs: it holds for the very next command, click and poll; with an error the old one stays."""

import asyncio
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.sandbox.pbx.server import Fault
from tests.e2e.alerts_seen import scans

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
    await empty_house.start_bot(config_every=OFTEN)
    return empty_house


async def logged(house: Any, events: Events, event: str) -> Any:
    """The first such line of the log."""
    found = await house.workspace.until(lambda: [one for one in events if one["event"] == event])
    return found[0]


async def change(house: Any, events: Events, old: str, new: str) -> None:
    """Another configuration, which holds when this returns."""
    write(house.folder, house.config.replace(old, new))
    await logged(house, events, "config_applied")


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


async def test_who_is_taken_out_of_the_configuration_is_unknown(house: Any, events: Events) -> None:
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


async def test_an_error_keeps_the_old_rules_and_the_log_says_where_it_is(house: Any, events: Events) -> None:
    house.talk()
    write(house.folder, house.config.replace('extension = "0003*024"', 'extension = "24"'))
    line = await logged(house, events, "config_rejected")
    await typed(house, "U0ANA", "/monitor 0003*210")
    await house.card("Ringing Ana's phone 0003*024")
    assert (line["errors"], line["places"]) == (1, ["users.U0ANA.extension.0"])


async def test_a_swapped_symlink_is_taken_up(empty_house: Any, events: Events) -> None:
    house = empty_house
    for version, name in (("v1", "Ana Pop"), ("v2", "Anna Popescu")):
        (house.folder / version).mkdir()
        write(house.folder / version, house.config.replace("Ana Pop", name))
    (house.folder / "..data").symlink_to("v1")
    (house.folder / "callbot.toml").symlink_to("..data/callbot.toml")
    await house.start_bot(config_every=OFTEN)
    (house.folder / "..new").symlink_to("v2")
    (house.folder / "..new").replace(house.folder / "..data")
    await logged(house, events, "config_applied")
    await typed(house, "U0EVE", "/calls")
    await house.told("U0EVE", "Ask Anna Popescu to add")


async def test_a_changed_directory_is_taken_up(empty_house: Any, events: Events) -> None:
    house = empty_house
    house.config = house.config.replace('extensions = ["0003*2XX"]', 'extensions = ["team:sales"]')
    house.config += '[directory]\nfile = "agents.csv"\n'
    (house.folder / "agents.csv").write_text("extension,team\n0003*310,sales\n")
    await house.start_bot(config_every=OFTEN)
    (house.folder / "agents.csv").write_text("extension,team\n0003*310,support\n")
    await logged(house, events, "config_applied")
    await typed(house, "U0ANA", "/monitor 0003*310")
    await house.told("U0ANA", "on team:sales, but not on 0003*310")
    assert house.pbx.puts() == []


async def test_a_bot_that_has_stopped_reads_its_rules_no_more(house: Any) -> None:
    assert "configuration" in {task.get_name() for task in asyncio.all_tasks()}
    await house.stop_bot()
    assert "configuration" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_rules_that_cannot_be_read_permit_nothing_new(empty_house: Any, events: Events) -> None:
    house = empty_house
    await house.start_bot(config_every=OFTEN, unread_for=0.0)
    house.talk()
    (house.folder / "callbot.toml").unlink()
    await logged(house, events, "config_rejected")
    await typed(house, "U0ANA", "/monitor 0003*210")
    await house.told("U0ANA", "callbot.toml cannot be read since")
    assert house.pbx.puts() == []


# ── while they listen ──


REMOVED = {
    "taken out of the configuration": ("[users.U0ANA]", "[users.U0OLD]"),
    "without the role": ('name = "Ana Pop"\nuapi_user = "3"\nextension = "0003*024"\nroles = ["supervisor"]', None),
}


async def listening(house: Any) -> str:
    """Ana listens to Bob's call; its id."""
    call: str = await house.ana_listens()
    card = await house.card("Connected")
    await house.workspace.until(card.buttons)
    return call


@pytest.mark.parametrize(("old", "new"), REMOVED.values(), ids=REMOVED)
async def test_the_card_of_who_is_removed_says_so_and_has_no_buttons(house: Any, old: str, new: str | None) -> None:
    call = await listening(house)
    changed = house.config.replace(old, new or old.replace('["supervisor"]', "[]")).replace('"U0ANA"', '"U0BOB"')
    (house.folder / "callbot.toml").write_text(changed)
    card = house.cards("U0ANA")[-1]
    await house.workspace.until(lambda: not card.buttons())
    assert ("hang up" in "\n".join(card.lines()), card.text.split()[0]) == (True, "Connected")
    assert [view.phone for view in house.floor.call(call).views if view.leg] == ["0003*024"], "the leg is not cut"


async def test_who_is_removed_and_hangs_up_has_left(house: Any) -> None:
    call = await listening(house)
    (house.folder / "callbot.toml").write_text(
        house.config.replace("[users.U0ANA]", "[users.U0OLD]").replace('"U0ANA"', '"U0BOB"')
    )
    card = house.cards("U0ANA")[-1]
    await house.workspace.until(lambda: not card.buttons())
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You are no longer in the call")


async def test_who_is_removed_sees_nothing_new_of_the_call(house: Any) -> None:
    call = await listening(house)
    (house.folder / "callbot.toml").write_text(
        house.config.replace("[users.U0ANA]", "[users.U0OLD]").replace('"U0ANA"', '"U0BOB"')
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
    (house.folder / "callbot.toml").write_text(
        house.config.replace('callers = ["+15550199"]', 'callers = ["+15550142"]')
    )
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
    changed = house.config.replace("[users.U0ANA]", "[users.U0OLD]").replace('"U0ANA"', '"U0BOB"')
    (house.folder / "callbot.toml").write_text(changed)
    await house.told("U0ANA", "I don't know you yet")
    assert (asked > 0, house.pbx.puts()) == (True, [])


async def test_the_audit_log_says_whose_phone_was_meant_when_it_was_asked_for(house: Any) -> None:
    """Who has lost the right meanwhile asked for it all the same, and on whom is what the log is for."""
    house.talk()
    house.pbx.faults.add(Fault("slow", method="GET", path_contains="/phoneCalls/", seconds=1.0, times=None))
    await house.ana_types("/monitor @bob")
    changed = house.config.replace("[users.U0ANA]", "[users.U0OLD]").replace('"U0ANA"', '"U0BOB"')
    (house.folder / "callbot.toml").write_text(changed)
    await house.told("U0ANA", "I don't know you yet")
    (entry,) = await house.audit_log()
    assert (entry.outcome, entry.allowed, entry.extension) == ("refused", False, "0003*210")
