"""A claim whose COMMIT was done, and whose answer was lost: nothing is sent for it, and it holds nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bot.app.bot import Bot
from bot.app.settings import read_settings
from bot.domain.commands import Request
from bot.domain.intervention import Intervention
from bot.interventions.outcomes import Outcome
from bot.ledger.audit_log import AuditEntry
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.workspace import Workspace

from .lossy_proxy import LossyProxy

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
    assert await ledger.following() == (claim,)


async def test_what_is_withdrawn_holds_nothing_and_is_a_refusal(
    ledger: Ledger, proxy: LossyProxy, entries: Entries, asked: Asked, wanted: Wanted
) -> None:
    await ledger.begin(asked(id="r"))
    await lost(ledger, proxy, wanted())
    await ledger.withdraw("r", rule="failed", allowed=None, extension="0003*210", call_id="call1")
    (entry,) = await entries()
    assert (await ledger.following(), entry.outcome, entry.rule, entry.state) == ((), Outcome.REFUSED, "failed", None)


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
    assert await ledger.following() == ()


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
