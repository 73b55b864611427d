"""What came of requests that sent nothing to the PBX: written down now, or as soon as the ledger takes it.

Here is what interventions ask of the ledger, too. `bot.ledger.ledger` fulfils it and imports this module.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from bot.domain.commands import Request
from bot.domain.errors import NotAuthorized, PbxError, Refusal
from bot.domain.intervention import Intervention
from bot.tasks import WriteBehind

_log = structlog.get_logger("callbot.interventions")


class Outcome(StrEnum):
    """What came of a request; the value is the code in the ledger and the logs."""

    RECEIVED = "received"
    REFUSED = "refused"
    ASKED_WHICH_CALL = "asked_which_call"
    ANSWERED = "answered"
    MODE_NOT_CHANGED = "mode_not_changed"
    SENT = "sent"
    INTERRUPTED = "interrupted"


class InterventionLedger(Protocol):
    """What was asked, allowed and done: the audit log, the guard against doing it twice, and the memory after a crash.

    It is `bot.ledger.ledger.Ledger`.
    """

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

    async def tracked(self) -> tuple[Intervention, ...]:
        """Everything that is still tracked (the stored field is `following`), oldest first."""

    async def of_call(self, slack_user: str, call_id: str) -> tuple[Intervention, ...]:
        """Everything that this person asked of this call in the last day, oldest first."""

    async def of_card(self, card: str) -> tuple[Intervention, ...]:
        """Everything that one card shows, oldest first."""

    async def ended_unshown(self) -> tuple[str, ...]:
        """The cards that do not show yet what ended within a day before the ledger was last written, newest last."""

    async def waited_unshown(self) -> tuple[str, ...]:
        """The cards with nothing but a request of the last day that waited and was never sent, and that may still say so."""

    async def interrupted(self) -> tuple[Request, ...]:
        """Requests that a crash cut off before their outcome was known: concluded as INTERRUPTED and returned once."""


def rule_of(error: BaseException) -> tuple[str, bool | None]:
    """Which rule the audit names for a request that sent nothing, and False where permission was what it lacked."""
    if isinstance(error, Refusal):
        return error.rule, False if isinstance(error, NotAuthorized) else None
    if isinstance(error, PbxError):
        return f"pbx {error.code or type(error).__name__}", None
    return "failed", None


@dataclass(frozen=True)
class _NothingSent:
    id: str
    outcome: Outcome
    rule: str
    allowed: bool | None
    extension: str
    call_id: str


class Outcomes:
    """Concludes requests in the ledger, and withdraws their claims. Nothing is raised."""

    def __init__(self, ledger: InterventionLedger) -> None:
        self._ledger = ledger
        self._conclusions = WriteBehind(self._conclude)
        self._withdrawals = WriteBehind(self._withdraw)

    async def conclude(
        self,
        request: Request,
        outcome: Outcome,
        rule: str,
        *,
        allowed: bool | None = None,
        extension: str = "",
        call_id: str = "",
    ) -> None:
        """Write down what came of it; `allowed` None: permission is not why."""
        _log.info("refused" if outcome is Outcome.REFUSED else "answered", outcome=outcome, rule=rule)
        await self._conclusions.save(_NothingSent(request.id, outcome, rule, allowed, extension, call_id))

    async def withdraw(self, wanted: Intervention, error: BaseException, outcome: Outcome) -> None:
        """Free its claim again, and say why in the audit. Whether the claim was written need not be known for that."""
        rule, allowed = rule_of(error)
        _log.info("withdrawn", intervention=wanted.id, rule=rule)
        await self._withdrawals.save(_NothingSent(wanted.id, outcome, rule, allowed, wanted.extension, wanted.call_id))

    def is_withdrawing(self, request: str) -> bool:
        """Whether the ledger has not taken yet that the claim of this request is free."""
        return self._withdrawals.is_unsaved(request)

    async def stop(self) -> None:
        """Write what can be written in a moment."""
        await asyncio.gather(self._withdrawals.stop(), self._conclusions.stop())

    async def _conclude(self, one: _NothingSent) -> None:
        await self._ledger.conclude(
            one.id, one.outcome, rule=one.rule, allowed=one.allowed, extension=one.extension, call_id=one.call_id
        )

    async def _withdraw(self, one: _NothingSent) -> None:
        await self._ledger.withdraw(
            one.id,
            outcome=one.outcome,
            rule=one.rule,
            allowed=one.allowed,
            extension=one.extension,
            call_id=one.call_id,
        )
