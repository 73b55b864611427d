"""The live calls that one person may know of: all for `/calls`, a few where a request may mean several."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property, partial
from typing import NamedTuple

from pydantic import BaseModel

from bot.domain.actions import RINGS_PHONE, ActionName, fitting_actions
from bot.domain.calls import EXTENSION, PhoneCall, PhoneCallView, Status
from bot.domain.commands import AskForHelp, Intervene, ListCalls, Offer, Target, mentioned
from bot.domain.errors import NotSuitable, Refusal
from bot.domain.foreign_text import folded
from bot.domain.intervention import UNDECIDED, Intervention
from bot.domain.legs import NOTHING_KNOWN, Known, own_views, talks, without_legs
from bot.domain.permissions import Permissions, Person, names_on
from bot.interventions.checks import refuse_if_inside
from bot.interventions.planner import CallAndView, refuse_other_organisation_or_own_phone
from bot.tasks import in_slices

LISTED_WITHIN = 8.0
"""Seconds that the reading of all lists may take; what is not read by then is missing, and the answer says so."""
LINES_ON_A_PAGE = 12
"""Three blocks each, and at most five around them: well below the 50 of one Slack message."""


class CallChoice(BaseModel, frozen=True):
    """One call, seen from one view of the target's, that the action would fit, and the button that does it."""

    call: PhoneCall
    view: PhoneCallView
    agent: str
    names: dict[str, str] = {}
    """Of the other parties, by their numbers."""
    button: Offer[Intervene]


class Line(BaseModel, frozen=True):
    """One side of a live call in the list of `/calls`: a button for each thing that this person may do to it."""

    call: PhoneCall
    view: PhoneCallView
    agent: str
    names: dict[str, str] = {}
    """Of the other parties, by their numbers."""
    present: tuple[str, ...] = ()
    """The other supervisors who are on it, as far as the asker may know."""
    asker_present: bool = False
    buttons: tuple[Offer[Intervene], ...] = ()
    help_button: Offer[AskForHelp] | None = None
    """Where it is the asker's own call, and there is a channel for help requests."""


class ListPage(NamedTuple):
    """One page of the lines of a list, all sides of a call together."""

    number: int = 1
    pages: int = 1
    start: int = 0
    end: int = 0
    """Its lines: from `start` on, before `end`."""
    calls: int = 0
    """Calls on all pages."""
    first_call: int = 1
    """Which of them the first line is of, counted from 1."""
    goes_on: bool = False
    """That one is the last of the page before, too."""


class Listing(BaseModel, frozen=True):
    """What one person may know of the live calls: one page of those lines that match every word."""

    command: ListCalls
    words: tuple[str, ...] = ()
    """As people read them: a mention is the person's name."""
    channel: str
    lines: tuple[Line, ...] = ()
    """Those of the page."""
    page: ListPage = ListPage()
    live: int = 0
    """Calls that this person may know of, whether they match or not."""
    scopes: int = 0
    unread: int = 0
    """How many lists the PBX was asked for, and how many of them could not be read."""


def offered_choice(intervene: Intervene, one: CallAndView, channel: str, permissions: Permissions) -> CallChoice:
    """One of several calls that suit, with the button that means it."""
    return CallChoice(
        call=one.call,
        view=one.view,
        agent=permissions.name_of(one.extension),
        names=names_on(one.view, permissions),
        button=Offer(intervene.on_call(one.extension, one.call, one.view.id), channel),
    )


def since_when(call: PhoneCall, view: PhoneCallView) -> datetime | None:
    """When what this side of the call does now began: a conversation when it was answered, all else with the call."""
    if view.on_call:
        return view.answered or call.answered
    return call.published or view.ringing


# ── the list of one person ──


@dataclass(frozen=True)
class Viewer:
    """Somebody who asks for the live calls from one channel, and what they may see."""

    person: Person
    channel: str
    permissions: Permissions
    tracked: tuple[Intervention, ...] = ()
    """All open interventions."""
    known: Mapping[str, Known] = field(default_factory=dict)
    """What callbot knows of the views of calls, by call id."""
    may_ask_for_help: bool = False
    """There is a channel for help requests."""

    @cached_property
    def own(self) -> frozenset[str]:
        """The phones of this person, those that only the directory knows included."""
        return frozenset(self.permissions.extensions_of(self.person.slack_user))

    @cached_property
    def tracked_in(self) -> Mapping[str, tuple[Intervention, ...]]:
        """The open interventions by call id."""
        found: dict[str, tuple[Intervention, ...]] = {}
        for one in self.tracked:
            found[one.call_id] = (*found.get(one.call_id, ()), one)
        return found

    @cached_property
    def acts_on(self) -> Callable[[str], bool]:
        """Whether this person may do anything on an extension. Each is asked for in many calls, and found out once."""
        return cache(lambda extension: any(self.may(action, extension) for action in ActionName))

    def known_of(self, call: PhoneCall) -> Known:
        """What callbot knows of the views of this call."""
        return self.known.get(call.id, NOTHING_KNOWN)

    def may(self, action: ActionName, extension: str) -> bool:
        """Whether this person may do this there, from this channel."""
        return self.permissions.allows(self.person, action, extension, self.channel)


