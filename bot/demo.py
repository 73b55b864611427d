"""The demo: the sandbox PBX, the local workspace and the real bot, each on a free port of this machine.

The bot runs as the process that `callbot run` is, with its own map and an empty ledger in a temporary folder.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape

from bot.errors import CallbotError
from bot.sandbox.floor import Floor
from bot.sandbox.pbx import SandboxPbx
from bot.sandbox.scenario import CAST, MAP, furnish, seat
from bot.sandbox.tour import Tour
from bot.sandbox.workspace import Workspace

STARTING = 15.0
ENDING = 12.0
"""Seconds that the bot may take to connect, and to end."""


class Stage(NamedTuple):
    """What is up while the demo runs."""

    floor: Floor
    pbx: SandboxPbx
    workspace: Workspace


class DemoFailed(CallbotError):
    """The bot's process ended before it was connected, or a port is taken."""


@asynccontextmanager
async def stage(*, control: bool) -> AsyncIterator[Stage]:
    """Sandbox, workspace and bot, connected; all of them are gone afterwards."""
    floor = Floor()
    furnish(floor)
    pbx = SandboxPbx(floor, control=control)
    workspace = Workspace(control=control)
    seat(workspace)
    await pbx.start()
    await workspace.start()
    with tempfile.TemporaryDirectory(prefix="callbot-demo-") as folder:
        bot = await _start_bot(Path(folder), pbx, workspace)
        try:
            await _until_connected(bot, workspace)
            yield Stage(floor, pbx, workspace)
        finally:
            await _end(bot)
            await workspace.stop()
            await pbx.stop()


async def _start_bot(folder: Path, pbx: SandboxPbx, workspace: Workspace) -> asyncio.subprocess.Process:
    config = folder / "callbot.toml"
    config.write_text(MAP)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "UAPI_"))}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=folder,
        env={
            **inherited,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")))),
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


async def _until_connected(bot: asyncio.subprocess.Process, workspace: Workspace) -> None:
    connected = asyncio.ensure_future(workspace.until(lambda: workspace.sockets > 0, timeout=STARTING))
    ended = asyncio.ensure_future(bot.wait())
    try:
        await asyncio.wait({connected, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not connected.done():
            raise DemoFailed(f"The bot ended with exit code {bot.returncode} before it was connected.")
        await connected
    finally:
        for waiting in (connected, ended):
            waiting.cancel()


async def _end(bot: asyncio.subprocess.Process) -> None:
    if bot.returncode is None:
        bot.terminate()
        try:
            await asyncio.wait_for(bot.wait(), ENDING)
        except TimeoutError:
            bot.kill()
            await bot.wait()


def _post(address: str, body: dict[str, str]) -> str:
    """A line for the shell that posts JSON."""
    return f"curl -s -H 'Content-Type: application/json' -d '{json.dumps(body)}' {address}"


async def play_tour() -> bool:
    """Play a supervisor through the interventions. Whether each reached the state that it should."""
    console = Console(highlight=False)
    console.print("Starting a sandbox PBX, a local workspace and callbot …")
    async with stage(control=False) as (floor, pbx, workspace):
        return await Tour(floor, pbx, workspace, say=partial(console.print, soft_wrap=True)).play()


async def stay_open(stop_signal: Callable[[], asyncio.Event]) -> None:
    """Keep everything up until Ctrl-C, with the addresses to type and to steer by."""
    console = Console(highlight=False)
    stop = stop_signal()
    async with stage(control=True) as (floor, pbx, workspace):
        call = floor.talk(caller="+15550142", caller_name="Carla Caller", to="0003*210")
        console.print("[bold]callbot is running on this machine, between a sandbox PBX and a local workspace.[/bold]")
        people = ", ".join(f"{name} {user}" for user, name in CAST.items())
        console.print(f"  Carla Caller talks to Bob on 0003*210 (call {call}).")
        console.print(f"  People: {people}.\n", soft_wrap=True)
        console.print("Type as Ana, and read what all see, and what she alone sees:")
        control = workspace.api_url.removesuffix("/api/") + "/control"
        typed = {"user": "U0ANA", "channel": "C0FLOOR", "text": "/monitor 0003*210"}
        for line in (
            _post(f"{control}/type", typed),
            f"curl -s {control}/messages | python3 -m json.tool",
            f"curl -s '{control}/messages?user=U0ANA' | python3 -m json.tool",
        ):
            console.print(escape(f"  {line}"), soft_wrap=True)
        console.print("Press a button for her; TS is the ts of the message that has it:")
        clicked = {"user": "U0ANA", "ts": "TS", "label": "Whisper"}
        console.print(escape(f"  {_post(f'{control}/click', clicked)}"), soft_wrap=True)
        console.print("Her phone is answered by itself after a second. Hang it up, and see the calls:")
        leave = _post(f"{pbx.url}/control/leave", {"call_id": call, "number": "0003*024"})
        for line in (leave, f"curl -s {pbx.url}/control/calls | python3 -m json.tool"):
            console.print(escape(f"  {line}"), soft_wrap=True)
        console.print()
        console.print("`callbot demo --tour` plays it all by itself. Ctrl-C ends.")
        await stop.wait()


async def stay_open_as_pbx(port: int, stop_signal: Callable[[], asyncio.Event], *, control: bool) -> None:
    """The sandbox PBX alone, furnished, until Ctrl-C."""
    console = Console(highlight=False)
    stop = stop_signal()
    floor = Floor()
    furnish(floor)
    pbx = SandboxPbx(floor, control=control)
    try:
        await pbx.start(port=port)
    except OSError as error:
        raise DemoFailed(f"127.0.0.1:{port} cannot be listened on ({error.strerror}). Choose another --port.") from None
    console.print(
        f"Sandbox PBX: UAPI_URL={pbx.url} UAPI_CLIENT_ID=sandbox-app UAPI_CLIENT_SECRET=sandbox-secret", soft_wrap=True
    )
    rings = _post(f"{pbx.url}/control/ring", {"caller": "+15550142", "to": "0003*210"})
    if control:
        console.print(escape(f"A call comes in:  {rings}"), soft_wrap=True)
    console.print("Ctrl-C ends.")
    await stop.wait()
    await pbx.stop()
