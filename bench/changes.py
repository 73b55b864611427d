"""How soon a change in the PBX is on an alert's card: `python -m bench.changes [--number 40]`.

The real bot between the sandbox PBX and the local workspace, with the default second between two looks and Slack's rates.
Calls ring, are answered, held and taken off hold, 30 changes a minute, each of which changes one card.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated

import typer

from bot.app.bot import Bot
from bot.app.settings import read_settings
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.workspace import Workspace

BETWEEN = 2.0
"""Seconds between two changes: 30 a minute."""
WITHIN = 2.0
"""Seconds in which 95 of 100 are to be seen."""
PHONES = tuple(f"0003*{number}" for number in range(210, 218))
MAP = """
[users.U0ANA]
name = "Ana Pop"
extension = "0003*024"
roles = ["supervisor"]
[roles.supervisor]
actions = ["Monitor"]
extensions = ["0003*2XX"]
[[alerts]]
name = "On hold"
when = "on_hold"
longer_than = 0
channel = "C0ALERTS"
"""


class Stage:
    """The bot between its two sandboxes."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.pbx = SandboxPbx(self.floor)
        self.workspace = Workspace()
        for phone in ("0003*024", *PHONES):
            self.floor.add_extension(phone, user="12", name=f"Agent {phone[-3:]}")
        self.workspace.add_person("U0ANA", "ana")
        self.workspace.add_channel("C0ALERTS", "alerts")

    async def start(self, folder: Path) -> Bot:
        """Everything up."""
        await self.pbx.start()
        await self.workspace.start()
        (folder / "callbot.toml").write_text(MAP)
        settings = {
            "SLACK_APP_TOKEN": self.workspace.app_token,
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_API_URL": self.workspace.api_url,
            "UAPI_URL": self.pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": "sandbox-secret",
            "CALLBOT_CONFIG": str(folder / "callbot.toml"),
            "DATABASE_URL": f"sqlite:///{folder}/callbot.db",
            "PORT": "0",
        }
        return await Bot.start(read_settings(settings))

    def versions(self) -> int:
        """How many states all cards together have shown."""
        return sum(len(card.versions) for card in self.workspace.messages("C0ALERTS"))

    async def seen_after(self, change: Callable[[], object]) -> float:
        """Seconds until the change is on a card."""
        shown, begun = self.versions(), time.monotonic()
        change()
        await self.workspace.until(lambda: self.versions() > shown, 30.0)
        return time.monotonic() - begun


async def measured(number: int) -> list[float]:
    """Seconds of each change, in their order."""
    stage = Stage()
    with tempfile.TemporaryDirectory() as folder:
        bot = await stage.start(Path(folder))
        try:
            calls = [stage.floor.talk(caller=f"+1555010{place}", to=phone) for place, phone in enumerate(PHONES)]
            await asyncio.sleep(3.0)
            found = []
            for place in range(number):
                verb = stage.floor.unhold if place // len(calls) % 2 else stage.floor.hold
                call, begun = calls[place % len(calls)], time.monotonic()
                found.append(await stage.seen_after(lambda verb=verb, call=call: verb(call)))  # type: ignore[misc]
                await asyncio.sleep(max(0.0, BETWEEN - (time.monotonic() - begun)) + 0.137 * (place % 7))
            return found
        finally:
            await bot.stop()
            await stage.workspace.stop()
            await stage.pbx.stop()


def main(number: Annotated[int, typer.Option("--number", min=2, help="Changes.")] = 40) -> None:
    """Measure and print."""
    found = asyncio.run(measured(number))
    within = sum(seconds <= WITHIN for seconds in found)
    hundredths = quantiles(found, n=100, method="inclusive")
    typer.echo(f"change in the PBX to changed card, {number} changes, [watch] every = 1 s")
    typer.echo(f"  median {median(found):.2f} s, 95 % {hundredths[94]:.2f} s, longest {max(found):.2f} s")
    typer.echo(f"  within {WITHIN:g} s: {within} of {number}")


if __name__ == "__main__":
    typer.run(main)
