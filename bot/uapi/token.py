"""The access token: where it comes from, and how it is renewed. It is in no repr, no _log and no exception text.

Sources: "Obtain Authorization" (a trusted App: grant_type client_credentials; tokens live for one hour, or two in an
older revision of the page, so `expires_in` decides) and the vendor's own clients for the fields of the form.
"""

import re
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlencode

import aiohttp
import structlog

from bot.domain.errors import AnswerLost, PbxUnauthenticated, PbxUnreachable
from bot.tasks import SharedRun
from bot.uapi.exchange import Measure, PbxRequest, exchange, unmeasured
from bot.uapi.parsing import error_code, parsed

TOKEN_PATH = "/oauth/token.php"  # noqa: S105  a path, no secret
DEFAULT_LIFETIME = 3600.0
"""Seconds, if the answer does not say ("Obtain Authorization")."""
LONGEST_LIFETIME = 86400.0
"""Seconds after which a token is renewed, whatever was promised."""

_log = structlog.get_logger("callbot.uapi")


class TokenSource(Protocol):
    """Where the client gets its access token: `FixedToken` or `ClientCredentials`."""

    async def token(self) -> str:
        """The token to use now. Raises PbxUnauthenticated or PbxUnreachable."""
        ...

    async def renew(self, stale: str) -> str | None:
        """A token in place of `stale`, which was refused; None if it cannot be renewed. Raises as `token`."""
        ...


class FixedToken:
    """The token from the settings (`UAPI_ACCESS_TOKEN`), for trials. It cannot be renewed."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """The token. Raises PbxUnauthenticated if it has characters that a header cannot have."""
        if not _is_header_safe(self._token):
            raise PbxUnauthenticated
        return self._token

    async def renew(self, stale: str) -> str | None:
        """Always None."""
        return None


class ClientCredentials:
    """The token of a trusted App, fetched when first needed and again shortly before it expires.

    All who need it share one request, which goes on if one of them is cancelled. `now` is a clock in seconds that never
    goes back; a request takes at most `timeout` seconds; `measure` is called for each.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        now: Callable[[], float] = time.monotonic,
        timeout: float = 5.0,
        measure: Measure = unmeasured,
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._form = {
            "client_id": client_id,
            "client_secret": client_secret,
            "grant_type": "client_credentials",
            "type": "unifiedapi",
            "redirect_uri": self._url + TOKEN_PATH,
        }
        self._now = now
        self._timeout = timeout
        self._measure = measure
        self._token = ""
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._run = SharedRun[str]("uapi token")

    async def token(self) -> str:
        """The token; a fresh one if the old one is about to expire.

        Raises PbxUnauthenticated if the PBX refuses the App, PbxUnreachable if its answer cannot be read and the old
        token has expired.
        """
        if self._token and self._now() < self._renew_at:
            return self._token
        try:
            return await self._run.result(self._fetch)
        except PbxUnreachable:
            if self._token and self._now() < self._expires_at:
                return self._token
            raise

    @property
    def lifetime(self) -> float:
        """Seconds until the current token expires; 0 if there is none."""
        return max(0.0, self._expires_at - self._now())

    async def renew(self, stale: str) -> str | None:
        """A token other than `stale`: one that was fetched meanwhile, or a fresh one. Raises as `token`."""
        if self._token and self._token != stale:
            return await self.token()
        return await self._run.result(self._fetch)

    async def _fetch(self) -> str:
        asked_at = self._now()
        request = PbxRequest("POST", TOKEN_PATH, urlencode(self._form).encode(), name="token")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = await exchange(self._session, self._url, request, headers, self._timeout, measure=self._measure)
        except AnswerLost as lost:  # a request for a token changes nothing, so nothing is in doubt
            raise PbxUnreachable(f"token: {lost.why}") from None
        _log.info("pbx_token_answered", http_status=answer.http_status)
        token, lifetime = read_token(answer.http_status, answer.body)
        self._token = token
        self._expires_at = asked_at + lifetime
        self._renew_at = self._expires_at - min(60.0, lifetime / 10)
        return token


def token_source(
    session: aiohttp.ClientSession,
    url: str,
    client_id: str | None,
    client_secret: str | None,
    fixed: str | None,
    *,
    measure: Measure = unmeasured,
) -> ClientCredentials | FixedToken:
    """The App's token if both its id and secret are set, else the token from the settings."""
    if client_id is not None and client_secret is not None:
        return ClientCredentials(session, url, client_id, client_secret, measure=measure)
    return FixedToken(fixed or "")


def read_token(http_status: int, body: bytes) -> tuple[str, float]:
    """The token and its lifetime in seconds.

    Raises PbxUnauthenticated if the App is refused (4xx, or `error` in the answer); PbxUnreachable for an answer that cannot
    be read, a token with characters that a header cannot have, and every other status.
    """
    code = error_code(body)
    if code or (400 <= http_status <= 499 and http_status not in {408, 409, 429}):
        raise PbxUnauthenticated(code or "access_denied")
    if http_status != 200:
        raise PbxUnreachable(f"token: HTTP {http_status}")
    document = parsed(body)
    token = document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not _is_header_safe(token):
        raise PbxUnreachable("token: unreadable answer")
    return token, _lifetime(document.get("expires_in") if isinstance(document, dict) else None)


def _lifetime(expires_in: object) -> float:
    """Seconds from a number or numeric string; anything else counts as missing."""
    if isinstance(expires_in, str) and re.fullmatch(r"[0-9]{1,9}", expires_in):
        expires_in = int(expires_in)
    if isinstance(expires_in, (int, float)) and not isinstance(expires_in, bool) and expires_in > 0:
        return float(min(expires_in, LONGEST_LIFETIME))
    return DEFAULT_LIFETIME


def _is_header_safe(token: str) -> bool:
    return re.fullmatch(r"[!-~]{1,4096}", token) is not None
