"""What goes wrong: faults of the PBX and of Slack, sockets, whole systems away, and the end of the bot's process."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import get_args

from bot.sandbox.pbx.faults import Fault, Faults, Kind
from bot.sandbox.pbx.requests import Request
from bot.sandbox.workspace.faults import FaultKind, SlackFault
from tests.chaos.cast import CONTACT
from tests.chaos.people import People
from tests.chaos.stage import Stage

OF_READS = tuple(kind for kind in get_args(Kind) if kind != "200")
OF_PUTS = tuple(kind for kind in get_args(Kind) if kind not in {"empty list", "empty body", "half json"})
OF_TOKENS = ("slow", "cut before", "cut after", "html 500", "html 502", "401", "half json", "empty body", "redirect")
SHARE = 0.05
"""Of the requests to the PBX, so many meet a fault."""
LOOKS_EMPTY = frozenset({"empty list", "204"})
"""What says that a call is over although it is not. Twice in a row nobody could tell it from the truth."""
BELIEVABLE = 6.0
"""Seconds between two such answers about the same call."""
LONGEST_AIM = 3.0
"""Seconds after which the process is killed although what was waited for has not come."""
LOSSES = 0.05
"""Of the ends of the process, so many come because the ledger was replaced."""
SLACK_METHODS = ("chat.postMessage", "chat.update", "response_url", "*")
MOST_WAITING = 3
"""Faults of Slack that wait for a request: what piles up while the bot is away would meet nothing but its start."""
SLACK_ERRORS = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")


class PbxTrouble(Faults):
    """Decides for each request whether something goes wrong with it; the witness hears of each request."""

    def __init__(self, chance: random.Random, heard: Callable[[Request], None], count: Callable[[str], None]) -> None:
        super().__init__()
        self.on_put: Callable[[], None] = lambda: None
        self.share = 0.0
        """Of the requests, so many meet a fault."""
        self._chance = chance
        self._heard = heard
        self._count = count
        self._emptied: dict[str, float] = {}

    def take(self, request: Request) -> Fault | None:
        """The fault that this request meets, None for none."""
        self._heard(request)
        if request.method == "PUT":
            self.on_put()
        if self._chance.random() >= self.share:
            return None
        kinds = {"PUT": OF_PUTS, "GET": OF_READS, "POST": OF_TOKENS}.get(request.method, OF_READS)
        kind = self._chance.choice(kinds)
        if kind in LOOKS_EMPTY and request.method == "GET" and not self._may_look_empty(request):
            kind = "slow"
        self._count(f"PBX {request.method} {kind}")
        return Fault(kind, seconds=self._chance.uniform(0.05, 0.9) if kind == "slow" else 0.0, to=request.path)

    def _may_look_empty(self, request: Request) -> bool:
        call = request.segments[-1]
        if request.at - self._emptied.get(call, 0.0) < BELIEVABLE:
            return False
        self._emptied[call] = request.at
        return True


class Trouble:
    """Everything that fails, until the curtain falls. `kill_every`: seconds between two ends of the process."""

    def __init__(self, stage: Stage, people: People, chance: random.Random, *, kill_every: float) -> None:
        self._stage = stage
        self._people = people
        self._chance = chance
        self._kill_every = kill_every
        self._pbx = PbxTrouble(chance, stage.witness.request, self._count)
        stage.pbx.faults = self._pbx

    async def reign(self) -> None:
        """Faults, outages and ends, one after the other; what has begun is brought to its end, so that all is up."""
        self._pbx.share = SHARE
        async with asyncio.TaskGroup() as troubles:
            troubles.create_task(self._slack_faults())
            troubles.create_task(self._outages())
            troubles.create_task(self._removals())
            troubles.create_task(self._steps_of_the_clock())
            troubles.create_task(self._ends())

    def end(self) -> None:
        """Let no request fail any more."""
        self._pbx.share = 0.0
        self._stage.workspace.faults.clear()

    def _count(self, what: str) -> None:
        self._stage.done[what] += 1

    async def _slack_faults(self) -> None:
        waiting: list[SlackFault] = []
        while await self._stage.curtain.stays_up(self._chance.uniform(0.2, 1.4)):
            waiting = [fault for fault in waiting if fault.times]
            if len(waiting) >= MOST_WAITING or not self._stage.bot_is_up.is_set():
                continue
            fault = SlackFault(
                method=self._chance.choice(SLACK_METHODS),
                kind=self._chance.choice(get_args(FaultKind)),
                times=self._chance.choice((1, 1, 1, 2, 3)),
                seconds=self._chance.uniform(0.2, 2.0),
                error=self._chance.choice(SLACK_ERRORS),
            )
            self._count(f"Slack {fault.kind}")
            waiting.append(fault)
            self._stage.workspace.faults.add(fault)

    # ── what is away for a while ──

    async def _outages(self) -> None:
        stage = self._stage
        kinds: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("PBX down", lambda: stage.pbx_away(self._chance.uniform(0.3, 2.0))),
            ("workspace down", lambda: stage.workspace_away(self._chance.uniform(0.3, 1.2))),
            ("sockets cut", lambda: stage.sockets_away(cut=True)),
            ("sockets refreshed", lambda: stage.sockets_away(cut=False)),
            ("tokens revoked", self._revoke),
            ("card deleted", self._delete_a_card),
            ("ledger locked", lambda: stage.ledger_locked(self._chance.uniform(0.2, 4.5))),
        )
        while await self._stage.curtain.stays_up(self._chance.uniform(1.0, 6.0)):
            what, happen = self._chance.choice(kinds)
            self._count(what)
            await happen()

    async def _revoke(self) -> None:
        self._stage.pbx.revoke_tokens()

    async def _delete_a_card(self) -> None:
        """Somebody takes a message of the bot away."""
        workspace = self._stage.workspace
        cards = [one for one in workspace.messages()[-40:] if one.user == workspace.bot_user_id]
        if cards:
            card = self._chance.choice(cards)
            card.deleted = True
            self._stage.witness.evidence.deleted.add((card.channel, card.ts))

    # ── what changes ──

    async def _removals(self) -> None:
        """Somebody is removed while the ledger is locked. The contact stays: callbot.toml names them."""
        users = [one.user for one in self._stage.cast.supervisors if one.user != CONTACT]
        while await self._stage.curtain.stays_up(self._chance.uniform(2.0, 14.0)):
            self._count("people removed while the ledger is locked")
            await self._stage.remove_while_locked(self._chance.choice(users), self._chance.uniform(0.5, 3.5))

    async def _steps_of_the_clock(self) -> None:
        while await self._stage.curtain.stays_up(self._chance.uniform(2.0, 20.0)):
            self._stage.step_the_wall_clock()

    # ── the end of the process ──

    async def _ends(self) -> None:
        aims = (self._at_any_moment, self._after_an_acknowledgement, self._after_a_put, self._after_a_post)
        while await self._stage.curtain.stays_up(self._chance.uniform(0.4, 1.6) * self._kill_every):
            await self._stage.open.wait()
            if self._chance.random() < 0.15:
                await self._stage.restart_in_order()
                continue
            if self._chance.random() < LOSSES:
                self._count("ledger replaced")
                await self._stage.lose_the_ledger()
                continue
            aim = self._chance.choice(aims)
            self._count(f"kills {aim.__name__.strip('_').replace('_', ' ')}")
            await aim()
            await self._stage.restart_after_kill()

    async def _at_any_moment(self) -> None:
        self._stage.kill()

    async def _after_an_acknowledgement(self) -> None:
        await self._aimed(lambda shoot: setattr(self._people, "on_acknowledged", shoot))

    async def _after_a_put(self) -> None:
        await self._aimed(lambda shoot: setattr(self._pbx, "on_put", shoot))

    async def _after_a_post(self) -> None:
        await self._aimed(lambda shoot: setattr(self._stage.witness, "on_post", shoot))

    async def _aimed(self, aim: Callable[[Callable[[], None]], None]) -> None:
        """Kill in the moment of what is waited for, or when that has taken too long."""
        hit = asyncio.Event()

        def shoot() -> None:
            if not hit.is_set():
                self._stage.kill()
                hit.set()

        aim(shoot)
        with suppress(TimeoutError):
            await asyncio.wait_for(hit.wait(), LONGEST_AIM)
        shoot()
        aim(lambda: None)
