"""An Intervention or an Alert as the text of a row, and back."""

import json
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from bot.alerts.alert import Alert
from bot.domain.intervention import Intervention
from bot.ledger.tables import storable

_Whole = TypeVar("_Whole", Intervention, Alert)


def written(whole: Intervention | Alert) -> str:
    r"""The whole of it as JSON. No name stops a claim: half a surrogate pair (`"\ud800"`) is valid JSON, too."""
    try:
        return whole.model_dump_json()
    except PydanticSerializationError:
        return storable(json.dumps(whole.model_dump(mode="json"), ensure_ascii=False))


def read(document: str, kind: type[_Whole]) -> _Whole | None:
    """What was written, None where the text is no such thing (another version wrote it, or it is damaged)."""
    try:
        return kind.model_validate_json(document)
    except ValidationError:
        # The error quotes the document, and with it names and numbers of callers: it goes nowhere.
        return None
