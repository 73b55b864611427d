"""Delivers commands and clicks to the app, over HTTP or Socket Mode, and shows what the app answers.

An answer comes by acknowledgement or response URL ("Handling user interaction").
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bot.sandbox.workspace.conversations import Conversations, Message
from bot.sandbox.workspace.faults import SlackFaults, loses_the_answer, refused_by, spoiled_by
from bot.sandbox.workspace.interactions import SLASH_COMMANDS, Interaction, Origin, signed_headers
from bot.sandbox.workspace.journal import Journal
from bot.sandbox.workspace.limits import RateGate, SlackLimits
from bot.sandbox.workspace.message_rules import FORMATTING, Content, SlackRefusal, content_of, flag
from bot.sandbox.workspace.sockets import Sockets, Undelivered
from bot.sandbox.workspace.web_api import RateLimited, json_object, refusal_response

ANSWER = FORMATTING | {"response_type", "replace_original", "delete_original", "thread_ts"}
RESPONSE_TYPES = (None, "ephemeral", "in_channel")


class InteractionAnswers:
    """Shows answers to people, and keeps the response URLs."""

    def __init__(
        self,
        conversations: Conversations,
        *,
        gate: RateGate,
        limits: SlackLimits,
        clock: Callable[[], float],
        journal: Journal,
        faults: SlackFaults,
    ) -> None:
        self._rooms = conversations
        self._gate = gate
        self._limits = limits
        self._clock = clock
        self._journal = journal
        self._faults = faults
        self._urls: dict[str, tuple[Origin, float]] = {}
        self._uses: dict[str, int] = {}

    def new_url(self, base: str, origin: Origin) -> str:
        """A response URL under `base`, good for some uses within some time."""
        key = secrets.token_urlsafe(18)
        self._urls[key] = (origin, self._clock())
        self._uses[key] = 0
        return f"{base}/{key}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A request to a response URL."""
        fault = self._faults.take("response_url")
        try:
            response = await refused_by(fault)
            if response is None:
                origin = self._use(request.match_info["key"])
                self.show(json_object(await request.read()), origin)
                response = web.json_response({"ok": True})
        except SlackRefusal as refusal:
            self._journal.refused("response_url", refusal)
            refusal.status = 400 if refusal.status == 200 else refusal.status
            response = refusal_response(refusal)
        response = await spoiled_by(fault, response)
        loses_the_answer(fault, request)
        return response

    def _use(self, key: str) -> Origin:
        """Count one use of a response URL; raises `SlackRefusal`."""
        if key not in self._urls:
            raise SlackRefusal("no_service", status=404)
        origin, since = self._urls[key]
        if self._clock() - since > self._limits.response_url_lifetime:
            raise SlackRefusal("expired_url", status=404)
        if self._uses[key] >= self._limits.response_url_uses:
            raise SlackRefusal("used_url", status=404)
        self._uses[key] += 1
        return origin

    def show(self, args: dict[str, Any], origin: Origin) -> None:
        """Do what an answer says; raises `SlackRefusal`.

        `replace_original` and `delete_original` act on the message of a click. A command has none: what would
        replace it is shown as a new message. An ephemeral message stays ephemeral.
        """
        if args.get("response_type") not in RESPONSE_TYPES:
            raise SlackRefusal(
                "invalid_arguments", ["[ERROR] must be ephemeral or in_channel [json-pointer:/response_type]"]
            )
        if flag(args, "delete_original"):
            self._rooms.delete(self._source(origin))
            return
        content = content_of(args, ANSWER)
        if origin.source is not None and flag(args, "replace_original"):
            self._rooms.replace(self._source(origin), content)
        elif args.get("response_type") == "in_channel":
            self._show_to_all(content, origin, self._rooms.thread(origin.channel, args.get("thread_ts")))
        else:
            thread = self._rooms.thread(origin.channel, args.get("thread_ts"))
            self._rooms.post(origin.channel, content, ephemeral_to=origin.person, thread_ts=thread)

    def _source(self, origin: Origin) -> Message:
        if origin.source is None or origin.source.deleted:
            raise SlackRefusal("message_not_found", status=404)
        return origin.source

    def _show_to_all(self, content: Content, origin: Origin, thread_ts: str | None) -> None:
        """Post into the channel; with a command, what was typed is published too, before the answer."""
        wait = self._gate.post(origin.channel)
        if wait is not None:
            raise RateLimited(wait)
        if origin.typed is not None:
            self._rooms.post(origin.channel, Content(origin.typed, []), user=origin.person)
        self._rooms.post(origin.channel, content, thread_ts=thread_ts)


AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
Body = dict[str, Any] | str | bytes | None


@dataclass(eq=False)
class Delivery:
    """The result of delivering one command or click.

    `seconds`: from sending to acknowledgement, or to giving up. `status`: of the HTTP answer. `body`: what the
    acknowledgement said. `error`: what went wrong, or None. `sent`: False where the person cancelled the confirm
    dialog. `repeats`: the further deliveries, with `times`.
    """

    acknowledged: bool = False
    seconds: float = 0.0
    status: int | None = None
    body: Body = None
    error: str | None = None
    sent: bool = True
    repeats: list["Delivery"] = field(default_factory=list)
    interaction: Interaction | None = None
    attempt: int = 0


