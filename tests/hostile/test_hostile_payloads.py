"""Whatever Slack signs and delivers over HTTP: it is answered, never with 500, and nothing of it gets to the PBX.

The people who ask are strangers, so not one of the requests may act; what they ask about is a live call.
"""

import io
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import aiohttp
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app.bot import Bot
from bot.app.settings import read_settings
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.workspace import Workspace

quick = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Spoil = Callable[[st.DataObject, Any], Any]
Post = Callable[[bytes], Awaitable[int]]
EXPECTED = {200, 400, 404, 413}
MAP = Path(__file__).parents[1] / "e2e" / "callbot.toml"
STRANGERS = itertools.count()
"""Each asks once: what callbot tells one person goes out at one message a second."""


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """Posts a body, signed, to the bot as it runs; gives the status.

    In the end the PBX has seen no action, and nothing went wrong but that Slack knows none of the strangers.
    """
    floor = Floor()
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    floor.talk(caller="+15550142", to="0003*210")
    pbx, workspace = SandboxPbx(floor), Workspace()
    await pbx.start()
    await workspace.start()
    environment = {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_SIGNING_SECRET": workspace.signing_secret,
        "SLACK_API_URL": workspace.api_url,
        "UAPI_URL": pbx.url,
        "UAPI_CLIENT_ID": "sandbox-app",
        "UAPI_CLIENT_SECRET": "sandbox-secret",
        "CALLBOT_CONFIG": str(MAP),
        "DATABASE_URL": f"sqlite:///{tmp_path}/callbot.db",
        "PORT": "0",
    }
    bot = await Bot.start(read_settings(environment))
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{bot.port}"

        async def posted(body: bytes) -> int:
            async with session.post(
                f"{url}/slack/events", data=io.BytesIO(body), headers=workspace.sign(body)
            ) as answer:
                return answer.status

        with structlog.testing.capture_logs() as log:
            yield posted
            async with session.get(f"{url}/healthz") as alive:
                assert alive.status == 200
            await bot.stop()
    assert [line for line in log if line["log_level"] == "error" and line["event"] != "not_told"] == []
    assert pbx.puts() == []
    await workspace.stop()
    await pbx.stop()


def command() -> dict[str, Any]:
    """What Slack sends for a slash command ("Implementing slash commands")."""
    number = next(STRANGERS)
    return {
        "command": "/monitor",
        "text": "0003*210",
        "user_id": f"U0X{number:05}",
        "user_name": "eve",
        "team_id": "T0LOCAL",
        "channel_id": "C0FLOOR",
        "api_app_id": "A0LOCAL",
        "trigger_id": f"{number}.1.x",
    }


def click() -> dict[str, Any]:
    """What Slack sends for a button ("block_actions payloads")."""
    number = next(STRANGERS)
    value = {
        "v": 1,
        "o": "C0FLOOR",
        "i": {"action": "Monitor", "target": {"kind": "extension", "text": "0003*210"}, "call": "c1"},
    }
    action = {"type": "button", "action_id": "intervene:Monitor:0", "block_id": "b", "value": json.dumps(value)}
    return {
        "type": "block_actions",
        "team": {"id": "T0LOCAL", "domain": "local"},
        "user": {"id": f"U0X{number:05}", "team_id": "T0LOCAL"},
        "api_app_id": "A0LOCAL",
        "channel": {"id": "C0FLOOR", "name": "support-floor"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C0FLOOR"},
        "message": {"ts": "1.2", "text": "Connected", "blocks": []},
        "trigger_id": f"{number}.2.x",
        "actions": [{**action, "text": {"type": "plain_text", "text": "Monitor"}}],
    }


def form(fields: object) -> bytes:
    """As a form, if it has fields at all; half a surrogate pair goes as the bytes that it would be."""
    pairs = fields.items() if isinstance(fields, dict) else [("payload", fields)]
    return urlencode([(_bytes(name), _bytes(value)) for name, value in pairs]).encode()


def _bytes(value: object) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="surrogatepass")


async def test_a_command_and_a_click_as_they_are_get_through(post: Post) -> None:
    assert await post(form(command())) == 200
    assert await post(form({"payload": click()})) == 200


WRONG: list[object] = [None, True, 7, "", "x", "\ud800", [], ["x"], {}, {"id": ["x"]}]


async def test_a_click_with_any_field_of_another_type_is_answered(post: Post) -> None:
    clicks = [{**click(), field: wrong} for field in click() if field != "type" for wrong in WRONG]
    assert {await post(form({"payload": one})) for one in clicks} <= EXPECTED


async def test_a_click_on_anything_but_one_of_our_buttons_is_answered(post: Post) -> None:
    (action,) = click()["actions"]
    clicks = [{**click(), "actions": [{**action, field: wrong}]} for field in action for wrong in WRONG]
    assert {await post(form({"payload": one})) for one in clicks} <= EXPECTED


@quick
@given(data=st.data())
async def test_a_command_that_was_spoilt_is_answered(post: Post, spoil: Spoil, data: st.DataObject) -> None:
    assert await post(form(spoil(data, command()))) in EXPECTED


@quick
@given(data=st.data())
async def test_a_click_that_was_spoilt_is_answered(post: Post, spoil: Spoil, data: st.DataObject) -> None:
    assert await post(form({"payload": spoil(data, click())})) in EXPECTED


@quick
@given(data=st.data())
async def test_a_button_whose_value_was_spoilt_is_answered(post: Post, spoil: Spoil, data: st.DataObject) -> None:
    payload = click()
    (action,) = payload["actions"]
    action["value"] = json.dumps(spoil(data, json.loads(action["value"])))
    assert await post(form({"payload": payload})) in EXPECTED


@quick
@given(raw=st.binary(max_size=300), cut=st.integers(0, 600))
async def test_bytes_that_make_no_sense_are_answered(post: Post, raw: bytes, cut: int) -> None:
    whole = form({"payload": click()})
    for body in (raw, b"payload=" + raw, b"payload=" + quote_from_bytes(raw).encode(), whole[:cut] + raw + whole[cut:]):
        assert await post(body) in EXPECTED


TOO_MUCH = {
    "never closed": '{"type":"block_actions","actions":' * 1000,
    "deep": '{"a":' * 5000 + "1" + "}" * 5000,
    "an endless number": '{"type":"block_actions","actions":[{"action_id":"x","value":' + "9" * 5000 + "}]}",
    "lists in lists": '{"type":"block_actions","user":' + "[" * 900 + "]" * 900 + ',"actions":[{"action_id":"x"}]}',
    "larger than is read": "x" * 300_000,
}


async def test_a_payload_that_wants_too_much_is_answered(post: Post) -> None:
    found = {name: await post(form({"payload": payload})) for name, payload in TOO_MUCH.items()}
    assert [name for name, status in found.items() if status not in EXPECTED] == []
