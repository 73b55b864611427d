"""Every read has an end, a poll waits for its turn before each request, and every answer is measured."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bot.domain.actions import Monitor
from bot.domain.errors import AnswerLost, ExtensionInvalid, PbxError, PbxUnreachable
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.uapi.client import UnifiedApi
from bot.uapi.token import ClientCredentials
from tests.uapi.conftest import HANG, RawPbx, http

MONITOR = Monitor(phone_call_view_id="01", send_call_to="0003*024", wait_for_pickup=20)
Connect = Callable[..., UnifiedApi]
CALL = ("@me", "0003*210", "b817d2618fe6f1804333")

READS: dict[str, Callable[[UnifiedApi], Awaitable[object]]] = {
    "get": lambda api: api.get(*CALL),
    "list": lambda api: api.list("@me", "@self"),
    "presence": lambda api: api.presence("3", "0003*024"),
    "phones": lambda api: api.phones("3"),
}


# ── every read has an end ──


@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_a_pbx_that_hangs_is_given_up_in_time(
    pbx: SandboxPbx, connect: Connect, read: Callable[[UnifiedApi], Awaitable[object]]
) -> None:
    pbx.faults.add(Fault("slow", seconds=30, times=None))
    with pytest.raises(PbxUnreachable) as caught:
        await read(connect(pbx.url, whole_read=0.1))
    assert caught.value.why == "timed out after 0.1 s"


async def test_all_attempts_of_a_read_have_one_end(pbx: SandboxPbx, connect: Connect) -> None:
    pbx.faults.add(Fault("slow", seconds=30, times=None))
    with pytest.raises(PbxUnreachable) as caught:
        await connect(pbx.url, read_timeout=0.2, whole_read=0.5).get(*CALL)
    assert caught.value.why == "timed out after 0.5 s"


async def test_all_pages_of_a_list_have_one_end(pbx: SandboxPbx, floor: Floor, connect: Connect) -> None:
    floor.crowd(1001, to=["0003*210"])
    pbx.faults.add(Fault("slow", seconds=0.6, times=None))
    with pytest.raises(PbxUnreachable) as caught:
        await connect(pbx.url, whole_read=1).list("@me", "@self")
    assert caught.value.why == "timed out after 1 s"


async def test_a_turn_that_never_comes_has_the_same_end(pbx: SandboxPbx, connect: Connect) -> None:
    with pytest.raises(PbxUnreachable):
        await connect(pbx.url, whole_read=0.05, turn=asyncio.Event().wait).get(*CALL)
    assert pbx.requests == []


async def test_a_read_that_is_cancelled_stays_cancelled(pbx: SandboxPbx, connect: Connect) -> None:
    pbx.faults.add(Fault("slow", seconds=30))
    reading = asyncio.create_task(connect(pbx.url).get(*CALL))
    await pbx.until(lambda: pbx.requests)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


# ── turns ──


class Turns:
    """Counts the turns that were taken, each at the number of requests that had been sent then."""

    def __init__(self, pbx: SandboxPbx) -> None:
        self.pbx = pbx
        self.at: list[int] = []

    async def __call__(self) -> None:
        self.at.append(len(self.pbx.requests))


async def test_a_turn_is_taken_before_each_page(pbx: SandboxPbx, floor: Floor, connect: Connect) -> None:
    floor.crowd(1001, to=["0003*210"])
    turns = Turns(pbx)
    await connect(pbx.url, turn=turns).list("@me", "@self")
    assert turns.at == [0, 1]


async def test_a_turn_is_taken_before_each_attempt(pbx: SandboxPbx, connect: Connect) -> None:
    pbx.faults.add(Fault("html 502", times=2))
    turns = Turns(pbx)
    await connect(pbx.url, turn=turns).get(*CALL)
    assert turns.at == [0, 1, 2]


async def test_a_turn_is_taken_before_the_read_with_a_fresh_token(
    pbx: SandboxPbx, session: aiohttp.ClientSession, connect: Connect
) -> None:
    token = ClientCredentials(session, pbx.url, "sandbox-app", "sandbox-secret")
    pbx.faults.add(Fault("401", method="GET"))
    turns = Turns(pbx)
    await connect(pbx.url, token=token, turn=turns).list("@me", "@self")
    assert turns.at == [1, 3]


# ── figures ──


class Figures:
    """What was measured: names and errors, and that all times are times."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []

    def __call__(self, name: str, seconds: float, error: str) -> None:
        assert 0 <= seconds < 5
        self.kept.append((name, error))


