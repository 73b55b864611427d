"""Whether Slack would take a message, from the Web API, a response URL or an acknowledgement.

Sources: the chat.postMessage and chat.update pages, and docs.slack.dev/reference/block-kit. Each problem is reported as in
Slack's own `response_metadata.messages`: what is wrong and a JSON pointer to where. Lengths are counted after escaping.

Known here: the blocks section, header, context, actions, divider, image and markdown, with buttons and images in them.
Slack knows more; what this local Slack does not know it refuses, and says so. It is stricter than Slack in one thing: blocks
without `text` are refused, because screen readers and notifications read only the text ("Accessibility considerations").
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]
BUTTON_KEYS = frozenset({"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"})
CONFIRM_TEXTS = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
BUTTON_STYLES = ("primary", "danger")


@dataclass
class Findings:
    """What is wrong with the blocks of one message."""

    messages: list[str] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """Note what is wrong at a JSON pointer."""
        self.messages.append(f"[ERROR] {what} [json-pointer:{where}]")

    def keys(self, where: str, found: Json, allowed: frozenset[str]) -> None:
        """Every key is one that Slack knows here."""
        for key in sorted(set(found) - allowed):
            self.add(where, f"no more than the documented fields allowed: {key}")

    def string(self, where: str, found: object, most: int, *, least: int = 1) -> None:
        """A string of `least` to `most` characters."""
        if not isinstance(found, str):
            self.add(where, "must be a string")
        elif len(found) > most:
            self.add(where, f"must be less than {most + 1} characters")
        elif len(found) < least:
            self.add(where, f"must be more than {least - 1} characters")

    def flag(self, where: str, found: object) -> None:
        """True, false or absent."""
        if found is not None and not isinstance(found, bool):
            self.add(where, "must be a boolean")


def check_text(findings: Findings, where: str, found: object, most: int, *, plain: bool = False) -> None:
    """A text object of at most `most` characters; `plain`: only `plain_text` will do."""
    if not isinstance(found, Mapping):
        findings.add(where, "missing required field: a text object")
        return
    kind = found.get("type")
    if kind == "plain_text":
        findings.keys(where, found, frozenset({"type", "text", "emoji"}))
        findings.flag(f"{where}/emoji", found.get("emoji"))
    elif kind == "mrkdwn" and not plain:
        findings.keys(where, found, frozenset({"type", "text", "verbatim"}))
        findings.flag(f"{where}/verbatim", found.get("verbatim"))
    else:
        findings.add(f"{where}/type", f"must be {'plain_text' if plain else 'plain_text or mrkdwn'}")
        return
    findings.string(f"{where}/text", found.get("text"), most)


def check_confirm(findings: Findings, where: str, found: object) -> None:
    """A confirm dialog: title, text and both answers are there."""
    if not isinstance(found, Mapping):
        findings.add(where, "must be a confirm dialog")
        return
    findings.keys(where, found, frozenset({*CONFIRM_TEXTS, "style"}))
    for name, most in CONFIRM_TEXTS.items():
        check_text(findings, f"{where}/{name}", found.get(name), most, plain=name != "text")
    if found.get("style") not in (None, *BUTTON_STYLES):
        findings.add(f"{where}/style", "must be primary or danger")


def check_button(findings: Findings, where: str, found: Json) -> None:
    """A button."""
    findings.keys(where, found, BUTTON_KEYS)
    check_text(findings, f"{where}/text", found.get("text"), 75, plain=True)
    for name, most in {"action_id": 255, "url": 3000, "value": 2000, "accessibility_label": 75}.items():
        if name in found:
            findings.string(f"{where}/{name}", found[name], most)
    if "style" in found and found["style"] not in BUTTON_STYLES:
        findings.add(f"{where}/style", "must be primary or danger")
    if "confirm" in found:
        check_confirm(findings, f"{where}/confirm", found["confirm"])


def check_image(findings: Findings, where: str, found: Json, allowed: frozenset[str]) -> None:
    """An image, as a block or an element: it has an address and says what it shows."""
    findings.keys(where, found, allowed)
    findings.string(f"{where}/image_url", found.get("image_url"), 3000)
    findings.string(f"{where}/alt_text", found.get("alt_text"), 2000)
    if "title" in found:
        check_text(findings, f"{where}/title", found["title"], 2000, plain=True)


MOST_BLOCKS = 50
MOST_ELEMENTS = {"actions": 25, "context": 10}
MOST_FIELDS = 10
MOST_MARKDOWN = 12_000


def check_blocks(found: object) -> list[str]:
    """What is wrong with the blocks of one message, in Slack's words; an empty list: nothing."""
    findings = Findings()
    if not isinstance(found, list):
        findings.add("/blocks", "must be an array of blocks")
        return findings.messages
    if len(found) > MOST_BLOCKS:
        findings.add("/blocks", f"no more than {MOST_BLOCKS} items allowed")
    for index, block in enumerate(found):
        where = f"/blocks/{index}"
        if not isinstance(block, Mapping):
            findings.add(where, "must be an object")
            continue
        rule = BLOCKS.get(str(block.get("type")))
        if rule is None:
            findings.add(f"{where}/type", f"unsupported type: {block.get('type')}")
            continue
        rule(findings, where, block)
        if "block_id" in block:
            findings.string(f"{where}/block_id", block["block_id"], 255)
    _check_together(findings, [block for block in found if isinstance(block, Mapping)])
    return findings.messages


