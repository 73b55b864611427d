"""The right view of the right call, or none at all; and the action as it goes to the PBX."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Intervene, Target
from bot.domain.errors import NotAuthorized, NotSuitable, Refusal
from bot.domain.legs import Known
from bot.domain.permissions import Permissions, Permit
from bot.interventions.planner import permits_for, plan, refuse_other_organisation_or_own_phone, suitable_views

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
RECORDED = {"recording": "2026-11-21T11:59:30Z"}


def asked(action: ActionName = ActionName.MONITOR, **fields: Any) -> Intervene:
    target = {"kind": "extension", "text": "0003*210"}
    return Intervene.model_validate({"action": action, "target": target, **fields})


# ── which extensions are meant ──


def permitted(rules: Permissions, kind: str, text: str) -> dict[str, str]:
    """The extensions that Ana's Monitor may mean, each with its rule."""
    command = asked(target={"kind": kind, "text": text})
    permits = permits_for(rules.people["U0ANA"], command, "C0FLOOR", rules)
    return {extension: permit.rule for extension, permit in permits.items()}


def test_a_person_means_all_their_extensions(rules: Permissions) -> None:
    assert permitted(rules, "person", "U0BOB") == dict.fromkeys(("0003*210", "0003*211"), "role supervisor")


def test_a_short_extension_is_one_of_the_askers_organisation(rules: Permissions) -> None:
    assert list(permitted(rules, "short", "210")) == ["0003*210"]


@pytest.mark.parametrize(
    ("extension", "rule"),
    [("0003*410", "extension"), ("0003*299", "protected extension"), ("0003*024", "extension")],
)
def test_where_no_extension_is_allowed_the_first_refusal_says_why(
    rules: Permissions, extension: str, rule: str
) -> None:
    with pytest.raises(NotAuthorized) as caught:
        permitted(rules, "extension", extension)
    assert caught.value.rule == rule


def test_an_extension_that_is_not_allowed_does_not_hide_one_that_is(rules: Permissions) -> None:
    bob = replace(rules.people["U0BOB"], extensions=("0003*299", "0003*210"))
    assert list(permitted(replace(rules, people={**rules.people, "U0BOB": bob}), "person", "U0BOB")) == ["0003*210"]


# ── the one call and view ──

Found = list[tuple[str, PhoneCall]]


def known_as(legs: dict[str, frozenset[str]]) -> dict[str, Known]:
    """These views of these calls came with interventions of ours."""
    return {call: Known(views) for call, views in legs.items()}


def chosen(command: Intervene, found: Found, rules: Permissions, **legs: frozenset[str]) -> list[tuple[str, str]]:
    return [(one.call.id, one.view.id) for one in suitable_views(command, found, rules, known_as(legs))]


def refusal(command: Intervene, found: Found, rules: Permissions, **legs: frozenset[str]) -> Refusal:
    with pytest.raises((NotAuthorized, NotSuitable)) as caught:
        suitable_views(command, found, rules, known_as(legs))
    assert isinstance(caught.value, Refusal)
    return caught.value


def on_210(*calls: PhoneCall) -> Found:
    return [("0003*210", call) for call in calls]


def test_one_call_with_one_view_is_meant(rules: Permissions, a_call: MakeCall) -> None:
    assert chosen(asked(), on_210(a_call()), rules) == [("c1", "01")]


def test_of_several_calls_each_is_offered(rules: Permissions, a_call: MakeCall) -> None:
    assert chosen(asked(), on_210(a_call(), a_call(call_id="c2")), rules) == [("c1", "01"), ("c2", "01")]


