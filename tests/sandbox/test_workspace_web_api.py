"""The Web API of the local Slack: arguments, tokens, answers, errors, and what people then see."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.workspace.workspace import Workspace

HEADER = {"type": "header", "text": {"type": "plain_text", "text": "Rings <unanswered>"}}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "from &lt;Ana&gt; &amp;amp;"}}
GO = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", "value": "v1"}
BLOCKS = [HEADER, SECTION, {"type": "actions", "block_id": "b1", "elements": [GO]}]


class Client:
    """A Web API client that knows nothing of Slack's library."""

    def __init__(self, workspace: Workspace, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        self.session = session

    async def __call__(self, method: str, **args: Any) -> dict[str, Any]:
        """Ask with JSON and the bot's token."""
        headers = {"Authorization": f"Bearer {self.workspace.bot_token}"}
        async with self.session.post(self.workspace.api_url + method, json=args, headers=headers) as response:
            found: dict[str, Any] = await response.json()
            return found


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace()
    workspace.add_person("U0ANA", "ana")
    workspace.add_person("U0EVE", "eve", team_id="T0OTHER")
    workspace.add_channel("C0FLOOR", "support-floor")
    workspace.add_channel("C0SECRET", "elsewhere", bot_is_member=False)
    workspace.add_channel("C0OLD", "old", archived=True)
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def ask(workspace: Workspace) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(workspace, session)


async def test_auth_test_tells_who_the_bot_is(ask: Client) -> None:
    assert (await ask("auth.test"))["user_id"] == ask.workspace.bot_user_id


async def test_a_revoked_bot_token_is_refused_in_slacks_words_and_is_no_error_of_the_bots(ask: Client) -> None:
    for error in ("token_revoked", "invalid_auth", "account_inactive"):
        ask.workspace.revoke_bot_token(error)
        assert await ask("chat.postMessage", channel="C0FLOOR", text="hello") == {"ok": False, "error": error}
    assert ask.workspace.refusals == []


async def test_a_restored_bot_token_is_taken(ask: Client) -> None:
    ask.workspace.revoke_bot_token()
    ask.workspace.restore_bot_token()
    assert (await ask("auth.test"))["ok"] is True


async def test_a_post_is_shown_in_its_channel_and_the_answer_names_it(ask: Client) -> None:
    answer = await ask("chat.postMessage", channel="C0FLOOR", text="hello")
    (message,) = ask.workspace.messages("C0FLOOR")
    assert (answer["channel"], answer["ts"], answer["message"]["text"]) == ("C0FLOOR", message.ts, "hello")


async def test_no_two_messages_have_the_same_time_stamp(ask: Client) -> None:
    for _ in range(5):
        await ask("chat.postMessage", channel="C0FLOOR", text="hello")
    assert len({message.ts for message in ask.workspace.messages()}) == 5


async def test_a_post_to_a_person_is_shown_in_their_direct_message(ask: Client) -> None:
    answer = await ask("chat.postMessage", channel="U0ANA", text="hello")
    await ask("chat.postMessage", channel="C0FLOOR", text="other")
    assert answer["channel"] == "D0ANA"
    assert [message.text for message in ask.workspace.messages(to="U0ANA")] == ["hello"]


async def test_a_reader_sees_blocks_top_to_bottom_and_unescaped_once(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0FLOOR", text="unseen", blocks=BLOCKS)
    assert ask.workspace.messages()[0].lines() == ["Rings <unanswered>", "from <Ana> &amp;", "Go"]


async def test_escaped_text_is_no_live_markup(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0FLOOR", text="&lt;!channel&gt; <@U0ANA>")
    assert ask.workspace.messages()[0].live_markup() == ["@U0ANA"]


async def test_a_button_of_a_message_is_listed_with_its_parts(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0FLOOR", text="t", blocks=BLOCKS)
    (button,) = ask.workspace.messages()[0].buttons()
    assert (button.label, button.action_id, button.value, button.block_id) == ("Go", "go", "v1", "b1")


async def test_a_block_without_an_id_gets_one(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0FLOOR", text="t", blocks=[SECTION])
    assert ask.workspace.messages()[0].blocks[0]["block_id"]


async def test_an_ephemeral_message_is_shown_to_its_person_alone(ask: Client) -> None:
    await ask("chat.postEphemeral", channel="C0FLOOR", user="U0ANA", text="psst")
    assert ([each.text for each in ask.workspace.private("U0ANA")], ask.workspace.messages()) == (["psst"], [])


async def test_an_ephemeral_message_cannot_be_updated(ask: Client) -> None:
    ts = (await ask("chat.postEphemeral", channel="C0FLOOR", user="U0ANA", text="psst"))["message_ts"]
    assert (await ask("chat.update", channel="C0FLOOR", ts=ts, text="x"))["error"] == "message_not_found"


async def test_an_update_keeps_every_version(ask: Client) -> None:
    ts = (await ask("chat.postMessage", channel="C0FLOOR", text="one"))["ts"]
    await ask("chat.update", channel="C0FLOOR", ts=ts, text="two", parse="none")
    assert [version.text for version in ask.workspace.messages()[0].versions] == ["one", "two"]


async def test_an_update_with_text_alone_takes_the_blocks_away(ask: Client) -> None:
    ts = (await ask("chat.postMessage", channel="C0FLOOR", text="one", blocks=BLOCKS))["ts"]
    await ask("chat.update", channel="C0FLOOR", ts=ts, text="two")
    assert ask.workspace.messages()[0].lines() == ["two"]


async def test_an_update_wants_the_id_of_the_direct_message_and_not_the_person(ask: Client) -> None:
    ts = (await ask("chat.postMessage", channel="U0ANA", text="one"))["ts"]
    assert (await ask("chat.update", channel="U0ANA", ts=ts, text="x"))["error"] == "channel_not_found"


async def test_a_deleted_message_is_not_shown(ask: Client) -> None:
    ts = (await ask("chat.postMessage", channel="C0FLOOR", text="one"))["ts"]
    await ask("chat.delete", channel="C0FLOOR", ts=ts)
    assert ask.workspace.messages() == []


async def test_a_reply_goes_to_its_thread(ask: Client) -> None:
    ts = (await ask("chat.postMessage", channel="C0FLOOR", text="one"))["ts"]
    await ask("chat.postMessage", channel="C0FLOOR", text="two", thread_ts=ts)
    assert [message.thread_ts for message in ask.workspace.messages()] == [None, ts]


async def test_conversations_open_gives_the_direct_message(ask: Client) -> None:
    assert (await ask("conversations.open", users="U0ANA"))["channel"]["id"] == "D0ANA"


async def test_users_info_tells_the_team_of_a_person(ask: Client) -> None:
    assert (await ask("users.info", user="U0EVE"))["user"]["team_id"] == "T0OTHER"


async def test_conversations_info_tells_what_a_channel_is(ask: Client) -> None:
    known: dict[str, dict[str, Any]] = {
        "C0SECRET": {"is_member": False, "is_archived": False, "is_im": False},
        "C0OLD": {"is_member": True, "is_archived": True, "is_im": False},
        "D0ANA": {"is_im": True, "user": "U0ANA"},
    }
    for channel, state in known.items():
        assert state.items() <= (await ask("conversations.info", channel=channel))["channel"].items()


FLOOR = {"channel": "C0FLOOR"}
SAME_BUTTONS = {"type": "actions", "elements": [GO, GO]}


ERRORS: list[tuple[str, dict[str, Any], str]] = [
    ("chat.postMessage", {"channel": "C0NONE", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "C0SECRET", "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": "C0OLD", "text": "x"}, "is_archived"),
    ("chat.postMessage", FLOOR, "no_text"),
    ("chat.postMessage", FLOOR | {"text": " \n"}, "no_text"),
    ("chat.postMessage", FLOOR | {"blocks": [SECTION]}, "no_text"),
    ("chat.postMessage", FLOOR | {"text": "x" * 40_001}, "msg_too_long"),
    ("chat.postMessage", FLOOR | {"text": "x", "blocks": [SAME_BUTTONS]}, "invalid_blocks"),
    ("chat.postMessage", FLOOR | {"text": "x", "blocks": "[{"}, "invalid_blocks_format"),
    ("chat.postMessage", FLOOR | {"text": 3}, "invalid_arguments"),
    ("chat.postMessage", FLOOR | {"text": "x", "unfurl_link": False}, "invalid_arguments"),
    ("chat.postMessage", FLOOR | {"text": "x", "unfurl_links": "no"}, "invalid_arguments"),
    ("chat.postMessage", FLOOR | {"text": "x", "parse": "some"}, "invalid_arguments"),
    ("chat.postMessage", FLOOR | {"text": "x", "attachments": [{"text": "y"}]}, "invalid_attachments"),
    ("chat.postMessage", FLOOR | {"text": "x", "thread_ts": "1.2"}, "thread_not_found"),
    ("chat.postEphemeral", FLOOR | {"text": "x", "user": "U0NONE"}, "user_not_in_channel"),
    ("chat.postEphemeral", {"channel": "D0ANA", "text": "x", "user": "U0EVE"}, "user_not_in_channel"),
    ("chat.update", FLOOR | {"text": "x", "ts": "1.2"}, "message_not_found"),
    ("chat.update", FLOOR | {"ts": "1.2"}, "no_text"),
    ("chat.update", FLOOR | {"text": "x" * 4001, "ts": "1.2"}, "msg_too_long"),
    ("chat.update", {"channel": "C0SECRET", "text": "x", "ts": "1.2"}, "not_in_channel"),
    ("chat.delete", FLOOR | {"ts": "1.2"}, "message_not_found"),
    ("conversations.open", {"users": "U0NONE"}, "user_not_found"),
    ("conversations.info", {"channel": "C0NONE"}, "channel_not_found"),
    ("users.info", {"user": "U0NONE"}, "user_not_found"),
    ("apps.connections.open", {}, "not_allowed_token_type"),
    ("chat.postmessage", FLOOR | {"text": "x"}, "unknown_method"),
]


async def test_slack_answers_with_its_error_and_shows_nothing(ask: Client) -> None:
    for method, args, error in ERRORS:
        answer = await ask(method, **args)
        assert (method, args, answer["ok"], answer["error"]) == (method, args, False, error)
    assert ask.workspace.messages() == []


async def test_invalid_blocks_are_explained_with_a_pointer(ask: Client) -> None:
    answer = await ask("chat.postMessage", channel="C0FLOOR", text="x", blocks=[{"type": "section"}])
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] missing required field: text or fields [json-pointer:/blocks/0]"
    ]


async def test_an_error_of_the_bot_is_kept_and_what_it_could_not_know_is_none(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0SECRET", text="x")
    await ask("chat.postMessage", channel="C0FLOOR", text="")
    assert ask.workspace.refusals == ["chat.postMessage: no_text"]


async def test_every_request_is_kept_with_its_answer(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0FLOOR", text="x", parse="none")
    (call,) = ask.workspace.calls
    assert (call.method, call.args["parse"], call.answer["ok"], call.status) == ("chat.postMessage", "none", True, 200)


async def test_somebody_elses_message_cannot_be_updated(ask: Client) -> None:
    delivery = await ask.workspace.type("U0ANA", "C0FLOOR", "/calls")
    assert delivery.interaction
    in_channel = {"response_type": "in_channel", "text": "answer"}
    async with ask.session.post(delivery.interaction.response_url, json=in_channel):
        pass
    typed = ask.workspace.messages("C0FLOOR")[0]
    assert (await ask("chat.update", channel="C0FLOOR", ts=typed.ts, text="x"))["error"] == "cant_update_message"


async def test_a_form_may_carry_blocks_as_json_and_the_token(ask: Client) -> None:
    form = {"token": ask.workspace.bot_token, "channel": "C0FLOOR", "text": "x", "blocks": json.dumps([SECTION])}
    async with ask.session.post(ask.workspace.api_url + "chat.postMessage", data=form) as response:
        assert (await response.json())["ok"]


async def test_a_query_may_carry_arguments_and_the_token(ask: Client) -> None:
    query = {"token": ask.workspace.bot_token, "user": "U0ANA"}
    async with ask.session.get(ask.workspace.api_url + "users.info", params=query) as response:
        assert (await response.json())["user"]["name"] == "ana"


async def test_the_token_is_not_kept_with_the_request(ask: Client) -> None:
    query = {"token": ask.workspace.bot_token}
    async with ask.session.get(ask.workspace.api_url + "auth.test", params=query):
        assert ask.workspace.calls[0].args == {}


IMPOSSIBLE: list[tuple[dict[str, str], bytes, str]] = [
    ({}, b"", "not_authed"),
    ({"Content-Type": "application/json"}, b'{"token": "xoxb-1"}', "not_authed"),
    ({"Authorization": "Bearer xoxb-1"}, b"", "invalid_auth"),
    ({"Content-Type": "application/json"}, b"{", "invalid_json"),
    ({"Content-Type": "application/json"}, b"[]", "json_not_object"),
    ({"Content-Type": "text/plain"}, b"x", "invalid_post_type"),
]


async def test_a_request_that_slack_cannot_take_is_refused(ask: Client) -> None:
    for headers, body, error in IMPOSSIBLE:
        async with ask.session.post(ask.workspace.api_url + "auth.test", data=body, headers=headers) as response:
            assert (headers, (await response.json())["error"]) == (headers, error)


async def test_until_gives_the_first_true_value(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0FLOOR", text="x")
    assert await ask.workspace.until(lambda: len(ask.workspace.messages())) == 1


async def test_until_says_what_is_shown_when_time_is_up(ask: Client) -> None:
    await ask("chat.postMessage", channel="C0FLOOR", text="what people see")
    with pytest.raises(TimeoutError, match="what people see"):
        await ask.workspace.until(lambda: False, timeout=0.01)


async def test_who_watches_is_told_of_a_post_until_they_leave(ask: Client) -> None:
    seen: list[int] = []
    leave = ask.workspace.on_change(lambda: seen.append(len(ask.workspace.messages())))
    await ask("chat.postMessage", channel="C0FLOOR", text="x")
    leave()
    await ask("chat.postMessage", channel="C0FLOOR", text="x")
    assert set(seen) == {1}
