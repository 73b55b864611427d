"""Reading the live calls: those that one request may mean, and for `/calls` those that one person may know of."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from bot.actions import RECORDING, ActionName
from bot.authorization import AuthorizationMap, Person
from bot.buttons import Button, HandButton
from bot.commands import Intervene, ListCalls, RaiseHand, Target, mentioned
from bot.errors import ExtensionInvalid, NotSuitable, Refusal, UserInvalid
from bot.following import UNDECIDED, Intervention
from bot.guarding import refuse_if_inside
from bot.phonecalls import EXTENSION, PhoneCall, PhoneCallView, Status, caller_numbers, organisation
from bot.planning import Suitable, button, check_phone, fitting_actions, own_views
from bot.ports import Choice, Line, Listing, PhoneCalls

LISTED_WITHIN = 8.0
"""Seconds that the reading of all lists may take; what is not read by then is missing, and the answer says so."""
MOMENT = 0.3
"""Seconds after which an empty answer is asked for once more."""
_LAST = datetime.max.replace(tzinfo=UTC)


async def calls_meant(
    intervene: Intervene,
    extensions: tuple[str, ...],
    rules: AuthorizationMap,
    phone_calls: PhoneCalls,
    sleep: Callable[[float], Awaitable[object]],
) -> list[tuple[str, PhoneCall]]:
    """The calls that a request may mean, as the PBX shows them now, with the extension that each was asked for."""
    return await live_on(intervene.call, extensions, rules, phone_calls, sleep)


async def live_on(
    call_id: str | None,
    extensions: tuple[str, ...],
    rules: AuthorizationMap,
    phone_calls: PhoneCalls,
    sleep: Callable[[float], Awaitable[object]],
) -> list[tuple[str, PhoneCall]]:
    """The calls of these extensions, or the one of that id, each with the extension that it was asked for.

    Where the PBX shows none it is asked once more, a moment later: a list may be empty for a moment. Raises PbxError.
    """
    found = await _calls_of(call_id, extensions, rules, phone_calls)
    if not found:
        await sleep(MOMENT)
        found = await _calls_of(call_id, extensions, rules, phone_calls)
    return found


async def _calls_of(
    call_id: str | None, extensions: tuple[str, ...], rules: AuthorizationMap, phone_calls: PhoneCalls
) -> list[tuple[str, PhoneCall]]:
    """The calls of all these extensions. One that the PBX does not know has none, if another has one."""

    async def on(extension: str) -> list[tuple[str, PhoneCall]]:
        user = rules.owner(extension)
        if call_id is None:
            return [(extension, call) for call in await phone_calls.list(user, extension)]
        call = await phone_calls.get(user, extension, call_id)
        return [] if call is None else [(extension, call)]

    # All at once: however many phones a person has, the reads of one request end when the slowest does.
    answers = await asyncio.gather(*map(on, extensions), return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    found = [one for answer in answers if not isinstance(answer, BaseException) for one in answer]
    serious = [failure for failure in failures if not isinstance(failure, ExtensionInvalid | UserInvalid)]
    if serious or (failures and not found):
        raise (serious or failures)[0]
    return found


def choice(intervene: Intervene, one: Suitable, channel: str, rules: AuthorizationMap) -> Choice:
    """One of several calls that suit, with the button that means it."""
    return Choice(
        call=one.call,
        view=one.view,
        agent=rules.name_of(one.extension),
        names=names_on(one.view, rules),
        button=button(intervene, one.extension, one.call, channel, view_id=one.view.id),
    )


def since_when(call: PhoneCall, view: PhoneCallView) -> datetime | None:
    """When what this side of the call does now began: a conversation when it was answered, all else with the call."""
    if view.on_call:
        return view.answered or call.answered
    return call.published or view.ringing


# ── the list of one person ──


@dataclass(frozen=True)
class Viewer:
    """Somebody who looks at the floor from one channel, by the rules of now."""

    person: Person
    channel: str
    rules: AuthorizationMap
    followed: tuple[Intervention, ...] = ()
    """The open interventions, whoever asked for them."""
    legs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The views that came with them, by call id."""
    may_ask_for_help: bool = False
    """There is a channel for calls for help."""

    @cached_property
    def own(self) -> frozenset[str]:
        """The phones of this person, those that only the directory knows included."""
        return frozenset(self.rules.extensions_of(self.person.slack_user))

    def may(self, action: ActionName, extension: str) -> bool:
        """Whether this person may do this there, from this channel."""
        return self.rules.allows(self.person, action, extension, self.channel)


def live_calls(
    viewer: Viewer, command: ListCalls, calls: Iterable[PhoneCall], *, scopes: int = 0, unread: int = 0
) -> Listing:
    """Of these calls what this person may know, those that match every word, the longest ringing first.

    `unread` of the `scopes` that show calls could not be read, so that calls may be missing.
    """
    known = [lines for call in calls if (lines := _lines(viewer, call))]
    searches = [_search(word, viewer) for word in command.words]
    return Listing(
        command=command,
        words=tuple(search.shown for search in searches),
        channel=viewer.channel,
        lines=tuple(
            line
            for lines in sorted(known, key=_longest_ringing_first)
            for line in lines
            if all(search.finds(line, viewer.rules) for search in searches)
        ),
        live=len(known),
        scopes=scopes,
        unread=unread,
    )


def _longest_ringing_first(lines: list[Line]) -> tuple[bool, datetime, str]:
    call = lines[0].call
    rings = any(line.view.status is Status.RINGING for line in lines)
    return (not rings, call.published or _LAST, call.id)


