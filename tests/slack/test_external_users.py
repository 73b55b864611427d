"""Who is an external user, by the ids in Slack's payloads."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.slack.listeners import Home, is_external

SAMPLES = Path(__file__).parents[1] / "samples" / "slack"
ALONE, GRID = Home("T0HOME"), Home("T0HOME", "E0OURS")


def click(
    team: str | None, *, enterprise: str | None = None, place: str | None = "T0HOME", **user: Any
) -> dict[str, Any]:
    """A click of somebody of that team, in the workspace `place`."""
    return {
        "type": "block_actions",
        "user": {"id": "U0ANA"} | ({} if team is None else {"team_id": team}) | user,
        "team": None if place is None else {"id": place, "domain": "local"},
        "enterprise": None if enterprise is None else {"id": enterprise, "name": "Org"},
    }


def command(team: str, **more: str) -> dict[str, Any]:
    return {"command": "/monitor", "user_id": "U0ANA", "team_id": team} | more


OURS = {
    "a click in the workspace": (ALONE, click("T0HOME")),
    "a click that names the place alone": (ALONE, click(None)),
    "a command in the workspace": (ALONE, command("T0HOME")),
    "a command of an organisation that auth.test did not name": (ALONE, command("T0HOME", enterprise_id="E0OURS")),
    "a click in the workspace of an organisation": (GRID, click("T0HOME", enterprise="E0OURS")),
    "a click that names the organisation as the person's team": (GRID, click("E0OURS", enterprise="E0OURS")),
    "the same without the organisation": (GRID, click("E0OURS")),
    "a click of somebody at home in another workspace of the organisation": (
        GRID,
        click("T0SISTER", enterprise="E0OURS"),
    ),
    "a click that names the person's organisation": (
        GRID,
        click("T0SISTER", enterprise_user={"enterprise_id": "E0OURS"}),
    ),
    "a click in the Home tab of an app of the whole organisation": (
        GRID,
        click("T0SISTER", enterprise="E0OURS", place=None),
    ),
    "a command in another workspace of the organisation": (GRID, command("T0SISTER", enterprise_id="E0OURS")),
    "the token of a whole organisation": (Home("E0OURS", "E0OURS"), click("T0SISTER", enterprise="E0OURS", place=None)),
}
OTHERS = {
    "a click of another workspace": (ALONE, click("T0OTHER")),
    "a click of another workspace that names an organisation": (ALONE, click("T0OTHER", enterprise="E0OTHER")),
    "a click of an organisation where we have none": (ALONE, click("E0OTHER", enterprise="E0OTHER")),
    "a command of another workspace": (ALONE, command("T0OTHER")),
    "a click of a workspace without organisation": (GRID, click("T0OTHER")),
    "a click of another organisation": (GRID, click("T0OTHER", enterprise="E0OTHER")),
    "a click with another organisation as the team": (GRID, click("E0OTHER", enterprise="E0OTHER")),
    "a click whose place is ours and whose person is not": (
        GRID,
        click("T0OTHER", enterprise="E0OURS", enterprise_user={"enterprise_id": "E0OTHER"}),
    ),
    "a click that names our workspace and another organisation": (GRID, click("T0HOME", enterprise="E0OTHER")),
    "a command of another organisation": (GRID, command("T0OTHER", enterprise_id="E0OTHER")),
    "a command that names nothing": (GRID, {"command": "/monitor", "user_id": "U0ANA"}),
    "a click that names nothing": (GRID, click(None, place=None)),
    "a click that names nothing, where we have no organisation": (ALONE, click(None, place=None)),
    "teams and organisations that are no words": (
        GRID,
        {"user": {"id": "U0ANA", "team_id": ["T0HOME"], "enterprise_user": "E0OURS"}, "enterprise": ["E0OURS"]},
    ),
}


@pytest.mark.parametrize("case", OURS)
def test_people_of_the_workspace_and_its_organisation_are_themselves(case: str) -> None:
    home, body = OURS[case]
    assert is_external(body, home) is False


@pytest.mark.parametrize("case", OTHERS)
def test_people_who_are_not_said_to_be_of_ours_are_external(case: str) -> None:
    home, body = OTHERS[case]
    assert is_external(body, home) is True


@pytest.mark.parametrize("sample", ["block_actions_home_org.json", "view_submission_org.json"])
@pytest.mark.parametrize(
    ("home", "external"),
    [
        (Home("T0EXAMPLE1", "E0EXAMPLE1"), False),
        (Home("T0SISTER", "E0EXAMPLE1"), False),
        (Home("E0EXAMPLE1", "E0EXAMPLE1"), False),
        (Home("T0OTHER", "E0OTHER"), True),
        (Home("T0OTHER"), True),
    ],
    ids=str,
)
def test_the_payloads_of_an_app_of_a_whole_organisation_are_read(sample: str, home: Home, *, external: bool) -> None:
    assert is_external(json.loads((SAMPLES / sample).read_text()), home) is external
