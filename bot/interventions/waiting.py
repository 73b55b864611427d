"""What waits until the supervisor's phone is free, each on its card, with a button to ring anyway and *Cancel*.

A change of mode waits for the old leg to go; a request for another call waits for the phone to be seen free, and nothing
is claimed for it meanwhile. After 30 s the card says that nothing was sent. A restart forgets what waits, and the person
hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog
from pydantic import BaseModel

from bot.domain.actions import JOINING, ActionName
from bot.domain.calls import BUSY, PhoneSeen
from bot.domain.errors import NotAuthorized, NotSuitable
from bot.domain.intervention import Intervention, Why
from bot.tasks import Tasks

_log = structlog.get_logger("callbot.interventions")
LONGEST_PHONE_WAIT = 30.0
"""Seconds that a request waits for the supervisor's phone."""
POLL_EVERY = 0.5
"""Seconds between two polls of a phone that is waited for, however many requests wait for it."""


class ModeChange(BaseModel, frozen=True):
    """A change of mode that waits for the supervisor to hang up; `late`: it waited in vain."""

    current: ActionName
    to: ActionName
    late: bool = False


class WaitsForPhone(BaseModel, frozen=True):
    """The supervisor's phone is busy with another call; the request waits until it is free."""

    whose: str = ""
    """The agent of that call; empty where it is not known, or not for every eye that reads the card."""


class Verdict(StrEnum):
    """How the waiting came to its end. The value stands in the audit log as the rule: do not change it."""

    FREE = "phone free"
    """The old leg is gone, or the PBX shows the phone as free."""
    NOW = "ring now anyway"
    CANCELLED = "cancelled"
    LATE = "not hung up in time"
    OVER = "call over"
    STOPPED = "callbot stopped"


@dataclass(frozen=True)
class Waited:
    """How the waiting of a request for the asker's phone ended, before everything is checked and read again."""

    verdict: Verdict
    intervention: Intervention | None = None
    """The request as its card shows it; None for a change of mode, which waits on the card of what it changes."""
    until: float = 0.0
    """How long it may wait if the phone is busy again, on the event loop's clock."""

    @property
    def anyway(self) -> bool:
        """Whether the person wants the phone to ring, busy or not."""
        return self.verdict is Verdict.NOW


def changes_mode(current: Intervention, action: ActionName) -> bool:
    """Whether the person is in the call in one mode and asks for another."""
    return current.in_call and current.name in JOINING and action in JOINING and current.name is not action


@dataclass(frozen=True)
class _Waiting:
    intervention: Intervention
    shown: ModeChange | WaitsForPhone
    verdict: "asyncio.Future[Verdict]"


