"""The listener on METRICS_HOST:METRICS_PORT, for Prometheus. There is none unless METRICS_PORT is set.

Readers of the metrics learn how many interventions there are. So the metrics are not on the listener for Slack, which may
be open to the internet, and other machines should need METRICS_TOKEN.
"""

import hmac
from collections.abc import Callable

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.app.connections import Connections
from bot.app.serving import CannotListen, listen
from bot.app.settings import MetricsSettings
from bot.domain.errors import ConfigErrors

_log = structlog.get_logger("callbot.metrics")


async def open_metrics(settings: MetricsSettings, exposition: Callable[[], bytes]) -> Connections | None:
    """Serve `GET /metrics` where the settings ask for it; `exposition` gives Prometheus' text format.

    The caller closes it. Raises ConfigErrors where the address cannot be listened on.
    """
    host, port, token = settings.metrics_host, settings.metrics_port, settings.metrics_token
    if port is None:
        return None
    expected = "" if token is None else token.get_secret_value()
    try:
        connections = await listen(application(exposition, expected), host, port)
    except CannotListen as error:
        mistake = f"METRICS_PORT: {host}:{port} cannot be listened on ({error.why}). Set METRICS_HOST and METRICS_PORT to a free address"
        raise ConfigErrors("Settings (environment or .env)", [mistake]) from None
    _log.info("metrics", host=host, port=connections.port)
    if settings.metrics_open_to_neighbours:
        _log.warning("metrics_without_token", host=host, advice="set METRICS_TOKEN, or METRICS_HOST to 127.0.0.1")
    return connections


def application(exposition: Callable[[], bytes], token: str) -> web.Application:
    """The route. An empty `token` lets everybody read."""

    async def metrics(request: web.Request) -> web.Response:
        if token and not _is_given(request.headers.get("Authorization", ""), token):
            return web.Response(status=401, text="not authorized\n", headers={"WWW-Authenticate": "Bearer"})
        return web.Response(body=exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    served = web.Application()
    served.router.add_get("/metrics", metrics)
    return served


def _is_given(authorization: str, token: str) -> bool:
    """Whether the header has the token (RFC 6750, 2.1). The comparison takes constant time."""
    scheme, _, given = authorization.partition(" ")
    same = hmac.compare_digest(given.strip().encode(errors="surrogateescape"), token.encode())
    return same and scheme.lower() == "bearer"
