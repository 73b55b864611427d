"""Who may not do a thing is told which rule says no, privately; nothing goes out, and the ledger has the rule."""

from typing import Any

import pytest

UNKNOWN = "I don't know you yet. Ask Ana Pop to add [users.U0EVE] with your extension and role. Nothing was sent."
REFUSED = [
    ("U0EVE", "C0FLOOR", "/monitor 0003*210", UNKNOWN, "unknown person"),
    ("U0EVE", "C0FLOOR", "/calls", UNKNOWN, "unknown person"),
    ("U0LIS", "C0FLOOR", "/whisper 0003*210", "None of your roles allows Whisper.", "action"),
    ("U0LIS", "C0FLOOR", "/monitor 0003*211", "but not on 0003*211. Nothing was sent. Ask Ana Pop", "extension"),
    ("U0LIS", "C0ALERTS", "/monitor 0003*210", "but not from this conversation", "channel"),
    ("U0LIS", "D0LIS", "/monitor 0003*210", "but not from this conversation", "channel"),
    ("U0ANA", "C0FLOOR", "/monitor 0003*310", "on 0003*2XX, but not on 0003*310.", "extension"),
    ("U0ANA", "C0FLOOR", "/monitor 0003*299", "0003*299 is protected", "protected extension"),
    ("U0KIM", "C0FLOOR", "/monitor 0003*210", "another organisation than your phone 0004*030", "another organisation"),
    ("U0KIM", "C0FLOOR", "/monitor 210", "on 0003*2XX, but not on 0004*210.", "extension"),
]
SIX = ("monitor", "whisper", "barge", "pickup", "record", "record stop")


def line(verb: str, target: str = "0003*210") -> str:
    word, _, flag = verb.partition(" ")
    return f"/{word} {target} {flag}".strip()


async def typed(house: Any, user: str, text: str, channel: str = "C0FLOOR") -> None:
    await house.workspace.type(user, channel, text, raw=True)


def everything_private(house: Any) -> list[Any]:
    return [
        message for user in ("U0ANA", "U0BOB", "U0EVE", "U0KIM", "U0LIS") for message in house.workspace.private(user)
    ]


async def refused_by(house: Any, user: str, words: str) -> list[tuple[str, bool | None, str, str]]:
    """The trail, once the person has read these words and the PBX was asked to do nothing."""
    await house.told(user, words)
    assert house.pbx.puts() == []
    assert house.cards() == house.cards(user) == []
    return [(each.slack_user, each.allowed, each.rule, each.outcome.value) for each in await house.audit_log()]


async def test_a_refusal_names_the_rule_to_the_person_and_in_the_ledger(house: Any) -> None:
    for called in ("0003*210", "0003*211", "0003*299", "0003*310"):
        house.floor.talk(caller="+15550142", to=called)
    for number, (user, channel, text, words, _) in enumerate(REFUSED, start=1):
        await typed(house, user, text, channel)
        await house.workspace.until(lambda number=number: len(everything_private(house)) == number)
        assert words in "\n".join(house.workspace.private(user)[-1].lines())
    found = await refused_by(house, "U0EVE", UNKNOWN)
    assert found == [(user, False, rule, "refused") for user, _, _, _, rule in REFUSED]


async def test_an_agent_may_do_none_of_the_six_on_anybody(house: Any) -> None:
    house.floor.talk(caller="+15550142", to="0003*211")
    for verb in SIX:
        await typed(house, "U0BOB", line(verb, "0003*211"))
        await house.told("U0BOB", "None of your roles allows ")
    await house.workspace.until(lambda: len(house.workspace.private("U0BOB")) == len(SIX))
    assert await refused_by(house, "U0BOB", "allows Stop recording") == [("U0BOB", False, "action", "refused")] * 6


async def test_no_phone_of_one_organisation_rings_for_a_call_of_another(house: Any) -> None:
    house.talk()
    house.floor.ring(caller="+15550143", to="0003*210")
    for verb in SIX[:4]:
        await typed(house, "U0KIM", line(verb))
    await house.workspace.until(lambda: len(house.workspace.private("U0KIM")) == 4)
    found = await refused_by(house, "U0KIM", "0003*210 is of another organisation than your phone 0004*030")
    assert found == [("U0KIM", False, "another organisation", "refused")] * 4


