"""Deny by default; roles add up; `[protected]` beats every role; each no names its rule."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Target
from bot.domain.directory import Agent, Directory
from bot.domain.errors import NotAuthorized, NotSuitable
from bot.domain.permissions import CallerPattern, ExtensionPattern, Permissions, Person, Role, Scope

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MONITOR, BARGE_IN, PICK_UP = ActionName.MONITOR, ActionName.BARGE_IN, ActionName.PICK_UP


def role(name: str, *actions: ActionName, on: tuple[str, ...] = ("0003*2XX",), channels: tuple[str, ...] = ()) -> Role:
    patterns = tuple(map(ExtensionPattern, on))
    return Role(name, frozenset(actions), patterns, frozenset(channels) if channels else None)


def one_person(*roles: Role, held: tuple[str, ...] | None = None) -> Permissions:
    names = tuple(one.name for one in roles) if held is None else held
    person = Person("U0EVE", "Eve Stan", ("0003*030",), roles=names)
    return Permissions(people={"U0EVE": person}, roles={one.name: one for one in roles})


def rule_of_refusal(rules: Permissions, action: ActionName, extension: str, channel: str = "C0FLOOR") -> str:
    with pytest.raises(NotAuthorized) as caught:
        rules.permit(rules.people["U0EVE"], action, extension, channel)
    return caught.value.rule


# ── permit ──


def test_a_permit_names_the_role_that_says_yes() -> None:
    rules = one_person(role("floor", MONITOR))
    permit = rules.permit(rules.people["U0EVE"], MONITOR, "0003*210", "C0FLOOR")
    assert (permit.rule, permit.action, permit.extension, permit.channel) == (
        "role floor",
        MONITOR,
        "0003*210",
        "C0FLOOR",
    )


def test_without_a_role_nothing_is_allowed() -> None:
    assert rule_of_refusal(one_person(), MONITOR, "0003*210") == "action"


def test_a_role_that_nobody_wrote_allows_nothing() -> None:
    assert rule_of_refusal(one_person(held=("ghost",)), MONITOR, "0003*210") == "action"


def test_a_role_that_nobody_has_allows_nothing() -> None:
    assert rule_of_refusal(one_person(role("floor", MONITOR), held=()), MONITOR, "0003*210") == "action"


def test_an_action_that_no_role_names_is_refused() -> None:
    assert rule_of_refusal(one_person(role("floor", MONITOR)), BARGE_IN, "0003*210") == "action"


def test_an_extension_that_no_role_covers_is_refused() -> None:
    assert rule_of_refusal(one_person(role("floor", MONITOR)), MONITOR, "0003*310") == "extension"


def test_a_role_without_extensions_covers_none() -> None:
    assert rule_of_refusal(one_person(role("floor", MONITOR, on=())), MONITOR, "0003*210") == "extension"


def test_a_channel_that_the_role_does_not_name_is_refused() -> None:
    rules = one_person(role("floor", MONITOR, channels=("C0FLOOR",)))
    assert rule_of_refusal(rules, MONITOR, "0003*210", "C0OTHER") == "channel"


def test_a_role_without_channels_works_from_anywhere() -> None:
    rules = one_person(role("floor", MONITOR))
    assert rules.allows(rules.people["U0EVE"], MONITOR, "0003*210", "D0EVE")


def test_a_role_with_an_empty_list_of_channels_works_nowhere() -> None:
    rules = one_person(replace(role("floor", MONITOR), channels=frozenset()))
    assert rule_of_refusal(rules, MONITOR, "0003*210") == "channel"


def test_roles_add_up_in_actions() -> None:
    rules = one_person(role("listen", MONITOR), role("speak", BARGE_IN))
    assert all(rules.allows(rules.people["U0EVE"], action, "0003*210", "C0FLOOR") for action in (MONITOR, BARGE_IN))


def test_roles_add_up_in_channels() -> None:
    rules = one_person(role("a", MONITOR, channels=("C0A",)), role("b", MONITOR, channels=("C0B",)))
    assert rules.permit(rules.people["U0EVE"], MONITOR, "0003*210", "C0B").rule == "role b"


def test_one_roles_action_does_not_reach_another_roles_extensions() -> None:
    rules = one_person(role("listen", MONITOR, on=("0003*2XX",)), role("speak", BARGE_IN, on=("0003*3XX",)))
    assert rule_of_refusal(rules, BARGE_IN, "0003*210") == "extension"


def test_one_roles_channel_does_not_open_another_roles_extensions() -> None:
    rules = one_person(role("a", MONITOR, channels=("C0A",)), role("b", MONITOR, on=("0003*3XX",), channels=("C0B",)))
    assert rule_of_refusal(rules, MONITOR, "0003*210", "C0B") == "channel"


def test_a_protected_extension_beats_every_role() -> None:
    rules = replace(one_person(role("floor", MONITOR)), protected_extensions=(ExtensionPattern("0003*299"),))
    assert rule_of_refusal(rules, MONITOR, "0003*299") == "protected extension"


def test_a_team_may_be_protected(rules: Permissions) -> None:
    protecting = replace(rules, protected_extensions=(ExtensionPattern("team:sales"),))
    assert not protecting.allows(rules.people["U0ANA"], MONITOR, "0003*310", "C0FLOOR")


def test_a_team_may_be_acted_on(rules: Permissions) -> None:
    assert rules.allows(rules.people["U0ANA"], MONITOR, "0003*310", "C0FLOOR")


def test_a_refusal_names_whom_to_ask(rules: Permissions) -> None:
    with pytest.raises(NotAuthorized, match="Ask Ana Pop"):
        rules.permit(rules.people["U0BOB"], MONITOR, "0003*220", "C0FLOOR")


def test_nobody_is_told_to_ask_themselves(rules: Permissions) -> None:
    with pytest.raises(NotAuthorized) as caught:
        rules.permit(rules.people["U0ANA"], MONITOR, "0003*400", "C0FLOOR")
    assert str(caught.value) == "You may use Monitor on 0003*2XX, team:sales, but not on 0003*400. Nothing was sent."


@given(
    st.sampled_from(ActionName), st.from_regex(r"[0-9]{4}\*[0-9]{3}", fullmatch=True), st.sampled_from(["C0A", "C0B"])
)
def test_another_role_never_takes_anything_away(action: ActionName, extension: str, channel: str) -> None:
    few = role("few", MONITOR, PICK_UP, on=("0003*XXX",), channels=("C0A",))
    more = one_person(few, role("more", BARGE_IN, on=("XXXX*2XX",)))
    allowed = one_person(few).allows(more.people["U0EVE"], action, extension, channel)
    assert more.allows(more.people["U0EVE"], action, extension, channel) or not allowed


# ── protected parties ──


@pytest.mark.parametrize(
    "fields",
    [
        {"source": ["0003*299"]},
        {"destination": ["+15550100", "0003*299"]},
        {"extension": "0003*299"},
        {"callerId": "Ms. Sensitive <+15550191>"},
        {"callerId": "+1 555-0191"},
        {"source": ["0015550191"]},
        {"source": ["1 555 01 91"]},
        {"source": "+15550191"},
        {"source": [15550191]},
        {"destination": ["(+1) 555 0191"]},
    ],
    ids=str,
)
def test_a_call_with_a_protected_party_is_not_touched(
    rules: Permissions, a_call: MakeCall, a_view: MakeView, fields: dict[str, object]
) -> None:
    assert rules.protects(a_call(a_view(), a_view("03", **fields)))


@pytest.mark.parametrize(
    "fields",
    [
        {"source": ["555 014 2000"]},
        {"source": ["01115550142000"]},
        {"destination": ["(555) 014-2000"]},
        {"callerId": "Ms. Sensitive <555.014.2000>"},
        {"callerId": "Ms. Sensitive 555/014-2000"},
        {"callerId": "Ms. Sensitive <\uff15\uff15\uff15\uff10\uff11\uff14\uff12\uff10\uff10\uff10>"},
        {"callerId": "+1\u00a0555\u00a0014\u00a02000"},
    ],
    ids=ascii,
)
def test_a_caller_is_protected_in_each_spelling_where_the_country_is_known(
    a_call: MakeCall, a_view: MakeView, fields: dict[str, object]
) -> None:
    rules = Permissions(protected_callers=(CallerPattern("+1555014XXXX", "+1"),))
    assert rules.protects(a_call(a_view(), a_view("03", **fields)))


def test_a_call_charged_to_a_protected_extension_is_not_touched(rules: Permissions, a_call: MakeCall) -> None:
    assert rules.protects(a_call(extension="0003*299"))


def test_a_call_without_a_protected_party_is_open(rules: Permissions, a_call: MakeCall) -> None:
    assert (rules.protects(a_call()), a_call().parties == frozenset()) == (False, False)


# ── people ──


def test_somebody_of_callbot_toml_is_known(rules: Permissions) -> None:
    assert rules.person("U0ANA").name == "Ana Pop"


def test_an_unknown_person_is_told_whom_to_ask_for_what(rules: Permissions) -> None:
    with pytest.raises(NotAuthorized) as caught:
        rules.person("U0EVE")
    assert str(caught.value).replace("`", "") == (
        "I don't know you yet. Ask Ana Pop to add [users.U0EVE] with your extension and role. Nothing was sent."
    )


def test_an_external_user_is_not_told_to_have_themselves_added(rules: Permissions) -> None:
    with pytest.raises(NotAuthorized) as caught:
        rules.person("U0ANA", external=True)
    assert "[users." not in str(caught.value)


def test_without_a_contact_an_unknown_person_is_told_whom_to_ask() -> None:
    with pytest.raises(NotAuthorized, match=r"Ask the person who looks after callbot\.toml to add"):
        Permissions().person("U0EVE")


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        ("extension", "0004*210", ("0004*210",)),
        ("short", "210", ("0003*210",)),
        ("person", "U0BOB", ("0003*210", "0003*211")),
    ],
)
def test_a_target_means_these_extensions(rules: Permissions, kind: str, text: str, meant: tuple[str, ...]) -> None:
    target = Target.model_validate({"kind": kind, "text": text})
    assert rules.extensions_meant(target, rules.people["U0ANA"]) == meant


def test_a_mention_of_somebody_unknown_says_what_to_type_instead(rules: Permissions) -> None:
    with pytest.raises(NotSuitable, match=r"0003\*210"):
        rules.extensions_meant(Target(kind="person", text="U0EVE"), rules.people["U0ANA"])


def test_the_first_extension_is_the_phone(rules: Permissions) -> None:
    assert rules.people["U0BOB"].phone == "0003*210"


def test_supervisors_are_all_who_may_do_something_there(rules: Permissions) -> None:
    assert rules.supervisors_of("0003*210") == {"0003*024", "0003*025"}


def test_every_phone_of_a_supervisor_is_a_supervisors(rules: Permissions) -> None:
    two_phones = replace(rules.people["U0ANA"], extensions=("0003*024", "0003*026"))
    more = replace(rules, people={**rules.people, "U0ANA": two_phones})
    assert more.supervisors_of("0003*210") == {"0003*024", "0003*025", "0003*026"}


def test_a_role_without_actions_makes_no_supervisor() -> None:
    assert one_person(role("agent")).supervisors_of("0003*210") == frozenset()


def test_a_role_that_nobody_wrote_makes_no_supervisor() -> None:
    assert one_person(held=("ghost",)).supervisors_of("0003*210") == frozenset()


# ── what the directory adds: names, owners, teams, mentions and scopes, and no right at all ──

TOM = Agent("0003*310", "Tom Other", "sales", "15", "U0TOM")
TOMS_SECOND = Agent("0003*311", slack_user="U0TOM")
BOBS_THIRD = Agent("0003*212", slack_user="U0BOB")
BOB_AGAIN = Agent("0003*211", "Robert I.", "support", "99", "U0BOB")
DANS_USER = Agent("0003*220", uapi_user="13")


@pytest.fixture
def known(rules: Permissions) -> Permissions:
    """The permissions of these tests, with a directory."""
    return replace(rules, directory=Directory((TOM, TOMS_SECOND, BOBS_THIRD, BOB_AGAIN, DANS_USER)))


@pytest.mark.parametrize(
    ("extension", "name"),
    [("0003*310", "Tom Other"), ("0003*311", "0003*311"), ("0003*211", "Bob Ionescu"), ("0003*999", "0003*999")],
    ids=["of the directory", "without a name there", "of both: callbot.toml's", "of nobody"],
)
def test_an_extension_is_called_by_the_best_name_there_is(known: Permissions, extension: str, name: str) -> None:
    assert known.name_of(extension) == name


def test_of_several_numbers_those_that_are_somebodys_have_names(known: Permissions) -> None:
    numbers = ["0003*310", "0003*311", "0003*210", "+15550100"]
    assert known.names_of(numbers) == {"0003*310": "Tom Other", "0003*210": "Bob Ionescu"}


@pytest.mark.parametrize(
    ("extension", "user"),
    [("0003*310", "15"), ("0003*311", "@me"), ("0003*211", "12"), ("0003*220", "13"), ("0003*999", "@me")],
    ids=["of the directory", "left out there", "of both: callbot.toml's", "left out in callbot.toml", "of nobody"],
)
def test_an_extension_is_asked_for_in_the_name_of_its_owner(known: Permissions, extension: str, user: str) -> None:
    assert known.owner(extension) == user


@pytest.mark.parametrize(
    ("slack_user", "extensions"),
    [("U0TOM", ("0003*310", "0003*311")), ("U0BOB", ("0003*210", "0003*211", "0003*212")), ("U0DAN", ("0003*220",))],
    ids=["of the directory", "of both: callbot.toml's first, each once", "of callbot.toml"],
)
def test_a_mention_means_all_extensions_of_the_person(
    known: Permissions, slack_user: str, extensions: tuple[str, ...]
) -> None:
    assert known.extensions_meant(Target(kind="person", text=slack_user), known.people["U0ANA"]) == extensions


def test_who_stands_in_the_directory_alone_is_unknown(known: Permissions) -> None:
    with pytest.raises(NotAuthorized, match="I don't know you yet"):
        known.person("U0TOM")


def test_the_directory_gives_no_phone_to_somebody_of_callbot_toml(known: Permissions) -> None:
    assert known.person("U0BOB").extensions == ("0003*210", "0003*211")


def test_the_directory_makes_no_extension_a_supervisors(rules: Permissions) -> None:
    """Ana's second line stands in the directory alone: its view is a party's, not a leg of hers."""
    more = replace(rules, directory=Directory((Agent("0003*026", slack_user="U0ANA"),)))
    assert more.supervisors_of("0003*210") == {"0003*024", "0003*025"}


def test_a_team_is_those_whom_the_directory_names(known: Permissions) -> None:
    ana = known.people["U0ANA"]
    may = [
        extension for extension in ("0003*310", "0003*311") if known.allows(ana, ActionName.MONITOR, extension, "C0")
    ]
    assert may == ["0003*310"]


def test_a_person_who_may_act_on_a_team_is_a_supervisor_of_its_extensions(known: Permissions) -> None:
    assert [len(known.supervisors_of(extension)) for extension in ("0003*310", "0003*311")] == [2, 0]


def test_a_call_with_somebody_of_a_protected_team_is_not_touched(
    known: Permissions, a_call: Callable[..., PhoneCall], a_view: Callable[..., PhoneCallView]
) -> None:
    protecting = replace(known, protected_extensions=(ExtensionPattern("team:sales"),))
    assert protecting.protects(a_call(a_view(source=["0003*310"])))


def test_every_user_who_is_known_is_looked_at_once_and_the_default_user_first(known: Permissions) -> None:
    assert known.scopes == tuple(Scope(user, "@self") for user in ("@me", "12", "13", "15", "3", "4", "99"))


def test_the_default_user_is_looked_at_once_even_where_a_person_names_it() -> None:
    eve = Person("U0EVE", "Eve", ("0003*030",), uapi_user="7")
    assert Permissions(people={"U0EVE": eve}, default_user="7").scopes == (Scope("7"),)


def test_scopes_that_are_written_down_are_looked_at_in_their_order_each_once(known: Permissions) -> None:
    written = (Scope("9", "0003*210"), Scope("3"), Scope("9", "0003*210"))
    assert replace(known, watched=written).scopes == written[:2]


def test_a_phone_that_callbot_toml_gives_to_somebody_is_nobody_elses_whatever_the_directory_says(
    known: Permissions,
) -> None:
    anas = Agent("0003*210", slack_user="U0ANA")
    disputed = replace(known, directory=Directory((anas,)))
    assert disputed.extensions_of("U0ANA") == disputed.people["U0ANA"].extensions
