"""The HTTP session to the PBX: certificates are verified, and nothing secret or personal is logged."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.domain.actions import Monitor
from bot.domain.errors import PbxUnreachable
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.token import ClientCredentials, FixedToken

Connect = Callable[..., UnifiedApi]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, as many installations have one."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    file = tmp_path / "pbx.pem"
    asked = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=pbx.example.com",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "only.pem")]
    subprocess.run([openssl, *asked, *names], check=True, capture_output=True, timeout=30)
    file.write_bytes(file.read_bytes() + (tmp_path / "only.pem").read_bytes())
    return file


@pytest.fixture
async def tls_url(certificate: Path) -> AsyncIterator[str]:
    async def nothing(request: web.BaseRequest) -> web.Response:
        return web.Response(status=204)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    runner = web.ServerRunner(web.Server(nothing))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_self_signed_pbx_is_trusted_by_its_own_certificate(tls_url: str, certificate: Path) -> None:
    async with pbx_session(str(certificate)) as session:
        assert await UnifiedApi(session, tls_url, FixedToken("fixed-token")).list("@me", "@self") == ()


async def test_a_self_signed_pbx_is_not_trusted_otherwise(tls_url: str, connect: Connect) -> None:
    with pytest.raises(PbxUnreachable) as caught:
        await connect(tls_url).list("@me", "@self")
    assert caught.value.why == "certificate not accepted (self-signed)"


async def test_plain_http_where_tls_is_spoken_is_unreachable(tls_url: str, connect: Connect) -> None:
    with pytest.raises(PbxUnreachable):
        await connect(tls_url.replace("https", "http")).list("@me", "@self")


async def test_where_a_proxy_refuses_nothing_was_sent(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def refuse(request: web.BaseRequest) -> web.Response:
        asked.append(f"{request.method} {request.raw_path}")
        return web.Response(status=407)

    runner = web.ServerRunner(web.Server(refuse))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{runner.addresses[0][1]}")
    with pytest.raises(PbxUnreachable) as caught:
        await connect("https://pbx.example.com").act(
            "@me", "0003*210", "c1", Monitor(send_call_to="0003*024", phone_call_view_id="01")
        )
    await runner.cleanup()
    assert (asked, caught.value.why) == (
        ["CONNECT pbx.example.com:443"],
        "not connected (the proxy refused with HTTP 407)",
    )


async def test_a_certificate_file_that_is_missing_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        pbx_session(str(tmp_path / "missing.pem"))


async def test_a_certificate_file_without_a_certificate_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate\n")
    with pytest.raises(ssl.SSLError):
        pbx_session(str(tmp_path / "empty.pem"))


async def everything(floor: Floor, pbx: SandboxPbx, connect: Connect, session: aiohttp.ClientSession) -> str:
    """A day's work: token, reads, actions, a no, silence. Returns the call's id."""
    call_id = floor.talk(caller="+15550100", to="0003*210", caller_name="Carla Caller")
    api = connect(pbx.url, token=ClientCredentials(session, pbx.url, "sandbox-app", "sandbox-secret"))
    await api.list("@me", "@self")
    action = Monitor(phone_call_view_id="01", send_call_to="0003*024", caller_id="Ana Pop <+15550199>")
    await api.act("12", "0003*210", call_id, action)
    pbx.revoke_tokens()
    await api.get("12", "0003*210", call_id)
    pbx.faults.add(Fault("cut after", times=None))
    for ask in (api.get("12", "0003*210", call_id), api.act("12", "0003*210", call_id, action)):
        with pytest.raises(PbxUnreachable):
            await ask
    return call_id


async def test_nothing_secret_or_personal_is_logged(
    floor: Floor, pbx: SandboxPbx, connect: Connect, session: aiohttp.ClientSession
) -> None:
    with capture_logs() as events:
        await everything(floor, pbx, connect, session)
    told = repr(events)
    tokens = [request.headers.get("authorization", "-").removeprefix("Bearer ") for request in pbx.requests]
    secrets = [*tokens[1:2], "sandbox-secret", "+1555", "Carla", "Ana", "0003*", "*210", "127.0.0.1"]
    assert [secret for secret in secrets if secret in told] == []


async def test_an_answer_to_an_action_is_logged_with_its_call(
    floor: Floor, pbx: SandboxPbx, connect: Connect, session: aiohttp.ClientSession
) -> None:
    with capture_logs() as events:
        call_id = await everything(floor, pbx, connect, session)
    answered: list[Any] = [event for event in events if event["event"] == "pbx_answered" and event["method"] == "PUT"]
    assert [(event["http_status"], event["action"], event["call"]) for event in answered] == [(202, "Monitor", call_id)]


async def test_an_answer_to_a_read_is_logged_with_its_kind_and_that_to_one_call_with_its_id(
    floor: Floor, pbx: SandboxPbx, connect: Connect
) -> None:
    call_id, api = floor.talk(caller="+15550100", to="0003*210"), connect(pbx.url)
    with capture_logs() as events:
        await api.list("12", "0003*210")
        await api.presence("12", "0003*210")
        await api.get("12", "0003*210", call_id)
    answered: list[Any] = [event for event in events if event["event"] == "pbx_answered"]
    assert [(event["name"], event.get("call")) for event in answered] == [
        ("list", None),
        ("presence", None),
        ("get", call_id),
    ]
