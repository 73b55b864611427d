"""Posts each card once, as one message in Slack, and updates that message whenever the card changes.

A card that changes while it waits in the outbox is sent in its newest version. A failed card is sent again, with growing
pauses, for as long as callbot runs. `outbox` decides which card goes first; `card_posts` knows which message shows it.

Channels may refuse alerts; an /invite usually fixes it. An alert has no addressee, so it does not go to a direct message
instead: its card waits. A waiting card that changes is tried at once. Besides, one waiting card is tried every minute, so a
closed channel costs one request a minute for any number of cards.
"""

import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from itertools import count, islice
from typing import Any

import structlog

from bot.domain.commands import Request
from bot.domain.errors import CallbotError
from bot.interventions.card import InterventionCard
from bot.slack.answer_messages import (
    help_coming_message,
    help_not_seen_message,
    interrupted_message,
    never_sent_message,
)
from bot.slack.card_kinds import (
    AnyCard,
    may_change,
    newest_step,
    person_to_tell,
    rank_of,
    urgency,
    who_asked,
)
from bot.slack.card_posts import CardLedger, CardPosts, Placement
from bot.slack.messages import Message
from bot.slack.outbox import Outbox, Rank, Urgency
from bot.slack.private_answers import card_unconfirmed, send_direct_message
from bot.slack.web_client import NotDone, RateLimited, SlackError, SlackRefusal
from bot.tasks import Tasks, back_off

CARD_FIRST_PAUSE, CARD_LONGEST_PAUSE = 0.5, 60.0
"""Seconds before a card is sent again: each pause twice as long as the one before."""
SEARCHES_BEFORE_TEXT = 2
"""Failed searches for a lost card before the person gets its news as text."""
MOST_CARDS = 1000
"""Cards of interventions that wait to be shown, and as many of alerts."""
MOST_PLACEMENTS = 1000
"""Placements of shown cards that are kept in memory, the latest ones. Other placements are read from the ledger when needed."""
BETWEEN_TRIES = 60.0
"""Seconds between two tries in a channel that refuses alerts."""

_log = structlog.get_logger("callbot.slack")


class _Next(Enum):
    """What to do after one attempt with a card."""

    GO_ON = auto()
    """Count no failures any more, and go on at once if there is something to send: a newer version, or another place."""
    AGAIN = auto()
    """Count a failure, and go on at once."""
    LATER = auto()
    """Try again, after a pause that grows with each failure."""
    MUCH_LATER = auto()
    """Try again after the longest pause: only a person can fix it."""
    WAIT_FOR_CHANNEL = auto()
    """Wait until the card changes or its channel accepts cards again."""


