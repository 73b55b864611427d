"""The way of one request: it is written into the ledger, carried out, and concluded; a person who is refused hears why."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import structlog
from structlog.contextvars import bound_contextvars

from bot.alerts.alert import Alert
from bot.alerts.responses import AlertResponses
from bot.app.live_config import LiveConfig
from bot.domain.commands import AnswerAlert, AnswerWaiting, AskForHelp, Command, Help, Intervene, ListCalls, Request
from bot.domain.errors import CallbotError, PbxError, Refusal
from bot.interventions.call_list import LISTED_WITHIN, Viewer, live_calls
from bot.interventions.outcomes import InterventionLedger, Outcome, Outcomes, rule_of
from bot.interventions.planner import named_call
from bot.interventions.service import Asker, Interventions
from bot.interventions.tracker import InterventionTracker
from bot.polling.poller import Poller

Question: TypeAlias = AnswerWaiting | AnswerAlert | AskForHelp | ListCalls | Help
"""Commands that send nothing to the PBX."""
BROKEN = "Something is wrong in callbot itself. Nothing more is sent. Look at the call, and give the id to the person who runs callbot."

_log = structlog.get_logger("callbot.interventions")


@dataclass(frozen=True)
class _Answer:
    """The answer to a question: the rule that allowed it, the call it is about, and how to tell the person."""

    rule: str
    extension: str = ""
    call_id: str = ""
    tell: Callable[[Asker], Awaitable[None]] | None = None


class Dispatch:
    """Passes each request to its service: interventions, lists, help, answers to cards and alerts."""

    def __init__(
        self,
        *,
        ledger: InterventionLedger,
        outcomes: Outcomes,
        config: LiveConfig,
        poller: Poller,
        interventions: Interventions,
        tracker: InterventionTracker,
        responses: AlertResponses,
    ) -> None:
        self._ledger = ledger
        self._outcomes = outcomes
        self._config = config
        self._poller = poller
        self._interventions = interventions
        self._tracker = tracker
        self._responses = responses
        self._one_list_at_a_time = asyncio.Lock()

    async def handle(self, request: Request, meant: Command | Refusal, asker: Asker) -> None:
        """Carry the request out, or say why not. Raises nothing: whatever happens, the person and the ledger learn of it.

        `meant`: the command, or why the text is none. Each log line carries the request's id as `intervention`; error
        answers show the same id.
        """
        with bound_contextvars(intervention=request.id):
            try:
                if await self._ledger.begin(request):
                    await self._carry_out(request, meant, asker)
                else:
                    _log.info("repeat")
            except Exception as error:  # noqa: BLE001 - last resort: the person learns of any failure
                await _tell(error, request, asker)

    async def _carry_out(self, request: Request, meant: Command | Refusal, asker: Asker) -> None:
        """Carry out a request that is in the ledger. Whatever is raised is concluded there first."""
        permissions = self._config.permissions()  # of now: the ledger says whose call was meant, also if that changes
        try:
            if isinstance(meant, Refusal):
                raise meant  # noqa: TRY301 - concluded and said as every other refusal
            action = meant.action if isinstance(meant, Intervene) else None
            _log.info("asked", command=type(meant).__name__, action=action, clicked=request.clicked)
            if isinstance(meant, Intervene):
                await self._interventions.intervene(request, meant, asker)
                return
            answer = await self._answer(request, meant)
            await self._outcomes.conclude(
                request, Outcome.ANSWERED, answer.rule, allowed=True, extension=answer.extension, call_id=answer.call_id
            )
            if answer.tell is not None:
                await answer.tell(asker)
        except Exception as error:
            rule, no = rule_of(error)
            extension, call_id = named_call(meant, request.slack_user, permissions)
            await self._outcomes.conclude(
                request, Outcome.REFUSED, rule, allowed=no, extension=extension, call_id=call_id
            )
            raise

    async def _answer(self, request: Request, question: Question) -> _Answer:
        """Carry the question out. Raises Refusal, PbxError and LedgerUnavailable."""
        match question:
            case ListCalls():
                return await self._list(request, question)
            case Help():
                return _Answer("help is for everyone", tell=lambda asker: asker.helped())
            case AnswerWaiting():
                self._tracker.waiting_requests.decide(question.card, request.slack_user, ring_now=question.now)
                return _Answer("one's own card")
            case AnswerAlert():
                rule, alert = await self._responses.answer(request, question)
                return _about(alert, rule)
            case AskForHelp():
                alert = await self._responses.ask_for_help(request, question)
                return _about(alert, "one's own call", tell=lambda asker: asker.help_requested(alert.channel))
            case unknown:
                assert_never(unknown)

    async def _list(self, request: Request, command: ListCalls) -> _Answer:
        self._config.permissions().person(request.slack_user, external=request.external)
        seen = await self._poller.snapshot(LISTED_WITHIN)
        permissions = self._config.permissions()  # read again: the lists may have taken long
        tracked = self._tracker.open
        in_calls = {one.call_id for one in tracked}
        viewer = Viewer(
            person=permissions.person(request.slack_user, external=request.external),
            channel=request.channel,
            permissions=permissions,
            tracked=tracked,
            known=self._tracker.known(call for call in seen.calls if call.id in in_calls),
            may_ask_for_help=self._config.help_channel() is not None,
        )
        async with self._one_list_at_a_time:
            listing = await live_calls(viewer, command, seen.calls, scopes=seen.scopes, unread=seen.unread)
        return _Answer("calls of one's own extensions", tell=lambda asker: asker.listed(listing))


async def _tell(error: Exception, request: Request, asker: Asker) -> None:
    """Tell the person why nothing was done."""
    match error:
        case Refusal():
            await asker.refused(error, request.id)
        case PbxError():
            await asker.failed(str(error) + (f" ({error.code})" if error.code else ""), request.id)
        case _:
            _log.error("failed", exc_info=error)
            await asker.failed(str(error) if isinstance(error, CallbotError) else BROKEN, request.id)


def _about(alert: Alert, rule: str, tell: Callable[[Asker], Awaitable[None]] | None = None) -> _Answer:
    return _Answer(rule, alert.extension, alert.call.id, tell)
