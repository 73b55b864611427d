"""Which requests are answered. Everything is on loopback; other pages of the same browser have to be kept out.

- `Host` must be a loopback name with our port (browsers leave 80 out): a name elsewhere that resolves to 127.0.0.1
  (DNS rebinding) is refused.
- `Origin`, where it is sent, must be ours, and `Sec-Fetch-Site`, where it is sent, `same-origin` or `none`: another
  page of the same browser is refused, also one on another port of this machine.
- Under `/v1/` the token of the address must be right. It is no cookie: a browser would send that to every port.


A refusal has a code for programs, a sentence for people and a status for HTTP.
"""

import hmac
from collections.abc import Mapping
from html import escape
from typing import NoReturn

from aiohttp import hdrs, web

REFUSED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>callbot demo</title>
<h1>callbot demo</h1>
<p>{}</p>
<p>Copy the address that <code>callbot demo</code> has printed into the address bar, and press Enter there.</p>
</html>
"""


class NotDone(Exception):
    """The request is refused: `code` for programs, `sentence` for people, `status` for HTTP."""

    def __init__(self, code: str, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status

    def answer(self) -> web.Response:
        """The HTTP answer."""
        body = {"ok": False, "error": self.code, "message": str(self)}
        return web.json_response(body, status=self.status)

    def page(self) -> web.Response:
        """The HTTP answer as a page, for a browser that followed a link."""
        return web.Response(text=REFUSED.format(escape(str(self))), status=self.status, content_type="text/html")


def refuse(code: str, sentence: str, *, status: int = 409) -> NoReturn:
    """Raise NotDone; 409: not possible in the current state."""
    raise NotDone(code, sentence, status)


LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PLAIN_PORT = 80
"""The default port of http, which browsers leave out."""
OWN_FETCHES = frozenset({"same-origin", "none"})
SUBPROTOCOL = "callbot.v1"
TOKEN_PROTOCOL = "token."  # noqa: S105 - what stands before it in the list of subprotocols

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer. Nothing is cached: the next demo on this port may have another page."""


def check_sender(headers: Mapping[str, str], port: int) -> None:
    """Raise NotDone for a request that another page may have made."""
    host = headers.get(hdrs.HOST, "")
    own = {f"{name}:{port}" for name in LOOPBACK} | (set(LOOPBACK) if port == PLAIN_PORT else set())
    if host.lower() not in own:
        refuse("wrong_host", "Only by a loopback address, with this port.", status=403)
    origin = headers.get(hdrs.ORIGIN)
    if origin is not None and origin != f"http://{host}":
        refuse("wrong_origin", "Only from the page of this demo.", status=403)
    if headers.get("Sec-Fetch-Site", "none") not in OWN_FETCHES:
        refuse("wrong_origin", "Only from the page of this demo.", status=403)


def check_token(headers: Mapping[str, str], token: str) -> None:
    """Raise NotDone unless the request carries the token, as a bearer token or as a subprotocol."""
    scheme, _, given = headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        offered = [each.strip() for each in headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
        given = next((each.removeprefix(TOKEN_PROTOCOL) for each in offered if each.startswith(TOKEN_PROTOCOL)), "")
    if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
        refuse("wrong_token", "Open the address that `callbot demo` has printed.", status=401)
