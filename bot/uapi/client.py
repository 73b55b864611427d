"""UnifiedApi: reads of PhoneCalls, which are repeated, and actions on them, which are not.

Implements `bot.polling.phone_calls.PhoneCalls`. What is sent, and how a connection may end, is in `exchange`, how an answer is
read in `parsing`; here is how often a request is sent.
"""

import asyncio
import importlib.metadata
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
import structlog

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall, Presence
from bot.domain.clock import ServerClock
from bot.domain.errors import AnswerLost, PbxUnreachable
from bot.polling.phone_calls import Accepted, PartlyRead
from bot.tasks import back_off
from bot.uapi import parsing
from bot.uapi.exchange import (
    LAST_START,
    Answer,
    Measure,
    PbxRequest,
    exchange,
    get_call,
    get_page,
    get_presence,
    headers,
    next_start,
    put_action,
    unmeasured,
)
from bot.uapi.list_reader import LastLists, ListReader
from bot.uapi.parsing import Page
from bot.uapi.token import TokenSource

PAGES = 60
"""Pages of one list. A PBX that gives 100 calls at a time, however many are asked for, reaches startIndex 5000 in 54."""
READ_ATTEMPTS = 3
"""How often a read is tried."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 0.8
"""Seconds before a read is tried again (`back_off`)."""
WHOLE_READ = 15.0
"""Seconds for a whole read: every page of a list and every attempt. Without it 60 pages could take 15 minutes."""
STILL_FRESH = 30.0
"""Seconds for which a token that was refused although fresh is not renewed again: the App has no right to do it."""

AGENT = f"callbot/{importlib.metadata.version('callbot')}"
"""The User-Agent that callbot sends to the PBX."""

_log = structlog.get_logger("callbot.uapi")
T = TypeVar("T")


def pbx_session(ca_file: str | None = None) -> aiohttp.ClientSession:
    """The one HTTP session to the PBX: few connections, no cookies.

    `ca_file` holds the certificates to trust instead of the system's ("self-signed installations"). Certificates are
    always verified. Call it on the event loop. Raises OSError (ssl.SSLError is one) if the file cannot be read.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=32, ssl=True if ca_file is None else ssl.create_default_context(cafile=ca_file)
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": AGENT},
        trust_env=False,  # which brings ~/.netrc, too; the proxy comes with each request
    )


