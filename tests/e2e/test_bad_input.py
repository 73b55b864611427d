"""What cannot be understood gets a private answer that names the word and shows a correct example; nothing goes out."""

from typing import Any

from bot.slack.command_parser import parse

WRONG = [
    # options
    ("/monitor 0003*210 colour=red", "“colour=red” is not an option"),
    ("/monitor 0003*210 quietly", "“quietly” is not an option"),
    ("/monitor 0003*210 private", "“private” does not go with monitor"),
    ("/whisper 0003*210 stop", "“stop” does not go with whisper"),
    ("/monitor 0003*210 wait=5 wait=6", "“wait” is given twice"),
    ("/whisper 0003*210 private=1", "“private=1”"),
    ("/record 0003*210 format=mp3", "“format=mp3”"),
    ("/record 0003*210 stop format=wav", "“format” goes with starting"),
    ("/calls monitor 0003*210 colour=red", "“colour=red” is not an option"),
    # numbers
    ("/monitor 0003*210 wait=soon", "“wait=soon”"),
    ("/monitor 0003*210 wait=0", "“wait=0”"),
    ("/monitor 0003*210 wait=301", "“wait=301”"),
    ("/monitor 0003*210 wait=1.5", "“wait=1.5”"),
    ("/monitor 0003*210 wait=-1", "“wait=-1”"),
    # caller ids
    ('/monitor 0003*210 as="John Doe"', "“as=John Doe”"),
    ('/monitor 0003*210 as="J;x=1 <+15550100>"', "“as=J;x=1 <+15550100>”"),
    (f'/barge 0003*210 as="{"x" * 2970} <+15550100>"', "“as=xxxxxxxxxx"),
    # targets
    ("/monitor", "Whose call?"),
    ("/monitor bob", "“bob” is neither an extension nor a mention"),
    ("/monitor @self", "“@self” would mean every call"),
    ("/monitor <!subteam^S0TEAM|team>", "“<!subteam^S0TEAM|team>”"),
    ("/monitor ../0003*210", "“../0003*210”"),
    (f"/monitor {'9' * 3000}", "“9999999999"),
    # ids
    ("/monitor 0003*210 call=../0003*310/c1", "“call=../0003*310/c1”"),
    ("/monitor 0003*210 call=..", "“call=..”"),
    ("/monitor 0003*210 call=c1?x=1", "“call=c1?x=1”"),
    ("/monitor 0003*210 view=%2e", "“view=%2e”"),
    (f"/monitor 0003*210 call={'c' * 65}", "“call=ccccccccccccc"),
    ("/monitor 0003*210 call=", "“call=”"),
    # characters
    ("/monitor 0003*210\u0007", "“0003*210[U+0007]”"),
    ("/monitor 0003*210\nprivate", "(U+000A)"),
    ("/monitor 0003*210 call=\u202ec1", "“call=[U+202E]c1”"),
    ("/monitor 0003*\u200b210", "“0003*[U+200B]210”"),
    ("/monitor 0003*21٠", "“0003*21٠” has a digit that is not 0 to 9"),  # noqa: RUF001 - the very digits that are refused
    ("/monitor ０００３*２１０", "has a digit that is not 0 to 9"),  # noqa: RUF001 - the very digits that are refused
    # quotes
    ('/monitor 0003*210 as="John Doe', '“as="John” has a quotation mark that is not closed'),
    ("/monitor 0003*210 as=“John Doe", "has a quotation mark that is not closed"),
    ('/monitor "0003*210"', '“"0003*210"” has a quotation mark where none belongs'),
    ('/calls "bob', '“"bob” has a quotation mark that is not closed'),
    # commands
    ("/calls help me", "“me” is one word too many"),
    ("/deploy now", "“/deploy” is not a command of callbot"),
]
"""What is typed, and the words of the answer that name what is wrong with it."""


def example_in(answer: Any) -> tuple[str, str]:
    """The correct example that the person is shown, as command and text."""
    [line] = [line for line in answer.lines() if "For example: " in line]
    command, _, text = line.partition("For example: ")[2].partition(" ")
    return command, text


async def answers(house: Any, lines: list[tuple[str, str]]) -> list[Any]:
    """What the person is told, line by line."""
    house.talk()
    for number, (typed, _) in enumerate(lines, start=1):
        await house.ana_types(typed, raw=True)
        await house.workspace.until(lambda number=number: len(house.workspace.private("U0ANA")) == number)
    return list(house.workspace.private("U0ANA"))


async def test_what_is_wrong_is_named_with_a_correct_example_and_nothing_goes_out(house: Any) -> None:
    told = await answers(house, WRONG)
    unnamed = [words for (_, words), answer in zip(WRONG, told, strict=True) if words not in answer.lines()[0]]
    assert unnamed == []
    assert all(parse(*example_in(answer)) for answer in told)
    assert (house.pbx.puts(), house.workspace.messages()) == ([], [])
    assert {(each.rule, each.allowed) for each in await house.audit_log()} == {("not understood", None)}


async def test_what_is_understood_and_suits_no_call_is_told_so(house: Any) -> None:
    lines = [
        ("/monitor 0003*211", "There is no call on this extension right now, or none that may be acted on."),
        ("/monitor 0003*210 call=c1", "This call is over, was never on this extension, or may not be acted on."),
        ("/monitor <@U0EVE|eve>", "I don't know the extension of the person you mention."),
        ("/pickup 0003*210", "answered already, so there is nothing to pick up"),
        ("/record 0003*210 stop", "This call is not being recorded."),
    ]
    told = await answers(house, lines)
    assert [words for (_, words), answer in zip(lines, told, strict=True) if words not in answer.lines()[0]] == []
    assert house.pbx.puts() == []
    assert {(each.rule, each.allowed) for each in await house.audit_log()} == {("no suitable call", None)}


async def test_only_pickup_suits_a_call_that_rings(house: Any) -> None:
    house.floor.ring(caller="+15550142", to="0003*211")
    told = await answers(house, [(f"/{verb} 0003*211", "") for verb in ("monitor", "whisper", "barge", "record")])
    assert {answer.lines()[0].partition(" To take")[0] for answer in told} == {
        "The phone is still ringing: nobody is talking yet."
    }
    assert house.pbx.puts() == []
