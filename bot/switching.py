"""Changing mode in a call: the supervisor's phone is busy with the old leg, so the new request waits until it is gone.

The card asks to hang up, with *Ring now anyway* and *Cancel*; after 30 s it says that nothing was switched. A restart
forgets what waits: nothing was sent, and the person is told so.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.actions import JOINING, ActionName
from bot.errors import NotAuthorized, NotSuitable
from bot.following import Intervention, Why
from bot.ports import Switching

PATIENCE = 30.0
"""Seconds that a change of mode waits for the supervisor to hang up."""


class Verdict(StrEnum):
    """How the waiting came to its end."""

    LEFT = "hung up"
    NOW = "ring now anyway"
    CANCELLED = "cancelled"
    LATE = "not hung up in time"
    OVER = "call over"
    STOPPED = "callbot stopped"


def changes_mode(held: Intervention, action: ActionName) -> bool:
    """Whether the person is in the call in one mode and asks for another."""
    return held.in_call and held.name in JOINING and action in JOINING and held.name is not action


@dataclass(frozen=True)
class _Waiting:
    held: Intervention
    shown: Switching
    verdict: "asyncio.Future[Verdict]"


class Switches:
    """The changes of mode that wait, at most one on a card. `show` brings a card up to date."""

    def __init__(self, show: Callable[[str], None], patience: float = PATIENCE) -> None:
        self._show = show
        self._patience = patience
        self._waiting: dict[str, _Waiting] = {}
        self._late: dict[str, Switching] = {}

    def on_card(self, card: str) -> Switching | None:
        """What the card says of it."""
        waiting = self._waiting.get(card)
        return waiting.shown if waiting is not None else self._late.get(card)

    def waits(self, card: str) -> bool:
        """Whether a change waits on this card."""
        return card in self._waiting

    async def wait(self, held: Intervention, to: ActionName) -> Verdict:
        """Show the question on the card of `held`, and wait for its leg to go, for a button, or for 30 s."""
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._late.pop(held.card, None)
        self._waiting[held.card] = _Waiting(held, Switching(held=held.name, to=to), verdict)
        self._show(held.card)
        try:
            came = await asyncio.wait_for(verdict, self._patience)
        except TimeoutError:
            came = Verdict.LATE
            self._late[held.card] = Switching(held=held.name, to=to, late=True)
        finally:
            del self._waiting[held.card]
        if came in {Verdict.LATE, Verdict.CANCELLED}:
            self._show(held.card)
        return came

    def close(self) -> None:
        """Let nothing wait any more: callbot ends."""
        for waiting in self._waiting.values():
            if not waiting.verdict.done():
                waiting.verdict.set_result(Verdict.STOPPED)

    def ended(self, intervention: Intervention) -> None:
        """The old leg, or the call, is gone: what waited for it goes on."""
        self._late.pop(intervention.card, None)
        waiting = self._waiting.get(intervention.card)
        if waiting is not None and waiting.held.id == intervention.id and not waiting.verdict.done():
            waiting.verdict.set_result(Verdict.OVER if intervention.why is Why.CALL_OVER else Verdict.LEFT)

    def decide(self, card: str, slack_user: str, *, now: bool) -> None:
        """A button of the question. Raises NotAuthorized for somebody else's, NotSuitable where nothing waits."""
        waiting = self._waiting.get(card)
        if waiting is None or waiting.verdict.done():
            raise NotSuitable("Nothing is waiting there any more. Press the mode you want again. Nothing was sent.")
        if waiting.held.slack_user != slack_user:
            raise NotAuthorized("another person's card", "This is somebody else's card. Nothing was sent.")
        waiting.verdict.set_result(Verdict.NOW if now else Verdict.CANCELLED)
