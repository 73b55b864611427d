"""What one person alone is told: answers to what they asked, and direct messages. Nothing is sent twice.

An answer goes through the response_url of a command or click. Slack takes five of them within 30 minutes ("Handling user
interaction", docs.slack.dev); all of them are ephemeral. If the response_url fails, the answer goes to the direct message.
What may have been delivered is not repeated.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.domain.actions import ActionName
from bot.domain.commands import Intervene, Offer
from bot.domain.errors import Refusal
from bot.interventions.call_list import CallChoice, Listing
from bot.interventions.card import CardElsewhere, InterventionCard
from bot.slack import answer_messages, call_lists
from bot.slack.intervention_card import intervention_message
from bot.slack.messages import Message
from bot.slack.outbox import Outbox, Rank, Urgency
from bot.slack.web_client import NotDone, SlackError, SlackRefusal
from bot.tasks import back_off

ANSWER_TRIES = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 5.0
"""How often one answer or direct message is tried, and the seconds between."""
UNCONFIRMED = "Slack did not confirm your card, so it may be missing or out of date. Now: "

NOWHERE = (
    "Slack takes your card neither in the channel nor in a direct message, so what becomes of this is not shown. "
    "Tell the people who run callbot. Now: "
)

_log = structlog.get_logger("callbot.slack")


@dataclass(frozen=True, kw_only=True, repr=False)  # the response_url is a secret
class PrivateAnswers:
    """Answers one person about one request.

    `response_url`: empty where Slack gave none. `now`: wall-clock time. `pbx_behind`: what to add to times of the PBX to get
    wall-clock times.
    """

    outbox: Outbox
    response_url: str
    slack_user: str
    clicked: bool = False
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    pbx_behind: Callable[[], timedelta] = timedelta

    async def refused(self, refusal: Refusal, request: str) -> None:
        """Say why nothing was done."""
        await self._tell(answer_messages.refusal_message(str(refusal), request))

    async def phone_not_registered(self, refusal: Refusal, anyway: Offer[Intervene], request: str) -> None:
        """Say that their own phone could not ring, with a button to try it anyway."""
        await self._tell(answer_messages.phone_not_registered_message(str(refusal), anyway, request))

    async def failed(self, message: str, request: str) -> None:
        """Say what went wrong."""
        await self._tell(answer_messages.refusal_message(message, request))

    async def choose(self, action: ActionName, choices: tuple[CallChoice, ...]) -> None:
        """Ask which call."""
        await self._tell(call_lists.choice_message(action, choices, self.now(), self.pbx_behind()))

    async def listed(self, listing: Listing) -> None:
        """Show a page of the live calls; after a click it replaces the page that was clicked."""
        message = call_lists.call_list_message(listing, self.pbx_behind())
        await self._tell(message, replace=self.clicked)

    async def helped(self) -> None:
        """Show every command."""
        await self._tell(answer_messages.help_message())

    async def help_requested(self, channel: str) -> None:
        """Say where the help request was posted, and that they will be informed who is coming."""
        await self._tell(answer_messages.help_requested_message(channel))

    async def card_is_elsewhere(self, why: CardElsewhere) -> None:
        """Say that the card is in the direct message, and why."""
        await self._tell(answer_messages.card_elsewhere_message(why))

    async def card_is_nowhere(self, card: InterventionCard) -> None:
        """Say that Slack accepts the card nowhere, and what it would show."""
        await self._tell(card_nowhere(intervention_message(card)))

    async def _tell(self, message: Message, *, replace: bool = False) -> None:
        if self.response_url:
            respond = partial(self.outbox.respond, self.response_url, message, replace=replace)
            failure = await _failure_of(respond, self.sleep)
            if failure is None:
                return
            if isinstance(failure, SlackRefusal):
                _log.warning("response_url_refused", status=failure.reason)
            elif not isinstance(failure, NotDone):
                _log.error("answer_not_delivered", reason=failure.reason)
                return
        await send_direct_message(self.outbox, self.sleep, self.slack_user, message, Rank.ANSWER)


async def send_direct_message(
    outbox: Outbox, sleep: Callable[[float], Awaitable[None]], slack_user: str, message: Message, rank: Rank
) -> bool:
    """Send one direct message to one person, and return whether Slack delivered it. One that is not delivered is logged."""
    post = partial(outbox.post, slack_user, lambda: message, lambda: Urgency(rank))
    failure = await _failure_of(post, sleep)
    if failure is not None:
        _log.error("not_told", reason=failure.reason)
    return failure is None


async def _failure_of(
    send: Callable[[], Awaitable[object]], sleep: Callable[[float], Awaitable[None]]
) -> SlackError | None:
    """Send, a few times where Slack certainly did not deliver it; returns how the last time failed, None where it did not."""
    failure = None
    for tries in range(ANSWER_TRIES):
        if tries > 0:
            await sleep(back_off(tries, _FIRST_PAUSE, _LONGEST_PAUSE))
        try:
            await send()
        except NotDone as error:
            failure = error
        except SlackError as error:
            return error
        else:
            return None
    return failure


def card_unconfirmed(card: Message) -> Message:
    """A line of text with the news of a card that Slack did not confirm. It is no second card."""
    return Message(text=UNCONFIRMED + card.text, blocks=())


def card_nowhere(card: Message) -> Message:
    """A line of text with the news of a card that Slack takes nowhere."""
    return Message(text=NOWHERE + card.text, blocks=())
