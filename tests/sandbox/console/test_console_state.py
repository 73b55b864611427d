"""What is shown: the whole state at first, then what has changed, and nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.console.feed import VERSION, State, Told
from bot.sandbox.console.server import Console
from bot.sandbox.console.shown import FloorShown, RingTimes, WorkspaceShown
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Intervention
from bot.sandbox.workspace.conversations import Message
from bot.sandbox.workspace.workspace import Workspace

Ask = Callable[..., Awaitable[tuple[int, Any]]]
Post = Callable[..., Awaitable[str]]
Changes = aiohttp.ClientWebSocketResponse

ANAS, BOBS = "0003*024", "0003*210"


async def told(changes: Changes) -> dict[str, Any]:
    async with asyncio.timeout(5):
        found: dict[str, Any] = await changes.receive_json()
        return found


async def test_a_page_is_told_the_whole_state_first(changes: Changes, ask: Ask) -> None:
    first = await told(changes)
    _, whole = await ask(method="GET", path="/v1/state")
    assert (first["type"], first["version"]) == ("state", VERSION)
    assert first | {"now": 0} == whole | {"now": 0}


async def test_the_chosen_subprotocol_does_not_repeat_the_token(changes: Changes) -> None:
    assert changes.protocol == "callbot.v1"


async def test_a_new_message_is_told_alone(changes: Changes, post: Post) -> None:
    await told(changes)
    await post(channel="C0FLOOR", text="before")
    await told(changes)
    ts = await post(channel="C0ALERTS", text="now")
    change = await told(changes)
    assert [each["ts"] for each in change["messages"]] == [ts]
    assert set(change) == {"type", "version", "now", "messages"}


async def test_an_edited_message_is_told_with_its_next_version(changes: Changes, post: Post) -> None:
    await told(changes)
    ts = await post(channel="C0FLOOR", text="one")
    await told(changes)
    await post("chat.update", channel="C0FLOOR", ts=ts, text="two")
    (message,) = (await told(changes))["messages"]
    assert (message["version"], message["text"]) == (2, "two")


async def test_a_message_that_is_gone_is_named(changes: Changes, post: Post) -> None:
    await told(changes)
    ts = await post(channel="C0FLOOR", text="one")
    await told(changes)
    await post("chat.delete", channel="C0FLOOR", ts=ts)
    assert (await told(changes))["gone"] == [["C0FLOOR", ts]]


class CountedWorkspace(WorkspaceShown):
    """Counts how often all of its messages are gone through."""

    looks = 0

    def messages(self) -> list[Message]:
        """The messages, counted."""
        self.looks += 1
        return super().messages()


async def test_a_change_costs_no_more_looks_the_more_messages_there_are(
    floor: Floor, workspace: Workspace, process: BotProcess, console: Console
) -> None:
    shown = CountedWorkspace(workspace)
    floor_shown = FloorShown(floor, RingTimes(floor, lambda: 0.0))
    told = Told(State(workspace=workspace, shown=shown, floor=floor_shown, plays=console._plays, bot=process))
    looks = []
    for messages in (1, 9):
        for _ in range(messages):
            workspace.say("U0BOB", "C0FLOOR", "one")
        told.everything()
        shown.looks = 0
        told.news()
        looks.append(shown.looks)
    assert looks[0] == looks[1]


async def test_a_change_on_the_floor_tells_the_floor_alone(changes: Changes, floor: Floor) -> None:
    await told(changes)
    floor.ring(caller="+15550100", to=BOBS)
    assert set(await told(changes)) == {"type", "version", "now", "floor"}


async def test_changes_that_come_together_are_told_together(changes: Changes, floor: Floor) -> None:
    await told(changes)
    floor.crowd(3, to=[BOBS])
    floor.talk(caller="+15550100", to=ANAS)
    phones = {each["number"]: len(each["lines"]) for each in (await told(changes))["floor"]["phones"]}
    assert (phones[BOBS], phones[ANAS]) == (3, 1)


async def test_the_end_of_the_bot_is_told_with_its_exit_code(changes: Changes, process: BotProcess) -> None:
    await told(changes)
    await process.start()
    await told(changes)
    await process.stop()
    bot = (await told(changes))["bot"]
    assert (bot["state"], bot["exit_code"]) == ("ended", -15)


async def test_what_a_page_sends_is_not_taken(changes: Changes) -> None:
    await told(changes)
    await changes.send_str("{}")
    assert (await changes.receive()).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_a_private_answer_says_whose_it_is(ask: Ask, post: Post) -> None:
    await post("chat.postEphemeral", channel="C0FLOOR", user="U0BOB", text="for Bob")
    _, state = await ask(method="GET", path="/v1/state")
    assert [(each["only_for"], each["text"]) for each in state["messages"]] == [("U0BOB", "for Bob")]


async def test_nobody_is_told_what_the_app_attached_for_itself(ask: Ask, post: Post) -> None:
    metadata = {"event_type": "kept", "event_payload": {"secret": "1"}}
    await post(channel="C0FLOOR", text="one", metadata=metadata)
    _, state = await ask(method="GET", path="/v1/state")
    assert "metadata" not in state["messages"][0]


async def test_no_token_of_the_app_is_told(ask: Ask, workspace: Workspace) -> None:
    _, state = await ask(method="GET", path="/v1/state")
    secrets = (workspace.bot_token, workspace.app_token, workspace.signing_secret)
    assert [each for each in secrets if each in str(state)] == []


# ── the floor ──


def line(state: dict[str, Any], number: str) -> dict[str, Any]:
    (found,) = next(each["lines"] for each in state["floor"]["phones"] if each["number"] == number)
    assert isinstance(found, dict)
    return found


async def test_a_phone_that_an_intervention_rings_says_what_for_and_until_when(ask: Ask, floor: Floor) -> None:
    call = floor.talk(caller="+15550100", to=BOBS)
    floor.intervene(Intervention("Whisper", call, "01", ANAS, "x", 25.0))
    found = line((await ask(method="GET", path="/v1/state"))[1], ANAS)
    assert (found["kind"], found["action"], found["with"], found["can"]) == (
        "intervention",
        "Whisper",
        ["Bob Ionescu"],
        ["lift"],
    )
    assert found["until"] - found["since"] == 25_000


@pytest.mark.parametrize("action", ["Monitor", "Whisper", "BargeIn"])
async def test_a_supervisors_leg_says_what_it_is_for(ask: Ask, floor: Floor, action: Any) -> None:
    call = floor.talk(caller="+15550100", to=BOBS)
    floor.intervene(Intervention(action, call, "01", ANAS, "x", 25.0))
    floor.lift(ANAS)
    found = line((await ask(method="GET", path="/v1/state"))[1], ANAS)
    assert (found["kind"], found["action"], found["can"]) == ("leg", action, ["hang_up"])


async def test_a_call_that_is_picked_up_is_on_the_supervisors_phone(ask: Ask, floor: Floor) -> None:
    call = floor.ring(caller="+15550100", caller_name="Carla", to=BOBS)
    floor.intervene(Intervention("PickUp", call, "01", ANAS, "x", 25.0))
    floor.lift(ANAS)
    found = line((await ask(method="GET", path="/v1/state"))[1], ANAS)
    assert (found["kind"], found["action"], found["with"]) == ("party", "PickUp", ["Carla", "+15550100"])


async def test_a_call_between_desks_names_the_other_desk_on_both(ask: Ask, floor: Floor) -> None:
    floor.ring(caller=ANAS, to=BOBS)
    _, state = await ask(method="GET", path="/v1/state")
    assert (line(state, ANAS)["with"], line(state, ANAS)["state"]) == (["Bob Ionescu"], "calling")
    assert (line(state, BOBS)["with"][0], line(state, BOBS)["state"]) == ("Ana Pop", "ringing")


async def test_a_recording_says_since_when(ask: Ask, floor: Floor) -> None:
    call = floor.talk(caller="+15550100", to=BOBS)
    floor.record(call, "01")
    _, state = await ask(method="GET", path="/v1/state")
    assert abs(line(state, BOBS)["recording_since"] - state["now"]) < 5000


async def test_a_phone_that_rings_again_rings_from_then_on(floor: Floor) -> None:
    now = [100.0]
    rings = RingTimes(floor, lambda: now[0])
    call = floor.talk(caller="+15550100", to=BOBS)
    for at in (100.0, 200.0):
        now[0] = at
        floor.intervene(Intervention("Monitor", call, "01", ANAS, "x", 25.0))
        now[0] += 5
        floor.hold(call)
        ring = rings.ring(ANAS)
        assert ring is not None
        assert (ring.since, ring.until) == (at, at + 25)
        floor.lift(ANAS)
        floor.leave(call, ANAS)
    assert rings.ring(ANAS) is None


async def test_a_phone_was_rung_for_one_call_and_no_other(floor: Floor) -> None:
    rings = RingTimes(floor, lambda: 0.0)
    call = floor.talk(caller="+15550100", to=BOBS)
    floor.intervene(Intervention("Monitor", call, "01", ANAS, "x", 25.0))
    assert (rings.action(ANAS, call), rings.action(ANAS, "other"), rings.action(BOBS, call)) == ("Monitor", None, None)


async def test_the_address_has_the_token_and_is_on_loopback(console: Console) -> None:
    assert console.url == f"http://127.0.0.1:{console.port}/?token={console.token}"
