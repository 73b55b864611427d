"""What keeps one thing from being asked twice, and what the person is told then. Pure; the claim itself is the ledger's."""

from bot.actions import LABEL, RECORDING, ActionName
from bot.authorization import AuthorizationMap
from bot.errors import AlreadyAsked, Refusal
from bot.following import Intervention

MOST_OPEN = 200
"""Interventions that may be open at a time. People in one call share its looks."""


def refuse_if_busy(action: ActionName, held: Intervention | None, number_open: int, *, anyway: bool) -> None:
    """Raise Refusal where the person's phone is busy with `held`, or where too much is open.

    `anyway`: the person wants their phone to ring although they are in the call.
    """
    if action not in RECORDING and number_open >= MOST_OPEN:
        raise Refusal("Too many interventions are open at the moment. Nothing was sent. Try again in a minute.")
    if held is None or action in RECORDING or held.name is action or (anyway and held.in_call):
        return
    if held.in_call:
        text = f"You are already in this call ({LABEL[held.name]}). Hang up, then ask for {LABEL[action]} again."
    else:
        text = f"Your phone may already be ringing for {LABEL[held.name]}. Wait until that is over."
    raise AlreadyAsked(f"{text} Nothing was sent.", who=held.slack_user)


def asked_already(intervention: Intervention, who: str, rules: AuthorizationMap) -> AlreadyAsked:
    """The refusal of what `who` has asked for, and holds the claim of."""
    if who == intervention.slack_user:
        return AlreadyAsked("You have asked for this already: your card shows how it goes. Nothing more was sent.", who)
    person = rules.people.get(who)
    name = person.name if person is not None else "Somebody else"
    return AlreadyAsked(f"{name} has asked for this already. Nothing more was sent.", who)
