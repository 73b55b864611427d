"""What every message is built from: sections, buttons, text of others made safe, words for calls. Pure.

Text from the PBX or from people cannot notify, link, format or fake a line. In plain_text, which Slack does not parse,
`plain` is enough. In mrkdwn and in the top-level `text` use `escaped`: Slack reads bare addresses, `@here`, `:emoji:` and
`*stars*` there too ("Formatting message text", docs.slack.dev). mrkdwn is for our own words and for dates, which plain_text
cannot show. `text` is what a notification shows and a screen reader reads.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import (
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
from bot.domain.calls import Flow, PhoneCallView, Status, caller_numbers
from bot.domain.commands import Command, Intervene, Offer
from bot.domain.foreign_text import visible_line
from bot.slack.button_codec import pack

MOST_BLOCKS = 50
MOST_CHARACTERS = 3000
MOST_FIELDS = 10
BUTTON_TEXT = 75
"""Limits of a message, a text, a section, a button's label (Block Kit reference)."""

STATUS = {
    Status.UNKNOWN: "state unknown",
    Status.OFF_HOOK: "off the hook",
    Status.TRYING: "being called",
    Status.RINGING: "ringing",
    Status.OTHER_SIDE_RINGING: "the other side rings",
    Status.ON_CALL: "on call",
}
FLOW = {
    Flow.UNKNOWN: "",
    Flow.LOCAL: "internal",
    Flow.OUTGOING: "outgoing",
    Flow.INCOMING: "incoming",
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


def text_of(sentences: Iterable[str]) -> str:
    """The text of a message, from sentences that may hold foreign text."""
    return " ".join(f"{escaped(sentence.removesuffix('.'), 300)}." for sentence in sentences)


def headline(text: str) -> Block:
    """A headline; it may hold foreign text."""
    return HeaderBlock(text=PlainTextObject(text=plain(text, 150), emoji=False))


def plain_section(*lines: str) -> Block:
    """A paragraph of plain text; it may hold foreign text."""
    text = "\n".join(plain(line, 700) for line in lines)
    return SectionBlock(text=PlainTextObject(text=text[:MOST_CHARACTERS], emoji=False))


def mrkdwn_section(text: str) -> Block:
    """A paragraph of mrkdwn: our own words, dates, and escaped foreign text."""
    return SectionBlock(text=MarkdownTextObject(text=text[:MOST_CHARACTERS], verbatim=True))


def fields_section(*fields: PlainTextObject | MarkdownTextObject) -> Block:
    """Short fields, two beside each other."""
    return SectionBlock(fields=list(fields[:MOST_FIELDS]))


def field(label: str, value: str) -> PlainTextObject:
    """One field; the value may be foreign text."""
    return PlainTextObject(text=f"{label}: {plain(value)}", emoji=False)


def date_field(label: str, moment: datetime) -> MarkdownTextObject:
    """One field with a time of day."""
    return MarkdownTextObject(text=f"{label} {time_of_day(moment)}", verbatim=True)


def plain_context(text: str) -> Block:
    """A line of plain text in small print; it may hold foreign text."""
    return ContextBlock(elements=[PlainTextObject(text=plain(text, 700), emoji=False)])


def mrkdwn_context(text: str) -> Block:
    """A line of mrkdwn in small print: our own words, dates, and escaped foreign text."""
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def time_of_day(moment: datetime) -> str:
    """A time of day in the reader's time zone; where Slack cannot show that, in UTC."""
    utc = moment.astimezone(UTC)
    return f"<!date^{int(utc.timestamp())}^{{time_secs}}|{utc:%H:%M:%S} UTC>"


def time_and_how_long_ago(moment: datetime) -> str:
    """A time of day, and how long ago that is, which Slack keeps up to date (`{ago}`, "Formatting message text")."""
    return time_of_day(moment).replace("{time_secs}", "{time_secs} ({ago})")


def duration_text(duration: timedelta) -> str:
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


# ── buttons ──


def button_element(
    label: str, action_id: str, offer: Offer[Command], *, style: str | None = None, confirm: ConfirmObject | None = None
) -> ButtonElement:
    """A button; the label may hold foreign text."""
    return ButtonElement(
        text=PlainTextObject(text=plain(label, BUTTON_TEXT), emoji=False),
        action_id=action_id,
        value=pack(offer),
        style=style,
        confirm=confirm,
    )


def intervention_button(offer: Offer[Intervene], number: int = 0, label: str = "") -> ButtonElement:
    """A button that acts on a call, labelled with its action if no label is given. Barge in and Record ask for confirmation.

    `number`: tells buttons of one action in one message apart.
    """
    action = offer.command.action
    confirm = None
    if action in QUESTION:
        question = PlainTextObject(text=QUESTION[action], emoji=False)
        confirm = ConfirmObject(title=f"{LABEL[action]}?", text=question, confirm=LABEL[action], deny="Cancel")
    style = "danger" if action is ActionName.BARGE_IN else None
    return button_element(label or LABEL[action], f"intervene:{action}:{number}", offer, style=style, confirm=confirm)


# ── text of others ──

_EXACT = re.compile(r"(?<![\w*+])([0-9X]{1,16}\*[0-9X]{1,16}|\+?[0-9]{1,32})(?![\w*])")
"""Extensions, their patterns, and numbers, which stay as they are: a star inside a word is no formatting."""
_HARMLESS = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "_": "＿", "~": "～", "`": "ˋ", "@": "＠", "#": "＃"}
)
"""Escapes, and lookalikes that mean nothing to Slack."""
_EMOJI = re.compile(r":(?=[^\s:]+:)")
_ENTITY = re.compile(r"&(?=#?\w{1,10};)")
"""An HTML entity in the text, which would become markup if a reader unescapes twice."""
_DOMAIN = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2})")
"""The dot before what may be a top-level domain. Which letters and digits may end one, only Slack knows."""
_NUMBER = re.compile(r"<?[+0-9*][0-9*() ./-]*>?|")
_CALLER_ID = re.compile(r"(.*?) ?(<[+0-9*][0-9*() ./-]*>)")
_QUOTES = str.maketrans(dict.fromkeys('“”„‟«»‹›"″〝〞〟＂「」『』', "'"))
_LONGEST_NAME, _LONGEST_CALLER_ID = 60, 1000


