"""From a Command and the calls as they are to one action on one view. Pure.

The right view is the agent's own: a supervisor's leg may carry the agent's extension too, and an action on it would
reach the wrong ear. If more than one view remains, the person chooses; nothing is guessed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from bot.domain.actions import (
    RECORDING,
    RINGS_PHONE,
    ActionName,
    BargeIn,
    Monitor,
    PhoneCallAction,
    PickUp,
    StartRecording,
    StopRecording,
    Whisper,
    suits,
)
from bot.domain.calls import PhoneCall, PhoneCallView, Status, organisation
from bot.domain.commands import Command, Intervene
from bot.domain.errors import NotAuthorized, NotSuitable, Refusal
from bot.domain.legs import NOTHING_KNOWN, Known, own_views
from bot.domain.permissions import Permissions, Permit, Person


@dataclass(frozen=True)
class CallAndView:
    """A call and the view of it that the action would go to."""

    extension: str
    call: PhoneCall
    view: PhoneCallView


def suitable_views(
    intervene: Intervene,
    found: Iterable[tuple[str, PhoneCall]],
    permissions: Permissions,
    known: Mapping[str, Known],
) -> tuple[CallAndView, ...]:
    """Every view that the action may go to. Raises NotAuthorized or NotSuitable where there is none.

    `found` are (extension, call) as the PBX has just shown them, `known` what callbot knows of their views, by call id.
    """
    calls = tuple(found)
    if not calls:
        raise NotSuitable(_no_call(intervene))
    unprotected = [(extension, call) for extension, call in calls if not permissions.protects(call)]
    if not unprotected:  # in the words for no call at all: that there is one is nobody's business
        raise NotAuthorized("protected party", _no_call(intervene))
    for _, call in unprotected:
        if intervene.published is not None and call.published not in {None, intervene.published}:
            raise NotSuitable(
                "This button was made for a call that is over. Type /calls to see what is live. Nothing was sent."
            )
    sides: list[CallAndView] = []
    for extension, call in unprotected:
        views = own_views(call, extension, known.get(call.id, NOTHING_KNOWN), permissions)
        sides += [CallAndView(extension, call, view) for view in views]
    fitting = [one for one in sides if intervene.view in {None, one.view.id} and suits(intervene.action, one.view)]
    if not fitting:
        raise _why_none(intervene, unprotected, sides)
    return tuple(_recordable(intervene.action, fitting) if intervene.action in RECORDING else fitting)


def _why_none(intervene: Intervene, calls: list[tuple[str, PhoneCall]], sides: list[CallAndView]) -> Refusal:
    """Why the action fits none of the agent's sides of these calls."""
    if not sides and intervene.call is not None:
        extensions = " or ".join(extension for extension, _ in calls)
        return NotAuthorized(
            "call of another extension",
            f"The call you name is not a call of {extensions}, so your permission does not reach it. Nothing was sent.",
        )
    named = [side.view for side in sides if intervene.view in {None, side.view.id}]
    if named or intervene.view is None:
        return NotSuitable(_why_not(intervene.action, named))
    if any(call.view(intervene.view) is not None for _, call in calls):
        return NotAuthorized(
            "not the agent's view",
            f"View {intervene.view} is not the agent's side of the call. Ask again without view=, and the right one is taken. "
            "Nothing was sent.",
        )
    return NotSuitable(
        f"There is no view {intervene.view} in the call. Ask again without view=, and the right one is taken. Nothing was sent."
    )


def _no_call(intervene: Intervene) -> str:
    if intervene.call is not None:
        return "This call is over, was never on this extension, or may not be acted on. Nothing was sent."
    return "There is no call on this extension right now, or none that may be acted on. Nothing was sent."


def _why_not(action: ActionName, views: list[PhoneCallView]) -> str:
    if action is ActionName.PICK_UP:
        if any(view.on_call for view in views):
            return "This call is answered already, so there is nothing to pick up. Nothing was sent."
        return "No call is ringing there right now. Nothing was sent."
    if any(view.status is Status.RINGING for view in views):
        return "The phone is still ringing: nobody is talking yet. To take the call, use /pickup. Nothing was sent."
    return "Nobody is in conversation there right now. Nothing was sent."


