"""A long list of live calls: every call is on some page, whatever happens to the calls while one turns the pages."""

import re
from typing import Any


def calls(house: Any, many: int) -> list[str]:
    """So many conversations on the floor, the oldest first."""
    return [
        house.floor.talk(caller=f"+15552{number:04}", to=f"0003*21{number % 3}", call_id=f"call{number:03}")
        for number in range(many)
    ]


async def listed(house: Any, typed: str = "/calls", user: str = "U0ANA") -> Any:
    await house.workspace.type(user, "C0FLOOR", typed, raw=True)
    return (await house.workspace.until(lambda: house.workspace.private(user)))[-1]


async def turned(house: Any, message: Any, label: str, user: str = "U0ANA") -> Any:
    """The message after a click on Next or Previous has put another page in its place."""
    versions = len(message.versions)
    await house.workspace.click(user, message, label)
    await house.workspace.until(lambda: len(message.versions) > versions)
    return message


def shown(message: Any) -> list[str]:
    """The ids of the calls on this page."""
    return re.findall(r"`call=([^`]+)`", "\n".join(message.lines()))


def turns(message: Any) -> list[str]:
    return [button.label for button in message.buttons() if button.label in {"Next", "Previous"}]


async def test_every_call_is_seen_page_by_page_in_one_message(house: Any) -> None:
    there = calls(house, 40)
    message = await listed(house)
    found = shown(message)
    while "Next" in turns(message):
        found += shown(await turned(house, message, "Next"))
    assert (found, house.workspace.private("U0ANA")) == (there, [message])


async def test_200_calls_break_no_limit_of_slack(house: Any) -> None:
    there = calls(house, 200)
    message = await listed(house)
    found = shown(message) + shown(await turned(house, message, "Next"))
    assert (found, message.lines()[:2]) == (there[:24], ["200 live calls", "Calls 13\u201324 of 200"])


async def test_previous_leads_back(house: Any) -> None:
    there = calls(house, 30)
    message = await turned(house, await turned(house, await listed(house), "Next"), "Previous")
    assert (shown(message), turns(message)) == (there[:12], ["Next"])


async def test_the_next_page_is_of_the_same_words(house: Any) -> None:
    there = calls(house, 60)
    message = await turned(house, await listed(house, "/calls bob"), "Next")
    assert (message.lines()[:2], shown(message)) == (
        ["20 of 60 live calls match \u201cbob\u201d", "Calls 13\u201320 of 20"],
        there[36::3],
    )


async def test_a_page_shows_the_calls_as_they_are_at_the_click(house: Any) -> None:
    there = calls(house, 30)
    message = await listed(house)
    house.floor.hang_up(there[0])
    assert shown(await turned(house, message, "Next")) == there[13:25]


async def test_a_page_that_is_gone_is_the_last_one_and_says_so(house: Any) -> None:
    there = calls(house, 30)
    message = await turned(house, await listed(house), "Next")
    for call in there[13:]:
        house.floor.hang_up(call)
    await turned(house, message, "Next")
    assert message.lines()[1] == "There is no page 3 any more; this is the last.\nCall 13 of 13"


async def test_a_page_without_any_call_says_what_to_do(house: Any) -> None:
    there = calls(house, 13)
    message = await listed(house)
    for call in there:
        house.floor.hang_up(call)
    assert "No live calls" in (await turned(house, message, "Next")).lines()[0]


async def test_the_next_page_counts_as_asked_for_where_the_list_was(house: Any) -> None:
    """Lis may listen to Bob, and to nobody else, from this channel only."""
    there = calls(house, 60)
    message = await turned(house, await listed(house, user="U0LIS"), "Next", "U0LIS")
    assert shown(message) == there[36::3]


async def test_a_call_of_the_second_page_is_acted_on_by_its_own_button(house: Any) -> None:
    there = calls(house, 20)
    message = await turned(house, await listed(house), "Next")
    await house.workspace.click("U0ANA", message, "Monitor", nth=3)
    await house.puts(1)
    assert house.pbx.puts()[0].path.endswith(there[15])


async def test_where_the_list_was_dismissed_meanwhile_the_page_comes_as_a_direct_message(house: Any) -> None:
    there = calls(house, 13)
    message = await listed(house)
    [following] = [button for button in message.buttons() if button.label == "Next"]
    message.deleted = True
    await house.workspace.click_stale(
        "U0ANA", message, action_id=following.action_id, value=following.value, block_id=following.block_id
    )
    [page] = await house.workspace.until(lambda: house.cards("U0ANA"))
    assert shown(page) == there[12:]
    house.workspace.refusals.clear()  # that the list is gone is no mistake of the bot's


async def test_a_page_button_of_an_earlier_version_is_kindly_refused(house: Any) -> None:
    calls(house, 13)
    message = await listed(house)
    await house.workspace.click_stale("U0ANA", message, action_id="page:next", value="2", block_id="page-1")
    await house.told("U0ANA", "too old")
    assert [each.outcome for each in await house.audit_log()] == ["answered", "refused"]