def plain(text: str, limit: int = 120) -> str:
    """The visible text on one line, at most `limit` characters; a dash if nothing is left. For plain_text objects."""
    line = visible_line(text[: limit * 8])  # the rest would be cut anyway, and cleaning it takes time
    if len(line) > limit:
        line = line[: limit - 1].rstrip(" \u200c\u200d") + "…"  # a joiner at the cut would join nothing
    return line or "–"


def escaped(text: str, limit: int = 120) -> str:
    """The visible text on one line for mrkdwn: Slack shows every character and interprets none."""
    line = _ENTITY.sub("＆", plain(text, limit))
    line = _DOMAIN.sub("․", _EMOJI.sub("꞉", line).replace("://", "꞉//"))
    parts = _EXACT.split(line)
    parts[::2] = [between.translate(_HARMLESS) for between in parts[::2]]
    return "".join(parts)


def quoted_caller(caller_id: str) -> str:
    """A caller id with its name in quotation marks: callers choose it, so it must not read like a word of callbot."""
    text = visible_line(caller_id[:_LONGEST_CALLER_ID])
    if _NUMBER.fullmatch(text):
        return text
    named = _CALLER_ID.fullmatch(text)
    name, number = (named[1], f" {named[2]}") if named else (text, "")
    name = name.translate(_QUOTES).strip(" '")
    if _NUMBER.fullmatch(name):
        return f"{name}{number}".strip()
    return f"“{name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + '…'}”{number}"


# ── what is said of a call ──


def activity(view: PhoneCallView) -> str:
    """What this view does, up to the name of the other party: "on hold with"."""
    if view.parked:
        return "parked with"
    if view.on_call and view.on_hold:
        return "on hold with"
    return "calling" if view.status is Status.OTHER_SIDE_RINGING else f"{STATUS[view.status]} with"


def other_party(view: PhoneCallView, names: Mapping[str, str]) -> str:
    """The other party of a view; empty if it is not known.

    The caller id is the other party's only on incoming calls.
    """
    own = {view.extension, view.extension.partition("*")[2]}
    calls = view.flow is Flow.OUTGOING or not own.isdisjoint(view.source)
    if view.caller_id and not calls:
        known = next((number for number in caller_numbers(view.caller_id) if number in names), None)
        return quoted_caller(view.caller_id) if known is None else f"{names[known]} {known}"
    others = [number for number in (*view.source, *view.destination) if number not in own]
    people = [f"{names[number]} {number}" if number in names else quoted_caller(number) for number in others]
    return ", ".join(dict.fromkeys(people))