def _check_together(findings: Findings, blocks: list[Json]) -> None:
    """The rules that hold over the whole message."""
    ids = [block["block_id"] for block in blocks if isinstance(block.get("block_id"), str)]
    for twice in sorted({each for each in ids if ids.count(each) > 1}):
        findings.add("/blocks", f"block_id {twice!r} is not unique in this message")
    texts = [block.get("text") for block in blocks if block.get("type") == "markdown"]
    if sum(len(text) for text in texts if isinstance(text, str)) > MOST_MARKDOWN:
        findings.add("/blocks", f"markdown blocks must be less than {MOST_MARKDOWN + 1} characters together")


def _section(findings: Findings, where: str, block: Json) -> None:
    findings.keys(where, block, frozenset({"type", "block_id", "text", "fields", "accessory", "expand"}))
    if "text" not in block and "fields" not in block:
        findings.add(where, "missing required field: text or fields")
    if "text" in block:
        check_text(findings, f"{where}/text", block["text"], 3000)
    findings.flag(f"{where}/expand", block.get("expand"))
    if "fields" in block:
        for at, each in _items(findings, f"{where}/fields", block["fields"], MOST_FIELDS):
            check_text(findings, at, each, 2000)
    if "accessory" in block:
        _element(findings, f"{where}/accessory", block["accessory"], ("button", "image"))


def _header(findings: Findings, where: str, block: Json) -> None:
    findings.keys(where, block, frozenset({"type", "block_id", "text"}))
    check_text(findings, f"{where}/text", block.get("text"), 150, plain=True)


def _context(findings: Findings, where: str, block: Json) -> None:
    findings.keys(where, block, frozenset({"type", "block_id", "elements"}))
    for at, each in _items(findings, f"{where}/elements", block.get("elements"), MOST_ELEMENTS["context"]):
        if isinstance(each, Mapping) and each.get("type") == "image":
            _element(findings, at, each, ("image",))
        else:
            check_text(findings, at, each, 3000)


def _actions(findings: Findings, where: str, block: Json) -> None:
    findings.keys(where, block, frozenset({"type", "block_id", "elements"}))
    ids: list[object] = []
    for at, each in _items(findings, f"{where}/elements", block.get("elements"), MOST_ELEMENTS["actions"]):
        _element(findings, at, each, ("button",))
        action_id = each.get("action_id") if isinstance(each, Mapping) else None
        if action_id is not None and action_id in ids:
            findings.add(at, f"action_id {action_id!r} is not unique in this block")
        ids.append(action_id)


def _divider(findings: Findings, where: str, block: Json) -> None:
    findings.keys(where, block, frozenset({"type", "block_id"}))


def _image(findings: Findings, where: str, block: Json) -> None:
    check_image(findings, where, block, frozenset({"type", "block_id", "image_url", "alt_text", "title"}))


def _markdown(findings: Findings, where: str, block: Json) -> None:
    findings.keys(where, block, frozenset({"type", "block_id", "text"}))
    findings.string(f"{where}/text", block.get("text"), MOST_MARKDOWN)


def _items(findings: Findings, where: str, found: object, most: int) -> list[tuple[str, Any]]:
    """The items of an array that must hold 1 to `most`, each with its JSON pointer."""
    if not isinstance(found, list) or not found:
        findings.add(where, "must be an array with at least 1 item")
        return []
    if len(found) > most:
        findings.add(where, f"no more than {most} items allowed")
    return [(f"{where}/{index}", each) for index, each in enumerate(found)]


def _element(findings: Findings, where: str, found: object, allowed: tuple[str, ...]) -> None:
    """A button or an image, where the block around it allows it."""
    if not isinstance(found, Mapping) or found.get("type") not in allowed:
        findings.add(where, f"unsupported element; known here: {', '.join(allowed)}")
    elif found["type"] == "button":
        check_button(findings, where, found)
    else:
        check_image(findings, where, found, frozenset({"type", "image_url", "alt_text"}))


BLOCKS: dict[str, Callable[[Findings, str, Json], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "image": _image,
    "markdown": _markdown,
}


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
