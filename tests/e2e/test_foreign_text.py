"""Text that came from the PBX or from a person is shown, and does nothing: it cannot notify, link, format or fake a line."""

import itertools
import re
from typing import Any

import pytest

HOSTILE = {
    "everyone": "<!channel> @here <@U0BOB> <#C0FLOOR>",
    "formats": "*x* _y_ ~z~ `w` :smile: :+1: :100:",
    "links": "http://evil.example <https://evil.example|Bank> www.evil.example evil.example ://x",
    "a faked line": "Jo\n> fake\n\r\n• fake\u2028fake",
    "invisible": "Jo\u202egnaB\u200b\u200d\u2066\ufeff\u0007\U000e0041",
    "very long": "x" * 3000,
    "a faked date": "<!date^1^{time_secs}|00:00:00 UTC> &lt;!channel&gt;",
}
OUR_DATE = re.compile(r"!date\^[0-9]{9,10}\^\{time_secs\}\|[0-9:]{8} UTC")
LIVE = (
    *("<!channel", "<@", "<#", "@here", "*x*", "_y_", "~z~", "`w`", ":smile:", ":+1:", ":100:"),
    *("://", "evil.example", "www.evil", "Bank>", "&amp;lt;!channel"),
)
INVISIBLE = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)


def everything_shown(house: Any) -> list[Any]:
    """Every message of the bot, public and private."""
    return [
        *house.workspace.messages(),
        *(message for user in ("U0ANA", "U0BOB", "U0EVE") for message in house.workspace.private(user)),
    ]


def parsed_by_slack(message: Any) -> list[str]:
    """The texts that Slack reads markup in: the top-level text and what is mrkdwn in the blocks."""
    return [message.text, *(str(each["text"]) for each in message.texts() if each["type"] == "mrkdwn")]


def what_is_live(message: Any) -> list[str]:
    """What foreign text has achieved in this message; dates of our own are no foreign text."""
    texts = parsed_by_slack(message)
    markup = [found for found in message.live_markup() if OUR_DATE.fullmatch(found) is None]
    fakes = [line for line in "\n".join(message.lines()).split("\n") if re.match(r"\s*[>•]?\s*fake", line)]
    raw = [*texts, *(str(each["text"]) for each in message.texts()), *(b.label for b in message.buttons())]
    invisible = [text for text in raw if INVISIBLE.search(text)]
    return [*markup, *fakes, *invisible, *(word for word in LIVE for text in texts if word in text)]


def nothing_is_live(house: Any) -> None:
    shown = everything_shown(house)
    assert shown
    assert {message.text: what_is_live(message) for message in shown} == {message.text: [] for message in shown}
    assert house.workspace.refusals == []


async def typed(house: Any, text: str, user: str = "U0ANA") -> None:
    await house.workspace.type(user, "C0FLOOR", text, raw=True)


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_callers_name_does_nothing_on_cards_lists_and_questions(house: Any, kind: str) -> None:
    house.floor.talk(caller="+15550142", caller_name=HOSTILE[kind], to="0003*210")
    await typed(house, "/calls")
    await house.told("U0ANA", "1 live call")
    await typed(house, "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.talk(caller="+15550143", caller_name=HOSTILE[kind], to="0003*210")
    await typed(house, "/record 0003*210")
    await house.told("U0ANA", "which call?")
    nothing_is_live(house)


async def test_numbers_and_parties_that_are_none_do_nothing_either(house: Any) -> None:
    everything = " ".join(HOSTILE.values())
    call = house.floor.talk(caller=everything, to="0003*210")
    house.floor.call(call).view("01").destination = [everything, *HOSTILE.values()]
    house.floor.call(call).owner = everything
    await typed(house, "/calls")
    await house.told("U0ANA", "1 live call")
    await typed(house, "/barge 0003*210")
    await house.card("Ringing", "C0FLOOR")
    nothing_is_live(house)


async def test_what_a_caller_is_named_can_still_be_read(house: Any) -> None:
    house.floor.talk(caller="+15550142", caller_name="<!channel> *Jo* & _Co_ evil.example", to="0003*210")
    await typed(house, "/barge 0003*210")
    card = await house.card("Ringing", "C0FLOOR")
    assert "Caller id: “<!channel> *Jo* & _Co_ evil.example” <+15550142>" in card.lines()


async def test_typed_words_do_nothing_where_they_are_repeated(house: Any) -> None:
    lines = ("/monitor {}", "/monitor 0003*210 {}", "/calls {}", "/monitor 0003*210 as={}")
    for number, (line, words) in enumerate(itertools.product(lines, HOSTILE.values()), start=1):
        await typed(house, line.format(words))
        await house.workspace.until(lambda number=number: len(house.workspace.private("U0ANA")) == number)
    nothing_is_live(house)
    assert house.pbx.puts() == []


async def test_names_in_the_configuration_do_nothing_either(empty_house: Any) -> None:
    empty_house.config = empty_house.config.replace("Bob Ionescu", "*x* <!channel> :smile: evil.example @here")
    await empty_house.start_bot()
    empty_house.floor.talk(caller="+15550142", to="0003*210")
    await typed(empty_house, "/calls")
    await empty_house.told("U0ANA", "1 live call")
    await typed(empty_house, "/barge 0003*210")
    await empty_house.card("Ringing", "C0FLOOR")
    nothing_is_live(empty_house)


# ── what is right is shown as it is ──


async def exact_everywhere(house: Any, message: Any) -> None:
    """0003*210 stands letter for letter in the top-level text and in the blocks."""
    assert "0003*210" in message.text
    assert any("0003*210" in str(text["text"]) for text in message.texts())


async def test_an_extension_is_shown_exactly_on_cards(house: Any) -> None:
    house.floor.talk(caller="+15550142", to="0003*210")
    await typed(house, "/barge 0003*210")
    card = await house.card("Ringing", "C0FLOOR")
    await exact_everywhere(house, card)
    assert "From: +15550142" in card.lines()
    assert "Agent: Bob Ionescu 0003*210" in card.lines()


async def test_an_extension_is_shown_exactly_in_refusals(house: Any) -> None:
    await typed(house, "/monitor 0003*210 0003*211")
    refusal = await house.told("U0ANA", "“0003*211”")
    assert "“0003*211”" in refusal.text
    await exact_everywhere(house, refusal)


async def test_an_extension_is_shown_exactly_in_the_refusal_of_a_rule(house: Any) -> None:
    await typed(house, "/monitor 0003*310")
    refusal = await house.told("U0ANA", "0003*310")
    assert "but not on 0003*310." in refusal.text


async def test_numbers_are_shown_exactly_in_lists_and_questions(house: Any) -> None:
    for caller in ("+15550142", "0003*211"):
        house.floor.talk(caller=caller, to="0003*210")
    await typed(house, "/calls 0003*210")
    listed = await house.told("U0ANA", "2 of 2 live calls match “0003*210”")
    await typed(house, "/monitor 0003*210")
    question = await house.told("U0ANA", "which call?")
    await exact_everywhere(house, listed)
    labels = " ".join(button.label for button in question.buttons())
    assert "<+15550142>" in labels
    assert "0003*211" in labels
