"""Commands and clicks as Slack sends them.

Fields: "Implementing slash commands" page (command payload) and "block_actions payload" page.
"""

import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bot.sandbox.workspace.conversations import Channel, Conversations, Person
from bot.sandbox.workspace.interaction_answers import Origin
from bot.sandbox.workspace.messages_shown import Button

SLASH_COMMANDS = "slash_commands"
INTERACTIVE = "interactive"


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
