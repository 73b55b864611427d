"""Builds the parts of a bot. Each function returns what it has built, and `setup.closing` learns how to close it."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import aiohttp
from slack_bolt.authorization import AuthorizeResult

from bot.alerts.blindness import Blindness
from bot.alerts.manager import AlertManager
from bot.alerts.monitor import AlertMonitor
from bot.alerts.responses import AlertResponses
from bot.app.connections import Connections
from bot.app.dispatch import Dispatch
from bot.app.live_config import LiveConfig
from bot.app.metrics import Metrics
from bot.app.settings import Settings
from bot.app.telephony import Telephony
from bot.domain.clock import Clock, ServerClock
from bot.domain.commands import new_id
from bot.domain.intervention import Intervention
from bot.interventions.card import CardElsewhere, InterventionCard
from bot.interventions.claiming import Claims
from bot.interventions.outcomes import Outcomes
from bot.interventions.service import Interventions
from bot.interventions.tracker import InterventionTracker
from bot.ledger.ledger import Ledger
from bot.ledger.single_run import SingleRun
from bot.slack.card_kinds import AnyCard, shift_card
from bot.slack.card_publisher import CardPublisher
from bot.slack.http import slack_events, web_application
from bot.slack.listeners import Listeners, build_app
from bot.slack.outbox import Outbox
from bot.slack.socket_mode import Sockets
from bot.slack.tokens import BotToken, Workspace, connect, workspace_of
from bot.slack.web_client import clock_trace, web_client
from bot.tasks import Closing

SLACK_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)


@dataclass(frozen=True)
class Setup:
    """What every part of a bot is built from."""

    settings: Settings
    clock: Clock
    live_config: LiveConfig
    metrics: Metrics
    closing: Closing
    slack_rate_factor: int
    """A multiple of Slack's rate limits; 1 where Slack is the real one."""
    blind_after: float
    """Seconds without a list of calls after which alert channels hear of it."""


@dataclass(frozen=True)
class SlackClient:
    """Slack as callbot asks it: one HTTP session, one queue, one token."""

    session: aiohttp.ClientSession
    clock: ServerClock
    workspace: Workspace
    outbox: Outbox
    bot_token: BotToken


@dataclass(frozen=True)
class Systems:
    """The outside systems, open."""

    ledger: Ledger
    slack: SlackClient
    pbx: Telephony


@dataclass(frozen=True)
class Core:
    """What handles requests and alerts, between the PBX, Slack and the ledger."""

    publisher: CardPublisher
    tracker: InterventionTracker
    interventions: Interventions
    alerts: AlertManager
    monitor: AlertMonitor
    blindness: Blindness
    outcomes: Outcomes
    dispatch: Dispatch


async def open_ledger(setup: Setup) -> tuple[SingleRun, Ledger]:
    """The ledger, held by this process alone. Raises LedgerUnavailable."""
    url, clock = setup.settings.database_url, setup.clock
    lock = SingleRun(url)
    await lock.acquire()
    setup.closing.later("lock", lock.release)
    ledger = await Ledger.open(url, now=clock.wall, stepped=clock.stepped, replaced=lock.replaced)
    setup.closing.later("ledger", ledger.close)
    ledger.on_failure(setup.metrics.ledger_failed)
    await ledger.reserve()
    return lock, ledger


async def open_slack(setup: Setup) -> SlackClient:
    """Slack, once it has accepted the bot token. Raises SlackUnavailable."""
    settings, closing = setup.settings, setup.closing
    clock = ServerClock(setup.clock.now)
    session = aiohttp.ClientSession(
        timeout=SLACK_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[clock_trace(clock)]
    )
    closing.later("slack session", session.close)
    client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
    workspace = await workspace_of(client, asyncio.sleep)
    bot_token: BotToken  # assigned below: the outbox needs `answered`, and the token needs the outbox

    def answered(method: str, seconds: float, reason: str) -> None:
        setup.metrics.answered("slack", method, seconds, reason)
        bot_token.heard(method, reason)

    outbox = Outbox(
        client,
        session,
        clock=time.monotonic,
        sleep=asyncio.sleep,
        answered=answered,
        slack_rate_factor=setup.slack_rate_factor,
    )
    closing.later("outbox", outbox.close)
    bot_token = BotToken(outbox.test)
    closing.later("bot token", bot_token.close)
    return SlackClient(session, clock, workspace, outbox, bot_token)