class CardPublisher:
    """Posts and updates cards.

    `on_no_access` is called with a card that went to the direct message because its channel refused it, `on_nowhere` with
    one that the direct message refused, too, and `on_posted` with each card when its message exists. `now` and `slack_now`:
    aware times of callbot's clock and of Slack's. `jitter`: a number from 0 to 1. `at_wall`: a card with wall-clock times.
    """

    def __init__(
        self,
        outbox: Outbox,
        card_ledger: CardLedger,
        *,
        now: Callable[[], datetime],
        slack_now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        on_no_access: Callable[[InterventionCard], Coroutine[Any, Any, None]],
        on_nowhere: Callable[[InterventionCard], Coroutine[Any, Any, None]],
        on_posted: Callable[[AnyCard], None],
        jitter: Callable[[], float] = random.random,
        at_wall: Callable[[AnyCard], AnyCard] = lambda card: card,
    ) -> None:
        self._outbox = outbox
        self._posts = CardPosts(outbox, card_ledger, now=now, slack_now=slack_now, sleep=sleep, at_wall=at_wall)
        self._sleep = sleep
        self._on_no_access = on_no_access
        self._on_nowhere = on_nowhere
        self._on_posted = on_posted
        self._jitter = jitter
        self._newest: dict[str, AnyCard] = {}
        """The newest version of each card that Slack does not show yet, by the card's id."""
        self._at_work: set[str] = set()
        """The ids of the cards with a running `_keep_up`."""
        self._placements: dict[str, Placement] = {}
        """By the card's id."""
        self._token_refused = False
        self._tasks = Tasks(apart=True)
        self._closed = ClosedChannels(sleep, self._again, self._tasks)

    def __len__(self) -> int:
        """How many cards are not up to date in Slack."""
        return len(self._newest)

    def show(self, card: AnyCard) -> None:
        """Post the card, or update its message. Returns at once."""
        if card.id not in self._newest:
            waiting = sum(rank_of(each) is rank_of(card) for each in self._newest.values())
            if waiting >= MOST_CARDS:
                _log.error("card_dropped", card=card.id, waiting=len(self._newest))
                return
        self._newest[card.id] = card
        self._again(card.id)

    def interrupted(self, request: Request) -> None:
        """Inform the person that a restart interrupted their request."""
        self._tasks.spawn(
            self._tell(request.slack_user, interrupted_message(request)), name=f"interrupted {request.id}"
        )

    def never_sent(self, card_id: str) -> None:
        """Change the card, if it has a message, to say that the waiting request was not sent."""
        self._tasks.spawn(self._say_never_sent(card_id), name=f"never sent {card_id}")

    def help_coming(self, slack_user: str, name: str) -> None:
        """Tell an agent who asked for help who is coming."""
        self._tasks.spawn(self._tell(slack_user, help_coming_message(name)), name=f"help for {slack_user}")

    async def drain(self, seconds: float) -> None:
        """Wait until every card is up to date in Slack, at most so many seconds."""
        await self._tasks.drain(seconds)
        if self._newest:
            _log.error("cards_not_shown", number=len(self._newest))

    async def _tell(self, slack_user: str, message: Message) -> None:
        await send_direct_message(self._outbox, self._sleep, slack_user, message, Rank.ANSWER)

    async def _say_never_sent(self, card_id: str) -> None:
        """Try until Slack takes it, or refuses it for good."""
        for tries in count():
            try:
                await self._posts.replace(card_id, never_sent_message, Rank.INTERVENTION)
            except CallbotError as error:
                _log.error("card_not_ended", card=card_id, error=type(error).__name__)
                if isinstance(error, SlackRefusal) and not error.no_token:
                    return
                await self._sleep(back_off(tries + 1, CARD_FIRST_PAUSE, CARD_LONGEST_PAUSE, self._jitter()))
            else:
                return

    # ── one card, until it is up to date ──

    def _again(self, card_id: str) -> bool:
        """Go on with a card; returns whether there is anything to do."""
        if card_id not in self._newest:
            return False
        if card_id not in self._at_work:
            self._at_work.add(card_id)
            self._tasks.spawn(self._keep_up(card_id), name=f"card {card_id}")
        return True

    async def _keep_up(self, card_id: str) -> None:
        tries = 0
        try:
            while card_id in self._newest:
                what_next = await self._try(card_id, tries)
                if what_next is _Next.WAIT_FOR_CHANNEL:
                    return
                if what_next is _Next.LATER:
                    await self._sleep(back_off(tries + 1, CARD_FIRST_PAUSE, CARD_LONGEST_PAUSE, self._jitter()))
                elif what_next is _Next.MUCH_LATER:
                    await self._sleep(CARD_LONGEST_PAUSE)
                tries = 0 if what_next is _Next.GO_ON else tries + 1
            self._remember(card_id)
        finally:
            self._at_work.discard(card_id)

    def _remember(self, card_id: str) -> None:
        """Keep the placement of a card that may still change; the ledger has it for all others."""
        placement = self._placements.pop(card_id, None)
        if placement is None or not may_change(placement.sent):
            return
        self._placements[card_id] = placement
        idle = (each for each in self._placements if each not in self._newest and each not in self._at_work)
        for oldest in tuple(islice(idle, max(0, len(self._placements) - MOST_PLACEMENTS))):
            del self._placements[oldest]

    async def _try(self, card_id: str, tries: int) -> _Next:
        """Search for a post whose answer was lost, or else post or update the card; returns what to do next. Raises nothing."""
        try:
            placement = self._placements.get(card_id)
            if placement is None:
                placement = self._placements[card_id] = await self._posts.load(self._newest[card_id])
            if placement.begun is not None:
                await self._find(card_id, placement, tries)
                return _Next.AGAIN
            await self._send(card_id, placement)
        except SlackRefusal as error:
            return await self._after_refusal(self._newest[card_id], self._placements[card_id], error)
        except RateLimited:
            return _Next.AGAIN  # the outbox waits for as long as Slack said
        except SlackError as error:
            _log.warning("slack_unreachable", card=card_id, reason=error.reason)
        except CallbotError as error:
            _log.error("place_not_read", card=card_id, error=type(error).__name__)
        except Exception:  # noqa: BLE001 - a card must not stop being updated
            _log.exception("card_failed", card=card_id)
        else:
            self._token_refused = False
            return _Next.GO_ON
        return _Next.LATER

    async def _send(self, card_id: str, placement: Placement) -> None:
        """Post or update the card. Skip what the message shows already.

        The outbox asks for the content when the turn of the card comes, so the version that is the newest then is sent.
        """
        if placement.address is not None and placement.shown == placement.draw(self._newest[card_id]).fingerprint:
            del self._newest[card_id]
            return

        def content() -> Message:
            placement.sent, placement.shown = self._newest.pop(card_id), ""
            return placement.draw(placement.sent).message

        def how_urgent() -> Urgency:
            return urgency(self._newest[card_id], placement.shown_since)

        try:
            if placement.address is None:
                await self._posts.post(card_id, placement, content, how_urgent)
            else:
                await self._posts.update(self._newest[card_id], placement, placement.address, content, how_urgent)
        except BaseException:
            if not placement.shown:  # else Slack took it, and the note of that in the ledger was cut off
                # `content` may have taken it out: it is to be sent again, if there is no newer version
                self._newest.setdefault(card_id, placement.sent)
            raise
        placement.shown_since, placement.drawn = newest_step(placement.sent).timestamp(), None
        self._accepted(placement)
        if placement.moved and isinstance(placement.sent, InterventionCard):
            placement.moved = False
            self._tasks.spawn(self._on_no_access(placement.sent), name=f"no access {card_id}")

    def _accepted(self, placement: Placement) -> None:
        """The card has a message, so its channel accepts cards."""
        if placement.address is None:
            return
        if not placement.had_message:
            placement.had_message = True
            self._on_posted(placement.sent)
        self._closed.accepted(placement.where)

    async def _find(self, card_id: str, placement: Placement, tries: int) -> None:
        """Search for a post whose answer was lost. Where that fails, the person gets the news as a line of text."""
        where = placement.where
        try:
            await self._posts.find(card_id, placement)
        except SlackError as error:
            _log.warning("card_unconfirmed", card=card_id, reason=error.reason)
            for_good = isinstance(error, SlackRefusal) and not error.no_token
            placement.sent = card = self._newest[card_id]
            if for_good and person_to_tell(card) is None:
                raise
            told = (for_good or tries >= SEARCHES_BEFORE_TEXT) and await self._send_as_text(card, placement)
            if not (for_good and told):
                raise NotDone(error.reason) from None  # tried again later
            self._drop(card_id, placement)
            return
        self._closed.accepted(where)
        self._accepted(placement)

    async def _send_as_text(self, card: AnyCard, placement: Placement) -> bool:
        """Send the news as a line of text in a direct message, because a card could appear twice. Returns whether it was sent."""
        message, person = placement.draw(card).message, person_to_tell(card)
        if person is None:
            return False
        if message.text == placement.sent_as_text:
            return True
        if await send_direct_message(self._outbox, self._sleep, person, card_unconfirmed(message), Rank.INTERVENTION):
            placement.sent_as_text = message.text
            return True
        if placement.address is None and not placement.nowhere and isinstance(card, InterventionCard):
            placement.nowhere = True
            self._tasks.spawn(self._on_nowhere(card), name=f"nowhere {card.id}")
        return False

    # ── what went wrong ──

    async def _after_refusal(self, card: AnyCard, placement: Placement, error: SlackRefusal) -> _Next:
        """What to do with a refused card: wait for a new token, else try the direct message, a new message, text, in this order.

        An alert has no person to tell, so it waits for its channel.
        """
        if error.no_token:
            if not self._token_refused:
                _log.error("token_refused", reason=error.reason)
            self._token_refused = True
            return _Next.MUCH_LATER
        person = person_to_tell(card)
        not_here = error.no_access or (placement.address is None and not error.bad_message)
        if not_here and person is not None and not placement.private:
            _log.warning("card_moved", card=card.id, reason=error.reason)
            placement.place, placement.address, placement.moved = person, None, True
            return _Next.GO_ON
        if error.gone and not placement.renewed:
            placement.renewed, placement.address = True, None
            return _Next.GO_ON
        if person is None:
            return self._after_refused_alert(card, placement, error)
        _log.error("card_refused", card=card.id, reason=error.reason)
        await self._send_as_text(card, placement)
        self._drop(card.id, placement)
        return _Next.GO_ON

    def _after_refused_alert(self, card: AnyCard, placement: Placement, error: SlackRefusal) -> _Next:
        """It waits until its channel accepts it, unless its content is at fault, or it is over and never had a message."""
        closed = error.no_access or placement.address is None
        unseen = placement.address is None and placement.begun is None
        waits = closed and (may_change(card) or not unseen) and not error.bad_message
        if (agent := who_asked(card)) and waits and unseen and not placement.nowhere:
            placement.nowhere = True
            self._tasks.spawn(self._tell(agent, help_not_seen_message()), name=f"no help for {agent}")
        self._closed.refused(placement.where, error.reason, card.id if waits else "")
        if not waits:
            self._drop(card.id, placement)
        return _Next.WAIT_FOR_CHANNEL if waits else _Next.GO_ON

    def _drop(self, card_id: str, placement: Placement) -> None:
        """Give this version up; a newer one is still sent."""
        if self._newest.get(card_id) is placement.sent:
            del self._newest[card_id]


