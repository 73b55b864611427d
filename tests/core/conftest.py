"""How the state table is played: looks at a call, second by second."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.following import UNREADABLE, Intervention, Look, follow
from bot.phonecalls import PhoneCall


@pytest.fixture(scope="session")
def play(noon: datetime) -> Callable[..., Intervention]:
    """Follow an intervention through looks (second, what was seen): a call, None where it is gone, "?" unreadable."""

    def looks(intervention: Intervention, *seen: tuple[float, PhoneCall | str | None]) -> Intervention:
        for second, what in seen:
            look = UNREADABLE if isinstance(what, str) else Look(call=what)
            intervention = follow(intervention, look, noon + timedelta(seconds=second))
        return intervention

    return looks
