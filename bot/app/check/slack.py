"""`callbot check`: whether Slack knows the bot, what the bot may do there, and the channels in callbot.toml."""

import asyncio
from collections.abc import Awaitable, Iterator

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.app.check.configuration import channels_named
from bot.app.config import Config
from bot.app.examples import MANIFEST, example
from bot.app.output import Finding, no, ok, remark, some
from bot.app.settings import SlackSettings
from bot.network import certificate_problem
from bot.slack.web_client import web_client

CHANNELS_AT_ONCE = 4
NEEDED = {"chat:write": "to post cards", "commands": "for /monitor and its sisters"}
OPTIONAL = ("im:write", "im:history", "channels:history", "groups:history")
"""With these callbot finds a card again whose posting Slack did not confirm."""
READING = {"C": "channels:read", "G": "groups:read"}
"""What conversations.info needs, by the first letter of a channel id. Nothing else does, so an app rarely has it."""
HISTORY_SCOPES = {"C": "channels:history", "G": "groups:history"}
"""What conversations.history needs. "Only user tokens can access public channels they are not in" (its `not_in_channel`)."""
BEFORE_1970: dict[str, str | int] = {"latest": "1", "limit": 1}
"""Which messages are asked for: those before 1970."""
HIDDEN = (
    "the app has neither channels:history nor channels:read (private ones: groups:…), and needs none. "
    "Check yourself that the bot is in there: /invite it."
)
BOT_TOKEN = "Slack's bot token"  # noqa: S105 - the topic of a line
DOOR = "Slack's way in"


NOT_SLACK = "something answers there that is not Slack"


