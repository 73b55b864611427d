"""Phones that interventions ring: who answers, who does not, and what the call looks like after it."""

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Intervention, RingingAction


def talking(floor: Floor, to: str = "0003*210") -> Call:
    return found(floor, floor.talk(caller="+15550100", to=to, caller_name="Carla Caller"))


def ringing(floor: Floor) -> Call:
    return found(floor, floor.ring(caller="+15550100", to="0003*210", caller_name="Carla Caller"))


def found(floor: Floor, call_id: str) -> Call:
    call = floor.call(call_id)
    assert call is not None
    return call


def wanted(call: Call, action: RingingAction = "Monitor", *, phone: str = "0003*024", wait: float = 30) -> Intervention:
    return Intervention(action, call.id, "01", phone, "Ana Pop <0003*024>", wait)


async def test_an_intervention_rings_the_phone(floor: Floor) -> None:
    floor.intervene(wanted(talking(floor)))
    assert floor.ringing("0003*024")


async def test_a_phone_that_nobody_answers_stops_ringing(floor: Floor) -> None:
    floor.intervene(wanted(talking(floor), wait=0.02))
    await floor.until(lambda: not floor.ringing("0003*024"))
    assert len(floor.calls()[0].views) == 1


async def test_a_phone_that_stopped_ringing_cannot_be_lifted(floor: Floor) -> None:
    floor.intervene(wanted(talking(floor), wait=0.02))
    await floor.until(lambda: not floor.ringing("0003*024"))
    assert floor.lift("0003*024") is False


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


async def test_a_lifted_phone_rings_no_longer(floor: Floor) -> None:
    floor.intervene(wanted(talking(floor)))
    floor.lift("0003*024")
    assert not floor.ringing("0003*024")


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


async def test_a_picked_up_call_has_the_supervisor_as_source(floor: Floor) -> None:
    call = ringing(floor)
    floor.intervene(wanted(call, "PickUp"))
    floor.lift("0003*024")
    assert [(view.id, view.source, view.status, view.ringing) for view in call.views] == [("01", ["0003*024"], 5, None)]


async def test_a_picked_up_call_is_answered(floor: Floor) -> None:
    call = ringing(floor)
    floor.intervene(wanted(call, "PickUp"))
    floor.lift("0003*024")
    assert call.answered == call.views[0].answered is not None


async def test_an_agent_whose_call_was_picked_up_is_free(floor: Floor) -> None:
    floor.intervene(wanted(ringing(floor), "PickUp"))
    floor.lift("0003*024")
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


async def test_whoever_picked_up_and_leaves_ends_the_call(floor: Floor) -> None:
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
