"""An action goes to the agent's own side of the call, never to a supervisor's leg, and never to somebody else's call."""

from typing import Any

import pytest

from bot.sandbox.pbx.phones import Intervention


async def typed(house: Any, user: str, text: str) -> None:
    await house.workspace.type(user, "C0FLOOR", text, raw=True)


async def joined(house: Any, user: str, text: str, phone: str) -> Any:
    """The card of somebody who typed this and lifted the phone."""
    before = len(house.pbx.puts())
    await typed(house, user, text)
    await house.puts(before + 1)
    await house.pbx.until(lambda: house.floor.ringing(phone))
    house.floor.lift(phone)
    return await house.card("Connected", user)


async def views_put(house: Any, number: int) -> list[str]:
    await house.puts(number)
    return [put.json["phoneCallViewId"] for put in house.pbx.puts()]


async def test_with_a_supervisors_leg_in_the_call_whisper_still_goes_to_the_agents_view(house: Any) -> None:
    call = house.talk()
    await joined(house, "U0LIS", "/monitor 0003*210", "0003*025")
    legs = [(view.id, view.extension) for view in house.floor.call(call).views]
    await typed(house, "U0ANA", "/whisper 0003*210")
    assert (legs, await views_put(house, 2)) == ([("01", "0003*210"), ("02", "0003*210")], ["01", "01"])


async def test_a_view_id_is_text_and_not_a_number(house: Any) -> None:
    house.talk()
    for view in ("1", "001", "03"):
        await typed(house, "U0ANA", f"/whisper 0003*210 view={view}")
        await house.told("U0ANA", f"There is no view {view} in the call.")
    assert house.pbx.puts() == []


async def test_a_leg_of_ours_is_known_after_a_restart_although_nobody_of_the_configuration_has_that_phone(
    house: Any,
) -> None:
    """The ledger knows it: the configuration of after the restart has another phone for Lis."""
    house.talk()
    await joined(house, "U0LIS", "/monitor 0003*210", "0003*025")
    await house.stop_bot()
    house.config = house.config.replace('"0003*025"', '"0003*026"')
    await house.start_bot()
    await typed(house, "U0ANA", "/whisper 0003*210")
    assert await views_put(house, 2) == ["01", "01"]


def leg_from_elsewhere(house: Any, call: str, phone: str) -> None:
    """A leg of a supervisor who used the PBX's own interface."""
    asked = Intervention(action="Monitor", call_id=call, view_id="01", phone=phone, caller_id="", wait=25.0)
    assert house.floor.intervene(asked)
    assert house.floor.lift(phone)


async def test_a_leg_that_did_not_come_from_us_is_known_by_its_source(house: Any) -> None:
    call = house.talk()
    leg_from_elsewhere(house, call, "0003*025")
    await typed(house, "U0ANA", "/whisper 0003*210")
    assert await views_put(house, 1) == ["01"]


async def test_a_leg_that_did_not_come_from_us_is_refused_when_it_is_named(house: Any) -> None:
    call = house.talk()
    leg_from_elsewhere(house, call, "0003*025")
    await typed(house, "U0ANA", "/whisper 0003*210 view=02")
    await house.told("U0ANA", "View 02 is not the agent's side of the call.")
    assert house.pbx.puts() == []


async def test_a_view_from_a_phone_that_is_no_party_of_the_call_may_be_a_leg_and_is_not_acted_on(house: Any) -> None:
    call = house.talk()
    house.floor.add_extension("0003*027", user="16", name="Una Known")
    leg_from_elsewhere(house, call, "0003*027")
    await typed(house, "U0ANA", "/whisper 0003*210")
    assert await views_put(house, 1) == ["01"]


async def test_a_supervisor_who_calls_an_agent_is_a_party_and_somebody_else_may_listen(house: Any) -> None:
    call = house.floor.talk(caller="0003*024", to="0003*210")
    await typed(house, "U0LIS", "/monitor 0003*210")
    await house.puts(1)
    [put] = house.pbx.puts()
    assert put.path == f"/uapi/phoneCalls/12/0003*210/{call}"
    assert put.json == {"action": "Monitor", "sendCallTo": "0003*025", "phoneCallViewId": "01"}


async def test_a_leg_is_neither_on_the_list_of_the_agent_nor_on_a_card_that_others_read(house: Any) -> None:
    house.talk()
    await joined(house, "U0LIS", "/monitor 0003*210", "0003*025")
    await typed(house, "U0BOB", "/calls")
    agents_list = "\n".join((await house.told("U0BOB", "1 live call")).lines())
    await typed(house, "U0ANA", "/record 0003*210")
    public = "\n".join((await house.card("Recording", "C0FLOOR")).lines())
    assert "0003*025" not in agents_list + public
    assert "Lis" not in agents_list + public


# ── a PBX that answers with calls that were not asked for ──


def call_of(extension: str, call_id: str) -> dict[str, Any]:
    view = {"id": "01", "extension": extension, "source": ["+15550142"], "destination": [extension], "status": "5"}
    return {"id": call_id, "extension": extension, "phoneCallView": [view]}


async def told_by_a_bot_of(house: Any, pbx: Any, text: str, words: str) -> str:
    """The rule that refuses what Ana types, where the bot asks that PBX."""
    await house.start_bot_of(pbx)
    await typed(house, "U0ANA", text)
    await house.told("U0ANA", words)
    return str((await house.audit_log())[-1].rule)


async def test_an_allowed_extension_with_another_teams_call_is_refused(house: Any) -> None:
    """The PBX keeps the two apart already: the call is none of that extension's."""
    call = house.floor.talk(caller="+15550142", to="0003*310")
    await typed(house, "U0ANA", f"/monitor 0003*210 call={call}")
    await house.told("U0ANA", "was never on this extension")
    assert (house.pbx.puts(), (await house.audit_log())[-1].rule) == ([], "no suitable call")


async def test_another_teams_call_is_refused_even_where_the_pbx_shows_it(empty_house: Any, lying_pbx: Any) -> None:
    lying_pbx.call = call_of("0003*310", "c1")
    rule = await told_by_a_bot_of(
        empty_house, lying_pbx, "/barge 0003*210 call=c1", "The call you name is not a call of 0003*210"
    )
    assert (lying_pbx.puts, rule) == ([], "call of another extension")


async def test_a_call_that_is_listed_for_an_extension_and_has_no_view_of_it_is_not_acted_on(
    empty_house: Any, lying_pbx: Any
) -> None:
    lying_pbx.call = call_of("0003*310", "c1") | {"extension": "0003*210"}
    await told_by_a_bot_of(empty_house, lying_pbx, "/barge 0003*210", "Nobody is in conversation there right now.")
    assert lying_pbx.puts == []


@pytest.mark.parametrize("call_id", ["../0003*310/c1", "..", "c" * 65])
async def test_a_call_whose_id_would_lead_elsewhere_is_no_call_that_one_could_act_on(
    empty_house: Any, lying_pbx: Any, call_id: str
) -> None:
    lying_pbx.call = call_of("0003*210", call_id)
    rule = await told_by_a_bot_of(empty_house, lying_pbx, "/barge 0003*210", "Nothing was sent")
    assert (lying_pbx.puts, rule) == ([], "no suitable call")