async def test_a_call_with_a_protected_party_is_not_touched(house: Any) -> None:
    """However the number is written, and whether the call is named or not."""
    for number, caller in enumerate(("+15550199", "0015550199", "15550199", "0003*299"), start=1):
        call = house.floor.talk(caller=caller, to="0003*210")
        await typed(house, "U0ANA", f"/barge 0003*210 call={call}")
        await typed(house, "U0ANA", "/barge 0003*210")
        await house.workspace.until(lambda number=number: len(house.workspace.private("U0ANA")) == 2 * number)
        house.floor.hang_up(call)
    found = await refused_by(house, "U0ANA", "be acted on. Nothing was sent.")
    assert found == [("U0ANA", False, "protected party", "refused")] * 8


async def test_the_refusal_for_a_protected_call_asks_the_pbx_what_that_for_no_call_asks(house: Any) -> None:
    asked = []
    for number in (1, 2):
        before = len(house.pbx.requests)
        await house.ana_types("/whisper 0003*210")
        await house.workspace.until(lambda number=number: len(house.workspace.private("U0ANA")) == number)
        asked.append(sorted((one.method, one.path) for one in house.pbx.requests[before:] if "0003*" in one.path))
        house.floor.talk(caller="+15550199", to="0003*210")
    none, protected = asked
    assert protected == none


async def test_a_protected_caller_who_shows_in_the_caller_id_alone_is_protected(house: Any) -> None:
    call = house.floor.talk(caller="anonymous", to="0003*210")
    house.floor.call(call).view("01").caller_id = "Vera Private <001 (555) 0199>"
    await typed(house, "U0ANA", "/record 0003*210")
    assert await refused_by(house, "U0ANA", "none that may be acted on") == [
        ("U0ANA", False, "protected party", "refused")
    ]


async def test_a_call_with_a_protected_party_is_not_listed(house: Any) -> None:
    house.floor.talk(caller="+15550199", to="0003*210")
    house.floor.talk(caller="0015550199", to="0003*211")
    house.floor.talk(caller="+15550142", to="0003*299")
    house.floor.talk(caller="+15550143", to="0003*212")
    await typed(house, "U0ANA", "/calls")
    listed = "\n".join((await house.told("U0ANA", "1 live call")).lines())
    assert "+15550143" in listed
    assert not [number for number in ("5550199", "0003*299", "+15550142") if number in listed]


async def test_among_several_calls_a_protected_one_is_not_offered(house: Any) -> None:
    house.floor.talk(caller="+15550199", to="0003*210")
    call = house.talk()
    await typed(house, "U0ANA", "/monitor 0003*210")
    await house.puts(1)
    assert house.pbx.puts()[0].path.endswith(f"/{call}")


@pytest.mark.parametrize("text", ["/monitor 0003*210", "/calls"])
async def test_people_of_another_workspace_are_refused_as_such_even_with_a_known_user_id(house: Any, text: str) -> None:
    house.workspace.add_person("U0ANA", "ana", team_id="T0OTHER")
    house.talk()
    await typed(house, "U0ANA", text)
    found = await refused_by(house, "U0ANA", "You are of another Slack workspace than callbot")
    assert found == [("U0ANA", False, "external user", "refused")]


async def test_people_of_another_workspace_are_refused_as_such_when_they_click_too(house: Any) -> None:
    card = await public_card(house)
    house.workspace.add_person("U0ANA", "ana", team_id="T0OTHER")
    await house.workspace.click("U0ANA", card, "Monitor")
    await house.told("U0ANA", "You are of another Slack workspace than callbot")
    assert (house.actions(), (await house.audit_log())[-1].rule) == (["BargeIn"], "external user")


# ── at the click ──


async def public_card(house: Any, channel: str = "C0FLOOR") -> Any:
    """Ana's public card of a call of Bob's, with a button for each thing that makes sense: the PBX refused her phone."""
    house.floor.extension("0003*024").kind = "queue"
    house.talk()
    await typed(house, "U0ANA", "/barge 0003*210", channel)
    return await house.card("Refused", channel)


async def test_who_clicks_on_anothers_card_is_asked_for_their_own_right(house: Any) -> None:
    card = await public_card(house)
    await house.workspace.click("U0LIS", card, "Whisper")
    await house.told("U0LIS", "None of your roles allows Whisper.")
    last = (await house.audit_log())[-1]
    assert (house.actions(), last.slack_user, last.allowed, last.rule) == (["BargeIn"], "U0LIS", False, "action")


async def test_who_clicks_on_anothers_card_rings_their_own_phone(house: Any) -> None:
    card = await public_card(house)
    await house.workspace.click("U0LIS", card, "Monitor")
    await house.puts(2)
    assert house.pbx.puts()[1].json == {"action": "Monitor", "sendCallTo": "0003*025", "phoneCallViewId": "01"}


