"""Blocks that a test posts as callbot would."""

from typing import Any

Json = dict[str, Any]


def plain(text: str) -> Json:
    """A text object without formatting."""
    return {"type": "plain_text", "text": text}


def actions(*elements: Json) -> list[Json]:
    """One row of buttons."""
    return [{"type": "actions", "block_id": "row", "elements": list(elements)}]


QUESTION = {"title": plain("Sure?"), "text": plain("It asks."), "confirm": plain("Yes"), "deny": plain("No")}
ASKS = {"type": "button", "text": plain("Go"), "action_id": "go", "value": "1", "confirm": QUESTION}
"""A button that asks first."""