class NoAnswer(Exception):
    """Slack said no, or nothing; the text says which, without anything that Slack sent but its error code."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


async def check_slack(settings: SlackSettings, config: Config | None, patience: float) -> list[Finding]:
    """Ask Slack. `config` None: the configuration cannot be read, so no channel is known. `patience`: seconds for one answer."""
    timeout = aiohttp.ClientTimeout(total=patience, connect=patience / 2)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        slack = _Slack(client, patience)
        (token, granted), way_in = await asyncio.gather(slack.bot_token(), slack.way_in(settings.slack_app_token))
        channels = [] if granted is None or config is None else await slack.channels(channels_named(config), granted)
        return [*token, *way_in, *channels]


class _Slack:
    """Each question, and what its answer means."""

    def __init__(self, client: AsyncWebClient, patience: float) -> None:
        self._client = client
        self._patience = patience
        self._gate = asyncio.Semaphore(CHANNELS_AT_ONCE)

    async def bot_token(self) -> tuple[list[Finding], frozenset[str] | None]:
        """What auth.test says, and the scopes that the app has; None where the token is not accepted."""
        try:
            answer = await self._answered(self._client.auth_test())
        except NoAnswer as why:
            return [no(BOT_TOKEN, f"{why}. {_advice(why, 'Copy SLACK_BOT_TOKEN anew (OAuth & Permissions).')}")], None
        bot = answer.get("bot_id") or "no bot id"
        accepted = ok(BOT_TOKEN, f"workspace {str(answer.get('team', ''))[:80]} ({answer.get('team_id')}), bot {bot}")
        header = next((value for name, value in answer.headers.items() if name.lower() == "x-oauth-scopes"), None)
        if header is None:
            unsaid = f"Slack did not say which the app has. Compare OAuth & Permissions with {example(MANIFEST)}."
            return [accepted, remark("Slack's scopes", unsaid)], frozenset(READING.values())
        granted = frozenset(scope.strip() for scope in str(header).split(","))
        return [accepted, *_scopes(granted)], granted

    async def way_in(self, app_token: SecretStr | None) -> list[Finding]:
        """Whether Socket Mode would open; no connection is made."""
        if app_token is None:
            return [ok(DOOR, "HTTP: SLACK_SIGNING_SECRET is set; only a request from Slack can prove it")]
        try:
            await self._answered(self._client.apps_connections_open(app_token=app_token.get_secret_value()))
        except NoAnswer as why:
            advice = "Make a new SLACK_APP_TOKEN with connections:write (Basic Information), and switch Socket Mode on."
            return [no(DOOR, f"Socket Mode: {why}. {_advice(why, advice)}")]
        return [ok(DOOR, "Socket Mode: SLACK_APP_TOKEN is accepted")]

    async def channels(self, named: dict[str, list[str]], granted: frozenset[str]) -> list[Finding]:
        """Whether the bot is in the channels of callbot.toml, as far as its scopes let it find out."""
        rooms = {channel: keys for channel, keys in named.items() if not channel.startswith("D")}
        hidden = [channel for channel in rooms if not granted & {READING[channel[0]], HISTORY_SCOPES[channel[0]]}]
        tasks = {
            channel: asyncio.create_task(self._channel(channel, rooms[channel], granted))
            for channel in rooms
            if channel not in hidden
        }
        findings = [remark("channels", f"{some(hidden)} not checked: {HIDDEN}")] if hidden else []
        if tasks:
            _, late = await asyncio.wait(tasks.values(), timeout=self._patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            findings += [task.result() for task in tasks.values() if task not in late]
            unread = [channel for channel, task in tasks.items() if task in late]
            findings += [remark("channels", f"{some(unread)} not checked: no answer in time.")] if unread else []
        return findings

    async def _channel(self, channel: str, keys: list[str], granted: frozenset[str]) -> Finding:
        about, named = f"channel {channel}", f"named by {some(keys, 3)}"
        try:
            async with self._gate:
                state = await self._state(channel, by_info=READING[channel[0]] in granted)
        except NoAnswer as why:
            if why.code == "missing_scope":
                return remark(about, f"not checked: {HIDDEN}")
            return remark(about, f"{why}; {named}. Check the id (channel details, at the bottom), and /invite the bot.")
        if state.get("is_archived"):
            return no(about, f"is archived; {named}. Name another one.")
        if not state.get("is_member"):
            return remark(about, f"the bot is not in it, so it cannot post there; {named}. /invite it.")
        return ok(about, f"the bot is in it; {named}")

    async def _state(self, channel: str, *, by_info: bool) -> dict[str, object]:
        """What conversations.info says of the channel; else, with rights to its history, whether the bot is in it."""
        if not by_info:
            try:
                await self._answered(self._client.conversations_history(channel=channel, **BEFORE_1970))  # type: ignore[arg-type]  # checked by Slack
            except NoAnswer as why:
                if why.code == "not_in_channel":
                    return {"is_member": False}
                raise
            return {"is_member": True}
        # Not by the method's name: the manifest asks for the scopes of what a running bot calls; it never does.
        answer = await self._answered(self._client.api_call("conversations.info", params={"channel": channel}))
        shown = answer.get("channel")
        return shown if isinstance(shown, dict) else {}

    async def _answered(self, asking: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
        """The answer. Raises NoAnswer within the patience."""
        try:
            return await asking
        except SlackApiError as error:
            raise _refusal(error) from None
        except TimeoutError:
            raise NoAnswer(f"no answer in {self._patience:g} s") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise NoAnswer(f"its certificate is {certificate_problem(error.certificate_error)}") from None
        except aiohttp.ClientError as error:
            raise NoAnswer(f"cannot be reached ({type(error).__name__})") from None
        except (ValueError, AttributeError, RecursionError):  # the library, on what is no JSON object
            raise NoAnswer(NOT_SLACK) from None


def _scopes(granted: frozenset[str]) -> Iterator[Finding]:
    missing = [f"{scope} ({why})" for scope, why in NEEDED.items() if scope not in granted]
    add = f"Add it under OAuth & Permissions as {example(MANIFEST)} has it, and install the app again."
    if missing:
        yield no("Slack's scopes", f"missing: {some(missing)}. {add}")
    else:
        yield ok("Slack's scopes", " and ".join(NEEDED))
    without = [scope for scope in OPTIONAL if scope not in granted]
    if without:
        yield remark(
            "Slack's scopes",
            f"without {some(without)} callbot cannot find out whether a card was posted when Slack did not confirm it. "
            f"If you want that: {add}",
        )


def _advice(why: NoAnswer, refused: str) -> str:
    """What to do: `refused` if Slack itself refused, else to check the connection."""
    return refused if why.code else "Check SLACK_API_URL and the network."


def _refusal(error: SlackApiError) -> NoAnswer:
    """The refusal with Slack's code, or without one if the answer does not come from Slack."""
    answer = getattr(error.response, "data", None)
    code = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) <= 64:
        return NoAnswer(f"refused with {code}", code)
    return NoAnswer(NOT_SLACK)
