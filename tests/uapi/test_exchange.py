"""What happens below HTTP, at a real server that plays it byte by byte: nothing is sent twice, every wait ends."""

import asyncio
import gzip
import json
from collections.abc import Callable

import aiohttp
import pytest

from bot.domain.actions import Monitor
from bot.domain.errors import AnswerLost, PbxBusy, PbxUnreachable
from bot.polling.phone_calls import Accepted
from bot.uapi.client import UnifiedApi
from bot.uapi.exchange import BODY_LIMIT, LIST_LIMIT
from bot.uapi.token import FixedToken
from tests.uapi.conftest import CLOSE, CUT, HANG, RawPbx, http

MONITOR = Monitor(phone_call_view_id="01", send_call_to="0003*024")
CALL = {"id": "b8", "extension": "0003*210"}
Connect = Callable[..., UnifiedApi]


@pytest.fixture
def api(raw: RawPbx, connect: Connect) -> UnifiedApi:
    return connect(raw.url, read_timeout=0.3, act_timeout=0.3)


async def act(api: UnifiedApi) -> Accepted:
    return await api.act("@me", "0003*210", "b8", MONITOR)


# ── a PUT ──


async def test_a_put_on_a_fresh_connection_that_closes_is_sent_once(api: UnifiedApi, raw: RawPbx) -> None:
    with pytest.raises(AnswerLost):
        await act(api)
    assert raw.lines("PUT") == ["PUT /uapi/phoneCalls/@me/0003*210/b8 HTTP/1.1"]


async def test_a_put_on_a_kept_connection_that_closes_is_sent_once(api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(200, CALL), CLOSE]
    await api.get("@me", "0003*210", "b8")
    with pytest.raises(AnswerLost):
        await act(api)
    assert [(heard.connection, heard.line[:3]) for heard in raw.heard] == [(1, "GET"), (1, "PUT")]


async def test_a_put_is_sent_once_by_a_session_of_somebody_else(raw: RawPbx) -> None:
    async with aiohttp.ClientSession() as plain:
        with pytest.raises(AnswerLost):
            await act(UnifiedApi(plain, raw.url, FixedToken("fixed-token")))
    assert len(raw.lines("PUT")) == 1


@pytest.mark.parametrize(
    "begun", [b"HTTP/1.1 ", b"HTTP/1.1 202 Accepted\r\nContent-", b"SSH-2.0-OpenSSH\r\n", b"\x16\x03\x01"]
)
async def test_a_put_whose_answer_is_no_http_is_lost(api: UnifiedApi, raw: RawPbx, begun: bytes) -> None:
    raw.replies = [begun + HANG]
    with pytest.raises(AnswerLost):
        await act(api)
    assert len(raw.lines("PUT")) == 1


@pytest.mark.parametrize("end", [CUT, HANG], ids=["closed", "held"])
async def test_a_head_that_broke_off_is_no_answer(api: UnifiedApi, raw: RawPbx, end: bytes) -> None:
    raw.replies = [b"HTTP/1.1 202 Accepted\r\nContent-" + end]
    with pytest.raises(AnswerLost):
        await act(api)
    assert len(raw.lines("PUT")) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_put_is_not_followed(api: UnifiedApi, raw: RawPbx, status: int) -> None:
    raw.replies = [http(status, headers=f"Location: {raw.url}/elsewhere\r\n"), http(202)]
    with pytest.raises(AnswerLost):
        await act(api)
    assert [heard.line for heard in raw.heard] == ["PUT /uapi/phoneCalls/@me/0003*210/b8 HTTP/1.1"]


@pytest.mark.parametrize(
    ("status", "accepted"), [(200, Accepted.CALL), (202, Accepted.RINGING)], ids=["returned", "ringing"]
)
@pytest.mark.parametrize("end", [CUT, HANG], ids=["closed", "held"])
async def test_a_status_that_arrived_counts_though_the_body_did_not(
    api: UnifiedApi, raw: RawPbx, status: int, accepted: Accepted, end: bytes
) -> None:
    raw.replies = [http(status, b'{"id":', length=50) + end]
    assert await act(api) is accepted


async def test_a_no_that_arrived_counts_though_its_reason_did_not(api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(429, b'{"error":', length=50) + HANG]
    with pytest.raises(PbxBusy):
        await act(api)


