"""What callbot says privately: refusals, questions, lists, help. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.actions import LABEL, ActionName
from bot.commands import EXAMPLES, Verb
from bot.phonecalls import PhoneCallView, Status
from bot.ports import CardElsewhere, Choice, Line, Request
from bot.slack.foreign import escaped, foreign, plain
from bot.slack.messages import STATUS, Message, act, buttons, headline, message, our_words, said, since, small

MOST_CHOICES = 25
MOST_LINES = 15

HELP = {
    Verb.MONITOR: "listen silently; nobody hears you",
    Verb.WHISPER: "speak to the agent only; with private you do not hear the call",
    Verb.BARGE: "join the conversation; everyone hears you",
    Verb.PICKUP: "take a ringing call: it is yours then",
    Verb.RECORD: "start recording; with stop, stop recording",
}


def refusal(text: str, request: str) -> Message:
    """Nothing was done, and why. The request's id is the one in the log."""
    return message(foreign(text, 2800), [said(text), small(f"Request {request}")])


def choices(action: ActionName, offered: Sequence[Choice], now: datetime) -> Message:
    """Several calls suit: a button for each, labelled by the other party and the age of the call."""
    title = f"{LABEL[action]}: which call?"
    elements = [act(one.button, _other_party_and_age(one, now), number) for number, one in enumerate(offered)]
    blocks: list[Block] = [headline(title), said("Several calls suit. Press the one you mean; nothing was sent yet.")]
    blocks += [
        ActionsBlock(block_id=f"choose-{start}", elements=elements[start : start + 5])
        for start in range(0, min(len(elements), MOST_CHOICES), 5)
    ]
    if len(offered) > MOST_CHOICES:
        blocks.append(small(f"And {len(offered) - MOST_CHOICES} more. Name one with call=ID."))
    return message(f"{title} {len(offered)} calls suit.", blocks)


def _other_party_and_age(choice: Choice, now: datetime) -> str:
    view = choice.view
    begun = view.answered or view.ringing or choice.call.published
    age = f", {_age(now - begun)}" if begun is not None else ""
    return f"{plain(_other_party(view), 50)}{age}"


def _other_party(view: PhoneCallView) -> str:
    """Who is at the other end: the caller id if there is one, else the numbers that are not the extension's own."""
    others = [number for number in (*view.source, *view.destination) if number != view.extension]
    return view.caller_id or ", ".join(others) or f"view {view.id}"


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


def live_calls(lines: Sequence[Line], words: Sequence[str]) -> Message:
    """The live calls, each with the buttons of what this person may do to it."""
    filtered = f" for “{' '.join(words)}”" if words else ""
    if not lines:
        text = f"No live calls{filtered} on the extensions you may see."
        return message(foreign(text, 300), [said(text)])
    calls = len({line.call.id for line in lines})
    many = "1 live call" if calls == 1 else f"{calls} live calls"
    blocks: list[Block] = [headline(f"{many}{filtered}")]
    for number, line in enumerate(lines[:MOST_LINES]):
        blocks += _line(line, number)
    if len(lines) > MOST_LINES:
        blocks.append(small(f"And {len(lines) - MOST_LINES} more: /calls with a name or a number shows fewer."))
    return message(foreign(f"{many}{filtered}", 300), blocks)


def _line(line: Line, number: int) -> list[Block]:
    view = line.view
    state = "on hold" if view.on_call and view.on_hold else STATUS[view.status]
    begun = line.call.published if view.status is Status.RINGING else view.answered
    agent = line.agent if line.agent == view.extension else f"{line.agent} {view.extension}"
    blocks: list[Block] = [said(f"{agent}: {state} with {_other_party(view)}")]
    if begun is not None:
        blocks.append(our_words(since("Since", begun).text))
    if line.buttons:
        blocks.append(buttons(line.buttons, f"call-{number}"))
    return blocks


def help_text() -> Message:
    """Every command with one example each."""
    lines = [f"`{escaped(EXAMPLES[verb])}`: {HELP[verb]}" for verb in Verb]
    lines += [
        "`/record 0003*210 stop`: stop recording",
        "`/calls`: the live calls with buttons; `/calls bob` those that match a name or a number",
        "`/calls monitor 0003*210`: the same as `/monitor 0003*210`, for every command",
    ]
    options = (
        "Name an extension (0003*210), a short one (210) or a person (@bob). Options: call=ID, view=ID, "
        'wait=SECONDS (1 to 300), as="John Doe <+15550100>". Your own phone rings first; to leave, hang it up.'
    )
    text = "What callbot understands: " + ", ".join(f"/{verb}" for verb in Verb) + ", /calls."
    return message(text, [headline("What callbot understands"), our_words("\n".join(lines)), said(options)])


ELSEWHERE = {
    CardElsewhere.NO: "",
    CardElsewhere.SILENT: "Monitor and Whisper are silent, and an agent may read this channel, "
    "so your card is in your direct messages from callbot.",
    CardElsewhere.THERE_ALREADY: "Your card for this call is already in your direct messages from callbot, and is updated there.",
    CardElsewhere.NO_ACCESS: "callbot may not post here: your card is in the direct message from callbot. "
    "To see cards here, invite it: /invite @callbot",
}


def elsewhere(why: CardElsewhere) -> Message:
    """Where the card is, and why not here."""
    return message(ELSEWHERE[why], [said(ELSEWHERE[why])])


def interrupted(request: Request) -> Message:
    """A restart cut a request off before anything was sent."""
    text = f"callbot was restarted just when you asked for “{request.said}”. Nothing was sent. Please ask again."
    return message(foreign(text, 2800), [said(text)])
