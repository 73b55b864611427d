"""What Slack demands of text objects, confirm dialogs and buttons (docs.slack.dev/reference/block-kit).

Every rule reports in the form of Slack's own `response_metadata.messages`: what is wrong and a JSON pointer to where.
Lengths are counted on what is sent, after escaping.
"""

from collections.abc import Mapping
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
