"""Permissions that change while something is open: every card is shown as they are now."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.intervention import State
from bot.domain.permissions import Permissions


async def test_changed_permissions_show_every_open_card_anew(floor: Any, clock: Any, open_many: Any) -> None:
    await open_many(3)
    floor.memory.shown.clear()
    floor.tracker.permissions_changed()
    assert sorted(floor.memory.shown) == ["k0", "k1", "k2"]


REMOVED: dict[str, Callable[[Permissions], dict[str, Any]]] = {
    "not in callbot.toml any more": lambda rules: {"people": {}},
    "without the role": lambda rules: {"roles": {"agent": rules.roles["agent"]}},
    "with less in the role": lambda rules: {
        "roles": {"supervisor": replace(rules.roles["supervisor"], actions=frozenset({ActionName.START_RECORDING}))}
    },
}


@pytest.mark.parametrize("changed", REMOVED.values(), ids=REMOVED)
async def test_who_may_no_longer_do_it_is_told_so_and_offered_nothing(
    floor: Any, clock: Any, open_many: Any, joined: Any, changed: Any
) -> None:
    await open_many(1)
    floor.pbx.calls = {"c0": joined("c0")}
    await clock.let_pass(2)
    assert floor.memory.shown["k0"].buttons
    floor.rules = Permissions(**(vars_of(floor.rules) | changed(floor.rules)))
    floor.tracker.permissions_changed()
    card = floor.memory.shown["k0"]
    assert (card.removed, card.buttons, card.interventions[-1].state) == (True, (), State.CONNECTED)


def vars_of(rules: Permissions) -> dict[str, Any]:
    return {"people": rules.people, "roles": rules.roles}


async def test_who_may_do_it_is_not_removed(floor: Any, open_many: Any) -> None:
    await open_many(1)
    assert floor.memory.shown["k0"].removed is False
