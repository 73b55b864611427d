"""The whole house of a chaos run: the sandbox PBX and the workspace in this process, the bot in one of its own."""

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.workspace import Workspace
from tests.chaos.cast import Cast
from tests.chaos.ledger import LedgerFile, Memory
from tests.chaos.process import BotProcess
from tests.chaos.records import Kill, Lost, Outage, OutageKind, Span, Step
from tests.chaos.wall_clock import STEPS, WallClock
from tests.chaos.witness import Witness, clock


class Curtain:
    """Up until it falls."""

    def __init__(self) -> None:
        self._fallen = asyncio.Event()

    def fall(self) -> None:
        """Let nobody begin anything new."""
        self._fallen.set()

    async def stays_up(self, seconds: float) -> bool:
        """Wait so long, or until it falls; whether it is still up."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._fallen.wait(), seconds)
        return not self._fallen.is_set()


CLIENT_SECRET = "chaos-client-secret"
TOKEN_LIFETIME = 90.0
RECONNECTED_WITHIN = 20.0
AHEAD = (0.0, 60.0, 600.0, 3600.0, -60.0, -600.0, -3600.0)
"""Seconds by which the clock of the PBX may be ahead; negative: behind. It stays so for the whole run."""
SLACK_RATE_FACTOR = 1000
"""So many times Slack's rates where the workspace has none."""
SOON = 0.1
"""Seconds after which a person is removed once the ledger is locked: some of what they ask waits for it by then."""
STAYS_AWAY = 3.0
"""Seconds for which they are away once the ledger is free: what waited for it goes on meanwhile."""
A_MINUTE = 60.0
"""Seconds over which Slack's own limits count."""
STARTS = 20
"""Starts in a row that may fail while Slack is away; a service manager would try no more."""


class CannotStart(Exception):
    """The bot does not start any more."""


