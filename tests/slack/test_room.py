"""Nobody's requests stand in the way of others: shares for each person, and room that is kept for those who act."""

from collections.abc import Callable

import pytest

from bot.domain.actions import ActionName
from bot.domain.commands import AskForHelp, Command, Help, Intervene, ListCalls, Target
from bot.domain.errors import BadCommand, Refusal
from bot.slack.room import BUSY, MOST_EACH, MOST_LISTS, MOST_UNKNOWN, MOST_WAITING, WAIT, Guest, Room, acts


def a_guest(name: str = "U0ANA", *, acting: bool = False, known: bool = True) -> Guest:
    return Guest(name, acts=acting, known=known)


def filled(many: int, guest: Callable[[int], Guest]) -> Room:
    """A room with so many requests, each as that says."""
    room = Room()
    for number in range(many):
        room.enter(guest(number))
    return room


def everybody(*, acting: bool) -> Callable[[int], Guest]:
    """Each request of somebody else."""
    return lambda number: a_guest(f"U{number}", acting=acting)


@pytest.mark.parametrize("acting", [False, True])
def test_a_person_has_a_share_and_is_told_to_wait_beyond_it(*, acting: bool) -> None:
    room = filled(MOST_EACH, lambda _: a_guest(acting=acting))
    assert (room.why_not(a_guest(acting=acting)), room.why_not(a_guest("U0LIS", acting=acting))) == (WAIT, "")


def test_ones_own_lists_are_not_in_the_way_of_ones_own_interventions() -> None:
    room = filled(MOST_EACH, lambda _: a_guest())
    assert room.why_not(a_guest(acting=True)) == ""


def test_where_too_much_is_under_way_lists_are_refused_and_interventions_are_not() -> None:
    room = filled(MOST_LISTS, everybody(acting=False))
    assert (room.why_not(a_guest()), room.why_not(a_guest(acting=True))) == (BUSY, "")


def test_there_is_an_end_for_interventions_too() -> None:
    assert filled(MOST_WAITING, everybody(acting=True)).why_not(a_guest(acting=True)) == BUSY


def test_people_whom_nobody_knows_have_one_share_together() -> None:
    room = filled(MOST_UNKNOWN, lambda number: a_guest(f"U{number}", known=False))
    assert (room.why_not(a_guest("U0EVE", known=False)), room.why_not(a_guest())) == (BUSY, "")


def test_people_whom_nobody_knows_come_last_whatever_they_ask() -> None:
    room = filled(MOST_LISTS, everybody(acting=False))
    assert room.why_not(a_guest("U0EVE", acting=True, known=False)) == BUSY


def test_what_is_done_leaves_room() -> None:
    room = filled(MOST_EACH, lambda _: a_guest())
    room.leave(a_guest())
    assert room.why_not(a_guest()) == ""


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
