"""The client of Slack: through a proxy where the environment names one, never past a certificate; and what a refusal means."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.app.check.slack import check_slack
from bot.app.metrics import Metrics
from bot.app.settings import SlackSettings, read_part
from bot.slack.messages import Message
from bot.slack.outbox import Outbox
from bot.slack.socket_mode import Connection
from bot.slack.tokens import SlackUnavailable, workspace_of
from bot.slack.web_client import CertificateProblem, NotReached, SlackRefusal, raising_slack_errors, web_client
from tests.slack.waiting import serving, text, urgent

FLOOR, RESPONSE_URL = "C0FLOOR", "http://hooks.example.com/commands/1"


class Proxy:
    """A proxy that says yes in everybody's place, or refuses; `asked` is what it was asked for."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[str] = []
        self._status = status

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.raw_path if request.method == 'CONNECT' else request.url}")
        if self._status != 200:
            return web.Response(status=self._status)
        return web.json_response({"ok": True, "channel": FLOOR, "ts": "1.1", "url": "ws://wss.example.com/link"})


def outbox_to(api_url: str, session: aiohttp.ClientSession) -> Outbox:
    return Outbox(
        web_client("xoxb-invented", api_url, session), session, clock=lambda: 0.0, sleep=lambda _: asyncio.sleep(0)
    )


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


# ── proxies ──


async def test_a_card_goes_through_the_proxy(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(proxy := Proxy()) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        await outbox_to("http://slack.example.com/api/", session).post(FLOOR, text("x"), urgent())
    assert proxy.asked == ["POST http://slack.example.com/api/chat.postMessage"]


async def test_a_private_answer_goes_through_the_proxy(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(proxy := Proxy()) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        await outbox_to("http://slack.example.com/api/", session).respond(RESPONSE_URL, Message("x", ()))
    assert proxy.asked == [f"POST {RESPONSE_URL}"]


async def test_a_card_goes_past_the_proxy_to_what_no_proxy_names(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a name of this machine that is not known as one."""
    async with serving(proxy := Proxy()) as address, serving(slack := Proxy()) as straight:
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        monkeypatch.setenv("NO_PROXY", "0.0.0.0")
        api_url = f"http://{straight.replace('127.0.0.1', '0.0.0.0')}/api/"
        await outbox_to(api_url, session).post(FLOOR, text("x"), urgent())
    assert (proxy.asked, slack.asked) == ([], [f"POST {api_url}chat.postMessage"])


async def test_a_socket_goes_through_the_proxy(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(proxy := Proxy()) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await Connection.open(
                app=None,  # type: ignore[arg-type]
                session=session,
                url="ws://wss.example.com/link",
                acks=Metrics(),
            )
    assert proxy.asked == ["GET http://wss.example.com/link"]


async def test_where_the_proxy_refuses_nothing_was_posted(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(proxy := Proxy(403)) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        with pytest.raises(NotReached):
            await outbox_to("https://slack.example.com/api/", session).post(FLOOR, text("x"), urgent())
    assert proxy.asked == ["CONNECT slack.example.com:443"]


async def test_where_the_proxys_address_is_invalid_nothing_was_posted(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://")
    with pytest.raises(NotReached):
        await outbox_to("https://slack.example.com/api/", session).post(FLOOR, text("x"), urgent())


# ── certificates ──


def certificate(folder: Path, *options: str) -> ssl.SSLContext:
    """A self-signed certificate of a server."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    key, file = folder / "key.pem", folder / "certificate.pem"
    command = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=slack.example.com -keyout {key} -out {file}"
    subprocess.run([openssl, *command.split(), *options], check=True, capture_output=True, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context


async def said(request: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError("nothing may arrive")


async def test_with_a_certificate_that_is_not_accepted_nothing_was_posted(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with serving(said, certificate(tmp_path)) as address:
        with pytest.raises(CertificateProblem) as caught:
            await outbox_to(f"https://{address}/api/", session).post(FLOOR, text("x"), urgent())
    assert caught.value.reason == "certificate_self_signed"


async def test_a_certificate_for_another_address_is_named_as_that(tmp_path: Path) -> None:
    tls = certificate(tmp_path, "-days", "2", "-addext", "subjectAltName=IP:127.0.0.9")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    async with (
        serving(said, tls) as address,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session,
    ):
        with pytest.raises(CertificateProblem) as caught, raising_slack_errors():
            await session.get(f"https://{address}/")
    assert caught.value.problem == "for another address"


async def test_a_start_says_which_certificate_problem_there_is(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with serving(said, certificate(tmp_path)) as address:
        with pytest.raises(
            SlackUnavailable, match="The certificate at SLACK_API_URL is self-signed, so nothing was sent"
        ):
            await workspace_of(
                web_client("xoxb-invented", f"https://{address}/api/", session), lambda _: asyncio.sleep(0)
            )


async def test_check_says_which_certificate_problem_there_is(tmp_path: Path) -> None:
    async with serving(said, certificate(tmp_path)) as address:
        tokens = {"SLACK_BOT_TOKEN": "xoxb-invented", "SLACK_APP_TOKEN": "xapp-invented"}
        settings = read_part(SlackSettings, {**tokens, "SLACK_API_URL": f"https://{address}/api/"})
        findings = await check_slack(settings, None, 5.0)
    assert {finding.text.partition(". ")[0] for finding in findings} == {
        "its certificate is self-signed",
        "Socket Mode: its certificate is self-signed",
    }


# ── what a refusal means ──

MEANINGS = {
    "no_access": [
        *("not_in_channel", "channel_not_found", "is_archived", "no_permission", "access_denied", "ekm_access_denied"),
        *("team_access_not_granted", "restricted_action", "restricted_action_read_only_channel"),
        *("restricted_action_non_threadable_channel", "restricted_action_thread_only_channel"),
    ],
    "bad_message": ["invalid_blocks", "msg_too_long"],
    "gone": ["message_not_found", "cant_update_message", "edit_window_closed"],
    "no_token": ["token_revoked", "account_inactive", "invalid_auth"],
    "": ["is_inactive", "user_is_restricted", "channel_type_not_supported", "missing_scope", "never_heard_of"],
}


@pytest.mark.parametrize(("meaning", "reasons"), MEANINGS.items(), ids=[name or "none" for name in MEANINGS])
def test_each_reason_of_a_refusal_means_one_thing_or_none(meaning: str, reasons: list[str]) -> None:
    meant = {name: [getattr(SlackRefusal(reason), name) for reason in reasons] for name in MEANINGS if name}
    assert meant == {name: [name == meaning] * len(reasons) for name in MEANINGS if name}
