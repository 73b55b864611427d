"""The people in Slack: what they type, in all spellings and with errors, and what they click, twice, together, or not allowed."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Status
from bot.sandbox.workspace.conversations import Message
from bot.sandbox.workspace.deliveries import Delivery
from tests.chaos.cast import AGENTS, CHANNELS, TARGETS, Person
from tests.chaos.records import Acknowledged, Asked
from tests.chaos.stage import Stage
from tests.chaos.witness import card_of

# ── what they type ──


VERBS = ("monitor", "whisper", "barge", "record", "pickup")
OTHERS = ("/calls", "/calls help", "/calls 20", "/calls Ag203", "/calls nobody at all")
HELP_LINES = ("/calls help-me", "/calls help-me the customer wants a refund", "/calls")
"""What agents type who need help; the list has a button for it."""
MISTAKES = (
    "/monitor",
    "/monitor @self",
    "/monitor 0003*201 please",
    "/whisper 0003*201 wait=0",
    "/barge 0003*201 as=“John Doe",
    "/record 0003*201 format=mp3",
    "/monitor 0003*201 call=../x",
    "/pickup 0003*20\u0661",
    "/calls monitor <@U0EVE|eve>",
    "/monitor 9999",
)


class TypingHabits:
    """Lines as Slack would send them. `chance` is all that decides."""

    def __init__(self, floor: Floor, chance: random.Random) -> None:
        self._floor = floor
        self._chance = chance

    def line(self) -> str:
        """One line: mostly an intervention, sometimes a list, sometimes a mistake."""
        kind = self._chance.random()
        if kind < 0.08:
            return self._chance.choice(OTHERS)
        if kind < 0.13:
            return self._chance.choice(MISTAKES)
        return self._intervention()

    def help_line(self) -> str:
        """What an agent types who needs help, now and then what everybody types."""
        return self._chance.choice(HELP_LINES) if self._chance.random() < 0.8 else self.line()

    def _intervention(self) -> str:
        calls = self._floor.calls()
        call = self._chance.choice(calls) if calls and self._chance.random() < 0.85 else None
        extension = self._agent_of(call) if call else self._chance.choice(TARGETS)
        verb = self._verb(call)
        words = [self._target(extension), *self._options(verb, call)]
        command = f"/calls {verb}" if self._chance.random() < 0.3 else f"/{verb}"
        return " ".join([command, *words])

    def _agent_of(self, call: Call) -> str:
        own = [view.extension for view in call.views if not view.leg]
        return self._chance.choice(own) if own else call.extension

    def _verb(self, call: Call | None) -> str:
        if call is None or self._chance.random() < 0.15:
            return self._chance.choice(VERBS)
        if any(view.status is Status.RINGING for view in call.views):
            return "pickup"
        return self._chance.choices(VERBS[:4], (4, 3, 2, 3))[0]

    def _target(self, extension: str) -> str:
        number = extension.partition("*")[2]
        spelling = self._chance.random()
        if spelling < 0.3:
            return number
        if spelling < 0.45 and extension in AGENTS[:6]:
            return self._chance.choice((f"<@U0AG{number}|ag{number}>", f"<@U0AG{number}>"))
        return extension

    def _options(self, verb: str, call: Call | None) -> list[str]:
        words: list[str] = []
        if verb == "record":
            words += self._chance.choice(([], [], ["stop"], ["format=wav"], ["format=wav49"]))
        else:
            words += [f"wait={self._chance.randint(1, 3)}"] if self._chance.random() < 0.85 else []
            words += ['as="Desk One <+15550190>"'] if self._chance.random() < 0.1 else []
            words += ["private"] if verb == "whisper" and self._chance.random() < 0.2 else []
        if call is not None and self._chance.random() < 0.25:
            words.append(f"call={call.id}")
        if call is not None and self._chance.random() < 0.1:
            words.append(f"view={self._chance.choice(call.views).id if call.views else '01'}")
        self._chance.shuffle(words)
        return words


# ── what they do ──


RECENT = 60
"""Of the messages that everyone sees, so many are still near enough to be clicked; older ones now and then."""
IMPATIENT = 0.15
"""Of what people do, so much they do although the bot is known to be away."""
QUESTIONS = ("Ring now anyway", "Cancel")


class People:
    """Everybody at once. `on_acknowledged` hears of each acknowledgement in its moment."""

    def __init__(self, stage: Stage, chance: random.Random, *, pause: float) -> None:
        self.on_acknowledged: Callable[[], None] = lambda: None
        self._stage = stage
        self._workspace = stage.workspace
        self._chance = chance
        self._pause = pause
        self._habits = TypingHabits(stage.floor, chance)
        self._agents = {one.user for one in stage.cast.others if one.extension in AGENTS}
        self._triggers = 0
        self._delivered: list[tuple[Asked, Delivery]] = []

    async def work(self) -> None:
        """Everyone for themselves, until the curtain falls."""
        users = [one.user for one in self._stage.cast.supervisors] * 3
        users += [one.user for one in self._stage.cast.others] + ["U0EVE"]
        workers = len(self._stage.cast.supervisors)
        await asyncio.gather(*(self._work(users) for _ in range(workers)))

    async def _work(self, users: list[str]) -> None:
        deeds = (self._type, self._click, self._click_together, self._again, self._click_old)
        while await self._stage.curtain.stays_up(self._chance.uniform(0.2, 1.8) * self._pause):
            await self._stage.open.wait()
            if self._chance.random() > IMPATIENT:
                await self._stage.bot_is_up.wait()
            deed = self._chance.choices(deeds, (10, 8, 2, 1, 1))[0]
            await deed(self._chance.choice(users))

    # ── one thing ──

    async def _type(self, user: str) -> None:
        line = self._habits.help_line() if user in self._agents else self._habits.line()
        channel = self._direct(user) if self._chance.random() < 0.15 else self._chance.choice(CHANNELS)
        times = 2 if self._chance.random() < 0.08 else 1
        asked = self._note(Asked(self._trigger(), user, channel, line))
        workspace = self._workspace
        await self._send(
            asked,
            lambda: workspace.type(user, channel, line, times=times, trigger_id=asked.trigger, raw=True),
        )

    async def _click(self, user: str) -> None:
        found = self._something_to_click(user)
        if found is not None:
            await self._press(user, *found)

    async def _click_together(self, user: str) -> None:
        """Two people press the same button in the same moment, or one of them twice."""
        found = self._something_to_click(user)
        if found is not None:
            other = user if self._chance.random() < 0.5 else self._someone().user
            message = found[0]
            both = [user] if message.ephemeral_to not in (None, other) else [user, other]
            await asyncio.gather(*(self._press(one, *found) for one in both))

    async def _again(self, user: str) -> None:
        """Slack delivers once more what it delivered before."""
        if not self._delivered:
            return
        asked, delivery = self._chance.choice(self._delivered[-40:])
        await self._send(asked, lambda: self._workspace.redeliver(delivery))

    async def _click_old(self, user: str) -> None:
        """A button of another version, or one that is no longer shown."""
        messages = [one for one in self._workspace.messages()[-RECENT:] if one.user == self._workspace.bot_user_id]
        if not messages:
            return
        message, value = self._chance.choice(messages), self._chance.choice((None, "", "{}", '{"v":0}', "call-7"))
        asked = self._note(Asked("", user, message.channel, "[Old]", card_of(message)))
        await self._send(
            asked,
            lambda: self._workspace.click_stale(
                user, message, action_id="intervene:Monitor:0", value=value, block_id="old"
            ),
        )

    async def _press(self, user: str, message: Message, label: str, nth: int) -> None:
        private = message.ephemeral_to is not None
        card = card_of(message)
        asked = self._note(Asked(self._trigger(), user, message.channel, f"[{label}]", card, private=private))
        confirm, times = self._chance.random() < 0.85, 2 if self._chance.random() < 0.1 else 1
        workspace = self._workspace

        async def press() -> Delivery:
            return await workspace.click(
                user, message, label, nth=nth, confirm=confirm, times=times, trigger_id=asked.trigger
            )

        delivery = None
        with suppress(LookupError):  # the card has changed under the finger
            delivery = await self._send(asked, press)
        if delivery is None or not delivery.sent:
            self._stage.witness.evidence.asked.remove(asked)

    async def answer_questions(self) -> None:
        """Everybody who was asked to hang up clicks Cancel, so that nothing waits any more."""
        for message in self._workspace.messages():
            if QUESTIONS[1] in [button.label for button in message.buttons()]:
                person = next((p for p in self._stage.cast.mapped if self._direct(p.user) == message.channel), None)
                people = [person] if person else list(self._stage.cast.supervisors)
                await asyncio.gather(*(self._press(one.user, message, QUESTIONS[1], 0) for one in people))

    # ── what there is to click ──

    def _something_to_click(self, user: str) -> tuple[Message, str, int] | None:
        """A message that this person sees, and one of its buttons."""
        seen = self._workspace.messages()
        old = self._chance.random() < 0.05
        near = [one for one in (seen if old else seen[-RECENT * 4 :]) if one.channel == self._direct(user)]
        near += [one for one in (seen if old else seen[-RECENT:]) if not one.channel.startswith("D")]
        near = near[-RECENT:] + self._workspace.private(user)[-4:]
        messages = [one for one in near if one.buttons()]
        if not messages:
            return None
        message = self._chance.choice(messages)
        labels = [button.label for button in message.buttons()]
        label = self._chance.choice(labels)
        return message, label, self._chance.randrange(labels.count(label))

    def _someone(self) -> Person:
        return self._chance.choice(self._stage.cast.mapped)

    def _direct(self, user: str) -> str:
        return "D" + user[1:]

    # ── writing down ──

    def _trigger(self) -> str:
        self._triggers += 1
        return f"{self._triggers}.{self._chance.randrange(10**11)}.chaos"

    def _note(self, asked: Asked) -> Asked:
        self._stage.witness.evidence.asked.append(asked)
        return asked

    async def _send(self, asked: Asked, send: Callable[[], Awaitable[Delivery]]) -> Delivery | None:
        """Send, and write down how each delivery ended."""
        since = time.monotonic()
        try:
            delivery = await send()
        except RuntimeError:
            return None  # the workspace went away before anything left it
        waited = self._stage.bot_waited
        for one in (delivery, *delivery.repeats):
            if one.sent:
                ended = Acknowledged(since, since + one.seconds, one.error, refused=bool(one.body), waited=waited)
                asked.deliveries.append(ended)
        if delivery.interaction is not None:
            asked.trigger = asked.trigger or delivery.interaction.trigger_id
            self._delivered.append((asked, delivery))
        if delivery.acknowledged:
            self.on_acknowledged()
        return delivery
