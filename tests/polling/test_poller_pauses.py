"""How soon a call is polled again: by what is expected of it, and by how long the PBX has not answered."""

import asyncio
from typing import Any

import pytest

from bot.domain.errors import AccessDenied, PbxUnreachable
from bot.polling.poller import Haste


async def paused(watch: Any, clock: Any, haste: Haste) -> float:
    """Seconds until the next poll."""
    begun, ended = float(clock()), list[float]()

    async def pause() -> None:
        await watch.poller.pause(haste)
        ended.append(clock())

    task = asyncio.create_task(pause())
    await clock.let_pass(60)
    await task
    return ended[0] - begun


async def outage(watch: Any, clock: Any, seconds: float) -> None:
    """The PBX has not answered for so many seconds."""
    watch.pbx.slow = 0.0
    watch.pbx.failing["c1"] = PbxUnreachable("not connected")
    watch.at("c1")
    await clock.let_pass(seconds)


@pytest.mark.parametrize(("haste", "seconds"), [(Haste.DOUBTING, 0.3), (Haste.EXPECTING, 0.5), (Haste.WATCHING, 1.0)])
async def test_how_soon_a_call_is_polled_again(watch: Any, clock: Any, haste: Haste, seconds: float) -> None:
    assert await paused(watch, clock, haste) == pytest.approx(seconds)


@pytest.mark.parametrize(("seconds", "pause"), [(0.2, 0.5), (2, 1.2), (8, 4.8), (3600, 7.5)])
async def test_the_longer_the_pbx_has_not_answered_the_longer_the_pause(
    watch: Any, clock: Any, seconds: float, pause: float
) -> None:
    await outage(watch, clock, seconds)
    assert await paused(watch, clock, Haste.EXPECTING) == pytest.approx(pause)


@pytest.mark.parametrize("back", ["it answers", "it says no"])
async def test_a_pbx_that_is_back_ends_the_long_pauses_within_a_second(watch: Any, clock: Any, back: str) -> None:
    await outage(watch, clock, 600)
    waiting = asyncio.create_task(watch.poller.pause(Haste.WATCHING))
    await clock.let_pass(1.5)
    if back == "it says no":
        watch.pbx.failing["c2"] = AccessDenied("access_denied")
    watch.at("c2")
    await clock.let_pass(1.0)
    assert waiting.done()


async def test_a_no_does_not_make_the_pauses_longer(watch: Any, clock: Any) -> None:
    watch.pbx.failing["c1"] = AccessDenied("access_denied")
    watch.at("c1")
    await clock.let_pass(60)
    assert await paused(watch, clock, Haste.WATCHING) == pytest.approx(1.0)
