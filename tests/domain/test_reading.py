"""Calls are small: slots in place of a dict, and what is said again and again is kept once."""

import dataclasses
import gc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.app.collecting import FULL, MIDDLE, YOUNG, collect_rarely
from bot.domain.calls import PhoneCall, PhoneCallView, Status

MakeCall = Callable[..., PhoneCall]
MakeView = Callable[..., PhoneCallView]


def test_a_call_has_slots_in_place_of_a_dict(a_call: MakeCall) -> None:
    call = a_call()
    assert not any(hasattr(one, "__dict__") for one in (call, *call.views))


def test_a_call_cannot_be_changed(a_call: MakeCall) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_call().extension = "0003*211"  # type: ignore[misc]  # that is the claim


def test_a_copy_has_what_is_given_and_otherwise_what_was_there(a_call: MakeCall) -> None:
    call = a_call()
    copy = call.model_copy(update={"published": None})
    assert (copy.published, copy.id, copy.views) == (None, call.id, call.views)


def test_a_copy_leaves_the_call_as_it_was(a_call: MakeCall) -> None:
    call, same = a_call(), a_call()
    call.model_copy(update={"published": None})
    assert call == same


def test_what_is_given_to_a_copy_is_not_read(a_view: MakeView) -> None:
    answered = datetime(2026, 11, 20, tzinfo=UTC)
    assert a_view().model_copy(update={"answered": answered}).answered is answered


def test_calls_that_say_the_same_are_equal_and_count_once(a_call: MakeCall) -> None:
    assert len({a_call(), a_call(), a_call(extension="0003*211")}) == 2


def test_a_call_is_written_in_the_names_of_the_wire_where_asked_for(a_view: MakeView) -> None:
    assert '"callerId"' in a_view().model_dump_json(by_alias=True)
    assert '"caller_id"' in a_view().model_dump_json()


def test_half_a_character_is_one_that_says_so(a_view: MakeView) -> None:
    assert a_view(callerId="\ud800 \U0001f600 \udc00x").caller_id == "\ufffd \U0001f600 \ufffdx"


@pytest.mark.parametrize(
    "date", ["2026-11-20T10:00:00+02:00", "2026-11-20T10:00:00+02:00" + " " * 16], ids=["short", "too long to keep"]
)
def test_a_date_is_the_same_instant_every_time(a_view: MakeView, date: str) -> None:
    instants = {a_view(answered=date).answered for _ in range(2)}
    assert instants == {datetime(2026, 11, 20, 8, tzinfo=UTC)}


def test_a_date_that_is_said_again_is_one_object(a_view: MakeView) -> None:
    one, other = (a_view(answered="2026-11-20T10:00:00+02:00").answered for _ in range(2))
    assert one is other


@pytest.mark.parametrize(("raw", "status"), [(1, Status.OFF_HOOK), (True, Status.UNKNOWN), (1.0, Status.UNKNOWN)])
def test_a_number_that_was_seen_before_is_no_other_value(a_view: MakeView, raw: Any, status: Status) -> None:
    assert (a_view(status=1).status, a_view(status=raw).status) == (Status.OFF_HOOK, status)


# ── garbage ──


@pytest.fixture
def as_before() -> Iterator[None]:
    """The collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("as_before")
def test_everything_is_looked_through_seldom() -> None:
    collect_rarely()
    assert gc.get_threshold() == (YOUNG, MIDDLE, FULL)


@pytest.mark.usefixtures("as_before")
def test_what_is_there_at_the_start_is_not_looked_through_again() -> None:
    there: list[list[object]] = [[]]
    collect_rarely()
    assert not any(one is there for one in gc.get_objects())
