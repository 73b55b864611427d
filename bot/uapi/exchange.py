"""One request: what is sent, and its answer, however the connection ends. Nothing is sent twice here.

Requests are strict: every path segment is checked first, `@` and `*` stand literally, no trailing slash. Sources: the action
pages ("Monitor PhoneCalls" and its sisters), "List PhoneCalls", "List Presence".

aiohttp would send twice: it sends a GET or PUT again when the connection is lost before the answer (3.14.5, `_request` of
client.py, on fresh connections too) and follows 307 and 308 with the token. So a client middleware, inside of aiohttp's
loop, turns a lost connection into our own error, and redirects are not followed.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import aiohttp
import structlog
from yarl import URL

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import EXTENSION, OBJECT_ID, USER_ID
from bot.domain.errors import AnswerLost, PbxUnreachable
from bot.network import NOT_SENT, certificate_problem, proxy_for
from bot.uapi.parsing import LARGEST_WHOLE

PAGE_SIZE = 1000
"""Calls asked for at first; "List PhoneCalls" gives 20 by default. Few floors ever have more at a time."""
LONG_PAGE = 4300
"""Calls asked for if there are more: from the end of the first page a little further than LAST_START."""
LAST_PAGE, LAST_START = 5000, 5000
"""The highest count and the highest startIndex of "List PhoneCalls": so 10,000 calls can be reached, in three requests."""
PHONES_ON_A_PAGE = 100
"""Phones asked for at once; "List Presence" gives 20 by default."""
BODY_LIMIT = LARGEST_WHOLE
"""Bytes of an answer that are read at most, after decompression."""
LIST_LIMIT = 8 * 1024 * 1024
"""Bytes of a list of calls that are read at most: the longest page has 5,000 calls of about 1 KiB each."""

_log = structlog.get_logger("callbot.uapi")

Measure: TypeAlias = Callable[[str, float, str], None]
"""Called for every request with its name (get, list, presence, put, token), the seconds it took, and what went wrong."""


def unmeasured(name: str, seconds: float, error: str) -> None:
    """A Measure that keeps nothing."""


# ── what is sent ──


@dataclass(frozen=True)
class PbxRequest:
    """One request without the token. `target` is path and query; a body may hold a secret, so it is not in the repr.

    `name` is what metrics and logs call the request.
    """

    method: str
    target: str
    body: bytes | None = field(default=None, repr=False)
    name: str = field(default="get", kw_only=True, compare=False)


def call_path(user: str, extension: str, call_id: str | None = None) -> str:
    """The path of one PhoneCall, or of all of an extension: `/uapi/phoneCalls/@me/0003*210/b817d2618fe6f1804333`.

    `extension` may be `@self`, every extension of the user. Raises ValueError for a segment outside its grammar.
    """
    path = f"/uapi/phoneCalls/{_owned(user, extension)}"
    return path if call_id is None else f"{path}/{_segment(OBJECT_ID, call_id, 'PhoneCall id')}"


def get_call(user: str, extension: str, call_id: str) -> PbxRequest:
    """The request for one call. Raises ValueError as `call_path` does."""
    return PbxRequest("GET", call_path(user, extension, call_id))


def get_page(user: str, extension: str, start: int) -> PbxRequest:
    """The request for one page of calls, from the `start`-th on (0 is the first). Raises ValueError as `call_path`.

    Also for a start beyond LAST_START.
    """
    if start > LAST_START:
        raise ValueError(f"startIndex is beyond {LAST_START}")
    count = PAGE_SIZE if start == 0 else LONG_PAGE if start < LAST_START else LAST_PAGE
    return PbxRequest("GET", f"{call_path(user, extension)}?count={count}&startIndex={start}", name="list")


def next_start(start: int, came: int) -> int:
    """The `startIndex` of the page after one that began at `start` and had so many entries.

    If calls end while a list is read, the calls behind them move forward. So each page begins a little before the end of the
    one before it. A call that moved further is in the next scan.
    """
    return min(start + came - came // 20, LAST_START)


def get_presence(user: str, extension: str, start: int = 0) -> PbxRequest:
    """The request for what is known of a phone, or with `@self` of all phones of the user, from the `start`-th on.

    Raises ValueError for a segment outside its grammar. Source: "List Presence".
    """
    path = f"/uapi/extensions/{_owned(user, extension)}/presence"
    return PbxRequest("GET", f"{path}?count={PHONES_ON_A_PAGE}&startIndex={start}", name="presence")


def put_action(user: str, extension: str, call_id: str, action: PhoneCallAction) -> PbxRequest:
    """The request to act on one call, as the action's page has it. Raises ValueError as `call_path` does."""
    return PbxRequest("PUT", call_path(user, extension, call_id), json.dumps(action.wire()).encode(), name="put")