class Stage:
    """Everything that a run is made of. Times are seconds of `time.monotonic`."""

    def __init__(self, folder: Path, chance: random.Random, cast: Cast, *, real_limits: bool) -> None:
        self.folder = folder
        self.cast = cast
        self.floor = Floor()
        self.pbx = SandboxPbx(self.floor, client_secret=CLIENT_SECRET, token_lifetime=TOKEN_LIFETIME)
        self.workspace = Workspace(limits=SlackLimits() if real_limits else SlackLimits.without_rates())
        self._ledger = LedgerFile(folder / "callbot.db")
        self._wall = WallClock(folder, clock())
        self.memory = Memory(self._ledger.path, self._wall)
        self.witness = Witness(self.floor, self.workspace, self.memory)
        self.pbx.forms.clock_ahead = self.witness.evidence.pbx_ahead = chance.choice(AHEAD)
        self.witness.evidence.slack_keeps_back = A_MINUTE if real_limits else 0.0
        self.done: Counter[str] = Counter()
        """How often what was done: kills, restarts, faults by kind."""
        self.open = asyncio.Event()
        """Whether people can reach the workspace."""
        self.bot_is_up = asyncio.Event()
        self.curtain = Curtain()
        self._chance = chance
        self._slack_rate_factor = 1 if real_limits else SLACK_RATE_FACTOR
        self._bot: BotProcess | None = None
        self._log = (folder / "bot.log").open("w")
        cast.furnish(self.floor, chance)
        cast.seat(self.workspace)
        self._write_map(cast)

    async def open_doors(self) -> None:
        """PBX, workspace and bot up."""
        await self.pbx.start()
        await self.workspace.start()
        workspace = self.workspace
        for secret, what in (
            (workspace.bot_token, "the token of the bot"),
            (workspace.app_token, "the token of the app"),
            (workspace.signing_secret, "the signing secret"),
            (CLIENT_SECRET, "the client secret"),
            ("/response/", "a response_url"),
        ):
            self.witness.evidence.secrets[secret] = what
        self.open.set()
        await self.start_bot(since=time.monotonic())

    async def close(self) -> None:
        """Everything down. The bot ends in order, and how it ended is written down."""
        if self._bot is not None and self._bot.alive:
            self.witness.evidence.exits.append(await self._bot.end())
        self.witness.leave()
        await self.workspace.stop()
        await self.pbx.stop()
        self._log.close()

    # ── the bot ──

    async def start_bot(self, since: float) -> None:
        """A new process, by Socket Mode or HTTP as chance has it; the outage since `since` is over then."""
        for _ in range(STARTS):
            http = self._chance.random() < 0.5
            self._bot = BotProcess(self.folder, "tests.chaos.program", self._say)
            port = await self._bot.start(self._environment(http=http))
            if port is not None:
                self.workspace.deliver_to(f"http://127.0.0.1:{port}/slack/events" if http else None)
                self.done["starts by HTTP" if http else "starts by Socket Mode"] += 1
                self.outage("bot", since)
                self.bot_is_up.set()
                return
            self.done["starts that failed"] += 1
            await self._bot.gone()
        raise CannotStart("the bot ended at every start; its log says why")

    @property
    def bot_waited(self) -> float:
        """For how many seconds of its life the process has waited for a processor."""
        return 0.0 if self._bot is None else self._bot.waited

    def kill(self) -> None:
        """`kill -9`, now."""
        if self._bot is not None and self._bot.alive:
            kill = Kill(time.monotonic(), self.bot_waited)
            self._bot.kill()
            self.bot_is_up.clear()
            self.witness.evidence.kills.append(kill)
            self.done["kills"] += 1

    async def restart_after_kill(self) -> None:
        """Start the next process as soon as the killed one is gone."""
        if self._bot is not None:
            await self._bot.gone()
        await self.start_bot(since=self.witness.evidence.kills[-1].at)

    async def restart_in_order(self) -> None:
        """SIGTERM, and the next process."""
        since = time.monotonic()
        self.bot_is_up.clear()
        if self._bot is not None:
            self.witness.evidence.exits.append(await self._bot.end())
            self.done["orderly ends"] += 1
        await self.start_bot(since)

    async def lose_the_ledger(self) -> None:
        """Somebody moves a backup into the ledger's place; once the bot has stopped they put the ledger back."""
        since = time.monotonic()
        if self._bot is None or not self._bot.alive:
            return
        self.bot_is_up.clear()
        async with self._ledger.replaced_by_a_backup() as kept:
            self.memory.file = kept
            code = await self._bot.gone()
            self.witness.evidence.lost.append(Lost(since, code, time.monotonic() - since))
            self.memory.file = self._ledger.path
        self.outage("ledger", since)
        await self.start_bot(since)

    # ── what changes and fails around it ──

    def step_the_wall_clock(self) -> None:
        """Somebody sets the clock of the bot's machine."""
        ahead = self._chance.choice(STEPS)
        self.witness.evidence.wall_steps.append(Step(time.monotonic(), ahead))
        self._wall.step(ahead)

    async def remove_while_locked(self, user: str, seconds: float) -> None:
        """That person is taken out of callbot.toml while the ledger is locked for so long, and comes back afterwards."""
        locked = asyncio.create_task(self.ledger_locked(seconds))
        await asyncio.sleep(SOON)
        self._write_map(self.cast.without(user))
        removed = Span(time.monotonic())
        self.witness.evidence.removed.setdefault(user, []).append(removed)
        await locked
        await asyncio.sleep(STAYS_AWAY)
        removed.until = time.monotonic()
        self._write_map(self.cast)

    def _write_map(self, cast: Cast) -> None:
        new = self.folder / "callbot.toml.new"
        new.write_text(cast.toml())
        new.replace(self.folder / "callbot.toml")

    async def ledger_locked(self, seconds: float) -> None:
        """Another process writes the ledger for so long."""
        since = time.monotonic()
        await self._ledger.locked(seconds)
        self.outage("ledger", since)

    async def pbx_away(self, seconds: float) -> None:
        """The PBX is down for so long."""
        since = time.monotonic()
        await self.pbx.stop()
        await asyncio.sleep(seconds)
        await self.pbx.start(port=self.pbx.port)
        self.outage("pbx", since)

    async def workspace_away(self, seconds: float) -> None:
        """The workspace is down for so long: nobody can type meanwhile."""
        since, port = time.monotonic(), urlsplit(self.workspace.api_url).port
        self.open.clear()
        await self.workspace.stop()
        await asyncio.sleep(seconds)
        await self.workspace.start(port=port or 0)
        self.open.set()
        await self._until_connected()
        self.outage("workspace", since)

    async def sockets_away(self, *, cut: bool) -> None:
        """Every Socket Mode connection is cut without a word, or asked to make way for a new one."""
        since = time.monotonic()
        await (self.workspace.cut_sockets() if cut else self.workspace.refresh_sockets())
        await self._until_connected()
        self.outage("sockets", since)

    async def _until_connected(self) -> None:
        """Wait for two connections, or for long enough: the time in which an envelope may get lost."""
        with suppress(TimeoutError):
            await self.workspace.until(lambda: self.workspace.sockets >= 2, RECONNECTED_WITHIN)

    def outage(self, kind: OutageKind, since: float) -> None:
        """Something was away from then until now."""
        self.witness.evidence.outages.append(Outage(kind, since, time.monotonic()))

    def _say(self, line: str) -> None:
        self.witness.evidence.log.append(line)
        self._log.write(line + "\n")

    def _environment(self, *, http: bool) -> dict[str, str]:
        workspace = self.workspace
        door = {"SLACK_SIGNING_SECRET": workspace.signing_secret} if http else {"SLACK_APP_TOKEN": workspace.app_token}
        return {
            **door,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_API_URL": workspace.api_url,
            "UAPI_URL": self.pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": CLIENT_SECRET,
            "CALLBOT_CONFIG": str(self.folder / "callbot.toml"),
            "DATABASE_URL": f"sqlite:///{self.folder}/callbot.db",
            "PORT": "0",
            "CHAOS_SLACK_RATE_FACTOR": str(self._slack_rate_factor),
            "LOG_LEVEL": self._chance.choice(["info", "debug"]),
        }