class UnifiedApi:
    """The PBX over HTTP.

    `url` is scheme and host; the timeouts are seconds for one attempt. `sleep` and `random` make the pauses between the
    attempts of a read, which takes at most `whole_read` seconds. `turn` is awaited before each request, and that time
    counts; without it, as for interventions, no rate limit holds a request back. `measure` is called for every answer.
    `last_lists` is what lists showed last, so that what has not changed is not read again; several may share it. `seen` is
    shown every answer as it came, for `callbot check --try` alone.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        token: TokenSource,
        *,
        read_timeout: float = 5.0,
        act_timeout: float = 10.0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
        whole_read: float = WHOLE_READ,
        turn: Callable[[], Awaitable[None]] | None = None,
        measure: Measure = unmeasured,
        last_lists: LastLists | None = None,
        seen: Callable[[PbxRequest, Answer], None] | None = None,
        clock: ServerClock | None = None,
    ) -> None:
        self._session = session
        self._url = url
        self._token = token
        self._read_timeout = read_timeout
        self._act_timeout = act_timeout
        self._sleep = sleep
        self._random = random
        self._whole_read = whole_read
        self._turn = turn
        self._measure = measure
        self._last_lists = last_lists or LastLists(0)
        self._seen = seen
        self._clock = clock
        self._refused_fresh = ("", 0.0)

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        """The call as it is now, None if it is gone.

        Raises ValueError for an invalid id or extension; PbxUnreachable, PbxUnauthenticated, PbxRefused.
        """
        request = get_call(user, extension, call_id)
        async with self._time_limit():
            answer = await self._read(request, call=call_id)
        return parsing.read_call(answer.http_status, answer.body, call_id)

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        """All calls in progress on an extension, or with `@self` on all of the user's; each id once.

        Raises as `get`, and PartlyRead if some calls have no id.
        """
        scope = (user, extension)
        reader = ListReader(self._last_lists.of(scope))
        calls, skipped = await self._every_page(
            lambda start: get_page(user, extension, start), reader.read, lambda call: call.id
        )
        self._last_lists.keep(scope, reader.shown)
        if skipped:
            _log.debug("calls_without_id", skipped=skipped)
            raise PartlyRead(calls, skipped)
        return calls

    async def presence(self, user: str, extension: str) -> Presence | None:
        """The presence of one phone, None if the PBX does not know it. Asked once, without repeats. Raises as `get`."""
        async with self._time_limit():
            answer = await self._authenticated(get_presence(user, extension), self._read_timeout)
        page = parsing.read_presences(answer.http_status, answer.body)
        return next((phone for phone in page.entries if phone.extension == extension), None)

    async def phones(self, user: str) -> tuple[Presence, ...]:
        """The presence of every phone of a user, each once. Raises as `get`."""

        async def read(http_status: int, body: bytes) -> Page[Presence]:
            return parsing.read_presences(http_status, body)

        phones, _ = await self._every_page(
            lambda start: get_presence(user, "@self", start), read, lambda phone: phone.extension
        )
        return phones

    async def _every_page(
        self,
        ask: Callable[[int], PbxRequest],
        read: Callable[[int, bytes], Awaitable[Page[T]]],
        key: Callable[[T], str],
    ) -> tuple[tuple[T, ...], int]:
        """All pages of a list, each entry once, and how many entries were skipped.

        `startIndex` is counted here; `paging.next` is never followed.
        """
        found: dict[str, T] = {}
        start = skipped = 0
        async with self._time_limit():
            for _ in range(PAGES):
                answer = await self._read(ask(start))
                page = await read(answer.http_status, answer.body)
                await asyncio.sleep(0)  # what follows is a slice by itself
                known, came = len(found), len(page.entries) + page.skipped
                skipped += page.skipped
                for entry in page.entries:
                    found.setdefault(key(entry), entry)
                if len(found) == known or (page.total is not None and start + came >= page.total):
                    return tuple(found.values()), skipped
                if start == LAST_START:
                    break
                start = next_start(start, came)
        raise PbxUnreachable("list too long")

    @asynccontextmanager
    async def _time_limit(self) -> AsyncIterator[None]:
        """Limit the time of a whole read, however many requests it takes."""
        try:
            async with asyncio.timeout(self._whole_read):
                yield
        except TimeoutError:
            _log.warning("pbx_unreachable", method="GET", why="too slow")
            raise PbxUnreachable(f"timed out after {self._whole_read:g} s") from None

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        """Act on one call. The request is sent once, and once more only if the PBX refused the token.

        Raises ValueError for an invalid id or extension; PbxRefused if the PBX refused the action; PbxUnauthenticated and
        PbxUnreachable if nothing was sent or done; AnswerLost if that is not known.
        """
        request = put_action(user, extension, call_id, action)
        answer = await self._authenticated(request, self._act_timeout, call=call_id, action=action.action.value)
        try:
            return parsing.read_accepted(answer.http_status, answer.body)
        except PbxUnreachable as doubtful:
            raise AnswerLost(doubtful.why, parsing.documented_code(answer.body)) from None

    async def _read(self, request: PbxRequest, **about: str) -> Answer:
        """The answer to a read, tried again after a pause if that may help."""
        why = ""
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                answer = await self._authenticated(request, self._read_timeout, **about)
            except PbxUnreachable as failure:
                why = failure.why
            else:
                last = attempt == READ_ATTEMPTS or not parsing.is_worth_repeating(answer.http_status)
                if last and not answer.cut_off:
                    return answer
                why = answer.cut_off or f"HTTP {answer.http_status}"
            if attempt < READ_ATTEMPTS:
                await self._sleep(back_off(attempt, _FIRST_PAUSE, _LONGEST_PAUSE, self._random()))
        _log.warning("pbx_unreachable", method=request.method, name=request.name, why=why, **about)
        raise PbxUnreachable(why)

    async def _authenticated(self, request: PbxRequest, seconds: float, **about: str) -> Answer:
        """Send it; if the token is refused, once more with a fresh one."""
        token = await self._token.token()
        answer = await self._sent(request, token, seconds, **about)
        if not parsing.is_unauthenticated(answer.http_status, answer.body) or self._was_fresh(token):
            return answer
        fresh = await self._token.renew(token)
        if fresh is None:
            return answer
        answer = await self._sent(request, fresh, seconds, **about)
        if parsing.is_unauthenticated(answer.http_status, answer.body):
            self._refused_fresh = (fresh, time.monotonic())
        return answer

    def _was_fresh(self, token: str) -> bool:
        """Whether this token was refused a moment ago although it was fresh: another one would be refused, too."""
        refused, when = self._refused_fresh
        return token == refused and time.monotonic() - when < STILL_FRESH

    async def _sent(self, request: PbxRequest, token: str, seconds: float, **about: str) -> Answer:
        """Send it once and log it, without body, numbers or names. `about`: ids for the log."""
        if self._turn is not None:
            await self._turn()
        started, asked = time.monotonic(), None if self._clock is None else self._clock.now()
        try:
            answer = await exchange(self._session, self._url, request, headers(token), seconds, measure=self._measure)
        except PbxUnreachable as failure:
            _log.warning("pbx_gave_no_answer", method=request.method, name=request.name, why=failure.why, **about)
            raise
        took = round(time.monotonic() - started, 3)
        log = _log.info if request.method == "PUT" else _log.debug
        status = answer.http_status
        log("pbx_answered", method=request.method, name=request.name, http_status=status, seconds=took, **about)
        if self._clock is not None and asked is not None:
            self._clock.heard(answer.date, asked)
        if self._seen is not None:
            self._seen(request, answer)
        return answer
