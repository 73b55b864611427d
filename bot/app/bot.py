"""The bot: starts what `build` builds, and stops it in order."""

import asyncio
from pathlib import Path
from typing import NoReturn, Self

import structlog

from bot.alerts.blindness import BLIND_AFTER
from bot.app.build import (
    Core,
    Setup,
    SlackListener,
    Systems,
    build_core,
    open_ledger,
    open_listener,
    open_pbx,
    open_slack,
    watch_metrics,
)
from bot.app.connections import Connections
from bot.app.live_config import READ_EVERY, UNREAD_FOR, LiveConfig
from bot.app.metrics import Metrics, open_metrics
from bot.app.settings import Settings
from bot.domain.clock import Clock
from bot.ledger.ledger import Ledger
from bot.ledger.single_run import SingleRun
from bot.slack.web_client import KNOWN_REASONS
from bot.tasks import Closing, Tasks, watch_loop

STOP = {"requests": 2.5, "puts": 3.0, "cards": 1.5, "drain": 7.0, "close": 2.0, "all": 9.0}
"""Seconds for each part of an orderly stop: three for work under way (7 s together), then one for closing what is open.

The sum stays below the 10 s that are promised.
"""

_log = structlog.get_logger("callbot")


class Bot:
    """A running bot. `start` makes one; `stop` ends it within 10 s."""

    def __init__(
        self,
        setup: Setup,
        core: Core,
        listener: SlackListener,
        *,
        lock: SingleRun,
        checks: Tasks,
        metrics_listener: Connections | None,
    ) -> None:
        self.live_config = setup.live_config
        self.ready = listener.ready
        self._closing = setup.closing
        self._core = core
        self._listener = listener
        self._lock = lock
        self._checks = checks
        self._metrics_listener = metrics_listener

    @classmethod
    async def start(
        cls,
        settings: Settings,
        *,
        config_every: float = READ_EVERY,
        unread_for: float = UNREAD_FOR,
        slack_rate_factor: int = 1,
        clock: Clock | None = None,
        blind_after: float = BLIND_AFTER,
    ) -> Self:
        """Open everything, take up what is open in the ledger, then take requests. Raises CallbotError.

        `config_every`: seconds between two readings of callbot.toml and its directory; `unread_for`: seconds that they may
        be unreadable before nothing is permitted. `slack_rate_factor`: a multiple of Slack's rate limits, for a Slack that
        is not the real one. `blind_after`: seconds without a list of calls after which alert channels hear of it.
        """
        live_config = LiveConfig.read(Path(settings.callbot_config), every=config_every, unread_for=unread_for)
        setup = Setup(
            settings, clock or Clock(), live_config, Metrics(KNOWN_REASONS), Closing(), slack_rate_factor, blind_after
        )
        try:
            return await cls._start(setup)
        except BaseException:
            await setup.closing.close(STOP["close"])
            raise

    @classmethod
    async def _start(cls, setup: Setup) -> Self:
        lock, ledger = await open_ledger(setup)
        metrics_listener = await open_metrics(setup.settings, setup.metrics.exposition)
        if metrics_listener is not None:
            setup.closing.later("metrics", metrics_listener.close)
        systems = Systems(ledger, await open_slack(setup), open_pbx(setup))
        core = build_core(setup, systems)
        _run_in_background(setup, ledger)
        # Before `resume`: resumed interventions are put on the alerts from whose cards they were asked.
        await core.alerts.start()
        await core.blindness.start()
        await core.tracker.resume()
        setup.live_config.on_change(core.tracker.permissions_changed)
        setup.live_config.on_change(core.monitor.config_changed)
        listener = await open_listener(setup, systems, core)
        core.monitor.start()
        core.blindness.watch()
        watch_metrics(setup, systems, core, listener)
        checks = Tasks()
        checks.spawn(systems.pbx.keep_asking(), name="the PBX")
        checks.spawn(systems.slack.bot_token.keep_asking(), name="the bot token")
        bot = cls(setup, core, listener, lock=lock, checks=checks, metrics_listener=metrics_listener)
        _log.info("started", mode="http" if listener.sockets is None else "socket mode", port=bot.port)
        return bot

    async def stop(self) -> None:
        """Take no more requests, answer those that are under way, leave open interventions to the next start."""
        core = self._core
        self.ready.stopping = True
        await self._checks.cancel()
        try:
            async with asyncio.timeout(STOP["drain"]):
                core.tracker.waiting_requests.close()
                await self._listener.listeners.drain(STOP["requests"])
                await core.blindness.stop()
                await core.monitor.stop()
                await core.alerts.stop()
                await core.interventions.stop(STOP["puts"])
                await core.outcomes.stop()
                await core.publisher.drain(STOP["cards"])
        except TimeoutError:
            _log.error("stopped_late")
        await self._closing.close(STOP["close"])
        _log.info("stopped")

    async def keep_ledger(self) -> NoReturn:
        """Hold the ledger until the stop. Raises LedgerLost where another process has taken it, or its file is gone."""
        await self._lock.keep(asyncio.sleep)

    @property
    def port(self) -> int:
        """The port that is listened on: PORT, or the one that was free where PORT is 0."""
        return self._listener.connections.port

    @property
    def metrics_port(self) -> int | None:
        """The port that serves the metrics; None where METRICS_PORT is not set."""
        return None if self._metrics_listener is None else self._metrics_listener.port


def _run_in_background(setup: Setup, ledger: Ledger) -> None:
    """What runs from the start to the end: reading the configuration, watching the event loop, probing the ledger."""
    tasks = Tasks()
    setup.closing.later("tasks", tasks.cancel)
    tasks.spawn(setup.live_config.keep_up_to_date(), name="configuration")
    tasks.spawn(watch_loop(setup.metrics.lagged), name="watchdog")
    tasks.spawn(ledger.keep(asyncio.sleep), name="ledger")
