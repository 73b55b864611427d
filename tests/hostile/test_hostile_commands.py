"""Whatever is typed: what is understood keeps to the contract to the letter, what is refused is shown without harm."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.actions import ActionName
from bot.domain.commands import Command, Intervene, ListCalls
from bot.domain.errors import BadCommand
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.answer_messages import refusal_message
from bot.slack.command_parser import parse

quick = settings(max_examples=40, deadline=None)
rarely = settings(max_examples=8, deadline=None)
"""For examples that are a whole table each."""
Hidden = Callable[[object], list[str]]

# ── right commands, as the contract's table has them ──

RINGING = ("call", "view", "wait", "as")
TAKES = {
    "monitor": RINGING,
    "whisper": (*RINGING, "private"),
    "barge": RINGING,
    "pickup": RINGING,
    "record": ("call", "view", "format"),
}
IDS = st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True).filter(lambda text: text not in {".", ".."})
OPTION = {
    "call": IDS.map("call={}".format),
    "view": IDS.map("view={}".format),
    "wait": st.integers(1, 300).map("wait={}".format),
    "as": st.from_regex(r'as="[A-Za-z][A-Za-z .\'-]{0,40} <[0-9+*]{1,32}>"', fullmatch=True),
    "format": st.sampled_from(["format=wav", "format=wav49"]),
    "private": st.just("private"),
}
TARGETS = (
    st.from_regex(r"[0-9]{1,16}\*[0-9]{1,16}", fullmatch=True)
    | st.from_regex(r"[0-9]{1,16}", fullmatch=True)
    | st.from_regex(r"<@[UW][A-Z0-9]{2,20}(\|[a-z.]{0,9})?>", fullmatch=True)
)


@st.composite
def right_lines(draw: st.DrawFn) -> tuple[str, str]:
    """A verb and a text that the contract allows."""
    verb = draw(st.sampled_from(sorted(TAKES)))
    keys = draw(st.lists(st.sampled_from(TAKES[verb]), unique=True))
    return verb, " ".join([draw(TARGETS), *(draw(OPTION[key]) for key in keys)])


# ── hostile texts: any at all, and right words beside almost right ones ──

CROOKED = [
    *("call=", "call=..", "call=a/b", "view=\u0661", "wait=0", "wait=301", "wait=\u0662", "wait=1e2", "wait=-1"),
    *('as="', 'as="x"', "as=John", 'as="<!here> <1>"', "private=1", "stop=now", "format=mp3", "Call=a", "=", '"', '""'),
    *("@self", "0003*", "*210", "0003*2XX", "0003*210*1", "<@U0BOB", "<@U0BOB|", "<!here>", "<!channel>", "<#C0FLOOR>"),
    *("&lt;@U0BOB&gt;", "&amp;lt;", "<tel:+1|0003*210>", "<tel:1|<@U0BOB>>", "<https://evil.example|210>", "*bold*"),
    *(":100:", "`x`", "> x", "\u202e", "\u2066", "\u200b", "\x00", "\x1b[2J", "\ufeff", "\ue000", "\u2028", "e\u0301"),
    *("help", "monitor", "stop", "private", "x" * 5000, "1" * 17, "\U000e0041", "\u0130", "\u200d"),
]
GAPS = st.sampled_from([" ", " ", " ", "  ", "\u00a0", "\u202f", "\t", "\n", ""])
RIGHT_WORDS = st.one_of(TARGETS, *OPTION.values())


@st.composite
def crooked_lines(draw: st.DrawFn) -> str:
    """Right and almost right words, in any order and with any gap between them."""
    words = draw(st.lists(RIGHT_WORDS | st.sampled_from(CROOKED) | st.text(max_size=6), max_size=7))
    return "".join(word + draw(GAPS) for word in words)


TEXTS = crooked_lines() | st.text(st.characters(exclude_categories=[])) | right_lines().map(" ".join)
COMMANDS = st.sampled_from([*(f"/{verb}" for verb in TAKES), "/calls", "/calls", "/dance", ""])


@st.composite
def nearly_right_lines(draw: st.DrawFn) -> list[tuple[str, str]]:
    """One right command with each of the crooked words in the same place, before or after its target or an option."""
    verb, text = draw(right_lines())
    spaces = [found.start() for found in re.finditer(r" (?![^\"]*<)", text)]
    at = draw(st.sampled_from([0, *spaces, len(text)]))
    return [(verb, f"{text[:at]} {word} {text[at:]}") for word in CROOKED]


def read(command: str, text: str) -> Command | BadCommand:
    try:
        return parse(command, text)
    except BadCommand as error:
        return error


# ── understood ──

ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,64}")
TARGET = {
    "extension": re.compile(r"[0-9]{1,16}\*[0-9]{1,16}"),
    "short": re.compile(r"[0-9]{1,16}"),
    "person": re.compile(r"[UW][A-Z0-9]{2,20}"),
}
CALLER_ID = re.compile(r"(?:[^\W\d_]|[0-9 .'-]){1,64}<[0-9+*]{1,32}>")
ACTIONS = {
    "monitor": {ActionName.MONITOR},
    "whisper": {ActionName.WHISPER},
    "barge": {ActionName.BARGE_IN},
    "pickup": {ActionName.PICK_UP},
    "record": {ActionName.START_RECORDING, ActionName.STOP_RECORDING},
}


def faults(verb: str, command: Intervene) -> list[str]:
    """The fields of an understood command that the contract does not allow."""
    recording = verb == "record"
    allowed = {
        "action": command.action in ACTIONS[verb],
        "target": TARGET[command.target.kind].fullmatch(command.target.text) is not None,
        "call": command.call is None or ID.fullmatch(command.call) is not None,
        "view": command.view is None or ID.fullmatch(command.view) is not None,
        "wait": command.wait is None or (not recording and 1 <= command.wait <= 300),
        "as": command.caller_id is None or (not recording and CALLER_ID.fullmatch(command.caller_id) is not None),
        "format": command.format is None or command.action is ActionName.START_RECORDING,
        "private": not command.private or verb == "whisper",
        "what is not typed": (command.published, command.ring_anyway) == (None, False),
    }
    return [name for name, is_right in allowed.items() if not is_right]


@quick
@given(COMMANDS, TEXTS)
@example("/monitor", "<@U0BOB|\u202e>")
@example("/calls", "monitor <tel:1|210>")
@example("/barge", '210 as="\U00010400 <1>"')
def test_what_is_understood_keeps_to_the_contract(command: str, text: str) -> None:
    understood = read(command, text)
    if isinstance(understood, Intervene):
        assert faults(text.split(maxsplit=1)[0] if command == "/calls" else command[1:], understood) == []


@rarely
@given(nearly_right_lines())
def test_a_command_that_is_nearly_right_is_understood_as_the_contract_says_or_not_at_all(
    lines: list[tuple[str, str]],
) -> None:
    for verb, text in lines:
        understood = read(f"/{verb}", text)
        if not isinstance(understood, BadCommand):
            assert isinstance(understood, Intervene)
            assert faults(verb, understood) == []


@quick
@given(right_lines())
def test_every_command_of_the_contract_is_understood(line: tuple[str, str]) -> None:
    verb, text = line
    assert isinstance(parse(f"/{verb}", text), Intervene)


UNSEEN = "\u202e\u2066\u200b\x00\x1b\t\ufeff\u2028\ue000\ud800\u0661\u06f2\uff11\u00b2"
"""Hidden characters, and digits that are not 0 to 9."""
SPOILT = [
    ('"', "\u201c"),
    ('"', "\u201d"),
    (" ", "\u00a0"),
    (" ", "\u202f"),
    ("'", "\u2019"),
    ("<", "&lt;"),
    (">", "&gt;"),
]


@quick
@given(right_lines(), st.sampled_from(SPOILT))
def test_what_phones_and_slack_do_to_a_text_changes_nothing(line: tuple[str, str], spoilt: tuple[str, str]) -> None:
    verb, text = line
    target, space, options = text.partition(" ")
    assert parse(f"/{verb}", target + (space + options).replace(*spoilt)) == parse(f"/{verb}", text)


@quick
@given(
    right_lines(),
    st.sampled_from(UNSEEN),
    st.data(),
)
def test_one_hidden_character_or_strange_digit_anywhere_and_nothing_is_understood(
    line: tuple[str, str], character: str, data: st.DataObject
) -> None:
    verb, text = line
    label = re.search(r"\|[^>]*>", text)
    places = [n for n in range(len(text) + 1) if label is None or not label.start() < n < label.end()]
    at = data.draw(st.sampled_from(places))
    assert isinstance(read(f"/{verb}", text[:at] + character + text[at:]), BadCommand)


@quick
@given(
    st.lists(st.sampled_from(["bob", "+1555", "0003*210", "Ana Pop"]), min_size=1, max_size=9),
    st.sampled_from(UNSEEN),
    st.data(),
)
def test_nothing_hidden_is_among_the_words_of_a_list(words: list[str], character: str, data: st.DataObject) -> None:
    text = " ".join(words)
    at = data.draw(st.integers(0, len(text)))
    listed = read("/calls", text[:at] + character + text[at:])
    assert isinstance(listed, ListCalls)
    assert "".join(listed.words).isprintable()


# ── refused ──


def shown_without_harm(refused: BadCommand, hidden: Hidden) -> None:
    """Nothing is hidden in it, Slack takes it and reads no markup in it, and it shows what would be right."""
    shown = refusal_message(str(refused), "r1")
    assert hidden([str(refused), shown.text, *shown.blocks]) == []
    assert not set(shown.text) & set("<>@#`_~\n")
    assert "mrkdwn" not in str(shown.blocks)
    assert check_blocks(list(shown.blocks)) == []
    assert 0 < len(shown.text) <= 4000
    assert f"Nothing was sent. For example: {refused.example}" in shown.blocks[0]["text"]["text"]
    assert not isinstance(read(*refused.example.split(" ", 1)), BadCommand | ListCalls)


@quick
@given(COMMANDS, TEXTS)
def test_a_refusal_of_any_text_does_no_harm(hidden: Hidden, command: str, text: str) -> None:
    refused = read(command, text)
    if isinstance(refused, BadCommand):
        shown_without_harm(refused, hidden)


@rarely
@given(nearly_right_lines())
def test_a_refusal_of_a_command_that_is_nearly_right_does_no_harm(hidden: Hidden, lines: list[tuple[str, str]]) -> None:
    for verb, text in lines:
        refused = read(f"/{verb}", text)
        if isinstance(refused, BadCommand):
            shown_without_harm(refused, hidden)


@pytest.mark.parametrize("text", ["\x00" * 100_000, '"' * 99_999, "<@U0BOB|" * 20_000, "&lt;" * 50_000, "a=" * 50_000])
def test_a_huge_text_is_refused_as_kindly_as_a_short_one(text: str) -> None:
    refused = read("/monitor", text)
    assert isinstance(refused, BadCommand)
    assert len(str(refused)) < 1000
