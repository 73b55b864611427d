"""Requests that send nothing to the PBX: lists, help, answers to cards and alerts, a raised hand."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from bot.alerts.alert import Alert
from bot.alerts.responses import Helping
from bot.domain.commands import AnswerAlert, AnswerSwitch, Help, ListCalls, RaiseHand
from bot.domain.permissions import AuthorizationMap
from bot.domain.request import Request
from bot.interventions.call_list import LISTED_WITHIN, Viewer, live_calls
from bot.interventions.ports import Asker
from bot.interventions.tracker import Follower
from bot.polling.poller import Looks

Question: TypeAlias = AnswerSwitch | AnswerAlert | RaiseHand | ListCalls | Help


@dataclass(frozen=True)
class Answer:
    """What came of it: the rule that allowed it, what it was about, and what the person is told."""

    rule: str
    extension: str = ""
    call_id: str = ""
    tell: Callable[[Asker], Awaitable[None]] | None = None


class Answering:
    """Everything that can be asked besides interventions. `rules` are asked anew."""

    def __init__(
        self, *, rules: Callable[[], AuthorizationMap], looks: Looks, follower: Follower, helping: Helping
    ) -> None:
        self._rules = rules
        self._looks = looks
        self._follower = follower
        self._helping = helping
        self._one_list_at_a_time = asyncio.Lock()

    async def answer(self, request: Request, question: Question) -> Answer:
        """Do what was asked. Raises Refusal, PbxError and LedgerUnavailable."""
        match question:
            case ListCalls():
                return await self._list(request, question)
            case Help():
                return Answer("help is for everyone", tell=lambda asker: asker.helped())
            case AnswerSwitch():
                self._follower.switches.decide(question.card, request.slack_user, now=question.now)
                return Answer("one's own card")
            case AnswerAlert():
                rule, alert = await self._helping.answer(request, question)
                return _about(alert, rule)
            case RaiseHand():
                alert = await self._helping.raise_hand(request, question)
                return _about(alert, "one's own call", tell=lambda asker: asker.hand_raised(alert.channel))
            case unknown:
                assert_never(unknown)

    async def _list(self, request: Request, command: ListCalls) -> Answer:
        self._rules().person(request.slack_user, stranger=request.stranger)
        seen = await self._looks.snapshot(LISTED_WITHIN)
        rules = self._rules()  # those of now: the lists may have taken their time
        followed = self._follower.open
        in_calls = {one.call_id for one in followed}
        viewer = Viewer(
            person=rules.person(request.slack_user, stranger=request.stranger),
            channel=request.channel,
            rules=rules,
            followed=followed,
            known=self._follower.known(call for call in seen.calls if call.id in in_calls),
            may_ask_for_help=self._helping.channel is not None,
        )
        async with self._one_list_at_a_time:
            listing = await live_calls(viewer, command, seen.calls, scopes=seen.scopes, unread=seen.unread)
        return Answer("calls of one's own extensions", tell=lambda asker: asker.listed(listing))


def _about(alert: Alert, rule: str, tell: Callable[[Asker], Awaitable[None]] | None = None) -> Answer:
    return Answer(rule, alert.extension, alert.call.id, tell)
