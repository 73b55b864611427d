"""Which live calls a person may know of, in which order, and what they may do to each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.actions import ActionName, PhoneCallAction
from bot.authorization import AuthorizationMap, Person
from bot.errors import PbxError, PbxUnreachable, UserInvalid
from bot.listing import live_calls
from bot.phonecalls import PhoneCall, PhoneCallView
from bot.ports import Accepted, Line
from bot.presence import Presence

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
JOINING = [ActionName.MONITOR, ActionName.WHISPER, ActionName.BARGE_IN]


@dataclass
class Floor:
    """A PBX that shows each UnifiedAPI user some calls, and takes no action."""

    calls: Mapping[str, tuple[PhoneCall, ...]]
    asked: list[tuple[str, str]] = field(default_factory=list)
    failing: Mapping[str, PbxError] = field(default_factory=dict)

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        return next((call for call in self.calls.get(user, ()) if call.id == call_id), None)

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        self.asked.append((user, extension))
        if user in self.failing:
            raise self.failing[user]
        return self.calls.get(user, ())

    async def presence(self, user: str, extension: str) -> Presence | None:
        return None

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        raise AssertionError("a list sends nothing")


List = Callable[..., Any]


@pytest.fixture
def listed(rules: AuthorizationMap) -> List:
    """What one person sees of the given calls."""

    async def ask(user: str, *calls: PhoneCall, words: tuple[str, ...] = (), **more: Any) -> tuple[Line, ...]:
        map_ = more.get("rules", rules)
        channel = more.get("channel", "C0FLOOR")
        floor = Floor({"@me": calls})
        return await live_calls(map_.people[user], channel, words, map_, phone_calls=floor, legs=more.get("legs", {}))

    return ask


def seen(lines: tuple[Line, ...]) -> list[str]:
    return [line.call.id for line in lines]


def offered(line: Line) -> list[ActionName]:
    return [button.intervene.action for button in line.buttons]


async def test_a_supervisor_sees_the_calls_where_they_may_do_something(
    listed: List, a_call: MakeCall, a_view: MakeView
) -> None:
    other = a_call(a_view(extension="0003*410", destination=["0003*410"]), call_id="c2", extension="0003*410")
    assert seen(await listed("U0ANA", a_call(), other)) == ["c1"]


async def test_an_agent_sees_only_their_own_calls(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    dans = a_call(a_view(extension="0003*220", destination=["0003*220"]), call_id="c2", extension="0003*220")
    assert seen(await listed("U0DAN", a_call(), dans)) == ["c2"]


async def test_an_agent_sees_no_leg_of_a_supervisor(
    listed: List, a_call: MakeCall, a_view: MakeView, a_leg: MakeView
) -> None:
    lines = await listed("U0BOB", a_call(a_view("01"), a_leg("02")))
    assert [line.view.id for line in lines] == ["01"]


async def test_an_agent_sees_no_leg_that_came_with_an_intervention(
    listed: List, a_call: MakeCall, a_view: MakeView
) -> None:
    call = a_call(a_view("01"), a_view("02", source=["0003*777"]))
    lines = await listed("U0BOB", call, legs={"c1": frozenset({"02"})})
    assert [line.view.id for line in lines] == ["01"]


async def test_an_agent_is_offered_nothing(listed: List, a_call: MakeCall) -> None:
    assert offered((await listed("U0BOB", a_call()))[0]) == []


async def test_nobody_sees_a_call_with_a_protected_party(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    call = a_call(a_view(callerId="Jane <+15550191>"))
    assert (await listed("U0ANA", call), await listed("U0BOB", call)) == ((), ())


async def test_who_has_no_role_and_no_call_sees_nothing(
    listed: List, rules: AuthorizationMap, a_call: MakeCall
) -> None:
    eve = Person("U0EVE", "Eve Stan", ("0003*030",))
    assert await listed("U0EVE", a_call(), rules=replace(rules, people={**rules.people, "U0EVE": eve})) == ()


async def test_a_role_of_another_channel_shows_nothing_here(
    listed: List, rules: AuthorizationMap, a_call: MakeCall
) -> None:
    only = replace(rules.roles["supervisor"], channels=frozenset({"C0FLOOR"}))
    there = replace(rules, roles={"supervisor": only})
    lines = [await listed("U0ANA", a_call(), rules=there, channel=channel) for channel in ("C0FLOOR", "C0OTHER")]
    assert [len(shown) for shown in lines] == [1, 0]


async def test_a_conversation_offers_what_suits_it(listed: List, a_call: MakeCall) -> None:
    assert offered((await listed("U0ANA", a_call()))[0]) == [*JOINING, ActionName.START_RECORDING]


async def test_a_ringing_call_offers_to_pick_it_up(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    assert offered((await listed("U0ANA", a_call(a_view(status=3))))[0]) == [ActionName.PICK_UP]


async def test_a_role_offers_no_more_than_it_allows(listed: List, rules: AuthorizationMap, a_call: MakeCall) -> None:
    few = replace(rules.roles["supervisor"], actions=frozenset({ActionName.BARGE_IN}))
    lines = await listed("U0ANA", a_call(), rules=replace(rules, roles={"supervisor": few}))
    assert offered(lines[0]) == [ActionName.BARGE_IN]


async def test_ones_own_phone_offers_nothing(
    listed: List, rules: AuthorizationMap, a_call: MakeCall, a_view: MakeView
) -> None:
    ana = replace(rules.people["U0ANA"], extensions=("0003*210",))
    lines = await listed("U0ANA", a_call(), rules=replace(rules, people={"U0ANA": ana}))
    assert [offered(line) for line in lines] == [[]]


async def test_a_button_names_the_call_and_the_extension(listed: List, a_call: MakeCall) -> None:
    one = (await listed("U0ANA", a_call()))[0].buttons[0]
    assert (one.intervene.call, one.intervene.target.text, one.intervene.view, one.channel) == (
        "c1",
        "0003*210",
        None,
        "C0FLOOR",
    )


async def test_where_several_views_remain_each_button_names_its_view(
    listed: List, a_call: MakeCall, a_view: MakeView
) -> None:
    lines = await listed("U0ANA", a_call(a_view("00"), a_view("01")))
    assert [line.buttons[0].intervene.view for line in lines] == ["00", "01"]


async def test_a_call_of_two_extensions_is_a_line_for_each(listed: List, a_call: MakeCall, a_view: MakeView) -> None:
    lines = await listed("U0ANA", a_call(a_view("00", extension="0003*220"), a_view("01")))
    assert [line.agent for line in lines] == ["Bob Ionescu", "Dan Rus"]


async def test_a_view_without_an_extended_extension_is_no_line(
    listed: List, a_call: MakeCall, a_view: MakeView
) -> None:
    assert await listed("U0ANA", a_call(a_view(extension="210"), a_view("02", extension=""))) == ()


async def test_the_longest_ringing_comes_first_and_conversations_after(
    listed: List, a_call: MakeCall, a_view: MakeView, noon: datetime
) -> None:
    ago = {second: (noon - timedelta(seconds=second)).isoformat() for second in (5, 30, 90)}
    calls = [
        a_call(call_id="talks", published=ago[90]),
        a_call(a_view(status=3), call_id="rings shortly", published=ago[5]),
        a_call(a_view(status=3), call_id="rings, nobody knows since when", published=None),
        a_call(a_view(status=3), call_id="rings long", published=ago[30]),
    ]
    assert seen(await listed("U0ANA", *calls)) == [
        "rings long",
        "rings shortly",
        "rings, nobody knows since when",
        "talks",
    ]


WORDS = {
    "an agent's name": ("bob",),
    "a part of it": ("IONE",),
    "the extension": ("0003*210",),
    "a part of a number": ("55501",),
    "the caller's name": ("jane",),
    "the name of whoever called": ("dan",),
    "several, in any order": ("jane", "bob"),
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
async def test_words_match_names_and_numbers(
    listed: List, a_call: MakeCall, a_view: MakeView, words: tuple[str, ...]
) -> None:
    call = a_call(a_view(source=["0003*220", "+15550100"]))
    assert seen(await listed("U0ANA", call, words=words)) == ["c1"]


@pytest.mark.parametrize("words", [("cleo",), ("bob", "cleo"), ("999",)], ids=str)
async def test_a_call_that_does_not_match_every_word_is_left_out(
    listed: List, a_call: MakeCall, words: tuple[str, ...]
) -> None:
    assert await listed("U0ANA", a_call(), words=words) == ()


async def test_every_user_of_the_map_is_asked_once_with_all_their_extensions(
    rules: AuthorizationMap, a_call: MakeCall
) -> None:
    floor = Floor({"@me": (a_call(),)})
    await live_calls(rules.people["U0ANA"], "C0FLOOR", (), rules, phone_calls=floor, legs={})
    assert sorted(floor.asked) == [("12", "@self"), ("3", "@self"), ("4", "@self"), ("@me", "@self")]


async def test_a_call_that_several_users_see_is_listed_once(rules: AuthorizationMap, a_call: MakeCall) -> None:
    floor = Floor({"@me": (a_call(),), "12": (a_call(),)})
    lines = await live_calls(rules.people["U0ANA"], "C0FLOOR", (), rules, phone_calls=floor, legs={})
    assert seen(lines) == ["c1"]


async def test_one_user_whom_the_pbx_does_not_know_hides_no_other(rules: AuthorizationMap, a_call: MakeCall) -> None:
    floor = Floor({"@me": (a_call(),)}, failing={"12": UserInvalid("user_invalid")})
    lines = await live_calls(rules.people["U0ANA"], "C0FLOOR", (), rules, phone_calls=floor, legs={})
    assert seen(lines) == ["c1"]


async def test_users_none_of_whom_the_pbx_knows_are_said_to_be_invalid(rules: AuthorizationMap) -> None:
    floor = Floor({}, failing={user: UserInvalid("user_invalid") for user in ("@me", "3", "4", "12")})
    with pytest.raises(UserInvalid):
        await live_calls(rules.people["U0ANA"], "C0FLOOR", (), rules, phone_calls=floor, legs={})


async def test_a_pbx_that_does_not_answer_is_not_an_empty_floor(rules: AuthorizationMap, a_call: MakeCall) -> None:
    floor = Floor({"@me": (a_call(),)}, failing={"12": PbxUnreachable("timed out")})
    with pytest.raises(PbxUnreachable):
        await live_calls(rules.people["U0ANA"], "C0FLOOR", (), rules, phone_calls=floor, legs={})
