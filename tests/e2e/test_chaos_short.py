"""The chaos run, short: a few seconds of everything at once (`python -m tests.chaos`)."""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def test_no_promise_is_broken_by_faults_kills_and_restarts() -> None:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos", "--minutes", "0.09", "--seed", "7", "--calm", "5"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(50):
        said = (await run.communicate())[0].decode()
    assert run.returncode == 0, said
