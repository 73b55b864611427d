"""The floor alone: phones, calls and views, who is told of changes, and phones that interventions ring."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.pbx.floor import Floor, UnknownCall, UnknownExtension
from bot.sandbox.pbx.phones import Call, Flow, Intervention, RingingAction, Status


def talking(floor: Floor, to: str = "0003*210") -> Call:
    return found(floor, floor.talk(caller="+15550100", to=to, caller_name="Carla Caller"))


def ringing(floor: Floor) -> Call:
    return found(floor, floor.ring(caller="+15550100", to="0003*210", caller_name="Carla Caller"))


def found(floor: Floor, call_id: str) -> Call:
    call = floor.call(call_id)
    assert call is not None
    return call


def test_a_call_rings_in_view_01_of_the_called_extension(floor: Floor) -> None:
    (view,) = ringing(floor).views
    assert (view.id, view.extension, view.source, view.destination, view.status) == (
        "01",
        "0003*210",
        ["+15550100"],
        ["0003*210"],
        3,
    )


def test_a_ringing_call_is_published_and_not_answered(floor: Floor) -> None:
    call = ringing(floor)
    assert (call.published.tzinfo, call.answered, call.views[0].ringing) == (UTC, None, call.published)


def test_an_answered_call_rings_no_longer(floor: Floor) -> None:
    view = talking(floor).views[0]
    assert (view.status, view.ringing, view.answered is not None) == (Status.ON_CALL, None, True)


def test_a_caller_without_a_name_is_called_by_the_number(floor: Floor) -> None:
    call = found(floor, floor.ring(caller="+15550100", to="0003*210"))
    assert call.views[0].caller_id == "+15550100 <+15550100>"


def test_a_call_between_two_extensions_has_a_view_for_each(floor: Floor) -> None:
    call = found(floor, floor.ring(caller="0003*211", to="0003*210"))
    assert [(view.id, view.extension, view.status, view.flow) for view in call.views] == [
        ("00", "0003*211", Status.OTHER_SIDE_RINGING, Flow.LOCAL),
        ("01", "0003*210", Status.RINGING, Flow.LOCAL),
    ]


def test_a_call_to_a_public_number_is_the_callers(floor: Floor) -> None:
    call = found(floor, floor.talk(caller="0003*210", to="+15550123"))
    assert [(view.id, view.extension, view.flow) for view in call.views] == [("01", "0003*210", Flow.OUTGOING)]


def test_a_call_shows_under_the_extension_that_pays_for_it() -> None:
    call = Call("444444", "0003*211", "3", "Default Organization", datetime(2026, 1, 2, tzinfo=UTC))
    assert call.involves(frozenset({"0003*211"}))


def test_a_call_between_strangers_cannot_enter(floor: Floor) -> None:
    with pytest.raises(UnknownExtension):
        floor.ring(caller="+15550100", to="0003*999")


def test_a_call_id_in_use_is_refused(floor: Floor) -> None:
    floor.ring(caller="+15550100", to="0003*210", call_id="444444")
    with pytest.raises(ValueError, match="444444"):
        floor.ring(caller="+15550101", to="0003*211", call_id="444444")


def test_a_call_that_was_hung_up_is_gone(floor: Floor) -> None:
    call = talking(floor)
    floor.hang_up(call.id)
    assert (floor.call(call.id), floor.calls()) == (None, [])


def test_a_call_that_is_gone_cannot_be_held(floor: Floor) -> None:
    with pytest.raises(UnknownCall):
        floor.hold("b817d2618fe6f1804333")


def test_hold_marks_the_call_on_call_and_who_held_it_until_it_is_taken_off(floor: Floor) -> None:
    call = talking(floor)
    floor.hold(call.id)
    assert (call.views[0].on_hold is not None, call.views[0].holder, call.views[0].status) == (True, 1, 5)
    floor.unhold(call.id)
    assert (call.views[0].on_hold, call.views[0].holder) == (None, None)


def test_two_parked_calls_have_two_slots(floor: Floor) -> None:
    calls = [talking(floor), talking(floor, to="0003*211")]
    for call in calls:
        floor.park(call.id)
    assert [(call.views[0].parked_pos, call.views[0].parked_by) for call in calls] == [(1, "0003*210"), (2, "0003*211")]


def test_unpark_takes_every_mark_away(floor: Floor) -> None:
    call = talking(floor)
    floor.park(call.id)
    floor.unpark(call.id)
    assert (call.views[0].parked, call.views[0].parked_pos, call.views[0].parked_by) == (None, None, None)


def test_a_phone_whose_setup_forbids_it_is_not_recorded(floor: Floor) -> None:
    floor.extension("0003*210").recordable = False
    call = talking(floor)
    floor.record(call.id, "01")
    assert call.views[0].recording is None


def test_a_second_request_to_record_keeps_the_first_instant(floor: Floor) -> None:
    instants = iter(datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=n) for n in range(9))
    floor = Floor(now=lambda: next(instants))
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    call = talking(floor)
    floor.record(call.id, "01")
    began = call.views[0].recording
    floor.record(call.id, "01")
    assert call.views[0].recording == began


def test_a_listener_is_told_of_a_change(floor: Floor) -> None:
    told: list[int] = []
    floor.on_change(lambda: told.append(len(floor.calls())))
    talking(floor)
    assert told == [1, 1]


def test_a_listener_that_unsubscribed_is_not_told(floor: Floor) -> None:
    told: list[int] = []
    floor.on_change(lambda: told.append(1))()
    talking(floor)
    assert told == []


def test_a_listener_may_unsubscribe_while_all_are_told(floor: Floor) -> None:
    told: list[str] = []
    unsubscribe = floor.on_change(lambda: unsubscribe())  # noqa: PLW0108 - the name has no value yet
    floor.on_change(lambda: told.append("second"))
    floor.ring(caller="+15550100", to="0003*210")
    assert told == ["second"]


async def test_a_wait_ends_with_the_value_it_waited_for(floor: Floor) -> None:
    asyncio.get_running_loop().call_soon(lambda: floor.ring(caller="+15550100", to="0003*210", call_id="444444"))
    call = await floor.until(lambda: floor.call("444444"))
    assert call is floor.call("444444")


async def test_a_wait_for_what_never_happens_ends_too(floor: Floor) -> None:
    with pytest.raises(TimeoutError, match="phones rung"):
        await floor.until(lambda: False, timeout=0.01)


# ── phones that interventions ring ──


def wanted(call: Call, action: RingingAction = "Monitor", *, phone: str = "0003*024", wait: float = 30) -> Intervention:
    return Intervention(action, call.id, "01", phone, "Ana Pop <0003*024>", wait)


async def test_an_intervention_rings_the_phone_until_it_is_lifted(floor: Floor) -> None:
    floor.intervene(wanted(talking(floor)))
    assert floor.ringing("0003*024")
    floor.lift("0003*024")
    assert not floor.ringing("0003*024")


async def test_a_phone_that_nobody_answers_stops_ringing_and_cannot_be_lifted(floor: Floor) -> None:
    floor.intervene(wanted(talking(floor), wait=0.02))
    await floor.until(lambda: not floor.ringing("0003*024"))
    assert (len(floor.calls()[0].views), floor.lift("0003*024")) == (1, False)


async def test_a_lifted_phone_gets_a_leg(floor: Floor) -> None:
    call = talking(floor)
    floor.intervene(wanted(call))
    floor.lift("0003*024")
    leg = call.views[1]
    assert (leg.id, leg.extension, leg.source, leg.destination, leg.status) == (
        "02",
        "0003*210",
        ["0003*024"],
        ["0003*210"],
        5,
    )


async def test_a_phone_may_answer_by_itself(floor: Floor) -> None:
    floor.extension("0003*024").answers_after = 0.01
    call = talking(floor)
    floor.intervene(wanted(call))
    await floor.until(lambda: len(call.views) == 2)


async def test_a_phone_that_answers_by_itself_too_late_does_not(floor: Floor) -> None:
    floor.extension("0003*024").answers_after = 0.03
    call = talking(floor)
    floor.intervene(wanted(call, wait=0.02))
    await floor.until(lambda: not floor.ringing("0003*024"))
    assert len(call.views) == 1


async def test_a_picked_up_call_is_the_supervisors_and_the_agent_is_free(floor: Floor) -> None:
    call = ringing(floor)
    floor.intervene(wanted(call, "PickUp"))
    floor.lift("0003*024")
    assert [(view.id, view.source, view.status, view.ringing) for view in call.views] == [("01", ["0003*024"], 5, None)]
    assert call.answered == call.views[0].answered is not None
    assert (floor.busy("0003*210"), floor.busy("0003*024")) == (False, True)


async def test_a_phone_rung_for_pickup_stops_when_the_agent_answers(floor: Floor) -> None:
    call = ringing(floor)
    floor.intervene(wanted(call, "PickUp"))
    floor.answer(call.id)
    assert not floor.ringing("0003*024")


async def test_a_phone_stops_ringing_when_the_call_is_over(floor: Floor) -> None:
    call = talking(floor)
    floor.intervene(wanted(call))
    floor.hang_up(call.id)
    assert not floor.ringing("0003*024")


async def test_a_phone_in_a_call_does_not_ring(floor: Floor) -> None:
    talking(floor, to="0003*024")
    assert floor.intervene(wanted(talking(floor))) is False


async def test_a_phone_on_a_leg_does_not_ring(floor: Floor) -> None:
    call = talking(floor)
    floor.intervene(wanted(call))
    floor.lift("0003*024")
    assert floor.intervene(wanted(talking(floor, to="0003*211"))) is False


async def test_a_phone_with_call_waiting_rings_in_a_call(floor: Floor) -> None:
    floor.extension("0003*024").call_waiting = True
    talking(floor, to="0003*024")
    floor.intervene(wanted(talking(floor)))
    assert floor.ringing("0003*024")


async def test_a_phone_that_is_not_registered_does_not_ring(floor: Floor) -> None:
    floor.extension("0003*024").registered = False
    floor.intervene(wanted(talking(floor)))
    assert not floor.ringing("0003*024")


async def test_a_second_intervention_does_not_ring_a_ringing_phone(floor: Floor) -> None:
    first, second = talking(floor), talking(floor, to="0003*211")
    floor.intervene(wanted(first))
    floor.intervene(wanted(second))
    assert [intervention.call_id for intervention in floor.interventions()] == [first.id]


async def test_two_phones_ring_at_once(floor: Floor) -> None:
    call = talking(floor)
    floor.intervene(wanted(call))
    floor.intervene(wanted(call, phone="0003*211"))
    assert floor.ringing("0003*024") and floor.ringing("0003*211")  # noqa: PT018 -- both at the same time is the claim


async def test_a_supervisor_who_leaves_takes_only_the_leg_along(floor: Floor) -> None:
    call = talking(floor)
    floor.intervene(wanted(call))
    floor.lift("0003*024")
    floor.leave(call.id, "0003*024")
    assert [view.id for view in found(floor, call.id).views] == ["01"]


async def test_one_supervisor_who_leaves_does_not_take_the_other_along(floor: Floor) -> None:
    call = talking(floor)
    for phone in ("0003*024", "0003*211"):
        floor.intervene(wanted(call, phone=phone))
        floor.lift(phone)
    floor.leave(call.id, "0003*024")
    assert [view.source for view in call.views] == [["+15550100"], ["0003*211"]]


async def test_who_picked_up_and_leaves_ends_the_call(floor: Floor) -> None:
    call = ringing(floor)
    floor.intervene(wanted(call, "PickUp"))
    floor.lift("0003*024")
    floor.leave(call.id, "0003*024")
    assert floor.call(call.id) is None


def test_a_caller_who_leaves_ends_the_call(floor: Floor) -> None:
    call_id = floor.talk(caller="0003*211", to="0003*210")
    floor.leave(call_id, "0003*211")
    assert floor.call(call_id) is None


async def test_the_wait_of_an_earlier_ring_does_not_end_a_later_one(floor: Floor) -> None:
    call = talking(floor)
    floor.intervene(wanted(call, wait=0.02))
    floor.lift("0003*024")
    floor.leave(call.id, "0003*024")
    floor.intervene(wanted(call))
    floor.intervene(wanted(call, phone="0003*211", wait=0.04))
    await floor.until(lambda: not floor.ringing("0003*211"))
    assert floor.ringing("0003*024")


def test_nobody_leaves_a_call_they_are_not_in(floor: Floor) -> None:
    assert floor.leave(talking(floor).id, "0003*024") is False


async def test_a_phone_rings_again_once_its_leg_is_gone(floor: Floor) -> None:
    call = talking(floor)
    floor.intervene(wanted(call))
    floor.lift("0003*024")
    floor.leave(call.id, "0003*024")
    assert floor.intervene(wanted(call, "Whisper")) is True