def test_of_several_views_each_is_offered(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    assert chosen(asked(), on_210(a_call(a_view("00"), a_view("01"))), rules) == [("c1", "00"), ("c1", "01")]


def test_of_a_ringing_and_an_answered_call_the_fitting_one_is_meant(
    rules: Permissions, a_call: MakeCall, a_view: MakeView
) -> None:
    found = on_210(a_call(), a_call(a_view(status=3), call_id="c2"))
    assert chosen(asked(ActionName.PICK_UP), found, rules) == [("c2", "01")]


def test_a_leg_of_ours_is_never_acted_on(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view("01"), a_view("02", source=["0003*777"]))
    assert chosen(asked(), on_210(call), rules, c1=frozenset({"02"})) == [("c1", "01")]


def test_legs_in_one_call_say_nothing_of_another(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view("01"), a_view("02"))
    assert chosen(asked(), on_210(call), rules, c2=frozenset({"02"})) == [("c1", "01"), ("c1", "02")]


def test_a_view_may_be_named(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    assert chosen(asked(view="01"), on_210(a_call(a_view("00"), a_view("01"))), rules) == [("c1", "01")]


def test_a_view_id_is_compared_as_text(rules: Permissions, a_call: MakeCall) -> None:
    assert "no view 1 " in str(refusal(asked(view="1"), on_210(a_call()), rules))


def test_naming_a_supervisors_leg_is_refused(
    rules: Permissions, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    found = on_210(a_call(a_view("01"), a_leg("02")))
    assert refusal(asked(view="02"), found, rules).rule == "not the agent's view"


def test_naming_a_view_of_somebody_else_is_refused(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    found = on_210(a_call(a_view("00", extension="0003*310"), a_view("01")))
    assert refusal(asked(view="00"), found, rules).rule == "not the agent's view"


def test_naming_another_teams_call_is_refused(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    found = on_210(a_call(a_view(extension="0003*410", destination=["0003*410"])))
    assert refusal(asked(call="c1"), found, rules).rule == "call of another extension"


def test_a_call_of_somebodys_second_extension_may_be_named(
    rules: Permissions, a_call: MakeCall, a_view: MakeView
) -> None:
    call = a_call(a_view(extension="0003*211", destination=["0003*211"]))
    command = asked(call="c1", target=Target(kind="person", text="U0BOB"))
    assert chosen(command, [("0003*210", call), ("0003*211", call)], rules) == [("c1", "01")]


def test_a_protected_call_that_is_named_is_refused(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    found = on_210(a_call(a_view(callerId="Jane <+15550191>")))
    assert refusal(asked(call="c1"), found, rules).rule == "protected party"


@pytest.mark.parametrize("command", [asked(), asked(call="c1")], ids=["looked for", "named"])
def test_a_protected_call_is_refused_in_the_words_for_no_call_at_all(
    rules: Permissions, a_call: MakeCall, a_view: MakeView, command: Intervene
) -> None:
    found = on_210(a_call(a_view(callerId="Jane <+15550191>")))
    assert str(refusal(command, found, rules)) == str(refusal(command, [], rules))


def test_a_protected_call_under_the_id_of_an_earlier_one_is_refused_in_these_words_too(
    rules: Permissions, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    command = asked(call="c1", published=noon)
    protected = on_210(a_call(a_view(source=["+15550190"])))
    assert str(refusal(command, protected, rules)) == str(refusal(command, [], rules))


def test_a_protected_call_is_not_offered_beside_others(rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    found = on_210(a_call(a_view(callerId="Jane <+15550191>")), a_call(call_id="c2"))
    assert chosen(asked(), found, rules) == [("c2", "01")]


NOTHING: list[tuple[str, Intervene, dict[str, Any] | None, str]] = [
    ("no call", asked(), None, "no call on this extension"),
    ("the named call is over", asked(call="c1"), None, "is over"),
    ("ringing", asked(), {"status": 3}, "still ringing"),
    ("trying", asked(), {"status": 2}, "Nobody is in conversation"),
    ("answered already", asked(ActionName.PICK_UP), {}, "answered already"),
    ("not ringing", asked(ActionName.PICK_UP), {"status": 2}, "No call is ringing"),
    ("recorded already", asked(ActionName.START_RECORDING), RECORDED, "recorded already"),
    ("not recorded", asked(ActionName.STOP_RECORDING), {}, "not being recorded"),
]


@pytest.mark.parametrize(("command", "view", "said"), [row[1:] for row in NOTHING], ids=[row[0] for row in NOTHING])
def test_where_no_call_suits_the_answer_says_why_and_that_nothing_was_sent(
    *,
    rules: Permissions,
    a_call: MakeCall,
    a_view: MakeView,
    command: Intervene,
    view: dict[str, Any] | None,
    said: str,
) -> None:
    found = [] if view is None else on_210(a_call(a_view(**view)))
    text = str(refusal(command, found, rules))
    assert (said in text, text.endswith("Nothing was sent.")) == (True, True)


def test_of_two_calls_the_one_not_yet_recorded_is_recorded(
    rules: Permissions, a_call: MakeCall, a_view: MakeView
) -> None:
    found = on_210(a_call(a_view(**RECORDED)), a_call(call_id="c2"))
    assert chosen(asked(ActionName.START_RECORDING), found, rules) == [("c2", "01")]


# ── whose phone ──

RINGING = [ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN, ActionName.PICK_UP]


@pytest.mark.parametrize("action", RINGING)
def test_a_phone_of_another_organisation_is_not_rung(action: ActionName) -> None:
    with pytest.raises(NotAuthorized, match=r"another organisation.*Nothing was sent") as caught:
        refuse_other_organisation_or_own_phone(action, "0004*210", "0003*024", ["0003*024"])
    assert caught.value.rule == "another organisation"


@pytest.mark.parametrize("action", RINGING)
@pytest.mark.parametrize("extension", ["0003*024", "0003*026"])
def test_nobody_acts_on_a_phone_of_their_own(action: ActionName, extension: str) -> None:
    with pytest.raises(NotAuthorized) as caught:
        refuse_other_organisation_or_own_phone(action, extension, "0003*024", ["0003*024", "0003*026"])
    assert caught.value.rule == "own phone"


@pytest.mark.parametrize("action", [ActionName.START_RECORDING, ActionName.STOP_RECORDING])
def test_recording_rings_no_phone_so_any_organisation_will_do(action: ActionName) -> None:
    refuse_other_organisation_or_own_phone(action, "0004*210", "0003*024", ["0003*024"])
    refuse_other_organisation_or_own_phone(ActionName.MONITOR, "0003*210", "0003*024", ["0003*024"])


# ── the plan ──

BODY = {"phoneCallViewId": "01", "sendCallTo": "0003*024"}
PLANS: list[tuple[ActionName, dict[str, Any], dict[str, Any]]] = [
    (action, {}, {**BODY, "action": action.value}) for action in RINGING
]
PLANS += [
    (action, {"wait": 20, "caller_id": "J <1>"}, {**body, "waitForPickup": "20", "callerId": "J <1>"})
    for action, _, body in PLANS
]
PLANS += [
    (ActionName.WHISPER, {"private": True}, {**BODY, "action": "Whisper", "private": 1}),
    (ActionName.START_RECORDING, {}, {"action": "StartRecording", "phoneCallViewId": "01"}),
    (
        ActionName.START_RECORDING,
        {"format": "wav49"},
        {"action": "StartRecording", "phoneCallViewId": "01", "format": "wav49"},
    ),
    (ActionName.STOP_RECORDING, {}, {"action": "StopRecording", "phoneCallViewId": "01"}),
]


@pytest.mark.parametrize(("action", "options", "body"), PLANS, ids=[f"{name}-{'-'.join(o)}" for name, o, _ in PLANS])
def test_the_plan_rings_the_askers_own_phone_and_holds_what_was_given(
    rules: Permissions, a_view: MakeView, action: ActionName, options: dict[str, Any], body: dict[str, Any]
) -> None:
    permit = Permit(rules.people["U0ANA"], action, "0003*210", "C0FLOOR", rule="role supervisor")
    assert plan(asked(action, **options), a_view("01"), permit).wire() == body


def test_of_several_own_extensions_the_first_rings(rules: Permissions, a_view: MakeView) -> None:
    person = replace(rules.people["U0ANA"], extensions=("0003*026", "0003*024"))
    permit = Permit(person, ActionName.MONITOR, "0003*210", "C0FLOOR", rule="role supervisor")
    assert plan(asked(), a_view(), permit).wire()["sendCallTo"] == "0003*026"


def test_a_button_names_extension_and_call_whatever_was_typed(a_call: MakeCall) -> None:
    typed = asked(target=Target(kind="person", text="U0BOB"), wait=20)
    call = a_call()
    made = typed.on_call("0003*211", call, "01")
    whose = Target(kind="extension", text="0003*211")
    assert made == asked(target=whose, wait=20, call="c1", view="01", published=call.published)


# ── a call id that is used again ──

BEGUN, LATER = "2026-11-21T11:59:00Z", "2026-11-21T11:59:30Z"
MADE_FOR = [
    ("the same call", BEGUN, BEGUN, True),
    ("the same instant in another zone", BEGUN, "2026-11-21T13:59:00+02:00", True),
    ("another call", BEGUN, LATER, False),
    ("a button that does not say", None, LATER, True),
    ("a call that does not say", BEGUN, None, True),
]


@pytest.mark.parametrize(("made_for", "shown", "acts"), [row[1:] for row in MADE_FOR], ids=[row[0] for row in MADE_FOR])
def test_a_button_acts_on_the_call_that_it_was_made_for_and_on_no_later_one_of_the_same_id(
    *, rules: Permissions, a_call: MakeCall, made_for: str | None, shown: str | None, acts: bool
) -> None:
    pressed, found = asked(call="c1", published=made_for), on_210(a_call(published=shown))
    if acts:
        assert chosen(pressed, found, rules) == [("c1", "01")]
    else:
        assert str(refusal(pressed, found, rules)).startswith("This button was made for a call that is over.")
