"""The metrics behind `/metrics`, for Prometheus: seconds, counts, and what is open now. No names or numbers of people.

An agent who reads them must not learn that somebody listens. So no label and no timestamp tells one action from another:
neither its name, nor how the PBX accepted it, nor the method by which Slack was asked (a private answer goes with a silent
action), nor a read of presence (which goes with an action that rings a phone). Labels have fixed sets of values; any other
value is "other".

They are on a listener of their own: the one for Slack may be open to the internet. Other machines should need METRICS_TOKEN.
"""

import hmac
from collections.abc import Callable, Collection
from functools import partial
from http import HTTPStatus

import structlog
from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bot.app.connections import CannotListen, Connections
from bot.app.settings import MetricsSettings
from bot.domain.errors import ConfigErrors

QUICK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Seconds; Slack waits 3 for an acknowledgement."""
ANSWERS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
RINGING = (1, 2, 3, 5, 8, 12, 18, 25, 40, 60, 120, 300)
SCANS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
LAG = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
CARDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Seconds. The goal: 95 of 100 cards change within 2, and none is older than 30."""
CLICKS = (1, 2, 3, 5, 8, 12, 18, 25, 40, 60, 120, 300, 600, 1800)

OTHER = "other"
KINDS = frozenset({"command", "button"})
METHODS = {"get": "get", "presence": "get", "list": "list", "put": "put", "token": "token"}
"""Label values of requests to the PBX."""
RESULTS = {"call": "accepted", "ringing": "accepted", "nothing": "accepted"} | {
    each: each for each in ("refused", "unreachable", "lost")
}
"""Label values of answers to a PUT. How the PBX accepts depends on the action, so all of these are "accepted"."""
PBX_ERRORS = frozenset(
    {"not finished", "answer cut off", "answer lost", "not connected"}
    | {f"HTTP {status.value}" for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST}
)

GAUGES = {
    "ready": "1: this process can take a request and answer the person, as /readyz says",
    "sockets_open": "Connections of Socket Mode on which Slack can be heard; over HTTP there are none",
    "bot_token_accepted": "1: Slack takes the bot token",
    "ledger_up": "1: the ledger takes rows",
    "pbx_up": "1: the last request to the PBX was answered, and not with 5xx",
    "pbx_clock_ahead_seconds": "How far the clock of the PBX is ahead, by the Date headers of its answers; negative: behind",
    "open_interventions": "Interventions that are tracked now",
    "alerts_open": "Alerts and help requests that are open now",
    "calls_seen": "Live calls in the last scan",
    "scan_age_seconds": "How old the last scan is that the PBX answered",
    "config_invalid": "1: the changed configuration is invalid, the old one holds",
    "config_age_seconds": "How long ago callbot.toml and its directory could be read last; beyond a minute nothing is permitted",
}
"""What is true now: names without `callbot_`, and what each says."""

_log = structlog.get_logger("callbot.metrics")
disable_created_metrics()  # type: ignore[no-untyped-call]  # of the library


