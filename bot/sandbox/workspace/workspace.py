"""A strict local Slack: a workspace with people, channels and one app, over real HTTP and WebSockets on loopback.

It takes from the app only what Slack would take and refuses the rest in Slack's words; what it sends is signed, escaped
and timed as Slack does it. It shares no code with the app or with Slack's libraries. Read next: `web_api` and
`methods` (what the app may ask), `deliveries` and `sockets` (how the app is told and how its answers are shown).
"""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from aiohttp import web

from bot.sandbox.changes import Changes
from bot.sandbox.workspace.conversations import Button, Channel, Conversations, Message
from bot.sandbox.workspace.deliveries import Deliveries, Delivery, InteractionAnswers
from bot.sandbox.workspace.faults import SlackFaults
from bot.sandbox.workspace.interactions import Interaction, InteractionWriter, Origin, command_and_text, signed_headers
from bot.sandbox.workspace.journal import ApiCall, Journal
from bot.sandbox.workspace.limits import RateGate, SlackLimits
from bot.sandbox.workspace.message_rules import Content
from bot.sandbox.workspace.methods import ChatMethods, History
from bot.sandbox.workspace.sockets import Sockets
from bot.sandbox.workspace.web_api import GRANTED, OPEN_CONNECTION, WebApi

T = TypeVar("T")
STOPPING = 0.5
"""Seconds that requests in progress get when the workspace stops."""