class WaitingRequests:
    """Requests that wait for a phone, one per card. `show` brings a card up to date; `patience` and `poll_every` are in seconds.

    `phone_seen` asks the PBX about a phone; `is_ours`: whether our own intervention keeps the phone busy.
    """

    def __init__(
        self,
        show: Callable[[str], None],
        *,
        phone_seen: Callable[[str], Awaitable[PhoneSeen]],
        is_ours: Callable[[Intervention], bool],
        patience: float = LONGEST_PHONE_WAIT,
        poll_every: float = POLL_EVERY,
    ) -> None:
        self._show = show
        self._phone_seen = phone_seen
        self._is_ours = is_ours
        self._patience = patience
        self._poll_every = poll_every
        self._waiting: dict[str, _Waiting] = {}
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._tasks = Tasks(apart=True)
        self._late: dict[str, ModeChange] = {}
        """Changes of mode that waited in vain, by card, for the card to say so."""

    def shown_on(self, card: str) -> ModeChange | WaitsForPhone | None:
        """What the card says of it."""
        waiting = self._waiting.get(card)
        return waiting.shown if waiting is not None else self._late.get(card)

    def waits(self, card: str) -> bool:
        """Whether something waits on this card."""
        return card in self._waiting

    async def wait_for_hang_up(self, current: Intervention, to: ActionName) -> Verdict:
        """Show *Ring now anyway* and *Cancel* on the card of `current`; wait for its leg to go, for a button, or for 30 s."""
        shown = ModeChange(current=current.name, to=to)
        came = await self._wait(_Waiting(current, shown, asyncio.get_running_loop().create_future()), self._patience)
        if came is Verdict.LATE:
            self._late[current.card] = shown.model_copy(update={"late": True})
        if came in {Verdict.LATE, Verdict.CANCELLED}:
            self._show(current.card)
        return came

    async def wait_for_phone(self, asked: Intervention, whose: str, until: float) -> Verdict:
        """Say on the card of `asked` that the phone is busy, and wait until it is free, for a button, or `until`.

        `until` is on the clock of the event loop; `ends_at` gives it.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(asked, WaitsForPhone(whose=whose), loop.create_future())
        if asked.phone not in self._polls:
            self._polls[asked.phone] = self._tasks.spawn(self._poll(asked.phone), name=f"poll of phone {asked.phone}")
        try:
            return await self._wait(waiting, until - loop.time())
        finally:
            if not self._waiting_for(asked.phone):
                self._polls.pop(asked.phone).cancel()

    def ends_at(self) -> float:
        """When something that begins to wait now has waited long enough, on the clock of the event loop."""
        return asyncio.get_running_loop().time() + self._patience

    def _waiting_for(self, phone: str) -> list[_Waiting]:
        """What waits for this phone."""
        return [
            one
            for one in self._waiting.values()
            if isinstance(one.shown, WaitsForPhone) and one.intervention.phone == phone
        ]

    async def _poll(self, phone: str) -> None:
        """Ask the PBX about a phone again and again, for all that wait for it: nothing tells when it is put down."""
        while True:
            # While our own intervention keeps the phone busy, the PBX need not be asked.
            waiting = [one for one in self._waiting_for(phone) if not self._is_ours(one.intervention)]
            try:
                free = bool(waiting) and await self._phone_seen(phone) not in BUSY
            except Exception:  # noqa: BLE001 - one failed poll must not leave what waits to its 30 s
                _log.exception("phone_not_polled")
                free = False
            for one in waiting if free else ():
                if not one.verdict.done():
                    one.verdict.set_result(Verdict.FREE)
            await asyncio.sleep(self._poll_every)

    async def _wait(self, waiting: _Waiting, patience: float) -> Verdict:
        card = waiting.intervention.card
        self._late.pop(card, None)
        self._waiting[card] = waiting
        self._show(card)
        try:
            return await asyncio.wait_for(waiting.verdict, patience)
        except TimeoutError:
            return Verdict.LATE
        finally:
            del self._waiting[card]

    def close(self) -> None:
        """Let nothing wait any more: callbot ends."""
        for waiting in self._waiting.values():
            if not waiting.verdict.done():
                waiting.verdict.set_result(Verdict.STOPPED)

    def ended(self, intervention: Intervention) -> None:
        """An intervention ended. If its leg is gone, the change of mode goes on; if the call is over, what waits there ends."""
        self._late.pop(intervention.card, None)
        waiting = self._waiting.get(intervention.card)
        if waiting is None or waiting.verdict.done():
            return
        if intervention.why is Why.CALL_OVER:
            waiting.verdict.set_result(Verdict.OVER)
        elif waiting.intervention.id == intervention.id:
            waiting.verdict.set_result(Verdict.FREE)

    def decide(self, card: str, slack_user: str, *, ring_now: bool) -> None:
        """A click on one of the two buttons. Raises NotAuthorized on somebody else's card, NotSuitable where nothing waits."""
        waiting = self._waiting.get(card)
        if waiting is None or waiting.verdict.done():
            raise NotSuitable("Nothing is waiting there any more. Ask again. Nothing was sent.")
        if waiting.intervention.slack_user != slack_user:
            raise NotAuthorized("another person's card", "This is somebody else's card. Nothing was sent.")
        waiting.verdict.set_result(Verdict.NOW if ring_now else Verdict.CANCELLED)
