"""The tour: a supervisor at work, from an alert through all interventions to a refusal and a phone that nobody answers.

It types and clicks in the workspace, answers phones and hangs up, as people do, and prints what the cards show.
"""

import time
from collections.abc import Awaitable, Callable

from rich.markup import escape

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.scenario import ALERTS, CAST, FLOOR
from bot.sandbox.workspace.conversations import Message, unescaped
from bot.sandbox.workspace.workspace import Workspace

ANA, BOB, EVE = "U0ANA", "U0BOB", "U0EVE"
ANAS_PHONE, BOBS_PHONE, DANS_PHONE = "0003*024", "0003*210", "0003*211"
ROOMS = {FLOOR: "#support-floor", ALERTS: "#alerts"}
SECONDS = 12.0
"""Seconds to wait for a state at most."""
ALERT_STATES = ("Raised", "Resolved")
STATES = ("Asked", "Ringing", "Connected", "Recording stopped", "Recording", "Not answered", "Ended", "Refused")


class Tour:
    """Plays the scenes one after the other. `say` prints a line of rich's markup."""

    def __init__(self, floor: Floor, pbx: SandboxPbx, workspace: Workspace, *, say: Callable[[str], None]) -> None:
        self._floor = floor
        self._pbx = pbx
        self._workspace = workspace
        self._say = say
        self._printed: dict[tuple[str, str], int] = {}

    async def play(self) -> bool:
        """True if every scene reached the expected state."""
        started = time.monotonic()
        stop_listening = self._workspace.on_change(self._print_changes)
        good = True
        try:
            for title, scene in self._scenes():
                self._say(f"\n[bold]{escape(title)}[/bold]")
                good = await self._act(scene) and good
        finally:
            stop_listening()
        seconds = time.monotonic() - started
        refusals = [*self._workspace.refusals, *self._workspace.visible_errors]
        for refusal in refusals:
            self._say(f"  [red]Slack would have refused:[/red] {escape(refusal)}")
        good = good and not refusals
        verdict = "[green]Everything worked as expected[/green]" if good else "[red]Something went wrong[/red]"
        self._say(f"\n{verdict}: {len(self._pbx.puts())} actions were sent to the PBX, in {seconds:.1f} s.")
        return good

    def _scenes(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            (
                "Dan's phone rings too long: an alert is raised in #alerts, and Ana picks up the call from there",
                self._alert,
            ),
            ("Ana listens to Bob's call and hangs up; the call goes on", self._monitor),
            ("Ana clicks Whisper on the card: only Bob hears her", self._whisper),
            ("Ana barges in: everyone hears her", self._barge_in),
            ("Ana records the call, then stops the recording", self._record),
            ("Bob asks for help with his call, and hears who is coming", self._help_request),
            ("Eve is not in the configuration. She tries to listen", self._unknown_person),
            ("Ana asks once more, but does not answer her phone", self._nobody_answers),
        ]

    async def _act(self, scene: Callable[[], Awaitable[None]]) -> bool:
        try:
            await scene()
        except (TimeoutError, LookupError) as error:
            self._say(f"  [red]not reached:[/red] {escape(str(error))}")
            return False
        return True

    # ── scenes ──

    async def _alert(self) -> None:
        call = self._floor.ring(caller="+15550188", caller_name="Hal Holder", to=DANS_PHONE)
        self._say(f"  Hal Holder calls Dan on {DANS_PHONE}, who does not answer")
        alert = await self._alert_says(ALERTS, "Raised")
        await self._click(alert, "Pick up")
        await self._card_says("Connected")
        await self._alert_says(ALERTS, "Resolved")
        self._floor.hang_up(call)
        await self._card_says("Ended")

    async def _monitor(self) -> None:
        self._call = self._floor.talk(caller="+15550142", caller_name="Carla Caller", to=BOBS_PHONE)
        await self._type(ANA, "/monitor <@U0BOB>")
        await self._card_says("Connected")
        self._hang_up()
        await self._card_says("Ended")

    async def _whisper(self) -> None:
        await self._click(self._cards()[-1], "Whisper")
        await self._card_says("Connected")
        self._hang_up()
        await self._card_says("Ended")

    async def _barge_in(self) -> None:
        await self._type(ANA, f"/barge {BOBS_PHONE}")
        await self._card_says("Connected")
        self._hang_up()
        await self._card_says("Ended")

    async def _record(self) -> None:
        await self._type(ANA, f"/record {BOBS_PHONE}")
        card = await self._card_says("Recording ")
        await self._click(card, "Stop recording")
        await self._card_says("Recording stopped")

    async def _help_request(self) -> None:
        await self._type(BOB, "/calls help-me the customer wants a refund")
        alert = await self._alert_says(FLOOR, "Raised")
        await self._click(alert, "I'm on it")
        await self._alert_says(FLOOR, "Raised", "Ana Pop is on it")
        await self._workspace.until(
            lambda: any("Ana Pop" in message.text for message in self._workspace.messages(to=BOB)), SECONDS
        )

    async def _unknown_person(self) -> None:
        before = len(self._pbx.puts())
        await self._type(EVE, f"/monitor {BOBS_PHONE}")
        await self._workspace.until(
            lambda: any("I don't know you yet" in message.text for message in self._workspace.private(EVE)), SECONDS
        )
        if len(self._pbx.puts()) != before:
            raise LookupError("the request of an unknown person was sent to the PBX")

    async def _nobody_answers(self) -> None:
        self._floor.extension(ANAS_PHONE).answers_after = None
        await self._type(ANA, f"/monitor {BOBS_PHONE} wait=1")
        await self._card_says("Not answered")
        self._floor.hang_up(self._call)
        await self._card_says("Ended")

    # ── acting and watching ──

    async def _type(self, user: str, text: str) -> None:
        shown = text.replace("<@U0BOB>", "@bob")
        self._say(f"  {CAST[user].title()} types [bold]{escape(shown)}[/bold]")
        await self._workspace.type(user, FLOOR, text, raw=True)

    async def _click(self, message: Message, label: str) -> None:
        self._say(f"  Ana clicks [bold]{escape(label)}[/bold]")
        await self._workspace.click(ANA, message, label)

    def _hang_up(self) -> None:
        self._say("  Ana hangs up her phone")
        self._floor.leave(self._call, ANAS_PHONE)

    async def _card_says(self, word: str) -> Message:
        """Wait until the newest card begins with the word."""
        cards = await self._workspace.until(
            lambda: [card for card in self._cards()[-1:] if card.text.startswith(word)], SECONDS
        )
        return cards[0]

    async def _alert_says(self, channel: str, word: str, also: str = "") -> Message:
        """Wait until a version of the channel's newest alert begins with the word and contains `also`."""

        def saying() -> list[Message]:
            alerts = [each for each in self._workspace.messages(channel) if each.text.startswith(ALERT_STATES)][-1:]
            texts = [version.text for alert in alerts for version in alert.versions]
            return alerts if any(text.startswith(word) and also in text for text in texts) else []

        return (await self._workspace.until(saying, SECONDS))[0]

    def _cards(self) -> list[Message]:
        shown = [message for channel in ROOMS for message in self._workspace.messages(channel)]
        shown += self._workspace.messages(to=ANA)
        cards = [message for message in shown if message.text.startswith(STATES)]
        return sorted(cards, key=lambda card: card.versions[-1].at)

    def _print_changes(self) -> None:
        """Print what is new: versions of cards, and private answers."""
        seen = [(room, self._workspace.messages(channel)) for channel, room in ROOMS.items()]
        for user in (ANA, BOB, EVE):
            seen.append((f"direct message to {CAST[user].title()}", self._workspace.messages(to=user)))
            seen.append((f"only visible to {CAST[user].title()}", self._workspace.private(user)))
        for where, message in ((where, message) for where, messages in seen for message in messages):
            key = (message.channel, message.ts)
            for version in message.versions[self._printed.get(key, 0) :]:
                self._say(f"    [cyan]{where}:[/cyan] {escape(unescaped(version.text))}")
            self._printed[key] = len(message.versions)
