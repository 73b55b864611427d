"""The list of live calls that a person may see, page by page; and the question which of several calls to act on. Pure.

`pbx_behind`: what to add to dates of the PBX to get wall-clock times.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.domain.actions import LABEL, ActionName
from bot.domain.calls import PhoneCall, PhoneCallView, Status
from bot.domain.clock import shift_call, shift_view
from bot.domain.commands import Offer
from bot.interventions.call_list import CallChoice, Line, Listing, since_when
from bot.slack.messages import (
    BUTTON_TEXT,
    FLOW,
    STATUS,
    Message,
    activity,
    button_element,
    escaped,
    headline,
    intervention_button,
    message,
    mrkdwn_context,
    other_party,
    plain,
    plain_context,
    plain_section,
    text_of,
    time_of_day,
)

MOST_CHOICES = 25
_WithCall = TypeVar("_WithCall", Line, CallChoice)


# ── the list ──


def call_list_message(listing: Listing, pbx_behind: timedelta = timedelta()) -> Message:
    """One page of the list, each line with the buttons for what this person may do."""
    listing = listing.model_copy(update={"lines": _at_wall(listing.lines, pbx_behind)})
    if not listing.lines:
        return _no_calls(listing)
    head = _headline(listing)
    notes = [*_which(listing), *_unread(listing)]
    blocks: list[Block] = [headline(head), *([plain_section(*notes)] if notes else [])]
    for number in range(len(listing.lines)):
        blocks += _line(listing, number)
    if listing.page.pages > 1:
        blocks.append(_turn(listing))
    read = [head, *notes, *(text for line in listing.lines for text in _sentences(line))]
    return message(text_of(read), blocks)


def _no_calls(listing: Listing) -> Message:
    """That there is no call to show, and what to do next."""
    words = _quoted(listing)
    lines = [f"No live calls{f' for {words}' if words else ''} on the extensions you may see."]
    if not listing.live:
        lines.append("Type /calls again when a phone rings there. What you can type: /calls help")
    else:
        others = "the one call that is live" if listing.live == 1 else f"all {listing.live} live calls"
        lines.append(f"/calls without words shows {others}.")
    lines += _unread(listing)
    return message(" ".join(escaped(line, 300) for line in lines), [plain_section(*lines)])


def _headline(listing: Listing) -> str:
    live = "1 live call" if listing.live == 1 else f"{listing.live} live calls"
    if not listing.words:
        return live
    found = listing.page.calls
    return f"{found} of {live} {'matches' if found == 1 else 'match'} {_quoted(listing)}"


def _quoted(listing: Listing) -> str:
    return f"“{' '.join(listing.words)}”" if listing.words else ""


def _which(listing: Listing) -> list[str]:
    """Which calls of how many are on this page. The views of one call stand together, and count once."""
    page, asked = listing.page, listing.command.page
    if page.pages == 1 and asked == 1:
        return []
    first, last = page.first_call, page.first_call + len({line.call.id for line in listing.lines}) - 1
    calls = f"Call {first}" if first == last else f"Calls {first}–{last}"
    gone = [f"There is no page {asked} any more; this is the last."] if asked > page.pages else []
    return [*gone, f"{calls} of {page.calls}"]


def _unread(listing: Listing) -> list[str]:
    if not listing.unread:
        return []
    return [f"{listing.unread} of {listing.scopes} lists could not be read: calls may be missing."]


def _turn(listing: Listing) -> Block:
    """*Previous* and *Next*, where there is such a page."""
    page, pages = listing.page.number, listing.page.pages
    elements = []
    for label, other in (("Previous", page - 1), ("Next", page + 1)):
        if 1 <= other <= pages:
            turned = Offer(listing.command.model_copy(update={"page": other}), listing.channel)
            elements.append(button_element(label, f"page:{label.lower()}", turned))
    return ActionsBlock(block_id=f"page-{page}", elements=elements)


# ── a line ──


def _line(listing: Listing, number: int) -> list[Block]:
    line = listing.lines[number]
    same = listing.page.goes_on if number == 0 else listing.lines[number - 1].call.id == line.call.id
    blocks: list[Block] = [plain_section(*_sentences(line)), mrkdwn_context(_times(line, same=same))]
    elements = [intervention_button(one, number) for one in line.buttons]
    if line.help_button is not None:
        elements.append(button_element("Ask for help", "hand:raise", line.help_button))
    if elements:
        blocks.append(ActionsBlock(block_id=f"call-{number}", elements=elements))
    return blocks


def _sentences(line: Line) -> list[str]:
    """Whose call it is, its state and the other party; and which supervisors are on it."""
    recorded = ", being recorded" if line.view.recording else ""
    sentence = f"{_agent(line)}: {activity(line.view)} {_other_party(line.view, line.names)}{recorded}"
    return [sentence, *_present(line)]


def _agent(one: Line | CallChoice) -> str:
    return one.agent if one.agent == one.view.extension else f"{one.agent} {one.view.extension}"


def _present(line: Line) -> list[str]:
    """The supervisors who are on the call. Their mode is not shown."""
    people = [*(["You"] if line.asker_present else []), *line.present]
    if not people:
        return []
    *others, last = people
    names = f"{', '.join(others)} and {last}" if others else last
    return [f"{names} {'are' if others or line.asker_present else 'is'} on it"]


def _times(line: Line, *, same: bool) -> str:
    """The direction of the call, what began when, and its id for `call=`. Only our own words, dates and ids."""
    view, begun = line.view, since_when(line.call, line.view)
    marks = (("on hold", view.on_hold), ("parked", view.parked), ("recorded", view.recording))
    state = "calling" if view.status is Status.OTHER_SIDE_RINGING else STATUS[view.status]
    parts = [
        FLOW[view.flow],
        f"{state} since {time_of_day(begun)}" if begun else "",
        *(f"{word} since {time_of_day(moment)}" for word, moment in marks if moment),
        "another side of the same call" if same else "",
        f"`call={line.call.id}`",
    ]
    return ", ".join(filter(None, parts))


def _other_party(view: PhoneCallView, names: dict[str, str]) -> str:
    return other_party(view, names) or f"view {view.id}"


# ── which call? ──


def choice_message(
    action: ActionName, offered: Sequence[CallChoice], now: datetime, pbx_behind: timedelta = timedelta()
) -> Message:
    """Several calls suit: a button for each, the longest call first, with the other party and the age."""
    ordered = sorted(_at_wall(offered, pbx_behind), key=_oldest_first)
    title = f"{LABEL[action]}: which call?"
    phones = {one.view.extension for one in ordered}
    whose = _agent(ordered[0]) if len(phones) == 1 else ordered[0].agent
    asked = f"Several calls of {whose} suit. Click the one you mean; nothing was sent yet."
    elements = [
        intervention_button(one.button, number, label)
        for number, (one, label) in enumerate(zip(ordered, _labels(ordered, now), strict=True))
    ]
    blocks: list[Block] = [headline(title), plain_section(asked)]
    blocks += [
        ActionsBlock(block_id=f"choose-{start}", elements=elements[start : min(start + 5, MOST_CHOICES)])
        for start in range(0, min(len(elements), MOST_CHOICES), 5)
    ]
    if len(ordered) > MOST_CHOICES:
        name = ordered[0].agent if len(phones) > 1 else min(phones)
        more = f"And {len(ordered) - MOST_CHOICES} more."
        blocks.append(plain_context(f"{more} /calls {name} shows every one with its id, to be named with call=ID."))
    return message(f"{title} {len(ordered)} calls suit.", blocks)


def _oldest_first(choice: CallChoice) -> tuple[datetime, str]:
    return (_begun(choice.call, choice.view) or datetime.max.replace(tzinfo=UTC), choice.call.id)


def _begun(call: PhoneCall, view: PhoneCallView) -> datetime | None:
    return since_when(call, view) or call.published


def _labels(offered: Sequence[CallChoice], now: datetime) -> list[str]:
    """The other party and the age; the extension and the view where there are several.

    Equal labels get the ends of the call ids, which `/calls` shows.
    """
    phones = {one.view.extension for one in offered}
    sides = Counter((one.call.id, one.view.extension) for one in offered)
    details = [
        (
            f", on {one.view.extension}" if len(phones) > 1 else "",
            f", view {one.view.id}" if sides[one.call.id, one.view.extension] > 1 else "",
        )
        for one in offered
    ]
    labels = [_label(one, "".join(detail), now) for one, detail in zip(offered, details, strict=True)]
    same = Counter(labels)
    return [
        _label(one, f"{''.join(detail)}, call …{one.call.id[-4:]}", now) if same[label] > 1 else label
        for one, detail, label in zip(offered, details, labels, strict=True)
    ]


def _label(choice: CallChoice, detail: str, now: datetime) -> str:
    begun = _begun(choice.call, choice.view)
    rest = f"{f', {_age(now - begun)}' if begun else ''}{detail}"
    return plain(
        f"{plain(_other_party(choice.view, choice.names), max(20, BUTTON_TEXT - len(rest)))}{rest}", BUTTON_TEXT
    )


def _age(age: timedelta) -> str:
    """The age in words, never negative: the PBX's clock may be ahead."""
    seconds = max(0, int(age.total_seconds()))
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


# ── time ──


def _at_wall(lines: Iterable[_WithCall], pbx_behind: timedelta) -> tuple[_WithCall, ...]:
    """The lines with wall-clock times. Their buttons keep the dates of the PBX, by which it knows the call."""
    if not pbx_behind:
        return tuple(lines)
    return tuple(
        line.model_copy(update={"call": shift_call(line.call, pbx_behind), "view": shift_view(line.view, pbx_behind)})
        for line in lines
    )
