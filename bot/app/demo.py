"""The demo: a sandbox PBX, a local workspace, the real bot and a page, each on a free port of this machine.

The bot is a process of its own, `callbot run`, with its own configuration and an empty ledger in a temporary folder.
"""

import asyncio
import json
import os
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape

from bot.domain.errors import CallbotError
from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.console.server import Console as Page
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.scenario import CONFIG, PAGE_CONFIG, add_people, add_phones
from bot.sandbox.tour import Tour
from bot.sandbox.workspace.workspace import Workspace

STARTING = 30.0
"""Seconds that the bot may take to connect."""
WITH_STORY, WITHOUT = "A story plays until you act.", "The page waits for you."


class Stage(NamedTuple):
    """What runs during the demo."""

    floor: Floor
    pbx: SandboxPbx
    workspace: Workspace
    bot: BotProcess


class DemoFailed(CallbotError):
    """The bot's process ended before it was connected, or a port is in use."""


@asynccontextmanager
async def stage(*, by_hand: bool) -> AsyncIterator[Stage]:
    """PBX, workspace and bot, connected; stopped afterwards. `by_hand`: no phone answers by itself."""
    floor = Floor()
    if by_hand:
        add_phones(floor, answers_after=None)
    else:
        add_phones(floor)
    pbx = SandboxPbx(floor)
    workspace = Workspace()
    add_people(workspace)
    await pbx.start()
    await workspace.start()
    with tempfile.TemporaryDirectory(prefix="callbot-demo-") as folder:
        bot = _bot(Path(folder), pbx, workspace, PAGE_CONFIG if by_hand else CONFIG)
        try:
            await bot.start()
            await _until_connected(bot, workspace)
            yield Stage(floor, pbx, workspace, bot)
        finally:
            await bot.stop()
            await workspace.stop()
            await pbx.stop()


def _bot(folder: Path, pbx: SandboxPbx, workspace: Workspace, rules: str) -> BotProcess:
    """`callbot run` with a configuration and a ledger of its own. A restart goes on with both."""
    config = folder / "callbot.toml"
    config.write_text(rules, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "UAPI_"))}
    source = str(Path(__file__).parents[1])
    return BotProcess(
        (sys.executable, "-m", "bot", "run"),
        folder,
        {
            **inherited,
            "PYTHONPATH": os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH")))),
            "SLACK_API_URL": workspace.api_url,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "UAPI_URL": pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": "sandbox-secret",
            "CALLBOT_CONFIG": str(config),
            "DATABASE_URL": f"sqlite:///{folder}/callbot.db",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "LOG_LEVEL": "error",
        },
    )


async def _until_connected(bot: BotProcess, workspace: Workspace) -> None:
    connected = asyncio.ensure_future(workspace.until(lambda: workspace.sockets > 0, timeout=STARTING))
    ended = asyncio.ensure_future(bot.wait())
    try:
        await asyncio.wait({connected, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not connected.done():
            raise DemoFailed(f"The bot ended with exit code {ended.result()} before it was connected.")
        await connected
    finally:
        for waiting in (connected, ended):
            waiting.cancel()


def _post(address: str, body: dict[str, str]) -> str:
    """A shell command that posts JSON."""
    return f"curl -s -H 'Content-Type: application/json' -d '{json.dumps(body)}' {address}"


async def play_tour() -> bool:
    """Play an alert and the interventions of a supervisor. True if each reached the expected state."""
    console = Console(highlight=False)
    console.print("Starting a sandbox PBX, a local workspace and callbot …")
    async with stage(by_hand=False) as (floor, pbx, workspace, _):
        return await Tour(floor, pbx, workspace, say=partial(console.print, soft_wrap=True)).play()


async def stay_open(
    stop_signal: Callable[[], asyncio.Event], *, browser: bool = True, port: int = 0, story: bool = True
) -> None:
    """Run everything until Ctrl-C, with the page on 127.0.0.1; port 0 takes a free port.

    `browser`: open the page where there is a desktop. `story`: play the story until somebody acts.
    """
    console = Console(highlight=False)
    stop = stop_signal()
    console.print("Starting a sandbox PBX, a local workspace and callbot …")
    async with stage(by_hand=True) as (floor, _, workspace, bot):
        page = Page(floor, workspace, bot, story=story)
        try:
            await page.start(port)
        except OSError as error:
            raise _cannot_listen(port, error) from None
        try:
            console.print("[bold]callbot is running on this machine. Open this address in a browser:[/bold]")
            console.print(f"\n  {escape(page.url)}\n", soft_wrap=True)
            acts = WITH_STORY if story else WITHOUT
            console.print(f"{acts} `callbot demo --tour` plays in the terminal. Ctrl-C ends.", soft_wrap=True)
            if browser and _on_a_desktop():
                await asyncio.to_thread(webbrowser.open, page.url)
            await stop.wait()
        finally:
            await page.stop()


def _on_a_desktop() -> bool:
    """Whether this machine has a screen and the session is not over ssh."""
    if any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY")):
        return False
    return sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _cannot_listen(port: int, error: OSError) -> DemoFailed:
    why = os.strerror(error.errno) if error.errno else str(error)  # asyncio's own text repeats the address
    return DemoFailed(f"127.0.0.1:{port} cannot be listened on ({why}). Choose another --port.")


async def stay_open_as_pbx(port: int, stop_signal: Callable[[], asyncio.Event], *, control: bool) -> None:
    """Run the sandbox PBX alone, with the extensions of the demo, until Ctrl-C."""
    console = Console(highlight=False)
    stop = stop_signal()
    floor = Floor()
    add_phones(floor)
    pbx = SandboxPbx(floor, control=control)
    try:
        await pbx.start(port=port)
    except OSError as error:
        raise _cannot_listen(port, error) from None
    console.print(
        f"Sandbox PBX: UAPI_URL={pbx.url} UAPI_CLIENT_ID=sandbox-app UAPI_CLIENT_SECRET=sandbox-secret", soft_wrap=True
    )
    rings = _post(f"{pbx.url}/control/ring", {"caller": "+15550142", "to": "0003*210"})
    if control:
        console.print(escape(f"A call comes in:  {rings}"), soft_wrap=True)
    console.print("Ctrl-C ends.")
    await stop.wait()
    await pbx.stop()
