"""Where each card stands in Slack, also where nobody was told: after a lost answer, and after a crash.

Slack knows no key that would make a repeated post harmless. So each card carries its id in the metadata, the ledger
knows which posts have begun, and a post whose answer is not known is looked for before there is another one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.errors import CallbotError
from bot.ports import Card
from bot.slack.failures import AnswerUnknown, SlackRefusal
from bot.slack.messages import Message
from bot.slack.outgoing import CARD_EVENT, Outgoing, Place, Urgency

LOOKS = (0.0, 1.5)
"""Seconds before each look for a card: what Slack still works on is not to be seen at once."""
APART = timedelta(minutes=5)
"""Slack's clock and ours agree within this, or not even its signatures would hold ("Verifying requests from Slack")."""
PAGE, MOST_PAGES = 100, 20
"""Messages of one page of the history, and pages that are read: the ten minutes around a post in a lively channel."""
NOT_IN = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's reasons by which both a post and a look are refused to those who are not in the channel."""
PEOPLE = ("U", "W")
"""How the ids of people begin: a post to one goes to the direct message."""

_log = structlog.get_logger("callbot.feed")


class Places(Protocol):
    """Where each card was posted: kept across restarts, so that the same card goes on."""

    async def place_of(self, card: str) -> tuple[str, str] | None:
        """The channel and the timestamp of the posted card."""

    async def begin_post(self, card: str, target: str) -> None:
        """Remember that the card is being posted to a channel or a user."""

    async def begun_post(self, card: str) -> tuple[str, datetime] | None:
        """Where and when a post was begun whose place is not known."""

    async def save_place(self, card: str, channel: str, ts: str) -> None:
        """Remember where a card was posted."""


@dataclass
class Standing:
    """One card in Slack, as far as we know."""

    sent: Card
    """The version that was sent last, however that ended."""
    target: str
    """Where it is posted: a channel, or a user for the direct message."""
    place: Place | None = None
    begun: datetime | None = None
    """Since when a post may stand that we know no place of."""
    shown: Message | None = None
    shown_since: float = 0.0
    """When the newest state that it shows began, in seconds since 1970."""
    renewed: bool = False
    """It was posted anew, because the one before could not be brought up to date."""
    told: str = ""
    """What was said last in a direct message, because the card is not confirmed."""


class Posted:
    """Posts cards, and finds them again. `now` gives an aware instant."""

    def __init__(
        self,
        outgoing: Outgoing,
        places: Places,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._outgoing = outgoing
        self._places = places
        self._now = now
        self._sleep = sleep
        self._direct: dict[str, str] = {}

    async def standing(self, card: Card) -> Standing:
        """What the ledger knows of a card. Raises CallbotError."""
        known, begun = await self._places.place_of(card.id), await self._places.begun_post(card.id)
        standing = Standing(card, card.place, None if known is None else Place(*known))
        if begun is not None:
            standing.target, standing.begun = begun
        elif known is not None and known[0].startswith("D") and not card.place.startswith(PEOPLE):
            standing.target = known[0]
        return standing

    async def post(
        self, card: str, standing: Standing, content: Callable[[], Message], urgency: Callable[[], Urgency]
    ) -> None:
        """Post the card. Raises SlackError; after AnswerUnknown it may stand, and `begun` says since when."""
        begun = self._now()
        try:
            await self._places.begin_post(card, standing.target)
        except CallbotError as error:
            _log.error("post_not_noted", card=card, error=type(error).__name__)
        try:
            await self._stands(card, standing, await self._outgoing.post(standing.target, content, urgency, card))
        except AnswerUnknown:
            standing.begun = begun
            raise

    async def find(self, card: str, standing: Standing) -> None:
        """Look for a card that may stand: `place` says where, None that it does not.

        A channel whose history is closed to us because we are not in it has taken no post either. Raises SlackError:
        nobody knows, and where it is a SlackRefusal nobody will.
        """
        if standing.begun is None:
            return
        for pause in LOOKS:
            await self._sleep(pause)
            try:
                place = await self._look(card, standing.target, standing.begun)
            except SlackRefusal as error:
                if error.reason not in NOT_IN:
                    raise
                place = None
            if place is not None:
                await self._stands(card, standing, place)
                return
        standing.begun = None

    async def _stands(self, card: str, standing: Standing, place: Place) -> None:
        standing.place, standing.begun = place, None
        if standing.target.startswith(PEOPLE):
            self._direct[standing.target] = place.channel
        try:
            await self._places.save_place(card, place.channel, place.ts)
        except CallbotError as error:
            _log.error("place_not_saved", card=card, error=type(error).__name__)

    async def _look(self, card: str, target: str, begun: datetime) -> Place | None:
        """One look at what was posted around that time. Raises SlackError, a SlackRefusal if there is too much to read."""
        channel = target
        if target.startswith(PEOPLE):
            channel = self._direct.get(target) or await self._outgoing.direct_message(target)
        window: dict[str, str | int] = {"oldest": _ts(begun - APART), "latest": _ts(begun + APART), "limit": PAGE}
        for _ in range(MOST_PAGES):
            found = await self._outgoing.history(channel, **window)
            for message in _messages(found):
                if _card_of(message) == card:
                    return Place(channel, str(message.get("ts")))
            following = _mapping(found.get("response_metadata")).get("next_cursor")
            if not found.get("has_more") or not following:
                return None
            window["cursor"] = str(following)
        raise SlackRefusal("history_too_long")


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
