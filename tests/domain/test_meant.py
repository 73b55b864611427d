"""Which extensions and calls a request may mean, each with the permission that it needs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain.actions import ActionName, PhoneCallAction
from bot.domain.calls import PhoneCall, Presence
from bot.domain.commands import Intervene
from bot.domain.errors import ExtensionInvalid, NotAuthorized
from bot.domain.permissions import Permissions
from bot.interventions.planner import permits_for
from bot.interventions.service import read_live_calls
from bot.polling.phone_calls import Accepted

MakeCall = Callable[..., PhoneCall]
BOTH = ("0003*210", "0003*211")


@dataclass
class OneCall:
    """A PBX on which one extension has one call, shown from some second on, and that takes no action."""

    extension: str
    call: PhoneCall
    asked: list[tuple[str, ...]] = field(default_factory=list)
    shown_after: float = 0.0
    waited: float = 0.0
    refusing: frozenset[str] = frozenset()

    async def moment(self, seconds: float) -> None:
        self.waited += seconds

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        self.asked.append((user, extension, call_id))
        return self.call if call_id == self.call.id and self._shows(extension) else None

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        self.asked.append((user, extension))
        if extension in self.refusing:
            raise ExtensionInvalid("extension_invalid")
        return (self.call,) if self._shows(extension) else ()

    def _shows(self, extension: str) -> bool:
        return extension == self.extension and self.waited >= self.shown_after

    async def presence(self, user: str, extension: str) -> Presence | None:
        return None

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        raise AssertionError("looking for calls sends nothing")


def asked(kind: str, text: str, action: ActionName = ActionName.MONITOR, **fields: Any) -> Intervene:
    return Intervene.model_validate({"action": action, "target": {"kind": kind, "text": text}, **fields})


def permitted(rules: Permissions, intervene: Intervene) -> dict[str, str]:
    permits = permits_for(rules.people["U0ANA"], intervene, "C0FLOOR", rules)
    return {extension: permit.rule for extension, permit in permits.items()}


def refusal(rules: Permissions, intervene: Intervene) -> str:
    with pytest.raises(NotAuthorized) as caught:
        permits_for(rules.people["U0ANA"], intervene, "C0FLOOR", rules)
    return caught.value.rule


# ── extensions ──


def test_a_person_means_all_their_extensions(rules: Permissions) -> None:
    assert permitted(rules, asked("person", "U0BOB")) == dict.fromkeys(BOTH, "role supervisor")


def test_a_short_extension_is_one_of_the_askers_organisation(rules: Permissions) -> None:
    assert list(permitted(rules, asked("short", "210"))) == ["0003*210"]


@pytest.mark.parametrize(
    ("extension", "rule"),
    [("0003*410", "extension"), ("0003*299", "protected extension"), ("0003*024", "extension")],
)
def test_where_no_extension_is_allowed_the_first_refusal_says_why(
    rules: Permissions, extension: str, rule: str
) -> None:
    assert refusal(rules, asked("extension", extension)) == rule


def test_an_extension_that_is_not_allowed_does_not_hide_one_that_is(rules: Permissions) -> None:
    bob = rules.people["U0BOB"]
    people = {**rules.people, "U0BOB": type(bob)("U0BOB", "Bob", ("0003*299", "0003*210"))}
    some = type(rules)(people, rules.roles, rules.protected_extensions)
    assert list(permitted(some, asked("person", "U0BOB"))) == ["0003*210"]


# ── calls ──


async def test_without_a_call_id_the_calls_of_each_extension_are_listed(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    found = await read_live_calls(asked("person", "U0BOB"), BOTH, rules, pbx, pbx.moment)
    assert (found, pbx.asked) == ([("0003*211", a_call())], [("12", "0003*210"), ("12", "0003*211")])


async def test_with_a_call_id_that_call_alone_is_read(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    found = await read_live_calls(asked("person", "U0BOB", call="c1"), BOTH, rules, pbx, pbx.moment)
    assert (found, pbx.asked) == ([("0003*211", a_call())], [("12", "0003*210", "c1"), ("12", "0003*211", "c1")])


async def test_a_call_that_is_gone_is_not_found(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    assert await read_live_calls(asked("person", "U0BOB", call="c2"), BOTH, rules, pbx, pbx.moment) == []


@pytest.mark.parametrize("named", [{}, {"call": "c1"}], ids=["any call", "a call by its id"])
async def test_a_call_that_is_not_shown_for_a_moment_is_found_by_asking_once_more(
    rules: Permissions, a_call: MakeCall, named: dict[str, Any]
) -> None:
    pbx = OneCall("0003*210", a_call(), shown_after=0.3)
    found = await read_live_calls(asked("extension", "0003*210", **named), ("0003*210",), rules, pbx, pbx.moment)
    assert (found, pbx.waited) == ([("0003*210", a_call())], 0.3)


async def test_where_there_is_no_call_it_is_asked_for_twice_and_no_more(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    assert await read_live_calls(asked("extension", "0003*210"), ("0003*210",), rules, pbx, pbx.moment) == []
    assert pbx.asked == [("12", "0003*210")] * 2


async def test_a_call_that_is_shown_at_once_is_not_waited_for(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*210", a_call())
    await read_live_calls(asked("extension", "0003*210"), ("0003*210",), rules, pbx, pbx.moment)
    assert pbx.waited == 0.0


async def test_an_extension_of_nobody_is_asked_for_in_the_name_of_the_default_user(
    rules: Permissions, a_call: MakeCall
) -> None:
    pbx = OneCall("0003*290", a_call())
    await read_live_calls(asked("extension", "0003*290"), ("0003*290",), rules, pbx, pbx.moment)
    assert pbx.asked == [("@me", "0003*290")]


async def test_however_many_phones_a_person_has_all_are_asked_at_once(rules: Permissions, a_call: MakeCall) -> None:
    together = asyncio.Barrier(len(BOTH))

    class Meeting(OneCall):
        async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
            async with asyncio.timeout(5):
                await together.wait()
            return await super().list(user, extension)

    pbx = Meeting("0003*211", a_call())
    found = await read_live_calls(asked("person", "U0BOB"), BOTH, rules, pbx, pbx.moment)
    assert [extension for extension, _ in found] == ["0003*211"]


async def test_of_a_persons_phones_one_that_the_pbx_does_not_know_hides_no_call_of_another(
    rules: Permissions, a_call: MakeCall
) -> None:
    pbx = OneCall("0003*210", a_call(), refusing=frozenset({"0003*211"}))
    found = await read_live_calls(asked("person", "U0BOB"), BOTH, rules, pbx, pbx.moment)
    assert [extension for extension, _ in found] == ["0003*210"]


async def test_where_no_other_phone_has_a_call_what_the_pbx_refuses_is_said(
    rules: Permissions, a_call: MakeCall
) -> None:
    pbx = OneCall("0003*299", a_call(), refusing=frozenset({"0003*211"}))
    with pytest.raises(ExtensionInvalid):
        await read_live_calls(asked("person", "U0BOB"), BOTH, rules, pbx, pbx.moment)


@pytest.mark.parametrize("named", [{}, {"call": "c1"}], ids=["any call", "a call by its id"])
async def test_a_protected_call_takes_the_reads_and_the_pause_of_no_call_at_all(
    rules: Permissions, a_call: MakeCall, a_view: Callable[..., Any], named: dict[str, Any]
) -> None:
    protected = OneCall("0003*210", a_call(a_view(source=["+15550190"])))
    none = OneCall("0003*211", a_call())
    for pbx in (protected, none):
        await read_live_calls(asked("extension", "0003*210", **named), ("0003*210",), rules, pbx, pbx.moment)
    assert (protected.asked, protected.waited) == (none.asked, none.waited)
    assert protected.waited > 0
