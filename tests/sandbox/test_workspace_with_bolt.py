"""A real slack-bolt app at work in the local Slack, in both modes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.workspace import Workspace

GO = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", "value": "1"}


def bolt_app(workspace: Workspace) -> AsyncApp:
    """An app with one command that posts a button, and the button."""
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    app = AsyncApp(client=client, signing_secret=workspace.signing_secret)

    @app.command("/monitor")
    async def monitor(ack: AsyncAck, command: dict[str, Any]) -> None:
        await ack(response_type="ephemeral", text=f"Working on {command['text']}")
        blocks = [{"type": "actions", "elements": [GO]}]
        await client.chat_postMessage(channel=command["channel_id"], text="a call", blocks=blocks, unfurl_links=False)

    @app.action("go")
    async def go(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="done", parse="none")
        await respond(response_type="ephemeral", text="well done", replace_original=False)

    return app


@pytest.fixture(params=["http", "socket"])
async def workspace(request: pytest.FixtureRequest) -> AsyncIterator[Workspace]:
    workspace = Workspace()
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    app = bolt_app(workspace)
    if request.param == "http":
        runner = web.AppRunner(app.server().web_app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        workspace.deliver_to(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
        yield workspace
        await runner.cleanup()
    else:
        handler = AsyncSocketModeHandler(app, workspace.app_token)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt has no types here
        await workspace.until(lambda: workspace.sockets == 1)
        yield workspace
        await handler.close_async()  # type: ignore[no-untyped-call]  # the same
    await workspace.stop()


async def test_a_command_is_acknowledged_and_answered(workspace: Workspace) -> None:
    delivery = await workspace.type("U0ANA", "C0FLOOR", "/monitor 0003*210")
    await workspace.until(lambda: workspace.messages("C0FLOOR"))
    assert (delivery.acknowledged, [each.text for each in workspace.private("U0ANA")]) == (
        True,
        ["Working on 0003*210"],
    )


async def test_a_click_updates_its_message_and_answers_in_private(workspace: Workspace) -> None:
    await workspace.type("U0ANA", "C0FLOOR", "/monitor 0003*210")
    (message,) = await workspace.until(lambda: workspace.messages("C0FLOOR"))
    await workspace.click("U0ANA", message, "Go")
    await workspace.until(lambda: "well done" in [each.text for each in workspace.private("U0ANA")])
    assert (message.text, workspace.refusals, workspace.visible_errors) == ("done", [], [])


async def test_an_unknown_command_is_seen_as_an_error(workspace: Workspace) -> None:
    await workspace.type("U0ANA", "C0FLOOR", "/unheard-of")
    assert len(workspace.visible_errors) == 1
