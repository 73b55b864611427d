"""What came of requests that sent nothing to the PBX: written down now, or as soon as the ledger takes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot.domain.request import Request
from bot.interventions.ports import InterventionLedger, Outcome
from bot.tasks import WriteBehind

_log = structlog.get_logger("callbot.interventions")


@dataclass(frozen=True)
class _Conclusion:
    id: str
    outcome: Outcome
    rule: str
    allowed: bool | None
    extension: str
    call_id: str


class Conclusions:
    """Concludes requests in the ledger."""

    def __init__(self, ledger: InterventionLedger, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._ledger = ledger
        self._outcomes: WriteBehind[_Conclusion] = WriteBehind(self._write_down, sleep)

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
        """Write down what came of it; `allowed` None: permission is not why. Nothing is raised."""
        _log.info("refused" if outcome is Outcome.REFUSED else "answered", outcome=outcome, rule=rule)
        await self._outcomes.save(_Conclusion(request.id, outcome, rule, allowed, extension, call_id))

    async def stop(self) -> None:
        """Write what can be written in a moment."""
        await self._outcomes.stop()

    async def _write_down(self, one: _Conclusion) -> None:
        await self._ledger.conclude(
            one.id, one.outcome, rule=one.rule, allowed=one.allowed, extension=one.extension, call_id=one.call_id
        )
