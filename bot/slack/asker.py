"""The person who asked, reached privately through the response_url of what they typed or clicked.

Slack takes five answers within 30 minutes ("Handling user interaction", docs.slack.dev); each of ours says that it is
ephemeral. Where that way is closed, a direct message says it instead.
"""

from collections.abc import Callable
from datetime import datetime

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.actions import ActionName
from bot.errors import Refusal
from bot.ports import CardElsewhere, Choice, Line
from bot.slack import answers
from bot.slack.messages import Message

_log = structlog.get_logger("callbot.slack")


class PrivateAnswers:
    """One person, answered about one request."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        response_url: str | None,
        slack_user: str,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._session = session
        self._response_url = response_url
        self._slack_user = slack_user
        self._now = now

    async def refused(self, refusal: Refusal, request: str) -> None:
        """Say why nothing was done."""
        await self._tell(answers.refusal(str(refusal), request))

    async def failed(self, message: str, request: str) -> None:
        """Say what went wrong."""
        await self._tell(answers.refusal(message, request))

    async def choose(self, action: ActionName, choices: tuple[Choice, ...]) -> None:
        """Ask which call."""
        await self._tell(answers.choices(action, choices, self._now()))

    async def listed(self, lines: tuple[Line, ...], words: tuple[str, ...]) -> None:
        """Show the live calls."""
        await self._tell(answers.live_calls(lines, words))

    async def helped(self) -> None:
        """Show every command."""
        await self._tell(answers.help_text())

    async def card_is_elsewhere(self, why: CardElsewhere) -> None:
        """Say that the card is in the direct message, and why; nothing where it is where it was asked for."""
        if why is CardElsewhere.NO:
            return
        await self._tell(answers.elsewhere(why))

    async def _tell(self, message: Message) -> None:
        try:
            if self._response_url is None or not await self._respond(self._response_url, message):
                await self._client.chat_postMessage(
                    channel=self._slack_user,
                    text=message.text,
                    blocks=list(message.blocks),
                    parse="none",
                    unfurl_links=False,
                    unfurl_media=False,
                )
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            _log.error("answer_not_delivered", error=type(error).__name__)

    async def _respond(self, url: str, message: Message) -> bool:
        """Whether Slack took the answer."""
        answer = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": message.text,
            "blocks": list(message.blocks),
            "parse": "none",
        }
        async with self._session.post(url, json=answer, allow_redirects=False) as response:
            if response.status != 200:
                _log.warning("response_url_refused", status=response.status)
            return response.status == 200
