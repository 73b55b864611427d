"""Which message in Slack shows which card, also after a lost answer and after a crash.

Slack's API has no idempotency key for posts. So each message carries the id of its card in the metadata, the ledger
knows which posts have begun, and callbot searches the channel for a post whose answer was lost before it posts again.
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
from bot.interventions.card import CardElsewhere, InterventionCard, PostedCard
from bot.slack.card_kinds import AnyCard, message_of, rank_of, shown_until
from bot.slack.messages import Message
from bot.slack.outbox import CARD_EVENT, MessageAddress, Outbox, Rank, Urgency
from bot.slack.web_client import AnswerUnknown, NotDone, SlackRefusal, TimedOut

NOTED = 1.0
"""Seconds that the ledger has to save what a card shows."""
SEARCH_PAUSES = (0.0, 1.5)
"""Seconds before each search for a lost post: what Slack is still working on is not in the history at once."""
MAY_BE_LATE = timedelta(seconds=60)
"""How long after a post that timed out Slack may still carry it out."""
AROUND = timedelta(minutes=5)
"""How far before and after its beginning a lost post is searched for: it may have waited in the outbox, or be late."""
MESSAGES_PER_PAGE, MOST_PAGES = 100, 20
"""Messages on a page of the history, and pages to read at most: ten minutes of a busy channel."""
NOT_IN = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's errors for a channel that the bot is not in. They refuse posting and reading its history alike."""
PEOPLE = ("U", "W")
"""First letters of user ids. A post to a user id goes to the direct message."""

_log = structlog.get_logger("callbot.slack")


class CardLedger(Protocol):
    """The posted cards in `bot.ledger.ledger.Ledger`, which let a restart continue with the same messages."""

    async def posted(self, card: str) -> PostedCard:
        """What the ledger has of a card."""

    async def save_pending_post(self, card: str, place: str, at: datetime) -> None:
        """Save that the post of a card to a channel or user began at this time of Slack's clock."""

    async def save_posted(self, card: str, channel: str, ts: str, *, shown: str, until: datetime | None) -> None:
        """Save where a card was posted, and the fingerprint of what it shows: empty where that is not known."""


class Drawn(NamedTuple):
    """A version of a card as the message that shows it in a place."""

    card: AnyCard
    place: str
    message: Message
    fingerprint: str
    """A hash of the message: equal for equal messages, and it reveals nothing of them."""


@dataclass
class Placement:
    """One card in Slack, as far as callbot knows."""

    sent: AnyCard
    """The version that was sent last, whether or not Slack took it."""
    place: str
    """A channel, or a user for the direct message. Not always the place that `sent` asks for."""
    address: MessageAddress | None = None
    begun: datetime | None = None
    """When a post began, by Slack's clock, that may have succeeded; its address is not known."""
    timed_out: bool = False
    """Slack did not answer that post in time, so the message may still appear."""
    shown: str = ""
    """The fingerprint of what the message shows; empty where that is not known."""
    shown_since: float = 0.0
    """When the newest state in the message began, in seconds since 1970."""
    had_message: bool = False
    """There is, or was, a message for it."""
    renewed: bool = False
    """It was posted again, because Slack does not let the first message be updated."""
    sent_as_text: str = ""
    """The last direct message that stood in for the card, which Slack has not confirmed."""
    moved: bool = False
    """It went to the direct message instead of the channel, and the person has not been informed of that yet."""
    nowhere: bool = False
    """The person was informed that Slack takes the card neither in the channel nor in the direct message."""
    drawn: Drawn | None = None
    """The version that was drawn last, kept because drawing takes longer than everything else done for a card."""
    at_wall: Callable[[AnyCard], AnyCard] = lambda card: card
    """Turns the times of a card into wall-clock times."""

    @property
    def private(self) -> bool:
        """Whether it is in a direct message."""
        return self.place.startswith((*PEOPLE, "D"))

    def draw(self, card: AnyCard) -> Drawn:
        """The card as a message for this place. One that went to the direct message instead of the channel says so."""
        if self.drawn is None or self.drawn.card is not card or self.drawn.place != self.place:
            shown = self.at_wall(card)
            if isinstance(shown, InterventionCard) and self.private and not shown.place.startswith(PEOPLE):
                shown = shown.model_copy(update={"place": self.place, "elsewhere": CardElsewhere.NO_ACCESS})
            message = message_of(shown)
            fingerprint = sha256(json.dumps([message.text, message.blocks], sort_keys=True).encode()).hexdigest()
            self.drawn = Drawn(card, self.place, message, fingerprint)
        return self.drawn

    @property
    def where(self) -> str:
        """What refuses when Slack refuses: the channel, or its history while a lost post is searched for."""
        return self.place if self.begun is None else f"history of {self.place}"


