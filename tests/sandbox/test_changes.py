"""Waiting for changes."""

import asyncio
import time

from bot.sandbox.changes import Changes


async def test_a_change_wakes_who_waits_at_once() -> None:
    changes, seen = Changes(look_again=60.0), asyncio.Event()
    start = time.monotonic()
    waiting = asyncio.create_task(changes.until(seen.is_set, timeout=10.0))
    asyncio.get_running_loop().call_later(0.01, seen.set)
    asyncio.get_running_loop().call_later(0.02, changes.tell)
    assert (await waiting, time.monotonic() - start < 5) == (True, True)


async def test_who_waits_looks_again_without_a_change() -> None:
    changes, seen = Changes(look_again=0.01), asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, seen.set)
    assert await changes.until(seen.is_set, timeout=10.0)
