"""The garbage collector walks through everything seldom, so that a large floor blocks nobody."""

import gc
from collections.abc import Iterator

import pytest

from bot.app.collecting import FULL, MIDDLE, YOUNG, collect_rarely, keep_for_good

pytestmark = pytest.mark.usefixtures("as_before")


@pytest.fixture
def as_before() -> Iterator[None]:
    """The collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_full_collections_are_rare() -> None:
    collect_rarely()
    assert gc.get_threshold() == (YOUNG, MIDDLE, FULL)


def test_what_is_there_at_the_start_is_not_walked_through_again() -> None:
    there: list[list[object]] = [[]]
    keep_for_good()
    assert not any(one is there for one in gc.get_objects())
