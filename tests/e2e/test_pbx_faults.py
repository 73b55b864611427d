"""Whatever the PBX does to its answers: reads are tried again and have an end, nothing is sent twice, no card lies."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.sandbox.workspace.faults import SlackFault

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


@pytest.mark.parametrize("kind", ["html 502", "cut before"])
async def test_a_read_that_never_succeeds_is_told_privately_and_nothing_is_sent(house: Any, kind: Any) -> None:
    house.pbx.faults.add(fault(kind, None))
    await asks_to_listen(house)
    answer = await house.told("U0ANA", "PBX")
    assert ("<h1>" in words(answer), house.pbx.puts(), house.cards("U0ANA")) == (False, [], [])


@pytest.mark.parametrize("kind", ["html 500", "half json"])
async def test_a_list_that_cannot_be_read_is_told_and_not_shown_as_empty(house: Any, kind: Any) -> None:
    house.talk()
    house.pbx.faults.add(Fault(kind, method="GET", path_contains="/@self", times=None))
    await house.ana_types("/calls")
    answer = await house.told("U0ANA", "PBX")
    assert "No live calls" not in words(answer)


# ── while somebody listens ──

SPOILT = ["html 500", "cut before", "half json", "empty body", "401", "403", "204", "empty list"]


@pytest.mark.parametrize("kind", SPOILT)
async def test_one_spoilt_look_changes_nothing_on_the_card(house: Any, kind: Any) -> None:
    call = await house.ana_listens()
    house.pbx.faults.add(fault(kind, 1))
    await house.pbx.until(lambda: not house.pbx.faults.waiting)
    looks = len(house.pbx.requests) + 3
    await house.pbx.until(lambda: len(house.pbx.requests) >= looks)
    house.floor.leave(call, "0003*024")
    card = await house.card("Ended: You left; Bob's call goes on")
    said = [version.text.split(maxsplit=1)[0] for version in card.versions]
    assert list(dict.fromkeys(said)) == ["Ringing", "Connected", "Ended:"]


async def test_a_pbx_that_fails_for_a_while_and_is_back_is_looked_at_again(house: Any) -> None:
    call = await house.ana_listens()
    house.pbx.faults.add(fault("html 502", 4))
    await house.pbx.until(lambda: not house.pbx.faults.waiting)
    house.floor.hang_up(call)
    await house.card("Ended: Bob's call is over")


async def test_a_token_that_is_revoked_while_somebody_listens_is_renewed_once(house: Any) -> None:
    call = await house.ana_listens()
    issued = house.pbx.tokens_issued
    house.pbx.revoke_tokens()
    house.floor.leave(call, "0003*024")
    await house.card("Ended: You left")
    assert house.pbx.tokens_issued == issued + 1


async def test_without_a_new_token_nothing_is_sent_and_the_card_stays_true(house: Any) -> None:
    call = await house.ana_listens()
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


# ── the answer to the PUT is lost ──


LOST = "The answer of the PBX was lost. Nothing is sent again; callbot looks at the call."


@pytest.fixture
async def elsewhere() -> AsyncIterator[SandboxPbx]:
    """A second server, that nobody was told of but by a redirect. It notes every request."""
    server = SandboxPbx(Floor())
    await server.start()
    yield server
    await server.stop()


async def monitor(house: Any, options: str = "") -> str:
    """Bob is in a call, Ana asks to listen; the call's id."""
    call: str = house.talk()
    await house.ana_types(f"/monitor 0003*210 {options}")
    return call


async def test_a_private_answer_that_takes_long_holds_no_card_back(house: Any) -> None:
    house.pbx.faults.add(Fault(kind="slow", method="PUT", seconds=3.0))
    house.workspace.faults.add(SlackFault(method="response_url", kind="late", seconds=5.0))
    await monitor(house)
    assert words(await house.card("Asked", timeout=2.5))


async def test_an_error_page_is_no_answer_and_nothing_is_sent_again(house: Any) -> None:
    house.pbx.faults.add(Fault("html 500", method="PUT"))
    await monitor(house)
    card = await house.card("Asked")
    await house.pbx.until(lambda: [seen for seen in house.pbx.requests if house.pbx.puts()[0].at < seen.at])
    assert (LOST in words(card), len(house.pbx.puts())) == (True, 1)


