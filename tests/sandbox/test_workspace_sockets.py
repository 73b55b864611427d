"""Socket Mode, with WebSocket clients that know nothing of Slack's libraries."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.workspace import Workspace

SOON = 5.0


class Link:
    """One Socket Mode connection of an app that acknowledges what it is told to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def read(self) -> Any:
        """The next message."""
        return await self.socket.receive_json(timeout=SOON)

    async def acknowledge(self, **payload: Any) -> dict[str, Any]:
        """Take the next envelope and acknowledge it."""
        envelope: dict[str, Any] = await self.read()
        reply = {"envelope_id": envelope["envelope_id"]} | ({"payload": payload} if payload else {})
        await self.socket.send_json(reply)
        return envelope


class App:
    """Opens connections, and keeps them: aiohttp ends those that nobody holds."""

    def __init__(self, workspace: Workspace, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        self.session = session
        self.links: list[Link] = []

    async def address(self, token: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token or self.workspace.app_token}"}
        async with self.session.post(self.workspace.api_url + "apps.connections.open", headers=headers) as response:
            found: dict[str, Any] = await response.json()
            return found

    async def connect(self) -> Link:
        """A connection, not read yet."""
        self.links.append(Link(await self.session.ws_connect((await self.address())["url"])))
        return self.links[-1]

    async def greeted(self) -> Link:
        """A connection that has had its hello."""
        link = await self.connect()
        assert (await link.read())["type"] == "hello"
        return link


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace(limits=SlackLimits(acknowledgement=0.3, refresh_grace=0.2))
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def app(workspace: Workspace) -> AsyncIterator[App]:
    async with aiohttp.ClientSession() as session:
        yield App(workspace, session)


async def test_a_connection_is_greeted(app: App) -> None:
    hello = await (await app.connect()).read()
    assert (hello["type"], hello["num_connections"], "approximate_connection_time" in hello["debug_info"]) == (
        "hello",
        1,
        True,
    )


async def test_the_bot_token_opens_no_connection(app: App) -> None:
    assert (await app.address(app.workspace.bot_token))["error"] == "not_allowed_token_type"


async def test_an_address_works_once(app: App) -> None:
    url = (await app.address())["url"]
    await app.session.ws_connect(url)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await app.session.ws_connect(url)


async def test_a_command_comes_in_an_envelope(app: App) -> None:
    link = await app.greeted()
    envelope, delivery = await asyncio.gather(link.acknowledge(), app.workspace.type("U0ANA", "C0FLOOR", "/calls bob"))
    assert (envelope["type"], envelope["accepts_response_payload"], envelope["payload"]["text"]) == (
        "slash_commands",
        True,
        "bob",
    )
    assert (delivery.acknowledged, delivery.status, delivery.error) == (True, None, None)


async def test_the_payload_of_an_acknowledgement_is_shown(app: App) -> None:
    link = await app.greeted()
    await asyncio.gather(link.acknowledge(text="hello"), app.workspace.type("U0ANA", "C0FLOOR", "/calls"))
    assert [each.text for each in app.workspace.private("U0ANA")] == ["hello"]


async def test_a_click_comes_in_an_envelope_that_takes_no_payload(app: App) -> None:
    link = await app.greeted()
    await asyncio.gather(link.acknowledge(text="hello"), app.workspace.type("U0ANA", "C0FLOOR", "/calls"))
    (message,) = app.workspace.private("U0ANA")
    click = app.workspace.click_stale("U0ANA", message, action_id="a", value="v", block_id="b")
    envelope, _ = await asyncio.gather(link.acknowledge(), click)
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)


async def test_without_an_acknowledgement_people_see_a_timeout(app: App) -> None:
    await app.greeted()
    delivery = await app.workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert (delivery.error, len(app.workspace.visible_errors)) == ("operation_timeout", 1)


async def test_an_acknowledgement_of_something_else_does_not_count(app: App) -> None:
    link = await app.greeted()
    await link.socket.send_json({"envelope_id": "invented"})
    assert (await app.workspace.type("U0ANA", "C0FLOOR", "/calls")).error == "operation_timeout"


