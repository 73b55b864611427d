"""Everything that is open, on a clock: cards come up to date in time, and the PBX is asked no oftener than it may be."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall
from bot.domain.errors import PbxUnreachable
from bot.domain.intervention import Intervention, State, Why
from bot.domain.legs import NOTHING_KNOWN, Known
from bot.domain.permissions import Permissions

MakeCall = Callable[..., PhoneCall]
PER_SECOND = 5


# ── in time ──


@pytest.mark.parametrize("scopes", [1, 101])
@pytest.mark.parametrize("count", [1, 2, 4])
async def test_with_four_open_a_change_is_on_its_card_within_two_seconds(  # noqa: PLR0917 - two of them are the table
    floor: Any, clock: Any, open_many: Any, joined: Any, count: int, scopes: int
) -> None:
    floor.scopes = tuple(("@me" if number == 0 else str(number), "@self") for number in range(scopes))
    await open_many(count)
    await clock.let_pass(7.3)
    floor.pbx.calls = {name: joined(name) for name in floor.pbx.calls}
    lifted = clock()
    await clock.let_pass(5)
    floor.pbx.calls = {}
    over = clock()
    await clock.let_pass(5)
    for number in range(count):
        assert floor.delay(number, State.CONNECTED, lifted) <= 1.5
        assert floor.delay(number, State.ENDED, over) <= 1.9


async def test_a_hundred_open_in_one_scope_are_still_shown_within_four_seconds(
    floor: Any, clock: Any, open_many: Any, joined: Any
) -> None:
    await open_many(100)
    await clock.let_pass(5)
    floor.pbx.calls = {name: joined(name) for name in floor.pbx.calls}
    lifted = clock()
    await clock.let_pass(4)
    assert max(floor.delay(number, State.CONNECTED, lifted) for number in range(100)) <= 4


@pytest.mark.parametrize("scopes", [1, 30, 101])
async def test_a_hundred_open_ask_no_oftener_than_callbot_toml_allows(
    floor: Any, clock: Any, open_many: Any, scopes: int
) -> None:
    floor.scopes = tuple(("@me" if number == scopes - 1 else str(number), "@self") for number in range(scopes))
    await open_many(100)
    await clock.let_pass(25)
    assert floor.pbx.most_in_a_second() == PER_SECOND


async def test_of_a_hundred_that_have_to_be_read_one_by_one_each_has_its_turn(
    floor: Any, clock: Any, open_many: Any, joined: Any
) -> None:
    floor.scopes = tuple((str(number), "@self") for number in range(101))
    await open_many(100)
    floor.pbx.calls = {name: joined(name) for name in floor.pbx.calls}
    await clock.let_pass(30)
    assert [number for number in range(100) if floor.state(number) is not State.CONNECTED] == []


async def test_one_that_rings_is_not_held_up_by_a_hundred_that_talk(
    floor: Any, clock: Any, open_many: Any, joined: Any
) -> None:
    floor.scopes = tuple((str(number), "@self") for number in range(101))
    await open_many(101)
    for number in range(1, 101):
        floor.pbx.calls[f"c{number}"] = joined(f"c{number}")
    await clock.let_pass(60)
    floor.pbx.calls["c0"] = joined("c0")
    lifted = clock()
    await clock.let_pass(5)
    assert floor.delay(0, State.CONNECTED, lifted) <= 2


# ── the PBX does not answer ──


async def test_a_pbx_that_does_not_answer_is_asked_ever_less(floor: Any, clock: Any, open_many: Any) -> None:
    await open_many(1)
    floor.pbx.failing = PbxUnreachable("not connected")
    await clock.let_pass(60)
    asked = len(floor.pbx.asked)
    await clock.let_pass(60)
    assert len(floor.pbx.asked) - asked <= 9


async def test_when_it_answers_again_all_is_in_time_again(floor: Any, clock: Any, open_many: Any, joined: Any) -> None:
    await open_many(4)
    floor.pbx.failing = PbxUnreachable("not connected")
    await clock.let_pass(120)
    floor.pbx.failing = None
    await clock.let_pass(12)
    floor.pbx.calls = {name: joined(name) for name in floor.pbx.calls}
    lifted = clock()
    await clock.let_pass(3)
    assert max(floor.delay(number, State.CONNECTED, lifted) for number in range(4)) <= 2


async def test_while_it_does_not_answer_the_card_says_nothing_that_was_not_seen(
    floor: Any, clock: Any, open_many: Any, joined: Any
) -> None:
    await open_many(1)
    floor.pbx.calls = {"c0": joined("c0")}
    await clock.let_pass(3)
    floor.pbx.calls, floor.pbx.failing = {}, PbxUnreachable("not connected")
    await clock.let_pass(30)
    [one] = floor.memory.shown["k0"].interventions
    assert (one.state, one.stale) == (State.CONNECTED, True)


# ── what a poll proves ──


async def test_a_poll_from_before_the_put_proves_nothing(
    floor: Any, clock: Any, an_intervention: Callable[..., Intervention], joined: Any, a_call: MakeCall
) -> None:
    """Ana hangs up and asks again while a slow poll that shows her old leg is under way."""
    first, second = an_intervention(id="i1", card="k1"), an_intervention(ActionName.WHISPER, id="i2", card="k1")
    floor.pbx.calls = {"c1": joined("c1")}
    floor.pbx.seconds = 3.0
    await floor.accepted(first)
    await clock.let_pass(1)
    await floor.accepted(second)
    floor.pbx.calls = {"c1": joined("c1")}
    await clock.let_pass(2.6)
    assert floor.memory.saved["i2"].state is State.RINGING


async def test_a_leg_proves_nothing_while_the_put_has_no_answer(
    floor: Any, clock: Any, an_intervention: Callable[..., Intervention], joined: Any
) -> None:
    await floor.accepted(an_intervention(id="i1", card="k1", slack_user="U0CLEO", phone="0003*025"))
    under_way = an_intervention(id="i2", card="k2")
    floor.tracker.add_to_card(under_way, {})
    floor.pbx.calls = {"c1": joined("c1")}
    await clock.let_pass(3)
    assert under_way in floor.tracker.open


async def test_one_leg_proves_one_of_two_requests(
    floor: Any, clock: Any, an_intervention: Callable[..., Intervention], joined: Any
) -> None:
    for number, action in enumerate((ActionName.MONITOR, ActionName.WHISPER)):
        await floor.accepted(an_intervention(action, id=f"i{number}", card=f"k{number}"))
    floor.pbx.calls = {"c1": joined("c1")}
    await clock.let_pass(5)
    assert [one.state for one in floor.tracker.open] == [State.CONNECTED, State.RINGING]


async def test_the_seconds_until_the_proof_are_kept(floor: Any, clock: Any, open_many: Any, joined: Any) -> None:
    await open_many(1)
    await clock.let_pass(3)
    floor.pbx.calls = {"c0": joined("c0")}
    await clock.let_pass(20)
    [seconds] = floor.memory.took
    assert 3 <= seconds <= 4


# ── whose leg it is ──


async def test_a_leg_that_has_come_since_the_last_poll_is_known_as_one(
    floor: Any, an_intervention: Callable[..., Intervention], joined: Any
) -> None:
    """Where the call was picked up by a supervisor, both sides come from supervisors, and the leg must not be offered."""
    await floor.accepted(an_intervention())
    assert floor.tracker.known((joined("c1"),)) == {"c1": Known(frozenset({"02"}))}


async def test_a_side_from_the_same_phone_that_was_there_before_the_put_is_no_leg_of_it(
    floor: Any, an_intervention: Callable[..., Intervention], joined: Any
) -> None:
    await floor.accepted(an_intervention().model_copy(update={"legs_before": frozenset({"02"})}))
    assert floor.tracker.known((joined("c1"),)) == {"c1": NOTHING_KNOWN}


async def test_of_another_call_under_the_same_id_nothing_is_a_leg(
    floor: Any, an_intervention: Callable[..., Intervention], a_call: MakeCall, a_view: Any, a_leg: Any
) -> None:
    await floor.accepted(an_intervention())
    another = a_call(a_view(), a_leg(), published="2026-11-21T15:00:00Z")
    assert floor.tracker.known((another,)) == {"c1": NOTHING_KNOWN}


async def test_a_call_that_was_picked_up_is_its_partys_and_no_secret(
    floor: Any, an_intervention: Callable[..., Intervention], a_call: MakeCall, a_view: Any
) -> None:
    await floor.accepted(an_intervention(ActionName.PICK_UP))
    taken = a_call(a_view("01", source=["0003*024"]))
    assert floor.tracker.known((taken,)) == {"c1": Known(heard=frozenset({"01"}))}


async def test_a_recording_of_who_was_removed_has_ended_for_them_however_it_goes_on_and_though_they_come_back(
    *, floor: Any, clock: Any, an_intervention: Callable[..., Intervention], a_call: MakeCall, a_view: Any, noon: Any
) -> None:
    floor.pbx.calls = {"c1": a_call(a_view(recording=noon.isoformat()))}
    await floor.accepted(an_intervention(ActionName.START_RECORDING))
    await clock.let_pass(3)
    before, floor.rules = floor.rules, replace(floor.rules, people={})
    await clock.let_pass(5)
    [while_it_goes_on] = floor.memory.shown["k1"].interventions
    floor.rules, floor.pbx.calls = before, {}
    floor.tracker.permissions_changed()
    await clock.let_pass(5)
    assert (while_it_goes_on.state, while_it_goes_on.why) == (State.ENDED, Why.REMOVED)
    assert (floor.memory.shown["k1"].interventions, floor.memory.saved["i1"]) == ((while_it_goes_on,), while_it_goes_on)


# ── what is on a card ──


async def test_a_card_that_is_forgotten_while_a_claim_waits_comes_back_as_it_was_last(
    floor: Any, clock: Any, an_intervention: Callable[..., Intervention], a_call: MakeCall
) -> None:
    floor.pbx.calls = {"c1": a_call()}
    await floor.accepted(an_intervention())
    earlier = await floor.tracker.load_card("k1")
    floor.pbx.calls = {}
    await clock.let_pass(10)
    newer = an_intervention(ActionName.WHISPER, id="i2")
    floor.tracker.add_to_card(newer, earlier)
    floor.tracker.show("k1")
    assert [one.state for one in floor.memory.shown["k1"].interventions] == [State.ENDED, State.ASKED]
    assert floor.tracker.open == (newer,)


async def test_what_was_not_answered_is_tracked_no_more_once_a_newer_request_rings(
    floor: Any, clock: Any, an_intervention: Callable[..., Intervention]
) -> None:
    missed = an_intervention().model_copy(update={"state": State.NOT_ANSWERED})
    await floor.tracker.track(missed)
    newer = an_intervention(ActionName.WHISPER, id="i2")
    floor.tracker.add_to_card(newer, await floor.tracker.load_card("k1"))
    await clock.let_pass(0)
    assert (floor.tracker.open, floor.memory.saved["i1"].following) == ((newer,), False)


async def test_neither_a_recording_nor_what_another_person_asks_ends_what_was_not_answered(
    floor: Any, an_intervention: Callable[..., Intervention]
) -> None:
    missed = an_intervention().model_copy(update={"state": State.NOT_ANSWERED})
    await floor.tracker.track(missed)
    recording = an_intervention(ActionName.START_RECORDING, id="i2", card="k2")
    anothers = an_intervention(ActionName.WHISPER, id="i3", card="k3", slack_user="U0CLEO", phone="0003*025")
    for newer in (recording, anothers):
        floor.tracker.add_to_card(newer, {})
    assert floor.tracker.open == (missed, recording, anothers)


async def test_a_phone_is_busy_with_another_call_for_its_person_and_for_everybody_who_uses_it(
    floor: Any, an_intervention: Callable[..., Intervention]
) -> None:
    """Ana's phone 0003*024 is called into c1."""
    await floor.accepted(an_intervention())
    asked = [
        ("U0ANA", "0003*026", "c2"),
        ("U0CLEO", "0003*024", "c2"),
        ("U0CLEO", "0003*025", "c2"),
        ("U0ANA", "0003*024", "c1"),
    ]
    assert [floor.tracker.busy_elsewhere(*one) is not None for one in asked] == [True, True, False, False]


