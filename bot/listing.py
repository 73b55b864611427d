"""Reading the live calls: those that one request may mean, and for `/calls` those that one person may know of."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.actions import ActionName
from bot.authorization import AuthorizationMap, Person
from bot.commands import Intervene, Target
from bot.errors import NotAuthorized, PbxRefused
from bot.phonecalls import EXTENSION, PhoneCall, PhoneCallView, Status
from bot.planning import Suitable, button, fitting_actions, own_views
from bot.ports import Choice, Line, PhoneCalls

_LAST = datetime.max.replace(tzinfo=UTC)


async def live_calls(
    person: Person,
    channel: str,
    words: tuple[str, ...],
    rules: AuthorizationMap,
    *,
    phone_calls: PhoneCalls,
    legs: Mapping[str, frozenset[str]],
) -> tuple[Line, ...]:
    """Read every scope of the map, each call once, and keep what this person may know.

    Raises PbxError where no scope can be read; one user of the map that the PBX does not know hides no other.
    """
    users = sorted({rules.default_user, *(one.uapi_user for one in rules.people.values() if one.uapi_user)})
    scopes = await asyncio.gather(*(phone_calls.list(user, "@self") for user in users), return_exceptions=True)
    failures = [scope for scope in scopes if isinstance(scope, BaseException)]
    if len(failures) == len(scopes) or not all(isinstance(failure, PbxRefused) for failure in failures):
        raise failures[0]
    calls: dict[str, PhoneCall] = {}
    for scope in scopes:
        for call in () if isinstance(scope, BaseException) else scope:
            calls.setdefault(call.id, call)
    lines = [line for call in calls.values() for line in _lines(person, channel, call, rules, legs)]
    wanted = [line for line in lines if _matches(line, words, rules)]
    return tuple(sorted(wanted, key=_longest_ringing_first))


async def calls_meant(
    intervene: Intervene, extensions: tuple[str, ...], rules: AuthorizationMap, phone_calls: PhoneCalls
) -> list[tuple[str, PhoneCall]]:
    """The calls that a request may mean, as the PBX shows them now, with the extension that each was asked for.

    Raises PbxError.
    """
    found: list[tuple[str, PhoneCall]] = []
    for extension in extensions:
        user = rules.owner(extension)
        if intervene.call is None:
            found += [(extension, call) for call in await phone_calls.list(user, extension)]
        elif (call := await phone_calls.get(user, extension, intervene.call)) is not None:
            found.append((extension, call))
    return found


def choice(intervene: Intervene, one: Suitable, channel: str, rules: AuthorizationMap) -> Choice:
    """One of several calls that suit, with the button that means it."""
    return Choice(
        call=one.call,
        view=one.view,
        agent=rules.name_of(one.extension),
        button=button(intervene, one.extension, one.call.id, channel, view_id=one.view.id),
    )


def _lines(
    person: Person, channel: str, call: PhoneCall, rules: AuthorizationMap, legs: Mapping[str, frozenset[str]]
) -> list[Line]:
    try:
        rules.check_parties(call)
    except NotAuthorized:
        return []
    lines = []
    for extension in sorted({view.extension for view in call.views if EXTENSION.fullmatch(view.extension)}):
        allowed = [action for action in ActionName if rules.allows(person, action, extension, channel)]
        if not allowed and extension not in person.extensions:
            continue
        views = own_views(call, extension, legs.get(call.id, frozenset()), rules.supervisors_of(extension))
        for view in views:
            command = Intervene(action=ActionName.MONITOR, target=Target(kind="extension", text=extension))
            named = view.id if len(views) > 1 else None
            buttons = tuple(
                button(command.model_copy(update={"action": action}), extension, call.id, channel, view_id=named)
                for action in fitting_actions(view)
                if action in allowed and extension != person.phone
            )
            lines.append(Line(call=call, view=view, agent=rules.name_of(extension), buttons=buttons))
    return lines


def _matches(line: Line, words: tuple[str, ...], rules: AuthorizationMap) -> bool:
    """Whether every word is part of a name or a number of this line."""
    view: PhoneCallView = line.view
    numbers = (view.extension, *view.source, *view.destination)
    names = (line.agent, view.caller_id, *(rules.name_of(number) for number in numbers))
    text = " ".join((*numbers, *names)).casefold()
    return all(word.casefold() in text for word in words)


def _longest_ringing_first(line: Line) -> tuple[bool, datetime, str]:
    return (line.view.status is not Status.RINGING, line.call.published or _LAST, line.call.id)
