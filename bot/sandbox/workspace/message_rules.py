"""Whether Slack would take a message, by whichever way it comes: Web API, response URL or acknowledgement.

Sources: the chat.postMessage and chat.update pages. Stricter than Slack in one thing: blocks without `text` are
refused, because screen readers and notifications read only the text ("Accessibility considerations" there).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.workspace.block_rules import check_blocks

MOST_TEXT = 40_000
MOST_UPDATED_TEXT = 4_000
FORMATTING = frozenset(
    {"text", "blocks", "attachments", "mrkdwn", "parse", "link_names", "metadata", "unfurl_links", "unfurl_media"}
)
FLAGS = ("mrkdwn", "link_names", "unfurl_links", "unfurl_media", "replace_original", "delete_original", "as_user")
PARSE = ("none", "full", "client")
FALSE, TRUE = (False, 0, "0", "false", ""), (True, 1, "1", "true")


class SlackRefusal(Exception):
    """What Slack answers instead of doing something: an error code and the reasons that go with it."""

    def __init__(self, code: str, reasons: list[str] | None = None, *, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = reasons or []
        self.status = status

    def answer(self) -> dict[str, Any]:
        """The body of the answer, with the reasons where Slack puts them."""
        if not self.reasons:
            return {"ok": False, "error": self.code}
        return {
            "ok": False,
            "error": self.code,
            "errors": self.reasons,
            "response_metadata": {"messages": self.reasons},
        }

    def __str__(self) -> str:
        """The code and the reasons, on one line."""
        return "; ".join([self.code, *self.reasons])


@dataclass(frozen=True)
class Content:
    """What a message shows: it has passed the rules."""

    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any] | None = None
    """None: not named, so an update keeps what was there."""


def content_of(args: Mapping[str, Any], allowed: frozenset[str], *, most_text: int = MOST_TEXT) -> Content:
    """Read the text and blocks out of arguments; raises `SlackRefusal`."""
    _refuse_unknown(args, allowed)
    blocks = structure(args, "blocks", [])
    reasons = check_blocks(blocks)
    if reasons:
        raise SlackRefusal("invalid_blocks", reasons)
    text = args.get("text", "")
    if not isinstance(text, str):
        raise SlackRefusal("invalid_arguments", ["[ERROR] must be a string [json-pointer:/text]"])
    if not text.strip():
        why = ["[ERROR] blocks without text: screen readers and notifications read the text [json-pointer:/text]"]
        raise SlackRefusal("no_text", why if blocks else None)
    if len(text) > most_text:
        raise SlackRefusal("msg_too_long", [f"[ERROR] must be less than {most_text + 1} characters"])
    return Content(text, blocks, _metadata(args))


def _metadata(args: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the app attaches to a message ("Message metadata" page); raises `SlackRefusal`."""
    found = structure(args, "metadata", None)
    if found is None or found == {}:
        return found  # type: ignore[no-any-return]  # nothing is said, or it is to be empty
    if not isinstance(found, dict) or set(found) != {"event_type", "event_payload"}:
        raise SlackRefusal("invalid_metadata_format")
    kind, payload = found["event_type"], found["event_payload"]
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise SlackRefusal("invalid_metadata_format")
    return found


def structure(args: Mapping[str, Any], name: str, default: Any) -> Any:
    """A structured argument: as it is in JSON, as JSON text in a form; raises `SlackRefusal`."""
    found = args.get(name, default)
    if isinstance(found, str):
        try:
            return json.loads(found)
        except ValueError:
            code = f"invalid_{name}" + ("_format" if name == "blocks" else "")
            raise SlackRefusal(code, [f"[ERROR] not JSON [json-pointer:/{name}]"]) from None
    return found


def flag(args: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """A yes or no, as JSON or a form spells it; raises `SlackRefusal`."""
    found = args.get(name, default)
    if isinstance(found, str):
        found = found.lower()
    if found in TRUE:
        return True
    if found in FALSE:
        return False
    raise SlackRefusal("invalid_arguments", [f"[ERROR] must be a boolean [json-pointer:/{name}]"])


def _refuse_unknown(args: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """Refuse arguments that the page of the method does not name: Slack would ignore the misspelt ones in silence."""
    unknown = sorted(set(args) - allowed)
    if unknown:
        raise SlackRefusal(
            "invalid_arguments", [f"[ERROR] unknown argument [json-pointer:/{name}]" for name in unknown]
        )
    for name in FLAGS:
        flag(args, name)
    if args.get("parse") not in (None, *PARSE):
        raise SlackRefusal("invalid_arguments", ["[ERROR] must be none, full or client [json-pointer:/parse]"])
    if structure(args, "attachments", []):
        raise SlackRefusal("invalid_attachments", ["[ERROR] attachments are not known to this local Slack"])
