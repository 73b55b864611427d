"""Whether Slack would take the blocks of a message (docs.slack.dev/reference/block-kit/blocks).

Known here: section, header, context, actions, divider, image and markdown, with buttons and images in them. Slack knows
more; what this local Slack does not know it refuses, and says so.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.workspace.text_rules import Findings, Json, check_button, check_image, check_text

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
