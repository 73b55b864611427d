"""Repeats the story, from an empty floor, while a page is open and until somebody acts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Literal

from bot.sandbox.changes import Changes
from bot.sandbox.console.story import Scene

Playing = Literal["waiting", "playing", "stopped", "over", "broken"]
MOST_PLAYS = 30
"""Plays in a row before it pauses: a page may stay open over night."""
SETTLING = 2.0
"""Seconds for the bot to see that the calls of the last play are gone."""
BETWEEN = 1.5
"""Seconds between the end of one play and the preparation of the next."""


class Plays:
    """Plays `play` again and again, with a pause of `between` seconds.

    `clean` empties the floor; `ready` waits until the bot is connected; `at_once`: the first open page starts it.
    """

    def __init__(
        self,
        play: Callable[[Callable[[Scene], object]], Awaitable[None]],
        *,
        clean: Callable[[], Awaitable[None]],
        ready: Callable[[], Awaitable[object]],
        at_once: bool = True,
        between: float = BETWEEN,
    ) -> None:
        self._play = play
        self._clean = clean
        self._ready = ready
        self._between = between
        self._changes = Changes()
        self._running: asyncio.Task[None] | None = None
        self._watchers = 0
        self._scene: Scene | None = None
        self.state: Playing = "waiting" if at_once else "stopped"
        self.plays = 0

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` after every change, until the returned function is called."""
        return self._changes.subscribe(callback)

    def now(self) -> dict[str, Any]:
        """The current scene, as JSON."""
        return {
            "state": self.state,
            "plays": self.plays,
            "scene": asdict(self._scene) if self._scene and self.state == "playing" else None,
        }

    def watched(self) -> None:
        """A page was opened: the first one starts the story."""
        self._watchers += 1
        if self.state == "waiting":
            self.again()

    def left(self) -> None:
        """A page was closed. Without any page the play goes on to its end, and is not repeated."""
        self._watchers -= 1

    def again(self) -> None:
        """Start again from the beginning."""
        self._cancel()
        self._now("playing")
        self._running = asyncio.create_task(self._over_and_over())

    def stop(self) -> None:
        """Stop because somebody acts; the floor stays as it is."""
        self._cancel()
        self._now("stopped")

    async def close(self) -> None:
        """End for good."""
        running = self._running
        self._cancel()
        if running is not None:
            await asyncio.gather(running, return_exceptions=True)

    async def _over_and_over(self) -> None:
        for _ in range(MOST_PLAYS):
            self._scene = None
            try:
                await self._ready()
                await self._clean()
                self.plays += 1
                await self._play(self._show)
            except (TimeoutError, LookupError):
                self._now("broken")
                return
            if self._watchers < 1:
                self._now("waiting")
                return
            await asyncio.sleep(self._between)
        self._now("over")

    def _show(self, scene: Scene) -> None:
        self._scene = scene
        self._changes.tell()

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._running = None
        self._scene = None

    def _now(self, state: Playing) -> None:
        self.state = state
        self._changes.tell()
