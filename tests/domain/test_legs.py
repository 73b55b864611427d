"""Which views of a call are supervisors' legs, or may be; and the call as others may see it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.legs import NOTHING_KNOWN, Known, as_others_see, own_views, talks, without_legs
from bot.domain.permissions import Permissions

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
LEG = Known(legs=frozenset({"02"}))


def ids(views: tuple[PhoneCallView, ...]) -> list[str]:
    return [view.id for view in views]


@pytest.fixture
def own(rules: Permissions) -> Callable[..., list[str]]:
    """The ids of Bob's own views of a call."""
    return lambda call, known=NOTHING_KNOWN, **more: ids(own_views(call, "0003*210", known, rules, **more))


@pytest.fixture
def shown(rules: Permissions) -> Callable[..., list[str]]:
    """The ids of the views that anybody may see."""
    return lambda call, known=NOTHING_KNOWN: ids(as_others_see(call, known, rules).views)


Ids = Callable[..., list[str]]

# ── the views of one extension ──


def test_a_view_of_another_extension_is_not_the_agents(a_call: MakeCall, a_view: MakeView, own: Ids) -> None:
    assert own(a_call(a_view("00", extension="0003*220"), a_view("01"))) == ["01"]


def test_a_leg_that_came_with_an_intervention_of_ours_is_left_out(a_call: MakeCall, a_view: MakeView, own: Ids) -> None:
    assert own(a_call(a_view("01"), a_view("02", source=["0003*777"])), LEG) == ["01"]


@pytest.mark.parametrize("source", ["0003*024", "0003*777"])
def test_a_leg_of_which_callbot_knows_nothing_is_left_out(
    a_call: MakeCall, a_view: MakeView, a_leg: MakeView, own: Ids, source: str
) -> None:
    assert own(a_call(a_leg("00", source=[source]), a_view("01"))) == ["01"]


def test_a_supervisor_who_calls_the_agent_is_no_leg(
    a_call: MakeCall, a_view: MakeView, a_leg: MakeView, own: Ids
) -> None:
    call = a_call(a_view("00", extension="0003*024", source=["0003*024"]), a_leg("01"))
    assert (own(call), own(call, owner=True)) == (["01"], ["01"])


def test_where_only_a_leg_is_left_nothing_is_the_agents(a_call: MakeCall, a_leg: MakeView, own: Ids) -> None:
    call = a_call(a_leg("02"))
    assert (own(call), own(call, LEG), own(call, owner=True)) == ([], [], [])


@pytest.mark.parametrize("source", ["024", "sip:024@pbx.example.com"], ids=["short number", "address"])
def test_a_supervisors_leg_is_not_acted_on_in_whatever_form_it_names_their_phone(
    a_call: MakeCall, a_leg: MakeView, own: Ids, source: str
) -> None:
    assert own(a_call(a_leg("02", source=[source]))) == []


def test_a_call_that_was_picked_up_can_be_acted_on_where_callbot_knows_it(
    a_call: MakeCall, a_leg: MakeView, own: Ids
) -> None:
    call, picked_up = a_call(a_leg("01")), Known(heard=frozenset({"01"}))
    assert (own(call), own(call, picked_up), own(call, picked_up, owner=True)) == ([], ["01"], [])


def test_who_listens_to_a_call_that_was_picked_up_is_no_side_of_it(a_call: MakeCall, a_leg: MakeView, own: Ids) -> None:
    call = a_call(a_leg("01"), a_leg("02", source=["0003*777"]))
    assert own(call, Known(heard=frozenset({"01"}))) == ["01"]


def test_a_view_from_a_phone_that_may_do_nothing_there_is_for_all_but_the_agent(
    a_call: MakeCall, a_leg: MakeView, own: Ids
) -> None:
    """A queue, or a colleague whose own view this list leaves out; or a leg from outside callbot."""
    call = a_call(a_leg("01", source=["0003*500"]))
    assert (own(call), own(call, owner=True)) == (["01"], [])


def test_our_leg_in_a_call_of_a_supervisor_leaves_the_agents_view(
    a_call: MakeCall, a_view: MakeView, a_leg: MakeView, own: Ids
) -> None:
    caller = a_view("00", extension="0003*025", source=["0003*025"])
    assert own(a_call(caller, a_leg("01", source=["0003*025"]), a_leg("02")), LEG) == ["01"]


def test_several_views_that_are_no_legs_all_remain(a_call: MakeCall, a_view: MakeView, own: Ids) -> None:
    assert own(a_call(a_view("00"), a_view("01"))) == ["00", "01"]


def test_a_view_whose_id_cannot_be_sent_is_not_acted_on(a_call: MakeCall, a_view: MakeView, own: Ids) -> None:
    assert own(a_call(a_view("a/b"), a_view("01"))) == ["01"]


# ── what others see ──

HIDDEN: dict[str, dict[str, Any]] = {
    "a supervisor's": {},
    "another's": {"source": ["0003*777"]},
    "of a view without flow": {"flow": None},
    "beside an outside number": {"source": ["+15550100", "0003*024"]},
    "in an address": {"source": ["sip:0003*024@pbx.example.com"]},
    "in an address with a short number": {"source": ["sip:777@pbx.example.com"]},
    "in a supervisor's address with a short number": {"source": ["sip:024@pbx.example.com"], "flow": None},
    "in the name of a channel": {"source": ["SIP/024-0000001a"], "flow": None},
    "in an encoded number": {"source": ["0003%2A024"], "flow": None},
    "in a number with a blank": {"source": [" 024"], "flow": None},
    "with a name for a source": {"source": ["conference"]},
    "with a short number of a supervisor": {"source": ["024"], "flow": None},
    "with a short number": {"source": ["777"]},
    "without a source": {"source": []},
    "that rings": {"status": 3},
    "with no state": {"status": None},
}


