"""What the directory adds to the authorization map: names, owners, teams, mentions and scopes, and no right at all."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Target
from bot.domain.directory import Agent, Directory
from bot.domain.errors import NotAuthorized
from bot.domain.permissions import ExtensionPattern, Permissions, Person, Scope

TOM = Agent("0003*310", "Tom Other", "sales", "15", "U0TOM")
TOMS_SECOND = Agent("0003*311", slack_user="U0TOM")
BOBS_THIRD = Agent("0003*212", slack_user="U0BOB")
BOB_AGAIN = Agent("0003*211", "Robert I.", "support", "99", "U0BOB")
DANS_USER = Agent("0003*220", uapi_user="13")


@pytest.fixture
def known(rules: Permissions) -> Permissions:
    """The map of all these tests, with a directory."""
    return replace(rules, directory=Directory((TOM, TOMS_SECOND, BOBS_THIRD, BOB_AGAIN, DANS_USER)))


@pytest.mark.parametrize(
    ("extension", "name"),
    [("0003*310", "Tom Other"), ("0003*311", "0003*311"), ("0003*211", "Bob Ionescu"), ("0003*999", "0003*999")],
    ids=["of the directory", "without a name there", "of both: the map's", "of nobody"],
)
def test_an_extension_is_called_by_the_best_name_there_is(known: Permissions, extension: str, name: str) -> None:
    assert known.name_of(extension) == name


def test_of_several_numbers_those_that_are_somebodys_have_names(known: Permissions) -> None:
    numbers = ["0003*310", "0003*311", "0003*210", "+15550100"]
    assert known.names_of(numbers) == {"0003*310": "Tom Other", "0003*210": "Bob Ionescu"}


@pytest.mark.parametrize(
    ("extension", "user"),
    [("0003*310", "15"), ("0003*311", "@me"), ("0003*211", "12"), ("0003*220", "13"), ("0003*999", "@me")],
    ids=["of the directory", "left out there", "of both: the map's", "left out in the map", "of nobody"],
)
def test_an_extension_is_asked_for_in_the_name_of_its_owner(known: Permissions, extension: str, user: str) -> None:
    assert known.owner(extension) == user


@pytest.mark.parametrize(
    ("slack_user", "extensions"),
    [("U0TOM", ("0003*310", "0003*311")), ("U0BOB", ("0003*210", "0003*211", "0003*212")), ("U0DAN", ("0003*220",))],
    ids=["of the directory", "of both: the map's first, each once", "of the map"],
)
def test_a_mention_means_all_extensions_of_the_person(
    known: Permissions, slack_user: str, extensions: tuple[str, ...]
) -> None:
    assert known.extensions_meant(Target(kind="person", text=slack_user), known.people["U0ANA"]) == extensions


def test_who_stands_in_the_directory_alone_is_a_stranger(known: Permissions) -> None:
    with pytest.raises(NotAuthorized, match="I don't know you yet"):
        known.person("U0TOM")


def test_the_directory_gives_no_phone_to_somebody_of_the_map(known: Permissions) -> None:
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


def test_whoever_may_act_on_a_team_is_a_supervisor_of_its_extensions(known: Permissions) -> None:
    assert [len(known.supervisors_of(extension)) for extension in ("0003*310", "0003*311")] == [2, 0]


def test_a_call_with_somebody_of_a_protected_team_is_not_touched(
    known: Permissions, a_call: Callable[..., PhoneCall], a_view: Callable[..., PhoneCallView]
) -> None:
    protecting = replace(known, protected_extensions=(ExtensionPattern("team:sales"),))
    assert protecting.protects(a_call(a_view(source=["0003*310"])))


# ── scopes ──


def test_every_user_who_is_known_is_looked_at_once_and_the_default_user_first(known: Permissions) -> None:
    assert known.scopes() == tuple(Scope(user, "@self") for user in ("@me", "12", "13", "15", "3", "4", "99"))


def test_the_default_user_is_looked_at_once_even_where_a_person_names_it() -> None:
    eve = Person("U0EVE", "Eve", ("0003*030",), uapi_user="7")
    assert Permissions(people={"U0EVE": eve}, default_user="7").scopes() == (Scope("7"),)


def test_scopes_that_are_written_down_are_looked_at_in_their_order_each_once(known: Permissions) -> None:
    written = (Scope("9", "0003*210"), Scope("3"), Scope("9", "0003*210"))
    assert replace(known, watched=written).scopes() == written[:2]


@pytest.mark.parametrize(
    ("slack_user", "extensions"),
    [
        ("U0BOB", ("0003*210", "0003*211", "0003*212")),
        ("U0TOM", ("0003*310", "0003*311")),
        ("U0NOBODY", ()),
    ],
)
def test_the_phones_of_a_person_are_those_of_both(
    known: Permissions, slack_user: str, extensions: tuple[str, ...]
) -> None:
    assert known.extensions_of(slack_user) == extensions


def test_a_phone_that_the_map_gives_to_somebody_is_nobody_elses_whatever_the_directory_says(
    known: Permissions,
) -> None:
    anas = Agent("0003*210", slack_user="U0ANA")
    disputed = replace(known, directory=Directory((anas,)))
    assert disputed.extensions_of("U0ANA") == disputed.people["U0ANA"].extensions
