"""A lookout and all around it, on a clock of the test's own: a PBX, a memory, a wall for its cards."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from bot.alerts.alert import Alert, AlertState, Rule, When
from bot.alerts.manager import Alarms
from bot.alerts.monitor import Lookout
from bot.alerts.ports import AlertCard, DigestCard
from bot.domain.calls import PhoneCall
from bot.domain.errors import CallbotError, PbxUnreachable
from bot.domain.intervention import Intervention
from bot.domain.legs import Known, without_legs
from bot.domain.permissions import AuthorizationMap
from bot.polling.poller import Looks

MakeCall = Callable[..., PhoneCall]
DOWN = PbxUnreachable("down")


class LedgerAway(CallbotError):
    """The ledger does not take anything."""


class Book:
    """A memory of alerts; `away`: it takes nothing, `hanging`: not within half a minute."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.away = False
        self.hanging: Any = None
        self.asked = 0
        """How often something was to be written down."""

    async def save_alerts(self, alerts: Sequence[Alert]) -> None:
        self.asked += 1
        if self.away:
            raise LedgerAway
        if self.hanging is not None:
            await self.hanging(30.0)
        self.alerts |= {alert.id: alert for alert in alerts}

    async def alerts_of(self, keys: Collection[str]) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts.values() if alert.key in keys)

    async def alert(self, alert_id: str) -> Alert | None:
        return self.alerts.get(alert_id)

    async def open_alerts(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts.values() if alert.open)

    async def resolved_unshown(self) -> tuple[Alert, ...]:
        return ()


class Wall:
    """Cards and figures that keep what they are given."""

    def __init__(self) -> None:
        self.shown: dict[str, list[AlertCard | DigestCard]] = {}
        self.figures: list[tuple[Any, ...]] = []

    def show(self, card: AlertCard | DigestCard) -> None:
        self.shown.setdefault(card.id, []).append(card)

    def coming(self, slack_user: str, name: str) -> None:
        self.figures.append(("coming", slack_user, name))

    def looked(self, seconds: float, calls: int, unread: int, skipped: int) -> None:
        self.figures.append(("looked", calls, unread, skipped))

    def alert(self, rule: str, what: str) -> None:
        self.figures.append((rule, what))

    def date_unusable(self, when: str, why: str) -> None:
        self.figures.append((when, why))

    def alert_to_card(self, seconds: float) -> None:
        self.figures.append(("to card", seconds))

    def card_to_click(self, seconds: float) -> None:
        self.figures.append(("to click", seconds))


class Post:
    """A lookout and all around it, on the PBX with many calls."""

    def __init__(self, clock: Any, pbx: Any, noon: datetime, rules: AuthorizationMap) -> None:
        self.clock = clock
        self.pbx = pbx
        self.noon = noon
        self.rules = rules
        self.book = Book()
        self.wall = Wall()
        self.scopes: tuple[tuple[str, str], ...] = (("@me", "@self"),)
        self.alert_rules: tuple[Rule, ...] = ()
        self.legs = frozenset[str]()
        self.interventions: tuple[Intervention, ...] = ()
        self.looks = Looks(
            asked=pbx,
            own=pbx,
            scopes=lambda: self.scopes,
            every=lambda: 1.0,
            clock=clock,
            sleep=clock.sleep,
            random=lambda: 0.5,
        )
        self.begin()

    def begin(self) -> None:
        """A process that starts: nothing is remembered but what the ledger holds."""
        numbers = count(len(self.book.alerts))
        self.alarms = Alarms(
            ledger=self.book,
            cards=self.wall,
            rules=lambda: self.rules,
            without_legs=self.without_legs,
            interventions=lambda: self.interventions,
            now=self.now,
            sleep=self.clock.sleep,
            new_id=lambda: f"{next(numbers):032x}",
            measures=self.wall,
        )
        self.lookout = Lookout(
            looks=self.looks,
            alarms=self.alarms,
            alert_rules=lambda: self.alert_rules,
            rules=lambda: self.rules,
            without_legs=self.without_legs,
            now=self.now,
            clock=self.clock,
            sleep=self.clock.sleep,
            new_id=lambda: f"{next(numbers):032x}",
            measures=self.wall,
        )

    def without_legs(self, call: PhoneCall) -> PhoneCall:
        return without_legs(call, Known(self.legs), self.rules)

    async def stop(self) -> None:
        await self.lookout.stop()
        await self.alarms.stop()

    def now(self) -> datetime:
        return self.noon + timedelta(seconds=self.clock())

    @property
    def states(self) -> list[AlertState]:
        """What the cards that were shown say now, one after the other."""
        return [cards[-1].alert.state for cards in self.wall.shown.values() if isinstance(cards[-1], AlertCard)]

    @property
    def only(self) -> AlertCard:
        (cards,) = self.wall.shown.values()
        assert isinstance(cards[-1], AlertCard)
        return cards[-1]


@pytest.fixture
async def post(watch: Any, clock: Any, noon: datetime, rules: AuthorizationMap) -> AsyncIterator[Post]:
    """No call, one rule: ringing for longer than 20 s."""
    watch.pbx.calls.clear()
    watch.pbx.slow = 0.0
    post = Post(clock, watch.pbx, noon, rules)
    post.alert_rules = (Rule("Rings", When.RINGING, timedelta(seconds=20), "C0ALERTS"),)
    yield post
    await post.stop()
    await post.looks.stop()


@pytest.fixture
def ring(post: Post, a_call: MakeCall, a_view: Any) -> Callable[..., PhoneCall]:
    """Let a call ring, published now or so many seconds ago."""

    def ring(call_id: str = "c1", ago: float = 0.0) -> PhoneCall:
        call = a_call(a_view(status=3, answered=None), call_id=call_id)
        call = call.model_copy(update={"published": post.now() - timedelta(seconds=ago), "answered": None})
        post.pbx.calls[call_id] = call
        return call

    return ring
