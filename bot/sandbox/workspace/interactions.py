"""Commands and clicks as Slack sends them: the payload, and over HTTP its signature.

Fields: "Implementing slash commands" page (command payload) and "block_actions payload" page. A typed line is escaped as
Slack's composer does it with "Escape channels, users, and links" on: `should_escape` there, and "Formatting text".
The signature is v0 ("Verifying requests from Slack").
"""

import hashlib
import hmac
import json
import re
import secrets
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bot.sandbox.workspace.conversations import Button, Channel, Conversations, Message, Person

COMMAND = re.compile(r"(/\S+)(?:\s+(.*))?", re.DOTALL)
URL = r"https?://[^\s<>]+"


def command_and_text(typed: str, conversations: Conversations, *, raw: bool) -> tuple[str, str]:
    """The command and the text that go to the app; `raw`: the text is already as Slack would send it.

    Raises `ValueError` for something that is no command.
    """
    found = COMMAND.fullmatch(typed.strip())
    if found is None:
        raise ValueError(f"not a slash command: {typed!r}")
    command, text = found.group(1), found.group(2) or ""
    return command, text if raw else escaped(text, conversations)


def escaped(text: str, conversations: Conversations) -> str:
    """Escape `& < >` and nothing else; then turn people, channels and links into Slack's control sequences."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    people = {person.name: person.id for person in conversations.people.values()}
    channels = {channel.name: channel.id for channel in conversations.channels.values() if channel.person is None}
    patterns = [
        f"(?P<url>{URL})",
        rf"(?<![\w.@])@(?P<person>{_any_of(people)})(?![\w-])",
        rf"(?<!\w)#(?P<channel>{_any_of(channels)})(?![\w-])",
    ]

    def control_sequence(found: re.Match[str]) -> str:
        if url := found.group("url"):
            return f"<{url}>"
        if person := found.group("person"):
            return f"<@{people[person]}|{person}>"
        return f"<#{channels[found.group('channel')]}|{found.group('channel')}>"

    return re.sub("|".join(patterns), control_sequence, safe)


def _any_of(names: Iterable[str]) -> str:
    """A pattern for any of these names, the longest first; without names it matches nothing."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"


SLASH_COMMANDS = "slash_commands"
INTERACTIVE = "interactive"


@dataclass(frozen=True)
class Origin:
    """Where a command or click came from: `typed` for a command, `source` (the message) for a click."""

    person: str
    channel: str
    typed: str | None = None
    source: Message | None = None


@dataclass(frozen=True)
class Interaction:
    """One command or click on its way to the app; `what` names it as the person would."""

    kind: str
    what: str
    payload: dict[str, Any]
    origin: Origin
    envelope_id: str

    @property
    def trigger_id(self) -> str:
        """The trigger, one for each interaction."""
        return str(self.payload["trigger_id"])

    @property
    def response_url(self) -> str:
        """Where the app may answer."""
        return str(self.payload["response_url"])

    def form(self) -> bytes:
        """The body of the HTTP request: a command is a form, a click is a form whose field `payload` is JSON."""
        fields = self.payload if self.kind == SLASH_COMMANDS else {"payload": json.dumps(self.payload)}
        return urlencode(fields).encode()

    def envelope(self, attempt: int) -> dict[str, Any]:
        """The Socket Mode message; only a command may be answered in its acknowledgement."""
        retry = {"retry_attempt": attempt, "retry_reason": "timeout"} if attempt else {}
        return {
            "envelope_id": self.envelope_id,
            "type": self.kind,
            "payload": self.payload,
            "accepts_response_payload": self.kind == SLASH_COMMANDS,
        } | retry


class InteractionWriter:
    """Writes the payloads of one workspace."""

    def __init__(self, conversations: Conversations) -> None:
        self._rooms = conversations
        self._verification_token = secrets.token_hex(12)

    def command(
        self, person: Person, channel: Channel, command: str, text: str, *, response_url: str, trigger_id: str | None
    ) -> Interaction:
        """A slash command."""
        payload = {
            "token": self._verification_token,
            "team_id": person.team_id,
            "team_domain": "local",
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": self._rooms.app_id,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": trigger_id or new_trigger_id(),
        }
        if person.enterprise_id:
            payload |= {"enterprise_id": person.enterprise_id, "enterprise_name": "Local Org"}
        origin = Origin(person.id, channel.id, typed=f"{command} {text}".strip())
        return Interaction(SLASH_COMMANDS, command, payload, origin, str(uuid.uuid4()))

    def click(self, origin: Origin, button: Button, *, response_url: str, trigger_id: str | None) -> Interaction:
        """A click on a button of the message of `origin`; of an ephemeral message only the container is sent."""
        message = origin.source
        if message is None:
            raise ValueError("a click comes from a message")
        person, channel = self._rooms.people[origin.person], self._rooms.channels[origin.channel]
        ephemeral = message.ephemeral_to is not None
        shown = {"message": message.as_slack_sends_it(self._rooms.bot_id, self._rooms.app_id)}
        payload: dict[str, Any] = {
            "type": "block_actions",
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
            "api_app_id": self._rooms.app_id,
            "token": self._verification_token,
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": channel.id,
                "is_ephemeral": ephemeral,
            },
            "trigger_id": trigger_id or new_trigger_id(),
            "team": {"id": self._rooms.team_id, "domain": "local"},
            "enterprise": {"id": person.enterprise_id, "name": "Local Org"} if person.enterprise_id else None,
            "is_enterprise_install": False,
            "channel": {"id": channel.id, "name": channel.name},
            **({} if ephemeral else shown),
            "state": {"values": {}},
            "response_url": response_url,
            "actions": [action(button)],
        }
        return Interaction(INTERACTIVE, f"button “{button.label}”", payload, origin, str(uuid.uuid4()))


def action(button: Button) -> Mapping[str, Any]:
    """A clicked button as it stands in `actions`; a field that the button lacks is left out."""
    optional = {"value": button.value, "style": button.style, "confirm": button.confirm}
    return {
        "type": "button",
        "action_id": button.action_id,
        "block_id": button.block_id,
        "text": {"type": "plain_text", "text": button.label, "emoji": True},
        "action_ts": f"{time.time():.6f}",
    } | {name: value for name, value in optional.items() if value is not None}


def new_trigger_id() -> str:
    """A trigger id that there has not been."""
    return f"{time.time_ns() // 1_000_000}.{secrets.randbelow(10**11)}.{secrets.token_hex(16)}"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of X-Slack-Signature for the raw bytes of a body."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed_headers(secret: str, timestamp: str, body: bytes) -> dict[str, str]:
    """The headers of a request that Slack sends with this body."""
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(secret, timestamp, body),
    }