class _Side(NamedTuple):
    """One view of a call that a person may know of, before anything is said of it."""

    call: PhoneCall
    view: PhoneCallView
    alone: bool
    """It is the only view of its extension that there is to choose from."""


class _Search(NamedTuple):
    """One word of `/calls`: a part of a name or number, or a mention of a person. `shown` is how it is repeated."""

    shown: str
    part: str = ""
    extensions: frozenset[str] | None = None

    def finds(self, numbers: Collection[str], words: Callable[[], str]) -> bool:
        """Whether it means a side of a call with these numbers; `words` is what else is said of it, folded."""
        if self.extensions is not None:
            return not self.extensions.isdisjoint(numbers)
        return self.part in words()


def _search(word: str, viewer: Viewer) -> _Search:
    user = mentioned(word)
    if user is None:
        return _Search(shown=word, part=folded(word))
    person = viewer.permissions.people.get(user)
    try:
        meant = viewer.permissions.extensions_meant(Target(kind="person", text=user), viewer.person)
    except NotSuitable:
        return _Search(shown="a person I don't know", extensions=frozenset())
    return _Search(shown=person.name if person else viewer.permissions.name_of(meant[0]), extensions=frozenset(meant))


async def live_calls(
    viewer: Viewer, command: ListCalls, calls: Iterable[PhoneCall], *, scopes: int = 0, unread: int = 0
) -> Listing:
    """Of these calls what this person may know, those that match every word, the longest ringing first: one page of it.

    `unread` of the `scopes` that show calls could not be read, so that calls may be missing. All calls are filtered and
    sorted, in slices; only what is on the page is worked out.
    """
    searches = [_search(word, viewer) for word in command.words]
    live, found = 0, list[tuple[tuple[bool, float, str], list[_Side]]]()
    async for call in in_slices(calls):
        sides = _sides(viewer, call)
        live += bool(sides)
        matching = [
            side
            for side in sides
            if all(each.finds(_numbers(side.view), partial(_words, viewer, side)) for each in searches)
        ]
        if matching:
            found.append((_longest_ringing_first(sides), matching))
    found.sort(key=lambda one: one[0])
    matches = [side for _, sides in found for side in sides]
    page = page_of([side.call.id for side in matches], command.page)
    return Listing(
        command=command,
        words=tuple(each.shown for each in searches),
        channel=viewer.channel,
        lines=tuple(_line(viewer, side) for side in matches[page.start : page.end]),
        page=page,
        live=live,
        scopes=scopes,
        unread=unread,
    )


