"""One direct message to one person, never sent twice. One that is not delivered is logged."""

from collections.abc import Awaitable, Callable

import structlog

from bot.slack.messages import Message
from bot.slack.outbox import Outbox, Rank, Urgency
from bot.slack.web_client import NotDone, SlackError

PAUSES = (1.0, 5.0)
"""Seconds before each further attempt, where Slack certainly did not deliver the message."""
UNCONFIRMED = "Slack did not confirm your card, so it may be missing or out of date. Now: "

NOWHERE = (
    "Slack takes your card neither in the channel nor in a direct message, so what becomes of this is not shown. "
    "Tell the people who run callbot. Now: "
)

_log = structlog.get_logger("callbot.slack")


async def send_direct_message(
    outbox: Outbox, sleep: Callable[[float], Awaitable[None]], slack_user: str, message: Message, rank: Rank
) -> bool:
    """Send it, and return whether Slack delivered it. It is not repeated after a lost answer."""
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
    """A line of text with the news of a card that Slack did not confirm. It is no second card."""
    return Message(text=UNCONFIRMED + card.text, blocks=())


def card_nowhere(card: Message) -> Message:
    """A line of text with the news of a card that Slack takes nowhere."""
    return Message(text=NOWHERE + card.text, blocks=())