def _lines(viewer: Viewer, call: PhoneCall) -> list[Line]:
    """A line for each side of the call that this person may know of, the one that rings first.

    None where a party is protected.
    """
    if viewer.rules.protects(call):
        return []
    extensions = sorted({view.extension for view in call.views if EXTENSION.fullmatch(view.extension)})
    lines = [line for extension in extensions for line in _side(viewer, call, extension)]
    return sorted(lines, key=lambda line: line.view.status is not Status.RINGING)


def _side(viewer: Viewer, call: PhoneCall, extension: str) -> list[Line]:
    """One extension's side. Who sees it as their own call is not told which supervisors are on it."""
    rules, own = viewer.rules, extension in viewer.own
    may_act = any(viewer.may(action, extension) for action in ActionName)
    if not may_act and not own:
        return []
    views = own_views(call, extension, viewer.legs.get(call.id, frozenset()), rules.supervisors_of(extension))
    on_it = {} if own else _on_it(viewer, call, extension, views)
    return [
        Line(
            call=call,
            view=view,
            agent=rules.name_of(extension),
            names=names_on(view, rules),
            present=tuple(sorted({name for phone, name in on_it.items() if phone not in viewer.own})),
            asker_present=not on_it.keys().isdisjoint(viewer.own),
            buttons=_buttons(viewer, call, view, named=len(views) > 1),
            hand=_hand(viewer, call, extension) if own and viewer.may_ask_for_help else None,
        )
        for view in views
    ]


def _on_it(viewer: Viewer, call: PhoneCall, extension: str, own: tuple[PhoneCallView, ...]) -> dict[str, str]:
    """The supervisors who are on this side of the call, by their phones: proven by us, or seen as a leg."""
    supervisors = viewer.rules.supervisors_of(extension)
    legs = (view for view in call.views if view.extension == extension and view.on_call and view not in own)
    seen = {number: viewer.rules.name_of(number) for leg in legs for number in leg.source if number in supervisors}
    ours = {
        one.phone: one.supervisor
        for one in viewer.followed
        if one.in_call and (one.call_id, one.extension) == (call.id, extension) and not call.is_another_than(one.call)
    }
    return {**seen, **ours}


def _buttons(viewer: Viewer, call: PhoneCall, view: PhoneCallView, *, named: bool) -> tuple[Button, ...]:
    """One for each thing that this person may do now. It names the view only where a call has several to choose from."""
    extension = view.extension
    target = Target(kind="extension", text=extension)
    return tuple(
        button(
            Intervene(action=action, target=target),
            extension,
            call,
            viewer.channel,
            view_id=view.id if named else None,
        )
        for action in fitting_actions(view)
        if viewer.may(action, extension) and _makes_sense(viewer, action, call, extension)
    )


def _hand(viewer: Viewer, call: PhoneCall, extension: str) -> HandButton:
    return HandButton(
        hand=RaiseHand(extension=extension, call=call.id, published=call.published), channel=viewer.channel
    )


def _makes_sense(viewer: Viewer, action: ActionName, call: PhoneCall, extension: str) -> bool:
    """Whether nothing is in the way: one's own phone, another organisation, or what one's phone is busy with."""
    phone = viewer.person.phone
    if action in RECORDING:
        return extension not in viewer.own
    held = [one for one in viewer.followed if _is_held(one, viewer.person, call)]
    try:
        check_phone(action, extension, phone, viewer.own)
        if not held:
            refuse_if_inside(action, call, phone)
    except Refusal:
        return False
    busy = any(one.state in UNDECIDED or one.name is ActionName.PICK_UP for one in held)
    return not busy and all(one.name is not action for one in held)


def _is_held(one: Intervention, person: Person, call: PhoneCall) -> bool:
    """Whether this person's phone is busy with it, or may be, in this call."""
    theirs = (one.slack_user, one.call_id) == (person.slack_user, call.id)
    return theirs and one.name not in RECORDING and (one.state in UNDECIDED or one.in_call)


def names_on(view: PhoneCallView, rules: AuthorizationMap) -> dict[str, str]:
    """The names of this side's parties, by the numbers that the view calls them; `211` is one of its organisation."""
    own = organisation(view.extension)
    numbers = {*view.source, *view.destination, *caller_numbers(view.caller_id)} - {view.extension}
    extended = {number: number if "*" in number else f"{own}*{number}" for number in numbers}
    return {number: name for number, full in extended.items() if (name := rules.name_of(full)) != full}


# ── words ──


@dataclass(frozen=True)
class _Search:
    """One word of `/calls`: a part of a name or number, or a mention of a person. `shown` is how it is repeated."""

    shown: str
    part: str = ""
    extensions: frozenset[str] | None = None

    def finds(self, line: Line, rules: AuthorizationMap) -> bool:
        """Whether this line has it."""
        view = line.view
        numbers = (view.extension, *view.source, *view.destination)
        if self.extensions is not None:
            return not self.extensions.isdisjoint(numbers)
        row = rules.directory.by_extension.get(view.extension)
        team = row.team if row is not None and row.team is not None else ""
        names = (line.agent, team, view.caller_id, *line.names.values(), *line.present)
        return self.part in _folded(" ".join((*numbers, *names)))


def _search(word: str, viewer: Viewer) -> _Search:
    user = mentioned(word)
    if user is None:
        return _Search(shown=word, part=_folded(word))
    person = viewer.rules.people.get(user)
    try:
        meant = viewer.rules.extensions_meant(Target(kind="person", text=user), viewer.person)
    except NotSuitable:
        return _Search(shown="a person I don't know", extensions=frozenset())
    return _Search(shown=person.name if person else viewer.rules.name_of(meant[0]), extensions=frozenset(meant))


def _folded(text: str) -> str:
    """The text without what people leave out when they look for it: capitals and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
