"""What keeps one thing from being asked twice, and what the person is told then. Pure; the claim itself is the ledger's."""

from bot.domain.actions import LABEL, RECORDING, ActionName
from bot.domain.calls import PhoneCall, Status
from bot.domain.errors import AlreadyAsked, AlreadyInCall, Refusal
from bot.domain.intervention import Intervention
from bot.domain.permissions import Permissions

MOST_OPEN = 200
"""Interventions that may be open at a time. People in one call share its looks."""


def refuse_if_busy(action: ActionName, held: Intervention | None, number_open: int, *, anyway: bool) -> None:
    """Raise Refusal where the person's phone is busy with `held`, or where too much is open.

    `anyway`: the person wants their phone to ring although they are in the call.
    """
    if number_open >= MOST_OPEN:
        raise Refusal("Too many interventions are open at the moment. Nothing was sent. Try again in a minute.")
    if held is None or action in RECORDING or held.name is action or (anyway and held.in_call):
        return
    if held.in_call:
        text = f"You are already in this call ({LABEL[held.name]}). Hang up, then ask for {LABEL[action]} again."
    else:
        text = f"Your phone may already be ringing for {LABEL[held.name]}. Wait until that is over."
    raise AlreadyAsked(f"{text} Nothing was sent.", who=held.slack_user)


def refuse_if_inside(action: ActionName, call: PhoneCall, phone: str) -> None:
    """Raise AlreadyInCall where the call as it is shows the person's own phone as a party, or as a leg on call.

    Meant for a call that no open request of the person holds: what brought the phone there was not callbot, or callbot
    has given up on it.
    """
    if action in RECORDING:
        return
    own = [view for view in call.views if view.extension == phone]
    if any(view.status is Status.RINGING for view in own):
        raise AlreadyInCall(f"Your phone {phone} rings for this call already: answer it. Nothing was sent.")
    if own:
        raise AlreadyInCall(
            f"You are in this call already: your phone {phone} is one of its parties, and cannot be called into it "
            "once more. Nothing was sent."
        )
    if any(view.on_call and phone in view.source for view in call.views):
        raise AlreadyInCall(
            f"You are in this call already, with your phone {phone}. Hang up first, then ask for {LABEL[action]} again. "
            "Nothing was sent."
        )


def asked_already(intervention: Intervention, who: str, rules: Permissions) -> AlreadyAsked:
    """The refusal of what `who` has asked for, and holds the claim of."""
    if who == intervention.slack_user:
        return AlreadyAsked("You have asked for this already: your card shows how it goes. Nothing more was sent.", who)
    person = rules.people.get(who)
    name = person.name if person is not None else "Somebody else"
    return AlreadyAsked(f"{name} has asked for this already. Nothing more was sent.", who)
