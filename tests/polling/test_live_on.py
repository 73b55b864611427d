"""The calls of some extensions as they are now: read at once, and once more where there seems to be none."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall, Presence
from bot.domain.errors import ExtensionInvalid
from bot.domain.permissions import Permissions
from bot.polling.phone_calls import Accepted, live_on

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


async def live(
    pbx: OneCall, rules: Permissions, extensions: tuple[str, ...], call: str | None = None
) -> list[tuple[str, PhoneCall]]:
    return await live_on(call, extensions, rules, pbx, pbx.moment, is_wanted=lambda call: not rules.protects(call))


async def test_without_a_call_id_the_calls_of_each_extension_are_listed(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    found = await live(pbx, rules, BOTH)
    assert (found, pbx.asked) == ([("0003*211", a_call())], [("12", "0003*210"), ("12", "0003*211")])


async def test_with_a_call_id_that_call_alone_is_read(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    found = await live(pbx, rules, BOTH, call="c1")
    assert (found, pbx.asked) == ([("0003*211", a_call())], [("12", "0003*210", "c1"), ("12", "0003*211", "c1")])


async def test_a_call_that_is_gone_is_not_found(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    assert await live(pbx, rules, BOTH, call="c2") == []


@pytest.mark.parametrize("named", [{}, {"call": "c1"}], ids=["any call", "a call by its id"])
async def test_a_call_that_is_not_shown_for_a_moment_is_found_by_asking_once_more(
    rules: Permissions, a_call: MakeCall, named: dict[str, Any]
) -> None:
    pbx = OneCall("0003*210", a_call(), shown_after=0.3)
    found = await live(pbx, rules, ("0003*210",), **named)
    assert (found, pbx.waited) == ([("0003*210", a_call())], 0.3)


async def test_where_there_is_no_call_it_is_asked_for_twice_and_no_more(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*211", a_call())
    assert await live(pbx, rules, ("0003*210",)) == []
    assert (pbx.asked, pbx.waited) == ([("12", "0003*210")] * 2, 0.3)


async def test_a_call_that_is_shown_at_once_is_not_waited_for(rules: Permissions, a_call: MakeCall) -> None:
    pbx = OneCall("0003*210", a_call())
    await live(pbx, rules, ("0003*210",))
    assert pbx.waited == 0.0


async def test_an_extension_of_nobody_is_asked_for_in_the_name_of_the_default_user(
    rules: Permissions, a_call: MakeCall
) -> None:
    pbx = OneCall("0003*290", a_call())
    await live(pbx, rules, ("0003*290",))
    assert pbx.asked == [("@me", "0003*290")]


async def test_however_many_phones_a_person_has_all_are_asked_at_once(rules: Permissions, a_call: MakeCall) -> None:
    together = asyncio.Barrier(len(BOTH))

    class Meeting(OneCall):
        async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
            async with asyncio.timeout(5):
                await together.wait()
            return await super().list(user, extension)

    pbx = Meeting("0003*211", a_call())
    found = await live(pbx, rules, BOTH)
    assert [extension for extension, _ in found] == ["0003*211"]


async def test_of_a_persons_phones_one_that_the_pbx_does_not_know_hides_no_call_of_another(
    rules: Permissions, a_call: MakeCall
) -> None:
    pbx = OneCall("0003*210", a_call(), refusing=frozenset({"0003*211"}))
    found = await live(pbx, rules, BOTH)
    assert [extension for extension, _ in found] == ["0003*210"]


async def test_where_no_other_phone_has_a_call_what_the_pbx_refuses_is_said(
    rules: Permissions, a_call: MakeCall
) -> None:
    pbx = OneCall("0003*299", a_call(), refusing=frozenset({"0003*211"}))
    with pytest.raises(ExtensionInvalid):
        await live(pbx, rules, BOTH)


@pytest.mark.parametrize("named", [{}, {"call": "c1"}], ids=["any call", "a call by its id"])
async def test_a_protected_call_takes_the_reads_and_the_pause_of_no_call_at_all(
    rules: Permissions, a_call: MakeCall, a_view: Callable[..., Any], named: dict[str, Any]
) -> None:
    protected = OneCall("0003*210", a_call(a_view(source=["+15550190"])))
    none = OneCall("0003*211", a_call())
    for pbx in (protected, none):
        await live(pbx, rules, ("0003*210",), **named)
    assert (protected.asked, protected.waited) == (none.asked, none.waited)
    assert protected.waited > 0
