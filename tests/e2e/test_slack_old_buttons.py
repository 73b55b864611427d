"""Buttons that no version of callbot knows, or an earlier one did: a kind private answer, and nothing is sent."""

from typing import Any

import pytest

STRANGE = {
    "an action nobody knows": ("transfer:0", '{"v":1}'),
    "a switch of nothing": ("switch:now", "x"),
    "a switch of another version": ("switch:now", '{"v":0,"o":"C0FLOOR","s":{"card":"k1","now":true}}'),
    "a value that is too deep": ("intervene:Monitor:0", "[" * 900 + "]" * 900),
    "a value that is a number": ("intervene:BargeIn:0", "1e999"),
    "an action that never was": ("intervene:HangUp:0", '{"v":1,"o":"C0FLOOR","i":{"action":"HangUp"}}'),
}


@pytest.fixture
def transport() -> str:
    return "socket mode"


@pytest.mark.parametrize(("action_id", "value"), STRANGE.values(), ids=STRANGE)
async def test_a_click_on_a_button_of_another_time_is_acknowledged_and_answered_kindly(
    house: Any, action_id: str, value: str
) -> None:
    house.talk()
    await house.ana_types("/barge 0003*210")
    card = await house.card("Ringing", "C0FLOOR")
    clicked = await house.workspace.click_stale("U0LIS", card, action_id=action_id, value=value, block_id="old")
    await house.told("U0LIS", "This button is too old, or from another version of callbot. Nothing was sent.")
    assert (clicked.acknowledged, house.actions()) == (True, ["BargeIn"])
