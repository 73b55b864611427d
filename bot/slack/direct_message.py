"""One direct message to one person: delivered once, or not at all and the log says so."""

from collections.abc import Awaitable, Callable

import structlog

from bot.slack.failures import NotDone, SlackError
from bot.slack.messages import Message
from bot.slack.outbox import Outbox, Rank, Urgency

PAUSES = (1.0, 5.0)
"""Seconds before a message that was certainly not delivered is sent again."""
UNCONFIRMED = "Slack did not confirm your card, so it may be missing or out of date. Now: "

NOWHERE = (
    "Slack takes your card neither in the channel nor in a direct message, so what becomes of this is not shown. "
    "Tell whoever runs callbot. Now: "
)

_log = structlog.get_logger("callbot.slack")


async def tell(
    outbox: Outbox, sleep: Callable[[float], Awaitable[None]], slack_user: str, message: Message, rank: Rank
) -> bool:
    """Whether it was delivered. It is sent again where it certainly was not; never after a lost answer."""
    for pause in (*PAUSES, None):
        try:
            await outbox.post(slack_user, lambda: message, lambda: Urgency(rank))
        except SlackError as error:
            if pause is None or not isinstance(error, NotDone):
                _log.error("not_told", reason=error.reason)
                return False
            await sleep(pause)
        else:
            return True
    return False


def card_unconfirmed(card: Message) -> Message:
    """The news of a card that perhaps nobody sees: one line of text, no second card."""
    return Message(text=UNCONFIRMED + card.text, blocks=())


def card_nowhere(card: Message) -> Message:
    """The news of a card that Slack takes nowhere, as far as they were known when that was found."""
    return Message(text=NOWHERE + card.text, blocks=())