def page_of(lines: Sequence[str], wanted: int) -> ListPage:
    """The page that is wanted, or the last one, of these lines, each given as the id of its call."""
    pages = max(1, -(-len(lines) // LINES_ON_A_PAGE))
    number = min(wanted, pages)
    start = (number - 1) * LINES_ON_A_PAGE
    before = dict.fromkeys(lines[:start])
    goes_on = 0 < start < len(lines) and lines[start] == lines[start - 1]
    return ListPage(
        number=number,
        pages=pages,
        start=start,
        end=min(start + LINES_ON_A_PAGE, len(lines)),
        calls=len(dict.fromkeys(lines)),
        first_call=len(before) + (not goes_on),
        goes_on=goes_on,
    )


def _longest_ringing_first(sides: list[_Side]) -> tuple[bool, float, str]:
    call = sides[0].call
    rings = any(side.view.status is Status.RINGING for side in sides)
    return (not rings, call.published.timestamp() if call.published else float("inf"), call.id)


def _sides(viewer: Viewer, call: PhoneCall) -> list[_Side]:
    """Each side of the call that this person may know of, the one that rings first.

    None where a party is protected. A leg protects nothing from the phone's owner, who would learn of it by that.
    """
    seen = {view.extension for view in call.views if viewer.acts_on(view.extension) or view.extension in viewer.own}
    extensions = sorted(extension for extension in seen if EXTENSION.fullmatch(extension))
    if not extensions:
        return []
    if viewer.permissions.protects(call):
        own = [extension for extension in extensions if extension in viewer.own]
        if not own or viewer.permissions.protects(without_legs(call, viewer.known_of(call), viewer.permissions)):
            return []
        extensions = own
    sides = [side for extension in extensions for side in _sides_of(viewer, call, extension)]
    return sorted(sides, key=lambda side: side.view.status is not Status.RINGING)


def _sides_of(viewer: Viewer, call: PhoneCall, extension: str) -> list[_Side]:
    views = _own_views(viewer, call, extension)
    return [_Side(call, view, alone=len(views) == 1) for view in views]


def _own_views(viewer: Viewer, call: PhoneCall, extension: str) -> tuple[PhoneCallView, ...]:
    return own_views(call, extension, viewer.known_of(call), viewer.permissions, owner=extension in viewer.own)


def _line(viewer: Viewer, side: _Side) -> Line:
    """What is shown of one side. A party of the call does not learn which supervisors are on it."""
    call, view = side.call, side.view
    own = view.extension in viewer.own
    on_it = _on_it(viewer, side)
    return Line(
        call=call,
        view=view,
        agent=viewer.permissions.name_of(view.extension),
        names=names_on(view, viewer.permissions),
        present=_present(viewer, on_it),
        asker_present=not on_it.keys().isdisjoint(viewer.own),
        buttons=_buttons(viewer, call, view, named=not side.alone),
        help_button=_help_button(viewer, call, view.extension) if own and viewer.may_ask_for_help else None,
    )


def _present(viewer: Viewer, on_it: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted({name for phone, name in on_it.items() if phone not in viewer.own}))


def _on_it(viewer: Viewer, side: _Side) -> dict[str, str]:
    """The supervisors who are on this side of the call, by their phones: proven by us, or seen as a leg."""
    call, extension = side.call, side.view.extension
    if talks(call, viewer.own, viewer.known_of(call), viewer.permissions):
        return {}
    own, supervisors = _own_views(viewer, call, extension), viewer.permissions.supervisors_of(extension)
    legs = (view for view in call.views if view.extension == extension and view.on_call and view not in own)
    seen = {
        number: viewer.permissions.name_of(number) for leg in legs for number in leg.source if number in supervisors
    }
    ours = {
        one.phone: one.supervisor
        for one in viewer.tracked_in.get(call.id, ())
        if one.in_call and one.extension == extension and not call.is_another_than(one.call)
    }
    return {**seen, **ours}


def _numbers(view: PhoneCallView) -> tuple[str, ...]:
    return (view.extension, *view.source, *view.destination)


def _words(viewer: Viewer, side: _Side) -> str:
    """All that a word may be looked for in, of what this person is shown."""
    view, permissions = side.view, viewer.permissions
    row = permissions.directory.by_extension.get(view.extension)
    team = row.team if row is not None and row.team is not None else ""
    names = (permissions.name_of(view.extension), team, view.caller_id, *names_on(view, permissions).values())
    return folded(" ".join((*_numbers(view), *names, *_present(viewer, _on_it(viewer, side)))))


def _buttons(viewer: Viewer, call: PhoneCall, view: PhoneCallView, *, named: bool) -> tuple[Offer[Intervene], ...]:
    """One for each thing that this person may do now. It names the view only where a call has several to choose from."""
    extension = view.extension
    target = Target(kind="extension", text=extension)
    return tuple(
        Offer(
            Intervene(action=action, target=target).on_call(extension, call, view.id if named else None), viewer.channel
        )
        for action in fitting_actions(view)
        if viewer.may(action, extension) and _makes_sense(viewer, action, call, extension)
    )


def _help_button(viewer: Viewer, call: PhoneCall, extension: str) -> Offer[AskForHelp]:
    return Offer(AskForHelp(extension=extension, call=call.id, published=call.published), viewer.channel)


def _makes_sense(viewer: Viewer, action: ActionName, call: PhoneCall, extension: str) -> bool:
    """Whether nothing is in the way: one's own phone, another organisation, or what one's phone is busy with."""
    phone = viewer.person.phone
    if action not in RINGS_PHONE:
        return extension not in viewer.own
    current = [one for one in viewer.tracked_in.get(call.id, ()) if _uses_phone(one, viewer.person, call)]
    try:
        refuse_other_organisation_or_own_phone(action, extension, phone, viewer.own)
        if not current:
            refuse_if_inside(action, call, phone)
    except Refusal:
        return False
    busy = any(one.state in UNDECIDED or one.name is ActionName.PICK_UP for one in current)
    return not busy and all(one.name is not action for one in current)


def _uses_phone(one: Intervention, person: Person, call: PhoneCall) -> bool:
    """Whether this person's phone is busy with it, or may be, in this call."""
    theirs = (one.slack_user, one.call_id) == (person.slack_user, call.id)
    return theirs and one.name in RINGS_PHONE and (one.state in UNDECIDED or one.in_call)
