"""What connections to the PBX and to Slack have in common: the proxy of an address, and what is wrong with a certificate."""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed leaves it out

import aiohttp

_SCHEMES = {"ws": "http", "wss": "https"}
"""A WebSocket begins as an HTTP request, so it takes the proxy of one. Hardly anybody sets WSS_PROXY."""
_CERTIFICATE = {
    9: "not valid yet",
    10: "expired",
    18: "self-signed",
    19: "self-signed",
    20: "of an unknown authority",
    21: "of an unknown authority",
    23: "revoked",
    62: "for another name",
    64: "for another address",
}
"""By the codes X509_V_ERR_… of OpenSSL ("X509_STORE_CTX_get_error")."""
_ANY_OTHER = "not accepted"
CERTIFICATE_PROBLEMS = frozenset({*_CERTIFICATE.values(), _ANY_OTHER})
"""All values of `certificate_problem`."""


NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
"""Errors before anything was sent. A proxy that refuses CONNECT has passed nothing on."""


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The proxy for an address, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY; None: connect directly.

    An address of this machine has none, because a proxy elsewhere could not reach it.
    """
    parts = urlsplit(url)
    proxy = _set(f"{_SCHEMES.get(parts.scheme, parts.scheme)}_proxy", environ)
    if not proxy or _on_this_machine(parts.hostname or ""):
        return None
    if proxy_bypass_environment(parts.netloc.rpartition("@")[2], {"no": _set("no_proxy", environ)}):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def certificate_problem(error: Exception) -> str:
    """Why a certificate was not accepted, for example "expired"."""
    return _CERTIFICATE.get(getattr(error, "verify_code", 0), _ANY_OTHER)


def _set(name: str, environ: Mapping[str, str]) -> str:
    """A variable in lower or upper case; lower case wins, as in curl."""
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
