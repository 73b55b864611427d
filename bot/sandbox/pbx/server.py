"""The sandbox PBX: a floor of phones behind a real HTTP server that speaks 4PSA VoipNow's UnifiedAPI.

It is written from the vendor's documentation and shares no code with the client it is used to test. A request's way:
requests.py (the request) → faults.py (what goes wrong on purpose) → uapi.py (what UnifiedAPI does) → an answer
→ faults.py (what changes before the next request).
"""

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import TypeVar

from aiohttp import web

from bot.sandbox.changes import Changes
from bot.sandbox.pbx.answers import Forms
from bot.sandbox.pbx.control import Control
from bot.sandbox.pbx.faults import Fault, Faults, Meanwhile
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.requests import Answer, Request, request_from
from bot.sandbox.pbx.uapi import Tokens, UnifiedApi

T = TypeVar("T")

__all__ = ["Fault", "Request", "SandboxPbx"]

# A demo may be left running for days, and is asked once a second.
KEPT_REQUESTS = 10_000


class SandboxPbx:
    """Serves one floor. With `control` it also serves `/control/`, for another process."""

    def __init__(
        self,
        floor: Floor,
        *,
        client_id: str = "sandbox-app",
        client_secret: str = "sandbox-secret",  # noqa: S107 - the demo's own, on loopback
        token_lifetime: float = 3600.0,
        control: bool = False,
    ) -> None:
        self.floor = floor
        self.requests: list[Request] = []
        self.faults = Faults()
        self.forms = Forms()
        self.meanwhile = Meanwhile()
        self.port = 0
        self._host = "127.0.0.1"
        self._tokens = Tokens(client_id, client_secret, token_lifetime)
        self._uapi = UnifiedApi(floor, self._tokens, self.forms)
        self._control = Control(self) if control else None
        self._changes = Changes()
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """Its address: scheme, host and port."""
        return f"http://{self._host}:{self.port}"

    @property
    def tokens_issued(self) -> int:
        """How many tokens the token endpoint has given out."""
        return self._tokens.issued

    def accept_token(self, token: str) -> None:
        """Accept a fixed token, without the token endpoint, until tokens are revoked."""
        self._tokens.accept(token)

    def revoke_tokens(self) -> None:
        """Accept no token that was good so far."""
        self._tokens.revoke()

    def puts(self) -> list[Request]:
        """Return the PUTs seen."""
        return [request for request in self.requests if request.method == "PUT"]

    async def until(self, condition: Callable[[], T], timeout: float = 5.0) -> T:  # noqa: ASYNC109 - a wait ends, always
        """Wait until `condition()` is true, tested after each request and each change of the floor. Raises TimeoutError."""
        unsubscribe = self.floor.on_change(self._changes.tell)
        try:
            value = await self._changes.until(condition, timeout)
        finally:
            unsubscribe()
        if value is None:
            raise TimeoutError(f"not within {timeout} s; {self._describe()}")
        return value

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free port. After `stop`, `start(port=pbx.port)` is a PBX that has come back."""
        if self._runner is not None:
            raise RuntimeError("it is running")
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._host, self.port = host, runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and every connection; requests that still wait for an answer get none."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        request = request_from(http.method, http.raw_path, http.headers, await http.read(), time.monotonic())
        if self._control is not None and request.path.startswith("/control/"):
            return _response(self._control.answer(request))
        self.requests.append(request)
        del self.requests[:-KEPT_REQUESTS]
        self._changes.tell()
        answer = await self._answer(request)
        self.meanwhile.answered(request)
        if answer is None:
            if http.transport is not None:
                http.transport.close()
            answer = Answer(500)
        else:
            request.status = answer.status
        self._changes.tell()
        response = _response(answer)
        response.headers["Date"] = formatdate(time.time() + self.forms.clock_ahead, usegmt=True)
        return response

    async def _answer(self, request: Request) -> Answer | None:
        """Carry the request out and return the answer; None: cut the connection."""
        fault = self.faults.take(request)
        if fault is None:
            return self._uapi.answer(request)
        if fault.seconds > 0:
            await asyncio.sleep(fault.seconds)
        if fault.kind == "cut before":
            return None
        instead = fault.answer_instead(request)
        if instead is not None:
            return instead
        answer = self._uapi.answer(request, action_status=200 if fault.kind == "200" else None)
        return None if fault.kind == "cut after" else fault.spoil(answer, self._uapi.empty_list())

    def _describe(self) -> str:
        return f"requests: {[(seen.method, seen.path, seen.status) for seen in self.requests[-20:]]}"


def _response(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    if answer.status != 204:
        response.headers["Content-Type"] = answer.content_type
    return response