def headers(token: str) -> dict[str, str]:
    """The headers of every request to `/uapi`. The vendor's own clients send Content-Type with GET, too."""
    return {"Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Bearer {token}"}


def _owned(user: str, extension: str) -> str:
    """The part of a path that names an extension by its owner. Raises ValueError."""
    owner = _segment(USER_ID, user, "User-Id")
    return f"{owner}/{extension if extension == '@self' else _segment(EXTENSION, extension, 'extension')}"


def _segment(grammar: re.Pattern[str], text: str, name: str) -> str:
    if grammar.fullmatch(text) is None:
        raise ValueError(f"{name} is not of the form {grammar.pattern}")
    return text


# ── sent once, and answered ──


@dataclass(frozen=True)
class Answer:
    """HTTP status and body. If the body did not arrive it is empty, and `cut_off` says why.

    `date` is the Date header, empty if there is none.
    """

    http_status: int
    body: bytes = field(repr=False)
    cut_off: str = ""
    date: str = ""


async def exchange(
    session: aiohttp.ClientSession,
    url: str,
    request: PbxRequest,
    headers: Mapping[str, str],
    seconds: float,
    *,
    measure: Measure = unmeasured,
) -> Answer:
    """Send it once and read the answer within `seconds`; at most half of them may pass until it is connected.

    Raises PbxUnreachable if there was no connection, so nothing was sent; AnswerLost if the connection was lost, or
    time ran out, before a status arrived.
    """
    started, http_status, error = time.monotonic(), 0, "not finished"
    try:
        async with (
            asyncio.timeout(seconds),
            session.request(
                request.method,
                URL(url.rstrip("/") + request.target, encoded=True),
                data=request.body,
                headers=headers,
                allow_redirects=False,
                raise_for_status=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=seconds / 2),
                middlewares=(_no_second_try,),
                proxy=proxy_for(url),
            ) as response,
        ):
            http_status = response.status
            body = await _body(response, LIST_LIMIT if request.name == "list" else BODY_LIMIT)
            error = f"HTTP {http_status}" if http_status >= 400 else ""
            return Answer(http_status, body, date=response.headers.get("Date", ""))
    except NOT_SENT as failure:
        error = "not connected"
        raise PbxUnreachable(_why_not_connected(failure)) from None
    except (AnswerLost, TimeoutError, aiohttp.ClientError) as failure:
        why = f"timed out after {seconds:g} s" if isinstance(failure, TimeoutError) else _why_lost(failure)
        if http_status == 0:
            error = "answer lost"
            raise AnswerLost(why) from None
        error = "answer cut off"
        return Answer(http_status, b"", why)
    finally:
        measure(request.name, time.monotonic() - started, error)


async def _no_second_try(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The middleware: turns the errors after which aiohttp would send again into one that it does not know."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:  # not repeated by aiohttp either, and nothing was sent
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as failure:
        raise AnswerLost(_why_lost(failure)) from None


def _why_lost(failure: Exception) -> str:
    return failure.why if isinstance(failure, AnswerLost) else f"connection lost ({type(failure).__name__})"


def _why_not_connected(failure: aiohttp.ClientError) -> str:
    """Why there was no connection, in our own words: aiohttp's would put the address into the log."""
    match failure:
        case aiohttp.ClientConnectorCertificateError(certificate_error=error):
            return f"certificate not accepted ({certificate_problem(error)})"
        case aiohttp.ClientHttpProxyError(status=status):
            return f"not connected (the proxy refused with HTTP {status})"
        case aiohttp.InvalidURL():
            return "not connected (HTTPS_PROXY or HTTP_PROXY is invalid)"
        case aiohttp.ClientConnectorError(os_error=error):
            return f"not connected ({type(error).__name__})"
    return "not connected (timed out)"


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body, or nothing if it is too long: like an empty one it cannot be read, and is not worth another try."""
    chunks: list[bytes] = []
    received = 0
    async for chunk in response.content.iter_chunked(65536):
        chunks.append(chunk)
        received += len(chunk)
        if received > limit:
            response.close()
            _log.warning("pbx_answer_too_long", http_status=response.status, limit=limit)
            return b""
    return b"".join(chunks)
