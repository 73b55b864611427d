"""Builds the bot from settings and map, starts it, and stops it in order. With `__main__`, the only place that does."""

import asyncio
import time
import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NoReturn

import aiohttp
import structlog
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.alerts.blindness import AFTER
from bot.app.alerting import build_alerting
from bot.app.dispatch import Dispatch
from bot.app.live_config import EVERY, UNREAD_FOR, LiveConfig
from bot.app.metrics import Metrics
from bot.app.metrics_listener import open_metrics
from bot.app.serving import listen
from bot.app.settings import Settings
from bot.app.telephony import Telephony
from bot.domain.clock import Clock, ServerClock
from bot.interventions.checks import POLL_PATIENCE, phone_seen
from bot.interventions.conclusions import Conclusions
from bot.interventions.ports import Card, CardElsewhere
from bot.interventions.service import Interventions
from bot.interventions.tracker import InterventionTracker
from bot.ledger.ledger import Ledger
from bot.ledger.single_run import SingleRun
from bot.slack.arrival import Workspace, connect, workspace_of
from bot.slack.bot_token import BotToken
from bot.slack.failures import KNOWN
from bot.slack.feed import Feed
from bot.slack.http import Front
from bot.slack.listeners import Listeners, build_app
from bot.slack.outgoing import Outgoing
from bot.slack.showing import AnyCard
from bot.slack.sockets import Sockets
from bot.slack.wall_time import card_at
from bot.slack.web import tells_time, web_client
from bot.tasks import Closing, Tasks, watch_loop

SLACK_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
STOP = {"requests": 2.5, "puts": 3.0, "cards": 1.5, "drain": 7.0, "close": 2.0, "all": 9.0}
"""Seconds for each part of an orderly end: three of work (these together too), then of closing whatever is open.

All of it stays below the 10 s that are promised.
"""

_log = structlog.get_logger("callbot")


def new_id() -> str:
    """An id that nobody guesses and no two processes share."""
    return uuid.uuid4().hex