@pytest.mark.parametrize("fields", HIDDEN.values(), ids=HIDDEN)
def test_nobody_sees_what_may_be_a_leg(
    a_call: MakeCall, a_view: MakeView, a_leg: MakeView, shown: Ids, fields: dict[str, Any]
) -> None:
    assert (shown(a_call(a_view("01"), a_leg("02", **fields))), shown(a_call(a_leg("02", **fields)))) == (["01"], [])


def test_who_called_through_a_queue_is_seen(a_call: MakeCall, a_view: MakeView, a_leg: MakeView, shown: Ids) -> None:
    queue = a_view("00", extension="0003*500", destination=["0003*500"])
    assert shown(a_call(queue, a_view("01", source=["0003*500"]), a_leg("02"))) == ["00", "01"]


def test_a_call_that_rings_at_a_colleagues_is_seen(a_call: MakeCall, a_view: MakeView, shown: Ids) -> None:
    assert shown(a_call(a_view("01", source=["0003*500"], status=3))) == ["01"]


def test_an_outside_number_that_looks_like_an_extension_is_outside(
    a_call: MakeCall, a_view: MakeView, shown: Ids
) -> None:
    assert shown(a_call(a_view("01", source=["5550188"], flow=None))) == ["01"]


@pytest.mark.parametrize(
    "source", ["+1 555 024", "sip:+15550188@10.0.0.024", "anonymous"], ids=["punctuated", "in an address", "withheld"]
)
def test_an_outside_number_in_another_form_is_outside(
    a_call: MakeCall, a_view: MakeView, shown: Ids, source: str
) -> None:
    assert shown(a_call(a_view("01", source=[source], flow=None))) == ["01"]


def test_a_colleague_whose_phone_is_named_by_an_address_is_a_party(
    a_call: MakeCall, a_view: MakeView, a_leg: MakeView, shown: Ids
) -> None:
    caller = a_view("00", extension="0003*024", source=["sip:024@pbx.example.com"])
    assert shown(a_call(caller, a_leg("01", source=["sip:024@pbx.example.com"]))) == ["00", "01"]


def test_who_is_in_the_call_openly_is_seen(a_call: MakeCall, a_view: MakeView, a_leg: MakeView, shown: Ids) -> None:
    call = a_call(a_view("01"), a_leg("02"), a_leg("03", source=["0003*025"]))
    assert shown(call, Known(frozenset({"02"}), heard=frozenset({"02"}))) == ["01", "02"]


def test_two_views_of_one_id_are_not_both_known(a_call: MakeCall, a_leg: MakeView, shown: Ids) -> None:
    call = a_call(a_leg("02"), a_leg("02", source=["0003*025"]))
    assert shown(call, Known(frozenset({"02"}), heard=frozenset({"02"}))) == ["02"]


SIDES = st.sampled_from(["0003*210", "0003*211", "0003*220", "0003*500"])
OUTSIDE = st.sampled_from(["+15550100", "5550188"])


@settings(deadline=None)
@given(
    sides=st.lists(st.tuples(SIDES, st.one_of(SIDES, OUTSIDE), st.sampled_from([3, 4, 5])), max_size=5),
    legs=st.lists(st.tuples(SIDES, st.sampled_from(["0003*024", "0003*025", "0003*777"])), min_size=1, max_size=3),
)
def test_a_supervisor_who_comes_to_listen_changes_nothing_that_others_see(
    *,
    a_call: MakeCall,
    a_view: MakeView,
    a_leg: MakeView,
    rules: Permissions,
    sides: list[tuple[str, str, int]],
    legs: list[tuple[str, str]],
) -> None:
    views = [
        a_view(f"1{place}", extension=extension, source=[source], destination=[extension], status=status)
        for place, (extension, source, status) in enumerate(sides)
    ]
    silent = [
        a_leg(f"2{place}", extension=extension, source=[source], destination=[extension])
        for place, (extension, source) in enumerate(legs)
    ]
    alone, joined = a_call(), a_call()
    alone, joined = (
        call.model_copy(update={"views": tuple(v)}) for call, v in ((alone, views), (joined, views + silent))
    )
    assert as_others_see(joined, NOTHING_KNOWN, rules).views == as_others_see(alone, NOTHING_KNOWN, rules).views


# ── who is protected ──


def test_what_is_left_out_protects_where_it_may_be_a_party(
    a_call: MakeCall, a_leg: MakeView, rules: Permissions
) -> None:
    assert rules.protects(without_legs(a_call(a_leg("01", source=["0003*299"])), NOTHING_KNOWN, rules))


def test_a_protected_supervisor_who_listens_is_not_told_by_the_protection(
    a_call: MakeCall, a_view: MakeView, a_leg: MakeView, rules: Permissions
) -> None:
    call = a_call(a_view("01"), a_leg("02", source=["0003*299"]))
    assert not rules.protects(without_legs(call, NOTHING_KNOWN, rules))


# ── who is listened to ──


def test_who_talks_is_a_party_and_who_listens_is_none(
    a_call: MakeCall, a_view: MakeView, a_leg: MakeView, rules: Permissions
) -> None:
    call = a_call(a_view("01"), a_leg("02"))
    assert [talks(call, {phone}, LEG, rules) for phone in ("0003*210", "0003*024")] == [True, False]


def test_who_picked_a_call_up_talks(a_call: MakeCall, a_leg: MakeView, rules: Permissions) -> None:
    picked_up = Known(heard=frozenset({"01"}))
    assert talks(a_call(a_leg("01")), {"0003*024"}, picked_up, rules)
