"""Where a card goes: to the channel that it was asked in, or to a direct message. Pure.

Monitor and Whisper are silent, and an agent may read the channel: their cards go there only if `[cards] silent_in` names it.
"""

from typing import NamedTuple

from bot.domain.actions import SILENT, ActionName
from bot.domain.intervention import Intervention, Why
from bot.domain.request import Request
from bot.interventions.ports import CardElsewhere


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
