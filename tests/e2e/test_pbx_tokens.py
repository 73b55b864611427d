"""The token: one for all, renewed once when it is refused, before it expires; and never a reason to act twice."""

import asyncio
from typing import Any

import pytest

from bot.sandbox.pbx.server import Fault, SandboxPbx


@pytest.mark.parametrize("status", ["401", "403"])
async def test_a_token_that_is_refused_for_the_put_is_renewed_once_and_acts_once(house: Any, status: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault(status, method="PUT"))
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    assert ([put.status for put in house.pbx.puts()], house.pbx.tokens_issued) == ([int(status), 202], 2)


async def test_the_put_after_a_renewal_carries_the_new_token(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("401", method="PUT"))
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    first, second = (put.headers["authorization"] for put in house.pbx.puts())
    assert first != second


async def test_a_put_that_is_refused_with_a_fresh_token_too_is_refused_on_the_card(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("403", method="PUT", times=None))
    await house.ana_types("/monitor 0003*210")
    card = await house.card("Refused")
    assert (len(house.pbx.puts()), "access_denied" in "\n".join(card.lines())) == (2, True)


async def test_everybody_who_waits_for_a_new_token_gets_the_same_one(house: Any) -> None:
    await house.pbx.until(lambda: house.pbx.tokens_issued == 1)
    house.talk()
    house.pbx.revoke_tokens()
    house.pbx.faults.add(Fault("slow", method="POST", path_contains="/oauth/", seconds=0.3))
    await asyncio.gather(*(house.ana_types(f"/calls {name}") for name in ("bob", "b", "bo")))
    await house.workspace.until(lambda: len(house.workspace.private("U0ANA")) == 3)
    assert house.pbx.tokens_issued == 2


async def test_a_token_is_renewed_before_it_expires_so_no_request_is_ever_refused(empty_house: Any) -> None:
    house = empty_house
    await house.pbx.stop()
    house.pbx = SandboxPbx(house.floor, token_lifetime=0.45)
    await house.pbx.start()
    await house.start_bot()
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.pbx.until(lambda: house.pbx.tokens_issued >= 3)
    assert [seen.path for seen in house.pbx.requests if seen.status in {401, 403}] == []


async def test_a_fixed_token_is_used_as_it_is(empty_house: Any) -> None:
    house = empty_house
    house.more_settings = {
        "UAPI_CLIENT_ID": "",
        "UAPI_CLIENT_SECRET": "",
        "UAPI_ACCESS_TOKEN": "fixed-token-of-tests",
    }
    house.pbx.accept_token("fixed-token-of-tests")
    await house.start_bot()
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    tokens = {seen.headers.get("authorization") for seen in house.pbx.requests}
    assert (tokens, house.pbx.tokens_issued) == ({"Bearer fixed-token-of-tests"}, 0)


async def test_a_fixed_token_that_is_refused_says_so_privately_and_nothing_is_renewed(empty_house: Any) -> None:
    house = empty_house
    house.more_settings = {"UAPI_CLIENT_ID": "", "UAPI_CLIENT_SECRET": "", "UAPI_ACCESS_TOKEN": "stale-token-of-tests"}
    await house.start_bot()
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.workspace.until(lambda: house.workspace.private("U0ANA"))
    assert (house.pbx.puts(), house.pbx.tokens_issued) == ([], 0)
