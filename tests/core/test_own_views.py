"""Which views of a call are the agent's own, and which are supervisors' legs."""

from collections.abc import Callable

from bot.phonecalls import PhoneCall, PhoneCallView
from bot.planning import own_views

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
SUPERVISORS = frozenset({"0003*024", "0003*025"})
NO_LEGS: frozenset[str] = frozenset()


def ids(views: tuple[PhoneCallView, ...]) -> list[str]:
    return [view.id for view in views]


def test_a_view_of_another_extension_is_not_the_agents(a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view("00", extension="0003*220"), a_view("01"))
    assert ids(own_views(call, "0003*210", NO_LEGS, SUPERVISORS)) == ["01"]


def test_a_leg_that_came_with_an_intervention_of_ours_is_left_out(a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view("01"), a_view("02", source=["0003*777"]))
    assert ids(own_views(call, "0003*210", frozenset({"02"}), SUPERVISORS)) == ["01"]


def test_a_leg_whose_source_may_act_here_is_left_out(a_call: MakeCall, a_view: MakeView, a_leg: MakeView) -> None:
    assert ids(own_views(a_call(a_leg("00"), a_view("01")), "0003*210", NO_LEGS, SUPERVISORS)) == ["01"]


def test_legs_by_us_and_by_source_are_left_out_together(a_call: MakeCall, a_view: MakeView, a_leg: MakeView) -> None:
    call = a_call(a_view("01"), a_leg("02", source=["0003*777"]), a_leg("03", source=["0003*025"]))
    assert ids(own_views(call, "0003*210", frozenset({"02"}), SUPERVISORS)) == ["01"]


def test_a_supervisor_who_calls_the_agent_is_no_leg(a_call: MakeCall, a_leg: MakeView) -> None:
    assert ids(own_views(a_call(a_leg("00")), "0003*210", NO_LEGS, SUPERVISORS)) == ["00"]


def test_the_only_view_is_the_agents_even_if_it_was_ours(a_call: MakeCall, a_leg: MakeView) -> None:
    assert ids(own_views(a_call(a_leg("02")), "0003*210", frozenset({"02"}), SUPERVISORS)) == ["02"]


def test_our_leg_in_a_call_of_a_supervisor_leaves_the_supervisors_view(a_call: MakeCall, a_leg: MakeView) -> None:
    call = a_call(a_leg("00", source=["0003*025"]), a_leg("02"))
    assert ids(own_views(call, "0003*210", frozenset({"02"}), SUPERVISORS)) == ["00"]


def test_several_views_that_are_no_legs_all_remain(a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view("00"), a_view("01"))
    assert ids(own_views(call, "0003*210", NO_LEGS, SUPERVISORS)) == ["00", "01"]


def test_a_view_whose_id_cannot_be_sent_is_not_acted_on(a_call: MakeCall, a_view: MakeView) -> None:
    assert ids(own_views(a_call(a_view("a/b"), a_view("01")), "0003*210", NO_LEGS, SUPERVISORS)) == ["01"]