def open_pbx(setup: Setup) -> Telephony:
    """The PBX. Raises OSError for a bad UAPI_CA_FILE."""
    pbx = Telephony(setup.settings, setup.live_config, setup.metrics, setup.clock)
    setup.closing.later("pbx session", pbx.close)
    return pbx


def build_core(setup: Setup, systems: Systems) -> Core:
    """Interventions, alerts and cards.

    They refer to each other, so some get a nested function, which looks the other up when it is called.
    """
    ledger, slack, pbx = systems.ledger, systems.slack, systems.pbx
    config, clock, now = setup.live_config, setup.clock, setup.clock.now
    interventions: Interventions
    alerts: AlertManager

    def with_wall_time(card: AnyCard) -> AnyCard:
        return shift_card(card, setup.clock.stepped(), pbx_behind(setup, pbx))

    async def on_no_access(card: InterventionCard) -> None:
        asker = interventions.asker(card.id)
        if asker is not None:
            await asker.card_is_elsewhere(CardElsewhere.NO_ACCESS)

    async def on_nowhere(card: InterventionCard) -> None:
        asker = interventions.asker(card.id)
        shown = with_wall_time(card)
        if asker is not None and isinstance(shown, InterventionCard):
            await asker.card_is_nowhere(shown)

    def note_interventions(interventions: tuple[Intervention, ...]) -> None:
        alerts.note_interventions(interventions)

    publisher = CardPublisher(
        slack.outbox,
        ledger,
        now=now,
        slack_now=lambda: now() + slack.clock.ahead(),
        sleep=asyncio.sleep,
        at_wall=with_wall_time,
        on_no_access=on_no_access,
        on_nowhere=on_nowhere,
        on_posted=lambda card: alerts.card_posted(card.id),
    )
    tracker = InterventionTracker(
        poller=pbx.poller,
        ledger=ledger,
        cards=publisher,
        config=config,
        now=now,
        metrics=setup.metrics,
        on_shown=note_interventions,
    )
    alerts = AlertManager(
        ledger=ledger.alerts,
        cards=publisher,
        config=config,
        open_interventions=tracker,
        metrics=setup.metrics,
        clock=clock,
    )
    monitor = AlertMonitor(
        poller=pbx.poller,
        manager=alerts,
        config=config,
        open_interventions=tracker,
        metrics=setup.metrics,
        clock=clock,
        pbx_clock=pbx.clock,
    )
    blindness = Blindness(
        scope_health=pbx.poller.scope_health,
        monitor=monitor,
        config=config,
        ledger=ledger.alerts,
        cards=publisher,
        clock=clock,
        after=setup.blind_after,
    )
    responses = AlertResponses(
        manager=alerts,
        ledger=ledger.alerts,
        phone_calls=pbx.phone_calls,
        config=config,
        open_interventions=tracker,
        clock=clock,
        pbx_clock=pbx.clock,
    )
    outcomes = Outcomes(ledger)
    claims = Claims(
        phone_calls=pbx.phone_calls, ledger=ledger, tracker=tracker, config=config, now=now, outcomes=outcomes
    )
    interventions = Interventions(
        phone_calls=pbx.phone_calls,
        claims=claims,
        config=config,
        now=now,
        metrics=setup.metrics,
        tracker=tracker,
        outcomes=outcomes,
        bot_token=slack.bot_token,
    )
    dispatch = Dispatch(
        ledger=ledger,
        outcomes=outcomes,
        config=config,
        poller=pbx.poller,
        interventions=interventions,
        tracker=tracker,
        responses=responses,
    )
    # An orderly stop has drained these; after a start that failed, or a drain that was cut off, they end here.
    setup.closing.later("publisher", partial(publisher.drain, 0.0))
    setup.closing.later("outcomes", outcomes.stop)
    setup.closing.later("interventions", partial(interventions.stop, 0.0))
    setup.closing.later("alerts", alerts.stop)
    setup.closing.later("alert monitor", monitor.stop)
    setup.closing.later("blindness", blindness.stop)
    return Core(publisher, tracker, interventions, alerts, monitor, blindness, outcomes, dispatch)


