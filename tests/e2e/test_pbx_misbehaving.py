"""Whatever the PBX does to its answers: reads are tried again and have an end, nothing is sent twice, no card lies."""

import re
from typing import Any

import pytest

from bot.sandbox.pbx.server import Fault

READ = "/uapi/phoneCalls/12/0003*210"


def fault(kind: Any, times: int | None) -> Fault:
    """What goes wrong with so many reads of calls."""
    return Fault(kind, method="GET", path_contains=READ, times=times)


def words(message: Any) -> str:
    return "\n".join(message.lines())


async def asks_to_listen(house: Any) -> str:
    """Ana asks to listen to Bob's call; its id."""
    call: str = house.talk()
    await house.ana_types("/monitor 0003*210")
    return call


async def listening(house: Any) -> str:
    """Ana listens to Bob's call; its id."""
    call = await asks_to_listen(house)
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    return call


# ── before anything is sent ──


@pytest.mark.parametrize("kind", ["html 500", "html 502", "cut before", "cut after"])
async def test_a_read_that_fails_once_is_tried_again_and_nobody_notices(house: Any, kind: Any) -> None:
    house.pbx.faults.add(fault(kind, 1))
    await asks_to_listen(house)
    await house.card("Ringing")
    assert (house.actions(), house.workspace.private("U0ANA")[1:]) == (["Monitor"], [])


async def test_a_slow_read_is_waited_for(house: Any) -> None:
    house.pbx.faults.add(Fault("slow", method="GET", path_contains=READ, seconds=0.6))
    await asks_to_listen(house)
    await house.card("Ringing")
    assert house.actions() == ["Monitor"]


NEVER_READ = {
    "html 500": "PBX",
    "html 502": "PBX",
    "cut before": "PBX",
    "half json": "PBX",
    "empty body": "PBX",
    "401": "PBX",
    "403": "access_denied",
}


@pytest.mark.parametrize(("kind", "said"), NEVER_READ.items())
async def test_a_read_that_never_succeeds_is_told_privately_and_nothing_is_sent(
    house: Any, kind: Any, said: str
) -> None:
    house.pbx.faults.add(fault(kind, None))
    await asks_to_listen(house)
    answer = await house.told("U0ANA", said)
    assert ("<h1>" in words(answer), house.pbx.puts(), house.cards("U0ANA")) == (False, [], [])


@pytest.mark.parametrize("kind", ["html 500", "half json"])
async def test_a_list_that_cannot_be_read_is_told_and_not_shown_as_empty(house: Any, kind: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault(kind, method="GET", path_contains="/@self", times=None))
    await house.ana_types("/calls")
    answer = await house.told("U0ANA", "PBX")
    assert "No live calls" not in words(answer)


async def test_one_scope_that_cannot_be_read_hides_no_call_of_the_others(house: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault("403", method="GET", path_contains="/13/@self", times=None))
    await house.ana_types("/calls")
    await house.told("U0ANA", "1 live call")


# ── while somebody listens ──

SPOILT = ["html 500", "cut before", "half json", "empty body", "401", "403", "204", "empty list"]


@pytest.mark.parametrize("kind", SPOILT)
async def test_one_spoilt_look_changes_nothing_on_the_card(house: Any, kind: Any) -> None:
    call = await listening(house)
    house.pbx.faults.add(fault(kind, 1))
    await house.pbx.until(lambda: not house.pbx.faults.waiting)
    looks = len(house.pbx.requests) + 3
    await house.pbx.until(lambda: len(house.pbx.requests) >= looks)
    house.floor.leave(call, "0003*024")
    card = await house.card("Ended: You left; Bob's call goes on")
    said = [version.text.split(maxsplit=1)[0] for version in card.versions]
    assert list(dict.fromkeys(said)) == ["Ringing", "Connected", "Ended:"]


async def test_a_pbx_that_fails_for_a_while_and_is_back_is_looked_at_again(house: Any) -> None:
    call = await listening(house)
    house.pbx.faults.add(fault("html 502", 4))
    await house.pbx.until(lambda: not house.pbx.faults.waiting)
    house.floor.hang_up(call)
    await house.card("Ended: Bob's call is over")


async def test_a_token_that_is_revoked_while_somebody_listens_is_renewed_once(house: Any) -> None:
    call = await listening(house)
    issued = house.pbx.tokens_issued
    house.pbx.revoke_tokens()
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You left")
    assert house.pbx.tokens_issued == issued + 1


async def test_without_a_new_token_nothing_is_sent_and_the_card_stays_true(house: Any) -> None:
    call = await listening(house)
    house.pbx.faults.add(Fault("html 502", method="POST", path_contains="/oauth/", times=None))
    house.pbx.revoke_tokens()
    await house.ana_types("/record 0003*210")
    await house.told("U0ANA", "PBX")
    assert (house.actions(), house.cards("U0ANA")[-1].text.split()[0]) == (["Monitor"], "Connected")
    house.pbx.faults.clear()
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You left")


# ── an id that is given to another call, and dates ──


def call_of_bob(published: Any, **view: Any) -> dict[str, Any]:
    side = {"id": "01", "extension": "0003*210", "source": ["+15550142"], "destination": ["0003*210"], "status": "5"}
    return {"id": "c1", "extension": "0003*210", "published": published, "phoneCallView": [side | view]}


async def test_another_call_under_the_same_id_is_the_end_and_no_proof(empty_house: Any, lying_pbx: Any) -> None:
    house = empty_house
    await house.start_bot_of(lying_pbx)
    lying_pbx.call = call_of_bob("2026-11-21T10:00:00+02:00")
    await house.ana_types("/monitor 0003*210")
    await house.card("Asked")
    another = call_of_bob("2026-11-21T10:00:07+02:00")
    leg = {"id": "02", "extension": "0003*210", "source": ["0003*024"], "status": "5"}
    lying_pbx.call = another | {"phoneCallView": [*another["phoneCallView"], leg]}
    card = await house.card("Ended: Bob's call is over")
    assert [version.text for version in card.versions if version.text.startswith("Connected")] == []


DATES: dict[str, dict[str, Any]] = {
    "in two zones": call_of_bob("2026-11-21T10:00:00+02:00", answered="2026-11-21T11:00:05+03:00"),
    "answered before published": call_of_bob("2026-11-21T10:00:00Z", answered="2026-11-21T09:00:00Z"),
    "in the future": call_of_bob("2199-01-01T00:00:00Z", answered="2199-01-01T00:00:00Z"),
    "before there were phones": call_of_bob("0001-01-01T00:00:00+14:00", answered="0001-01-01T00:00:00+14:00"),
    "no dates": call_of_bob("yesterday", answered=12, recording={}, onHold="soon"),
    "none at all": call_of_bob(None),
}


@pytest.mark.parametrize("call", DATES.values(), ids=DATES)
async def test_whatever_the_dates_are_the_call_is_shown_without_negative_times(
    empty_house: Any, lying_pbx: Any, call: dict[str, Any]
) -> None:
    house = empty_house
    await house.start_bot_of(lying_pbx)
    lying_pbx.call = call
    await house.ana_types("/calls")
    listed = await house.told("U0ANA", "1 live call")
    await house.ana_types("/monitor 0003*210")
    card = await house.card("Asked")
    assert re.findall(r"(?<![\d*-])-\d+|\^-", f"{words(listed)}\n{words(card)}") == []
