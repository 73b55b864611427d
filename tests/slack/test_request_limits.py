"""No person's requests keep others waiting: a share for each person, and capacity that is kept for interventions."""

from collections.abc import Callable

import pytest

from bot.domain.actions import ActionName
from bot.domain.commands import AskForHelp, Command, Help, Intervene, ListCalls, Target
from bot.domain.errors import BadCommand, Refusal
from bot.slack.request_limits import (
    BUSY,
    MOST_EACH,
    MOST_LISTS,
    MOST_UNKNOWN,
    MOST_WAITING,
    WAIT,
    Requester,
    RequestLimits,
    acts,
)


def a_requester(name: str = "U0ANA", *, acting: bool = False, known: bool = True) -> Requester:
    return Requester(name, acts=acting, known=known)


def filled(many: int, requester: Callable[[int], Requester]) -> RequestLimits:
    """With so many requests under way, each of the person that `requester` gives."""
    limits = RequestLimits()
    for number in range(many):
        limits.started(requester(number))
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
    limits.ended(a_requester())
    assert limits.refusal(a_requester()) == ""


INTERVENE = Intervene(action=ActionName.MONITOR, target=Target(kind="extension", text="0003*210"))


@pytest.mark.parametrize(
    ("meant", "is_one"),
    [
        (INTERVENE, True),
        (AskForHelp(), True),
        (ListCalls(), False),
        (Help(), False),
        (BadCommand("What?", "/calls"), False),
    ],
)
def test_lists_help_and_what_means_nothing_are_no_acts(meant: Command | Refusal, *, is_one: bool) -> None:
    assert acts(meant) is is_one
