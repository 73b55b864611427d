"""Faults on order: what a Web API request or a response URL meets instead of a plain answer."""

import asyncio
from dataclasses import dataclass
from typing import Literal, get_args

from aiohttp import web

FaultKind = Literal["429", "500", "slow", "lost", "error", "late", "done500", "garbage"]


@dataclass(kw_only=True)
class SlackFault:
    """One kind of trouble for one method.

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
        """Raises `ValueError` for a kind that there is not."""
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"no fault is called {self.kind!r}")


class SlackFaults:
    """The faults that are still to come, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[SlackFault] = []

    def add(self, fault: SlackFault) -> None:
        """Order a fault."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """No more trouble."""
        self._waiting.clear()

    def take(self, method: str) -> SlackFault | None:
        """The fault that this request meets, used up by one."""
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
    """What the fault answers before anything is done, if it does; a slow one has waited when this returns."""
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
    """What the fault makes of the answer when all is done."""
    match fault:
        case SlackFault(kind="late"):
            await asyncio.sleep(fault.seconds)
        case SlackFault(kind="done500"):
            return _error_page()
    return response


def _error_page() -> web.Response:
    return web.Response(text="<html><body>Server Error</body></html>", content_type="text/html", status=500)


def loses_the_answer(fault: SlackFault | None, request: web.Request) -> bool:
    """Whether the fault cuts the connection now that all is done; if so it is cut."""
    if fault is None or fault.kind != "lost":
        return False
    if request.transport is not None:
        request.transport.abort()
    return True