class Bot:
    """The whole bot. `start` raises CallbotError where it cannot; `stop` ends it within 10 s.

    `rules_every`: seconds between two looks at callbot.toml and its directory; `unread_for`: how long they may be
    unreadable before nothing is permitted any more. `hurry`: so many times Slack's rates.
    `clock`: where its time comes from. `blind_after`: seconds without a list of calls after which alert channels are told.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        rules_every: float = EVERY,
        unread_for: float = UNREAD_FOR,
        hurry: int = 1,
        clock: Clock | None = None,
        blind_after: float = AFTER,
    ) -> None:
        self._clock = clock or Clock()
        self._blind_after = blind_after
        self._settings = settings
        self._hurry = hurry
        config = Path(settings.callbot_config)
        self._live_config = LiveConfig.read(config, every=rules_every, unread_for=unread_for)
        self._tasks = Tasks()
        self._metrics = Metrics(KNOWN)
        self._stopping = False
        self._sockets: Sockets | None = None
        self._closing = Closing()

    async def start(self) -> None:
        """Everything up, open interventions taken up, and then the doors open."""
        try:
            await self._start()
        except BaseException:
            await self._closing.close(STOP["close"])
            raise

    async def _start(self) -> None:
        ledger = await self._open_ledger()
        await self._open_metrics()
        workspace = await self._open_slack()
        self._open_pbx()
        self._put_together(ledger)
        self._closing.later("tasks", self._tasks.cancel)
        self._tasks.spawn(self._live_config.keep_up_to_date(), name="rules")
        self._tasks.spawn(watch_loop(self._metrics.lagged), name="watchdog")
        self._tasks.spawn(ledger.keep(asyncio.sleep), name="ledger")
        await self._alerting.start()
        await self._interventions.start()
        self._live_config.on_change(self._interventions.tracker.rules_changed)
        self._live_config.on_change(self._alerting.monitor.rules_changed)
        await self._open_doors(workspace)
        self._alerting.scan()
        self._watch_figures()
        self._asking = [
            asyncio.create_task(self._telephony.keep_asking(), name="the PBX"),
            asyncio.create_task(self._bot_token.keep_asking(), name="the bot token"),
        ]
        mode = "http" if self._settings.slack_app_token is None else "socket mode"
        _log.info("started", mode=mode, port=self.port)

    async def _open_ledger(self) -> Ledger:
        self._lock = SingleRun(self._settings.database_url)
        await self._lock.acquire()
        self._closing.later("lock", self._lock.release)
        ledger = await Ledger.open(
            self._settings.database_url,
            now=self._clock.wall,
            stepped=self._clock.stepped,
            replaced=self._lock.replaced,
        )
        self._closing.later("ledger", ledger.close)
        ledger.on_failure(self._metrics.ledger_failed)
        self._ledger = ledger
        await ledger.reserve()
        return ledger

    async def _open_metrics(self) -> None:
        self._metrics_doors = await open_metrics(self._settings, self._metrics.exposition)
        if self._metrics_doors is not None:
            self._closing.later("metrics", self._metrics_doors.close)

    async def _open_slack(self) -> Workspace:
        self._slack_clock = ServerClock(self._clock.now)
        self._slack_session = aiohttp.ClientSession(
            timeout=SLACK_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[tells_time(self._slack_clock)],
        )
        self._closing.later("slack session", self._slack_session.close)
        self._client = self._web_client(self._settings.slack_bot_token.get_secret_value())
        workspace = await workspace_of(self._client, asyncio.sleep)
        self._outgoing = Outgoing(
            self._client,
            self._slack_session,
            clock=time.monotonic,
            sleep=asyncio.sleep,
            answered=self._slack_answered,
            hurry=self._hurry,
        )
        self._closing.later("outgoing", self._outgoing.close)
        self._bot_token = BotToken(self._outgoing.test)
        self._closing.later("bot token", self._bot_token.close)
        return workspace

    def _slack_answered(self, method: str, seconds: float, reason: str) -> None:
        self._metrics.answered("slack", method, seconds, reason)
        self._bot_token.heard(method, reason)

    def _open_pbx(self) -> None:
        self._telephony = Telephony(self._settings, self._live_config, self._metrics, self._clock)
        self._closing.later("pbx session", self._telephony.close)

    def _put_together(self, ledger: Ledger) -> None:
        self._feed = Feed(
            self._outgoing,
            ledger,
            now=self._clock.now,
            slack_now=lambda: self._clock.now() + self._slack_clock.ahead(),
            sleep=asyncio.sleep,
            at_wall=self._at_wall,
            on_no_access=self._card_has_no_access,
            on_nowhere=self._card_is_nowhere,
            on_posted=lambda card: self._alerting.manager.card_posted(card.id),
        )
        self._alerting = build_alerting(
            live_config=self._live_config,
            ledger=ledger.alerts,
            cards=self._feed,
            poller=self._telephony.poller,
            phone_calls=self._telephony.phone_calls,
            tracker=lambda: self._interventions.tracker,
            metrics=self._metrics,
            now=self._clock.now,
            pbx_ahead=self._telephony.clock.ahead,
            new_id=new_id,
            blind_after=self._blind_after,
        )
        tracker = self._tracker(ledger)
        self._conclusions = Conclusions(ledger, asyncio.sleep)
        self._interventions = Interventions(
            phone_calls=self._telephony.phone_calls,
            ledger=ledger,
            cards=self._feed,
            rules=self._live_config.rules,
            refuse_if_unread=self._live_config.refuse_if_unread,
            silent_in=self._silent_in,
            now=self._clock.now,
            sleep=asyncio.sleep,
            new_id=new_id,
            measures=self._metrics,
            tracker=tracker,
            conclusions=self._conclusions,
            bot_token=self._bot_token,
        )
        self._dispatch = Dispatch(
            ledger=ledger,
            conclusions=self._conclusions,
            rules=self._live_config.rules,
            poller=self._telephony.poller,
            interventions=self._interventions,
            tracker=tracker,
            responses=self._alerting.responses,
        )
        # After the drains these do nothing; where there were none, or not to their end, nothing works on beneath.
        self._closing.later("feed", partial(self._feed.drain, 0.0))
        self._closing.later("conclusions", self._conclusions.stop)
        self._closing.later("interventions", partial(self._interventions.stop, 0.0))
        self._closing.later("alerts", self._alerting.stop)

    def _tracker(self, ledger: Ledger) -> InterventionTracker:
        poller, rules = self._telephony.poller, self._live_config.rules
        return InterventionTracker(
            poller=poller,
            ledger=ledger,
            cards=self._feed,
            rules=rules,
            silent_in=self._silent_in,
            now=self._clock.now,
            sleep=asyncio.sleep,
            measures=self._metrics,
            phone_seen=lambda phone: phone_seen(poller, rules(), phone, POLL_PATIENCE),
            noticed=self._alerting.manager.note_interventions,
        )

    def _pbx_behind(self) -> timedelta:
        """What is added to a date of the PBX to have it as the wall clock has it."""
        return self._clock.stepped() - self._telephony.clock.ahead()

    def _at_wall(self, card: AnyCard) -> AnyCard:
        return card_at(card, self._clock.stepped(), self._pbx_behind())

    def _silent_in(self) -> frozenset[str]:
        return frozenset(self._live_config.config().cards.silent_in)

    async def stop(self) -> None:
        """Take no more work, answer what has arrived, leave open interventions to the next start."""
        self._stopping = True
        for asking in self._asking:
            asking.cancel()
        try:
            async with asyncio.timeout(STOP["drain"]):
                self._interventions.tracker.mode_changes.close()
                await self._listeners.drain(STOP["requests"])
                await self._alerting.stop()
                await self._interventions.stop(STOP["puts"])
                await self._conclusions.stop()
                await self._feed.drain(STOP["cards"])
        except TimeoutError:
            _log.error("stopped_late")
        await self._closing.close(STOP["close"])
        _log.info("stopped")

    async def keep_ledger(self) -> NoReturn:
        """Hold on to the ledger, from the start on and until the stop. Raises LedgerLost where it is not ours any more."""
        await self._lock.keep(asyncio.sleep)

    def ready(self) -> bool:
        """Whether this process can take a request and answer the person. The PBX does not count: its state is a metric."""
        heard = self._sockets is None or self._sockets.open > 0
        return heard and self._bot_token.accepted and self._ledger.takes_rows and not self._stopping

    def _watch_figures(self) -> None:
        """What the metrics ask for whenever they are read."""
        self._metrics.watch_length("requests", lambda: self._listeners.under_way)
        self._metrics.watch_length("connections", lambda: len(self._doors))
        self._metrics.watch_length("slack", lambda: len(self._outgoing))
        self._metrics.watch_length("looks", lambda: len(self._telephony.poller))
        self._metrics.watch_health(
            ready=self.ready,
            sockets_open=lambda: 0 if self._sockets is None else self._sockets.open,
            bot_token_accepted=lambda: self._bot_token.accepted,
            pbx_up=lambda: self._telephony.up,
            ledger_up=lambda: self._ledger.takes_rows,
        )
        self._metrics.watch_open(lambda: len(self._interventions.tracker.open))
        self._metrics.watch_rules_age(self._live_config.age)
        self._metrics.watch_mistaken(lambda: self._live_config.mistaken)

    # ── parts ──

    def _web_client(self, token: str | None) -> AsyncWebClient:
        return web_client(token, self._settings.slack_api_url, self._slack_session)

    async def _open_doors(self, workspace: Workspace) -> None:
        self._listeners = Listeners(
            handle=self._dispatch.handle,
            outgoing=self._outgoing,
            home=workspace.home,
            knows=lambda slack_user: self._live_config.rules().knows_person(slack_user),
            now=self._clock.wall,
            sleep=asyncio.sleep,
            new_id=new_id,
            pbx_behind=self._pbx_behind,
        )
        self._closing.later("listeners", partial(self._listeners.drain, 0.0))
        authorized = AuthorizeResult(
            enterprise_id=workspace.home.enterprise_id or None,
            team_id=workspace.home.team_id,
            bot_id=workspace.bot_id,
            bot_user_id=workspace.bot_user_id,
        )
        app = build_app(self._listeners, self._web_client(None), authorized)
        token = self._settings.slack_app_token
        secret = self._settings.slack_signing_secret
        if token is not None:
            self._sockets = Sockets(app, token.get_secret_value(), acknowledgements=self._metrics)
            self._closing.later("sockets", self._sockets.close)
        front = Front(
            app=app if token is None else None,
            signing_secret="" if secret is None else secret.get_secret_value(),
            acknowledgements=self._metrics,
            ready=self.ready,
        )
        self._doors = await listen(front.application(), self._settings.host, self._settings.port)
        self._closing.later("doors", self._doors.close)
        if self._sockets is not None:
            await connect(self._sockets, asyncio.sleep)

    @property
    def port(self) -> int:
        """The port that is listened on: PORT, or the one that was free where PORT is 0."""
        return self._doors.port

    @property
    def metrics_port(self) -> int | None:
        """The port that serves the metrics; None where METRICS_PORT is not set."""
        return None if self._metrics_doors is None else self._metrics_doors.port

    async def _card_has_no_access(self, card: Card) -> None:
        asker = self._interventions.asker(card.id)
        if asker is not None:
            await asker.card_is_elsewhere(CardElsewhere.NO_ACCESS)

    async def _card_is_nowhere(self, card: Card) -> None:
        asker = self._interventions.asker(card.id)
        shown = self._at_wall(card)
        if asker is not None and isinstance(shown, Card):
            await asker.card_is_nowhere(shown)