class Metrics:
    """The metrics of one bot, in a registry of their own. `slack_errors`: the errors of Slack that are counted by name."""

    def __init__(self, slack_errors: Collection[str] = ()) -> None:
        self._error_words = {"pbx": PBX_ERRORS, "slack": frozenset(slack_errors)}
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        count = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        lag = "How late turns of the event loop come, measured 20 times a second"
        self._lag = histogram("callbot_event_loop_lag_seconds", lag, buckets=LAG)
        acknowledged = "From the arrival of a command or click to its acknowledgement"
        self._acknowledged = histogram("callbot_acknowledgement_seconds", acknowledged, ["kind"], buckets=QUICK_BUCKETS)
        lost = "Commands and clicks that could not be acknowledged, or not within 3 s"
        self._lost = count("callbot_acknowledgements_lost", lost, ["kind"])
        self._puts = count("callbot_puts", "Actions sent to the PBX, and how it answered", ["result"])
        connected = "From the allowed request to the proof that the supervisor is in the call"
        self._connected = histogram("callbot_connected_seconds", connected, buckets=RINGING)
        answers = "How long the PBX and Slack took to answer, errors included"
        self._answers = histogram("callbot_answer_seconds", answers, ["system", "method"], buckets=ANSWERS)
        errors = "Requests to the PBX and to Slack that failed, by reason"
        self._errors = count("callbot_answer_errors", errors, ["system", "method", "error"])
        self._length = gauge("callbot_queue_length", "What waits or is under way now", ["queue"])
        self._gauges = {name: gauge(f"callbot_{name}", text) for name, text in GAUGES.items()}
        self._scan = histogram("callbot_scan_seconds", "How long a scan of all live calls took", buckets=SCANS)
        self._unread = count("callbot_lists_unread", "Lists of live calls that the PBX did not give, in all scans")
        skipped = "Entries of lists of live calls that could not be read, in all scans"
        self._skipped = count("callbot_list_entries_skipped", skipped)
        ledger = "Failures of the ledger's database, by reason"
        self._ledger_failures = count("callbot_ledger_failures", ledger, ["reason"])
        alerts = "Alerts raised, digested, posted, acknowledged, snoozed and resolved"
        self._alerts = count("callbot_alerts", alerts, ["when", "what"])
        dates = "Dates of calls that no alert rule can use: missing, in the future, or contradictory"
        self._dates = count("callbot_alert_dates_unusable", dates, ["when", "why"])
        to_card = "From the moment an alert was due to its card in Slack"
        self._to_card = histogram("callbot_alert_to_card_seconds", to_card, buckets=CARDS)
        to_click = "From an alert's card to the first click that acts on its call"
        self._to_click = histogram("callbot_alert_card_to_click_seconds", to_click, buckets=CLICKS)
        to_ear = "From that click to the proof that the supervisor is in the call"
        self._to_ear = histogram("callbot_alert_click_to_connected_seconds", to_ear, buckets=RINGING)

    def exposition(self) -> bytes:
        """Everything, in the text format."""
        return generate_latest(self._registry)

    # ── what happened ──

    def acked(self, kind: str, seconds: float) -> None:
        """A command or button was acked. After 3 s Slack has given up, so it counts as lost, too."""
        self._acknowledged.labels(_known(kind, KINDS)).observe(seconds)
        if seconds > QUICK_BUCKETS[-1]:
            self.ack_lost(kind)

    def ack_lost(self, kind: str) -> None:
        """A command or button that could not be acked."""
        self._lost.labels(_known(kind, KINDS)).inc()

    def lagged(self, seconds: float) -> None:
        """A turn of the event loop came so many seconds too late."""
        self._lag.observe(seconds)

    def put(self, result: str) -> None:
        """One PUT, and how it was answered."""
        self._puts.labels(RESULTS.get(result, OTHER)).inc()

    def connected(self, seconds: float, *, by_alert: bool = False) -> None:
        """Proof that the supervisor is in the call, so many seconds after they asked, perhaps from an alert's card."""
        self._connected.observe(seconds)
        if by_alert:
            self.click_to_connected(seconds)

    def answered(self, system: str, method: str, seconds: float, error: str = "") -> None:
        """A request to the PBX (`pbx`) or about a message to Slack (`slack`), however it ended."""
        method = METHODS.get(method, OTHER) if system == "pbx" else "message"
        self._answers.labels(system, method).observe(seconds)
        if error:
            self._errors.labels(system, method, _known(error, self._error_words[system])).inc()

    def ledger_failed(self, reason: str) -> None:
        """The ledger could not be read or written; the reason is one of a fixed set."""
        self._ledger_failures.labels(reason).inc()

    # ── what happened to alerts ──

    def scanned(self, seconds: float, calls: int, unread: int, skipped: int) -> None:
        """One scan of all live calls, and how many lists the PBX did not give. The gauge `calls_seen` says how many calls there are."""
        self._scan.observe(seconds)
        self._unread.inc(unread)
        self._skipped.inc(skipped)

    def alert(self, when: str, what: str) -> None:
        """A change of one alert; `when` is that of its rule."""
        self._alerts.labels(when, what).inc()

    def date_unusable(self, when: str, why: str) -> None:
        """A date of a call that no alert rule can use."""
        self._dates.labels(when, why).inc()

    def alert_to_card(self, seconds: float) -> None:
        """From the moment an alert was due to its card in Slack."""
        self._to_card.observe(seconds)

    def card_to_click(self, seconds: float) -> None:
        """From its card to the first click that acts on its call."""
        self._to_click.observe(seconds)

    def click_to_connected(self, seconds: float) -> None:
        """From that click to the proof that the supervisor is in the call."""
        self._to_ear.observe(seconds)

    # ── what is true now: asked for whenever the metrics are read ──

    def watch_length(self, queue: str, length: Callable[[], float]) -> None:
        """The length of a queue."""
        self._length.labels(queue).set_function(length)

    def watch(self, gauge: str, value: Callable[[], float]) -> None:
        """The value of one of GAUGES."""
        self._gauges[gauge].set_function(value)


def _known(word: str, words: Collection[str]) -> str:
    return word if word in words else OTHER


# ── the listener for Prometheus ──


async def open_metrics(settings: MetricsSettings, exposition: Callable[[], bytes]) -> Connections | None:
    """Serve `GET /metrics` where the settings ask for it; `exposition` gives Prometheus' text format.

    The caller closes it. Raises ConfigErrors where the address cannot be listened on.
    """
    host, port, token = settings.metrics_host, settings.metrics_port, settings.metrics_token
    if port is None:
        return None
    expected = "" if token is None else token.get_secret_value()
    connections = Connections(_application(exposition, expected))
    try:
        await connections.open(host, port)
    except CannotListen as error:
        advice = f"METRICS_PORT: {host}:{port} cannot be listened on ({error.why}). Set METRICS_HOST and METRICS_PORT to a free address"
        raise ConfigErrors("Settings (environment or .env)", [advice]) from None
    _log.info("metrics", host=host, port=connections.port)
    if settings.metrics_open_to_neighbours:
        _log.warning("metrics_without_token", host=host, advice="set METRICS_TOKEN, or METRICS_HOST to 127.0.0.1")
    return connections


def _application(exposition: Callable[[], bytes], token: str) -> web.Application:
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
