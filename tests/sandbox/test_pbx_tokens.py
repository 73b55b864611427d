"""The token endpoint, and who is let in."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.sandbox.pbx.requests import Request, request_from
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.pbx.uapi import Tokens

Ask = Callable[..., Awaitable[tuple[int, Any]]]

FORM = "application/x-www-form-urlencoded"
GOOD = b"client_id=sandbox-app&client_secret=sandbox-secret&grant_type=client_credentials"
LIST = "/uapi/phoneCalls/@me/@self"


async def token(ask: Ask, body: bytes = GOOD) -> tuple[int, Any]:
    return await ask("POST", "/oauth/token.php", body, Content_Type=FORM)


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        b"&" + GOOD,
        GOOD + b"&type=unifiedapi&redirect_uri=https://uapi.example.com/ouath/token.php",
        GOOD + b"&state=0&redirect_uri=https%3A%2F%2Fuapi.example.com%2Fouath%2Ftoken.php",
    ],
)
async def test_an_app_gets_a_token(ask: Ask, body: bytes) -> None:
    status, answer = await token(ask, body)
    shaped = re.fullmatch(r"[A-Za-z0-9_.-]{10,}", answer["access_token"])
    assert (status, answer["expires_in"], bool(shaped)) == (200, 3600, True)


async def test_a_token_lets_in(ask: Ask) -> None:
    _, answer = await token(ask)
    status, _ = await ask("GET", LIST, Authorization=f"Bearer {answer['access_token']}")
    assert status == 200


async def test_tokens_are_counted(ask: Ask, pbx: SandboxPbx) -> None:
    await token(ask)
    await token(ask, b"grant_type=client_credentials")
    await token(ask)
    assert pbx.tokens_issued == 2


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (GOOD.replace(b"secret=", b"secret=x"), (401, "invalid_client")),
        (GOOD.replace(b"sandbox-app", b"other-app"), (401, "invalid_client")),
        (b"grant_type=client_credentials", (401, "invalid_client")),
        (GOOD.replace(b"client_credentials", b"password"), (400, "unsupported_grant_type")),
        (GOOD + b"&client_id=sandbox-app", (400, "invalid_request")),
        (GOOD + b"&scope=all", (400, "invalid_request")),
    ],
)
async def test_an_app_that_is_wrong_gets_none(ask: Ask, body: bytes, refusal: tuple[int, str]) -> None:
    status, answer = await token(ask, body)
    assert (status, answer) == (refusal[0], {"error": refusal[1]})


async def test_the_token_endpoint_takes_forms_alone(ask: Ask) -> None:
    status, answer = await ask("POST", "/oauth/token.php", GOOD, Content_Type="application/json")
    assert (status, answer) == (400, {"error": "invalid_request"})


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong-token-1", "Basic fixed-token-of-tests"])
async def test_who_has_no_good_token_stays_outside(ask: Ask, header: str) -> None:
    status, answer = await ask("GET", LIST, Authorization=header)
    assert (status, answer["error"]["code"]) == (401, "access_denied")


async def test_some_servers_say_403(ask: Ask, pbx: SandboxPbx) -> None:
    pbx.forms.unauthenticated = 403
    status, answer = await ask("GET", LIST, Authorization="Bearer wrong-token-1")
    assert (status, answer["error"]["code"]) == (403, "access_denied")


async def test_a_token_in_the_address_is_never_accepted(ask: Ask) -> None:
    status, _ = await ask("GET", f"{LIST}?accessRequestToken=fixed-token-of-tests")
    assert status == 401


async def test_revoked_tokens_are_good_no_more(ask: Ask, pbx: SandboxPbx) -> None:
    pbx.revoke_tokens()
    status, _ = await ask("GET", LIST)
    assert status == 401


def test_a_token_that_no_client_would_accept_is_none(pbx: SandboxPbx) -> None:
    with pytest.raises(ValueError, match="ten or more"):
        pbx.accept_token("short")


class Clock:
    """Seconds that pass when they are told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def asked() -> Request:
    return request_from("POST", "/oauth/token.php", {"Content-Type": FORM}, GOOD, 0.0)


@pytest.mark.parametrize(("seconds", "good"), [(0.0, True), (59.9, True), (60.0, False)])
def test_a_token_is_good_for_its_lifetime(seconds: float, good: bool) -> None:
    clock = Clock()
    tokens = Tokens("sandbox-app", "sandbox-secret", 60, clock)
    answer: Any = tokens.answer(asked()).payload
    clock.seconds = seconds
    assert tokens.good(f"Bearer {answer['access_token']}") is good


def test_a_second_token_does_not_end_the_first() -> None:
    tokens = Tokens("sandbox-app", "sandbox-secret", 60, Clock())
    first: Any = tokens.answer(asked()).payload
    tokens.answer(asked())
    assert tokens.good(f"Bearer {first['access_token']}")