async def test_without_a_connection_people_see_dispatch_failed(workspace: Workspace) -> None:
    assert (await workspace.type("U0ANA", "C0FLOOR", "/calls")).error == "dispatch_failed"


async def test_connections_take_turns(app: App) -> None:
    links = [await app.greeted(), await app.greeted()]
    acknowledgements = asyncio.gather(*(link.acknowledge() for link in links))
    deliveries = [await app.workspace.type("U0ANA", "C0FLOOR", f"/calls {number}") for number in range(2)]
    assert [each["payload"]["text"] for each in await acknowledgements] == ["0", "1"]
    assert all(delivery.acknowledged for delivery in deliveries)


async def test_a_repeated_command_has_one_envelope_id(app: App) -> None:
    link = await app.greeted()

    async def acknowledge_three() -> list[str]:
        return [(await link.acknowledge())["envelope_id"] for _ in range(3)]

    ids, delivery = await asyncio.gather(acknowledge_three(), app.workspace.type("U0ANA", "C0FLOOR", "/calls", times=3))
    assert (len(set(ids)), [each.acknowledged for each in (delivery, *delivery.repeats)]) == (1, [True] * 3)


async def test_the_eleventh_connection_is_turned_away(app: App) -> None:
    for _ in range(10):
        await app.greeted()
    farewell = await (await app.connect()).read()
    assert (farewell["type"], farewell["reason"], app.workspace.sockets) == ("disconnect", "too_many_websockets", 10)


async def test_a_ping_is_answered(app: App) -> None:
    link = await app.greeted()
    socket = await app.session.ws_connect((await app.address())["url"], autoping=False)
    assert (await Link(socket).read())["type"] == "hello"
    await socket.ping(b"alive?")
    assert (await socket.receive(timeout=SOON)).type is aiohttp.WSMsgType.PONG
    await link.socket.close()


async def test_a_refresh_says_so_and_ends_the_connection_after_its_grace(app: App) -> None:
    link = await app.greeted()
    await app.workspace.refresh_sockets()
    farewell = await link.read()
    assert (farewell["type"], farewell["reason"]) == ("disconnect", "refresh_requested")
    assert (await link.socket.receive(timeout=SOON)).type is aiohttp.WSMsgType.CLOSE
    await app.workspace.until(lambda: app.workspace.sockets == 0)


async def test_during_a_refresh_a_new_connection_is_preferred(app: App) -> None:
    await app.greeted()
    await app.workspace.refresh_sockets()
    fresh = await app.greeted()
    for _ in range(2):
        await asyncio.gather(fresh.acknowledge(), app.workspace.type("U0ANA", "C0FLOOR", "/calls"))
    assert app.workspace.visible_errors == []


async def test_cut_connections_are_gone(app: App) -> None:
    link = await app.greeted()
    await app.workspace.cut_sockets()
    assert app.workspace.sockets == 0
    assert (await link.socket.receive(timeout=SOON)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_a_connection_that_the_app_closes_is_not_counted(app: App) -> None:
    link = await app.greeted()
    await link.socket.close()
    await app.workspace.until(lambda: app.workspace.sockets == 0)


async def test_a_switched_off_link_says_so(app: App) -> None:
    link = await app.greeted()
    app.workspace.link_disabled()
    assert (await link.read())["reason"] == "link_disabled"


async def test_a_switched_off_link_gives_no_addresses_until_it_is_on_again(app: App) -> None:
    app.workspace.link_disabled()
    off = await app.address()
    app.workspace.link_enabled()
    assert (off["ok"], (await app.address())["ok"]) == (False, True)


async def test_something_that_is_no_acknowledgement_is_an_error(app: App) -> None:
    link = await app.greeted()
    await link.socket.send_str("hello?")
    assert await app.workspace.until(lambda: app.workspace.refusals)


async def test_a_stopped_workspace_can_be_started_again_with_what_it_knew(app: App) -> None:
    await app.greeted()
    await app.workspace.stop()
    await app.workspace.start()
    link = await app.greeted()
    await asyncio.gather(link.acknowledge(text="back"), app.workspace.type("U0ANA", "C0FLOOR", "/calls"))
    assert [each.text for each in app.workspace.private("U0ANA")] == ["back"]
