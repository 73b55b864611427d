"""What a line of the list says of a call, as far as the asker may know, and what it offers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Intervene, Target
from bot.domain.directory import Agent, Directory
from bot.domain.intervention import Intervention, State
from bot.domain.legs import Known
from bot.domain.permissions import Permissions
from bot.interventions.call_list import Line, offered_choice
from bot.interventions.planner import CallAndView

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeIntervention = Callable[..., Intervention]
List = Callable[..., tuple[Line, ...]]
JOINING = [ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN]


def offered(line: Line) -> list[ActionName]:
    return [button.command.action for button in line.buttons]


# ── who is on it ──


@pytest.fixture
def inside(an_intervention: MakeIntervention) -> Callable[..., Intervention]:
    """A supervisor, of themselves Ana, who is proven to be in Bob's call."""

    def build(name: ActionName = ActionName.MONITOR, **fields: Any) -> Intervention:
        return an_intervention(name, **fields).model_copy(update={"state": State.CONNECTED, "leg": "02"})

    return build


Inside = Callable[..., Intervention]


def test_a_supervisor_who_is_on_a_call_is_named_to_another(
    listed: List, inside: Inside, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    call = a_call(a_view("01"), a_leg("02"))
    (line,) = listed("U0CLEO", call, tracked=(inside(),), known={"c1": Known(frozenset({"02"}))})
    assert (line.present, line.asker_present) == (("Ana Pop",), False)


def test_a_leg_that_nobody_asked_callbot_for_is_known_by_its_source(
    listed: List, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    (line,) = listed("U0CLEO", a_call(a_view("01"), a_leg("02")))
    assert line.present == ("Ana Pop",)


def test_a_leg_that_rings_is_not_on_the_call(listed: List, a_call: MakeCall, a_view: MakeView, a_leg: MakeView) -> None:
    (line,) = listed("U0CLEO", a_call(a_view("01"), a_leg("02", status=3)))
    assert line.present == ()


def test_ones_own_leg_is_told_as_ones_own(
    listed: List, inside: Inside, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    (line,) = listed("U0ANA", a_call(a_view("01"), a_leg("02")), tracked=(inside(),))
    assert (line.present, line.asker_present) == ((), True)


def test_a_leg_of_ones_second_phone_is_ones_own(
    listed: List, rules: Permissions, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    ana = replace(rules.people["U0ANA"], extensions=("0003*024", "0003*026"))
    here = replace(rules, people={"U0ANA": ana})
    (line,) = listed("U0ANA", a_call(a_view("01"), a_leg("02", source=["0003*026"])), rules=here)
    assert (line.present, line.asker_present) == ((), True)


def test_an_agent_is_not_told_who_is_on_their_call(
    listed: List, inside: Inside, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    (line,) = listed("U0BOB", a_call(a_view("01"), a_leg("02")), tracked=(inside(),))
    assert (line.present, line.asker_present) == ((), False)


def test_a_supervisor_is_not_told_who_is_on_their_own_call(
    listed: List, rules: Permissions, inside: Inside, a_call: MakeCall
) -> None:
    """Of their own phone a supervisor knows what an agent knows of theirs."""
    cleo = replace(rules.people["U0CLEO"], extensions=("0003*210",))
    here = replace(rules, people={"U0ANA": rules.people["U0ANA"], "U0CLEO": cleo})
    (line,) = listed("U0CLEO", a_call(), rules=here, tracked=(inside(),))
    assert line.present == ()


def test_a_supervisor_on_the_other_side_of_a_call_is_not_told_to_who_may_act_on_this_side_alone(
    listed: List, rules: Permissions, inside: Inside, a_call: MakeCall, a_view: MakeView
) -> None:
    call = a_call(a_view("00", extension="0003*310"), a_view("01"))
    sales = replace(rules.roles["supervisor"], extensions=rules.roles["supervisor"].extensions[1:])
    here = replace(
        rules,
        roles={"sales": sales},
        people={"U0ANA": rules.people["U0ANA"], "U0CLEO": replace(rules.people["U0CLEO"], roles=("sales",))},
    )
    (line,) = listed("U0CLEO", call, rules=here, tracked=(inside(),))
    assert (line.view.extension, line.present) == ("0003*310", ())


def test_a_supervisor_of_an_earlier_call_with_this_id_is_not_on_it(
    listed: List, inside: Inside, a_call: MakeCall, noon: datetime
) -> None:
    later = a_call(published=noon.isoformat())
    assert listed("U0CLEO", later, tracked=(inside(),))[0].present == ()


def test_a_supervisor_whose_phone_still_rings_is_not_on_it(
    listed: List, an_intervention: MakeIntervention, a_call: MakeCall
) -> None:
    assert listed("U0CLEO", a_call(), tracked=(an_intervention(),))[0].present == ()


# ── what is in the way of a button ──


@pytest.mark.parametrize(
    ("current", "offered_still"),
    [
        (ActionName.MONITOR, [ActionName.WHISPER, ActionName.BARGE_IN, ActionName.START_RECORDING]),
        (ActionName.BARGE_IN, [ActionName.MONITOR, ActionName.WHISPER, ActionName.START_RECORDING]),
        (ActionName.PICK_UP, [ActionName.START_RECORDING]),
    ],
)
def test_what_one_does_already_is_not_offered(
    listed: List, inside: Inside, a_call: MakeCall, current: ActionName, offered_still: list[ActionName]
) -> None:
    assert offered(listed("U0ANA", a_call(), tracked=(inside(current),))[0]) == offered_still


def test_what_somebody_else_does_is_offered(listed: List, inside: Inside, a_call: MakeCall) -> None:
    line = listed("U0CLEO", a_call(), tracked=(inside(),))[0]
    assert offered(line) == [*JOINING, ActionName.START_RECORDING]


def test_nothing_that_rings_ones_phone_is_offered_while_it_rings(
    listed: List, an_intervention: MakeIntervention, a_call: MakeCall
) -> None:
    line = listed("U0ANA", a_call(), tracked=(an_intervention(),))[0]
    assert offered(line) == [ActionName.START_RECORDING]


def test_a_request_of_ones_own_for_another_call_is_in_nobodys_way(
    listed: List, an_intervention: MakeIntervention, a_call: MakeCall
) -> None:
    line = listed("U0ANA", a_call(), tracked=(an_intervention(call_id="c2"),))[0]
    assert offered(line) == [*JOINING, ActionName.START_RECORDING]


@pytest.mark.parametrize("status", [3, 5])
def test_a_call_of_ones_own_phone_is_not_offered_on_the_other_side(
    listed: List, a_call: MakeCall, a_view: MakeView, status: int
) -> None:
    call = a_call(a_view("00", extension="0003*024", status=4), a_view("01", source=["0003*024"], status=status))
    (line,) = [line for line in listed("U0ANA", call) if line.view.extension == "0003*210"]
    assert set(offered(line)) <= {ActionName.START_RECORDING}


def test_a_call_of_another_organisation_can_be_recorded_and_rings_no_phone(
    listed: List, rules: Permissions, a_call: MakeCall
) -> None:
    far = replace(rules.people["U0ANA"], extensions=("0004*024",))
    line = listed("U0ANA", a_call(), rules=replace(rules, people={**rules.people, "U0ANA": far}))[0]
    assert offered(line) == [ActionName.START_RECORDING]


# ── names ──

NAMES = {
    "0003*220": {"0003*220": "Dan Rus"},
    "220": {"220": "Dan Rus"},
    "0003*310": {"0003*310": "Ilie Sales"},
    "+15550100": {},
    "0004*220": {},
}
"""Who calls, and how they are named: of callbot.toml, also where its organisation is left out; of the directory; nobody known."""


@pytest.mark.parametrize("source", NAMES)
def test_the_other_party_is_named_where_callbot_toml_or_the_directory_knows_them(
    listed: List, rules: Permissions, a_call: MakeCall, a_view: MakeView, source: str
) -> None:
    here = replace(rules, directory=Directory((Agent("0003*310", name="Ilie Sales"),)))
    assert listed("U0ANA", a_call(a_view(source=[source])), rules=here)[0].names == NAMES[source]


def test_a_choice_knows_the_names_too(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view(source=["0003*220"]))
    intervene = Intervene(action=ActionName.MONITOR, target=Target(kind="short", text="210"))
    one = offered_choice(intervene, CallAndView("0003*210", call, call.views[0]), "C0FLOOR", rules)
    assert (one.agent, one.names) == ("Bob Ionescu", {"0003*220": "Dan Rus"})
