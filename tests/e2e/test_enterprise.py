"""Enterprise Grid: people of the same organisation are themselves wherever they are at home; others are refused."""

from typing import Any

import pytest

OTHERS = [("T0OTHER", "E0OTHER"), ("E0OTHER", "E0OTHER"), ("T0OTHER", None)]


@pytest.fixture
def enterprise() -> str | None:
    return "E0LOCAL"


@pytest.mark.parametrize("team", ["T0LOCAL", "T0SISTER", "E0LOCAL"])
async def test_a_command_of_somebody_of_the_organisation_goes_out(house: Any, team: str) -> None:
    house.workspace.add_person("U0ANA", "ana", team_id=team, enterprise_id="E0LOCAL")
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")


@pytest.mark.parametrize("team", ["T0LOCAL", "T0SISTER", "E0LOCAL"])
async def test_a_click_of_somebody_of_the_organisation_counts(house: Any, team: str) -> None:
    house.talk()
    await house.ana_types("/calls")
    listed = await house.told("U0ANA", "1 live call")
    house.workspace.add_person("U0ANA", "ana", team_id=team, enterprise_id="E0LOCAL")
    await house.workspace.click("U0ANA", listed, "Monitor")
    await house.card("Ringing")


@pytest.mark.parametrize(("team", "enterprise_id"), OTHERS)
async def test_somebody_of_another_organisation_is_never_taken_for_the_person_with_that_id(
    house: Any, team: str, enterprise_id: str | None
) -> None:
    house.workspace.add_person("U0ANA", "ana", team_id=team, enterprise_id=enterprise_id)
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.told("U0ANA", "You are of another Slack workspace than callbot")
    assert house.pbx.puts() == []


async def test_an_unknown_person_of_the_organisation_is_told_whom_to_ask(house: Any) -> None:
    house.workspace.add_person("U0EVE", "eve", team_id="T0SISTER", enterprise_id="E0LOCAL")
    await house.workspace.type("U0EVE", "C0FLOOR", "/calls")
    await house.told("U0EVE", "to add [users.U0EVE]")