async def test_an_unknown_person_who_clicks_is_told_so_and_nobody_else_is(house: Any) -> None:
    card = await public_card(house)
    await house.workspace.click("U0EVE", card, "Barge in")
    await house.told("U0EVE", UNKNOWN)
    assert (house.actions(), house.workspace.private("U0ANA")) == (["BargeIn"], [])


async def test_a_click_counts_as_from_the_channel_where_the_cards_action_was_asked(house: Any) -> None:
    card = await public_card(house, "C0ALERTS")
    await house.workspace.click("U0LIS", card, "Monitor")
    await house.told("U0LIS", "but not from this conversation")
    last = (await house.audit_log())[-1]
    assert (house.actions(), last.channel, last.rule) == (["BargeIn"], "C0ALERTS", "channel")


async def test_a_click_in_the_direct_message_counts_as_from_the_channel_of_the_command(house: Any) -> None:
    call = house.talk()
    await typed(house, "U0LIS", "/monitor 0003*210")
    await house.card("Ringing Lis's phone 0003*025", "U0LIS")
    house.floor.lift("0003*025")
    await house.card("Connected", "U0LIS")
    house.floor.leave(call, "0003*025")
    card = await house.card("Ended: You left", "U0LIS")
    await house.workspace.click("U0LIS", card, "Monitor")
    await house.puts(2)
    assert [(each.channel, each.allowed) for each in await house.audit_log()] == [("C0FLOOR", True)] * 2


async def test_a_button_does_nothing_where_a_protected_party_has_come_into_the_call(house: Any) -> None:
    card = await public_card(house)
    [call] = house.floor.calls()
    call.view("01").source.append("+15550199")
    await house.workspace.click("U0ANA", card, "Barge in")
    await house.told("U0ANA", "This call is over, was never on this extension, or may not be acted on.")
    assert house.actions() == ["BargeIn"]


async def test_everyone_sees_their_own_refusal_and_no_one_elses(house: Any) -> None:
    for user in ("U0EVE", "U0BOB"):
        await typed(house, user, "/monitor 0003*211")
    await house.told("U0EVE", UNKNOWN)
    await house.told("U0BOB", "None of your roles")
    assert [len(house.workspace.private(user)) for user in ("U0EVE", "U0BOB", "U0ANA")] == [1, 1, 0]
    assert house.workspace.messages() == []


# ── Enterprise Grid ──


OTHERS = [("T0OTHER", "E0OTHER"), ("E0OTHER", "E0OTHER"), ("T0OTHER", None)]


IN_AN_ORGANISATION = pytest.mark.parametrize("enterprise", ["E0LOCAL"])


@IN_AN_ORGANISATION
@pytest.mark.parametrize("team", ["T0LOCAL", "T0SISTER", "E0LOCAL"])
async def test_a_command_of_somebody_of_the_organisation_goes_out(house: Any, team: str) -> None:
    house.workspace.add_person("U0ANA", "ana", team_id=team, enterprise_id="E0LOCAL")
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")


@IN_AN_ORGANISATION
async def test_a_click_of_somebody_of_the_organisation_counts(house: Any) -> None:
    house.talk()
    await house.ana_types("/calls")
    listed = await house.told("U0ANA", "1 live call")
    house.workspace.add_person("U0ANA", "ana", team_id="T0SISTER", enterprise_id="E0LOCAL")
    await house.workspace.click("U0ANA", listed, "Monitor")
    await house.card("Ringing")


@IN_AN_ORGANISATION
@pytest.mark.parametrize(("team", "enterprise_id"), OTHERS)
async def test_somebody_of_another_organisation_is_never_taken_for_the_person_with_that_id(
    house: Any, team: str, enterprise_id: str | None
) -> None:
    house.workspace.add_person("U0ANA", "ana", team_id=team, enterprise_id=enterprise_id)
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.told("U0ANA", "You are of another Slack workspace than callbot")
    assert house.pbx.puts() == []


@IN_AN_ORGANISATION
async def test_an_unknown_person_of_the_organisation_is_told_whom_to_ask(house: Any) -> None:
    house.workspace.add_person("U0EVE", "eve", team_id="T0SISTER", enterprise_id="E0LOCAL")
    await house.workspace.type("U0EVE", "C0FLOOR", "/calls")
    await house.told("U0EVE", "to add [users.U0EVE]")
