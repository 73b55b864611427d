"""While the live calls cannot be read, each channel that alerts go to says so, on one card, until they can be read again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.alerts.alert import AlertRule, When
from bot.alerts.blindness import Blindness
from bot.alerts.card import BlindCard
from bot.domain.clock import Clock
from bot.domain.errors import AccessDenied
from bot.domain.permissions import Scope
from tests.fixtures.monitored import DOWN, LedgerAway, Monitored

ALERTS, HELP = "C0ALERTS", "C0HELP"
TWO = (Scope("@me"), Scope("12"))


class Channels:
    """The cards in the channels, and a ledger of them in memory."""

    def __init__(self, monitored: Monitored) -> None:
        self.monitored = monitored
        self.shown: list[BlindCard] = []
        self.written: dict[str, BlindCard] = {}
        self.away = False
        monitored.config.help_in = HELP
        self.begin()

    def begin(self) -> None:
        """A process starts."""
        self.blindness = Blindness(
            scope_health=self.monitored.poller.scope_health,
            monitor=self.monitored.monitor,
            config=self.monitored.config,
            ledger=self,
            cards=self,
            clock=Clock(self.monitored.now, self.monitored.clock),
            sleep=self.monitored.clock.sleep,
        )

    async def watch(self) -> None:
        """Start everything."""
        await self.blindness.start()
        self.blindness.watch()
        self.monitored.monitor.start()

    async def restart(self) -> None:
        """Stop the process and start another."""
        await self.blindness.stop()
        await self.monitored.stop()
        self.monitored.poller.scope_health.end()
        self.monitored.begin()
        self.begin()
        await self.watch()

    def show(self, card: BlindCard) -> None:
        self.shown.append(card)

    async def save_blind(self, card: BlindCard, *, done: bool = False) -> None:
        if self.away:
            raise LedgerAway
        self.written[card.id] = card
        if done:
            del self.written[card.id]

    async def blind(self) -> tuple[BlindCard, ...]:
        return tuple(self.written.values())

    @property
    def now(self) -> dict[str, list[BlindCard]]:
        """Each card as it was shown last, by its channel."""
        newest = {card.id: card for card in self.shown}
        return {place: [card for card in newest.values() if card.place == place] for place in (ALERTS, HELP)}


@pytest.fixture
async def channels(monitored: Monitored) -> AsyncIterator[Channels]:
    channels = Channels(monitored)
    yield channels
    await channels.blindness.stop()


async def blind(channels: Channels, clock: Any) -> None:
    """Start everything; after two seconds the PBX is away for long enough that the channels are told."""
    await channels.watch()
    await clock.let_pass(2.5)
    channels.monitored.pbx.failing = {"@me": DOWN, "12": DOWN}
    await clock.let_pass(33)


async def test_after_30_s_without_a_list_each_channel_has_one_card(channels: Channels, clock: Any) -> None:
    await channels.watch()
    await clock.let_pass(2.5)
    channels.monitored.pbx.failing = {"@me": DOWN}
    await clock.let_pass(29)
    assert channels.shown == []
    await clock.let_pass(60)
    assert [(card.place, card.whole, card.ended) for card in channels.shown] == [
        (ALERTS, True, None),
        (HELP, True, None),
    ]


async def test_a_channel_is_blind_since_the_last_list_that_was_read(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    (card,) = channels.now[ALERTS]
    assert timedelta(seconds=1) <= card.since - channels.monitored.noon <= timedelta(seconds=2.5)


async def test_a_pbx_that_is_away_from_the_start_is_said(channels: Channels, clock: Any) -> None:
    channels.monitored.pbx.failing = {"@me": DOWN}
    await channels.watch()
    await clock.let_pass(33)
    assert [card.since for card in channels.now[ALERTS]] == [channels.monitored.noon]


async def test_the_cards_end_when_lists_can_be_read_again(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    channels.monitored.pbx.failing = {}
    await clock.let_pass(13)
    assert [[card.ended is None for card in cards] for cards in channels.now.values()] == [[False], [False]]


async def test_it_is_no_alert(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    assert (channels.monitored.manager.open, channels.monitored.slack.shown) == ((), {})
    assert {figure[0] for figure in channels.monitored.slack.figures} == {"scanned"}


async def test_a_restart_says_nothing_twice_and_nothing_that_it_has_not_seen(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    before = channels.now
    await channels.restart()
    await clock.let_pass(100)
    assert channels.now == before


async def test_a_restart_brings_the_cards_to_their_end(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    channels.monitored.pbx.failing = {}
    await channels.restart()
    await clock.let_pass(5)
    assert [[card.ended is None for card in cards] for cards in channels.now.values()] == [[False], [False]]


async def test_an_end_that_may_not_be_shown_is_shown_after_a_restart(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    channels.monitored.pbx.failing = {}
    await clock.let_pass(13)
    channels.shown.clear()
    await channels.restart()
    assert [card.ended is None for card in channels.shown] == [False, False]


async def test_what_has_ended_is_forgotten_after_two_minutes(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    channels.monitored.pbx.failing = {}
    await clock.let_pass(140)
    assert channels.written == {}


@pytest.mark.parametrize(("seconds", "cards"), [(40, 1), (150, 2)])
async def test_what_goes_blind_again_soon_goes_on_with_its_card(
    channels: Channels, clock: Any, seconds: float, cards: int
) -> None:
    await blind(channels, clock)
    channels.monitored.pbx.failing = {}
    await clock.let_pass(seconds)
    channels.monitored.pbx.failing = {"@me": DOWN}
    await clock.let_pass(33)
    assert (len(channels.now[ALERTS]), channels.now[ALERTS][-1].ended) == (cards, None)


async def test_where_some_scopes_cannot_be_read_the_channel_is_blind_in_part(channels: Channels, clock: Any) -> None:
    channels.monitored.scopes = TWO
    await channels.watch()
    await clock.let_pass(2.5)
    channels.monitored.pbx.failing = {"12": DOWN}
    await clock.let_pass(33)
    assert [card.whole for card in channels.now[ALERTS]] == [False]


async def test_a_channel_that_was_blind_in_part_is_blind_since_nothing_can_be_read(
    channels: Channels, clock: Any
) -> None:
    channels.monitored.scopes = TWO
    await channels.watch()
    await clock.let_pass(2.5)
    channels.monitored.pbx.failing = {"12": DOWN}
    await clock.let_pass(60)
    channels.monitored.pbx.failing = {"@me": DOWN, "12": DOWN}
    await clock.let_pass(50)
    (card,) = channels.now[ALERTS]
    assert card.whole
    assert card.since - channels.monitored.noon > timedelta(seconds=55)


async def test_a_scope_that_the_pbx_has_always_refused_hides_nothing(channels: Channels, clock: Any) -> None:
    channels.monitored.scopes = TWO
    channels.monitored.pbx.failing = {"12": AccessDenied("access_denied")}
    await channels.watch()
    await clock.let_pass(60)
    assert channels.shown == []


async def test_many_scopes_that_take_longer_than_30_s_are_not_blind(channels: Channels, clock: Any) -> None:
    channels.monitored.scopes = tuple(Scope(str(number)) for number in range(32))
    channels.monitored.pbx.slow = 6.0
    await channels.watch()
    await clock.let_pass(200)
    assert channels.shown == []


async def test_nothing_is_shown_that_is_not_saved(channels: Channels, clock: Any) -> None:
    channels.away = True
    await blind(channels, clock)
    assert channels.shown == []
    channels.away = False
    await clock.let_pass(2)
    assert len(channels.shown) == 2


async def test_where_nothing_is_scanned_nobody_is_blind(channels: Channels, clock: Any) -> None:
    channels.monitored.config.rules = ()
    await blind(channels, clock)
    assert channels.shown == []


async def test_rules_that_are_taken_out_end_the_cards(channels: Channels, clock: Any) -> None:
    await blind(channels, clock)
    channels.monitored.config.rules = ()
    await clock.let_pass(13)
    assert [card.ended is None for card in channels.now[ALERTS]] == [False]
    channels.monitored.config.rules = (AlertRule("Rings", When.RINGING, timedelta(seconds=20), ALERTS),)
    await clock.let_pass(20)
    assert [card.ended is None for card in channels.now[ALERTS]] == [False]
