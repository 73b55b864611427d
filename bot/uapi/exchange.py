"""One request over HTTP and its answer, however the connection ends. Nothing is sent twice here.

aiohttp would: it sends a GET or PUT again when the connection is lost before the answer (3.14.5, `_request` of
client.py, on fresh connections too) and follows 307 and 308 with the token. So a client middleware, inside of aiohttp's
loop, turns a lost connection into our own error, and redirects are not followed.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import aiohttp
import structlog
from yarl import URL

from bot.domain.errors import AnswerLost, PbxUnreachable
from bot.network import NOT_SENT, certificate_problem, proxy_for
from bot.uapi.envelope import LARGEST_WHOLE
from bot.uapi.wire import Request

BODY_LIMIT = LARGEST_WHOLE
"""Bytes of an answer that are read at most, after decompression."""
LIST_LIMIT = 8 * 1024 * 1024
"""Bytes of a list of calls that are read at most: the longest page has 5,000 calls of about 1 KiB each."""

log = structlog.get_logger("callbot.uapi")

Measure: TypeAlias = Callable[[str, float, str], None]
"""Called for every request with its name (get, list, presence, put, token), the seconds it took, and what went wrong."""


def unmeasured(name: str, seconds: float, error: str) -> None:
    """A Measure that keeps nothing."""


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
    request: Request,
    headers: Mapping[str, str],
    seconds: float,
    *,
    measure: Measure = unmeasured,
) -> Answer:
    """Send it once and read the answer within `seconds`; at most half of them may pass until it is connected.

    Raises PbxUnreachable if there was no connection, so nothing was sent; AnswerLost if the connection was lost, or
    time ran out, before a status arrived.
    """
    started, error = time.monotonic(), "not finished"
    try:
        answer = await _exchange(session, url, request, headers, seconds)
        error = "answer cut off" if answer.cut_off else f"HTTP {answer.http_status}" * (answer.http_status >= 400)
    except AnswerLost:
        error = "answer lost"
        raise
    except PbxUnreachable:
        error = "not connected"
        raise
    else:
        return answer
    finally:
        measure(request.name, time.monotonic() - started, error)


async def _exchange(
    session: aiohttp.ClientSession, url: str, request: Request, headers: Mapping[str, str], seconds: float
) -> Answer:
    http_status = 0
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
                middlewares=(_lost_is_lost,),
                proxy=proxy_for(url),
            ) as response,
        ):
            http_status = response.status
            limit = LIST_LIMIT if request.name == "list" else BODY_LIMIT
            return Answer(http_status, await _body(response, limit), date=response.headers.get("Date", ""))
    except NOT_SENT as failure:
        raise PbxUnreachable(_not_connected(failure)) from None
    except TimeoutError:
        why = f"timed out after {seconds:g} s"
    except aiohttp.ClientError as failure:
        why = f"connection lost ({type(failure).__name__})"
    if http_status == 0:
        raise AnswerLost(why)
    return Answer(http_status, b"", why)


async def _lost_is_lost(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The middleware: turns the errors after which aiohttp would send again into one that it does not know."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:  # not repeated by aiohttp either, and nothing was sent
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as failure:
        raise AnswerLost(f"connection lost ({type(failure).__name__})") from None


def _not_connected(failure: aiohttp.ClientError) -> str:
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
            log.warning("pbx_answer_too_long", http_status=response.status, limit=limit)
            return b""
    return b"".join(chunks)
