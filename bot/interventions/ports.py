"""What interventions need of the outside: the ledger, the cards in Slack, and the person who asked. No I/O here.

`ledger`, `slack` and `app` fulfil these protocols and import this module; nothing here imports them.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from bot.domain.actions import ActionName
from bot.domain.buttons import Button, HelpButton
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import ListCalls
from bot.domain.errors import Refusal
from bot.domain.intervention import Intervention
from bot.domain.presence import Presence
from bot.domain.request import Request


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Outcome(StrEnum):
    """What came of a request; the value is the code in the ledger and the logs."""

    RECEIVED = "received"
    REFUSED = "refused"
    ASKED_WHICH_CALL = "asked_which_call"
    ANSWERED = "answered"
    MODE_NOT_CHANGED = "mode_not_changed"
    SENT = "sent"
    INTERRUPTED = "interrupted"


class CallChoice(_Frozen):
    """One call, seen from one view of the target's, that the action would fit, and the button that does it."""

    call: PhoneCall
    view: PhoneCallView
    agent: str
    names: dict[str, str] = {}
    """Of the other parties, by their numbers."""
    button: Button


class Line(_Frozen):
    """One side of a live call in the list of `/calls`: a button for each thing that this person may do to it."""

    call: PhoneCall
    view: PhoneCallView
    agent: str
    names: dict[str, str] = {}
    """Of the other parties, by their numbers."""
    present: tuple[str, ...] = ()
    """The other supervisors who are on it, as far as the asker may know."""
    asker_present: bool = False
    buttons: tuple[Button, ...] = ()
    help_button: HelpButton | None = None
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


class Listing(_Frozen):
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


class CardElsewhere(StrEnum):
    """Why a card is not where its action was asked for."""

    NO = ""
    SILENT = "silent"
    THERE_ALREADY = "there already"
    NO_ACCESS = "no access"


class ModeChange(_Frozen):
    """A change of mode that waits for the supervisor to hang up; `late`: it waited in vain."""

    held: ActionName
    to: ActionName
    late: bool = False


class BusyPhone(_Frozen):
    """The supervisor's phone is busy with another call; the request waits until it is free."""

    whose: str = ""
    """The agent of that call; empty where it is not known, or not for every eye that reads the card."""


class Card(_Frozen):
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
    buttons: tuple[Button, ...] = ()
    mode_change: ModeChange | BusyPhone | None = None
    removed: bool = False
    """callbot.toml no longer names the person, or they may no longer do this: their leg is not cut, and no button is offered."""
    protected: bool = False
    """A party is protected by the permissions of now: nothing more of the call is shown, and no button is offered."""


class Phones(Protocol):
    """What the PBX knows of phones beside calls: the PBX itself, or the Poller, which takes turns."""

    async def presence(self, user: str, extension: str) -> Presence | None:
        """One phone; None where nothing is known of it. Raises PbxError."""


class BotToken(Protocol):
    """Whether Slack still takes what callbot wants to show."""

    def ask(self) -> None:
        """Ask Slack in the background."""

    async def refuse_if_revoked(self) -> None:
        """Wait a moment for the answer. Raises Refusal where Slack takes nothing any more."""


class Measures(Protocol):
    """The metrics that an operator watches."""

    def put(self, result: str) -> None:
        """One PUT, and how it was answered: call, ringing, nothing, refused, unreachable or lost."""

    def connected(self, seconds: float, *, by_alert: bool) -> None:
        """Proof that the supervisor is in the call, so many seconds after they asked, perhaps from an alert's card."""


class InterventionLedger(Protocol):
    """What was asked, allowed and done: the audit log, the guard against doing it twice, and the memory after a crash."""

    @property
    def writes_together(self) -> int:
        """How many states share one commit where they are saved at the same time; 1 where each has its own."""

    async def begin(self, request: Request) -> bool:
        """Write the request down; False where its trigger is known already: a repeat."""

    async def conclude(
        self, request: str, outcome: Outcome, *, rule: str, allowed: bool | None, extension: str = "", call_id: str = ""
    ) -> None:
        """Write down what came of a request that sent nothing to the PBX; `allowed` None: that is not why."""

    async def claim(self, request: str, intervention: Intervention, *, rule: str) -> None:
        """Write the intervention down before its PUT, and the request as allowed and sent, in one transaction.

        Raises AlreadyAsked, whose `who` holds the claim, where an open intervention has the same `claim_key`.
        """

    async def withdraw(
        self,
        request: str,
        *,
        rule: str,
        allowed: bool | None,
        extension: str = "",
        call_id: str = "",
        outcome: Outcome = Outcome.REFUSED,
    ) -> None:
        """Nothing was sent for this request: its claim is free, whether it was written or not, and the rule refused it.

        `outcome` RECEIVED: it goes on, and may claim again.
        """

    async def save(self, intervention: Intervention) -> None:
        """Write down a new state; its claim is free again where it has none any more."""

    async def following(self) -> tuple[Intervention, ...]:
        """Everything that is still followed, oldest first."""

    async def of_call(self, slack_user: str, call_id: str) -> tuple[Intervention, ...]:
        """Everything that this person asked of this call in the last day, oldest first."""

    async def of_card(self, card: str) -> tuple[Intervention, ...]:
        """Everything that one card shows, oldest first."""

    async def ended_unshown(self) -> tuple[str, ...]:
        """The cards that do not show yet what has ended in the ledger's last day, newest last."""

    async def waited_unshown(self) -> tuple[str, ...]:
        """The cards with nothing but a request of the last day that waited and was never sent, and that may still say so."""

    async def interrupted(self) -> tuple[Request, ...]:
        """Requests that a crash cut off before their outcome was known: concluded as INTERRUPTED and returned once."""


class PostedCard(NamedTuple):
    """What is known of a card in Slack."""

    at: tuple[str, str] | None = None
    """Slack's channel and ts of it; None where it was not posted yet."""
    begun: tuple[str, datetime] | None = None
    """Where and when, by Slack's clock, its newest post was begun; None where none was, or it is known where that stands."""
    shown: str = ""
    """The digest of what it shows; empty where that is not known."""


class Cards(Protocol):
    """The cards in Slack. `show` returns at once; the newest state wins."""

    def show(self, card: Card) -> None:
        """Post the card, or bring the posted one up to date."""

    def interrupted(self, request: Request) -> None:
        """Tell the person, in a direct message, that a restart cut the request off and that nothing was sent."""

    def never_sent(self, card: str) -> None:
        """Say on the card, if it stands, that what waited on it was not sent. Asked for at a start, of what ended before."""


class Asker(Protocol):
    """The person who asked, reachable privately. No method raises."""

    async def refused(self, refusal: Refusal, request: str) -> None:
        """Say why nothing was done."""

    async def phone_not_registered(self, refusal: Refusal, anyway: Button, request: str) -> None:
        """Say that their own phone could not ring, with a button that has it rung all the same."""

    async def failed(self, message: str, request: str) -> None:
        """Say what went wrong on our side or the PBX's."""

    async def choose(self, action: ActionName, choices: tuple[CallChoice, ...]) -> None:
        """Ask which call."""

    async def listed(self, listing: Listing) -> None:
        """Show the live calls, a page of them where there are many."""

    async def helped(self) -> None:
        """Show every command."""

    async def help_requested(self, channel: str) -> None:
        """Say where the help request is, and that they will hear who is coming."""

    async def card_is_elsewhere(self, why: CardElsewhere) -> None:
        """Say that the card is in the direct message, and why."""

    async def card_is_nowhere(self, card: Card) -> None:
        """Say that Slack takes the card nowhere, and what it would show."""
