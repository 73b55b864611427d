"""A real PgBouncer before the server: in session mode callbot runs, in any other one it is refused with a sentence."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from bot.app.check.check import check
from bot.app.output import Finding
from bot.domain.commands import Request
from bot.ledger.failures import LedgerInUse
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import SingleRun

Now = Callable[[], datetime]
Asked = Callable[..., Request]
Through = Callable[..., Awaitable[str]]

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
HOW_TO = "No PgBouncer here: apt-get install pgbouncer."
CONFIGURATION = """
[databases]
* = host={server}

[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
server_round_robin = {round_robin}
"""


async def answers(address: str) -> None:
    """Wait until the PgBouncer that was just started takes clients."""
    async with asyncio.timeout(10):
        while True:
            try:
                await (await asyncpg.connect(address)).close()
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.02)
            else:
                return


@pytest.fixture
async def through(postgresql: str, own_postgresql_address: str) -> AsyncIterator[Through]:
    """`await through("session")`: the address of a database of this test's own, through a PgBouncer of that mode."""
    if PROGRAM is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(HOW_TO)
        pytest.skip(HOW_TO)
    folder = Path(tempfile.mkdtemp(prefix="callbot-pb-", dir="/tmp"))  # the path of a socket has at most 107 bytes
    server = Path(postgresql.partition("?host=")[2])
    started: list[asyncio.subprocess.Process] = []

    async def through(mode: str, *, size: int = 10, round_robin: int = 0) -> str:
        text = CONFIGURATION.format(server=server, folder=folder, mode=mode, size=size, round_robin=round_robin)
        address = f"{own_postgresql_address.partition('?host=')[0]}?host={folder}&port=6432"
        started.append(await start(folder, server, text))
        await answers(address)
        return address

    yield through
    for process in started:
        process.kill()
        await process.wait()
    shutil.rmtree(folder)


async def start(folder: Path, server: Path, configuration: str) -> asyncio.subprocess.Process:
    def prepare() -> str:
        (folder / "pgbouncer.ini").write_text(configuration)
        (folder / "users").write_text('"callbot" ""\n')
        folder.chmod(0o777)
        return server.owner()

    owner = await asyncio.to_thread(prepare)
    assert PROGRAM is not None
    other_user = ("-u", owner) if os.geteuid() == 0 else ()  # root it refuses, and others do not get to the server
    quiet = asyncio.subprocess.DEVNULL
    command = (PROGRAM, "-q", *other_user, str(folder / "pgbouncer.ini"))
    return await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)


async def test_in_session_mode_a_ledger_is_held_and_written(through: Through, clock: Now, asked: Asked) -> None:
    address = await through("session")
    async with SingleRun(address):
        ledger = await Ledger.open(address, now=clock)
        await ledger.reserve()
        begun = [await ledger.begin(asked()) for _ in range(3)]
        await ledger.close()
    assert begun == [True] * 3


async def test_in_session_mode_a_second_run_is_kept_out(through: Through) -> None:
    address = await through("session")
    async with SingleRun(address):
        with pytest.raises(LedgerInUse):
            await SingleRun(address).acquire()


async def test_in_session_mode_a_lock_goes_with_the_run_that_held_it(through: Through) -> None:
    address = await through("session")
    for _ in range(3):
        async with SingleRun(address):
            pass


@pytest.mark.parametrize(
    ("mode", "size", "round_robin"), [("transaction", 10, 0), ("transaction", 10, 1), ("transaction", 1, 0)]
)
async def test_transaction_mode_is_refused_with_a_sentence(
    through: Through, mode: str, size: int, round_robin: int
) -> None:
    with pytest.raises(LedgerUnavailable, match="Set pool_mode = session"):
        await SingleRun(await through(mode, size=size, round_robin=round_robin)).acquire()


async def test_transaction_mode_is_refused_also_where_the_pooler_has_many_sessions_to_give(through: Through) -> None:
    address = await through("transaction", round_robin=1)
    clients = [await asyncpg.connect(address) for _ in range(4)]
    for client in clients:
        await client.execute("BEGIN")
    for client in clients:
        await client.execute("COMMIT")
    with pytest.raises(LedgerUnavailable, match="Set pool_mode = session"):
        await SingleRun(address).acquire()
    for client in clients:
        await client.close()


async def test_check_says_that_transaction_mode_does_not_do(through: Through) -> None:
    found: list[Finding] = []
    await check(found.append, {"DATABASE_URL": await through("transaction")})
    assert [finding.text for finding in found if "Set pool_mode = session" in finding.text] != []


async def test_too_small_a_pool_is_said_with_the_number_that_is_needed(through: Through, clock: Now) -> None:
    address = await through("session", size=4)
    async with SingleRun(address):
        ledger = await Ledger.open(address, now=clock)
        with pytest.raises(LedgerUnavailable, match="needs 6 connections to PostgreSQL, and was given 4"):
            await ledger.reserve()
        await ledger.close()
