"""The story: what callbot is for, in a minute, played by itself. It does only what people can do.

A call rings too long and raises an alert; Ana listens to Bob's call, hangs up to whisper, and records; Eve is refused.
It is repeated, from an empty floor, while a page is open and until somebody acts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bot.sandbox.changes import Changes
from bot.sandbox.console.shown import direct_message
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.scenario import ALERTS, FLOOR
from bot.sandbox.workspace.conversations import Button, Message
from bot.sandbox.workspace.workspace import Workspace

ANA, BOB, EVE = "U0ANA", "U0BOB", "U0EVE"
ANAS_PHONE, BOBS_PHONE = "0003*024", "0003*210"
SECONDS = 15.0
"""Seconds to wait for a message at most."""
STATES = ("Asked", "Ringing", "Connected", "Recording", "Ended", "Refused", "Not answered", "Unknown")
"""What the text of a card begins with."""


@dataclass(frozen=True)
class Scene:
    """What the page shows: a caption, whose view and which channel, and what is being typed, clicked or which phone is used."""

    caption: str
    user: str
    channel: str
    typing: str | None = None
    press: dict[str, str] | None = None
    phone: str | None = None


class Story:
    """Plays the story once. `show` takes each scene; `pace` is a factor for every pause."""

    def __init__(
        self, floor: Floor, workspace: Workspace, show: Callable[[Scene], object], *, pace: float = 1.0
    ) -> None:
        self._floor = floor
        self._workspace = workspace
        self._show = show
        self._pace = pace
        self._scene = Scene("", ANA, ALERTS)
        self._begun = ""

    async def play(self) -> None:
        """Play from beginning to end. Raises TimeoutError or LookupError where the bot does not do its part."""
        self._begun = max((each.ts for each in self._workspace.messages()), default="")
        call = await self._rings_too_long()
        await self._listens()
        await self._whispers(call)
        await self._records()
        await self._ends(call)
        await self._unknown_person()
        await self._tell("That was callbot. Now it is your turn: type, click, or pick up a phone.", 6)

    # ── scenes ──

    async def _rings_too_long(self) -> str:
        self._scene = Scene("", ANA, ALERTS)
        await self._tell("A customer, Carla Caller, rings Bob. Bob is busy with something else.", 2, phone=BOBS_PHONE)
        call = self._floor.ring(caller="+15550142", caller_name="Carla Caller", to=BOBS_PHONE)
        await self._tell("The phone rings, and rings …", 0, phone=BOBS_PHONE)
        alert = await self._message(ALERTS, "Raised")
        await self._tell("Five seconds is too long here: callbot raises an alert in #alerts.", 3)
        await self._press(ANA, alert, "I'm on it", "Ana says that she is on it.")
        await self._message(ALERTS, "Raised", "Ana Pop is on it")
        await self._pause(1.5)
        await self._tell("Bob picks up, and the alert is resolved.", 1.2, phone=BOBS_PHONE)
        self._floor.answer(call)
        await self._message(ALERTS, "Resolved")
        await self._tell("Bob picks up, and the alert is resolved.", 2)
        return call

    async def _listens(self) -> None:
        await self._type(ANA, FLOOR, "/monitor @bob", "Ana wants to hear how it goes. She types /monitor @bob")
        await self._lifts("Her own desk phone rings. She picks it up …")
        self._scene = replace(self._scene, channel=direct_message(ANA))
        await self._card("Connected")
        await self._tell("… and listens. Nobody hears her. Her card is private: agents read the channel.", 5)

    async def _whispers(self, call: str) -> None:
        card = await self._card("Connected")
        await self._press(ANA, card, "Whisper", "Bob does not know the refund rule. Ana clicks Whisper.")
        await self._pause(2)
        await self._tell(
            "Her phone is still in the call, so she hangs up. It rings again at once.", 2, phone=ANAS_PHONE
        )
        self._floor.leave(call, ANAS_PHONE)
        await self._lifts("It rings for Whisper. She picks it up …")
        await self._card("Connected", ", Whisper, ")
        await self._tell("… and says: “Offer her the refund.” Only Bob hears it.", 5)

    async def _records(self) -> None:
        card = await self._card("Connected", ", Whisper, ")
        await self._press(ANA, card, "Record", "Carla agrees that the call is recorded. Ana clicks Record.")
        await self._card("Recording ")
        await self._tell("The call is recorded: the card says so because the PBX shows it.", 3.5, phone=BOBS_PHONE)

    async def _ends(self, call: str) -> None:
        await self._tell("Carla is happy, and hangs up.", 1, phone=BOBS_PHONE)
        self._floor.hang_up(call)
        await self._card("Ended")
        await self._tell("The call is over. The card keeps what was done, step by step.", 3)

    async def _unknown_person(self) -> None:
        await self._type(EVE, FLOOR, "/monitor @bob", "Eve is not in the configuration. She types /monitor @bob")
        await self._workspace.until(lambda: self._after(self._workspace.private(EVE)), SECONDS)
        await self._tell("She is refused, privately. Nothing was sent to the PBX.", 4.5)

    # ── acting ──

    async def _type(self, user: str, channel: str, line: str, caption: str) -> None:
        self._scene = replace(self._scene, user=user, channel=channel)
        await self._tell(caption, 2.6, typing=line)
        await self._tell(caption, 0)
        await self._workspace.type(user, channel, line)

    async def _press(self, user: str, message: Message, label: str, caption: str) -> None:
        self._scene = replace(self._scene, user=user, channel=message.channel)
        await self._tell(caption, 2.6, press=_place(message, label))
        await self._workspace.click(user, message, label)

    async def _lifts(self, caption: str) -> None:
        await self._floor.until(lambda: self._floor.ringing(ANAS_PHONE), SECONDS)
        await self._tell(caption, 3, phone=ANAS_PHONE)
        self._floor.lift(ANAS_PHONE)

    async def _tell(self, caption: str, seconds: float, **more: Any) -> None:
        self._scene = replace(self._scene, caption=caption, **{"typing": None, "press": None, "phone": None} | more)
        self._show(self._scene)
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._pace)

    # ── watching ──

    async def _card(self, state: str, doing: str = "") -> Message:
        """Wait until Ana's newest card begins with that state and contains `doing` ("Ana Pop, Whisper, Bob …")."""

        def card() -> Message | None:
            cards = [each for each in self._after(self._workspace.messages(to=ANA)) if each.text.startswith(STATES)]
            return cards[-1] if cards and cards[-1].text.startswith(state) and doing in cards[-1].text else None

        return await self._until(card)

    async def _message(self, channel: str, begins: str, says: str = "") -> Message:
        """Wait until the channel's newest message begins with `begins` and contains `says`."""

        def message() -> Message | None:
            newest = self._after(self._workspace.messages(channel))[-1:]
            return next((each for each in newest if each.text.startswith(begins) and says in each.text), None)

        return await self._until(message)

    async def _until(self, probe: Callable[[], Message | None]) -> Message:
        found = await self._workspace.until(probe, SECONDS)
        if found is None:
            raise TimeoutError("nothing came")
        return found

    def _after(self, messages: list[Message]) -> list[Message]:
        """The messages of this play."""
        return [each for each in messages if each.ts > self._begun]


def _place(message: Message, label: str) -> dict[str, str]:
    """The place of a button. Raises LookupError if there is none with that label."""
    button: Button | None = next((each for each in message.buttons() if each.label == label), None)
    if button is None:
        raise LookupError(f"no button {label}")
    return {
        "channel": message.channel,
        "ts": message.ts,
        "block_id": button.block_id,
        "action_id": button.action_id,
        "label": label,
    }


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
