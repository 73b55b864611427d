"""What a visitor can do, and what is refused with why."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Intervention
from bot.sandbox.workspace.workspace import Workspace

Ask = Callable[..., Awaitable[tuple[int, Any]]]
Post = Callable[..., Awaitable[str]]

ANA, BOB = "U0ANA", "U0BOB"
ANAS, BOBS, DANS = "0003*024", "0003*210", "0003*211"
CONFIRM = {
    "title": {"type": "plain_text", "text": "Barge in?"},
    "text": {"type": "plain_text", "text": "The customer will hear you."},
    "confirm": {"type": "plain_text", "text": "Barge in"},
    "deny": {"type": "plain_text", "text": "Cancel"},
}


def button(label: str, action_id: str, **more: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "action_id": action_id, "value": action_id, **more}


def actions(*buttons: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "b", "elements": list(buttons)}]


def clicked(ts: str, action_id: str, **more: Any) -> dict[str, Any]:
    return {"user": ANA, "channel": "C0FLOOR", "ts": ts, "block_id": "b", "action_id": action_id, **more}


# ── typing ──


async def test_a_command_goes_to_the_app_as_slack_sends_it(ask: Ask, app: list[dict[str, Any]]) -> None:
    status, said = await ask("type", user=ANA, channel="C0FLOOR", text="/monitor @bob <now>")
    assert (status, said["delivered"]) == (200, {"sent": True, "acknowledged": True, "problem": None})
    payload = app[0]["payload"]
    assert (payload["user_id"], payload["command"]) == (ANA, "/monitor")
    assert payload["text"] == "<@U0BOB|bob> &lt;now&gt;"


async def test_a_command_that_nobody_takes_says_so_as_slack_does(ask: Ask) -> None:
    _, said = await ask("type", user=ANA, channel="C0FLOOR", text="/monitor @bob")
    assert said["delivered"]["problem"] == "/monitor failed with the error “dispatch_failed”."


async def test_other_words_are_a_message_for_all(ask: Ask, workspace: Workspace) -> None:
    await ask("type", user=BOB, channel="C0FLOOR", text=" I <3 @ana & #alerts ")
    (message,) = workspace.messages("C0FLOOR")
    assert (message.user, message.text) == (BOB, "I &lt;3 <@U0ANA|ana> &amp; <#C0ALERTS|alerts>")


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"text": "/nonsense"}, 400, "unknown_command"),
        ({"text": "/"}, 400, "unknown_command"),
        ({"text": "  "}, 400, "bad_text"),
        ({"text": "x" * 4001}, 400, "bad_text"),
        ({"text": "half a character: \ud83d"}, 400, "bad_text"),
        ({"text": 5}, 400, "bad_field"),
        ({"user": "U0NOBODY"}, 404, "no_such_person"),
        ({"channel": "C0NOWHERE"}, 404, "no_such_channel"),
        ({"channel": "D0BOB"}, 404, "no_such_channel"),
        ({"more": "1"}, 400, "unknown_field"),
    ],
)
async def test_what_cannot_be_typed_is_refused(
    ask: Ask, app: list[dict[str, Any]], changed: dict[str, Any], status: int, error: str
) -> None:
    found, said = await ask("type", **{"user": ANA, "channel": "C0FLOOR", "text": "hello"} | changed)
    assert (found, said["error"], app) == (status, error, [])


async def test_a_missing_field_is_named(ask: Ask) -> None:
    _, said = await ask("type", user=ANA, channel="C0FLOOR")
    assert (said["error"], "text" in said["message"]) == ("missing_field", True)


# ── clicking ──


async def test_of_two_buttons_that_read_the_same_the_one_that_is_meant_is_clicked(
    ask: Ask, app: list[dict[str, Any]], post: Post
) -> None:
    ts = await post(channel="C0FLOOR", text="two", blocks=actions(button("Go", "first"), button("Go", "second")))
    await ask("click", **clicked(ts, "second"))
    assert [each["action_id"] for each in app[0]["payload"]["actions"]] == ["second"]


async def test_a_button_that_asks_first_needs_the_answer(ask: Ask, app: list[dict[str, Any]], post: Post) -> None:
    ts = await post(channel="C0FLOOR", text="one", blocks=actions(button("Barge in", "barge", confirm=CONFIRM)))
    status, said = await ask("click", **clicked(ts, "barge"))
    assert (status, said["error"], app) == (400, "confirmation_needed", [])


@pytest.mark.parametrize(("answer", "sent"), [(True, 1), (False, 0)])
async def test_the_answer_to_a_dialog_decides(
    ask: Ask, app: list[dict[str, Any]], post: Post, *, answer: bool, sent: int
) -> None:
    ts = await post(channel="C0FLOOR", text="one", blocks=actions(button("Barge in", "barge", confirm=CONFIRM)))
    _, said = await ask("click", **clicked(ts, "barge", confirmed=answer))
    assert (said["delivered"]["sent"], len(app)) == (bool(sent), sent)


async def test_a_confirmation_is_true_or_false(ask: Ask, post: Post) -> None:
    ts = await post(channel="C0FLOOR", text="one", blocks=actions(button("Go", "go")))
    assert (await ask("click", **clicked(ts, "go", confirmed="yes")))[1]["error"] == "bad_field"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"ts": "1.000001"}, "no_such_message"),
        ({"channel": "C0ALERTS"}, "no_such_message"),
        ({"action_id": "gone"}, "no_such_button"),
        ({"block_id": "gone"}, "no_such_button"),
    ],
)
async def test_what_is_not_there_any_more_cannot_be_clicked(
    ask: Ask, app: list[dict[str, Any]], post: Post, changed: dict[str, str], error: str
) -> None:
    ts = await post(channel="C0FLOOR", text="one", blocks=actions(button("Go", "go")))
    status, said = await ask("click", **clicked(ts, "go") | changed)
    assert (status, said["error"], app) == (409, error, [])


async def test_a_private_answer_is_not_there_for_others(ask: Ask, app: list[dict[str, Any]], post: Post) -> None:
    await post("chat.postEphemeral", channel="C0FLOOR", user=BOB, text="one", blocks=actions(button("Go", "go")))
    _, state = await ask(method="GET", path="/v1/state")
    ts = state["messages"][0]["ts"]
    assert (await ask("click", **clicked(ts, "go")))[1]["error"] == "no_such_message"
    assert (await ask("click", **clicked(ts, "go", user=BOB)))[0] == 200


# ── phones ──


async def test_an_incoming_call_rings(ask: Ask, floor: Floor) -> None:
    _, said = await ask("ring", to=BOBS)
    assert [call.id for call in floor.calls()] == [said["call"]]


async def test_nobody_calls_twice_at_a_time(ask: Ask, floor: Floor) -> None:
    for _ in range(4):
        await ask("ring", to=BOBS)
    assert len({call.views[0].source[0] for call in floor.calls()}) == 4


async def test_calls_come_to_an_end_somewhere(ask: Ask, floor: Floor) -> None:
    floor.crowd(40, to=[BOBS])
    status, said = await ask("ring", to=BOBS)
    assert (status, said["error"]) == (409, "too_many_calls")


async def test_a_phone_does_what_a_hand_does_with_it(ask: Ask, floor: Floor) -> None:
    call = floor.ring(caller="+15550100", to=BOBS)
    states: list[str] = []
    for verb in ("lift", "hold", "unhold", "park", "unpark", "hang_up"):
        assert (await ask("phone", number=BOBS, do=verb, call=call))[0] == 200
        _, state = await ask(method="GET", path="/v1/state")
        states += [each["state"] for each in state["floor"]["phones"] if each["number"] == BOBS]
    assert states == ["on_call", "on_hold", "on_call", "parked", "on_call", "idle"]


async def test_a_ringing_call_hops_to_another_phone(ask: Ask, floor: Floor) -> None:
    call = floor.ring(caller="+15550100", to=BOBS)
    await ask("phone", number=BOBS, do="hop", call=call, to=DANS)
    assert [view.phone for each in floor.calls() for view in each.views] == [DANS]


@pytest.mark.parametrize(
    ("to", "refused"),
    [
        ({"to": BOBS}, (404, "no_such_phone")),
        ({"to": "0003*999"}, (404, "no_such_phone")),
        ({}, (400, "missing_field")),
    ],
)
async def test_a_call_hops_to_another_phone_that_exists(
    ask: Ask, floor: Floor, to: dict[str, str], refused: tuple[int, str]
) -> None:
    call = floor.ring(caller="+15550100", to=BOBS)
    status, said = await ask("phone", number=BOBS, do="hop", call=call, **to)
    assert (status, said["error"]) == refused


def rung(floor: Floor, action: Any = "Monitor") -> str:
    """Ana's phone rings for Bob's call."""
    call = floor.talk(caller="+15550100", to=BOBS)
    floor.intervene(Intervention(action, call, "01", ANAS, "x", 25.0))
    return call


async def test_a_supervisor_lifts_her_phone_and_is_in_the_call(ask: Ask, floor: Floor) -> None:
    call = rung(floor)
    await ask("phone", number=ANAS, do="lift", call=call)
    assert [view.phone for each in floor.calls() for view in each.views] == [BOBS, ANAS]


async def test_a_supervisor_who_hangs_up_leaves_the_call_to_go_on(ask: Ask, floor: Floor) -> None:
    call = rung(floor)
    floor.lift(ANAS)
    await ask("phone", number=ANAS, do="hang_up", call=call)
    assert [view.phone for each in floor.calls() for view in each.views] == [BOBS]


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"do": "unhold"}, 409, "not_now"),
        ({"do": "explode"}, 409, "not_now"),
        ({"call": "other"}, 409, "not_now"),
        ({"number": DANS}, 409, "not_now"),
        ({"number": "0003*999"}, 404, "no_such_phone"),
    ],
)
async def test_a_phone_does_only_what_it_can(
    ask: Ask, floor: Floor, changed: dict[str, str], status: int, error: str
) -> None:
    call = floor.ring(caller="+15550100", to=BOBS)
    found, said = await ask("phone", **{"number": BOBS, "do": "lift", "call": call} | changed)
    assert (found, said["error"]) == (status, error)


async def test_a_phone_does_nothing_with_a_call_of_another(ask: Ask, floor: Floor) -> None:
    floor.ring(caller="+15550100", to=BOBS)
    other = floor.ring(caller="+15550101", to=DANS)
    status, said = await ask("phone", number=BOBS, do="hang_up", call=other)
    assert (status, said["error"], len(floor.calls())) == (409, "not_now", 2)


async def test_a_call_to_a_phone_that_does_not_exist_does_not_come_in(ask: Ask) -> None:
    assert (await ask("ring", to="0003*999"))[1]["error"] == "no_such_phone"


@pytest.mark.parametrize("field", ["caller", "caller_name"])
@pytest.mark.parametrize("given", ["", " ", "x" * 81, "two\nlines", "\x00", "half a character: \ud83d", "\u202egnirts"])
async def test_a_caller_is_what_every_list_of_the_pbx_can_carry(ask: Ask, floor: Floor, field: str, given: str) -> None:
    status, said = await ask("ring", **{"to": BOBS, "caller": "+15550100", field: given})
    assert (status, said["error"], floor.calls()) == (400, "bad_field", [])


@pytest.mark.parametrize("own", [ANAS, BOBS])
async def test_a_caller_is_not_a_phone_of_the_floor(ask: Ask, floor: Floor, own: str) -> None:
    status, said = await ask("ring", to=BOBS, caller=own)
    assert (status, said["error"], floor.calls()) == (400, "bad_field", [])


async def test_a_caller_has_the_name_and_number_that_are_given(ask: Ask, floor: Floor) -> None:
    await ask("ring", to=BOBS, caller="+40 (21) 555 01 42", caller_name="Ștefan <b>")
    assert [view.caller_id for call in floor.calls() for view in call.views] == ["Ștefan <b> <+40 (21) 555 01 42>"]


# ── the bot ──


async def test_the_bot_is_started_again(ask: Ask, process: BotProcess) -> None:
    await process.start()
    status, _ = await ask("bot", do="restart")
    assert (status, process.starts, process.state) == (200, 2, "running")


async def test_a_bot_that_has_ended_is_said_to_have_ended_and_can_be_started(ask: Ask, process: BotProcess) -> None:
    _, before = await ask(method="GET", path="/v1/state")
    await ask("bot", do="restart")
    assert (before["bot"]["state"], process.state) == ("ended", "running")


@pytest.mark.parametrize(("act", "do"), [("bot", "explode"), ("story", "explode")])
async def test_an_order_that_is_none_is_refused(ask: Ask, act: str, do: str) -> None:
    assert (await ask(act, do=do))[1]["error"] == "bad_field"
