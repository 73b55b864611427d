"""One request is one PUT: whatever people click twice, Slack delivers again, or a restart or a new connection comes between."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.sandbox.pbx.server import Fault
from bot.slack.socket_mode import CONNECTIONS

CALLER = {"caller": "+15550142", "caller_name": "Carla Caller", "to": "0003*210"}
SECOND_SUPERVISOR = '\n[users.U0EVE]\nname = "Eve Stan"\nextension = "0003*026"\nroles = ["supervisor"]\n'


@pytest.fixture
async def two_supervisors(empty_house: Any) -> Any:
    """Ana and Eve may both do everything on 0003*2XX."""
    empty_house.config += SECOND_SUPERVISOR
    empty_house.floor.add_extension("0003*026", user="5", name="Eve Stan")
    await empty_house.start_bot()
    return empty_house


async def list_of_calls(house: Any, user: str = "U0ANA") -> Any:
    """The private list with its buttons."""
    await house.workspace.type(user, "C0FLOOR", "/calls")
    return await house.told(user, "1 live call")


def told_so(house: Any, user: str, words: str) -> int:
    """How many private answers to that person have these words."""
    return sum(words in "\n".join(message.lines()) for message in house.workspace.private(user))


@pytest.mark.parametrize("transport", ["http", "socket mode"])
async def test_five_clicks_in_a_tenth_of_a_second_ring_the_phone_once(house: Any) -> None:
    house.talk()
    calls = await list_of_calls(house)
    await asyncio.gather(*(house.workspace.click("U0ANA", calls, "Monitor") for _ in range(5)))
    await house.workspace.until(lambda: told_so(house, "U0ANA", "You have asked for this already") == 4)
    await house.card("Ringing")
    assert house.actions() == ["Monitor"]


async def test_four_of_five_clicks_are_refused_in_the_ledger(house: Any) -> None:
    house.talk()
    calls = await list_of_calls(house)
    await asyncio.gather(*(house.workspace.click("U0ANA", calls, "Monitor") for _ in range(5)))
    await house.workspace.until(lambda: told_so(house, "U0ANA", "You have asked for this already") == 4)
    clicks = [entry.outcome for entry in await house.audit_log() if entry.said == "[Monitor]"]
    assert sorted(clicks) == ["refused"] * 4 + ["sent"]


@pytest.mark.parametrize("transport", ["http", "socket mode"])
async def test_a_command_that_slack_delivers_three_times_is_one_put_on_one_card(house: Any) -> None:
    house.talk()
    await house.ana_types("/monitor 0003*210", times=3)
    await house.card("Ringing")
    await house.workspace.type("U0LIS", "C0FLOOR", "/calls help")
    await house.told("U0LIS", "What callbot understands")
    assert (house.actions(), len(house.cards("U0ANA")), len(house.workspace.private("U0ANA"))) == (["Monitor"], 1, 1)


async def refused_by_the_pbx(house: Any) -> Any:
    """A command that was sent and is over: no claim on the call is left, only Slack's trigger tells a repeat."""
    house.talk()
    house.pbx.faults.add(Fault("403", method="PUT", times=2))
    delivery = await house.ana_types("/monitor 0003*210")
    await house.card("Refused")
    return delivery


async def test_a_command_that_slack_delivers_again_later_sends_nothing(house: Any) -> None:
    await house.workspace.redeliver(await refused_by_the_pbx(house))
    await house.ana_types("/calls help")
    await house.told("U0ANA", "What callbot understands")
    assert (len(house.pbx.puts()), len(house.cards("U0ANA"))) == (2, 1)


async def test_a_command_that_slack_delivers_again_after_a_restart_sends_nothing(house: Any) -> None:
    delivery = await refused_by_the_pbx(house)
    await house.stop_bot()
    await house.start_bot()
    await house.workspace.redeliver(delivery)
    await house.ana_types("/calls help")
    await house.told("U0ANA", "What callbot understands")
    assert (len(house.pbx.puts()), len(house.cards("U0ANA"))) == (2, 1)


async def test_a_click_after_a_restart_while_the_phone_rings_is_told_that_it_was_asked_already(house: Any) -> None:
    house.talk()
    calls = await list_of_calls(house)
    await house.workspace.click("U0ANA", calls, "Monitor")
    await house.card("Ringing")
    await house.stop_bot()
    await house.start_bot()
    await house.workspace.click("U0ANA", calls, "Monitor")
    await house.told("U0ANA", "You have asked for this already")
    assert house.actions() == ["Monitor"]


async def test_two_people_who_pick_up_at_once_are_one_put(two_supervisors: Any) -> None:
    house = two_supervisors
    house.floor.ring(**CALLER)
    asked = [house.workspace.type(user, "C0FLOOR", "/pickup 0003*210") for user in ("U0ANA", "U0EVE")]
    await asyncio.gather(*asked)
    await house.card("Ringing", "C0FLOOR")
    await house.workspace.until(
        lambda: (
            told_so(house, "U0ANA", "Eve Stan has asked for this already")
            + told_so(house, "U0EVE", "Ana Pop has asked for this already")
            == 1
        )
    )
    assert house.actions() == ["PickUp"]