class Workspace:
    """One workspace; `clock` (seconds, only differences count) drives rate limits and the life of response URLs.

    `scopes` are those that the app was installed with; `enterprise_id`: the organisation that it belongs to.
    """

    def __init__(
        self,
        *,
        team_id: str = "T0LOCAL",
        enterprise_id: str | None = None,
        limits: SlackLimits | None = None,
        scopes: frozenset[str] = GRANTED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bot_token = f"xoxb-{secrets.token_hex(16)}"
        self.app_token = f"xapp-1-{secrets.token_hex(16)}"
        self.signing_secret = secrets.token_hex(16)
        self.limits = limits or SlackLimits()
        self.scopes = scopes
        self.faults = SlackFaults()
        self._bot_token_refused = ""
        self._changes = Changes()
        self._journal = Journal(self._changes)
        self._rooms = Conversations(team_id, self._changes, enterprise_id)
        self._writer = InteractionWriter(self._rooms)
        self._gate = RateGate(self.limits, clock)
        self._sockets = Sockets(
            limits=self.limits, app_id=self._rooms.app_id, journal=self._journal, changes=self._changes
        )
        self._answers = InteractionAnswers(
            self._rooms, gate=self._gate, limits=self.limits, clock=clock, journal=self._journal, faults=self.faults
        )
        self._deliveries = Deliveries(
            secret=self.signing_secret,
            limits=self.limits,
            sockets=self._sockets,
            answers=self._answers,
            journal=self._journal,
        )
        self._runner: web.AppRunner | None = None
        self._origin = ""

    def add_person(self, user: str, name: str, *, team_id: str | None = None, enterprise_id: str | None = None) -> None:
        """Add a person; `team_id`: of another workspace, in the organisation `enterprise_id`, if any."""
        self._rooms.add_person(user, name, team_id, enterprise_id)

    def add_channel(self, channel: str, name: str, *, bot_is_member: bool = True, archived: bool = False) -> None:
        """Open a channel with everybody in it, or replace its state."""
        self._rooms.add_channel(Channel(channel, name, bot_is_member, archived))

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serve on a loopback address; port 0 takes a free port. A stop keeps the state."""
        methods = ChatMethods(self._rooms, self._gate).by_name() | {
            OPEN_CONNECTION: self._open_connection,
            "conversations.history": History(self._rooms).conversations_history,
        }
        api = WebApi(
            methods,
            bot_token=self.bot_token,
            app_token=self.app_token,
            journal=self._journal,
            faults=self.faults,
            gate=self._gate,
            scopes=self.scopes,
            bot_token_refused=lambda: self._bot_token_refused,
        )
        app = web.Application()
        app.router.add_route("*", "/api/{method}", api.handle)
        app.router.add_post("/response/{key}", self._answers.handle)
        app.router.add_get("/link/", self._sockets.link)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOPPING)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._origin = f"{host}:{self._runner.addresses[0][1]}"
        await self._deliveries.start()

    async def stop(self) -> None:
        """Close every connection and the server."""
        await self._sockets.close()
        await self._deliveries.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def api_url(self) -> str:
        """The address of the Web API, with a slash at its end."""
        return f"http://{self._origin}/api/"

    @property
    def bot_user_id(self) -> str:
        """The user id of the bot."""
        return self._rooms.bot_user_id

    @property
    def calls(self) -> list[ApiCall]:
        """Every Web API request."""
        return self._journal.calls

    @property
    def refusals(self) -> list[str]:
        """Every invalid request of the bot, as Slack would refuse it."""
        return self._journal.refusals

    @property
    def visible_errors(self) -> list[str]:
        """The errors that Slack showed to people."""
        return self._journal.visible_errors

    @property
    def sockets(self) -> int:
        """Open Socket Mode connections."""
        return self._sockets.count

    def deliver_to(self, url: str | None) -> None:
        """Deliver by signed HTTP POSTs to `url`; None: by Socket Mode."""
        self._deliveries.url = url

    def say(self, user: str, channel: str, text: str) -> Message:
        """Post a person's message in a channel; raises `LookupError` for an unknown person or channel."""
        return self._rooms.post(self._rooms.channel(channel).id, Content(text, []), user=self._rooms.person(user).id)

    async def type(
        self, user: str, channel: str, typed: str, *, times: int = 1, trigger_id: str | None = None, raw: bool = False
    ) -> Delivery:
        """Type a command and wait for its acknowledgement; `raw`: the text is as Slack would send it, escaped already.

        Raises `LookupError` for an unknown person or channel, `ValueError` for text that is no command.
        """
        person, place = self._rooms.person(user), self._rooms.channel(channel)
        command, text = command_and_text(typed, self._rooms, raw=raw)
        url = self._response_url(Origin(user, channel, typed=typed))
        interaction = self._writer.command(person, place, command, text, response_url=url, trigger_id=trigger_id)
        return await self._deliveries.send(interaction, times)

    async def click(
        self,
        user: str,
        message: Message,
        label: str,
        *,
        times: int = 1,
        confirm: bool = True,
        trigger_id: str | None = None,
        nth: int = 0,
    ) -> Delivery:
        """Click the button with this label, the `nth` of several, and answer its dialog with `confirm`.

        Raises `LookupError` with the labels where the person sees no such button.
        """
        self._rooms.person(user)
        hidden = message.deleted or message.ephemeral_to not in (None, user)
        buttons = [] if hidden else message.buttons()
        named = [each for each in buttons if each.label == label]
        if not 0 <= nth < len(named):
            raise LookupError(f"{user} sees no button {label!r} (number {nth}) in {[each.label for each in buttons]}")
        if named[nth].confirm and not confirm:
            return Delivery(sent=False)
        return await self._deliveries.send(self._click(user, message, named[nth], trigger_id), times)

    async def click_stale(
        self, user: str, message: Message, *, action_id: str, value: str | None, block_id: str, label: str = "Old"
    ) -> Delivery:
        """Click a button that the message does not show, or no longer."""
        button = Button(label, action_id, value, block_id, None, None)
        return await self._deliveries.send(self._click(user, message, button, None), 1)

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver a command or click once more, marked as a retry. Raises `ValueError` if it was not sent."""
        if delivery.interaction is None:
            raise ValueError("nothing was sent that could be sent again")
        return await self._deliveries.send(delivery.interaction, 1, attempt=delivery.attempt + 1)

    async def deliver_payload(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Post exactly these bytes and headers to the address of `deliver_to`; raises `RuntimeError` without one."""
        return await self._deliveries.post(body, headers)

    def sign(self, body: bytes, timestamp: int | None = None, secret: str | None = None) -> dict[str, str]:
        """The headers of a form signed by Slack, now or at `timestamp` (seconds since 1970)."""
        at = int(time.time()) if timestamp is None else timestamp
        return signed_headers(self.signing_secret if secret is None else secret, str(at), body)

    def messages(self, channel: str | None = None, *, to: str | None = None) -> list[Message]:
        """The messages that everybody sees, oldest first: in one channel, in the direct message `to` a person, or all."""
        wanted = channel if to is None else self._rooms.person(to).dm
        return self._rooms.shown(lambda each: each.ephemeral_to is None and wanted in (None, each.channel))

    def private(self, user: str) -> list[Message]:
        """The ephemeral messages that one person sees now, oldest first."""
        return self._rooms.shown(lambda each: each.ephemeral_to == user)

    async def until(self, probe: Callable[[], T], timeout: float = 5.0) -> T:  # noqa: ASYNC109 -- its message says what is shown
        """The first true value of `probe`, tested on every change; raises `TimeoutError` that says what is shown."""
        value = await self._changes.until(probe, timeout)
        if not value:
            raise TimeoutError(f"not within {timeout} s\n{self.description()}")
        return value

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` on every change; the returned function ends that."""
        return self._changes.subscribe(callback)

    def description(self) -> str:
        """The messages and the errors, as text."""
        wrong = [*(f"refused: {each}" for each in self.refusals), *(f"seen: {each}" for each in self.visible_errors)]
        return "\n".join([self._rooms.description(), f"{self.sockets} sockets", *wrong])

    async def send_frame(self, text: str) -> None:
        """Send exactly this on every Socket Mode connection."""
        await self._sockets.send_frame(text)

    async def refresh_sockets(self) -> None:
        """Announce to every Socket Mode connection that it will be refreshed."""
        await self._sockets.refresh()

    async def cut_sockets(self) -> None:
        """Cut every Socket Mode connection without a close frame."""
        await self._sockets.cut()

    def silence_sockets(self) -> None:
        """Keep the Socket Mode connections open and answer nothing on them, not even a ping."""
        self._sockets.silence()

    def revoke_bot_token(self, error: str = "token_revoked") -> None:
        """Revoke the bot token: every request with it is refused with `error`. Commands and response URLs go on."""
        self._bot_token_refused = error

    def restore_bot_token(self) -> None:
        """Accept the bot token again."""
        self._bot_token_refused = ""

    def link_disabled(self) -> None:
        """Switch Socket Mode off for the app."""
        self._sockets.disable()

    def link_enabled(self) -> None:
        """Switch Socket Mode on again."""
        self._sockets.enabled = True

    def _click(self, user: str, message: Message, button: Button, trigger_id: str | None) -> Interaction:
        origin = Origin(user, message.channel, source=message)
        return self._writer.click(origin, button, response_url=self._response_url(origin), trigger_id=trigger_id)

    def _response_url(self, origin: Origin) -> str:
        return self._answers.new_url(f"http://{self._origin}/response", origin)

    def _open_connection(self, args: Mapping[str, object]) -> dict[str, object]:
        return {"url": f"ws://{self._origin}/link/?ticket={self._sockets.new_ticket()}&app_id={self._rooms.app_id}"}
