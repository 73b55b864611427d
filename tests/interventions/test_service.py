"""The PUT is sent once, and whatever comes back becomes one state and one figure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall, Presence
from bot.domain.errors import AnswerLost, PbxUnauthenticated, PbxUnreachable, SendCallToInvalid
from bot.domain.intervention import Intervention, State, Why
from bot.interventions.service import send
from bot.polling.phone_calls import Accepted

MakeIntervention = Callable[..., Intervention]


@dataclass
class Pbx:
    """A PBX that answers every action in one way."""

    comes: Accepted | Exception
    acted: list[tuple[str, str, str]] = field(default_factory=list)

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        self.acted.append((user, extension, call_id))
        if isinstance(self.comes, Exception):
            raise self.comes
        return self.comes

    async def presence(self, user: str, extension: str) -> Presence | None:
        raise AssertionError("sending reads nothing")

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        raise AssertionError("sending reads nothing")

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        raise AssertionError("sending reads nothing")


@dataclass
class Figures:
    """What an operator would see."""

    puts: list[str] = field(default_factory=list)

    def put(self, result: str) -> None:
        self.puts.append(result)

    def connected(self, seconds: float, *, by_alert: bool) -> None:
        raise AssertionError("nothing is proven by a PUT")


OUTCOMES: list[tuple[Accepted | Exception, State, Why, str]] = [
    (Accepted.CALL, State.RINGING, Why.NONE, "call"),
    (Accepted.RINGING, State.RINGING, Why.NONE, "ringing"),
    (Accepted.NOTHING, State.ASKED, Why.NONE, "nothing"),
    (SendCallToInvalid("pc_sendcallto_invalid"), State.REFUSED, Why.NONE, "refused"),
    (PbxUnauthenticated(), State.REFUSED, Why.NONE, "refused"),
    (PbxUnreachable("not connected"), State.REFUSED, Why.NONE, "unreachable"),
    (AnswerLost("timed out"), State.ASKED, Why.ANSWER_LOST, "lost"),
    (RuntimeError("a mistake of our own"), State.ASKED, Why.ANSWER_LOST, "lost"),
]


@pytest.mark.parametrize(("comes", "state", "why", "result"), OUTCOMES, ids=[repr(row[0]) for row in OUTCOMES])
async def test_whatever_comes_back_is_one_state_and_one_figure(
    *,
    an_intervention: MakeIntervention,
    noon: datetime,
    comes: Accepted | Exception,
    state: State,
    why: Why,
    result: str,
) -> None:
    pbx, figures = Pbx(comes), Figures()
    after = await send(an_intervention(), pbx, figures, lambda: noon)
    assert (after.state, after.why) == (state, why)
    assert (pbx.acted, figures.puts) == ([("12", "0003*210", "c1")], [result])
