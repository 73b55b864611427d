"""Interventions and alerts as JSON in a row, and back."""

import json
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from bot.alerts.alert import Alert
from bot.domain.intervention import Intervention
from bot.ledger.tables import storable

_Whole = TypeVar("_Whole", Intervention, Alert)


def written(whole: Intervention | Alert) -> str:
    r"""As JSON. No text of a PBX may stop a claim: half a surrogate pair (`"\ud800"`) is valid JSON, but no UTF-8."""
    try:
        return whole.model_dump_json()
    except PydanticSerializationError:
        return storable(json.dumps(whole.model_dump(mode="json"), ensure_ascii=False))


def read(document: str, kind: type[_Whole]) -> _Whole | None:
    """What was written; None where the text cannot be read (another release wrote it, or it is damaged)."""
    try:
        return kind.model_validate_json(document)
    except ValidationError:
        # The error quotes the document, and with it names and numbers of callers, so it is not logged.
        return None
