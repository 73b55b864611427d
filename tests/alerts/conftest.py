"""What the tests of alerts share."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from bot.alerts.alert import Alert, When, raised
from bot.domain.calls import PhoneCall


@pytest.fixture
def an_alert_of(noon: datetime) -> Callable[..., Alert]:
    """A raised alert of a call, about the view 01 of 0003*210."""

    def build(call: PhoneCall, when: When = When.RINGING, **more: Any) -> Alert:
        given = {"id": "0f" * 16, "rule": "r", "name": "Rings", "channel": "C0ALERTS", "extension": "0003*210"}
        side = {"view_id": "01", "since": noon, "raised_at": noon, "seen_at": noon}
        return raised(Alert.model_validate({**given, **side, "when": when, "call": call, **more}), noon)

    return build
