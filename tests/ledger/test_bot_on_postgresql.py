"""PostgreSQL loses the answer to a COMMIT, hangs, or ends sessions: real servers, the whole bot."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

import bot as bot_package
from bot.app.bot import Bot
from bot.app.settings import read_settings
from bot.domain.commands import Request
from bot.domain.intervention import Intervention
from bot.interventions.outcomes import Outcome
from bot.ledger.audit_log import AuditEntry
from bot.ledger.failures import LedgerInUse
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import SingleRun
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.workspace import Workspace
from tests.ledger.lossy_proxy import LossyProxy

Asked = Callable[..., Request]
Wanted = Callable[..., Intervention]
Entries = Callable[..., Awaitable[list[AuditEntry]]]
MAP = """
[users.U0ANA]
name = "Ana Pop"
extension = "0003*024"
roles = ["supervisor"]

[roles.supervisor]
actions = ["Monitor"]
extensions = ["0003*2XX"]
"""


@pytest.fixture
def address(own_postgresql_address: str) -> str:
    """Where the server is, without anything between."""
    return own_postgresql_address


@pytest.fixture
async def proxy(address: str) -> AsyncIterator[LossyProxy]:
    parts = urlsplit(address)
    proxy = LossyProxy(parse_qs(parts.query)["host"][0], parts.path.removeprefix("/"))
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def ledger(proxy: LossyProxy, clock: Any) -> AsyncIterator[Ledger]:
    """A ledger that reaches its server through the proxy."""
    ledger = await Ledger.open(proxy.url, now=clock)
    yield ledger
    await ledger.close()


async def lost(ledger: Ledger, proxy: LossyProxy, claim: Intervention, *, late: bool = False) -> None:
    """The claim of request r; its COMMIT has no answer."""
    proxy.lose_commit(late=late)
    with pytest.raises(LedgerUnavailable):
        await ledger.claim("r", claim, rule="supervisor")


async def test_such_a_claim_is_written(ledger: Ledger, proxy: LossyProxy, asked: Asked, wanted: Wanted) -> None:
    await ledger.begin(asked(id="r"))
    claim = wanted()
    await lost(ledger, proxy, claim)
    assert await ledger.tracked() == (claim,)


async def test_what_is_withdrawn_holds_nothing_and_is_a_refusal(
    ledger: Ledger, proxy: LossyProxy, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    await ledger.begin(asked(id="r"))
    await lost(ledger, proxy, wanted())
    await ledger.withdraw("r", rule="failed", allowed=None, extension="0003*210", call_id="call1")
    (entry,) = await entries()
    assert (await ledger.tracked(), entry.outcome, entry.rule, entry.state) == ((), Outcome.REFUSED, "failed", None)


async def waits_for_a_lock(address: str) -> None:
    session = await asyncpg.connect(address)
    try:
        async with asyncio.timeout(10):
            while not await session.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ):
                pass
    finally:
        await session.close()


async def test_a_commit_that_is_still_on_its_way_is_waited_for_and_withdrawn(
    ledger: Ledger, address: str, proxy: LossyProxy, asked: Asked, wanted: Wanted
) -> None:
    await ledger.begin(asked(id="r"))
    await lost(ledger, proxy, wanted(), late=True)
    withdrawing = asyncio.create_task(ledger.withdraw("r", rule="failed", allowed=None))
    await waits_for_a_lock(address)
    proxy.deliver.set()
    await withdrawing
    assert await ledger.tracked() == ()


# ── with the whole bot ──


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace()
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def pbx() -> AsyncIterator[SandboxPbx]:
    floor = Floor()
    floor.add_extension("0003*024", user="3", name="Ana Pop")
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    floor.talk(caller="+15550142", to="0003*210")
    pbx = SandboxPbx(floor)
    await pbx.start()
    yield pbx
    await pbx.stop()


@pytest.fixture
async def bot(workspace: Workspace, pbx: SandboxPbx, proxy: LossyProxy, tmp_path: Path) -> AsyncIterator[Bot]:
    config = tmp_path / "callbot.toml"
    config.write_text(MAP)
    bot = await Bot.start(
        read_settings(
            {
                "SLACK_BOT_TOKEN": workspace.bot_token,
                "SLACK_APP_TOKEN": workspace.app_token,
                "SLACK_API_URL": workspace.api_url,
                "UAPI_URL": pbx.url,
                "UAPI_CLIENT_ID": "sandbox-app",
                "UAPI_CLIENT_SECRET": "sandbox-secret",
                "CALLBOT_CONFIG": str(config),
                "DATABASE_URL": proxy.url,
                "PORT": "0",
            }
        )
    )
    yield bot
    await bot.stop()


async def test_a_person_whose_claim_was_lost_so_may_ask_again_and_one_put_is_sent(
    bot: Bot, workspace: Workspace, pbx: SandboxPbx, proxy: LossyProxy, entries: Entries
) -> None:
    proxy.lose_commit()
    await workspace.type("U0ANA", "C0FLOOR", "/monitor 0003*210")
    await workspace.until(
        lambda: [one for one in workspace.private("U0ANA") if "cannot reach its ledger" in one.text], 20
    )
    async with asyncio.timeout(20):
        while [entry.outcome for entry in await entries()] != [Outcome.REFUSED]:
            pass
    await workspace.type("U0ANA", "C0FLOOR", "/monitor 0003*210")
    await pbx.until(pbx.puts, 20)
    assert ([entry.outcome for entry in await entries()], len(pbx.puts())) == ([Outcome.REFUSED, Outcome.SENT], 1)


# ── a server that hangs, and sessions that end ──


PROMISED = 10.0
"""Seconds within which SIGTERM is to end it."""

Process = asyncio.subprocess.Process


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


async def test_after_a_closing_that_is_cut_short_nothing_more_is_written(
    address: str, clock: Callable[[], datetime]
) -> None:
    """The next run may have the ledger by then. One state is under way, the others wait for their turn."""
    ledger = await Ledger.open(address, now=clock)
    with hanging(await sessions(address)):
        posts = [asyncio.create_task(ledger.save_pending_post(f"card{n}", "C0FLOOR", clock())) for n in range(16)]
        await asyncio.wait(posts, timeout=0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await ledger.close()
        came = await asyncio.gather(*posts, return_exceptions=True)
    assert {type(one) for one in came} == {LedgerUnavailable}
