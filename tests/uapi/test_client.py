"""UnifiedApi against the sandbox PBX: what is read, what is sent, and how often."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.domain.actions import BargeIn, Monitor, PickUp, StartRecording, StopRecording, Whisper
from bot.domain.calls import PhoneSeen, Status
from bot.domain.errors import (
    AccessDenied,
    AnswerLost,
    CallGone,
    PbxBusy,
    PbxError,
    PbxFault,
    PbxUnauthenticated,
    PbxUnreachable,
    SendCallToInvalid,
    UserInvalid,
)
from bot.polling.phone_calls import Accepted
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.uapi.client import UnifiedApi
from bot.uapi.token import ClientCredentials
from tests.uapi.conftest import RawPbx, http

MONITOR = Monitor(phone_call_view_id="01", send_call_to="0003*024", wait_for_pickup=20)
Connect = Callable[..., UnifiedApi]


@pytest.fixture
def call_id(floor: Floor) -> str:
    return floor.talk(caller="+15550100", to="0003*210", caller_name="Carla Caller")


# ── reads ──


FORMS = [
    ("object", "strings", "link"),
    ("list", "numbers", "links"),
    ("envelope", "strings", "links"),
    ("envelope-list", "numbers", "link"),
]


@pytest.mark.parametrize("forms", FORMS, ids=" ".join)
async def test_a_call_is_read_in_every_form(api: UnifiedApi, pbx: SandboxPbx, call_id: str, forms: Any) -> None:
    pbx.forms.single, pbx.forms.numbers, pbx.forms.links = forms
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


# ── a PBX that says by itself what is wrong with it ──

DOCUMENTED = b'{"error": {"code": "internal_server_error", "message": "Secret inside"}}'


async def test_a_read_is_tried_again_and_then_says_the_documented_fault(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(500, DOCUMENTED)]
    with pytest.raises(PbxFault) as caught:
        await raw_api.list("@me", "0003*210")
    assert (caught.value.code, len(raw.heard), "Secret" in str(caught.value)) == ("internal_server_error", 3, False)


async def test_a_fault_without_a_documented_code_is_no_answer(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(500, b'{"error": {"code": "out_of_coffee"}}')]
    with pytest.raises(PbxUnreachable):
        await raw_api.list("@me", "0003*210")


async def test_after_a_fault_nobody_knows_whether_the_action_was_done(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(500, DOCUMENTED)]
    with pytest.raises(AnswerLost) as caught:
        await raw_api.act("@me", "0003*210", "b8", MONITOR)
    assert (caught.value.code, len(raw.heard)) == ("internal_server_error", 1)


@pytest.mark.parametrize("status", [409, 429])
async def test_a_busy_pbx_is_asked_again_and_then_said_to_be_busy(
    raw_api: UnifiedApi, raw: RawPbx, status: int
) -> None:
    raw.replies = [http(status)]
    with pytest.raises(PbxBusy):
        await raw_api.list("@me", "0003*210")
    assert len(raw.heard) == 3


# ── phones ──


async def test_a_registered_phone_is_reachable(api: UnifiedApi) -> None:
    phone = await api.presence("3", "0003*024")
    assert phone is not None
    assert phone.seen is not PhoneSeen.NOT_REGISTERED


async def test_a_phone_that_is_not_registered_is_unreachable(api: UnifiedApi, floor: Floor) -> None:
    floor.add_extension("0003*024", user="3", name="Ana Pop", registered=False)
    phone = await api.presence("3", "0003*024")
    assert phone is not None
    assert phone.seen is PhoneSeen.NOT_REGISTERED


async def test_another_users_phone_is_refused_as_documented(api: UnifiedApi) -> None:
    with pytest.raises(UserInvalid):
        await api.presence("12", "0003*024")


@pytest.mark.parametrize("kind", ["html 500", "cut before", "half json"])
async def test_presence_is_asked_once_and_not_again(api: UnifiedApi, pbx: SandboxPbx, kind: Any) -> None:
    pbx.faults.add(Fault(kind, path_contains="/presence", times=None))
    with pytest.raises(PbxError):
        await api.presence("3", "0003*024")
    assert [request.path for request in pbx.requests] == ["/uapi/extensions/3/0003*024/presence"]


async def test_a_pbx_that_says_nothing_of_the_phone_makes_no_claim(api: UnifiedApi, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault("204", path_contains="/presence"))
    assert await api.presence("3", "0003*024") is None


async def test_what_the_pbx_says_of_another_phone_is_not_taken_for_this_one(raw_api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(200, {"entry": [{"extension": "0003*025", "status": "3"}], "totalResults": 1})]
    assert await raw_api.presence("3", "0003*024") is None


async def test_all_phones_of_a_user_are_read_over_pages(api: UnifiedApi, floor: Floor, pbx: SandboxPbx) -> None:
    for number in range(130):
        floor.add_extension(f"0003*{500 + number}", user="77", name="Agent")
    phones = await api.phones("77")
    assert len({phone.extension for phone in phones}) == 130
    assert len(pbx.requests) == 2


# ── a token that is refused ──


@pytest.fixture
def app(pbx: SandboxPbx, session: aiohttp.ClientSession, connect: Connect) -> UnifiedApi:
    """The client with the credentials of the sandbox's App."""
    return connect(pbx.url, token=ClientCredentials(session, pbx.url, "sandbox-app", "sandbox-secret"))


