"""`/calls`: the live calls that a person may know of, with a button for each thing that they may do; and the help."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.pbx.server import Fault
from bot.slack.command_parser import parse


async def listed(house: Any, user: str, text: str = "/calls", channel: str = "C0FLOOR") -> Any:
    """What the person is shown next, privately."""
    before = len(house.workspace.private(user))
    await house.workspace.type(user, channel, text, raw=True)
    shown = await house.workspace.until(lambda: house.workspace.private(user)[before:])
    return shown[0]


def rows(message: Any) -> list[str]:
    """The lines of calls."""
    return [line for line in message.lines() if re.search(r"0003\*[0-9]+: ", line)]


def labels(message: Any) -> list[str]:
    return [button.label for button in message.buttons()]


async def test_a_supervisor_sees_each_call_with_what_makes_sense_for_it_the_longest_ringing_first(house: Any) -> None:
    talking = house.floor.talk(caller="+15550140", caller_name="Tia Talker", to="0003*210")
    house.floor.record(talking, "01")
    late = house.floor.ring(caller="+15550141", caller_name="Rita Ringer", to="0003*211")
    early = house.floor.ring(caller="+15550142", caller_name="Uwe Urgent", to="0003*212")
    house.floor.call(early).published = house.floor.call(late).published - timedelta(seconds=30)
    message = await listed(house, "U0ANA")
    assert rows(message) == [
        "Dan Popa 0003*212: ringing with “Uwe Urgent” <+15550142>",
        "Dan Popa 0003*211: ringing with “Rita Ringer” <+15550141>",
        "Bob Ionescu 0003*210: on call with “Tia Talker” <+15550140>, being recorded",
    ]
    assert labels(message) == ["Pick up", "Pick up", "Monitor", "Whisper", "Barge in", "Stop recording"]


async def test_a_person_sees_only_the_extensions_and_buttons_of_their_roles_in_that_channel(house: Any) -> None:
    house.floor.talk(caller="+15550140", to="0003*210")
    house.floor.talk(caller="+15550141", to="0003*211")
    house.floor.ring(caller="+15550142", to="0003*310")
    here, elsewhere = await listed(house, "U0LIS"), await listed(house, "U0LIS", channel="C0ALERTS")
    assert labels(here) == ["Pick up", "Monitor"]
    assert labels(elsewhere) == ["Pick up"]
    assert not [row for row in rows(here) if "0003*211" in row]


async def test_an_agent_sees_only_their_own_calls_without_buttons(house: Any) -> None:
    house.floor.talk(caller="+15550140", to="0003*210")
    house.floor.talk(caller="+15550141", to="0003*211")
    message = await listed(house, "U0BOB")
    assert rows(message) == ["Bob Ionescu 0003*210: on call with +15550140 <+15550140>"]
    assert labels(message) == []


async def test_an_agent_does_not_see_that_a_supervisor_is_on_the_call(house: Any) -> None:
    house.floor.talk(caller="+15550140", to="0003*210")
    await house.ana_types("/monitor 0003*210", raw=True)
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    message = await listed(house, "U0BOB")
    assert len(rows(message)) == 1
    assert "0003*024" not in "\n".join(message.lines())


async def test_a_call_between_two_agents_counts_once(house: Any) -> None:
    house.floor.talk(caller="0003*211", to="0003*210")
    message = await listed(house, "U0ANA")
    assert message.text.startswith("1 live call")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("bob", ["0003*210"]),
        ("URGENT", ["0003*211"]),
        ("0003*21", ["0003*210", "0003*211"]),
        ("<tel:+15550142|+15550142>", ["0003*211"]),
        ("bob urgent", []),
        ("“bob ionescu”", ["0003*210"]),
    ],
)
async def test_words_leave_only_the_calls_that_match_a_name_or_a_number(
    house: Any, words: str, found: list[str]
) -> None:
    house.floor.talk(caller="+15550140", caller_name="Tia Talker", to="0003*210")
    house.floor.talk(caller="+15550142", caller_name="Uwe Urgent", to="0003*211")
    message = await listed(house, "U0ANA", f"/calls {words}")
    assert sorted(re.findall(r"0003\*2\d\d(?=:)", "\n".join(rows(message)))) == found


async def test_where_there_is_no_call_the_answer_says_so_and_what_to_do(house: Any) -> None:
    message = await listed(house, "U0ANA", "/calls bob")
    assert "\n".join(message.lines()).split("\n") == [
        "No live calls for “bob” on the extensions you may see.",
        "Type /calls again when a phone rings there. What you can type: /calls help",
    ]


async def test_a_mention_leaves_the_calls_of_that_person(house: Any) -> None:
    house.floor.talk(caller="+15550140", to="0003*210")
    house.floor.talk(caller="+15550141", to="0003*212")
    message = await listed(house, "U0ANA", "/calls <@U0DAN|dan>")
    assert message.lines()[0] == "1 of 2 live calls matches “Dan Popa”"
    assert rows(message) == ["Dan Popa 0003*212: on call with +15550141 <+15550141>"]


async def test_who_listens_is_named_to_supervisors_as_being_on_it_and_offered_the_other_ways_in(house: Any) -> None:
    house.floor.talk(caller="+15550140", to="0003*210")
    await house.ana_types("/monitor 0003*210", raw=True)
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    told, own = await listed(house, "U0LIS"), await listed(house, "U0ANA")
    assert rows(told) == ["Bob Ionescu 0003*210: on call with +15550140 <+15550140>\nAna Pop is on it"]
    assert rows(own) == ["Bob Ionescu 0003*210: on call with +15550140 <+15550140>\nYou are on it"]
    assert (labels(told), labels(own)) == (["Monitor"], ["Whisper", "Barge in", "Record"])


async def test_a_call_that_an_agent_makes_is_shown_with_whom_they_call(house: Any) -> None:
    house.floor.talk(caller="0003*210", to="+15550140")
    assert rows(await listed(house, "U0ANA")) == ["Bob Ionescu 0003*210: on call with +15550140"]


async def test_lists_that_the_pbx_does_not_give_are_told_and_hide_no_other(house: Any) -> None:
    house.floor.talk(caller="+15550140", to="0003*210")
    for user in ("9", "13"):
        house.pbx.faults.add(Fault("half json", method="GET", path_contains=f"/phoneCalls/{user}/", times=None))
    message = await listed(house, "U0ANA")
    assert message.lines()[:2] == ["1 live call", "2 of 6 lists could not be read: calls may be missing."]


async def test_where_no_list_can_be_read_the_answer_is_no_empty_list(house: Any) -> None:
    house.pbx.faults.add(Fault("half json", method="GET", times=None))
    message = await listed(house, "U0ANA")
    house.pbx.faults.clear()
    assert "No live calls" not in message.text
    assert "PBX" in message.text


@pytest.mark.parametrize("user", ["U0ANA", "U0EVE"])
async def test_help_is_for_everyone_and_each_of_its_examples_can_be_typed(house: Any, user: str) -> None:
    message = await listed(house, user, "/calls help")
    examples = re.findall(r"`([^`]+)`", "\n".join(message.lines()))
    assert {example.split()[0] for example in examples} == {
        *("/monitor", "/whisper", "/barge", "/pickup", "/record", "/calls")
    }
    assert all(parse(example.split()[0], example.partition(" ")[2]) for example in examples)
    assert [(each.rule, each.allowed) for each in await house.audit_log()] == [("help is for everyone", True)]


# ── whose call ──


async def test_a_mention_means_every_phone_of_that_person(house: Any) -> None:
    call = house.floor.talk(caller="+15550142", to="0003*212")
    await house.ana_types("/monitor @dan")
    await house.puts(1)
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/13/0003*212/{call}"


async def test_calls_on_both_phones_of_a_person_are_a_question(house: Any) -> None:
    house.floor.talk(caller="+15550142", caller_name="Uwe Urgent", to="0003*211")
    second = house.floor.talk(caller="+15550143", caller_name="Vic Voice", to="0003*212")
    question = await listed(house, "U0ANA", "/monitor <@U0DAN>")
    [label] = [label for label in labels(question) if label.endswith("on 0003*212")]
    assert label.startswith("“Vic Voice” <+15550143>")
    await house.workspace.click("U0ANA", question, label)
    await house.puts(1)
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/13/0003*212/{second}"


async def test_a_call_of_the_second_phone_can_be_named_together_with_its_person(house: Any) -> None:
    house.floor.talk(caller="+15550142", to="0003*211")
    second = house.floor.talk(caller="+15550143", to="0003*212")
    await house.ana_types(f"/monitor <@U0DAN|dan> call={second}", raw=True)
    await house.puts(1)
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/13/0003*212/{second}"


async def test_a_short_extension_is_one_of_the_askers_organisation(house: Any) -> None:
    call = house.floor.talk(caller="+15550142", to="0003*211")
    await house.ana_types("/monitor 211", raw=True)
    await house.puts(1)
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/13/0003*211/{call}"


async def test_a_short_extension_with_several_calls_is_a_question_too(house: Any) -> None:
    house.floor.talk(caller="+15550142", caller_name="Uwe Urgent", to="0003*211")
    second = house.floor.talk(caller="+15550143", caller_name="Vic Voice", to="0003*211")
    question = await listed(house, "U0ANA", "/monitor 211")
    [label] = [label for label in labels(question) if label.startswith("“Vic Voice”")]
    await house.workspace.click("U0ANA", question, label)
    await house.puts(1)
    assert house.pbx.puts()[0].path == f"/uapi/phoneCalls/13/0003*211/{second}"


async def test_of_several_calls_only_those_that_suit_are_meant(house: Any) -> None:
    house.talk()
    ringing = house.floor.ring(caller="+15550143", to="0003*210")
    await house.ana_types("/pickup 0003*210", raw=True)
    await house.puts(1)
    assert house.pbx.puts()[0].path.endswith(ringing)


async def test_a_question_labels_each_call_by_the_other_party_and_its_age(house: Any) -> None:
    old = house.floor.talk(caller="+15550142", caller_name="Uwe Urgent", to="0003*210")
    house.floor.call(old).view("01").answered = datetime.now(UTC) - timedelta(minutes=3, seconds=7)
    house.floor.talk(caller="+15550143", caller_name="Vic Voice", to="0003*210")
    question = await listed(house, "U0ANA", "/monitor 0003*210")
    assert re.fullmatch(r"“Uwe Urgent” <\+15550142>, 3 min \d+ s", labels(question)[0])
    assert re.fullmatch(r"“Vic Voice” <\+15550143>, \d s", labels(question)[1])
    assert [(each.outcome, each.allowed) for each in await house.audit_log()] == [("asked_which_call", True)]
