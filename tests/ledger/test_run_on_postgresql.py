"""`callbot run` on a PostgreSQL that hangs, or whose sessions end: a real process, a real server."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

import bot as bot_package
from bot.ledger.failures import LedgerInUse
from bot.ledger.ledger import Ledger
from bot.ledger.single_run import SingleRun
from bot.sandbox.workspace.workspace import Workspace

PROMISED = 10.0
"""Seconds within which SIGTERM is to end it."""
MAP = """
[users.U0ANA]
name = "Ana Pop"
extension = "0003*024"
roles = ["supervisor"]

[roles.supervisor]
actions = ["Monitor"]
extensions = ["0003*2XX"]
"""

Process = asyncio.subprocess.Process


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace()
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
def address(own_postgresql_address: str) -> str:
    return own_postgresql_address


@pytest.fixture
async def run(workspace: Workspace, address: str, tmp_path: Path) -> AsyncIterator[Process]:
    """It has started. There is no PBX: that is none of its business here."""
    (tmp_path / "callbot.toml").write_text(MAP)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(bot_package.__file__).parents[1]),
        "LOG_FORMAT": "json",
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
        "UAPI_URL": "http://127.0.0.1:9",
        "UAPI_ACCESS_TOKEN": "fixed",
        "DATABASE_URL": address,
        "PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        await said(process, '"event": "started"')
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: Process, words: str) -> None:
    """Wait until it says that."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while words not in (line := (await process.stdout.readline()).decode()):
            assert line, "it ended before"


async def ended(process: Process) -> tuple[int, str]:
    """The exit code, and what it said in the end."""
    assert process.stdout is not None
    async with asyncio.timeout(45):
        last = (await process.stdout.read()).decode()
        return await process.wait(), last


async def sessions(address: str) -> list[int]:
    """The server's processes for others than us."""
    session = await asyncpg.connect(address)
    try:
        found = await session.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await session.close()
    return [row["pid"] for row in found]


async def server(address: str) -> list[int]:
    """The server's process that takes connections, and those for others than us."""
    session = await asyncpg.connect(address)
    try:
        folder = await session.fetchval("SHOW data_directory")
    finally:
        await session.close()
    return [int((Path(folder) / "postmaster.pid").read_text().splitlines()[0]), *await sessions(address)]


@contextmanager
def hanging(processes: list[int]) -> Iterator[None]:
    """It takes connections and answers nothing, as a host does that is stuck."""
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


async def sent(workspace: Workspace) -> None:
    """A request that waits for the ledger."""
    await workspace.type("U0ANA", "C0FLOOR", "/monitor 0003*210")


async def nothing(_workspace: Workspace) -> None:
    """No request."""


@pytest.mark.parametrize("request_under_way", [nothing, sent])
async def test_sigterm_ends_it_in_time_while_the_ledger_hangs(
    run: Process, address: str, workspace: Workspace, request_under_way: Callable[[Workspace], Awaitable[None]]
) -> None:
    with hanging(await server(address)):
        await request_under_way(workspace)
        begun = monotonic()
        run.send_signal(signal.SIGTERM)
        code, _last = await ended(run)
        seconds = monotonic() - begun
    assert (code, seconds < PROMISED) == (0, True), seconds


async def test_a_run_whose_ledger_another_one_has_taken_stops_in_order_and_says_why(run: Process, address: str) -> None:
    session = await asyncpg.connect(address)
    try:
        await session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
    finally:
        await session.close()
    async with SingleRun(address):
        code, last = await ended(run)
    assert (code, '"event": "stopped"' in last, "Another `callbot run` has taken the ledger" in last) == (1, True, True)
    assert "Traceback" not in last


async def test_a_run_whose_session_with_the_ledger_ended_goes_on_and_keeps_others_out(
    run: Process, address: str
) -> None:
    session = await asyncpg.connect(address)
    try:
        await session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await session.close()
    await said(run, '"event": "ledger_session_renewed"')
    with pytest.raises(LedgerInUse):
        await SingleRun(address).acquire()


async def test_a_closing_that_is_cut_short_leaves_no_session_with_a_server_that_hangs(
    address: str, clock: Callable[[], datetime]
) -> None:
    ledger = await Ledger.open(address, now=clock)
    await asyncio.gather(*(ledger.posted("card1") for _ in range(3)))
    with hanging(await sessions(address)), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await ledger.close()
    async with asyncio.timeout(10):
        while await sessions(address):
            pass
