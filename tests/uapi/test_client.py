"""UnifiedApi against the sandbox PBX: what is read, what is sent, and how often."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.actions import BargeIn, Monitor, PickUp, StartRecording, StopRecording, Whisper
from bot.domain.calls import Status
from bot.domain.errors import (
    AnswerLost,
    CallGone,
    PbxUnreachable,
    SendCallToInvalid,
    UserInvalid,
)
from bot.polling.phone_calls import Accepted
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.uapi.client import UnifiedApi

MONITOR = Monitor(phone_call_view_id="01", send_call_to="0003*024", wait_for_pickup=20)
Connect = Callable[..., UnifiedApi]


@pytest.fixture
def call_id(floor: Floor) -> str:
    return floor.talk(caller="+15550100", to="0003*210", caller_name="Carla Caller")


# ── reads ──


@pytest.mark.parametrize("links", ["link", "links"])
@pytest.mark.parametrize("numbers", ["strings", "numbers"])
@pytest.mark.parametrize("single", ["object", "list", "envelope", "envelope-list"])
async def test_a_call_is_read_in_every_form(  # noqa: PLR0917 - three of them are the table
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, single: Any, numbers: Any, links: Any
) -> None:
    pbx.forms.single, pbx.forms.numbers, pbx.forms.links = single, numbers, links
    call = await api.get("@me", "0003*210", call_id)
    assert call is not None
    assert (call.id, call.views[0].status, call.views[0].source) == (call_id, Status.ON_CALL, ("+15550100",))


@pytest.mark.parametrize("gone", ["envelope", "204", "400"])
async def test_a_call_that_is_over_is_none_in_every_form(
    api: UnifiedApi, pbx: SandboxPbx, floor: Floor, call_id: str, gone: Any
) -> None:
    pbx.forms.gone = gone
    floor.hang_up(call_id)
    assert await api.get("@me", "0003*210", call_id) is None


async def test_a_read_equals_the_documented_request(api: UnifiedApi, pbx: SandboxPbx, call_id: str) -> None:
    await api.get("12", "0003*210", call_id)
    (sent,) = pbx.requests
    headers = {name: sent.headers[name] for name in ("authorization", "accept", "content-type")}
    assert (sent.method, sent.path, sent.query, sent.body, headers) == (
        "GET",
        f"/uapi/phoneCalls/12/0003*210/{call_id}",
        {},
        b"",
        {"authorization": "Bearer fixed-token", "accept": "application/json", "content-type": "application/json"},
    )


async def test_a_segment_outside_its_grammar_is_never_sent(api: UnifiedApi, pbx: SandboxPbx) -> None:
    with pytest.raises(ValueError, match="PhoneCall id"):
        await api.get("@me", "0003*210", "../../x?y")
    assert pbx.requests == []


async def test_the_wrong_owner_of_an_extension_is_a_refusal(api: UnifiedApi, call_id: str) -> None:
    with pytest.raises(UserInvalid):
        await api.get("3", "0003*210", call_id)


async def test_a_quiet_floor_is_an_empty_list(api: UnifiedApi) -> None:
    assert await api.list("@me", "@self") == ()


@pytest.mark.parametrize("kind", ["html 500", "html 502", "cut before", "cut after"])
async def test_a_read_that_fails_twice_is_tried_a_third_time(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, kind: Any
) -> None:
    pbx.faults.add(Fault(kind, times=2))
    assert await api.get("@me", "0003*210", call_id) is not None


@pytest.mark.parametrize("kind", ["html 500", "cut before"])
async def test_a_read_is_given_up_after_the_third_time(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, kind: Any
) -> None:
    pbx.faults.add(Fault(kind, times=None))
    with pytest.raises(PbxUnreachable) as caught:
        await api.get("@me", "0003*210", call_id)
    assert (type(caught.value), len(pbx.requests)) == (PbxUnreachable, 3)


async def test_the_pauses_between_reads_grow(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, pauses: list[float]
) -> None:
    pbx.faults.add(Fault("html 502", times=None))
    with pytest.raises(PbxUnreachable):
        await api.get("@me", "0003*210", call_id)
    assert pauses == pytest.approx([0.3, 0.6])


@pytest.mark.parametrize("kind", ["half json", "empty body"])
async def test_an_answer_that_cannot_be_read_is_not_asked_for_again(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, kind: Any
) -> None:
    pbx.faults.add(Fault(kind, times=None))
    with pytest.raises(PbxUnreachable):
        await api.get("@me", "0003*210", call_id)
    assert len(pbx.requests) == 1


async def test_a_pbx_that_is_back_is_read_again(
    pbx: SandboxPbx, connect: Connect, call_id: str, pauses: list[float]
) -> None:
    await pbx.stop()
    with pytest.raises(PbxUnreachable) as caught:
        await connect(pbx.url).get("@me", "0003*210", call_id)
    assert caught.value.why == "not connected (ConnectionRefusedError)"
    await pbx.start(port=pbx.port)
    assert await connect(pbx.url).get("@me", "0003*210", call_id) is not None


# ── actions ──


@pytest.mark.parametrize(
    ("action", "accepted"),
    [
        (MONITOR, Accepted.RINGING),
        (Whisper(phone_call_view_id="01", send_call_to="0003*024", private=1), Accepted.RINGING),
        (BargeIn(phone_call_view_id="01", send_call_to="0003*024", caller_id="John Doe <+3334444>"), Accepted.RINGING),
        (StartRecording(phone_call_view_id="01", format="wav49"), Accepted.CALL),
        (StopRecording(phone_call_view_id="01"), Accepted.CALL),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_the_pbx_accepts_every_action(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, action: Any, accepted: Accepted
) -> None:
    assert await api.act("12", "0003*210", call_id, action) is accepted
    assert [put.json for put in pbx.puts()] == [action.wire()]


async def test_the_pbx_accepts_a_pick_up(api: UnifiedApi, floor: Floor) -> None:
    ringing = floor.ring(caller="+15550100", to="0003*210")
    accepted = await api.act("12", "0003*210", ringing, PickUp(phone_call_view_id="01", send_call_to="0003*024"))
    assert accepted is Accepted.RINGING


async def test_an_accepted_monitor_rings_the_phone(api: UnifiedApi, floor: Floor, call_id: str) -> None:
    await api.act("12", "0003*210", call_id, MONITOR)
    assert floor.ringing("0003*024")


@pytest.mark.parametrize(("form", "accepted"), [(200, Accepted.CALL), (202, Accepted.RINGING), (204, Accepted.NOTHING)])
async def test_the_status_says_how_an_action_was_accepted(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, form: Any, accepted: Accepted
) -> None:
    pbx.forms.action = form
    assert await api.act("12", "0003*210", call_id, MONITOR) is accepted


async def test_a_documented_no_is_its_error(api: UnifiedApi, call_id: str) -> None:
    with pytest.raises(SendCallToInvalid):
        await api.act("12", "0003*210", call_id, Monitor(phone_call_view_id="01", send_call_to="0003*999"))


@pytest.mark.parametrize("spelling", ["documented", "correct"])
async def test_a_call_that_is_over_refuses_an_action(api: UnifiedApi, pbx: SandboxPbx, spelling: Any) -> None:
    pbx.forms.spelling = spelling
    with pytest.raises(CallGone):
        await api.act("12", "0003*210", "b817d2618fe6f1804333", MONITOR)


@pytest.mark.parametrize("kind", ["html 500", "html 502", "cut before", "cut after", "redirect"])
async def test_an_action_without_an_answer_is_lost_and_not_repeated(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, kind: Any
) -> None:
    pbx.faults.add(Fault(kind, times=None, to=f"{pbx.url}/uapi/phoneCalls/12/0003*210/{call_id}"))
    with pytest.raises(AnswerLost):
        await api.act("12", "0003*210", call_id, MONITOR)
    assert len(pbx.requests) == 1


async def test_an_action_that_takes_too_long_is_lost(pbx: SandboxPbx, connect: Connect, call_id: str) -> None:
    pbx.faults.add(Fault("slow", seconds=30))
    with pytest.raises(AnswerLost) as caught:
        await connect(pbx.url, act_timeout=0.2).act("12", "0003*210", call_id, MONITOR)
    assert caught.value.why == "timed out after 0.2 s"


async def test_an_action_on_a_pbx_that_is_down_was_not_sent(pbx: SandboxPbx, api: UnifiedApi, call_id: str) -> None:
    await pbx.stop()
    with pytest.raises(PbxUnreachable) as caught:
        await api.act("12", "0003*210", call_id, MONITOR)
    assert type(caught.value) is PbxUnreachable


@pytest.mark.parametrize("kind", ["half json", "empty body"])
async def test_an_accepted_action_needs_no_readable_body(
    api: UnifiedApi, pbx: SandboxPbx, call_id: str, kind: Any
) -> None:
    pbx.faults.add(Fault(kind))
    assert await api.act("12", "0003*210", call_id, MONITOR) in {Accepted.CALL, Accepted.RINGING}