NAMES: dict[str, Callable[[UnifiedApi], Awaitable[object]]] = {
    "get": READS["get"],
    "list": READS["list"],
    "presence": READS["presence"],
    "put": lambda api: api.act("12", "0003*210", "b817d2618fe6f1804333", MONITOR),
}


@pytest.mark.parametrize("name", NAMES)
async def test_each_kind_of_request_has_its_name(raw: Any, connect: Connect, name: str) -> None:
    raw.replies = [b"HTTP/1.1 204 Said\r\n\r\n"]
    figures = Figures()
    await NAMES[name](connect(raw.url, measure=figures))
    assert figures.kept == [(name, "")]


async def test_the_token_has_its_name_too(pbx: SandboxPbx, session: aiohttp.ClientSession) -> None:
    figures = Figures()
    await ClientCredentials(session, pbx.url, "sandbox-app", "sandbox-secret", measure=figures).token()
    assert figures.kept == [("token", "")]


ERRORS: dict[str, tuple[Any, str]] = {
    "an error page": (Fault("html 502", times=None), "HTTP 502"),
    "a refusal": (Fault("403", times=None), "HTTP 403"),
    "a lost connection": (Fault("cut before", times=None), "answer lost"),
    "silence": (Fault("slow", seconds=30, times=None), "answer lost"),
}


@pytest.mark.parametrize(("fault", "error"), ERRORS.values(), ids=ERRORS)
async def test_what_went_wrong_is_kept_in_few_words(
    pbx: SandboxPbx, connect: Connect, fault: Fault, error: str
) -> None:
    pbx.faults.add(fault)
    figures = Figures()
    with pytest.raises(PbxError):
        await connect(pbx.url, measure=figures, read_timeout=0.1).presence("3", "0003*024")
    assert figures.kept == [("presence", error)]


async def test_a_refusal_with_400_is_kept_as_an_error(raw: RawPbx, connect: Connect) -> None:
    raw.replies = [http(400, {"error": {"code": "extension_invalid"}})]
    figures = Figures()
    with pytest.raises(ExtensionInvalid):
        await connect(raw.url, measure=figures).presence("3", "0003*024")
    assert figures.kept == [("presence", "HTTP 400")]


async def test_a_request_that_callbot_breaks_off_is_kept_as_that(raw: RawPbx, connect: Connect) -> None:
    raw.replies = [HANG]
    figures = Figures()
    asking = asyncio.create_task(connect(raw.url, measure=figures).presence("3", "0003*024"))
    await raw.until_heard(1)
    asking.cancel()
    await asyncio.wait({asking})
    assert (asking.cancelled(), figures.kept) == (True, [("presence", "not finished")])


async def test_a_pbx_that_is_down_is_not_connected(pbx: SandboxPbx, connect: Connect) -> None:
    await pbx.stop()
    figures = Figures()
    with pytest.raises(PbxUnreachable):
        await connect(pbx.url, measure=figures).act("12", "0003*210", "b817d2618fe6f1804333", MONITOR)
    assert figures.kept == [("put", "not connected")]


async def test_an_answer_that_broke_off_is_kept_as_that(raw: Any, connect: Connect) -> None:
    raw.replies = [b"HTTP/1.1 200 Said\r\nContent-Length: 99\r\n\r\n{cut"]
    figures = Figures()
    with pytest.raises(PbxError):
        await connect(raw.url, measure=figures).get(*CALL)
    assert figures.kept == [("get", "answer cut off")] * 3


async def test_a_lost_answer_of_a_put_is_kept_as_lost(pbx: SandboxPbx, connect: Connect) -> None:
    pbx.faults.add(Fault("cut after", method="PUT"))
    figures = Figures()
    with pytest.raises(AnswerLost):
        await connect(pbx.url, measure=figures).act("12", "0003*210", "b817d2618fe6f1804333", MONITOR)
    assert figures.kept == [("put", "answer lost")]
