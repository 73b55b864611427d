"""The control interface: what a page or script on this machine may do."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.workspace import Workspace

GO = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}
TYPED = {"user": "U0ANA", "channel": "C0FLOOR", "text": "/calls"}


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace(control=True)
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def session(workspace: Workspace) -> AsyncIterator[aiohttp.ClientSession]:
    base = workspace.api_url.removesuffix("api/")
    async with aiohttp.ClientSession(base, headers={"Authorization": f"Bearer {workspace.bot_token}"}) as session:
        yield session


async def post(session: aiohttp.ClientSession, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    async with session.post(path, json=body, headers=headers) as response:
        return response.status, await response.json() if response.content_type == "application/json" else None


async def shown(session: aiohttp.ClientSession, **query: str) -> list[dict[str, Any]]:
    async with session.get("control/messages", params=query) as response:
        found: list[dict[str, Any]] = (await response.json())["messages"]
        return found


async def test_typing_tells_what_came_of_it(session: aiohttp.ClientSession) -> None:
    _, answer = await post(session, "control/type", TYPED)
    assert (answer["ok"], answer["acknowledged"], answer["error"]) == (True, False, "dispatch_failed")


async def test_clicking_tells_what_came_of_it(session: aiohttp.ClientSession) -> None:
    blocks = [{"type": "actions", "elements": [GO]}]
    _, posted = await post(session, "api/chat.postMessage", {"channel": "C0FLOOR", "text": "x", "blocks": blocks})
    _, answer = await post(session, "control/click", {"user": "U0ANA", "ts": posted["ts"], "label": "Go"})
    assert (answer["sent"], answer["error"]) == (True, "dispatch_failed")


async def test_the_messages_of_a_channel_are_listed(session: aiohttp.ClientSession) -> None:
    await post(session, "api/chat.postMessage", {"channel": "C0FLOOR", "text": "hello"})
    await post(session, "api/chat.postMessage", {"channel": "U0ANA", "text": "elsewhere"})
    assert [message["lines"] for message in await shown(session, channel="C0FLOOR")] == [["hello"]]


async def test_the_private_messages_of_a_person_are_listed(session: aiohttp.ClientSession) -> None:
    await post(session, "api/chat.postEphemeral", {"channel": "C0FLOOR", "user": "U0ANA", "text": "psst"})
    assert [message["text"] for message in await shown(session, user="U0ANA")] == ["psst"]


async def test_a_fault_can_be_ordered(session: aiohttp.ClientSession) -> None:
    await post(session, "control/faults", {"method": "auth.test", "kind": "500"})
    assert (await post(session, "api/auth.test", {}))[0] == 500


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("control/type", TYPED | {"user": "U0NONE"}),
        ("control/type", TYPED | {"text": "no command"}),
        ("control/type", {}),
        ("control/type", []),
        ("control/click", {"user": "U0ANA", "ts": "1.2", "label": "Go"}),
        ("control/faults", {"method": "auth.test", "kind": "fire"}),
        ("control/faults", {"method": "auth.test", "kind": "500", "colour": "red"}),
    ],
)
async def test_a_mistake_is_explained(session: aiohttp.ClientSession, path: str, body: Any) -> None:
    status, answer = await post(session, path, body)
    assert (status, answer["ok"], bool(answer["error"])) == (400, False, True)


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1.example.com:80", "local.example.com"])
async def test_another_host_name_is_refused(session: aiohttp.ClientSession, host: str) -> None:
    assert (await post(session, "control/type", TYPED, Host=host))[0] == 403


async def test_messages_are_not_listed_under_another_host_name(session: aiohttp.ClientSession) -> None:
    async with session.get("control/messages", headers={"Host": "example.com"}) as response:
        assert response.status == 403


async def test_a_form_is_refused(session: aiohttp.ClientSession) -> None:
    async with session.post("control/type", data=TYPED) as response:
        assert response.status == 415


async def test_without_control_there_is_nothing_there() -> None:
    workspace = Workspace()
    await workspace.start()
    try:
        base = workspace.api_url.removesuffix("api/")
        async with aiohttp.ClientSession() as session, session.get(f"{base}control/messages") as response:
            assert response.status == 404
    finally:
        await workspace.stop()