def pbx_behind(setup: Setup, pbx: Telephony) -> timedelta:
    """What to add to a date of the PBX so that it is in the time of the wall clock."""
    return setup.clock.stepped() - pbx.clock.ahead()


class Readiness:
    """Whether this process can take a request and answer the person. The PBX has no part in it: its state is a metric."""

    def __init__(self, ledger: Ledger, bot_token: BotToken, sockets: Sockets | None) -> None:
        self._ledger = ledger
        self._bot_token = bot_token
        self._sockets = sockets
        self.stopping = False

    def __call__(self) -> bool:
        """What `/readyz` says. With Socket Mode one connection must be open; over HTTP callbot cannot tell whether Slack reaches it."""
        heard = self._sockets is None or self._sockets.open > 0
        return heard and self._bot_token.accepted and self._ledger.takes_rows and not self.stopping


@dataclass(frozen=True)
class SlackListener:
    """Where Slack's deliveries come in, by HTTP or Socket Mode; `connections` serve the health checks in both."""

    listeners: Listeners
    sockets: Sockets | None
    connections: Connections
    ready: Readiness


async def open_listener(setup: Setup, systems: Systems, core: Core) -> SlackListener:
    """Take requests from now on. Raises CannotListen, SlackUnavailable."""
    settings, closing, slack = setup.settings, setup.closing, systems.slack
    home = slack.workspace.home
    listeners = Listeners(
        handle=core.dispatch.handle,
        outbox=slack.outbox,
        home=home,
        knows=lambda slack_user: setup.live_config.permissions().knows_person(slack_user),
        now=setup.clock.wall,
        sleep=asyncio.sleep,
        new_id=new_id,
        pbx_behind=partial(pbx_behind, setup, systems.pbx),
    )
    closing.later("listeners", partial(listeners.drain, 0.0))
    authorized = AuthorizeResult(
        enterprise_id=home.enterprise_id or None,
        team_id=home.team_id,
        bot_id=slack.workspace.bot_id,
        bot_user_id=slack.workspace.bot_user_id,
    )
    app = build_app(listeners, web_client(None, settings.slack_api_url, slack.session), authorized)
    sockets, events = None, None
    if settings.slack_app_token is not None:
        sockets = Sockets(app, settings.slack_app_token.get_secret_value(), acks=setup.metrics)
        closing.later("sockets", sockets.close)
    elif settings.slack_signing_secret is not None:
        events = slack_events(app, settings.slack_signing_secret.get_secret_value(), setup.metrics)
    ready = Readiness(systems.ledger, slack.bot_token, sockets)
    connections = Connections(web_application(ready=ready, events=events))
    await connections.open(settings.host, settings.port)
    closing.later("connections", connections.close)
    if sockets is not None:
        await connect(sockets, asyncio.sleep)
    return SlackListener(listeners, sockets, connections, ready)


def watch_metrics(setup: Setup, systems: Systems, core: Core, listener: SlackListener) -> None:
    """Have the metrics ask for what is true whenever they are read."""
    ledger, slack, pbx = systems.ledger, systems.slack, systems.pbx
    metrics, sockets = setup.metrics, listener.sockets
    metrics.watch_length("requests", lambda: listener.listeners.under_way)
    metrics.watch_length("connections", lambda: len(listener.connections))
    metrics.watch_length("slack", lambda: len(slack.outbox))
    metrics.watch_length("polls", lambda: len(pbx.poller))
    metrics.watch("ready", listener.ready)
    metrics.watch("sockets_open", lambda: 0 if sockets is None else sockets.open)
    metrics.watch("bot_token_accepted", lambda: slack.bot_token.accepted)
    metrics.watch("ledger_up", lambda: ledger.takes_rows)
    metrics.watch("pbx_up", lambda: pbx.up)
    metrics.watch("pbx_clock_ahead_seconds", lambda: pbx.clock.ahead().total_seconds())
    metrics.watch("open_interventions", lambda: len(core.tracker.open))
    metrics.watch("alerts_open", lambda: len(core.alerts.open))
    metrics.watch("calls_seen", lambda: core.monitor.live_calls)
    metrics.watch("scan_age_seconds", core.monitor.scan_age)
    metrics.watch("config_invalid", lambda: setup.live_config.has_errors)
    metrics.watch("config_age_seconds", setup.live_config.age)
