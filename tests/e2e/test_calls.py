"""`/calls`: the live calls that a person may know of, with a button for each thing that they may do, page by page; the help."""

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


async def test_a_call_between_two_agents_counts_once(house: Any) -> None:
    house.floor.talk(caller="0003*211", to="0003*210")
    message = await listed(house, "U0ANA")
    assert message.text.startswith("1 live call")


async def test_words_leave_only_the_calls_that_match_a_name_or_a_number(house: Any) -> None:
    matching = {
        "bob": ["0003*210"],
        "URGENT": ["0003*211"],
        "0003*21": ["0003*210", "0003*211"],
        "<tel:+15550142|+15550142>": ["0003*211"],
        "bob urgent": [],
        "“bob ionescu”": ["0003*210"],
    }
    house.floor.talk(caller="+15550140", caller_name="Tia Talker", to="0003*210")
    house.floor.talk(caller="+15550142", caller_name="Uwe Urgent", to="0003*211")
    for words, found in matching.items():
        message = await listed(house, "U0ANA", f"/calls {words}")
        assert sorted(re.findall(r"0003\*2\d\d(?=:)", "\n".join(rows(message)))) == found, words


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


# ── page by page ──


def many_calls(house: Any, many: int) -> list[str]:
    """So many conversations on the floor, the oldest first."""
    return [
        house.floor.talk(caller=f"+15552{number:04}", to=f"0003*21{number % 3}", call_id=f"call{number:03}")
        for number in range(many)
    ]


async def first_page(house: Any, typed: str = "/calls", user: str = "U0ANA") -> Any:
    await house.workspace.type(user, "C0FLOOR", typed, raw=True)
    return (await house.workspace.until(lambda: house.workspace.private(user)))[-1]


async def turned(house: Any, message: Any, label: str, user: str = "U0ANA") -> Any:
    """The message after a click on Next or Previous has put another page in its place."""
    versions = len(message.versions)
    await house.workspace.click(user, message, label)
    await house.workspace.until(lambda: len(message.versions) > versions)
    return message


def shown(message: Any) -> list[str]:
    """The ids of the many_calls on this page."""
    return re.findall(r"`call=([^`]+)`", "\n".join(message.lines()))


def turns(message: Any) -> list[str]:
    return [button.label for button in message.buttons() if button.label in {"Next", "Previous"}]


async def test_every_call_is_seen_page_by_page_in_one_message(house: Any) -> None:
    there = many_calls(house, 40)
    message = await first_page(house)
    found = shown(message)
    while "Next" in turns(message):
        found += shown(await turned(house, message, "Next"))
    assert (found, house.workspace.private("U0ANA")) == (there, [message])


async def test_200_calls_break_no_limit_of_slack(house: Any) -> None:
    there = many_calls(house, 200)
    message = await first_page(house)
    found = shown(message) + shown(await turned(house, message, "Next"))
    assert (found, message.lines()[:2]) == (there[:24], ["200 live calls", "Calls 13\u201324 of 200"])


async def test_previous_leads_back(house: Any) -> None:
    there = many_calls(house, 30)
    message = await turned(house, await turned(house, await first_page(house), "Next"), "Previous")
    assert (shown(message), turns(message)) == (there[:12], ["Next"])


async def test_the_next_page_is_of_the_same_words(house: Any) -> None:
    there = many_calls(house, 60)
    message = await turned(house, await first_page(house, "/calls bob"), "Next")
    assert (message.lines()[:2], shown(message)) == (
        ["20 of 60 live calls match \u201cbob\u201d", "Calls 13\u201320 of 20"],
        there[36::3],
    )


async def test_a_page_shows_the_calls_as_they_are_at_the_click(house: Any) -> None:
    there = many_calls(house, 30)
    message = await first_page(house)
    house.floor.hang_up(there[0])
    assert shown(await turned(house, message, "Next")) == there[13:25]


async def test_a_page_that_is_gone_is_the_last_one_and_says_so(house: Any) -> None:
    there = many_calls(house, 30)
    message = await turned(house, await first_page(house), "Next")
    for call in there[13:]:
        house.floor.hang_up(call)
    await turned(house, message, "Next")
    assert message.lines()[1] == "There is no page 3 any more; this is the last.\nCall 13 of 13"


async def test_a_page_without_any_call_says_what_to_do(house: Any) -> None:
    there = many_calls(house, 13)
    message = await first_page(house)
    for call in there:
        house.floor.hang_up(call)
    assert "No live calls" in (await turned(house, message, "Next")).lines()[0]


async def test_the_next_page_counts_as_asked_for_where_the_list_was(house: Any) -> None:
    """Lis may listen to Bob, and to nobody else, from this channel only."""
    there = many_calls(house, 60)
    message = await turned(house, await first_page(house, user="U0LIS"), "Next", "U0LIS")
    assert shown(message) == there[36::3]


async def test_a_call_of_the_second_page_is_acted_on_by_its_own_button(house: Any) -> None:
    there = many_calls(house, 20)
    message = await turned(house, await first_page(house), "Next")
    await house.workspace.click("U0ANA", message, "Monitor", nth=3)
    await house.puts(1)
    assert house.pbx.puts()[0].path.endswith(there[15])


async def test_where_the_list_was_dismissed_meanwhile_the_page_comes_as_a_direct_message(house: Any) -> None:
    there = many_calls(house, 13)
    message = await first_page(house)
    [following] = [button for button in message.buttons() if button.label == "Next"]
    message.deleted = True
    await house.workspace.click_stale(
        "U0ANA", message, action_id=following.action_id, value=following.value, block_id=following.block_id
    )
    [page] = await house.workspace.until(lambda: house.cards("U0ANA"))
    assert shown(page) == there[12:]
    house.workspace.refusals.clear()  # that the list is gone is no mistake of the bot's


async def test_a_page_button_of_an_earlier_version_is_kindly_refused(house: Any) -> None:
    many_calls(house, 13)
    message = await first_page(house)
    await house.workspace.click_stale("U0ANA", message, action_id="page:next", value="2", block_id="page-1")
    await house.told("U0ANA", "too old")
    assert [each.outcome for each in await house.audit_log()] == ["answered", "refused"]
