"""Buttons that no version of callbot knows, or an earlier one did: a kind private answer, and nothing is sent."""

from typing import Any

STRANGE = [
    ("intervene:Monitor:0", "monitor|0003*210|c1"),
    ("intervene:Monitor:0", None),
    ("intervene:Monitor:0", '{"v":2,"o":"C0FLOOR","i":{}}'),
    (
        "intervene:Monitor:0",
        '{"v":1,"o":"C","i":{"action":"Monitor","target":{"kind":"short","text":"1"},"call":".."}}',
    ),
    ("intervene:Monitor:0", "[" * 900 + "]" * 900),
    ("intervene:BargeIn:0", "1e999"),
    ("intervene:HangUp:0", '{"v":1,"o":"C0FLOOR","i":{"action":"HangUp"}}'),
    ("switch:now", "x"),
    ("switch:now", '{"v":0,"o":"C0FLOOR","s":{"card":"k1","now":true}}'),
    ("transfer:0", '{"v":1}'),
    ("hang_up_v1", "whatever"),
    ("", ""),
]


async def test_a_button_that_nobody_knows_any_more_is_acknowledged_and_answered_kindly(house: Any) -> None:
    house.talk()
    await house.ana_types("/calls")
    listed = await house.told("U0ANA", "1 live call")
    for number, (action_id, value) in enumerate(STRANGE, start=2):
        clicked = await house.workspace.click_stale("U0ANA", listed, action_id=action_id, value=value, block_id="old")
        assert clicked.acknowledged
        await house.workspace.until(lambda number=number: len(house.workspace.private("U0ANA")) == number)
    told = {message.lines()[0] for message in house.workspace.private("U0ANA")[1:]}
    assert told == {"This button is too old, or from another version of callbot. Nothing was sent. For example: /calls"}
    assert house.pbx.puts() == []


async def test_a_button_of_a_call_that_is_over_is_answered_kindly(house: Any) -> None:
    call = house.talk()
    await house.ana_types("/record 0003*210")
    card = await house.card("Recording", "C0FLOOR")
    stop = card.buttons()[-1]
    house.floor.hang_up(call)
    card = await house.card("Ended: Bob's call is over", "C0FLOOR")
    assert card.buttons() == []
    await house.workspace.click_stale(
        "U0ANA", card, action_id=stop.action_id, value=stop.value, block_id=stop.block_id, label=stop.label
    )
    await house.told("U0ANA", "This call is over, was never on this extension")
    assert house.actions() == ["StartRecording"]