def _recordable(action: ActionName, fitting: list[CallAndView]) -> list[CallAndView]:
    """Those that are not recorded yet, or are, where the recording is to stop. Raises NotSuitable where there is none."""
    starting = action is ActionName.START_RECORDING
    wanted = [one for one in fitting if (one.view.recording is None) is starting]
    if not wanted:
        raise NotSuitable(
            "This call is being recorded already. Nothing was sent."
            if starting
            else "This call is not being recorded. Nothing was sent."
        )
    return wanted


def refuse_other_organisation_or_own_phone(
    action: ActionName, extension: str, phone: str, own: Collection[str]
) -> None:
    """Raise NotAuthorized where ringing `phone` for a call of `extension` makes no sense; `own` are all of the asker's.

    "Must be in the same Organization as the Extension given in the URI-Fragment" (Monitor, Whisper, BargeIn pages).
    """
    if action not in RINGS_PHONE:
        return
    if organisation(extension) != organisation(phone):
        raise NotAuthorized(
            "another organisation",
            f"{extension} is of another organisation than your phone {phone}, and the PBX does not connect the two. "
            "Nothing was sent.",
        )
    if extension in own:
        raise NotAuthorized(
            "own phone", f"{extension} is your own phone. Name somebody else's extension. Nothing was sent."
        )


def named_call(command: Command | Refusal, slack_user: str, permissions: Permissions) -> tuple[str, str]:
    """The extension and the call id that a command names, for the audit log; empty where it names none that is known."""
    person = permissions.people.get(slack_user)
    if not isinstance(command, Intervene):
        return "", ""
    if command.target.kind == "extension":
        return command.target.text, command.call or ""
    try:
        return permissions.extensions_meant(command.target, person)[0] if person else "", command.call or ""
    except NotSuitable:
        return "", command.call or ""


def permits_for(person: Person, intervene: Intervene, channel: str, permissions: Permissions) -> dict[str, Permit]:
    """A Permit for each extension that is meant and allowed. Raises the first refusal where none is."""
    own = permissions.extensions_of(person.slack_user)
    permits: dict[str, Permit] = {}
    refusals: list[NotAuthorized] = []
    for extension in permissions.extensions_meant(intervene.target, person):
        try:
            permit = permissions.permit(person, intervene.action, extension, channel)
            refuse_other_organisation_or_own_phone(intervene.action, extension, person.phone, own)
        except NotAuthorized as refusal:
            refusals.append(refusal)
        else:
            permits[extension] = permit
    if not permits:
        raise refusals[0]
    return permits


def plan(intervene: Intervene, view: PhoneCallView, permit: Permit) -> PhoneCallAction:
    """The action as it goes to the PBX. The phone that rings is the asker's own, whatever was typed."""
    view_id, phone = view.id, permit.person.phone
    ringing = {"send_call_to": phone, "caller_id": intervene.caller_id, "wait_for_pickup": intervene.wait}
    match permit.action:
        case ActionName.MONITOR:
            return Monitor.model_validate({"phone_call_view_id": view_id, **ringing})
        case ActionName.WHISPER:
            private = 1 if intervene.private else None
            return Whisper.model_validate({"phone_call_view_id": view_id, "private": private, **ringing})
        case ActionName.BARGE_IN:
            return BargeIn.model_validate({"phone_call_view_id": view_id, **ringing})
        case ActionName.PICK_UP:
            return PickUp.model_validate({"phone_call_view_id": view_id, **ringing})
        case ActionName.START_RECORDING:
            return StartRecording(phone_call_view_id=view_id, format=intervene.format)
        case ActionName.STOP_RECORDING:
            return StopRecording(phone_call_view_id=view_id)
        case unknown:
            assert_never(unknown)
