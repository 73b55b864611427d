"""The whole house on this machine: the sandbox PBX, the local workspace, and the real bot between them, in one process.

Nothing is replaced but the two outside systems. Slack delivers over HTTP, and over Socket Mode where a test asks for it.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import bot as bot_package
from bot.app.bot import Bot
from bot.app.settings import Settings, read_settings
from bot.ledger.audit_log import AuditEntry, AuditLog
from bot.ledger.ledger import Ledger
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.conversations import Message
from bot.sandbox.workspace.deliveries import Delivery
from bot.sandbox.workspace.workspace import Workspace

ANA, LIS, BOB, DAN, EVE, KIM = "U0ANA", "U0LIS", "U0BOB", "U0DAN", "U0EVE", "U0KIM"
FLOOR, ALERTS, STAFF = "C0FLOOR", "C0ALERTS", "C0STAFF"

CONFIG = (Path(__file__).parent / "callbot.toml").read_text()


class House:
    """Everything of one scenario, and the few things that a test does over and over."""

    def __init__(self, folder: Path, transport: str, enterprise: str | None = None) -> None:
        self.folder = folder
        self.transport = transport
        self.floor = Floor()
        self.pbx = SandboxPbx(self.floor)
        self.workspace = Workspace(enterprise_id=enterprise)
        self.bots: list[Bot] = []
        self.config = CONFIG
        self.more_settings: dict[str, str] = {}
        """On top of `environment`; an empty one takes it away."""
        for number, user, name in (
            ("0003*024", "3", "Ana Pop"),
            ("0003*025", "4", "Lis Marin"),
            ("0004*030", "9", "Kim Far"),
            ("0003*210", "12", "Bob Ionescu"),
            ("0003*211", "13", "Dan Popa"),
            ("0003*212", "13", "Dan Popa"),
            ("0003*299", "14", "Pia Protected"),
            ("0003*310", "15", "Tom Other"),
        ):
            self.floor.add_extension(number, user=user, name=name)
        for user in (ANA, LIS, BOB, DAN, EVE, KIM):
            self.workspace.add_person(user, user[2:].lower())
        for channel, name in ((FLOOR, "support-floor"), (ALERTS, "alerts"), (STAFF, "staff")):
            self.workspace.add_channel(channel, name)

    def environment(self) -> dict[str, str]:
        """The settings of this house's bot."""
        config = self.folder / "callbot.toml"
        config.write_text(self.config)
        door = (
            {"SLACK_APP_TOKEN": self.workspace.app_token}
            if self.transport == "socket mode"
            else {"SLACK_SIGNING_SECRET": self.workspace.signing_secret}
        )
        return {
            **door,
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_API_URL": self.workspace.api_url,
            "UAPI_URL": self.pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": "sandbox-secret",
            "CALLBOT_CONFIG": str(config),
            "DATABASE_URL": f"sqlite:///{self.folder}/callbot.db",
            "PORT": "0",
            "METRICS_PORT": "0",
            **self.more_settings,
        }

    def settings(self) -> Settings:
        return read_settings(self.environment())

    async def start_bot(self, **more: Any) -> Bot:
        """The bot, connected; `more` goes to it."""
        bot = await Bot.start(self.settings(), **more)
        self.bots.append(bot)
        if self.transport == "http":
            self.workspace.deliver_to(f"http://127.0.0.1:{bot.port}/slack/events")
        return bot

    def change_config(self, old: str, new: str) -> None:
        """Write another configuration; a bot started with `config_every` takes it up as often."""
        assert old in self.config
        self.config = self.config.replace(old, new)
        (self.folder / "callbot.toml").write_text(self.config)

    async def start_bot_of(self, pbx: "LyingPbx") -> None:
        """The bot, with that PBX instead of the sandbox."""
        settings = self.environment() | {"UAPI_URL": pbx.url, "UAPI_ACCESS_TOKEN": "fixed"}
        bot = await Bot.start(
            read_settings({name: value for name, value in settings.items() if "UAPI_CLIENT" not in name})
        )
        self.bots.append(bot)
        self.workspace.deliver_to(f"http://127.0.0.1:{bot.port}/slack/events")

    async def stop_bot(self) -> None:
        await self.bots.pop().stop()

    # ── what people do ──

    def talk(self) -> str:
        """Carla Caller is in conversation with Bob; the call's id."""
        return self.floor.talk(caller="+15550142", caller_name="Carla Caller", to="0003*210")

    async def ana_types(self, line: str, **more: Any) -> Delivery:
        """Ana types this in the channel of the floor; `more` goes to the workspace."""
        return await self.workspace.type(ANA, FLOOR, line, **more)

    async def ana_listens(self) -> str:
        """Ana is connected to Bob's call by Monitor; the call's id."""
        call = self.talk()
        await self.ana_types("/monitor 0003*210")
        await self.card("Ringing")
        self.floor.lift("0003*024")
        await self.card("Connected")
        return call

    # ── what people see ──

    def cards(self, place: str = FLOOR) -> list[Message]:
        """The bot's posts in a channel, or for a person in the direct message."""
        shown = self.workspace.messages(to=place) if place.startswith("U") else self.workspace.messages(place)
        return [message for message in shown if message.user == self.workspace.bot_user_id and not message.ephemeral_to]

    async def card(self, word: str, place: str = ANA, timeout: float = 10.0) -> Message:  # noqa: ASYNC109 - it says what it saw
        """The newest card of that place, when it begins with the word."""
        cards = await self.workspace.until(
            lambda: [card for card in self.cards(place)[-1:] if card.text.startswith(word)], timeout
        )
        return cards[0]

    async def told(self, user: str, words: str) -> Message:
        """A private answer to the person that has these words."""
        found = await self.workspace.until(
            lambda: [message for message in self.workspace.private(user) if words in "\n".join(message.lines())]
        )
        return found[0]

    async def puts(self, number: int) -> None:
        """Wait until the PBX has seen that many PUTs."""
        await self.pbx.until(lambda: len(self.pbx.puts()) >= number)

    def actions(self) -> list[str]:
        return [str(put.json["action"]) for put in self.pbx.puts() if isinstance(put.json, dict)]

    async def audit_log(self) -> tuple[AuditEntry, ...]:
        """What the ledger says of every request, oldest first, as a second reader of the same file sees it."""
        audit_log = await AuditLog.open(f"sqlite:///{self.folder}/callbot.db")
        try:
            return tuple([entry async for piece in audit_log.pieces() for entry in piece])
        finally:
            await audit_log.close()