class CardPosts:
    """Posts cards, and finds their messages again.

    `now` and `slack_now`: aware times of callbot's clock and of Slack's. `at_wall`: a card with wall-clock times.
    """

    def __init__(
        self,
        outbox: Outbox,
        card_ledger: CardLedger,
        *,
        now: Callable[[], datetime],
        slack_now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        at_wall: Callable[[AnyCard], AnyCard] = lambda card: card,
    ) -> None:
        self._at_wall = at_wall
        self._outbox = outbox
        self._card_ledger = card_ledger
        self._now = now
        self._slack_now = slack_now
        self._sleep = sleep
        self._direct: dict[str, str] = {}
        """The channel of the direct message with each Slack user, as far as it is known."""

    async def replace(self, card: str, content: Callable[[], Message], rank: Rank) -> None:
        """Give the card of an earlier process its last content, if it has a message. Raises CallbotError.

        Where that process was killed before it saved the address of the message, the message is searched for.
        """
        known = await self._card_ledger.posted(card)
        found = None if known.pending is None else await self._search(card, *known.pending, rank)
        address = found or (None if known.address is None else MessageAddress(*known.address))
        if address is not None:
            await self._outbox.update(address, content, lambda: Urgency(rank))
            await self._card_ledger.save_posted(card, *address, shown="", until=self._now())

    async def load(self, card: AnyCard) -> Placement:
        """Read from the ledger where a card is. Raises CallbotError."""
        placement = Placement(card, card.place, at_wall=self._at_wall)
        known = await self._card_ledger.posted(card.id)
        if known.address is not None:
            placement.address = MessageAddress(*known.address)
            placement.shown, placement.had_message = known.shown, True
        if known.pending is not None:
            placement.place, placement.begun = known.pending
        elif known.address is not None and known.address[0].startswith("D") and not card.place.startswith(PEOPLE):
            placement.place = known.address[0]
        return placement

    async def post(
        self, card: str, placement: Placement, content: Callable[[], Message], urgency: Callable[[], Urgency]
    ) -> None:
        """Post the card. Raises SlackError. After AnswerUnknown the message may exist, and `begun` is set."""
        begun = self._slack_now()

        def content_in_its_turn() -> Message:
            nonlocal begun
            # The card may have waited long in the outbox, and a lost post is searched for around this time.
            begun = self._slack_now()
            return content()

        try:
            await self._card_ledger.save_pending_post(card, placement.place, begun)
        except CallbotError as error:
            _log.error("post_not_noted", card=card, error=type(error).__name__)
        try:
            address = await self._outbox.post(placement.place, content_in_its_turn, urgency, card)
        except AnswerUnknown as error:
            placement.begun, placement.timed_out = begun, isinstance(error, TimedOut)
            raise
        _log.debug("card_posted", card=card)
        placement.shown = placement.draw(placement.sent).fingerprint
        await self._save_place(card, placement, address)

    async def update(
        self,
        card: AnyCard,
        placement: Placement,
        address: MessageAddress,
        content: Callable[[], Message],
        urgency: Callable[[], Urgency],
    ) -> None:
        """Update the message of a card, of which `card` is the newest version so far. Raises SlackError."""
        if shown_until(card) is None:
            placement.shown = ""  # saved first: the process may be killed during the update
            await self._note_shown(card.id, placement, address, None)
        await self._outbox.update(address, content, urgency)
        _log.debug("card_updated", card=card.id)
        placement.shown = placement.draw(placement.sent).fingerprint
        await self._note_shown(card.id, placement, address, shown_until(placement.sent))

    async def find(self, card: str, placement: Placement) -> None:
        """Search for the message of a post whose answer was lost; sets `address`, or clears `begun` if there is none.

        A channel that the bot is not in has taken no post either. Raises SlackError where the search has no result;
        a SlackRefusal is final.
        """
        if placement.begun is None:
            return
        address = await self._search(card, placement.place, placement.begun, rank_of(placement.sent))
        if address is not None:
            _log.debug("card_found", card=card)
            placement.shown = ""
            await self._save_place(card, placement, address)
            return
        if placement.timed_out and abs(self._slack_now() - placement.begun) < MAY_BE_LATE:  # unless that time was wrong
            raise NotDone("perhaps_still_at_work")
        placement.begun = None

    async def _note_shown(
        self, card: str, placement: Placement, address: MessageAddress, until: datetime | None
    ) -> None:
        """Save where the card is, and what it shows, so that a restart does not send the same content again.

        The place again, for the ledger may not have taken it. The next version does not wait long for this: with a ledger
        that hangs it is not saved.
        """
        try:
            async with asyncio.timeout(NOTED):
                await self._card_ledger.save_posted(card, *address, shown=placement.shown, until=until)
        except (CallbotError, TimeoutError) as error:
            _log.error("shown_not_saved", card=card, error=type(error).__name__)

    async def _save_place(self, card: str, placement: Placement, address: MessageAddress) -> None:
        placement.address, placement.begun = address, None
        if placement.place.startswith(PEOPLE):
            self._direct[placement.place] = address.channel
        try:
            until = shown_until(placement.sent) if placement.shown else None
            await self._card_ledger.save_posted(card, *address, shown=placement.shown, until=until)
        except CallbotError as error:
            _log.error("place_not_saved", card=card, error=type(error).__name__)

    async def _search(self, card: str, place: str, begun: datetime, rank: Rank) -> MessageAddress | None:
        """The message of a post that began there at that time; None: there is none. Raises SlackError."""
        for pause in SEARCH_PAUSES:
            await self._sleep(pause)
            try:
                address = await self._search_once(card, place, begun, rank)
            except SlackRefusal as error:
                if error.reason not in NOT_IN:
                    raise
                address = None
            if address is not None:
                return address
        return None

    async def _search_once(self, card: str, place: str, begun: datetime, rank: Rank) -> MessageAddress | None:
        """Search what was posted around that time. Raises SlackError, a SlackRefusal if there is too much to read."""
        channel = place
        if place.startswith(PEOPLE):
            channel = self._direct.get(place) or await self._outbox.direct_message(place)
        window: dict[str, str | int] = {
            "oldest": _ts(begun - AROUND),
            "latest": _ts(begun + AROUND),
            "limit": MESSAGES_PER_PAGE,
        }
        for _ in range(MOST_PAGES):
            # A card whose message is not known goes before cards that only change.
            found = await self._outbox.history(channel, lambda: Urgency(rank, pressing=True), **window)
            for message in _messages(found):
                if _card_of(message) == card:
                    return MessageAddress(channel, str(message.get("ts")))
            next_page = _mapping(found.get("response_metadata")).get("next_cursor")
            if not found.get("has_more") or not next_page:
                return None
            window["cursor"] = str(next_page)
        raise SlackRefusal("history_too_long")


def _messages(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages of a page; raises AnswerUnknown where there is no list of them."""
    found = page.get("messages")
    if not isinstance(found, list):
        raise AnswerUnknown("unreadable")
    return [_mapping(message) for message in found]


def _card_of(message: Mapping[str, Any]) -> str:
    """The id of the card that a message shows; empty for other messages."""
    metadata = _mapping(message.get("metadata"))
    card = _mapping(metadata.get("event_payload")).get("card")
    return str(card) if metadata.get("event_type") == CARD_EVENT else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _ts(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"
