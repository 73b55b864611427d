"""Clocks that are wrong or are stepped: no state comes too early or never, no alert is raised at once, and times are right."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import Clock
from bot.sandbox.workspace.faults import SlackFault
from tests.e2e.alerts_seen import HAL, RINGING, alert, raised, rule, start

HOUR = timedelta(hours=1)


class Wall:
    """The wall clock of the machine that callbot runs on."""

    def __init__(self) -> None:
        self.stepped = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.stepped


@pytest.fixture
def wall() -> Wall:
    return Wall()


async def scans(house: Any, number: int) -> None:
    """Wait for so many more reads that the PBX answers."""
    before = len(house.pbx.requests)
    await house.pbx.until(
        lambda: sum(seen.method == "GET" and seen.status is not None for seen in house.pbx.requests[before:]) >= number
    )


def dates(message: Any) -> list[datetime]:
    """Every time that a message shows."""
    found = re.findall(r"<!date\^(\d+)\^", str(message.blocks))
    return [datetime.fromtimestamp(int(seconds), UTC) for seconds in found]


# ── the wall clock is stepped ──


async def test_a_wall_clock_that_is_set_forward_ends_no_ringing(empty_house: Any, wall: Wall) -> None:
    house = empty_house
    house.talk()
    await house.start_bot(clock=Clock(wall))
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    wall.stepped = HOUR
    await scans(house, 3)
    house.floor.lift("0003*024")
    card = await house.card("Connected")
    assert "Not answered" not in "\n".join(card.lines())


async def test_a_wall_clock_that_is_set_back_leaves_no_ringing_for_ever(empty_house: Any, wall: Wall) -> None:
    house = empty_house
    house.talk()
    await house.start_bot(clock=Clock(wall))
    await house.ana_types("/monitor 0003*210 wait=1")
    await house.card("Ringing")
    wall.stepped = -HOUR
    await house.card("Not answered")


async def test_what_is_shown_and_written_down_is_what_the_wall_clock_says(empty_house: Any, wall: Wall) -> None:
    house = empty_house
    await house.start_bot(clock=Clock(wall))
    wall.stepped = HOUR
    house.talk()
    await house.ana_types("/record 0003*210")
    card = await house.card("Recording", "C0FLOOR")
    (entry,) = await house.audit_log()
    assert all(abs(at - wall()) < timedelta(minutes=1) for at in (*dates(card), entry.at))


async def test_after_a_step_and_a_restart_the_phone_still_rings(empty_house: Any, wall: Wall) -> None:
    house = empty_house
    house.talk()
    await house.start_bot(clock=Clock(wall))
    wall.stepped = HOUR
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    await house.stop_bot()
    await house.start_bot(clock=Clock(wall))
    await scans(house, 3)
    house.floor.lift("0003*024")
    card = await house.card("Connected")
    assert "Not answered" not in "\n".join(card.lines())


@pytest.mark.parametrize("ahead", [2 * HOUR, -2 * HOUR])
async def test_a_post_whose_answer_is_lost_is_found_in_slack_though_the_wall_clock_is_wrong(
    empty_house: Any, wall: Wall, ahead: timedelta
) -> None:
    house = empty_house
    house.talk()
    wall.stepped = ahead
    await house.start_bot(clock=Clock(wall))
    house.workspace.faults.add(SlackFault(method="chat.postMessage", kind="lost"))
    await house.ana_types("/record 0003*210")
    await house.card("Recording", "C0FLOOR")
    assert len(house.cards("C0FLOOR")) == 1


# ── the clock of the PBX is wrong ──


async def test_a_pbx_whose_clock_is_behind_raises_no_alert_at_once(empty_house: Any) -> None:
    empty_house.pbx.forms.clock_ahead = -60.0
    house = await start(empty_house, RINGING, rule("Rings for long", "ringing", longer_than=30))
    house.floor.ring(to="0003*211", **HAL)
    await alert(house, "Raised", "Rings unanswered")
    await scans(house, 5)
    assert len(raised(house)) == 1


async def test_a_pbx_whose_clock_is_ahead_raises_alerts_in_time(empty_house: Any) -> None:
    empty_house.pbx.forms.clock_ahead = 600.0
    house = await start(empty_house, RINGING)
    house.floor.ring(to="0003*211", **HAL)
    card = await alert(house, "Raised", "Dan Popa")
    assert all(abs(at - datetime.now(UTC)) < timedelta(minutes=1) for at in dates(card))


async def test_a_list_shows_when_calls_began_by_our_clock(empty_house: Any) -> None:
    house = empty_house
    house.pbx.forms.clock_ahead = 600.0
    await house.start_bot()
    house.floor.ring(to="0003*211", **HAL)
    await house.ana_types("/calls")
    message = await house.told("U0ANA", "Hal Holder")
    assert dates(message)
    assert all(abs(at - datetime.now(UTC)) < timedelta(minutes=1) for at in dates(message))
