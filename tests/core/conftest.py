"""How the state table is played: looks at a call, second by second. What /calls shows."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.calls import PhoneCall
from bot.domain.commands import ListCalls
from bot.domain.intervention import UNREADABLE, Intervention, Look, follow
from bot.domain.permissions import AuthorizationMap
from bot.interventions.call_list import Viewer, live_calls
from bot.interventions.ports import Line, Listing


@pytest.fixture(scope="session")
def play(noon: datetime) -> Callable[..., Intervention]:
    """Follow an intervention through looks (second, what was seen): a call, None where it is gone, "?" unreadable."""

    def looks(intervention: Intervention, *seen: tuple[float, PhoneCall | str | None]) -> Intervention:
        for second, what in seen:
            look = UNREADABLE if isinstance(what, str) else Look(call=what)
            intervention = follow(intervention, look, noon + timedelta(seconds=second))
        return intervention

    return looks


@pytest.fixture
def listing(rules: AuthorizationMap) -> Callable[..., Listing]:
    """What one person is answered to /calls, of the given calls."""

    def ask(user: str, *calls: PhoneCall, words: tuple[str, ...] = (), **more: Any) -> Listing:
        map_ = more.pop("rules", rules)
        channel = more.pop("channel", "C0FLOOR")
        command = ListCalls(words=words, page=more.pop("page", 1))
        return asyncio.run(live_calls(Viewer(map_.people[user], channel, map_, **more), command, calls))

    return ask


@pytest.fixture
def listed(listing: Callable[..., Listing]) -> Callable[..., tuple[Line, ...]]:
    """The lines of it."""
    return lambda user, *calls, **more: listing(user, *calls, **more).lines
