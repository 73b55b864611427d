"""Which live calls a person may know of, in which order, what is said of each, and what they may do to it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.directory import Agent, Directory
from bot.domain.legs import Known
from bot.domain.permissions import Permissions, Person
from bot.interventions.call_list import Line, Listing, since_when

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
JOINING = [ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN]
List = Callable[..., tuple[Line, ...]]
MakeListing = Callable[..., Listing]


def seen(lines: tuple[Line, ...]) -> list[str]:
    return [line.call.id for line in lines]


def offered(line: Line) -> list[ActionName]:
    return [button.command.action for button in line.buttons]


def test_a_supervisor_sees_the_calls_where_they_may_do_something(
    listed: List, a_call: MakeCall, a_view: MakeView
) -> None:
    other = a_call(a_view(extension="0003*410", destination=["0003*410"]), call_id="c2", extension="0003*410")
    assert seen(listed("U0ANA", a_call(), other)) == ["c1"]


def test_an_agent_sees_only_their_own_calls(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    dans = a_call(a_view(extension="0003*220", destination=["0003*220"]), call_id="c2", extension="0003*220")
    assert seen(listed("U0DAN", a_call(), dans)) == ["c2"]


def test_an_agent_sees_no_leg_of_a_supervisor(
    listed: List, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    lines = listed("U0BOB", a_call(a_view("01"), a_leg("02")))
    assert [line.view.id for line in lines] == ["01"]


def test_an_agent_sees_no_leg_that_came_with_an_intervention(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view("01"), a_view("02", source=["0003*777"]))
    lines = listed("U0BOB", call, known={"c1": Known(frozenset({"02"}))})
    assert [line.view.id for line in lines] == ["01"]


def test_an_agent_is_offered_nothing(listed: List, a_call: MakeCall) -> None:
    assert offered(listed("U0BOB", a_call())[0]) == []


def test_nobody_sees_a_call_with_a_protected_party(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view(callerId="Jane <+15550191>"))
    assert (listed("U0ANA", call), listed("U0BOB", call)) == ((), ())


def test_who_has_no_role_and_no_call_sees_nothing(listed: List, rules: Permissions, a_call: MakeCall) -> None:
    eve = Person("U0EVE", "Eve Stan", ("0003*030",))
    assert listed("U0EVE", a_call(), rules=replace(rules, people={**rules.people, "U0EVE": eve})) == ()


def test_a_role_of_another_channel_shows_nothing_here(listed: List, rules: Permissions, a_call: MakeCall) -> None:
    only = replace(rules.roles["supervisor"], channels=frozenset({"C0FLOOR"}))
    there = replace(rules, roles={"supervisor": only})
    lines = [listed("U0ANA", a_call(), rules=there, channel=channel) for channel in ("C0FLOOR", "C0OTHER")]
    assert [len(shown) for shown in lines] == [1, 0]


def test_a_conversation_offers_what_suits_it(listed: List, a_call: MakeCall) -> None:
    assert offered(listed("U0ANA", a_call())[0]) == [*JOINING, ActionName.START_RECORDING]


def test_a_ringing_call_offers_to_pick_it_up(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    assert offered(listed("U0ANA", a_call(a_view(status=3)))[0]) == [ActionName.PICK_UP]


def test_a_role_offers_no_more_than_it_allows(listed: List, rules: Permissions, a_call: MakeCall) -> None:
    few = replace(rules.roles["supervisor"], actions=frozenset({ActionName.BARGE_IN}))
    lines = listed("U0ANA", a_call(), rules=replace(rules, roles={"supervisor": few}))
    assert offered(lines[0]) == [ActionName.BARGE_IN]


def test_ones_own_phone_offers_nothing(listed: List, rules: Permissions, a_call: MakeCall, a_view: MakeView) -> None:
    ana = replace(rules.people["U0ANA"], extensions=("0003*210",))
    lines = listed("U0ANA", a_call(), rules=replace(rules, people={"U0ANA": ana}))
    assert [offered(line) for line in lines] == [[]]


def test_a_button_names_the_call_and_the_extension(listed: List, a_call: MakeCall) -> None:
    one = listed("U0ANA", a_call())[0].buttons[0]
    assert (one.command.call, one.command.target.text, one.command.view, one.channel) == (
        "c1",
        "0003*210",
        None,
        "C0FLOOR",
    )


def test_where_several_views_remain_each_button_names_its_view(
    listed: List, a_call: MakeCall, a_view: MakeView
) -> None:
    lines = listed("U0ANA", a_call(a_view("00"), a_view("01")))
    assert [line.buttons[0].command.view for line in lines] == ["00", "01"]


def test_a_call_of_two_extensions_is_a_line_for_each(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    lines = listed("U0ANA", a_call(a_view("00", extension="0003*220"), a_view("01")))
    assert [line.agent for line in lines] == ["Bob Ionescu", "Dan Rus"]


def test_the_side_that_rings_comes_first(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    lines = listed("U0ANA", a_call(a_view("00", status=4), a_view("01", extension="0003*220", status=3)))
    assert [line.agent for line in lines] == ["Dan Rus", "Bob Ionescu"]


def test_a_view_without_an_extended_extension_is_no_line(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    assert listed("U0ANA", a_call(a_view(extension="210"), a_view("02", extension=""))) == ()


def test_the_longest_ringing_comes_first_and_conversations_after(
    listed: List, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    ago = {second: (noon - timedelta(seconds=second)).isoformat() for second in (5, 30, 90)}
    calls = [
        a_call(call_id="talks", published=ago[90]),
        a_call(a_view(status=3), call_id="rings shortly", published=ago[5]),
        a_call(a_view(status=3), call_id="rings, nobody knows since when", published=None),
        a_call(a_view(status=3), call_id="rings long", published=ago[30]),
    ]
    assert seen(listed("U0ANA", *calls)) == [
        "rings long",
        "rings shortly",
        "rings, nobody knows since when",
        "talks",
    ]


def test_the_sides_of_a_call_stay_together_however_the_calls_are_sorted(
    listed: List, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    between = a_call(a_view("00", extension="0003*220", status=4), a_view("01", status=3), call_id="between")
    rings = a_call(a_view(status=3), call_id="rings", published=noon.isoformat())
    assert seen(listed("U0ANA", rings, between)) == ["between", "between", "rings"]


def test_conversations_stand_in_the_order_in_which_they_came(listed: List, a_call: MakeCall, noon: datetime) -> None:
    calls = [a_call(call_id=f"{ago}", published=(noon - timedelta(seconds=ago)).isoformat()) for ago in (5, 90, 30)]
    assert seen(listed("U0ANA", *calls)) == ["90", "30", "5"]


SINCE = [
    ({"status": 3}, {}, "11:59:00"),
    ({"status": 3, "ringing": "2026-11-21T11:59:50Z"}, {}, "11:59:00"),
    ({"status": 3, "ringing": "2026-11-21T11:59:50Z"}, {"published": None}, "11:59:50"),
    ({"status": 4}, {}, "11:59:00"),
    ({"answered": "2026-11-21T11:59:50Z"}, {}, "11:59:50"),
    ({"answered": None}, {"answered": "2026-11-21T11:59:55Z"}, "11:59:55"),
    ({"answered": None}, {}, "unknown"),
]


@pytest.mark.parametrize(("view", "call", "begun"), SINCE, ids=[f"{view} {call}" for view, call, _ in SINCE])
def test_a_call_rings_since_it_came_and_talks_since_it_was_answered(
    a_call: MakeCall, a_view: MakeView, view: dict[str, object], call: dict[str, object], begun: str
) -> None:
    one = a_call(a_view(**view), **call)
    since = since_when(one, one.views[0])
    assert (f"{since:%H:%M:%S}" if since else "unknown") == begun


# ── words ──

WORDS = {
    "an agent's name": ("bob",),
    "a part of it": ("IONE",),
    "a mention of the agent": ("<@U0BOB>",),
    "a mention of the caller": ("<@U0DAN>",),
    "the team of the agent": ("support",),
    "an accent too many": ("böb",),
    "an accent too few": ("jose",),
    "the extension": ("0003*210",),
    "a part of a number": ("55501",),
    "the caller's name": ("jane",),
    "the name of the caller": ("dan",),
    "several, in any order": ("jane", "bob"),
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_words_match_names_and_numbers(
    listed: List, rules: Permissions, a_call: MakeCall, a_view: MakeView, words: tuple[str, ...]
) -> None:
    here = replace(rules, directory=Directory((Agent("0003*210", team="support"),)))
    call = a_call(a_view(source=["0003*220", "+15550100"], callerId="Jane José <+15550100>"))
    assert seen(listed("U0ANA", call, words=words, rules=here)) == ["c1"]


@pytest.mark.parametrize("words", [("cleo",), ("bob", "cleo"), ("999",), ("<@U0CLEO>",), ("<@U0EVE>",)], ids=str)
def test_a_call_that_does_not_match_every_word_is_left_out(
    listed: List, a_call: MakeCall, words: tuple[str, ...]
) -> None:
    assert listed("U0ANA", a_call(), words=words) == ()


def test_who_is_on_a_call_is_found_by_name(listed: List, a_call: MakeCall, a_view: MakeView, a_leg: MakeView) -> None:
    call = a_call(a_view("01"), a_leg("02"))
    found = [seen(listed(user, call, words=("ana",))) for user in ("U0CLEO", "U0BOB")]
    assert found == [["c1"], []]


def test_calls_that_do_not_match_are_counted_all_the_same(
    listing: Callable[..., Listing], a_call: MakeCall, a_view: MakeView
) -> None:
    calls = [a_call(call_id="c1"), a_call(a_view("00", extension="0003*220"), a_view("01"), call_id="c2")]
    answer = listing("U0ANA", *calls, words=("dan",))
    assert (seen(answer.lines), answer.live) == (["c2"], 2)


@pytest.mark.parametrize(
    ("typed", "read"),
    [("bob", "bob"), ("<@U0BOB>", "Bob Ionescu"), ("<@U0ILIE>", "Ilie Sales"), ("<@U0EVE>", "a person I don't know")],
)
def test_a_mention_is_read_as_the_name_of_the_person(
    listing: Callable[..., Listing], rules: Permissions, typed: str, read: str
) -> None:
    here = replace(rules, directory=Directory((Agent("0003*310", name="Ilie Sales", slack_user="U0ILIE"),)))
    assert listing("U0ANA", words=(typed,), rules=here).words == (read,)
