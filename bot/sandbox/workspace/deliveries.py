"""Delivers commands and clicks to the app, over HTTP or Socket Mode."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.sandbox.workspace.interaction_answers import InteractionAnswers
from bot.sandbox.workspace.interactions import SLASH_COMMANDS, Interaction
from bot.sandbox.workspace.journal import Journal
from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.message_rules import SlackRefusal
from bot.sandbox.workspace.signing import signed_headers
from bot.sandbox.workspace.sockets import Sockets, Undelivered

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
