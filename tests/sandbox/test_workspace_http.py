"""Commands and clicks over signed HTTP, to a small app that knows nothing of Slack's libraries."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.workspace.conversations import Message
from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.workspace import Workspace

WHISPER = {"type": "button", "text": {"type": "plain_text", "text": "Whisper"}, "action_id": "whisper", "value": "c1"}
SURE = {name: {"type": "plain_text", "text": "Sure?"} for name in ("title", "text", "confirm", "deny")}
BARGE = WHISPER | {"text": {"type": "plain_text", "text": "Barge in"}, "action_id": "barge", "confirm": SURE}
BLOCKS = [{"type": "actions", "block_id": "b1", "elements": [WHISPER, BARGE]}]


class App:
    """Keeps what it is sent and answers as it is told; `hold` keeps answers back."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.answer: Any = None
        self.content_type = "text/plain"
        self.hold = asyncio.Event()
        self.hold.set()
        self.url = ""

    async def events(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append(dict(request.headers))
        await self.hold.wait()
        if self.status == 307:
            raise web.HTTPTemporaryRedirect(self.url)
        if isinstance(self.answer, str):
            return web.Response(text=self.answer, status=self.status, content_type=self.content_type)
        return web.json_response(self.answer, status=self.status) if self.answer else web.Response(status=self.status)

    def fields(self) -> dict[str, str]:
        """The form of the last request."""
        return {name: values[0] for name, values in parse_qs(self.bodies[-1].decode(), True, True).items()}

    def payload(self) -> dict[str, Any]:
        """The last click."""
        found: dict[str, Any] = json.loads(self.fields()["payload"])
        return found


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    server = web.Application()
    server.router.add_post("/slack/events", app.events)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield app
    app.hold.set()
    await runner.cleanup()


@pytest.fixture
async def workspace(app: App) -> AsyncIterator[Workspace]:
    workspace = Workspace(limits=SlackLimits(acknowledgement=0.3))
    workspace.add_person("U0ANA", "ana")
    workspace.add_person("U0BOB", "bob")
    workspace.add_person("U0EVE", "eve", team_id="T0OTHER")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    workspace.deliver_to(app.url)
    yield workspace
    await workspace.stop()


async def ask(workspace: Workspace, method: str, **args: Any) -> None:
    headers = {"Authorization": f"Bearer {workspace.bot_token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(workspace.api_url + method, json=args, headers=headers) as response,
    ):
        assert (await response.json())["ok"]


@pytest.fixture
async def card(workspace: Workspace) -> Message:
    await ask(workspace, "chat.postMessage", channel="C0FLOOR", text="a call", blocks=BLOCKS)
    return workspace.messages("C0FLOOR")[0]


async def test_a_command_has_the_fields_of_slacks_page(workspace: Workspace, app: App) -> None:
    await workspace.type("U0ANA", "C0FLOOR", "/monitor 0003*210", trigger_id="1.2.3")
    fields = app.fields()
    assert fields.pop("response_url").startswith(workspace.api_url.removesuffix("api/"))
    assert fields.pop("token")
    assert fields == {
        "team_id": "T0LOCAL",
        "team_domain": "local",
        "channel_id": "C0FLOOR",
        "channel_name": "support-floor",
        "user_id": "U0ANA",
        "user_name": "ana",
        "command": "/monitor",
        "text": "0003*210",
        "api_app_id": "A0LOCAL",
        "is_enterprise_install": "false",
        "trigger_id": "1.2.3",
    }


async def test_a_command_without_words_has_an_empty_text(workspace: Workspace, app: App) -> None:
    await workspace.type("U0ANA", "D0ANA", "/calls")
    assert (app.fields()["text"], app.fields()["channel_name"]) == ("", "directmessage")


async def test_a_request_is_signed_over_its_raw_bytes(workspace: Workspace, app: App) -> None:
    await workspace.type("U0ANA", "C0FLOOR", "/monitor ö & ü")
    signed = b"v0:" + app.headers[0]["X-Slack-Request-Timestamp"].encode() + b":" + app.bodies[0]
    expected = hmac.new(workspace.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    assert app.headers[0]["X-Slack-Signature"] == f"v0={expected}"


async def test_a_stranger_from_another_workspace_types_with_their_team(workspace: Workspace, app: App) -> None:
    await workspace.type("U0EVE", "C0FLOOR", "/calls")
    assert app.fields()["team_id"] == "T0OTHER"


async def test_an_empty_acknowledgement_shows_nothing(workspace: Workspace) -> None:
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert (delivery.acknowledged, delivery.status, delivery.body, delivery.error) == (True, 200, None, None)
    assert workspace.private("U0ANA") == []


async def test_an_acknowledgement_with_text_is_shown_to_the_person(workspace: Workspace, app: App) -> None:
    app.answer = {"response_type": "ephemeral", "text": "Working on it"}
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert ([each.text for each in workspace.private("U0ANA")], delivery.body) == (["Working on it"], app.answer)


async def test_an_acknowledgement_in_plain_text_is_shown_to_the_person(workspace: Workspace, app: App) -> None:
    app.answer = "Working on it"
    await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert [each.lines() for each in workspace.private("U0ANA")] == [["Working on it"]]


async def test_an_acknowledgement_that_slack_cannot_show_is_an_error(workspace: Workspace, app: App) -> None:
    app.answer = {"text": "x", "blocks": [{"type": "section"}]}
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert (delivery.error, len(workspace.refusals), workspace.private("U0ANA")) == ("invalid_blocks", 1, [])


async def test_a_late_acknowledgement_is_seen_as_a_timeout(workspace: Workspace, app: App) -> None:
    app.hold.clear()
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert (delivery.acknowledged, delivery.error) == (False, "operation_timeout")
    assert workspace.visible_errors == ["/calls failed with the error “operation_timeout”"]


@pytest.mark.parametrize("status", [201, 302, 404, 500])
async def test_any_status_but_200_is_seen_as_an_error(workspace: Workspace, app: App, status: int) -> None:
    app.status = status
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert (delivery.acknowledged, delivery.status, len(workspace.visible_errors)) == (False, status, 1)


async def test_an_app_that_is_not_there_is_seen_as_dispatch_failed(workspace: Workspace) -> None:
    workspace.deliver_to("http://127.0.0.1:1/slack/events")
    assert (await workspace.type("U0ANA", "C0FLOOR", "/calls")).error == "dispatch_failed"


async def test_a_command_sent_three_times_has_one_trigger_and_one_response_url(workspace: Workspace, app: App) -> None:
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls", times=3)
    assert (len(delivery.repeats), len(app.bodies), len(set(app.bodies))) == (2, 3, 1)


async def test_two_commands_have_different_triggers(workspace: Workspace, app: App) -> None:
    triggers = []
    for _ in range(2):
        await workspace.type("U0ANA", "C0FLOOR", "/calls")
        triggers.append(app.fields()["trigger_id"])
    assert len(set(triggers)) == 2


async def test_a_command_is_delivered_again_as_a_retry(workspace: Workspace, app: App) -> None:
    again = await workspace.redeliver(await workspace.type("U0ANA", "C0FLOOR", "/calls"))
    assert again.acknowledged
    assert (app.bodies[0] == app.bodies[1], app.headers[1]["X-Slack-Retry-Num"]) == (True, "1")


async def test_a_click_has_the_fields_of_slacks_page(workspace: Workspace, app: App, card: Message) -> None:
    await workspace.click("U0ANA", card, "Whisper", trigger_id="1.2.3")
    payload = app.payload()
    action = payload["actions"][0]
    assert action.pop("action_ts")
    assert (payload["type"], payload["trigger_id"], payload["channel"]["id"]) == ("block_actions", "1.2.3", "C0FLOOR")
    assert payload["user"] == {"id": "U0ANA", "username": "ana", "name": "ana", "team_id": "T0LOCAL"}
    assert payload["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": "C0FLOOR",
        "is_ephemeral": False,
    }
    assert action == {
        "type": "button",
        "action_id": "whisper",
        "block_id": "b1",
        "value": "c1",
        "text": {"type": "plain_text", "text": "Whisper", "emoji": True},
    }


async def test_a_message_in_the_acknowledgement_of_a_click_is_an_error_and_not_shown(
    workspace: Workspace, app: App, card: Message
) -> None:
    app.answer = {"text": "x"}
    await workspace.click("U0ANA", card, "Whisper")
    assert (len(workspace.refusals), workspace.private("U0ANA")) == (1, [])


async def test_a_click_without_acknowledgement_shows_a_warning_sign(
    workspace: Workspace, app: App, card: Message
) -> None:
    app.status = 404
    await workspace.click("U0ANA", card, "Whisper")
    assert workspace.visible_errors == ["button “Whisper” shows a warning sign: dispatch_failed"]


async def test_hostile_bytes_arrive_as_they_are(workspace: Workspace, app: App) -> None:
    await workspace.deliver_payload(b"\xff\x00{", workspace.sign(b"other") | {"Content-Type": "text/x-odd"})
    assert (app.bodies, app.headers[0]["Content-Type"]) == ([b"\xff\x00{"], "text/x-odd")


async def test_what_comes_of_hostile_bytes_is_seen_by_nobody(workspace: Workspace, app: App) -> None:
    app.status = 401
    delivery = await workspace.deliver_payload(b"", {})
    assert (delivery.status, workspace.visible_errors) == (401, [])


async def test_an_unknown_person_cannot_type(workspace: Workspace) -> None:
    with pytest.raises(LookupError, match="U0ANA"):
        await workspace.type("U0NONE", "C0FLOOR", "/calls")


async def test_nobody_types_in_an_unknown_channel(workspace: Workspace) -> None:
    with pytest.raises(LookupError, match="C0FLOOR"):
        await workspace.type("U0ANA", "C0NONE", "/calls")


async def test_bytes_for_an_app_that_is_not_there_come_to_nothing(workspace: Workspace) -> None:
    workspace.deliver_to("http://127.0.0.1:1/slack/events")
    assert (await workspace.deliver_payload(b"", {})).error == "dispatch_failed"


async def test_bytes_need_an_address(workspace: Workspace) -> None:
    workspace.deliver_to(None)
    with pytest.raises(RuntimeError, match="no address"):
        await workspace.deliver_payload(b"", {})


@pytest.mark.parametrize("timestamp", [None, 1_531_420_618])
def test_a_signature_is_that_of_the_timestamp_and_the_secret(timestamp: int | None) -> None:
    headers = Workspace().sign(b"a=b", timestamp, "secret")
    signed = f"v0:{headers['X-Slack-Request-Timestamp']}:a=b".encode()
    assert headers["X-Slack-Signature"] == "v0=" + hmac.new(b"secret", signed, hashlib.sha256).hexdigest()


async def test_an_acknowledgement_that_only_claims_to_be_json_is_an_error(workspace: Workspace, app: App) -> None:
    app.answer, app.content_type = "{half", "application/json"
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert (delivery.error, workspace.private("U0ANA")) == ("invalid_json", [])


async def test_a_redirect_is_not_followed(workspace: Workspace, app: App) -> None:
    app.status = 307
    await workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert len(app.bodies) == 1


async def test_a_second_retry_is_numbered_two(workspace: Workspace, app: App) -> None:
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/calls")
    for _ in range(2):
        delivery = await workspace.redeliver(delivery)
    assert app.headers[-1]["X-Slack-Retry-Num"] == "2"
