"""The cards in Slack: one message for each, posted once, then updated in place. The newest truth wins.

A card that changes while a post or an update is under way, or while Slack makes us wait (429, per method), is sent when
the way is free, as it is then; what was true in between is a line of its steps.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import CallbotError
from bot.ports import Card, CardElsewhere, Request
from bot.slack.answers import interrupted
from bot.slack.cards import intervention_card
from bot.slack.messages import Message
from bot.tasks import Tasks

NO_ACCESS = frozenset(
    [
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "no_permission",
        "access_denied",
        "ekm_access_denied",
        "team_access_not_granted",
    ]
)
"""Slack's reasons not to let us post in a channel, with all that begin with restricted_action: the card goes to the direct
message then."""
MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
TRIES = 8
LONGEST_WAIT = 60.0
POST, UPDATE = "chat.postMessage", "chat.update"

_log = structlog.get_logger("callbot.feed")


class Places(Protocol):
    """Where each card was posted: kept across restarts, so that the same card goes on."""

    async def place_of(self, card: str) -> tuple[str, str] | None:
        """The channel and the timestamp of the posted card."""

    async def save_place(self, card: str, channel: str, ts: str) -> None:
        """Remember where a card was posted."""


class Feed:
    """Posts and updates cards. `on_no_access` hears of a card that could not be posted where it was asked for."""

    def __init__(
        self,
        client: AsyncWebClient,
        places: Places,
        *,
        sleep: Callable[[float], Awaitable[None]],
        on_no_access: Callable[[Card], Awaitable[None]],
    ) -> None:
        self._client = client
        self._places = places
        self._sleep = sleep
        self._on_no_access = on_no_access
        self._newest: dict[str, Card] = {}
        self._at_work: set[str] = set()
        self._known: dict[str, tuple[str, str] | None] = {}
        self._moved: set[str] = set()
        self._closed_until: dict[str, float] = {}
        self._tasks = Tasks()

    def show(self, card: Card) -> None:
        """Post the card, or bring the posted one up to date. Returns at once."""
        self._newest[card.id] = card
        if card.id not in self._at_work:
            self._at_work.add(card.id)
            self._tasks.spawn(self._keep_up(card.id), name=f"card {card.id}")

    def interrupted(self, request: Request) -> None:
        """Tell the person that a restart cut their request off."""
        message = interrupted(request)
        self._tasks.spawn(self._tell(request.slack_user, message), name=f"interrupted {request.id}")

    async def drain(self, seconds: float) -> None:
        """Wait until every card shows the newest truth, at most so many seconds."""
        await self._tasks.drain(seconds)

    async def _keep_up(self, card_id: str) -> None:
        try:
            tries = 0
            while card_id in self._newest and tries < TRIES:
                card = self._newest.pop(card_id)
                done = await self._send(card)
                tries = 0 if done else tries + 1
                if not done:
                    self._newest.setdefault(card_id, card)
            if self._newest.pop(card_id, None) is not None:
                _log.error("card_given_up", card=card_id)
        finally:
            self._at_work.discard(card_id)

    async def _send(self, card: Card) -> bool:
        """Send the card as it is. False: it is to be sent again, or a newer one instead."""
        place = await self._place(card.id)
        method = UPDATE if place else POST
        try:
            if place is None:
                await self._post(card)
            else:
                await self._call(UPDATE, channel=place[0], ts=place[1], message=intervention_card(self._where(card)))
        except SlackApiError as error:
            return await self._after_error(card, error, method)
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("slack_unreachable", card=card.id, method=method, error=type(error).__name__)
            if method == POST and not isinstance(error, aiohttp.ClientConnectorError):
                return True  # the post may stand: a second one would be a second card
            await self._sleep(1.0)
            return False
        if not any(one.following for one in card.interventions):
            self._known.pop(card.id, None)
            self._moved.discard(card.id)
        return True

    def _where(self, card: Card) -> Card:
        """The card as it is shown in the direct message, where the channel was closed to us."""
        if card.id not in self._moved:
            return card
        return card.model_copy(
            update={"place": card.interventions[-1].slack_user, "elsewhere": CardElsewhere.NO_ACCESS}
        )

    async def _place(self, card_id: str) -> tuple[str, str] | None:
        """Where the card stands, None where it is to be posted."""
        if card_id not in self._known:
            try:
                self._known[card_id] = await self._places.place_of(card_id)
            except CallbotError as error:
                _log.error("place_not_read", card=card_id, error=type(error).__name__)
        return self._known.get(card_id)

    async def _post(self, card: Card) -> None:
        shown = self._where(card)
        answer = await self._call(POST, channel=shown.place, message=intervention_card(shown))
        channel, ts = str(answer["channel"]), str(answer["ts"])
        self._known[card.id] = (channel, ts)
        try:
            await self._places.save_place(card.id, channel, ts)
        except CallbotError as error:
            _log.error("place_not_saved", card=card.id, error=type(error).__name__)

    async def _call(self, method: str, *, message: Message, channel: str, ts: str | None = None) -> Any:
        """One call, when the method is open again after a 429."""
        wait = self._closed_until.get(method, 0.0) - asyncio.get_running_loop().time()
        if wait > 0:
            await self._sleep(min(wait, LONGEST_WAIT))
        blocks = list(message.blocks)
        if ts is not None:
            return await self._client.chat_update(
                channel=channel, ts=ts, text=message.text, blocks=blocks, parse="none"
            )
        return await self._client.chat_postMessage(
            channel=channel, text=message.text, blocks=blocks, parse="none", unfurl_links=False, unfurl_media=False
        )

    async def _after_error(self, card: Card, error: SlackApiError, method: str) -> bool:
        """What an error of Slack means for this card. True: there is nothing more to do for it."""
        reason = _reason(error)
        if error.response.status_code == 429 or reason in {"ratelimited", "rate_limited"}:
            seconds = float(error.response.headers.get("Retry-After", 1))
            self._closed_until[method] = asyncio.get_running_loop().time() + min(seconds, LONGEST_WAIT)
            return False
        if error.response.status_code >= 500:
            await self._sleep(1.0)
            return False
        closed = reason in NO_ACCESS or reason.startswith("restricted_action")
        if closed and card.id not in self._moved and not card.place.startswith(("U", "W")):
            self._moved.add(card.id)
            self._known[card.id] = None
            await self._on_no_access(card)
            return False
        if reason in MESSAGE_GONE:
            self._known[card.id] = None
            return False
        _log.error("card_refused", card=card.id, method=method, reason=reason)
        return True

    async def _tell(self, slack_user: str, message: Message) -> None:
        try:
            await self._call(POST, channel=slack_user, message=message)
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            _log.error("not_told", error=type(error).__name__)


def _reason(error: SlackApiError) -> str:
    """Slack's word for it; an answer that is no JSON object has none."""
    answer = error.response.data
    return str(answer.get("error", "")) if isinstance(answer, dict) else ""
