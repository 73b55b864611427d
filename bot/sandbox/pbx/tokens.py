"""The token endpoint of the sandbox PBX and the tokens it has given out.

From the Obtain Authorization page: an App that is trusted posts its key and secret with
`grant_type=client_credentials`; the token is good for an hour, sent as `Authorization: Bearer`.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from bot.sandbox.pbx.requests import Answer, Request

KNOWN_FIELDS = {"client_id", "client_secret", "grant_type", "type", "redirect_uri", "state"}
TOKEN = re.compile(r"[A-Za-z0-9_.-]{10,}")


class Tokens:
    """Access tokens: issued, accepted, expired, revoked. `lifetime` is in seconds of `clock`."""

    def __init__(
        self, client_id: str, client_secret: str, lifetime: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = (client_id, client_secret)
        self._lifetime = lifetime
        self._clock = clock
        self._good_until: dict[str, float] = {}
        self.issued = 0

    def answer(self, request: Request) -> Answer:
        """Answer a request to the token endpoint: a token, or an `error` as OAuth 2.0 names them."""
        if request.method != "POST" or request.media_type != "application/x-www-form-urlencoded":
            return Answer(400, {"error": "invalid_request"})
        pairs = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs) or not form.keys() <= KNOWN_FIELDS:
            return Answer(400, {"error": "invalid_request"})
        given = form.get("client_id", ""), form.get("client_secret", "")
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, self._client, strict=True)):
            return Answer(401, {"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        lifetime = int(self._lifetime) if self._lifetime == int(self._lifetime) else self._lifetime
        return Answer(200, {"access_token": self._issue(), "expires_in": lifetime})

    def accept(self, token: str) -> None:
        """Accept a token that no request has asked for, until tokens are revoked."""
        if not TOKEN.fullmatch(token):
            raise ValueError("a token has ten or more letters, digits and _ . -")
        self._good_until[token] = float("inf")

    def revoke(self) -> None:
        """Revoke all tokens."""
        self._good_until.clear()

    def good(self, authorization: str) -> bool:
        """Whether the value of an Authorization header carries a token that is accepted now."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._clock() < self._good_until.get(token, float("-inf"))

    def _issue(self) -> str:
        now = self._clock()
        self._good_until = {token: until for token, until in self._good_until.items() if until > now}
        token = secrets.token_urlsafe(24)
        self._good_until[token] = now + self._lifetime
        self.issued += 1
        return token
