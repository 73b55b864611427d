"""Who is answered: the page alone, by a loopback address, with its token."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.console.guard import NotDone, check_sender
from bot.sandbox.console.server import Console
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.workspace.workspace import Workspace

Ask = Callable[..., Awaitable[tuple[int, Any]]]

FOREIGN_HOSTS = [
    "callbot.example.com",
    "callbot.example.com:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.example.com:{port}",
    "127.0.0.1:{port}.example.com",
    "user@127.0.0.1:{port}",
    "[::2]:{port}",
    "0.0.0.0:{port}",
]
FOREIGN_PAGES = [
    {"Origin": "https://example.com"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://localhost:{port}"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
PATHS = ["/", "/page/main.js", "/v1/state", "/v1/changes"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_name_that_only_points_here_is_refused(ask: Ask, console: Console, path: str) -> None:
    for host in FOREIGN_HOSTS:
        status, said = await ask(method="GET", path=path, headers={"Host": host.format(port=console.port)})
        assert (host, status, said["error"]) == (host, 403, "wrong_host")


@pytest.mark.parametrize("path", PATHS)
async def test_another_page_is_refused(ask: Ask, console: Console, path: str) -> None:
    for headers in FOREIGN_PAGES:
        sent = {name: value.format(port=console.port) for name, value in headers.items()}
        status, said = await ask(method="GET", path=path, headers=sent)
        assert (sent, status, said["error"]) == (sent, 403, "wrong_origin")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
@pytest.mark.parametrize(("port", "host"), [(8080, "{}:8080"), (80, "{}")])
def test_every_name_of_this_machine_is_answered_as_browsers_write_it(name: str, port: int, host: str) -> None:
    own = host.format(name)
    check_sender({"Host": own, "Origin": f"http://{own}", "Sec-Fetch-Site": "same-origin"}, port)


def test_a_name_elsewhere_is_refused_on_the_port_that_nobody_writes_too() -> None:
    with pytest.raises(NotDone):
        check_sender({"Host": "callbot.example.com"}, 80)


def test_a_request_without_a_host_is_refused() -> None:
    with pytest.raises(NotDone):
        check_sender({}, 80)


@pytest.mark.parametrize("path", ["/v1/state", "/v1/changes", "/v1/nothing"])
async def test_without_the_token_nothing_is_told(ask: Ask, console: Console, path: str) -> None:
    right = console.token
    for given in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {right}",
        right,
        f"Bearer {right}x",
        "Bearer \u00e9",
    ):
        status, said = await ask(method="GET", path=path, headers={"Authorization": given})
        assert (given, status, said["error"]) == (given, 401, "wrong_token")


async def test_another_page_does_nothing_even_with_the_token(ask: Ask, console: Console, floor: Floor) -> None:
    for headers in FOREIGN_PAGES:
        sent = {name: value.format(port=console.port) for name, value in headers.items()}
        status, said = await ask("ring", to="0003*210", headers=sent)
        assert (sent, status, said["error"], floor.calls()) == (sent, 403, "wrong_origin", [])


async def test_who_follows_a_link_to_the_page_is_told_what_to_do_in_words(ask: Ask) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Accept": "text/html,*/*;q=0.8"}
    status, text = await ask(method="GET", path="/", headers=headers)
    assert (status, "Copy the address" in text) == (403, True)


async def test_without_the_token_nothing_is_done(ask: Ask, floor: Floor) -> None:
    status, _ = await ask("ring", to="0003*210", headers={"Authorization": "Bearer wrong"})
    assert (status, floor.calls()) == (401, [])


async def test_the_token_in_the_address_opens_nothing_but_the_page(ask: Ask, console: Console) -> None:
    path = f"/v1/state?token={console.token}"
    assert (await ask(method="GET", path=path, headers={"Authorization": None}))[0] == 401


async def test_a_websocket_with_a_wrong_token_is_refused(console: Console, session: aiohttp.ClientSession) -> None:
    address = f"http://127.0.0.1:{console.port}/v1/changes"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(address, protocols=("callbot.v1", "token.wrong"))
    assert refused.value.status == 401


async def test_the_page_itself_needs_no_token(ask: Ask) -> None:
    status, text = await ask(method="GET", path="/", headers={"Authorization": None})
    assert (status, "<main" in text) == (200, True)


async def test_two_runs_have_two_tokens(
    console: Console, floor: Floor, workspace: Workspace, process: BotProcess
) -> None:
    other = Console(floor, workspace, process, story=False)
    assert len({console.token, other.token, console.token[:32], other.token[:32]}) == 2


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/v1/state", "/page/nothing.js", "/nothing"])
async def test_every_answer_may_run_and_fetch_nothing_from_elsewhere(
    console: Console, session: aiohttp.ClientSession, path: str
) -> None:
    async with session.get(f"http://127.0.0.1:{console.port}{path}") as answer:
        policy = dict(each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";"))
    own = dict.fromkeys(("script-src", "style-src", "connect-src", "img-src"), "'self'")
    none = dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")
    assert policy == own | none


async def test_every_answer_is_taken_for_what_it_says_and_tells_no_address(
    console: Console, session: aiohttp.ClientSession
) -> None:
    async with session.get(f"http://127.0.0.1:{console.port}/") as answer:
        found = (answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"])
    assert found == ("nosniff", "no-referrer")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/page/package.json", 404),
        ("/page/..%2Fserver.py", 404),
        ("/page/../server.py", 404),
        ("/page/%2e%2e/server.py", 404),
        ("/v1/nothing", 404),
        ("/interface.md", 404),
    ],
)
async def test_nothing_but_the_pages_files_is_served(ask: Ask, path: str, status: int) -> None:
    assert (await ask(method="GET", path=path))[0] == status


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"body": b"{"}, 400),
        ({"body": b"[]"}, 400),
        ({"body": b"[" * 16_000}, 400),
        ({"body": b"\xff"}, 400),
        ({"body": b" " * 17_000}, 413),
        ({"headers": {"Content-Encoding": "gzip"}}, 400),
        ({"headers": {"Content-Encoding": "br"}}, 400),
        ({"headers": {"Content-Type": "text/plain"}}, 415),
        ({"headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 415),
        ({"method": "PUT"}, 405),
        ({"method": "GET"}, 405),
    ],
)
async def test_only_small_json_is_taken(ask: Ask, floor: Floor, changed: dict[str, Any], status: int) -> None:
    fields = {} if "body" in changed else {"to": "0003*210"}
    found, said = await ask("ring", **changed, **fields)
    assert (found, said["ok"], floor.calls()) == (status, False, [])
