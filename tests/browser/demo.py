"""One demo as a test has it: everything that is up, and its page."""

from typing import Any

import aiohttp

from bot.app.demo import Stage
from bot.sandbox.console.server import Console

OPEN = ("Asked", "Ringing", "Connected", "Recording", "Raised")
"""What a card begins with whose call goes on."""


class Demo:
    """`stage` outlives it, for the next one; `console` is the page of this one alone."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self.stage = stage
        self.console = console
        self._sent_before = len(stage.pbx.puts())

    @property
    def origin(self) -> str:
        """Scheme, host and port of the page."""
        return f"http://127.0.0.1:{self.console.port}"

    @property
    def sent(self) -> int:
        """How many actions were sent to the PBX since it began."""
        return len(self.stage.pbx.puts()) - self._sent_before

    async def as_app(self, method: str = "chat.postMessage", **fields: Any) -> str:
        """Call Slack's Web API as callbot would; the time stamp of the message."""
        workspace = self.stage.workspace
        headers = {"Authorization": f"Bearer {workspace.bot_token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(workspace.api_url + method, json=fields, headers=headers) as answer,
        ):
            said = await answer.json()
        assert said["ok"], said
        return str(said["ts"])

    async def clear(self, seconds: float) -> None:
        """End every call, and wait as long for the bot to have seen it."""
        for call in self.stage.floor.calls():
            self.stage.floor.hang_up(call.id)
        await self.stage.workspace.until(lambda: not self._open_cards(), seconds)

    def _open_cards(self) -> list[str]:
        return [each.text for each in self.stage.workspace.messages() if each.text.startswith(OPEN)]
