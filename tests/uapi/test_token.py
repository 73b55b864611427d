"""Access tokens: fetched once for all who wait, renewed in time, shown nowhere."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest

from bot.domain.errors import PbxError, PbxUnauthenticated, PbxUnreachable
from bot.sandbox.pbx.server import SandboxPbx
from bot.uapi.token import ClientCredentials, FixedToken, read_token
from tests.uapi.conftest import CLOSE, HANG, RawPbx, http

Make = Callable[..., ClientCredentials]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(session: aiohttp.ClientSession, clock: Clock) -> Make:
    def make(url: str, secret: str = "sandbox-secret", **settings: Any) -> ClientCredentials:
        return ClientCredentials(session, url, "sandbox-app", secret, now=clock, **settings)

    return make


def given(token: str, lifetime: object = 3600) -> bytes:
    return http(200, {"access_token": token, "expires_in": lifetime})


# ── a fixed token ──


async def test_a_fixed_token_is_used_as_it_is() -> None:
    assert await FixedToken("1.fixed-token~A7").token() == "1.fixed-token~A7"


async def test_nothing_renews_a_fixed_token() -> None:
    assert await FixedToken("fixed-token").renew("fixed-token") is None


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Evil: 1", "tok\u00e9n", "\x7f"])
async def test_a_fixed_token_that_cannot_stand_in_a_header_is_no_token(token: str) -> None:
    with pytest.raises(PbxUnauthenticated):
        await FixedToken(token).token()


# ── the request ──


async def test_the_form_is_the_documented_one(make: Make, raw: RawPbx) -> None:
    raw.replies = [given("first-token")]
    await make(f"{raw.url}/", secret="a&b=c +%").token()
    (asked,) = raw.heard
    assert (asked.line, asked.headers["content-type"], parse_qs(asked.body.decode(), strict_parsing=True)) == (
        "POST /oauth/token.php HTTP/1.1",
        "application/x-www-form-urlencoded",
        {
            "client_id": ["sandbox-app"],
            "client_secret": ["a&b=c +%"],
            "grant_type": ["client_credentials"],
            "type": ["unifiedapi"],
            "redirect_uri": [f"{raw.url}/oauth/token.php"],
        },
    )


async def test_the_sandbox_gives_a_token_that_it_accepts(make: Make, pbx: SandboxPbx, connect: Any) -> None:
    assert await connect(pbx.url, token=make(pbx.url)).list("@me", "@self") == ()


async def test_a_wrong_secret_is_refused(make: Make, pbx: SandboxPbx) -> None:
    with pytest.raises(PbxUnauthenticated) as caught:
        await make(pbx.url, secret="wrong").token()
    assert caught.value.code == "invalid_client"


async def test_a_redirect_does_not_carry_the_secret_elsewhere(make: Make, raw: RawPbx) -> None:
    raw.replies = [http(307, headers=f"Location: {raw.url}/elsewhere\r\n"), given("first-token")]
    with pytest.raises(PbxUnreachable):
        await make(raw.url).token()
    assert len(raw.heard) == 1


@pytest.mark.parametrize("reply", [CLOSE, HANG], ids=["closed", "held"])
async def test_a_token_endpoint_without_an_answer_is_unreachable(make: Make, raw: RawPbx, reply: bytes) -> None:
    raw.replies = [reply]
    with pytest.raises(PbxUnreachable) as caught:
        await make(raw.url, timeout=0.2).token()
    assert type(caught.value) is PbxUnreachable


# ── its lifetime ──


@pytest.mark.parametrize(
    ("lifetime", "last_used", "first_renewed"),
    [
        (3600, 3539, 3540),
        ("3600", 3539, 3540),
        (100, 89, 90),
        (600, 539, 540),
        (59.5, 53, 54),
        (None, 3539, 3540),
        (0, 3539, 3540),
        (-1, 3539, 3540),
        ("soon", 3539, 3540),
        (True, 3539, 3540),
        (10**30, 86339, 86340),
    ],
    ids=repr,
)
async def test_a_token_is_renewed_shortly_before_it_expires(  # noqa: PLR0917 - three of them are the table
    make: Make, raw: RawPbx, clock: Clock, lifetime: object, last_used: float, first_renewed: float
) -> None:
    raw.replies = [given("first-token", lifetime), given("second-token")]
    source = make(raw.url)
    await source.token()
    clock.seconds = 1000 + last_used
    before = await source.token()
    clock.seconds = 1000 + first_renewed
    assert (before, await source.token()) == ("first-token", "second-token")


async def test_a_token_without_a_lifetime_lives_for_an_hour() -> None:
    assert read_token(200, b'{"access_token": "first-token"}') == ("first-token", 3600.0)


async def test_a_token_about_to_expire_still_serves_while_no_other_can_be_had(
    make: Make, raw: RawPbx, clock: Clock
) -> None:
    raw.replies = [given("first-token"), CLOSE]
    source = make(raw.url)
    await source.token()
    clock.seconds += 3599
    assert await source.token() == "first-token"


async def test_an_expired_token_serves_no_more(make: Make, raw: RawPbx, clock: Clock) -> None:
    raw.replies = [given("first-token"), CLOSE]
    source = make(raw.url)
    await source.token()
    clock.seconds += 3600
    with pytest.raises(PbxUnreachable):
        await source.token()


async def test_a_refused_app_is_refused_though_its_token_lives(make: Make, raw: RawPbx, clock: Clock) -> None:
    raw.replies = [given("first-token"), http(401, {"error": "invalid_client"})]
    source = make(raw.url)
    await source.token()
    clock.seconds += 3599
    with pytest.raises(PbxUnauthenticated):
        await source.token()


async def test_after_a_failure_the_next_one_asks_again(make: Make, raw: RawPbx) -> None:
    raw.replies = [CLOSE, given("second-token")]
    source = make(raw.url)
    with pytest.raises(PbxUnreachable):
        await source.token()
    assert await source.token() == "second-token"


# ── one flight for all ──


async def test_all_who_wait_share_one_request(make: Make, pbx: SandboxPbx) -> None:
    source = make(pbx.url)
    tokens = await asyncio.gather(*(source.token() for _ in range(50)))
    assert (len(set(tokens)), pbx.tokens_issued) == (1, 1)


async def test_all_who_renew_share_one_request(make: Make, pbx: SandboxPbx) -> None:
    source = make(pbx.url)
    stale = await source.token()
    tokens = await asyncio.gather(*(source.renew(stale) for _ in range(50)))
    assert (len(set(tokens)), stale in tokens, pbx.tokens_issued) == (1, False, 2)


async def test_who_comes_late_with_a_stale_token_gets_the_renewed_one(make: Make, pbx: SandboxPbx) -> None:
    source = make(pbx.url)
    stale = await source.token()
    renewed = await source.renew(stale)
    assert (await source.renew(stale), pbx.tokens_issued) == (renewed, 2)


# ── the answer ──


@pytest.mark.parametrize(
    ("http_status", "body", "error"),
    [
        (401, b'{"error": "invalid_client"}', PbxUnauthenticated),
        (400, b"", PbxUnauthenticated),
        (404, b"<html>", PbxUnauthenticated),
        (200, b'{"error": "invalid_client"}', PbxUnauthenticated),
        (408, b"", PbxUnreachable),
        (429, b"", PbxUnreachable),
        (500, b"", PbxUnreachable),
        (204, b"", PbxUnreachable),
        (302, b"", PbxUnreachable),
        (200, b"", PbxUnreachable),
        (200, b"[]", PbxUnreachable),
        (200, b"{}", PbxUnreachable),
        (200, b'{"access_token": ""}', PbxUnreachable),
        (200, b'{"access_token": 1234567890}', PbxUnreachable),
        (200, b'{"access_token": "two words"}', PbxUnreachable),
        (200, rb'{"access_token": "x\r\nX-Evil: 1"}', PbxUnreachable),
        (200, rb'{"access_token": "tok\u00e9n"}', PbxUnreachable),
        (200, b'{"access_token": "' + b"a" * 4097 + b'"}', PbxUnreachable),
        (200, b'{"access_token": "first-token", "expires_in": NaN}', PbxUnreachable),
    ],
)
def test_an_answer_without_a_usable_token_is_an_error(http_status: int, body: bytes, error: type[PbxError]) -> None:
    with pytest.raises(PbxError) as caught:
        read_token(http_status, body)
    assert type(caught.value) is error


async def test_no_secret_is_in_a_repr(make: Make, pbx: SandboxPbx) -> None:
    source = make(pbx.url)
    token = await source.token()
    shown = repr(source) + repr(FixedToken("fixed-token")) + repr(source.renew)
    assert not [secret for secret in (token, "sandbox-secret", "fixed-token") if secret in shown]