async def test_who_picks_up_second_is_told_by_name_who_has_the_call(two_supervisors: Any) -> None:
    house = two_supervisors
    house.floor.ring(**CALLER)
    await house.ana_types("/pickup 0003*210")
    await house.card("Ringing", "C0FLOOR")
    await house.workspace.type("U0EVE", "C0FLOOR", "/pickup 0003*210")
    await house.told("U0EVE", "Ana Pop has asked for this already")
    assert house.actions() == ["PickUp"]


async def test_two_people_who_record_at_once_are_one_put(two_supervisors: Any) -> None:
    house = two_supervisors
    house.talk()
    asked = [house.workspace.type(user, "C0FLOOR", "/record 0003*210") for user in ("U0ANA", "U0EVE")]
    await asyncio.gather(*asked)
    await house.card("Recording", "C0FLOOR")
    await house.workspace.until(lambda: [*house.workspace.private("U0ANA"), *house.workspace.private("U0EVE")])
    assert house.actions() == ["StartRecording"]


async def test_who_records_second_is_told_by_name_who_asked_first(two_supervisors: Any) -> None:
    house = two_supervisors
    house.floor.extension("0003*210").recordable = False
    house.talk()
    await house.ana_types("/record 0003*210")
    await house.card("Asked", "C0FLOOR")
    await house.workspace.type("U0EVE", "C0FLOOR", "/record 0003*210")
    await house.told("U0EVE", "Ana Pop has asked for this already")
    assert house.actions() == ["StartRecording"]


async def test_two_people_may_listen_to_one_call_each_on_a_card_of_their_own(two_supervisors: Any) -> None:
    house = two_supervisors
    house.talk()
    asked = [house.workspace.type(user, "C0FLOOR", "/monitor 0003*210") for user in ("U0ANA", "U0EVE")]
    await asyncio.gather(*asked)
    await asyncio.gather(house.card("Ringing Ana's", "U0ANA"), house.card("Ringing Eve's", "U0EVE"))
    assert sorted(put.json["sendCallTo"] for put in house.pbx.puts()) == ["0003*024", "0003*026"]


async def test_monitor_and_whisper_clicked_in_one_moment_ring_the_phone_once(house: Any) -> None:
    house.talk()
    calls = await list_of_calls(house)
    await asyncio.gather(*(house.workspace.click("U0ANA", calls, label) for label in ("Monitor", "Whisper")))
    await house.told("U0ANA", "Nothing")
    assert len(house.pbx.puts()) == 1


# ── connections that come and go ──


Trouble = Callable[[list[asyncio.Task[Any]]], Awaitable[None]]


async def all_put(house: Any, typing: list[asyncio.Task[Any]]) -> list[Any]:
    """What became of each command, once the PBX has all that were acknowledged."""
    deliveries = await asyncio.gather(*typing)
    assert [delivery.body for delivery in deliveries if delivery.acknowledged and delivery.body] == []
    await house.puts(sum(delivery.acknowledged for delivery in deliveries))
    return deliveries


async def record(house: Any, number: int, trouble: Trouble) -> tuple[list[Any], Counter[str]]:
    """So many calls are to be recorded, with trouble every now and then: what became of each, and the PUTs by call."""
    calls = [str(house.floor.talk(caller=f"+1555{each:04}", to="0003*210")) for each in range(number)]
    await house.workspace.until(lambda: house.workspace.sockets == CONNECTIONS)
    typing: list[asyncio.Task[Any]] = []
    for each, call in enumerate(calls):
        typing.append(asyncio.create_task(house.ana_types(f"/record 0003*210 call={call}")))
        await asyncio.sleep(0)
        if (
            each % 4 == 2
        ):  # one person may have ten requests under way, and those before may not have ended with their PUT
            await trouble(typing)
            await all_put(house, typing)
    deliveries = await all_put(house, typing)
    return deliveries, Counter(put.path for put in house.pbx.puts())


@pytest.mark.parametrize("transport", ["socket mode"])
async def test_while_both_connections_are_refreshed_every_command_is_acknowledged_and_done_once(house: Any) -> None:
    async def refresh(typing: list[asyncio.Task[Any]]) -> None:
        await house.workspace.refresh_sockets()

    deliveries, puts = await record(house, 50, refresh)
    assert [delivery.error for delivery in deliveries if not delivery.acknowledged] == []
    assert (len(puts), set(puts.values())) == (50, {1})


@pytest.mark.parametrize("transport", ["socket mode"])
async def test_while_both_connections_are_cut_what_is_acknowledged_is_done_and_nothing_twice(house: Any) -> None:
    async def cut(typing: list[asyncio.Task[Any]]) -> None:
        await asyncio.wait(typing)
        await house.workspace.until(lambda: house.workspace.sockets > 0)
        await house.workspace.cut_sockets()

    deliveries, puts = await record(house, 24, cut)
    house.workspace.visible_errors.clear()  # without a connection people see an error of Slack's
    assert {delivery.error for delivery in deliveries} <= {None, "dispatch_failed"}
    assert set(puts.values()) == {1}
