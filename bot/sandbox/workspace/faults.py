"""Faults on purpose, in answers of the Web API and of response URLs."""

import asyncio
from dataclasses import dataclass
from typing import Literal, get_args

from aiohttp import web

FaultKind = Literal["429", "500", "slow", "lost", "error", "late", "done500", "garbage"]


@dataclass(kw_only=True)
class SlackFault:
    """One kind of fault for one method.

    `429`: refused with `Retry-After: retry_after`, which may be any text; None: without it. `500`: an error page. `slow`: done `seconds` later. `lost`: done,
    but the connection is cut before the answer. `late`: done, and answered `seconds` later. `done500`: done, but
    answered with an error page. `garbage`: 200 with text that is no JSON, nothing done. `error`: `ok: false` with
    `error`, nothing done. `times`: how often, None for always. `method`: a Web API method, `response_url`, or `*`.
    """

    method: str
    kind: FaultKind
    times: int | None = 1
    retry_after: int | str | None = 1
    seconds: float = 1.0
    error: str = "internal_error"

    def __post_init__(self) -> None:
        """Raises `ValueError` for an unknown kind."""
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"no fault is called {self.kind!r}")


class SlackFaults:
    """The faults that wait for their requests, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[SlackFault] = []

    def add(self, fault: SlackFault) -> None:
        """Add a fault."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self._waiting.clear()

    def take(self, method: str) -> SlackFault | None:
        """The fault for this request, if any; counts its use."""
        for fault in self._waiting:
            if fault.method not in (method, "*"):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
            return fault
        return None


async def refused_by(fault: SlackFault | None) -> web.Response | None:
    """The answer of a fault that does nothing of what was asked, else None. A slow fault waits here."""
    match fault:
        case SlackFault(kind="429"):
            body = {"ok": False, "error": "ratelimited"}
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return web.json_response(body, status=429, headers=headers)
        case SlackFault(kind="500"):
            return _error_page()
        case SlackFault(kind="garbage"):
            return web.Response(text="maintenance", content_type="text/plain")
        case SlackFault(kind="error"):
            return web.json_response({"ok": False, "error": fault.error})
        case SlackFault(kind="slow"):
            await asyncio.sleep(fault.seconds)
    return None


async def spoiled_by(fault: SlackFault | None, response: web.Response) -> web.Response:
    """The answer as the fault spoils it, after the request was carried out."""
    match fault:
        case SlackFault(kind="late"):
            await asyncio.sleep(fault.seconds)
        case SlackFault(kind="done500"):
            return _error_page()
    return response


def _error_page() -> web.Response:
    return web.Response(text="<html><body>Server Error</body></html>", content_type="text/html", status=500)


def loses_the_answer(fault: SlackFault | None, request: web.Request) -> bool:
    """Cut the connection if the fault says so. True if it was cut."""
    if fault is None or fault.kind != "lost":
        return False
    if request.transport is not None:
        request.transport.abort()
    return True
