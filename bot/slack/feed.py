"""The cards in Slack: one message each, posted once, then updated in place. The newest truth wins.

A card that changes while it waits for its turn is sent as it is then; what was true in between is a line of its steps.
A card is sent until it stands: with growing pauses, and for as long as callbot runs. How fast, and which card goes first,
is the business of `outgoing`; where a card stands that of `posted`.
"""

import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from enum import Enum, auto
from typing import Any

import structlog

from bot.errors import CallbotError
from bot.following import UNDECIDED
from bot.ports import Card, CardElsewhere, Request
from bot.slack.answers import interrupted
from bot.slack.cards import intervention_card
from bot.slack.failures import NotDone, RateLimited, SlackError, SlackRefusal
from bot.slack.messages import Message
from bot.slack.outgoing import Outgoing, Rank, Urgency
from bot.slack.posted import PEOPLE, Posted, PostedCards, Standing, digest
from bot.slack.telling import tell, unconfirmed
from bot.tasks import Tasks

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before a card is sent again: each pause twice as long as the one before."""
TRIES_UNTOLD = 2
"""Looks for a lost card that may fail before the person is told its news in another way."""
MOST_CARDS = 1000
"""Cards that wait to be shown."""

_log = structlog.get_logger("callbot.feed")


class _Next(Enum):
    """What comes after one step with a card."""

    SETTLED = auto()
    """Go on; what failed before no longer counts."""
    AT_ONCE = auto()
    """Go on; what failed before counts on."""
    LATER = auto()
    """The same again, after a pause that grows with each failure."""
    MUCH_LATER = auto()
    """The same again, after the longest pause: only a person can mend it."""


class Feed:
    """Posts and updates cards. `on_no_access` hears of a card that could not be posted where it was asked for.

    `on_nowhere` hears of one that stands nowhere, and whose news do not reach the person in the direct message either.
    `now` gives an aware instant, `jitter` a number from 0 to 1.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        cards: PostedCards,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        on_no_access: Callable[[Card], Coroutine[Any, Any, None]],
        on_nowhere: Callable[[Card], Coroutine[Any, Any, None]],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outgoing = outgoing
        self._posted = Posted(outgoing, cards, now=now, sleep=sleep)
        self._sleep = sleep
        self._on_no_access = on_no_access
        self._on_nowhere = on_nowhere
        self._jitter = jitter
        self._newest: dict[str, Card] = {}
        self._at_work: set[str] = set()
        self._standing: dict[str, Standing] = {}
        self._token_refused = False
        self._tasks = Tasks(apart=True)

    def __len__(self) -> int:
        """How many cards are not shown as they are now."""
        return len(self._newest)

    def show(self, card: Card) -> None:
        """Post the card, or bring the posted one up to date. Returns at once."""
        if card.id not in self._newest and len(self._newest) >= MOST_CARDS:
            _log.error("card_dropped", card=card.id, waiting=len(self._newest))
            return
        self._newest[card.id] = card
        if card.id not in self._at_work:
            self._at_work.add(card.id)
            self._tasks.spawn(self._keep_up(card.id), name=f"card {card.id}")

    def interrupted(self, request: Request) -> None:
        """Tell the person that a restart cut their request off."""
        self._tasks.spawn(self._tell_interrupted(request), name=f"interrupted {request.id}")

    async def drain(self, seconds: float) -> None:
        """Wait until every card shows the newest truth, at most so many seconds."""
        await self._tasks.drain(seconds)
        if self._newest:
            _log.error("cards_not_shown", number=len(self._newest))

    async def _tell_interrupted(self, request: Request) -> None:
        await tell(self._outgoing, self._sleep, request.slack_user, interrupted(request), Rank.ANSWER)

    # ── one card, until it shows the newest truth ──

    async def _keep_up(self, card_id: str) -> None:
        tries = 0
        try:
            while card_id in self._newest:
                following = await self._try(card_id, tries)
                if following is _Next.LATER:
                    await self._sleep(self._pause(tries))
                elif following is _Next.MUCH_LATER:
                    await self._sleep(LONGEST_PAUSE)
                tries = 0 if following is _Next.SETTLED else tries + 1
            self._forget(card_id)
        finally:
            self._at_work.discard(card_id)

    def _pause(self, tries: int) -> float:
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries, 10)) * (1 + self._jitter()) / 2

    async def _try(self, card_id: str, tries: int) -> _Next:
        """Go one step on: look for a post whose answer was lost, or else post or update the card."""
        card = self._newest[card_id]
        try:
            standing = self._standing.get(card_id)
            if standing is None:
                standing = self._standing[card_id] = await self._posted.standing(card)
            if standing.begun is not None:
                await self._find(card_id, standing, tries)
                return _Next.AT_ONCE
            await self._send(card_id, standing)
        except SlackError as error:
            return await self._after(self._newest[card_id], error)
        except CallbotError as error:
            _log.error("place_not_read", card=card_id, error=type(error).__name__)
            return _Next.LATER
        except Exception:  # noqa: BLE001 - a card that nobody brings up to date any more would lie
            _log.exception("card_failed", card=card_id)
            return _Next.LATER
        self._token_refused = False
        return _Next.SETTLED

    async def _send(self, card_id: str, standing: Standing) -> None:
        """Post or update the card, as it is when its turn comes. What is shown already is not sent."""
        if standing.posted_at is not None and standing.shown == digest(self._message(self._newest[card_id], standing)):
            del self._newest[card_id]
            return

        def content() -> Message:
            standing.sent, standing.shown = self._newest.pop(card_id), ""
            return self._message(standing.sent, standing)

        def urgency() -> Urgency:
            return _urgency(self._newest[card_id], standing)

        try:
            if standing.posted_at is None:
                await self._posted.post(card_id, standing, content, urgency)
            else:
                await self._outgoing.update(standing.posted_at, content, urgency)
        except BaseException:
            self._newest.setdefault(card_id, standing.sent)
            raise
        standing.shown = digest(self._message(standing.sent, standing))
        standing.shown_since = _newest_step(standing.sent)
        if standing.moved:
            standing.moved = False
            self._tasks.spawn(self._on_no_access(standing.sent), name=f"no access {card_id}")
        await self._posted.note_shown(card_id, standing)

    async def _find(self, card_id: str, standing: Standing, tries: int) -> None:
        """Look for a post whose answer was lost. Where that fails, the person is told the news in a line of text."""
        try:
            await self._posted.find(card_id, standing)
        except SlackError as error:
            _log.warning("card_unconfirmed", card=card_id, reason=error.reason)
            for_good = isinstance(error, SlackRefusal) and not error.no_token
            standing.sent = card = self._newest[card_id]
            told = (for_good or tries >= TRIES_UNTOLD) and await self._tell_instead(card, standing)
            if not (for_good and told):
                raise NotDone(error.reason) from None
            if self._newest[card_id] is card:
                del self._newest[card_id]

    async def _tell_instead(self, card: Card, standing: Standing) -> bool:
        """What is new, as text in a direct message: no second card beside one that may stand. Whether it was told."""
        message = self._message(card, standing)
        person = card.interventions[-1].slack_user
        if message.text == standing.told:
            return True
        if await tell(self._outgoing, self._sleep, person, unconfirmed(message), Rank.INTERVENTION):
            standing.told = message.text
            return True
        if standing.posted_at is None and not standing.nowhere:
            standing.nowhere = True
            self._tasks.spawn(self._on_nowhere(card), name=f"nowhere {card.id}")
        return False

    # ── what went wrong ──

    async def _after(self, card: Card, error: SlackError) -> _Next:
        """What an error means for this card. After a 429 its turn comes no sooner than Slack said."""
        if isinstance(error, SlackRefusal):
            return await self._after_refusal(card, self._standing[card.id], error)
        if isinstance(error, RateLimited):
            return _Next.AT_ONCE
        _log.warning("slack_unreachable", card=card.id, reason=error.reason)
        return _Next.LATER

    async def _after_refusal(self, card: Card, standing: Standing, error: SlackRefusal) -> _Next:
        if error.no_token:
            if not self._token_refused:
                _log.error("token_refused", reason=error.reason)
            self._token_refused = True
            return _Next.MUCH_LATER
        not_here = error.no_access or (standing.posted_at is None and not error.bad_message)
        if not_here and not standing.private:
            _log.warning("card_moved", card=card.id, reason=error.reason)
            standing.place, standing.posted_at, standing.moved = card.interventions[-1].slack_user, None, True
            return _Next.SETTLED
        if error.gone and not standing.renewed:
            standing.renewed, standing.posted_at = True, None
            return _Next.SETTLED
        _log.error("card_refused", card=card.id, reason=error.reason)
        await self._tell_instead(card, standing)
        if self._newest.get(card.id) is standing.sent:
            del self._newest[card.id]
        return _Next.SETTLED

    # ── how it is shown ──

    def _message(self, card: Card, standing: Standing) -> Message:
        """The card; in the direct message, where the channel was closed to us, it says so."""
        if standing.private and not card.place.startswith(PEOPLE):
            moved = {"place": standing.place, "elsewhere": CardElsewhere.NO_ACCESS}
            return intervention_card(card.model_copy(update=moved))
        return intervention_card(card)

    def _forget(self, card_id: str) -> None:
        """Leave a card that changes no more to the ledger. One that may change again is remembered."""
        standing = self._standing.get(card_id)
        if standing is not None and not any(one.following for one in standing.sent.interventions):
            del self._standing[card_id]


def _newest_step(card: Card) -> float:
    return max(step.at.timestamp() for one in card.interventions for step in one.steps)


def _urgency(card: Card, standing: Standing) -> Urgency:
    """What is undecided, or has a state that is not shown yet, goes first; of these the newest state."""
    since = _newest_step(card)
    undecided = any(one.following and one.state in UNDECIDED for one in card.interventions)
    return Urgency(Rank.INTERVENTION, undecided or since > standing.shown_since, since)