class Deliveries:
    """The way from the workspace to the app."""

    def __init__(
        self, *, secret: str, limits: SlackLimits, sockets: Sockets, answers: InteractionAnswers, journal: Journal
    ) -> None:
        self._secret = secret
        self._limits = limits
        self._sockets = sockets
        self._answers = answers
        self._journal = journal
        self._session: aiohttp.ClientSession | None = None
        self.url: str | None = None

    async def start(self) -> None:
        """Open the HTTP client. Each request has a connection of its own, so a restarted app is reached at once."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True), headers={"User-Agent": AGENT}, trust_env=False
        )

    async def close(self) -> None:
        """Close the HTTP client."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, interaction: Interaction, times: int, *, attempt: int = 0) -> Delivery:
        """Deliver something `times` times at once; the first result has the others as `repeats`."""
        numbers = range(attempt, attempt + max(1, times))
        first, *repeats = await asyncio.gather(*(self._send_once(interaction, number) for number in numbers))
        first.repeats = repeats
        return first

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Post exactly these bytes with these headers; the answer is not shown in the workspace."""
        delivery, start = Delivery(), time.monotonic()
        try:
            delivery.status, delivery.body = await self._post(body, headers)
            delivery.acknowledged = delivery.status == 200
            delivery.error = None if delivery.acknowledged else "dispatch_failed"
        except Undelivered as undelivered:
            delivery.error = undelivered.code
        delivery.seconds = time.monotonic() - start
        return delivery

    async def _send_once(self, interaction: Interaction, attempt: int) -> Delivery:
        delivery, start = Delivery(interaction=interaction, attempt=attempt), time.monotonic()
        try:
            if self.url is None:
                delivery.body = _plain_or_object(await self._sockets.deliver(interaction.envelope(attempt)))
            else:
                delivery.status, delivery.body = await self._post_signed(interaction, attempt)
            delivery.acknowledged = delivery.status in (None, 200)
            delivery.error = None if delivery.acknowledged else "dispatch_failed"
        except Undelivered as undelivered:
            delivery.error = undelivered.code
        delivery.seconds = time.monotonic() - start
        if delivery.acknowledged:
            self._show(delivery, interaction)
        else:
            self._journal.seen(_as_seen(interaction, delivery.error or "operation_timeout"))
        return delivery

    def _show(self, delivery: Delivery, interaction: Interaction) -> None:
        """Show the text of a command's acknowledgement. Slack shows nothing from that of a click."""
        if not delivery.body:
            return
        if interaction.kind != SLASH_COMMANDS:
            self._journal.refused(interaction.what, SlackRefusal("acknowledgement_of_a_click_carries_a_message"))
            return
        try:
            self._answers.show(_said(delivery.body), interaction.origin)
        except SlackRefusal as refusal:
            delivery.error = refusal.code
            self._journal.refused(f"acknowledgement of {interaction.what}", refusal)

    async def _post_signed(self, interaction: Interaction, attempt: int) -> tuple[int, Body]:
        body = interaction.form()
        headers = signed_headers(self._secret, str(int(time.time())), body)
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        return await self._post(body, headers)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, Body]:
        """Post and read the answer, within the time of an acknowledgement; redirects are not followed."""
        if self._session is None or self.url is None:
            raise RuntimeError("the workspace is not started, or has no address to deliver to")
        timeout = aiohttp.ClientTimeout(total=self._limits.acknowledgement)
        try:
            async with self._session.post(
                self.url,
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                skip_auto_headers=("Content-Type",),
            ) as response:
                text = (await response.read()).decode(errors="replace")
                return response.status, _decoded(text, response.content_type)
        except TimeoutError:
            raise Undelivered("operation_timeout") from None
        except aiohttp.ClientError:
            raise Undelivered("dispatch_failed") from None


def _decoded(text: str, content_type: str) -> Body:
    """The body of an HTTP answer: JSON if its type says so and it can be read, else bytes."""
    if content_type == "application/json" and text:
        try:
            return _plain_or_object(json.loads(text))
        except ValueError:
            return text.encode()
    return text or None


def _said(body: dict[str, Any] | str | bytes) -> dict[str, Any]:
    """The body of an acknowledgement as the arguments of a message; raises `SlackRefusal` for broken JSON."""
    if isinstance(body, bytes):
        raise SlackRefusal("invalid_json")
    return {"text": body} if isinstance(body, str) else body


def _plain_or_object(found: object) -> Body:
    """An object unchanged, an empty body as None, anything else as text."""
    if found is None or isinstance(found, dict):
        return found
    return str(found)


def _as_seen(interaction: Interaction, code: str) -> str:
    """An error in the words of Slack's client, or nearly: a button only shows a warning sign."""
    if interaction.kind == SLASH_COMMANDS:
        return f"{interaction.what} failed with the error “{code}”"
    return f"{interaction.what} shows a warning sign: {code}"
