"""No person's requests keep others waiting: a share for each person, and capacity that is kept for interventions."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck

from bot.domain.commands import Command, Request
from bot.domain.errors import Refusal
from bot.interventions.service import Asker
from bot.slack.listeners import (
    BUSY,
    MOST_EACH,
    MOST_LISTS,
    MOST_UNKNOWN,
    MOST_WAITING,
    STOPPING,
    WAIT,
    Home,
    Listeners,
    Requester,
    RequestLimits,
)


def a_requester(name: str = "U0ANA", *, acting: bool = False, known: bool = True) -> Requester:
    return Requester(name, external=False, acts=acting, known=known)


def filled(many: int, requester: Callable[[int], Requester]) -> RequestLimits:
    """With so many requests under way, each of the person that `requester` gives."""
    limits = RequestLimits()
    for number in range(many):
        limits.count(requester(number), 1)
    return limits


def everybody(*, acting: bool) -> Callable[[int], Requester]:
    """Each request of somebody else."""
    return lambda number: a_requester(f"U{number}", acting=acting)


@pytest.mark.parametrize("acting", [False, True])
def test_a_person_has_a_share_and_is_told_to_wait_beyond_it(*, acting: bool) -> None:
    limits = filled(MOST_EACH, lambda _: a_requester(acting=acting))
    assert (limits.refusal(a_requester(acting=acting)), limits.refusal(a_requester("U0LIS", acting=acting))) == (
        WAIT,
        "",
    )


def test_ones_own_lists_are_not_in_the_way_of_ones_own_interventions() -> None:
    limits = filled(MOST_EACH, lambda _: a_requester())
    assert limits.refusal(a_requester(acting=True)) == ""


def test_where_too_much_is_under_way_lists_are_refused_and_interventions_are_not() -> None:
    limits = filled(MOST_LISTS, everybody(acting=False))
    assert (limits.refusal(a_requester()), limits.refusal(a_requester(acting=True))) == (BUSY, "")


def test_there_is_an_end_for_interventions_too() -> None:
    assert filled(MOST_WAITING, everybody(acting=True)).refusal(a_requester(acting=True)) == BUSY


def test_people_whom_nobody_knows_have_one_share_together() -> None:
    limits = filled(MOST_UNKNOWN, lambda number: a_requester(f"U{number}", known=False))
    assert (limits.refusal(a_requester("U0EVE", known=False)), limits.refusal(a_requester())) == (BUSY, "")


def test_people_whom_nobody_knows_come_last_whatever_they_ask() -> None:
    limits = filled(MOST_LISTS, everybody(acting=False))
    assert limits.refusal(a_requester("U0EVE", acting=True, known=False)) == BUSY


def test_a_request_that_is_done_no_longer_counts() -> None:
    limits = filled(MOST_EACH, lambda _: a_requester())
    limits.count(a_requester(), -1)
    assert limits.refusal(a_requester()) == ""


async def hang(request: Request, meant: Command | Refusal, asker: Asker) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("/monitor 0003*210", ""),
        ("/calls help-me", ""),
        ("/calls", WAIT),
        ("/calls help", WAIT),
        ("/monitor what?", WAIT),
    ],
)
async def test_lists_help_and_what_means_nothing_share_one_limit_and_leave_the_rest_alone(
    typed: str, refusal: str
) -> None:
    outbox: Any = None
    listeners = Listeners(
        handle=hang,
        outbox=outbox,
        home=Home("T0LOCAL"),
        knows=lambda _: True,
        now=lambda: datetime.now(UTC),
        sleep=asyncio.sleep,
        new_id=lambda: "r1",
    )

    async def said_to(line: str) -> str:
        command, _, text = line.partition(" ")
        ack = AsyncAck()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        body = {"command": command, "text": text, "user_id": "U0ANA", "team_id": "T0LOCAL"}
        await listeners.command(ack, body)
        assert ack.response is not None
        return str(json.loads(ack.response.body)["text"]) if ack.response.body else ""

    for _ in range(MOST_EACH):
        assert await said_to("/calls") == ""
    assert await said_to(typed) == refusal
    await listeners.drain(0.0)
    assert await said_to("/monitor 0003*210") == STOPPING
