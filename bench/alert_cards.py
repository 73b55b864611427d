"""From a change in the PBX to the changed card of an alert: `callbot run` between the sandbox's PBX and its workspace.

Scans come every second, and Slack's rates hold. Calls are held and taken off hold, 30 changes a minute; each raises or
resolves one alert.
"""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from bench.servers import bot, python
from bench.table import Row, percentile
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.workspace import Workspace

BETWEEN = 2.0
"""Seconds between two changes: 30 a minute."""
STEP = 0.137
"""Seconds that each change comes later in the second than the one before, so that all moments between two scans are met."""
PATIENCE = 30.0
PHONES = tuple(f"0003*{number}" for number in range(210, 218))
RULES = """
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


async def measure_alert_cards(changes: int) -> Row:
    """The row: so many changes, and the time that 95 % of them took."""
    floor, workspace = Floor(), Workspace()
    pbx = SandboxPbx(floor)
    for phone in ("0003*024", *PHONES):
        floor.add_extension(phone, user="12", name=f"Agent {phone[-3:]}")
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0ALERTS", "alerts")
    async with AsyncExitStack() as stack:
        await pbx.start()
        stack.push_async_callback(pbx.stop)
        await workspace.start()
        stack.push_async_callback(workspace.stop)
        settings = {
            "SLACK_APP_TOKEN": workspace.app_token,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_API_URL": workspace.api_url,
            "UAPI_URL": pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": "sandbox-secret",
        }
        # The bot is waited for in another thread, since this one's event loop is what it talks to.
        processes = ExitStack()
        stack.push_async_callback(asyncio.to_thread, processes.close)
        folder = Path(processes.enter_context(tempfile.TemporaryDirectory(prefix="callbot-bench-")))
        running = bot(folder, RULES, settings, python("bot", "run"))
        await asyncio.to_thread(processes.enter_context, running)
        took = await _changes(floor, workspace, changes)
    name = f"change in the PBX to changed card, 95 % of {changes}"
    return Row(name, "s", [percentile(took, 95)], most=2, note=f"median {percentile(took, 50):.2f} s")


async def _changes(floor: Floor, workspace: Workspace, changes: int) -> list[float]:
    """Seconds of each change until a card shows it."""
    calls = [floor.talk(caller=f"+1555010{place}", to=phone) for place, phone in enumerate(PHONES)]

    def shown() -> int:
        return sum(len(card.versions) for card in workspace.messages("C0ALERTS"))

    took, begun = list[float](), time.monotonic() + BETWEEN
    for place in range(changes):
        await asyncio.sleep(begun + place * BETWEEN + place * STEP % 1 - time.monotonic())
        before, changed_at = shown(), time.monotonic()
        change = floor.unhold if place // len(calls) % 2 else floor.hold
        change(calls[place % len(calls)])
        await workspace.until(lambda before=before: shown() > before, PATIENCE)  # type: ignore[misc]
        took.append(time.monotonic() - changed_at)
    return took
