"""A clock for what waits, PBXs of the test's own, looks at them, and whoever follows what is open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest

from bot.domain.calls import PhoneCall
from bot.domain.errors import PbxError
from bot.domain.intervention import Intervention, Look, State, answered
from bot.domain.permissions import AuthorizationMap
from bot.domain.presence import PhoneSeen
from bot.interventions.ports import Card
from bot.interventions.tracker import Follower
from bot.polling.poller import CallPath, Haste, Looks
from bot.polling.ports import PartlyRead
from bot.polling.rate_limit import Pace
from tests.looks.lookout_post import post, ring

__all__ = ["post", "ring"]
MakeCall = Callable[..., PhoneCall]
SCOPES = (("@me", "@self"), ("12", "@self"))
READS, LISTS = "get", "list"
PER_SECOND = 5


class Clock:
    """Seconds that pass only when a test lets them. Called, it says how many have passed."""

    def __init__(self) -> None:
        self.passed = 0.0
        self._asleep: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        """Wait until so many seconds have passed."""
        awake = asyncio.get_running_loop().create_future()
        heappush(self._asleep, (self.passed + seconds, next(self._numbers), awake))
        await awake

    async def let_pass(self, seconds: float) -> None:
        """Let so many seconds pass, and all happen that falls into them, in its order."""
        end = self.passed + seconds
        await _until_nothing_happens()
        while self._asleep and self._asleep[0][0] <= end:
            self.passed, _, awake = heappop(self._asleep)
            if not awake.done():
                awake.set_result(None)
            await _until_nothing_happens()
        self.passed = end


async def _until_nothing_happens() -> None:
    """Give every task that can go on its turns on the event loop."""
    for _ in range(40):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


# ── looks by themselves ──


def path(call_id: str) -> CallPath:
    return ("12", "0003*210", call_id)


@dataclass
class ManyCalls:
    """A PBX with calls, each shown by the scopes that are named; it answers when `slow` is over."""

    clock: Any
    calls: dict[str, PhoneCall] = field(default_factory=dict)
    shown_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failing: dict[str, PbxError] = field(default_factory=dict)
    """What fails: a call by its id, a list by its user."""
    lists: dict[str, tuple[PhoneCall, ...]] = field(default_factory=dict)
    """What the list of a user shows, where it is something else."""
    skipped: dict[str, int] = field(default_factory=dict)
    """How many calls without an id are in the list of a user besides."""
    slow: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        await self._answer(READS, call_id)
        return self.calls.get(call_id)

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        await self._answer(LISTS, user)
        shown = tuple(call for name, call in self.calls.items() if user in self.shown_by.get(name, ("@me",)))
        calls = self.lists.get(user, shown)
        if self.skipped.get(user):
            raise PartlyRead(calls, self.skipped[user])
        return calls

    async def _answer(self, kind: str, name: str) -> None:
        self.asked.append((kind, name))
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            await self.clock.sleep(self.slow)
        finally:
            self.under_way -= 1
        if name in self.failing:
            raise self.failing[name]

    async def presence(self, user: str, extension: str) -> Any:
        raise AssertionError("a look asks for no presence")

    async def act(self, *what: Any) -> Any:
        raise AssertionError("looking sends nothing")


class Watch:
    """Looks that are under way, and what came of them."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.pbx = ManyCalls(clock)
        self.scopes: tuple[tuple[str, str], ...] = SCOPES
        self.looks = Looks(
            asked=self.pbx,
            own=self.pbx,
            scopes=lambda: self.scopes,
            every=lambda: 1.0,
            clock=clock,
            sleep=clock.sleep,
            random=lambda: 0.5,
        )
        self.seen: dict[str, Look] = {}
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def at(self, call_id: str, haste: Haste = Haste.WATCHING) -> None:
        async def look() -> None:
            self.seen[call_id] = await self.looks.at(path(call_id), haste)
            self.order.append(call_id)

        self.tasks.append(asyncio.create_task(look()))

    def asked(self, kind: str) -> list[str]:
        return [name for asked, name in self.pbx.asked if asked == kind]


@pytest.fixture
async def watch(clock: Any, a_call: MakeCall) -> AsyncIterator[Watch]:
    """Two scopes and twelve calls, c1 to c12; a read takes a second."""
    watch = Watch(clock)
    watch.pbx.calls = {f"c{number}": a_call(call_id=f"c{number}") for number in range(1, 13)}
    watch.pbx.slow = 1.0
    yield watch
    await watch.looks.stop()


# ── and whoever follows ──