async def test_a_put_that_was_done_though_its_answer_was_lost_connects_when_the_phone_is_lifted(house: Any) -> None:
    house.pbx.faults.add(Fault("cut after", method="PUT"))
    await monitor(house)
    card = await house.card("Asked")
    assert LOST in words(card)
    house.floor.lift("0003*024")
    await house.card("Connected")
    assert len(house.pbx.puts()) == 1


async def test_a_put_that_was_never_done_is_not_answered_at_the_end_and_may_be_asked_again(house: Any) -> None:
    """The wait of 1 s and 5 s more have to run out."""
    house.pbx.faults.add(Fault("cut before", method="PUT"))
    await monitor(house, "wait=1")
    await house.card("Asked")
    card = await house.card("Not answered: no connection seen in 1 s")
    assert (len(house.pbx.puts()), "nobody (no connection seen)" in words(card)) == (1, True)
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    assert (len(house.pbx.puts()), len(house.cards("U0ANA"))) == (2, 1)


async def test_a_pbx_that_is_down_after_the_put_makes_the_card_unknown_and_then_go_on(house: Any) -> None:
    house.pbx.faults.add(Fault("cut after", method="PUT"))
    await monitor(house)
    await house.puts(1)
    await house.pbx.stop()
    card = await house.card("Unknown: your phone may still ring; nothing is sent again")
    assert "not known while the call cannot be read" in words(card)
    await house.pbx.start(port=house.pbx.port)
    await house.card("Asked")
    house.floor.lift("0003*024")
    await house.card("Connected")
    assert (len(house.pbx.puts()), len(house.cards("U0ANA"))) == (1, 1)


async def test_204_proves_nothing_so_the_card_says_asked_until_the_phone_is_lifted(house: Any) -> None:
    house.pbx.faults.add(Fault("204", method="PUT"))
    await monitor(house)
    card = await house.card("Asked")
    assert "The call does not show it yet" in words(card)
    house.floor.lift("0003*024")
    await house.card("Connected")


@pytest.mark.parametrize("kind", ["200", "empty body", "half json"])
async def test_what_is_accepted_rings_whatever_stands_in_the_answer(house: Any, kind: Any) -> None:
    house.pbx.faults.add(Fault(kind, method="PUT"))
    await monitor(house)
    await house.card("Ringing Ana's phone 0003*024")
    assert [put.status in {200, 202} for put in house.pbx.puts()] == [True]


async def test_a_slow_answer_shows_asked_meanwhile(house: Any) -> None:
    house.pbx.faults.add(Fault("slow", method="PUT", seconds=0.8))
    await monitor(house)
    card = await house.card("Asked")
    assert (LOST in words(card), house.pbx.puts()[0].status) == (False, None)
    await house.card("Ringing")
    assert [version.text.split(maxsplit=1)[0] for version in card.versions] == ["Asked:", "Ringing"]


async def test_a_phone_that_rings_is_connected_to_nobody_until_it_is_lifted(house: Any) -> None:
    await monitor(house)
    card = await house.card("Ringing")
    looks = len(house.pbx.requests) + 2
    await house.pbx.until(lambda: len(house.pbx.requests) >= looks)
    assert card.text.startswith("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")


async def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(house: Any, elsewhere: SandboxPbx) -> None:
    house.pbx.faults.add(Fault("redirect", method="PUT", to=f"{elsewhere.url}/uapi/phoneCalls/12/0003*210/1"))
    await monitor(house)
    await house.card("Asked")
    assert (len(house.pbx.puts()), elsewhere.requests) == (1, [])


async def test_a_redirected_read_is_not_followed_either(house: Any, elsewhere: SandboxPbx) -> None:
    await house.pbx.until(lambda: house.pbx.requests and house.pbx.requests[-1].status)
    house.pbx.faults.add(Fault("redirect", method="GET", to=f"{elsewhere.url}/uapi/phoneCalls/12/0003*210", times=None))
    await monitor(house)
    await house.workspace.until(lambda: house.workspace.private("U0ANA"))
    assert (house.pbx.puts(), elsewhere.requests) == ([], [])


async def test_a_pbx_that_cannot_be_read_before_the_put_is_told_privately_and_nothing_is_sent(house: Any) -> None:
    await house.pbx.stop()
    await house.ana_types("/monitor 0003*210")
    answer = await house.told("U0ANA", "PBX")
    assert ("nothing was sent" in words(answer), house.pbx.puts(), house.cards("U0ANA")) == (True, [], [])
