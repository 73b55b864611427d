"""An Intervention as the text of a row, and back."""

import json

from pydantic import ValidationError

from bot.following import Intervention
from bot.ledger.tables import storable


def written(intervention: Intervention) -> str:
    r"""The whole intervention as JSON.

    Not `model_dump_json`, which fails on half a surrogate pair (`"\ud800"` is valid JSON): no name stops a claim.
    """
    return storable(json.dumps(intervention.model_dump(mode="json"), ensure_ascii=False))


def read(document: str) -> Intervention | None:
    """The intervention, None where the text is none (another version wrote it, or it is damaged)."""
    try:
        return Intervention.model_validate_json(document)
    except ValidationError:
        # The error quotes the document, and with it names and numbers of callers: it goes nowhere.
        return None