@dataclass
class _Closed:
    """A closed channel: the reasons logged so far, and the waiting cards, the longest wait first."""

    reasons: set[str] = field(default_factory=set)
    waiting: dict[str, None] = field(default_factory=dict)
    timed: bool = False


class ClosedChannels:
    """The channels that refuse alerts. `again` tries a card once more, and returns whether there was anything to try."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], again: Callable[[str], bool], tasks: Tasks) -> None:
        self._sleep = sleep
        self._again = again
        self._tasks = tasks
        self._closed: dict[str, _Closed] = {}

    def refused(self, where: str, reason: str, card: str = "") -> None:
        """A card was refused; `card`, if given, waits. Each reason is logged once until the channel accepts a card."""
        closed = self._closed.setdefault(where, _Closed())
        if reason not in closed.reasons:
            closed.reasons.add(reason)
            _log.error("alerts_refused", where=where, reason=reason)
        if card:
            closed.waiting.pop(card, None)
            closed.waiting[card] = None
        if closed.waiting and not closed.timed:
            closed.timed = True
            self._tasks.spawn(self._try_one(where, closed), name=f"closed {where}")

    def accepted(self, where: str) -> None:
        """The channel accepted a card: try all that wait for it."""
        closed = self._closed.pop(where, None)
        for card in () if closed is None else tuple(closed.waiting):
            self._again(card)

    async def _try_one(self, where: str, closed: _Closed) -> None:
        await self._sleep(BETWEEN_TRIES)
        if self._closed.get(where) is not closed:
            return
        closed.timed = False
        while closed.waiting:
            card = next(iter(closed.waiting))
            del closed.waiting[card]
            if self._again(card):
                return
