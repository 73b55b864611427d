"""Private answers that are no list of calls: refusals, help, where a card is. Pure."""

import html
import re

from slack_sdk.models.blocks import ActionsBlock

from bot.domain.commands import Intervene, Offer, Request
from bot.interventions.card import CardElsewhere
from bot.slack.command_parser import EXAMPLES, HELP_ME_EXAMPLE, Verb
from bot.slack.messages import (
    Message,
    escaped,
    headline,
    intervention_button,
    message,
    mrkdwn_section,
    plain,
    plain_context,
    plain_section,
)

HELP = {
    Verb.MONITOR: "listen silently; nobody hears you",
    Verb.WHISPER: "speak to the agent only; with private you do not hear the call",
    Verb.BARGE: "join the conversation; everyone hears you",
    Verb.PICKUP: "take a ringing call: it is yours then",
    Verb.RECORD: "start recording; with stop, stop recording",
}
WHOM = (
    "Name an extension (0003*210), a short one of your own organisation (210), or a person (@bob: all their phones).",
    "Where several calls suit, callbot asks which. Your own phone rings first; to leave a call, hang it up.",
    "Every command works behind /calls too: /calls monitor 0003*210.",
)
HELP_ON_OPTIONS = (
    "Options, in any order after the name:",
    "call=ID: which call, where there are several; /calls shows the ids",
    "view=ID: which side of the call, where it has several",
    "wait=SECONDS: how long your phone rings, 1 to 300; 25 if left out (not with record)",
    'as="John Doe <+15550100>": what your phone shows as the caller (not with record)',
    "private: with whisper; you do not hear the call",
    "format=wav or format=wav49: with record",
    "stop: with record; ends the recording",
)


def refusal_message(text: str, request: str) -> Message:
    """Why nothing was done, with the id of the request in the log."""
    return message(escaped(text, 2800), [plain_section(text), plain_context(f"Request {request}")])


def phone_not_registered_message(text: str, anyway: Offer[Intervene], request: str) -> Message:
    """The person's own phone could not ring; a button tries it anyway."""
    insist = ActionsBlock(block_id=f"anyway-{request}", elements=[intervention_button(anyway, label="Ring anyway")])
    return message(escaped(text, 2800), [plain_section(text), insist, plain_context(f"Request {request}")])


def help_message() -> Message:
    """Every command with an example, how to name extensions and people, and every option."""
    lines = [f"`{html.escape(EXAMPLES[verb], quote=False)}`: {HELP[verb]}" for verb in Verb]
    lines += [
        "`/calls bob`: the live calls that match a name or a number, with buttons; without words, all of them",
        f"`{html.escape(HELP_ME_EXAMPLE, quote=False)}`: ask your team for help with the call you are in",
        "`/calls help`: this list",
    ]
    text = "What callbot understands: " + ", ".join(f"/{verb}" for verb in Verb) + ", /calls."
    blocks = [
        headline("What callbot understands"),
        mrkdwn_section("\n".join(lines)),
        plain_section(*WHOM),
        plain_section(*HELP_ON_OPTIONS),
    ]
    return message(text, blocks)


CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
"""A channel id; `<#…>` shows the name to people who may see the channel ("Formatting message text")."""
ELSEWHERE = {
    CardElsewhere.SILENT: "Monitor and Whisper are silent, and an agent may read this channel, "
    "so your card is in your direct messages from callbot.",
    CardElsewhere.THERE_ALREADY: "Your card for this call is already in your direct messages from callbot, and is updated there.",
    CardElsewhere.NO_ACCESS: "callbot may not post here: your card is in the direct message from callbot. "
    "To see cards here, invite it: /invite @callbot",
}


def card_elsewhere_message(why: CardElsewhere) -> Message:
    """Where the card is, and why it is not here. Not for CardElsewhere.NO."""
    return message(ELSEWHERE[why], [plain_section(ELSEWHERE[why])])


def help_requested_message(channel: str) -> Message:
    """Where the help request is posted."""
    where = f"<#{channel}>" if CHANNEL.fullmatch(channel) else "your team's channel"
    text = f"Your help request is in {where}. A direct message from callbot will tell you who is coming."
    return message(text, [mrkdwn_section(text)])


def help_not_seen_message() -> Message:
    """To an agent who asked for help: Slack does not accept the card in the channel."""
    text = (
        "Your help request is not in its channel: Slack does not let callbot post there, so nobody has seen it. "
        "Ask somebody directly, and tell the people who run callbot. It is posted as soon as the channel accepts it."
    )
    return message(text, [plain_section(text)])


def help_coming_message(name: str) -> Message:
    """To an agent who asked for help: who is coming."""
    text = f"{plain(name)} is on it: help is coming."
    return message(escaped(text, 300), [plain_section(text)])


def interrupted_message(request: Request) -> Message:
    """A restart interrupted a request before anything was sent."""
    text = f"callbot was restarted just when you asked for “{request.said}”. Nothing was sent. Please ask again."
    return message(escaped(text, 2800), [plain_section(text)])


def never_sent_message() -> Message:
    """The last content of a card whose request waited for a busy phone when callbot was restarted."""
    lines = (
        "Ended: nothing was sent",
        "Your phone was busy, and callbot was restarted. Ask again if you still need it.",
    )
    return message(". ".join(lines), [headline(lines[0]), plain_section(lines[1])])