# ── saved, then shown ──


async def test_each_state_is_saved_once_and_then_shown_once(
    floor: Any, clock: Any, open_many: Any, joined: Any
) -> None:
    await open_many(1)
    await clock.let_pass(3)
    floor.pbx.calls = {"c0": joined("c0")}
    await clock.let_pass(3)
    floor.pbx.calls = {}
    await clock.let_pass(5)
    states = (State.RINGING, State.CONNECTED, State.ENDED)
    assert floor.memory.order == [(what, state) for state in states for what in ("saved", "shown")]


async def test_what_the_ledger_takes_after_its_task_was_cancelled_is_shown_all_the_same(
    floor: Any, clock: Any, an_intervention: Callable[..., Intervention]
) -> None:
    floor.memory.takes.clear()
    tracking = asyncio.create_task(floor.accepted(an_intervention()))
    await floor.memory.writes.wait()
    tracking.cancel()
    await asyncio.wait({tracking})
    assert floor.memory.order == []
    floor.memory.takes.set()
    await clock.let_pass(0)
    assert floor.memory.order == [("saved", State.RINGING), ("shown", State.RINGING)]


# ── permissions that change ──


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
    floor.rules = replace(floor.rules, **changed(floor.rules))
    floor.tracker.permissions_changed()
    card = floor.memory.shown["k0"]
    assert (card.removed, card.buttons, card.interventions[-1].state) == (True, (), State.CONNECTED)


async def test_who_may_do_it_is_not_removed(floor: Any, open_many: Any) -> None:
    await open_many(1)
    assert floor.memory.shown["k0"].removed is False
