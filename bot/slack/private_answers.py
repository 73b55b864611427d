"""Private answers to the person who asked, through the response_url of their command or click.

Slack accepts five answers within 30 minutes ("Handling user interaction", docs.slack.dev); all of them are ephemeral. If
the response_url fails, the answer goes to the direct message. An answer that may have been delivered is not repeated.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.actions import ActionName
from bot.domain.buttons import Button
from bot.domain.errors import Refusal
from bot.interventions.ports import Card, CardElsewhere, Choice, Listing
from bot.slack import answer_messages, call_lists
from bot.slack.direct_message import PAUSES, card_nowhere, send_direct_message
from bot.slack.intervention_card import intervention_message
from bot.slack.messages import Message
from bot.slack.outbox import Outbox, Rank
from bot.slack.wall_time import lines_at
from bot.slack.web_client import NotDone, SlackError, SlackRefusal

_log = structlog.get_logger("callbot.slack")


class PrivateAnswers:
    """Answers one person about one request.

    `now`: wall-clock time. `pbx_behind`: what to add to times of the PBX to get wall-clock times.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        response_url: str | None,
        slack_user: str,
        clicked: bool = False,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        pbx_behind: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._outbox = outbox
        self._sleep = sleep
        self._response_url = response_url
        self._slack_user = slack_user
        self._clicked = clicked
        self._now = now
        self._pbx_behind = pbx_behind

    async def refused(self, refusal: Refusal, request: str) -> None:
        """Say why nothing was done."""
        await self._tell(answer_messages.refusal_message(str(refusal), request))

    async def phone_not_registered(self, refusal: Refusal, anyway: Button, request: str) -> None:
        """Say that their own phone could not ring, with a button to try it anyway."""
        await self._tell(answer_messages.not_registered(str(refusal), anyway, request))

    async def failed(self, message: str, request: str) -> None:
        """Say what went wrong."""
        await self._tell(answer_messages.refusal_message(message, request))

    async def choose(self, action: ActionName, choices: tuple[Choice, ...]) -> None:
        """Ask which call."""
        await self._tell(call_lists.choice_message(action, lines_at(choices, self._pbx_behind()), self._now()))

    async def listed(self, listing: Listing) -> None:
        """Show a page of the live calls; after a click it replaces the page that was clicked."""
        shown = listing.model_copy(update={"lines": lines_at(listing.lines, self._pbx_behind())})
        await self._tell(call_lists.call_list_message(shown), replace=self._clicked)

    async def helped(self) -> None:
        """Show every command."""
        await self._tell(answer_messages.help_text())

    async def help_requested(self, channel: str) -> None:
        """Say where the help request was posted, and that they will be informed who is coming."""
        await self._tell(answer_messages.help_requested(channel))

    async def card_is_elsewhere(self, why: CardElsewhere) -> None:
        """Say that the card is in the direct message, and why; nothing if it is in the channel."""
        if why is CardElsewhere.NO:
            return
        await self._tell(answer_messages.card_elsewhere(why))

    async def card_is_nowhere(self, card: Card) -> None:
        """Say that Slack accepts the card nowhere, and what it would show."""
        await self._tell(card_nowhere(intervention_message(card)))

    async def _tell(self, message: Message, *, replace: bool = False) -> None:
        if self._response_url is None or not await self._respond(self._response_url, message, replace=replace):
            await send_direct_message(self._outbox, self._sleep, self._slack_user, message, Rank.ANSWER)

    async def _respond(self, url: str, message: Message, *, replace: bool) -> bool:
        """Send it through the response_url; returns whether Slack took it, or may have."""
        for pause in (*PAUSES, None):
            try:
                await self._outbox.respond(url, message, replace=replace)
            except SlackRefusal as refusal:
                _log.warning("response_url_refused", status=refusal.reason)
                return False
            except SlackError as error:
                if not isinstance(error, NotDone):
                    _log.error("answer_not_delivered", reason=error.reason)
                    return True
                if pause is not None:
                    await self._sleep(pause)
            else:
                return True
        return False
