"""Who asks, and how much may be under way: who is an external user, and no person's requests keep others waiting."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck

from bot.domain.actions import ActionName
from bot.domain.commands import Command, Intervene, Offer, Request, Target
from bot.domain.errors import Refusal
from bot.interventions.service import Asker
from bot.slack.button_codec import pack
from bot.slack.listeners import (
    MOST_ANSWERS,
    MOST_EACH,
    MOST_LISTS,
    MOST_UNDER_WAY,
    MOST_UNKNOWN,
    STILL_AT_WORK,
    STOPPING,
    TOO_MUCH_TO_DO,
    Home,
    Listeners,
    Origin,
    RequestLimits,
    is_external,
)

SAMPLES = Path(__file__).parents[1] / "samples" / "slack"
MONITOR = Intervene(action=ActionName.MONITOR, target=Target(kind="extension", text="0003*210"), call="c1")
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


# ── how much may be under way ──


def an_origin(name: str = "U0ANA", *, acting: bool = False, known: bool = True) -> Origin:
    return Origin(name, external=False, acts=acting, known=known)


def filled(many: int, origin: Callable[[int], Origin]) -> RequestLimits:
    """With so many requests under way, each of the person that `origin` gives."""
    limits = RequestLimits()
    for number in range(many):
        limits.count(origin(number), 1)
    return limits


def everybody(*, acting: bool) -> Callable[[int], Origin]:
    """Each request of somebody else."""
    return lambda number: an_origin(f"U{number}", acting=acting)


@pytest.mark.parametrize("acting", [False, True])
def test_a_person_has_a_share_and_is_told_to_wait_beyond_it(*, acting: bool) -> None:
    limits = filled(MOST_EACH, lambda _: an_origin(acting=acting))
    assert (limits.refusal(an_origin(acting=acting)), limits.refusal(an_origin("U0LIS", acting=acting))) == (
        STILL_AT_WORK,
        "",
    )


def test_ones_own_lists_are_not_in_the_way_of_ones_own_interventions() -> None:
    limits = filled(MOST_EACH, lambda _: an_origin())
    assert limits.refusal(an_origin(acting=True)) == ""


def test_where_too_much_is_under_way_lists_are_refused_and_interventions_are_not() -> None:
    limits = filled(MOST_LISTS, everybody(acting=False))
    assert (limits.refusal(an_origin()), limits.refusal(an_origin(acting=True))) == (TOO_MUCH_TO_DO, "")


def test_there_is_an_end_for_interventions_too() -> None:
    assert filled(MOST_UNDER_WAY, everybody(acting=True)).refusal(an_origin(acting=True)) == TOO_MUCH_TO_DO


def test_people_whom_nobody_knows_have_one_share_together() -> None:
    limits = filled(MOST_UNKNOWN, lambda number: an_origin(f"U{number}", known=False))
    assert (limits.refusal(an_origin("U0EVE", known=False)), limits.refusal(an_origin())) == (TOO_MUCH_TO_DO, "")


def test_people_whom_nobody_knows_come_last_whatever_they_ask() -> None:
    limits = filled(MOST_LISTS, everybody(acting=False))
    assert limits.refusal(an_origin("U0EVE", acting=True, known=False)) == TOO_MUCH_TO_DO


class Door:
    """Listeners whose requests end when `done` is set; `typed` is what each says in its ack, `meant` what each asks for."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.meant: list[Command | Refusal] = []
        outbox: Any = None
        self.listeners = Listeners(
            handle=self._handle,
            outbox=outbox,
            home=Home("T0LOCAL"),
            knows=lambda _: True,
            now=lambda: datetime.now(UTC),
            sleep=asyncio.sleep,
            new_id=lambda: "r1",
        )

    async def typed(self, line: str, user: str = "U0ANA", team: str = "T0LOCAL") -> str:
        command, _, text = line.partition(" ")
        ack = AsyncAck()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        await self.listeners.command(ack, {"command": command, "text": text, "user_id": user, "team_id": team})
        assert ack.response is not None
        return str(json.loads(ack.response.body)["text"]) if ack.response.body else ""

    async def clicked(self) -> None:
        """Ana clicks *Monitor*, and the ack says nothing."""
        ack = AsyncAck()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        actions = [{"action_id": "intervene:Monitor:0", "value": pack(Offer(MONITOR, "C0FLOOR"))}]
        await self.listeners.click(ack, {**click("T0LOCAL"), "actions": actions})
        assert ack.response is not None
        assert not ack.response.body
        await asyncio.sleep(0)

    async def _handle(self, request: Request, meant: Command | Refusal, asker: Asker) -> None:
        self.meant.append(meant)
        await self.done.wait()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    yield door
    await door.listeners.drain(0.0)


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("/monitor 0003*210", ""),
        ("/calls help-me", ""),
        ("/calls", STILL_AT_WORK),
        ("/calls help", STILL_AT_WORK),
        ("/monitor what?", STILL_AT_WORK),
    ],
)
async def test_lists_help_and_what_means_nothing_share_one_limit_and_leave_the_rest_alone(
    door: Door, typed: str, refusal: str
) -> None:
    assert {await door.typed("/calls") for _ in range(MOST_EACH)} == {""}
    assert await door.typed(typed) == refusal


async def test_when_ones_requests_are_done_the_next_is_taken(door: Door) -> None:
    for _ in range(MOST_EACH):
        await door.typed("/calls")
    door.done.set()
    while door.listeners.under_way:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    assert await door.typed("/calls") == ""


async def test_a_click_beyond_ones_share_is_answered_with_why_and_nothing_else_is_done(door: Door) -> None:
    for _ in range(MOST_EACH + 1):
        await door.clicked()
    assert (door.meant[:-1], str(door.meant[-1])) == ([MONITOR] * MOST_EACH, STILL_AT_WORK)


async def test_beyond_many_such_answers_a_click_gets_none(door: Door) -> None:
    for _ in range(MOST_EACH + MOST_ANSWERS + 1):
        await door.clicked()
    assert door.listeners.under_way == MOST_EACH + MOST_ANSWERS


async def test_an_external_user_is_nobody_whom_the_configuration_names(door: Door) -> None:
    for number in range(MOST_UNKNOWN):
        await door.typed("/calls", f"U{number}", team="T0OTHER")
    assert (await door.typed("/calls", "U0EVE", team="T0OTHER"), await door.typed("/calls")) == (TOO_MUCH_TO_DO, "")


async def test_while_callbot_stops_nothing_is_taken(door: Door) -> None:
    await door.listeners.drain(0.0)
    assert await door.typed("/monitor 0003*210") == STOPPING
