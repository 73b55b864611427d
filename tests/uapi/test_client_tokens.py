"""UnifiedApi and its token: what a refused one costs."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.domain.actions import Monitor
from bot.domain.errors import AccessDenied, PbxUnauthenticated, PbxUnreachable
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.uapi.client import UnifiedApi
from bot.uapi.token import ClientCredentials

MONITOR = Monitor(phone_call_view_id="01", send_call_to="0003*024", wait_for_pickup=20)
Connect = Callable[..., UnifiedApi]


@pytest.fixture
def call_id(floor: Floor) -> str:
    return floor.talk(caller="+15550100", to="0003*210", caller_name="Carla Caller")


# ── tokens ──


@pytest.fixture
def app(pbx: SandboxPbx, session: aiohttp.ClientSession, connect: Connect) -> UnifiedApi:
    """The client with the credentials of the sandbox's App."""
    return connect(pbx.url, token=ClientCredentials(session, pbx.url, "sandbox-app", "sandbox-secret"))


@pytest.mark.parametrize("stale", [401, 403])
async def test_a_stale_token_is_renewed_and_the_read_repeated(
    app: UnifiedApi, pbx: SandboxPbx, call_id: str, stale: Any
) -> None:
    pbx.forms.unauthenticated = stale
    await app.list("@me", "@self")
    pbx.revoke_tokens()
    assert await app.get("@me", "0003*210", call_id) is not None
    assert pbx.tokens_issued == 2


@pytest.mark.parametrize("stale", [401, 403])
async def test_a_stale_token_is_renewed_and_the_action_sent_once_more(
    app: UnifiedApi, pbx: SandboxPbx, call_id: str, stale: Any
) -> None:
    pbx.forms.unauthenticated = stale
    await app.list("@me", "@self")
    pbx.revoke_tokens()
    await app.act("12", "0003*210", call_id, MONITOR)
    assert [put.status for put in pbx.puts()] == [stale, 202]


@pytest.mark.parametrize(("kind", "error"), [("401", PbxUnauthenticated), ("403", AccessDenied)])
async def test_a_fresh_token_that_is_refused_is_the_end(
    app: UnifiedApi, pbx: SandboxPbx, call_id: str, kind: Any, error: type[Exception]
) -> None:
    pbx.faults.add(Fault(kind, path_contains="/uapi/", times=None))
    with pytest.raises(error):
        await app.act("12", "0003*210", call_id, MONITOR)
    assert len(pbx.puts()) == 2


async def test_a_right_that_lacks_does_not_cost_a_token_for_every_request(app: UnifiedApi, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault("403", path_contains="/uapi/", times=None))
    for _ in range(5):
        with pytest.raises(AccessDenied):
            await app.list("@me", "@self")
    assert pbx.tokens_issued == 2


async def test_a_fixed_token_that_is_refused_is_not_sent_again(connect: Connect, pbx: SandboxPbx, call_id: str) -> None:
    pbx.revoke_tokens()
    with pytest.raises(PbxUnauthenticated):
        await connect(pbx.url).act("12", "0003*210", call_id, MONITOR)
    assert len(pbx.puts()) == 1


async def test_without_a_token_an_action_is_not_sent(app: UnifiedApi, pbx: SandboxPbx, call_id: str) -> None:
    pbx.faults.add(Fault("cut before", method="POST", times=None))
    with pytest.raises(PbxUnreachable) as caught:
        await app.act("12", "0003*210", call_id, MONITOR)
    assert (type(caught.value), pbx.puts()) == (PbxUnreachable, [])
