"""People who stand in agents.csv alone are named, asked for, mentioned and listed, and may do nothing themselves."""

from typing import Any

import pytest

AGENTS = """extension,name,team,uapi_user,slack_user
0003*310,Tess Sellers,sales,15,U0EVE
0003*210,Robert of the directory,support,13,
"""


@pytest.fixture
async def house(empty_house: Any) -> Any:
    """Ana supervises 0003*2XX and team sales, which is Tess; Tess is Eve in Slack, and not in the configuration."""
    empty_house.config = empty_house.config.replace(
        'extensions = ["0003*2XX"]', 'extensions = ["0003*2XX", "team:sales"]'
    )
    empty_house.config += '[directory]\nfile = "agents.csv"\n'
    (empty_house.folder / "agents.csv").write_text(AGENTS)
    await empty_house.start_bot()
    return empty_house


async def typed(house: Any, user: str, text: str) -> None:
    await house.workspace.type(user, "C0FLOOR", text, raw=True)


async def test_an_agent_of_the_directory_is_named_on_the_card(house: Any) -> None:
    house.floor.talk(caller="+15550142", to="0003*310")
    await typed(house, "U0ANA", "/monitor 0003*310")
    card = await house.card("Ringing")
    lines = "\n".join(card.lines())
    assert ("Agent: Tess Sellers 0003*310" in lines, "Party: Tess Sellers 0003*310" in lines) == (True, True)


async def test_a_call_is_asked_for_in_the_name_of_the_directorys_owner(house: Any) -> None:
    call = house.floor.talk(caller="+15550142", to="0003*310")
    await typed(house, "U0ANA", "/monitor 0003*310")
    await house.puts(1)
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/15/0003*310/{call}"


async def test_what_both_know_the_configuration_knows_better(house: Any) -> None:
    call = house.talk()
    await typed(house, "U0ANA", "/monitor 0003*210")
    card = await house.card("Ringing")
    assert "Agent: Bob Ionescu 0003*210" in "\n".join(card.lines())
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/12/0003*210/{call}"


async def test_a_mention_means_the_extension_that_the_directory_gives_the_slack_user(house: Any) -> None:
    call = house.floor.talk(caller="+15550142", to="0003*310")
    await typed(house, "U0ANA", "/monitor <@U0EVE|eve>")
    await house.card("Ringing")
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/15/0003*310/{call}"


async def test_a_team_reaches_no_further_than_its_people(house: Any) -> None:
    await typed(house, "U0ANA", "/monitor 0003*311")
    await house.told("U0ANA", "on 0003*2XX, team:sales, but not on 0003*311.")
    assert house.pbx.puts() == []


async def test_who_stands_in_the_directory_alone_is_unknown(house: Any) -> None:
    house.floor.talk(caller="+15550142", to="0003*310")
    for text in ("/calls", "/monitor 0003*310"):
        await typed(house, "U0EVE", text)
    await house.workspace.until(lambda: len(house.workspace.private("U0EVE")) == 2)
    assert all("I don't know you yet." in "\n".join(one.lines()) for one in house.workspace.private("U0EVE"))
    assert house.pbx.puts() == []


async def test_a_call_of_the_directorys_people_is_listed_and_found_by_name(house: Any) -> None:
    house.floor.talk(caller="+15550142", to="0003*310")
    house.floor.talk(caller="+15550143", to="0003*210")
    await typed(house, "U0ANA", "/calls tess")
    listed = "\n".join((await house.told("U0ANA", "Tess Sellers 0003*310")).lines())
    assert ("+15550142" in listed, "+15550143" in listed) == (True, False)