class LyingPbx:
    """Shows one and the same call, whichever is asked for, or what `to_reads` says; answers PUTs with `to_actions`."""

    def __init__(self) -> None:
        self.call: dict[str, Any] = {}
        self.to_reads: tuple[int, bytes] | None = None
        self.to_actions = (204, b"")
        self.puts: list[str] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Whatever is asked."""
        if request.method == "PUT":
            self.puts.append(request.path)
            status, body = self.to_actions
        else:
            status, body = self.to_reads or (200, json.dumps(self.call).encode())
        return web.Response(status=status, body=body, content_type="application/json")


@pytest.fixture
async def lying_pbx() -> AsyncIterator[LyingPbx]:
    """A PBX that answers with what was not asked for; `house.start_bot_of(lying_pbx)` starts a bot with it."""
    pbx = LyingPbx()
    runner = web.ServerRunner(web.Server(pbx.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pbx.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield pbx
    await runner.cleanup()


@pytest.fixture
def transport() -> str:
    """How Slack delivers. A test for which that may matter is parametrized with both: "http" and "socket mode"."""
    return "http"


@pytest.fixture
def enterprise() -> str | None:
    """The organisation that the workspace belongs to (Enterprise Grid)."""
    return None


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose tables are made once; how they are made is a matter of tests/ledger."""
    path = tmp_path_factory.mktemp("ledger") / "callbot.db"

    async def make() -> None:
        await (await Ledger.open(f"sqlite:///{path}", now=lambda: datetime.now(UTC))).close()

    asyncio.run(make())
    return path


@pytest.fixture
async def empty_house(
    tmp_path: Path, transport: str, enterprise: str | None, empty_ledger: Path
) -> AsyncIterator[House]:
    """PBX and workspace, without the bot."""
    shutil.copy(empty_ledger, tmp_path)
    house = House(tmp_path, transport, enterprise)
    await house.pbx.start()
    await house.workspace.start()
    try:
        yield house
    finally:
        for bot in house.bots:
            await bot.stop()
        await house.workspace.stop()
        await house.pbx.stop()


@pytest.fixture
async def house(empty_house: House) -> House:
    """PBX, workspace and bot. What Slack would have refused fails the test at its end by `nothing_refused`."""
    await empty_house.start_bot()
    return empty_house


class BotProcess:
    """`python -m bot run` in a process of its own. `said`: what was read so far of both its outputs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.port = 0
        self.said = ""

    async def started(self) -> None:
        """Wait until it says that it has started, on which port."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while line := (await self.process.stdout.readline()).decode():
                self.said += line
                if '"event": "started"' in line:
                    self.port = json.loads(line)["port"]
                    return
        raise AssertionError(f"it ended before it had started: {self.said}")

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()


@pytest.fixture
async def run_bot(empty_house: House) -> AsyncIterator[Callable[..., Awaitable[BotProcess]]]:
    """`await run_bot(LOG_LEVEL="debug")` is a new process, with so many `descriptors`; none outlives the test, and none has told a secret."""
    house, running = empty_house, list[BotProcess]()

    async def run_bot(*, descriptors: int | None = None, **more: str) -> BotProcess:
        limited = () if descriptors is None else ("sh", "-c", 'ulimit -n "$0"; exec "$@"', str(descriptors))
        root = Path(bot_package.__file__).parents[1]
        process = await asyncio.create_subprocess_exec(
            *(*limited, sys.executable, "-m", "bot", "run"),
            cwd=house.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(house.folder), "PYTHONPATH": str(root), "LOG_FORMAT": "json"}
            | house.environment()
            | more,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        running.append(BotProcess(process))
        return running[-1]

    yield run_bot
    workspace = house.workspace
    secrets = [workspace.bot_token, workspace.app_token, workspace.signing_secret, "sandbox-secret", "/response/"]
    for one in running:
        if one.process.returncode is None:
            one.process.kill()
        await one.ended()
    for secret in [*secrets, "15550142", "Carla", "Traceback"]:
        assert [one.said for one in running if secret in one.said] == [], secret


@pytest.fixture(autouse=True)
def nothing_refused(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing that the bot sent was against Slack's rules, and nobody saw an error of Slack's."""
    house: House | None = request.getfixturevalue("empty_house") if "empty_house" in request.fixturenames else None
    yield
    if house is not None:
        assert house.workspace.refusals == []
        assert house.workspace.visible_errors == []
