"""What the ledger does for one intervention, durable at each commit: from the request to the card that shows its end."""

import asyncio
import json
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from time import perf_counter
from typing import NamedTuple

from bench import floors
from bench.figures import Figures
from bot.domain.actions import Monitor
from bot.domain.calls import PhoneCall
from bot.domain.intervention import Intervention, Poll, answered, begin, follow
from bot.domain.request import Request
from bot.ledger.ledger import Ledger

AT_ONCE = 64
"""Interventions that are under way at a time."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def measure_ledger(rounds: int, many: int) -> Figures:
    """Interventions a second."""
    return asyncio.run(_measure(rounds, many))


async def _measure(rounds: int, many: int) -> Figures:
    figures, numbers = Figures(), count()
    call = PhoneCall.model_validate(json.loads(floors.a_call(1)))
    with tempfile.TemporaryDirectory(prefix="callbot-bench-") as folder:
        ledger = await Ledger.open(f"sqlite:///{folder}/callbot.db", now=now)
        for _ in range(rounds):
            left = iter([_truths(next(numbers), call) for _ in range(many)])

            async def one_after_the_other(left: Iterator[_Truths] = left) -> None:
                for truths in left:
                    await _one(ledger, truths)

            begun = perf_counter()
            await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
            figures.add("ledger", many / (perf_counter() - begun))
        await ledger.close()
    return figures


class _Truths(NamedTuple):
    """One intervention from the request to its end."""

    request: Request
    asked: Intervention
    ringing: Intervention
    ended: Intervention


def _truths(number: int, call: PhoneCall) -> _Truths:
    request = _request(number)
    asked = begin(_asked(request, number, call))
    ringing, moment = answered(asked, "ringing", now()), now()
    ended = ringing
    while ended.following:
        moment += timedelta(seconds=1)
        ended = follow(ended, Poll(call=None), moment)
    return _Truths(request, asked, ringing, ended)


async def _one(ledger: Ledger, truths: _Truths) -> None:
    """The nine transactions of an intervention, as the bot asks for them."""
    request, asked, ringing, ended = truths
    await ledger.begin(request)
    await ledger.of_call(request.slack_user, asked.call_id)
    await ledger.claim(request.id, asked, rule="role supervisor")
    await ledger.save(ringing)
    await ledger.posted(ringing.card)
    await ledger.begin_post(ringing.card, ringing.place, request.at)
    await ledger.save_posted(ringing.card, "D0LOCAL", "1700000000.000100", shown=request.id, until=request.at)
    await ledger.save(ended)
    await ledger.save_shown(ended.card, request.trigger, ended.steps[-1].at)


def _request(number: int) -> Request:
    return Request(
        id=uuid.uuid4().hex,
        trigger=uuid.uuid4().hex,
        slack_user=f"U0S{number}",
        external=False,
        channel="C0FLOOR",
        clicked=False,
        said="/monitor 0003*210",
        at=now(),
    )


def _asked(request: Request, number: int, call: PhoneCall) -> Intervention:
    call_id = f"{number:020x}"
    return Intervention(
        id=request.id,
        card=uuid.uuid4().hex,
        place=request.slack_user,
        slack_user=request.slack_user,
        supervisor="Ana Pop",
        phone=f"0003*5{number:03}",
        user="@me",
        extension=f"0003*2{number:03}",
        agent="Bob Ionescu",
        call_id=call_id,
        action=Monitor(phone_call_view_id="00", send_call_to=f"0003*5{number:03}"),
        channel=request.channel,
        asked_at=request.at,
        call=call.model_copy(update={"id": call_id}),
    )
