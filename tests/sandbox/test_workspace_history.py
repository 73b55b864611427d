"""The history of a channel in the local Slack: what is in it, what it needs, and the metadata of messages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.workspace import Workspace

CARD = {"event_type": "callbot_card", "event_payload": {"card": "k1"}}


class Client:
    """A Web API client that knows nothing of Slack's library."""

    def __init__(self, workspace: Workspace, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        self.session = session

    async def __call__(self, method: str, **args: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.workspace.bot_token}"}
        async with self.session.post(self.workspace.api_url + method, json=args, headers=headers) as response:
            found: dict[str, Any] = await response.json()
            return found

    async def history(self, channel: str = "C0FLOOR", **args: Any) -> dict[str, Any]:
        return await self("conversations.history", channel=channel, **args)

    async def texts(self, **args: Any) -> list[str]:
        return [message["text"] for message in (await self.history(**args))["messages"]]

    async def post(self, text: str = "x", **args: Any) -> str:
        answer = await self("chat.postMessage", **({"channel": "C0FLOOR", "text": text} | args))
        return str(answer["ts"])


@asynccontextmanager
async def client_of(workspace: Workspace) -> AsyncIterator[Client]:
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    workspace.add_channel("G0STAFF", "staff")
    workspace.add_channel("C0SECRET", "elsewhere", bot_is_member=False)
    await workspace.start()
    async with aiohttp.ClientSession() as session:
        yield Client(workspace, session)
    await workspace.stop()


@pytest.fixture
async def ask() -> AsyncIterator[Client]:
    async with client_of(Workspace(limits=SlackLimits.without_rates())) as client:
        yield client


async def test_the_newest_message_comes_first(ask: Client) -> None:
    for text in ("one", "two"):
        await ask.post(text)
    ask.workspace.say("U0ANA", "C0FLOOR", "three")
    assert await ask.texts() == ["three", "two", "one"]


async def test_what_one_person_sees_alone_is_not_in_it_and_neither_is_what_was_deleted(ask: Client) -> None:
    await ask("chat.postEphemeral", channel="C0FLOOR", user="U0ANA", text="psst")
    await ask("chat.delete", channel="C0FLOOR", ts=await ask.post("gone"))
    assert await ask.texts() == []


async def test_a_reply_is_not_in_it(ask: Client) -> None:
    await ask.post("reply", thread_ts=await ask.post("one"))
    assert await ask.texts() == ["one"]


async def test_another_channel_is_not_in_it(ask: Client) -> None:
    await ask.post(channel="U0ANA")
    assert await ask.texts() == []


BORDERS: list[tuple[Callable[[list[str]], dict[str, Any]], list[str]]] = [
    (lambda ts: {"oldest": ts[0]}, ["2", "1"]),
    (lambda ts: {"latest": ts[2]}, ["1", "0"]),
    (lambda ts: {"oldest": ts[0], "latest": ts[2]}, ["1"]),
    (lambda ts: {"oldest": ts[0], "latest": ts[2], "inclusive": "1"}, ["2", "1", "0"]),
]


@pytest.mark.parametrize(("window", "found"), BORDERS)
async def test_the_window_leaves_its_borders_out_unless_they_are_asked_for(
    ask: Client, window: Any, found: list[str]
) -> None:
    stamps = [await ask.post(str(number)) for number in range(3)]
    assert await ask.texts(**window(stamps)) == found


async def test_the_pages_hold_every_message_once(ask: Client) -> None:
    for number in range(5):
        await ask.post(str(number))
    found, cursor = [], ""
    for _ in range(3):
        page = await ask.history(limit=2, cursor=cursor)
        found += [message["text"] for message in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
    assert (found, cursor, page["has_more"]) == (["4", "3", "2", "1", "0"], "", False)


async def test_the_metadata_is_in_it_where_it_is_asked_for(ask: Client) -> None:
    await ask.post(metadata=CARD)
    seen = [(await ask.history(include_all_metadata=flag))["messages"][0].get("metadata") for flag in ("0", "1")]
    assert seen == [None, CARD]


@pytest.mark.parametrize(("named", "kept"), [({}, CARD), ({"metadata": CARD}, CARD), ({"metadata": {}}, None)])
async def test_an_update_keeps_the_metadata_unless_it_names_another(ask: Client, named: Any, kept: Any) -> None:
    ts = await ask.post(metadata=CARD)
    await ask("chat.update", channel="C0FLOOR", ts=ts, text="y", **named)
    assert (await ask.history(include_all_metadata=True))["messages"][0].get("metadata") == kept


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"limit": 1000}, "invalid_limit"),
    ({"limit": 0}, "invalid_limit"),
    ({"limit": "many"}, "invalid_limit"),
    ({"oldest": "yesterday"}, "invalid_ts_oldest"),
    ({"latest": "now"}, "invalid_ts_latest"),
    ({"cursor": "x"}, "invalid_cursor"),
    ({"metadata": True}, "invalid_arguments"),
    ({"channel": "U0ANA"}, "channel_not_found"),
    ({"channel": "C0SECRET"}, "not_in_channel"),
]


@pytest.mark.parametrize(("args", "error"), WRONG, ids=[str(args) for args, _ in WRONG])
async def test_what_slack_would_refuse_is_refused(ask: Client, args: dict[str, Any], error: str) -> None:
    assert (await ask.history(**args))["error"] == error


@pytest.mark.parametrize(
    "metadata",
    ["x", [], {"event_type": "a"}, {"event_type": "", "event_payload": {}}, {"event_type": "a", "event_payload": 1}],
)
async def test_metadata_has_a_type_and_an_object(ask: Client, metadata: Any) -> None:
    answer = await ask("chat.postMessage", channel="C0FLOOR", text="x", metadata=metadata)
    assert answer["error"] in ("invalid_metadata_format", "invalid_metadata")


SCOPES = [
    ("conversations.history", {"channel": "C0FLOOR"}, "channels:history"),
    ("conversations.history", {"channel": "G0STAFF"}, "groups:history"),
    ("conversations.history", {"channel": "D0ANA"}, "im:history"),
    ("conversations.open", {"users": "U0ANA"}, "im:write"),
    ("chat.postMessage", {"channel": "C0FLOOR", "text": "x"}, "chat:write"),
    ("chat.update", {"channel": "C0FLOOR", "text": "x", "ts": "1.2"}, "chat:write"),
]


@pytest.mark.parametrize(("method", "args", "scope"), SCOPES)
async def test_each_method_needs_its_scope(method: str, args: dict[str, Any], scope: str) -> None:
    async with client_of(Workspace(scopes=frozenset({"commands"}))) as ask:
        answer = await ask(method, **args)
        assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", scope, "commands")


async def test_a_missing_scope_is_no_error_of_the_bot() -> None:
    async with client_of(Workspace(scopes=frozenset())) as ask:
        await ask.history()
        assert ask.workspace.refusals == []
