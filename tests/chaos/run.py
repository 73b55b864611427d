"""One run from start to end: people and trouble for some minutes, calm, and then the evidence."""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.cast import Cast
from tests.chaos.people import People
from tests.chaos.records import Evidence
from tests.chaos.stage import Stage
from tests.chaos.telephony import Telephony
from tests.chaos.trouble import Trouble

GRACE = 5.0
"""Seconds that callbot waits beyond `waitForPickup` for a connection."""
ROUNDS = 20
UNDECIDED = frozenset({"asked", "ringing", "unknown"})


@dataclass(frozen=True)
class Score:
    """What is played: seconds of trouble and of calm, how many people, how often the process ends."""

    seconds: float
    seed: int
    supervisors: int = 24
    pause: float = 1.6
    kill_every: float = 4.0
    calm: float = 10.0
    real_limits: bool = False


class Run:
    """One run in a folder of its own."""

    def __init__(self, folder: Path, score: Score) -> None:
        self._score = score
        self.cast = Cast.of(score.supervisors)
        self.stage = Stage(folder, self._chance("stage"), self.cast, real_limits=score.real_limits)
        self._people = People(self.stage, self._chance("people"), pause=score.pause)
        self._telephony = Telephony(self.stage.floor, self._chance("telephony"), self.stage.witness.evidence)
        self._trouble = Trouble(self.stage, self._people, self._chance("trouble"), kill_every=score.kill_every)

    def _chance(self, name: str) -> random.Random:
        """Everyone's own dice, so that one who throws more often changes nobody else's."""
        return random.Random(f"{self._score.seed} {name}")

    async def play(self) -> Evidence:
        """Everything, to the end."""
        stalls = asyncio.create_task(self.stage.witness.note_stalls())
        try:
            await self.stage.open_doors()
            await self._for_a_while()
            await self._calm_down()
            evidence = self.stage.witness.look_back()
        finally:
            stalls.cancel()
            await self.stage.close()
        return evidence

    async def _for_a_while(self) -> None:
        """People, telephones and trouble at once. A failure of one of them fails the run."""
        phones = asyncio.create_task(self._telephony.play())
        others = [asyncio.create_task(part) for part in (self._people.work(), self._trouble.reign())]
        await asyncio.wait({phones, *others}, timeout=self._score.seconds, return_when=asyncio.FIRST_COMPLETED)
        self.stage.curtain.fall()
        self._trouble.end()
        await asyncio.gather(*others)
        phones.cancel()
        with suppress(asyncio.CancelledError):
            await phones

    async def _calm_down(self) -> None:
        """Nothing new happens; what would wait for long is cut short; then it is calm."""
        for _ in range(ROUNDS):
            await asyncio.sleep(0.5)
            await self._people.answer_questions()
            evidence = self.stage.witness.look_back()
            end = time.monotonic() + self._score.calm - GRACE
            slow = {
                row.call_id
                for row in evidence.interventions
                if row.following
                and row.state in UNDECIDED
                # Where the wall clock was set back, a start counts the wait anew.
                and (evidence.wall_steps or row.asked_at + row.wait + 1.0 > end)
            }
            for call in slow & {call.id for call in self.stage.floor.calls()}:
                self.stage.floor.hang_up(call)
            if not slow and not any(request.outcome == "received" for request in evidence.requests):
                break
        await asyncio.sleep(self._score.calm)
