"""The card of interventions: where it goes, and what those who read it may know. Pure.

Monitor and Whisper are silent, and an agent may read the channel: their cards go there only if `[cards] silent_in` names it,
and else to a direct message.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel

from bot.domain.actions import JOINING, SILENT, ActionName, fitting_actions
from bot.domain.calls import PhoneCall
from bot.domain.commands import Intervene, Offer, Request, Target
from bot.domain.intervention import UNDECIDED, Intervention, Why
from bot.domain.legs import Known, as_others_see, own_views, talks
from bot.domain.permissions import Permissions
from bot.interventions.waiting import ModeChange, WaitsForPhone


class CardElsewhere(StrEnum):
    """Why a card is not where its action was asked for."""

    NO = ""
    SILENT = "silent"
    THERE_ALREADY = "there already"
    NO_ACCESS = "no access"


class InterventionCard(BaseModel, frozen=True):
    """One card for one person and one call: everything that this person asked of this call, oldest first."""

    id: str
    place: str
    """A channel id, or a Slack user id for a direct message."""
    elsewhere: CardElsewhere
    interventions: tuple[Intervention, ...]
    names: dict[str, str]
    """The names of the people whose extensions are in the call."""
    legs: frozenset[str] = frozenset()
    """Views that are supervisors' legs."""
    buttons: tuple[Offer[Intervene], ...] = ()
    waiting: ModeChange | WaitsForPhone | None = None
    """What waits on it until the supervisor's phone is free."""
    removed: bool = False
    """callbot.toml no longer names the person, or they may no longer do this: their leg is not cut, and no button is offered."""
    protected: bool = False
    """A party is protected by the permissions of now: nothing more of the call is shown, and no button is offered."""


class PostedCard(NamedTuple):
    """What is known of a card in Slack."""

    address: tuple[str, str] | None = None
    """Slack's channel and ts of it; None where it was not posted yet."""
    pending: tuple[str, datetime] | None = None
    """Where and when, by Slack's clock, its newest post was sent; None where none was, or it is known where that stands."""
    shown: str = ""
    """A fingerprint of what it shows; empty where that is not known."""


def others_read(place: str, slack_user: str, silent_in: frozenset[str]) -> bool:
    """Whether others than this person may read what stands there: neither a direct message nor one of `silent_in`."""
    return place != slack_user and place not in silent_in


class CardPlace(NamedTuple):
    """The card that shows an intervention (None: a new one), and its place: a channel, or a user for a direct message."""

    card: str | None
    place: str


def place_of_card(
    request: Request, action: ActionName, earlier: tuple[Intervention, ...], silent_in: frozenset[str]
) -> CardPlace:
    """One card for one person and one call: the newest there is, but a silent action never on one that others see.

    `earlier` is what this person asked of this call before, oldest first.
    """
    private = request.slack_user
    silent = action in SILENT and request.channel not in silent_in
    for one in reversed(earlier):
        others_see_it = action in SILENT and others_read(one.place, private, silent_in)
        if one.why is not Why.CALL_OVER and not others_see_it:
            return CardPlace(one.card, one.place)
    return CardPlace(None, private if silent or request.channel.startswith("D") else request.channel)


def why_elsewhere(intervention: Intervention, silent_in: frozenset[str]) -> CardElsewhere:
    """Why the card is not where it was asked for, if so."""
    if intervention.place != intervention.slack_user or intervention.channel.startswith("D"):
        return CardElsewhere.NO
    silent = intervention.name in SILENT and intervention.channel not in silent_in
    return CardElsewhere.SILENT if silent else CardElsewhere.THERE_ALREADY


def card_of(
    interventions: tuple[Intervention, ...],
    permissions: Permissions,
    *,
    silent_in: frozenset[str],
    known: Callable[[PhoneCall], Known],
    waiting: ModeChange | WaitsForPhone | None,
) -> InterventionCard:
    """The card that shows these interventions to those who read it. `known`: what callbot knows of the views of a call."""

    def as_read(one: Intervention) -> PhoneCall:
        """The call as it is in a direct message to somebody outside it and in `silent_in`; elsewhere without silent legs."""
        public = others_read(one.place, one.slack_user, silent_in)
        listened_to = talks(one.call, permissions.extensions_of(one.slack_user), known(one.call), permissions)
        return as_others_see(one.call, known(one.call), permissions) if public or listened_to else one.call

    interventions = tuple(one.model_copy(update={"call": as_read(one)}) for one in interventions)
    newest = latest_seen(interventions)
    own = {view.id for view in own_views(newest.call, newest.extension, known(newest.call), permissions)}
    removed, protected = is_removed(newest, permissions), permissions.protects(newest.call)
    return InterventionCard(
        id=newest.card,
        place=newest.place,
        elsewhere=why_elsewhere(newest, silent_in),
        interventions=interventions,
        names=permissions.names_of(newest.call.parties | {newest.phone, newest.extension}),
        legs=frozenset(view.id for view in newest.call.views if view.extension == newest.extension) - own,
        buttons=() if removed or protected else next_buttons(interventions, permissions),
        waiting=waiting,
        removed=removed,
        protected=protected,
    )


def is_removed(intervention: Intervention, permissions: Permissions) -> bool:
    """Whether the permissions of now would refuse what was allowed when it was asked for."""
    person = permissions.people.get(intervention.slack_user)
    return person is None or not permissions.allows(
        person, intervention.name, intervention.extension, intervention.channel
    )


def latest_seen(interventions: tuple[Intervention, ...]) -> Intervention:
    """The one of a card whose call is freshest: the last that is still tracked, else the last."""
    return next((one for one in reversed(interventions) if one.following), interventions[-1])


def next_buttons(interventions: tuple[Intervention, ...], permissions: Permissions) -> tuple[Offer[Intervene], ...]:
    """What makes sense next on a card, of what its person may do; nothing while the last request is undecided."""
    newest = latest_seen(interventions)
    view = newest.call.view(newest.action.phone_call_view_id)
    person = permissions.people.get(newest.slack_user)
    over = any(one.why is Why.CALL_OVER for one in interventions)
    undecided = any(one.following and one.state in UNDECIDED for one in interventions)
    if view is None or person is None or over or undecided:
        return ()
    present = {one.name for one in interventions if one.in_call}
    joins = () if ActionName.PICK_UP in present else tuple(JOINING - present)
    target = Target(kind="extension", text=newest.extension)
    return tuple(
        Offer(Intervene(action=name, target=target).on_call(newest.extension, newest.call), newest.channel)
        for name in fitting_actions(view)
        if (name in joins or name not in JOINING) and permissions.allows(person, name, newest.extension, newest.channel)
    )
