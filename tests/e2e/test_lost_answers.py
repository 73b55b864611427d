"""The PBX answers late, wrongly or not at all: no second PUT, and the card says what is known."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.sandbox.workspace.faults import SlackFault

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


def words(card: Any) -> str:
    return "\n".join(card.lines())


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
