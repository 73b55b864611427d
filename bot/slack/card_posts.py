"""Where each card stands in Slack, also where nobody was told: after a lost answer, and after a crash.

Slack knows no key that would make a repeated post harmless. So each card carries its id in the metadata, the ledger
knows which posts have begun, and a post whose answer is not known is looked for before there is another one.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

import structlog

from bot.domain.errors import CallbotError
from bot.interventions.ports import Card, CardElsewhere, PostedCard
from bot.slack.card_kinds import AnyCard, message_of, rank_of, shown_until
from bot.slack.failures import AnswerUnknown, NotDone, SlackRefusal, TimedOut
from bot.slack.messages import Message
from bot.slack.outbox import CARD_EVENT, MessageAddress, Outbox, Rank, Urgency

NOTED = 1.0
"""Seconds that the ledger has to write down what a card shows."""
LOOKS = (0.0, 1.5)
"""Seconds before each look for a card: what Slack still works on is not to be seen at once."""
AT_WORK = timedelta(seconds=60)
"""For so long after a post that timed out, Slack may still be at work on it."""
AROUND = timedelta(minutes=5)
"""A lost post is looked for within this, before and after it was begun: it may have waited for its turn, or be late."""
MESSAGES_PER_PAGE, MOST_PAGES = 100, 20
"""Messages of one page of the history, and pages that are read: the ten minutes around a post in a lively channel."""
NOT_IN = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's reasons by which both a post and a look are refused to those who are not in the channel."""
PEOPLE = ("U", "W")
"""How the ids of people begin: a post to one goes to the direct message."""

_log = structlog.get_logger("callbot.feed")


class CardLedger(Protocol):
    """Where each card was posted: kept across restarts, so that the same card goes on."""

    async def posted(self, card: str) -> PostedCard:
        """What is remembered of a card."""

    async def begin_post(self, card: str, place: str, at: datetime) -> None:
        """Remember that the card is being posted to a channel or a user, since then by Slack's clock."""

    async def save_posted(self, card: str, channel: str, ts: str, *, shown: str, until: datetime | None) -> None:
        """Remember where a card was posted, and what it shows: empty where that is not known."""

    async def save_shown(self, card: str, digest: str, until: datetime | None) -> None:
        """Remember what the posted card shows; the newest state in it began at `until`, None: it is out of date."""


class Drawn(NamedTuple):
    """A version of a card as the message that shows it in a place."""

    card: AnyCard
    place: str
    message: Message
    digest: str
    """Equal for messages that look the same; it tells nothing of what they say."""


@dataclass
class Placement:
    """One card in Slack, as far as we know."""

    sent: AnyCard
    """The version that was sent last, however that ended."""
    place: str
    """Where it is to be seen: a channel, or a user for the direct message. Not always the one that `sent` asks for."""
    posted_at: MessageAddress | None = None
    begun: datetime | None = None
    """Since when, by Slack's clock, a post may stand of which we do not know where."""
    timed_out: bool = False
    """Slack did not answer that post in time, so it may still come to stand."""
    shown: str = ""
    """The digest of what it shows; empty where that is not known."""
    shown_since: float = 0.0
    """When the newest state that it shows began, in seconds since 1970."""
    stood: bool = False
    """It stands, or stood once."""
    renewed: bool = False
    """It was posted anew, because the one before could not be brought up to date."""
    told: str = ""
    """What was said last in a direct message, because the card is not confirmed."""
    moved: bool = False
    """It could not be where it was asked for, and the person was not told yet that it is in the direct message."""
    nowhere: bool = False
    """The person was told that there is no card, and no direct message either."""
    drawn: Drawn | None = None
    """The version that was drawn last: drawing takes longer than all else that is done for a card."""
    at_wall: Callable[[AnyCard], AnyCard] = lambda card: card
    """Gives a card with its times as the wall clock has them."""

    @property
    def private(self) -> bool:
        """It is in the direct message."""
        return self.place.startswith((*PEOPLE, "D"))

    def draw(self, card: AnyCard) -> Drawn:
        """The card as it is shown here; in the direct message, where the channel was closed to us, it says so."""
        if self.drawn is None or self.drawn.card is not card or self.drawn.place != self.place:
            shown = self.at_wall(card)
            if isinstance(shown, Card) and self.private and not shown.place.startswith(PEOPLE):
                shown = shown.model_copy(update={"place": self.place, "elsewhere": CardElsewhere.NO_ACCESS})
            message = message_of(shown)
            self.drawn = Drawn(card, self.place, message, _digest(message))
        return self.drawn

    @property
    def where(self) -> str:
        """What refuses where it is refused: the channel, or its history where a lost post is looked for."""
        return self.place if self.begun is None else f"history of {self.place}"


