"""A supervisor types or clicks, the phone rings, and the card shows the truth."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("typed", "body", "hears"),
    [
        ("/monitor 0003*210", {"action": "Monitor"}, "nobody"),
        ("/calls monitor 0003*210", {"action": "Monitor"}, "nobody"),
        ("/whisper 210", {"action": "Whisper"}, "only Bob"),
        ("/whisper 0003*210 private", {"action": "Whisper", "private": 1}, "Ana does not hear the call"),
        ("/barge <@U0BOB|bob> wait=20", {"action": "BargeIn", "waitForPickup": "20"}, "everyone in the call"),
    ],
)
@pytest.mark.parametrize("transport", ["http", "socket mode"])
async def test_a_supervisor_types_and_is_in_the_call_when_the_phone_is_lifted(
    house: Any, typed: str, body: dict[str, Any], hears: str
) -> None:
    call = house.talk()
    place = "C0FLOOR" if "barge" in typed else "U0ANA"
    await house.ana_types(typed, raw=True)
    card = await house.card("Ringing Ana's phone 0003*024", place)
    assert "nobody yet" in "\n".join(card.lines())
    house.floor.lift("0003*024")
    card = await house.card("Connected after", place)
    assert hears in "\n".join(card.lines())
    [put] = house.pbx.puts()
    assert put.path == f"/uapi/phoneCalls/12/0003*210/{call}"
    assert put.json == {"sendCallTo": "0003*024", "phoneCallViewId": "01", **body}
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You left; Bob's call goes on", place)
    assert len(house.cards(place)) == 1
