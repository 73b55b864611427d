"""The cards in Slack: one message each, posted once, then updated in place. The newest truth wins.

A card that changes while it waits for its turn is sent as it is then; what was true in between is a line of its steps.
A card is sent until it stands: with growing pauses, and for as long as callbot runs. How fast, and which card goes first,
is the business of `outgoing`; where a card stands that of `posted`.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.errors import CallbotError
from bot.following import UNDECIDED
from bot.ports import Card, CardElsewhere, Request
from bot.slack.answers import interrupted
from bot.slack.cards import intervention_card
from bot.slack.failures import NotDone, RateLimited, SlackError, SlackRefusal
from bot.slack.messages import Message
from bot.slack.outgoing import Outgoing, Rank, Urgency
from bot.slack.posted import PEOPLE, Places, Posted, Standing
from bot.slack.telling import tell, unconfirmed
from bot.tasks import Tasks

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before a card is sent again: each pause twice as long as the one before."""
TRIES_UNTOLD = 2
"""Looks for a lost card that may fail before the person is told its news in another way."""
MOST_CARDS = 1000
"""Cards that wait to be shown."""

_log = structlog.get_logger("callbot.feed")


class Feed:
    """Posts and updates cards. `on_no_access` hears of a card that could not be posted where it was asked for.

    `now` gives an aware instant, `jitter` a number from 0 to 1.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        places: Places,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        on_no_access: Callable[[Card], Awaitable[None]],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outgoing = outgoing
        self._posted = Posted(outgoing, places, now=now, sleep=sleep)
        self._sleep = sleep
        self._on_no_access = on_no_access
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
                pause = await self._try(card_id, tries)
                tries = 0 if pause is None else tries + 1
                if pause:
                    await self._sleep(pause)
            self._forget(card_id)
        finally:
            self._at_work.discard(card_id)

    async def _try(self, card_id: str, tries: int) -> float | None:
        """Go one step on: None, or after a failure the seconds to wait."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries, 10)) * (1 + self._jitter()) / 2
        card = self._newest[card_id]
        try:
            standing = self._standing.get(card_id)
            if standing is None:
                standing = self._standing[card_id] = await self._posted.standing(card)
            if standing.begun is not None:
                await self._find(card_id, standing, tries)
                return 0.0
            await self._send(card_id, standing)
        except SlackError as error:
            return await self._after(self._newest[card_id], error, pause)
        except CallbotError as error:
            _log.error("place_not_read", card=card_id, error=type(error).__name__)
            return pause
        self._token_refused = False
        return None

    async def _send(self, card_id: str, standing: Standing) -> None:
        """Post or update the card, as it is when its turn comes. What is shown already is not sent."""
        if standing.place is not None and standing.shown == self._message(self._newest[card_id], standing):
            del self._newest[card_id]
            return

        def content() -> Message:
            standing.sent = card = self._newest.pop(card_id)
            return self._message(card, standing)

        def urgency() -> Urgency:
            return _urgency(self._newest[card_id], standing)

        try:
            if standing.place is None:
                await self._posted.post(card_id, standing, content, urgency)
            else:
                await self._outgoing.update(standing.place, content, urgency)
        except BaseException:
            self._newest.setdefault(card_id, standing.sent)
            raise
        standing.shown = self._message(standing.sent, standing)
        standing.shown_since = _newest_step(standing.sent)

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
        """What is new, as text in a direct message: no second card beside one that may stand."""
        message = self._message(card, standing)
        person = card.interventions[-1].slack_user
        if message.text != standing.told:
            if not await tell(self._outgoing, self._sleep, person, unconfirmed(message), Rank.INTERVENTION):
                return False
            standing.told = message.text
        return True

    # ── what went wrong ──

    async def _after(self, card: Card, error: SlackError, pause: float) -> float | None:
        """What an error means for this card: None, or the seconds after which it is sent again."""
        if isinstance(error, SlackRefusal):
            return await self._after_refusal(card, self._standing[card.id], error)
        if isinstance(error, RateLimited):
            return 0.0
        _log.warning("slack_unreachable", card=card.id, reason=error.reason)
        return pause

    async def _after_refusal(self, card: Card, standing: Standing, error: SlackRefusal) -> float | None:
        if error.no_token:
            if not self._token_refused:
                _log.error("token_refused", reason=error.reason)
            self._token_refused = True
            return LONGEST_PAUSE
        if error.no_access and not _is_private(standing):
            standing.target, standing.place = card.interventions[-1].slack_user, None
            self._tasks.spawn(self._tell_no_access(card), name=f"no access {card.id}")
            return None
        if error.gone and not standing.renewed:
            standing.renewed, standing.place = True, None
            return None
        _log.error("card_refused", card=card.id, reason=error.reason)
        if error.gone:
            await self._tell_instead(card, standing)
        if self._newest.get(card.id) is standing.sent:
            del self._newest[card.id]
        return None

    async def _tell_no_access(self, card: Card) -> None:
        await self._on_no_access(card)

    # ── how it is shown ──

    def _message(self, card: Card, standing: Standing) -> Message:
        """The card; in the direct message, where the channel was closed to us, it says so."""
        if _is_private(standing) and not card.place.startswith(PEOPLE):
            moved = {"place": standing.target, "elsewhere": CardElsewhere.NO_ACCESS}
            return intervention_card(card.model_copy(update=moved))
        return intervention_card(card)

    def _forget(self, card_id: str) -> None:
        """Leave a card that changes no more to the ledger. One that may change again is remembered."""
        standing = self._standing.get(card_id)
        if standing is not None and not any(one.following for one in standing.sent.interventions):
            del self._standing[card_id]


def _is_private(standing: Standing) -> bool:
    return standing.target.startswith((*PEOPLE, "D"))


def _newest_step(card: Card) -> float:
    return max(step.at.timestamp() for one in card.interventions for step in one.steps)


def _urgency(card: Card, standing: Standing) -> Urgency:
    """What is undecided, or has a state that is not shown yet, goes first; of these the newest state."""
    since = _newest_step(card)
    undecided = any(one.following and one.state in UNDECIDED for one in card.interventions)
    return Urgency(Rank.INTERVENTION, undecided or since > standing.shown_since, since)