class CardPosts:
    """Posts cards, and finds them again. `now` and `slack_now` give aware instants, of callbot's clock and of Slack's.

    `at_wall` gives a card with its times as the wall clock has them.
    """

    def __init__(
        self,
        outbox: Outbox,
        cards: CardLedger,
        *,
        now: Callable[[], datetime],
        slack_now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        at_wall: Callable[[AnyCard], AnyCard] = lambda card: card,
    ) -> None:
        self._at_wall = at_wall
        self._outbox = outbox
        self._cards = cards
        self._now = now
        self._slack_now = slack_now
        self._sleep = sleep
        self._direct: dict[str, str] = {}

    async def replace(self, card: str, content: Callable[[], Message], rank: Rank) -> None:
        """Have the card of an earlier process say this, if it stands, for good. Raises CallbotError.

        It is looked for where that process was killed before it wrote down where it stands.
        """
        known = await self._cards.posted(card)
        found = None if known.begun is None else await self._found(card, *known.begun, rank)
        posted_at = found or (None if known.at is None else MessageAddress(*known.at))
        if posted_at is not None:
            await self._outbox.update(posted_at, content, lambda: Urgency(rank))
            await self._cards.save_posted(card, *posted_at, shown="", until=self._now())

    async def load(self, card: AnyCard) -> Placement:
        """What the ledger knows of a card. Raises CallbotError."""
        placement = Placement(card, card.place, at_wall=self._at_wall)
        known = await self._cards.posted(card.id)
        if known.at is not None:
            placement.posted_at, placement.shown, placement.stood = MessageAddress(*known.at), known.shown, True
        if known.begun is not None:
            placement.place, placement.begun = known.begun
        elif known.at is not None and known.at[0].startswith("D") and not card.place.startswith(PEOPLE):
            placement.place = known.at[0]
        return placement

    async def post(
        self, card: str, placement: Placement, content: Callable[[], Message], urgency: Callable[[], Urgency]
    ) -> None:
        """Post the card. Raises SlackError; after AnswerUnknown it may stand, and `begun` says since when."""
        begun = self._slack_now()

        def content_in_its_turn() -> Message:
            nonlocal begun
            begun = self._slack_now()
            return content()

        try:
            await self._cards.begin_post(card, placement.place, begun)
        except CallbotError as error:
            _log.error("post_not_noted", card=card, error=type(error).__name__)
        try:
            posted_at = await self._outbox.post(placement.place, content_in_its_turn, urgency, card)
        except AnswerUnknown as error:
            placement.begun, placement.timed_out = begun, isinstance(error, TimedOut)
            raise
        placement.shown = placement.draw(placement.sent).digest
        await self._stands(card, placement, posted_at)

    async def find(self, card: str, placement: Placement) -> None:
        """Look for a card that may stand: `posted_at` says where, None that it does not.

        A channel whose history is closed to us because we are not in it has taken no post either. Raises SlackError:
        nobody knows, or not yet; where it is a SlackRefusal nobody will.
        """
        if placement.begun is None:
            return
        posted_at = await self._found(card, placement.place, placement.begun, rank_of(placement.sent))
        if posted_at is not None:
            placement.shown = ""
            await self._stands(card, placement, posted_at)
            return
        if placement.timed_out and abs(self._slack_now() - placement.begun) < AT_WORK:  # or its first date was wrong
            raise NotDone("perhaps_still_at_work")
        placement.begun = None

    async def note_shown(self, card: str, placement: Placement, until: datetime | None) -> None:
        """Remember across restarts what the card shows, and until when, so that it is not shown again then for nothing.

        What is to be shown next does not wait long for it: a ledger that hangs writes it down later, or not.
        """
        try:
            async with asyncio.timeout(NOTED):
                await self._cards.save_shown(card, placement.shown, until)
        except (CallbotError, TimeoutError) as error:
            _log.error("shown_not_saved", card=card, error=type(error).__name__)

    async def _stands(self, card: str, placement: Placement, posted_at: MessageAddress) -> None:
        placement.posted_at, placement.begun = posted_at, None
        if placement.place.startswith(PEOPLE):
            self._direct[placement.place] = posted_at.channel
        try:
            until = shown_until(placement.sent) if placement.shown else None
            await self._cards.save_posted(card, *posted_at, shown=placement.shown, until=until)
        except CallbotError as error:
            _log.error("place_not_saved", card=card, error=type(error).__name__)

    async def _found(self, card: str, place: str, begun: datetime, rank: Rank) -> MessageAddress | None:
        """Where a card stands whose post was begun there at that time; None: it does not. Raises SlackError."""
        for pause in LOOKS:
            await self._sleep(pause)
            try:
                posted_at = await self._look(card, place, begun, rank)
            except SlackRefusal as error:
                if error.reason not in NOT_IN:
                    raise
                posted_at = None
            if posted_at is not None:
                return posted_at
        return None

    async def _look(self, card: str, place: str, begun: datetime, rank: Rank) -> MessageAddress | None:
        """One look at what was posted around that time. Raises SlackError, a SlackRefusal if there is too much to read."""
        channel = place
        if place.startswith(PEOPLE):
            channel = self._direct.get(place) or await self._outbox.direct_message(place)
        window: dict[str, str | int] = {
            "oldest": _ts(begun - AROUND),
            "latest": _ts(begun + AROUND),
            "limit": MESSAGES_PER_PAGE,
        }
        for _ in range(MOST_PAGES):
            found = await self._outbox.history(channel, lambda: _looking(rank), **window)
            for message in _messages(found):
                if _card_of(message) == card:
                    return MessageAddress(channel, str(message.get("ts")))
            following = _mapping(found.get("response_metadata")).get("next_cursor")
            if not found.get("has_more") or not following:
                return None
            window["cursor"] = str(following)
        raise SlackRefusal("history_too_long")


def _digest(message: Message) -> str:
    return sha256(json.dumps([message.text, message.blocks], sort_keys=True).encode()).hexdigest()


def _looking(rank: Rank) -> Urgency:
    """A card whose place is not known comes before those that only change."""
    return Urgency(rank, pressing=True)


def _messages(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages of a page; raises AnswerUnknown where there is no list of them."""
    found = page.get("messages")
    if not isinstance(found, list):
        raise AnswerUnknown("unreadable")
    return [_mapping(message) for message in found]


def _card_of(message: Mapping[str, Any]) -> str:
    """The card that a message is, empty for another one."""
    metadata = _mapping(message.get("metadata"))
    card = _mapping(metadata.get("event_payload")).get("card")
    return str(card) if metadata.get("event_type") == CARD_EVENT else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _ts(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"
