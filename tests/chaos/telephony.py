"""The telephones: calls that come, ring, are answered, held and end, and what supervisors do with their handsets."""

import asyncio
import random

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Status
from tests.chaos.cast import AGENTS, FAR_AGENT, PROTECTED_CALLER, PROTECTED_EXTENSION
from tests.chaos.records import Evidence

MOST_CALLS = 26
A_CROWD = 14
"""Calls that come at once, now and then: more alerts for one channel than get a card each."""
A_CROWD_COMES = 0.008
"""Of all that happens on the floor."""
PACE = 0.12
"""Seconds between two things that happen on the floor."""
FIRST_NAMES = ("Quixby", "Zorella", "Brandolf", "Wyneth", "Ozkar", "Fenja")
LAST_NAMES = ("Zarnowski", "Quillfeather", "Obermoos", "Vantongeren")


class Telephony:
    """Plays the floor until it is cancelled. Names and numbers of callers are noted as what no log may hold."""

    def __init__(self, floor: Floor, chance: random.Random, evidence: Evidence) -> None:
        self._floor = floor
        self._chance = chance
        self._evidence = evidence
        self._evidence.secrets |= dict.fromkeys(FIRST_NAMES, "a caller's name")
        self._supervisors = [one.number for one in floor.extensions() if one.number not in {*AGENTS, FAR_AGENT}]

    async def play(self) -> None:
        """One thing after the other."""
        for _ in range(MOST_CALLS // 2):
            self._a_call_comes()
        self._a_protected_caller_rings()
        while True:
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * PACE)
            if self._chance.random() < A_CROWD_COMES:
                self._a_crowd_comes()
            deeds = (self._with_a_call, self._at_a_desk, self._at_a_desk)
            self._chance.choice(deeds)()

    def _a_call_comes(self) -> None:
        number = f"+1555010{self._chance.randrange(10_000):04}"
        name = f"{self._chance.choice(FIRST_NAMES)} {self._chance.choice(LAST_NAMES)}"
        self._evidence.secrets[number.removeprefix("+")] = "a caller's number"
        to = self._chance.choice(AGENTS)
        match self._chance.randrange(20):
            case 0:
                number, name = PROTECTED_CALLER, "Vip Caller"
            case 1:
                to = PROTECTED_EXTENSION
            case 2:
                to = FAR_AGENT
            case 3:
                number, name = self._chance.choice([each for each in AGENTS if each != to]), ""
            case 4:
                number, to, name = to, number, ""
        enter = self._floor.talk if self._chance.random() < 0.6 else self._floor.ring
        enter(caller=number, to=to, caller_name=name or None)

    def _a_crowd_comes(self) -> None:
        calls = self._floor.crowd(A_CROWD, to=self._chance.sample(AGENTS, A_CROWD))
        numbers = {number for call in self._floor.calls() if call.id in calls for number in call.views[0].source}
        self._evidence.secrets |= {number.removeprefix("+"): "a caller's number" for number in numbers}
        self._a_protected_caller_rings()

    def _a_protected_caller_rings(self) -> None:
        self._floor.ring(caller=PROTECTED_CALLER, to=self._chance.choice(AGENTS), caller_name="Vip Caller")

    def _with_a_call(self) -> None:
        calls = self._floor.calls()
        if not calls or (len(calls) < MOST_CALLS and self._chance.random() < 0.5):
            self._a_call_comes()
            return
        call = self._chance.choice(calls)
        deed = self._chance.choices((self._answer, self._hold, self._park, self._end), (4, 2, 1, 3))[0]
        deed(call)

    def _answer(self, call: Call) -> None:
        self._floor.answer(call.id)

    def _hold(self, call: Call) -> None:
        on_hold = any(view.on_hold for view in call.views)
        (self._floor.unhold if on_hold else self._floor.hold)(call.id)

    def _park(self, call: Call) -> None:
        parked = any(view.parked for view in call.views)
        (self._floor.unpark if parked else self._floor.park)(call.id)

    def _end(self, call: Call) -> None:
        self._floor.hang_up(call.id)

    def _at_a_desk(self) -> None:
        """A supervisor lifts, or hangs up, or makes a call of their own; some never do anything."""
        legs = [(call.id, view.phone) for call in self._floor.calls() for view in call.views if view.leg]
        picked = [
            (call.id, view.phone)
            for call in self._floor.calls()
            for view in call.views
            if view.status is Status.ON_CALL and view.phone != view.extension and not view.leg
        ]
        ringing = self._floor.interventions()
        match self._chance.randrange(6):
            case 0 | 1 if ringing:
                one = self._chance.choice(ringing)
                if int(one.phone[-1]) % 5 != 4:
                    self._floor.lift(one.phone)
            case 2 | 3 if legs or picked:
                self._floor.leave(*self._chance.choice(legs + picked))
            case 4 if self._chance.random() < 0.05:
                self._floor.talk(caller=f"+1555010{self._chance.randrange(10_000):04}", to=self._desk())

    def _desk(self) -> str:
        return self._chance.choice(self._supervisors)