async def test_a_put_that_waited_in_vain_for_a_connection_was_not_sent(raw: RawPbx) -> None:
    raw.replies = [HANG]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as narrow:
        holder = asyncio.create_task(
            UnifiedApi(narrow, raw.url, FixedToken("fixed-token")).get("@me", "0003*210", "b8")
        )
        await raw.until_heard(1)
        with pytest.raises(PbxUnreachable) as caught:
            await act(UnifiedApi(narrow, raw.url, FixedToken("fixed-token"), act_timeout=0.2))
        holder.cancel()
        await asyncio.wait([holder])
    assert (type(caught.value), caught.value.why) == (PbxUnreachable, "not connected (timed out)")


async def test_how_the_answer_was_lost_is_said_without_an_address(api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [CLOSE]
    with pytest.raises(AnswerLost) as caught:
        await act(api)
    assert caught.value.why == "connection lost (ServerDisconnectedError)"


async def test_a_put_that_timed_out_leaves_its_connection(api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [HANG]
    with pytest.raises(AnswerLost):
        await act(api)
    await asyncio.wait_for(raw.gone.wait(), 5)


async def test_an_action_that_is_cancelled_stays_cancelled(raw: RawPbx, connect: Connect) -> None:
    raw.replies = [HANG]
    asking = asyncio.create_task(act(connect(raw.url)))
    await raw.until_heard(1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


# ── reads ──


@pytest.mark.parametrize(
    "reply",
    [
        CLOSE,
        HANG,
        http(200, b'{"id":', length=50) + HANG,
        http(200, b'{"id":', length=50) + CUT,
        http(503),
    ],
)
async def test_a_read_is_asked_three_times_in_all(api: UnifiedApi, raw: RawPbx, reply: bytes) -> None:
    raw.replies = [reply]
    with pytest.raises(PbxUnreachable) as caught:
        await api.get("@me", "0003*210", "b8")
    assert (type(caught.value), len(raw.heard)) == (PbxUnreachable, 3)


async def test_a_redirect_of_a_read_is_neither_followed_nor_repeated(api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(307, headers=f"Location: {raw.url}/elsewhere\r\n"), http(200, CALL)]
    with pytest.raises(PbxUnreachable) as caught:
        await api.get("@me", "0003*210", "b8")
    assert (caught.value.why, len(raw.heard)) == ("HTTP 307 (a redirect, not followed)", 1)


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "bomb"])
async def test_an_endless_body_is_not_read_to_its_end(raw: RawPbx, connect: Connect, compressed: bool) -> None:
    endless = b" " * (BODY_LIMIT + 70_000) + json.dumps(CALL).encode()
    raw.replies = [
        http(200, gzip.compress(endless), headers="Content-Encoding: gzip\r\n") if compressed else http(200, endless)
    ]
    with pytest.raises(PbxUnreachable) as caught:
        await connect(raw.url).get("@me", "0003*210", "b8")
    assert (caught.value.why, len(raw.heard)) == ("unreadable answer", 1)


async def test_a_body_just_within_the_limit_is_read(raw: RawPbx, connect: Connect) -> None:
    whole = json.dumps(CALL).encode()
    raw.replies = [http(200, b" " * (BODY_LIMIT - len(whole)) + whole)]
    assert await connect(raw.url).get("@me", "0003*210", "b8") is not None


async def test_a_list_may_be_longer(raw: RawPbx, connect: Connect) -> None:
    padded = [{"id": f"c{number}", "ownerName": "x" * 1600} for number in range(LIST_LIMIT // 1700)]
    whole = json.dumps({"entry": padded, "totalResults": len(padded)}).encode()
    raw.replies = [http(200, whole)]
    found = await connect(raw.url).list("@me", "@self")
    assert (len(found), len(whole) > 7 * BODY_LIMIT) == (len(padded), True)


async def test_an_endless_list_is_not_read_to_its_end(raw: RawPbx, connect: Connect) -> None:
    raw.replies = [http(200, b" " * (LIST_LIMIT + 70_000) + json.dumps([CALL]).encode())]
    with pytest.raises(PbxUnreachable):
        await connect(raw.url).list("@me", "@self")


async def test_a_cookie_of_the_pbx_is_not_sent_back(connect: Connect, raw: RawPbx) -> None:
    api = connect(raw.url.replace("127.0.0.1", "localhost"))  # no jar keeps cookies of a bare address
    raw.replies = [http(200, CALL, headers="Set-Cookie: session=1; Path=/\r\n")]
    await api.get("@me", "0003*210", "b8")
    await api.get("@me", "0003*210", "b8")
    assert [heard.headers.get("cookie") for heard in raw.heard] == [None, None]


async def test_the_client_says_who_it_is(api: UnifiedApi, raw: RawPbx) -> None:
    raw.replies = [http(200, CALL)]
    await api.get("@me", "0003*210", "b8")
    assert raw.heard[0].headers["user-agent"].startswith("callbot/0.")
