"""Clicks on the buttons of messages, and what their answers do. No app listens: what was sent is read from the delivery."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.conversations import Message
from bot.sandbox.workspace.deliveries import Delivery
from bot.sandbox.workspace.workspace import Workspace

WHISPER = {"type": "button", "text": {"type": "plain_text", "text": "Whisper"}, "action_id": "whisper", "value": "c1"}
SURE = {name: {"type": "plain_text", "text": "Sure?"} for name in ("title", "text", "confirm", "deny")}
BARGE = WHISPER | {"text": {"type": "plain_text", "text": "Barge in"}, "action_id": "barge", "confirm": SURE}
BLOCKS = [{"type": "actions", "block_id": "b1", "elements": [WHISPER, BARGE]}]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace()
    workspace.add_person("U0ANA", "ana")
    workspace.add_person("U0BOB", "bob")
    workspace.add_person("U0EVE", "eve", team_id="T0OTHER")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    yield workspace
    await workspace.stop()


def sent(delivery: Delivery) -> dict[str, Any]:
    """What went out."""
    assert delivery.interaction
    return delivery.interaction.payload


async def ask(workspace: Workspace, method: str, **args: Any) -> None:
    headers = {"Authorization": f"Bearer {workspace.bot_token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(workspace.api_url + method, json=args, headers=headers) as response,
    ):
        assert (await response.json())["ok"]


async def respond(url: str, **said: Any) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.post(url, json=said) as response:
        found: dict[str, Any] = await response.json()
        return found


@pytest.fixture
async def card(workspace: Workspace) -> Message:
    await ask(workspace, "chat.postMessage", channel="C0FLOOR", text="a call", blocks=BLOCKS)
    return workspace.messages("C0FLOOR")[0]


@pytest.fixture
async def private_card(workspace: Workspace) -> Message:
    await ask(workspace, "chat.postEphemeral", channel="C0FLOOR", user="U0ANA", text="a call", blocks=BLOCKS)
    return workspace.private("U0ANA")[0]


async def test_a_click_carries_the_message_as_shown_now(workspace: Workspace, card: Message) -> None:
    await ask(workspace, "chat.update", channel="C0FLOOR", ts=card.ts, text="newer", blocks=BLOCKS)
    payload = sent(await workspace.click("U0ANA", card, "Whisper"))
    assert payload["message"]["text"] == "newer"


async def test_a_click_on_an_ephemeral_message_carries_no_message(workspace: Workspace, private_card: Message) -> None:
    payload = sent(await workspace.click("U0ANA", private_card, "Whisper"))
    assert (payload["container"]["is_ephemeral"], "message" in payload) == (True, False)


async def test_a_stranger_from_another_workspace_clicks_with_their_team(workspace: Workspace, card: Message) -> None:
    payload = sent(await workspace.click("U0EVE", card, "Whisper"))
    assert (payload["user"]["team_id"], payload["team"]["id"]) == ("T0OTHER", "T0LOCAL")


async def test_a_button_that_is_not_there_cannot_be_clicked(workspace: Workspace, card: Message) -> None:
    with pytest.raises(LookupError, match=r"\['Whisper', 'Barge in'\]"):
        await workspace.click("U0ANA", card, "Record")


async def test_a_button_that_an_update_took_away_cannot_be_clicked(workspace: Workspace, card: Message) -> None:
    await ask(workspace, "chat.update", channel="C0FLOOR", ts=card.ts, text="over")
    with pytest.raises(LookupError, match=r"\[\]"):
        await workspace.click("U0ANA", card, "Whisper")


async def test_somebody_elses_ephemeral_message_cannot_be_clicked(workspace: Workspace, private_card: Message) -> None:
    with pytest.raises(LookupError, match="U0BOB sees no button"):
        await workspace.click("U0BOB", private_card, "Whisper")


async def test_backing_out_of_a_confirm_dialog_sends_nothing(workspace: Workspace, card: Message) -> None:
    delivery = await workspace.click("U0ANA", card, "Barge in", confirm=False)
    assert (delivery.sent, delivery.interaction, workspace.visible_errors) == (False, None, [])


async def test_what_was_never_sent_cannot_be_sent_again(workspace: Workspace, card: Message) -> None:
    delivery = await workspace.click("U0ANA", card, "Barge in", confirm=False)
    with pytest.raises(ValueError, match="nothing was sent"):
        await workspace.redeliver(delivery)


async def test_a_confirmed_dialog_is_sent(workspace: Workspace, card: Message) -> None:
    payload = sent(await workspace.click("U0ANA", card, "Barge in"))
    assert payload["actions"][0]["action_id"] == "barge"


async def test_an_old_button_can_still_be_clicked(workspace: Workspace, card: Message) -> None:
    payload = sent(await workspace.click_stale("U0ANA", card, action_id="gone", value="v0", block_id="b0"))
    action = payload["actions"][0]
    assert (action["action_id"], action["value"], action["block_id"]) == ("gone", "v0", "b0")


async def test_an_answer_to_a_click_replaces_its_message(workspace: Workspace, card: Message) -> None:
    payload = sent(await workspace.click("U0ANA", card, "Whisper"))
    await respond(payload["response_url"], text="done", replace_original=True)
    assert ([each.text for each in workspace.messages()], workspace.private("U0ANA")) == (["done"], [])


async def test_an_answer_to_a_click_replaces_an_ephemeral_message(workspace: Workspace, private_card: Message) -> None:
    payload = sent(await workspace.click("U0ANA", private_card, "Whisper"))
    await respond(payload["response_url"], text="done", replace_original=True)
    assert ([each.text for each in workspace.private("U0ANA")], workspace.messages()) == (["done"], [])


async def test_an_answer_to_a_click_deletes_its_message(workspace: Workspace, card: Message) -> None:
    payload = sent(await workspace.click("U0ANA", card, "Whisper"))
    await respond(payload["response_url"], delete_original=True)
    assert (workspace.messages(), card.deleted) == ([], True)


async def test_an_answer_to_a_click_leaves_its_message_by_itself(workspace: Workspace, card: Message) -> None:
    payload = sent(await workspace.click("U0ANA", card, "Whisper"))
    await respond(payload["response_url"], text="noted")
    assert ([each.text for each in workspace.messages()], card.text) == (["a call"], "a call")


async def test_a_deleted_message_cannot_be_replaced(workspace: Workspace, card: Message) -> None:
    payload = sent(await workspace.click("U0ANA", card, "Whisper"))
    await ask(workspace, "chat.delete", channel="C0FLOOR", ts=card.ts)
    answer = await respond(payload["response_url"], text="done", replace_original=True)
    assert answer["error"] == "message_not_found"


async def test_the_second_of_two_buttons_with_one_label_can_be_clicked(workspace: Workspace) -> None:
    both = [{"type": "actions", "elements": [WHISPER, WHISPER | {"action_id": "other", "value": "c2"}]}]
    await ask(workspace, "chat.postMessage", channel="C0FLOOR", text="two calls", blocks=both)
    payload = sent(await workspace.click("U0ANA", workspace.messages()[0], "Whisper", nth=1))
    assert payload["actions"][0]["value"] == "c2"