class PacedPbx:
    """The calls of a floor, shown by `@me`; a read takes a tenth of a second, and its turn before."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.pace = Pace(lambda: PER_SECOND, clock=clock, sleep=clock.sleep)
        self.calls: dict[str, PhoneCall] = {}
        self.failing: PbxError | None = None
        self.seconds = 0.1
        self.asked: list[tuple[float, str]] = []

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        await self._answer(call_id)
        return self.calls.get(call_id)

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        await self._answer(user)
        return tuple(self.calls.values()) if user == "@me" else ()

    async def _answer(self, what: str) -> None:
        await self.pace.own()
        self.asked.append((self.clock(), what))
        await self.clock.sleep(self.seconds)
        if self.failing is not None:
            raise self.failing

    async def presence(self, user: str, extension: str) -> Any:
        raise AssertionError("following asks for no presence")

    async def act(self, *what: Any) -> Any:
        raise AssertionError("following sends nothing")

    def most_in_a_second(self) -> int:
        times = [at for at, _ in self.asked]
        return max(sum(start <= time < start + 1 - 1e-6 for time in times) for start in times)


class Memory:
    """A ledger, cards and figures that keep what they are given."""

    writes_together = 1

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.saved: dict[str, Intervention] = {}
        self.shown: dict[str, Card] = {}
        self.shown_at: dict[tuple[str, State], float] = {}
        self.took: list[float] = []

    async def save(self, intervention: Intervention) -> None:
        self.saved[intervention.id] = intervention

    def show(self, card: Card) -> None:
        self.shown[card.id] = card
        self.shown_at.setdefault((card.id, card.interventions[-1].state), self.clock())

    def connected(self, seconds: float, *, by_alert: bool) -> None:
        self.took.append(seconds)


def memory(clock: Any) -> Any:
    """As much of a ledger, of cards and of figures as following needs."""
    return Memory(clock)


class Floor:
    """A follower and all around it."""

    def __init__(self, clock: Any, noon: datetime, rules: AuthorizationMap) -> None:
        self.clock = clock
        self.noon = noon
        self.rules = rules
        self.scopes: tuple[tuple[str, str], ...] = (("@me", "@self"),)
        self.pbx = PacedPbx(clock)
        self.memory = memory(clock)
        looks = Looks(
            asked=self.pbx,
            own=self.pbx,
            scopes=lambda: self.scopes,
            every=lambda: 1.0,
            clock=clock,
            sleep=clock.sleep,
            random=lambda: 0.5,
        )
        self.follower = Follower(
            looks=looks,
            ledger=self.memory,
            cards=self.memory,
            rules=lambda: self.rules,
            silent_in=frozenset,
            now=self.now,
            sleep=clock.sleep,
            measures=self.memory,
            phone_seen=self.phone_seen,
        )

    def now(self) -> datetime:
        return self.noon + timedelta(seconds=self.clock())

    async def phone_seen(self, phone: str) -> PhoneSeen:
        return PhoneSeen.UNKNOWN

    async def follows(self, intervention: Intervention) -> None:
        """It was sent, and the PBX has accepted."""
        self.follower.put_on_card(intervention, {})
        await self.follower.update(answered(intervention, "ringing", self.now()))

    def state(self, number: int) -> State:
        return self.memory.shown[f"k{number}"].interventions[-1].state  # type: ignore[no-any-return]

    def delay(self, number: int, state: State, since: float) -> float:
        """Seconds from that moment until the card said so."""
        return float(self.memory.shown_at[f"k{number}", state] - since)


@pytest.fixture
async def floor(clock: Any, noon: datetime, rules: AuthorizationMap) -> AsyncIterator[Floor]:
    floor = Floor(clock, noon, rules)
    yield floor
    await floor.follower.stop()


@pytest.fixture
def open_many(floor: Floor, an_intervention: Callable[..., Intervention], a_call: MakeCall) -> Any:
    """So many calls, c0, c1 and on, with Ana's request in each, on a card of its own (k0, k1 and on)."""

    async def open_many(count: int) -> None:
        for number in range(count):
            call = a_call(call_id=f"c{number}")
            floor.pbx.calls[call.id] = call
            named = {"id": f"i{number}", "card": f"k{number}", "call_id": call.id, "call": call}
            await floor.follows(an_intervention(wait=300, **named))

    return open_many


@pytest.fixture
def joined(a_call: MakeCall, a_view: Any, a_leg: Any) -> Callable[[str], PhoneCall]:
    return lambda call_id: a_call(a_view(), a_leg(), call_id=call_id)
