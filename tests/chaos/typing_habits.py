"""What people type: every verb in all its spellings, short extensions, mentions, options, and mistakes."""

import random

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Status
from tests.chaos.cast import AGENTS, TARGETS

VERBS = ("monitor", "whisper", "barge", "record", "pickup")
OTHERS = ("/calls", "/calls help", "/calls 20", "/calls Ag203", "/calls nobody at all")
CRIES = ("/calls help-me", "/calls help-me the customer wants a refund", "/calls")
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

    def cry(self) -> str:
        """What an agent types who needs help, now and then what everybody types."""
        return self._chance.choice(CRIES) if self._chance.random() < 0.8 else self.line()

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
