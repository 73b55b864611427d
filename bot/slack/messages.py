"""The parts of which every message is built. Pure: no client, no settings.

Foreign text goes into `said` (plain_text, which Slack does not parse) or through `foreign`. mrkdwn is for our own words and
for dates, which plain_text cannot show. `text` is what a notification shows and a screen reader reads: it stands first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot.domain.actions import LABEL, ActionName
from bot.domain.buttons import Button, ModeChangeButton
from bot.domain.calls import Status
from bot.domain.commands import AnswerModeChange
from bot.slack.button_codec import pack
from bot.slack.foreign import plain

INTERVENE = "intervene"
"""The beginning of the action_id of buttons that act on a call."""
MODE_CHANGE = "switch"
"""The beginning of the action_id of *Ring now anyway* and *Cancel*."""
PAGE = "page"
"""The beginning of the action_id of *Next* and *Previous*."""
ALERT = "alert"
"""The beginning of the action_id of *I'm on it* and *Snooze*."""
ASK_FOR_HELP = "hand"
"""The beginning of the action_id of *Ask for help*."""
MOST_BLOCKS = 50
MOST_CHARACTERS = 3000
MOST_FIELDS = 10
"""Limits of a message, a text, a section (Block Kit reference)."""

STATUS = {
    Status.UNKNOWN: "state unknown",
    Status.OFF_HOOK: "off the hook",
    Status.TRYING: "being called",
    Status.RINGING: "ringing",
    Status.OTHER_SIDE_RINGING: "the other side rings",
    Status.ON_CALL: "on call",
}
QUESTION = {
    ActionName.BARGE_IN: "The customer will hear you.",
    ActionName.START_RECORDING: "The conversation will be recorded.",
}
"""Asked after the click, before anything is sent: what the customer will notice."""


@dataclass(frozen=True)
class Message:
    """What Slack shows: the text for notifications and screen readers, and the blocks."""

    text: str
    blocks: tuple[dict[str, Any], ...]


def message(text: str, blocks: Sequence[Block]) -> Message:
    """A message of at most 50 blocks, each checked by slack_sdk. Raises SlackObjectFormationError."""
    return Message(text=text, blocks=tuple(block.to_dict() for block in blocks[:MOST_BLOCKS]))


def headline(text: str) -> Block:
    """A headline; it may hold foreign text."""
    return HeaderBlock(text=PlainTextObject(text=plain(text, 150), emoji=False))


def said(*lines: str) -> Block:
    """Sentences as plain text; they may hold foreign text."""
    text = "\n".join(plain(line, 700) for line in lines)
    return SectionBlock(text=PlainTextObject(text=text[:MOST_CHARACTERS], emoji=False))


def our_words(text: str) -> Block:
    """Mrkdwn: our own words, dates, and foreign text that `foreign` has escaped."""
    return SectionBlock(text=MarkdownTextObject(text=text[:MOST_CHARACTERS], verbatim=True))


def facts(*fields: PlainTextObject | MarkdownTextObject) -> Block:
    """Short facts, two beside each other."""
    return SectionBlock(fields=list(fields[:MOST_FIELDS]))


def fact(label: str, value: str) -> PlainTextObject:
    """One fact; the value may be foreign."""
    return PlainTextObject(text=f"{label}: {plain(value)}", emoji=False)


def since(label: str, moment: datetime) -> MarkdownTextObject:
    """One fact that is a time."""
    return MarkdownTextObject(text=f"{label} {when(moment)}", verbatim=True)


def small(text: str) -> Block:
    """A line in small print; it may hold foreign text."""
    return ContextBlock(elements=[PlainTextObject(text=plain(text, 700), emoji=False)])


def small_words(text: str) -> Block:
    """A line of mrkdwn in small print: our own words, dates, and escaped foreign text."""
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def when(moment: datetime) -> str:
    """A time of day in the reader's time zone; where Slack cannot show that, in UTC."""
    utc = moment.astimezone(UTC)
    return f"<!date^{int(utc.timestamp())}^{{time_secs}}|{utc:%H:%M:%S} UTC>"


def when_and_how_long_ago(moment: datetime) -> str:
    """A time of day, and how long ago that is, which Slack keeps up to date (`{ago}`, "Formatting message text")."""
    return when(moment).replace("{time_secs}", "{time_secs} ({ago})")


def lasting(duration: timedelta) -> str:
    """A duration in minutes and whole seconds; below a minute with fractions of a second."""
    seconds = max(0.0, duration.total_seconds())
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def as_many_as_fit(texts: Sequence[str], most: int, between: str) -> list[str]:
    """As many whole texts from the beginning as fit into `most` characters, joined by `between`."""
    kept: list[str] = []
    left = most + len(between)
    for text in texts:
        left -= len(text) + len(between)
        if left < 0:
            break
        kept.append(text)
    return kept


def buttons(offered: Sequence[Button], block_id: str) -> Block:
    """A row with a button for each action."""
    return ActionsBlock(block_id=block_id, elements=[act(one, LABEL[one.intervene.action], 0) for one in offered])


def act(button: Button, label: str, number: int) -> ButtonElement:
    """A button that acts on a call. Barge in and Record ask for confirmation."""
    action = button.intervene.action
    question = QUESTION.get(action)
    return ButtonElement(
        text=PlainTextObject(text=plain(label, 75), emoji=False),
        action_id=f"{INTERVENE}:{action}:{number}",
        value=pack(button),
        style="danger" if action is ActionName.BARGE_IN else None,
        confirm=_confirm(action, question) if question else None,
    )


def mode_change_buttons(card: str, channel: str, anyway: str) -> Block:
    """The buttons of a card that waits for the supervisor's phone. `anyway`: the label of the one that rings it now."""
    labels = ((anyway, True), ("Cancel", False))
    return ActionsBlock(
        block_id=f"{MODE_CHANGE}-{card}",
        elements=[
            ButtonElement(
                text=PlainTextObject(text=label, emoji=False),
                action_id=f"{MODE_CHANGE}:{'now' if now else 'cancel'}",
                value=pack(ModeChangeButton(answer=AnswerModeChange(card=card, now=now), channel=channel)),
            )
            for label, now in labels
        ],
    )


def _confirm(action: ActionName, question: str) -> ConfirmObject:
    return ConfirmObject(
        title=f"{LABEL[action]}?",
        text=PlainTextObject(text=question, emoji=False),
        confirm=LABEL[action],
        deny="Cancel",
    )