@pytest.mark.parametrize("stale", [401, 403])
async def test_a_stale_token_is_renewed_and_the_read_repeated(
    app: UnifiedApi, pbx: SandboxPbx, call_id: str, stale: Any
) -> None:
    pbx.forms.unauthenticated = stale
    await app.list("@me", "@self")
    pbx.revoke_tokens()
    assert await app.get("@me", "0003*210", call_id) is not None
    assert pbx.tokens_issued == 2


@pytest.mark.parametrize("stale", [401, 403])
async def test_a_stale_token_is_renewed_and_the_action_sent_once_more(
    app: UnifiedApi, pbx: SandboxPbx, call_id: str, stale: Any
) -> None:
    pbx.forms.unauthenticated = stale
    await app.list("@me", "@self")
    pbx.revoke_tokens()
    await app.act("12", "0003*210", call_id, MONITOR)
    assert [put.status for put in pbx.puts()] == [stale, 202]


@pytest.mark.parametrize(("kind", "error"), [("401", PbxUnauthenticated), ("403", AccessDenied)])
async def test_a_fresh_token_that_is_refused_is_the_end(
    app: UnifiedApi, pbx: SandboxPbx, call_id: str, kind: Any, error: type[Exception]
) -> None:
    pbx.faults.add(Fault(kind, path_contains="/uapi/", times=None))
    with pytest.raises(error):
        await app.act("12", "0003*210", call_id, MONITOR)
    assert len(pbx.puts()) == 2


async def test_a_right_that_lacks_does_not_cost_a_token_for_every_request(app: UnifiedApi, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault("403", path_contains="/uapi/", times=None))
    for _ in range(5):
        with pytest.raises(AccessDenied):
            await app.list("@me", "@self")
    assert pbx.tokens_issued == 2


async def test_a_fixed_token_that_is_refused_is_not_sent_again(connect: Connect, pbx: SandboxPbx, call_id: str) -> None:
    pbx.revoke_tokens()
    with pytest.raises(PbxUnauthenticated):
        await connect(pbx.url).act("12", "0003*210", call_id, MONITOR)
    assert len(pbx.puts()) == 1


async def test_without_a_token_an_action_is_not_sent(app: UnifiedApi, pbx: SandboxPbx, call_id: str) -> None:
    pbx.faults.add(Fault("cut before", method="POST", times=None))
    with pytest.raises(PbxUnreachable) as caught:
        await app.act("12", "0003*210", call_id, MONITOR)
    assert (type(caught.value), pbx.puts()) == (PbxUnreachable, [])
