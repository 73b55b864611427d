"""Typed commands are read as the table of commands says, also after phones have changed their characters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.actions import ActionName
from bot.domain.commands import LONGEST_ABOUT, AskForHelp, Help, Intervene, ListCalls, Target
from bot.domain.errors import BadCommand
from bot.slack.command_parser import CALLS_EXAMPLE, EXAMPLES, Verb, correct_example, parse

quick = settings(max_examples=60, deadline=None)
COMMANDS = ("/monitor", "/whisper", "/barge", "/pickup", "/record", "/calls")


def understood(command: str, text: str) -> Intervene:
    read = parse(command, text)
    assert isinstance(read, Intervene)
    return read


# ── verbs ──

VERBS = {
    "monitor": ActionName.MONITOR,
    "whisper": ActionName.WHISPER,
    "barge": ActionName.BARGE_IN,
    "pickup": ActionName.PICK_UP,
    "record": ActionName.START_RECORDING,
}


@pytest.mark.parametrize(("verb", "action"), VERBS.items())
def test_each_verb_is_its_action(verb: str, action: ActionName) -> None:
    assert understood(f"/{verb}", "0003*210").action is action


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_means_the_same_after_calls(verb: str) -> None:
    assert parse("/calls", f"{verb} 0003*210 call=c1") == parse(f"/{verb}", "0003*210 call=c1")


def test_record_with_stop_stops_to_record() -> None:
    assert understood("/record", "0003*210 stop").action is ActionName.STOP_RECORDING


def test_what_is_not_given_is_none() -> None:
    read = understood("/monitor", "0003*210")
    assert read == Intervene(action=ActionName.MONITOR, target=Target(kind="extension", text="0003*210"))


def test_calls_alone_lists_all() -> None:
    assert parse("/calls", "  ") == ListCalls()


def test_calls_with_words_lists_what_matches() -> None:
    assert parse("/calls", "bob  0722") == ListCalls(words=("bob", "0722"))


def test_calls_looks_for_up_to_100_characters() -> None:
    assert parse("/calls", "x" * 100) == ListCalls(words=("x" * 100,))


def test_calls_looks_for_a_person_who_is_mentioned() -> None:
    assert parse("/calls", "<@U0BOB|bob> 0722") == ListCalls(words=("<@U0BOB>", "0722"))


def test_calls_help_is_help() -> None:
    assert parse("/calls", "help") == Help()


# ── targets ──

TARGETS = {
    "0003*210": Target(kind="extension", text="0003*210"),
    "210": Target(kind="short", text="210"),
    "<@U0BOB|bob>": Target(kind="person", text="U0BOB"),
    "<@U0BOB>": Target(kind="person", text="U0BOB"),
    "<@W012AB3CD|>": Target(kind="person", text="W012AB3CD"),
    '<@U0BOB|Bob "the" Ionescu>': Target(kind="person", text="U0BOB"),
    "<tel:0003*210|0003*210>": Target(kind="extension", text="0003*210"),
    "<tel:210|210>": Target(kind="short", text="210"),
    "1" * 16: Target(kind="short", text="1" * 16),
}


@pytest.mark.parametrize(("typed", "target"), TARGETS.items())
def test_each_form_of_a_target_is_understood(typed: str, target: Target) -> None:
    assert understood("/monitor", typed).target == target


# ── options ──


@pytest.mark.parametrize("call", ["b817d2618fe6f1804333", "444444", "a", "A._-9", "x" * 64, "...", ".a"])
def test_a_call_id_is_taken_as_it_is(call: str) -> None:
    assert understood("/monitor", f"210 call={call}").call == call


@pytest.mark.parametrize("view", ["01", "1", "00"])
def test_a_view_id_stays_text(view: str) -> None:
    assert understood("/monitor", f"210 view={view}").view == view


@pytest.mark.parametrize(("typed", "seconds"), [("1", 1), ("20", 20), ("300", 300), ('"25"', 25)])
def test_a_wait_is_a_number_of_seconds_from_1_to_300(typed: str, seconds: int) -> None:
    assert understood("/pickup", f"210 wait={typed}").wait == seconds


@pytest.mark.parametrize("caller_id", ["John Doe <+3334444>", "Agent 7 <42>", "O'Neil-Smith Jr. <0003*024>"])
def test_a_caller_id_stands_in_quotes(caller_id: str) -> None:
    assert understood("/barge", f'210 as="{caller_id}"').caller_id == caller_id


@pytest.mark.parametrize("form", ["wav", "wav49"])
def test_a_recording_has_one_of_two_formats(form: str) -> None:
    assert understood("/record", f"210 format={form}").format == form


def test_private_is_a_flag_of_whisper() -> None:
    assert understood("/whisper", "210 private").private


OPTIONS = ["call=c1", "view=01", "wait=20", 'as="John Doe <+3334444>"', "private"]


@quick
@given(st.permutations(OPTIONS))
def test_options_stand_in_any_order(order: list[str]) -> None:
    assert parse("/whisper", " ".join(("210", *order))) == parse("/whisper", " ".join(("210", *OPTIONS)))


# ── what phones and Slack do ──


@pytest.mark.parametrize(
    ("left", "right"), ["\u201c\u201d", "\u201e\u201c", "\u00ab\u00bb", "\u201f\u2033", "\u201d\u201d"]
)
def test_curly_quotes_are_quotes(left: str, right: str) -> None:
    assert understood("/barge", f"210 as={left}John Doe <+3334444>{right}").caller_id == "John Doe <+3334444>"


def test_a_curly_apostrophe_is_an_apostrophe() -> None:
    assert understood("/barge", '210 as="O\u2019Neil <1>"').caller_id == "O'Neil <1>"


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2007", "  "], ids=ascii)
def test_a_no_break_space_is_a_space(space: str) -> None:
    read = understood("/pickup", f'{space}210{space}wait=20{space}as="John{space.strip(" ") or " "}Doe <1>"{space}')
    assert (read.wait, read.caller_id) == (20, "John Doe <1>")


def test_escapes_are_undone() -> None:
    assert understood("/barge", '210 as="John Doe &lt;+3334444&gt;"').caller_id == "John Doe <+3334444>"


def test_a_number_made_into_a_link_is_a_number_again() -> None:
    text = '210 as="John Doe &lt;<tel:+3334444|+3334444>&gt;"'
    assert understood("/barge", text).caller_id == "John Doe <+3334444>"


def test_an_escaped_escape_is_undone_once() -> None:
    assert parse("/calls", "&amp;lt;") == ListCalls(words=("&lt;",))


def test_letters_with_marks_typed_in_two_parts_are_one() -> None:
    assert understood("/barge", '210 as="Rene\u0301 <1>"').caller_id == "Ren\u00e9 <1>"


# ── help requests ──


@pytest.mark.parametrize(
    ("typed", "about"),
    [
        ("help-me", ""),
        ("help-me the customer wants a refund", "the customer wants a refund"),
        ("  help-me   two  spaces ", "two  spaces"),
        ('help-me he said "no', 'he said "no'),
        ("help-me <@U0ANA|ana> knows", "<@U0ANA> knows"),
        ("help-me &lt;b&gt; &amp; more", "<b> & more"),
        ("help-me “curly” \u00a0 quotes", '"curly"   quotes'),
        ("help-me call=1 whisper", "call=1 whisper"),
    ],
)
def test_what_stands_behind_help_me_is_what_it_is_about(typed: str, about: str) -> None:
    assert parse("/calls", typed) == AskForHelp(about=about)


@pytest.mark.parametrize("word", ["helpme", "help-me!", "help-mexico"])
def test_another_word_is_looked_for_like_any_other(word: str) -> None:
    assert not isinstance(parse("/calls", word), AskForHelp)


@pytest.mark.parametrize("typed", ["Help-me now", "HELP-ME"])
def test_capitals_are_not_guessed_but_asked_about(typed: str) -> None:
    with pytest.raises(BadCommand, match="did you mean “help-me”"):
        parse("/calls", typed)


def test_as_much_fits_as_is_said_and_no_more() -> None:
    assert parse("/calls", f"help-me {'x' * LONGEST_ABOUT}") == AskForHelp(about="x" * LONGEST_ABOUT)
    with pytest.raises(BadCommand, match=f"at most {LONGEST_ABOUT}") as refused:
        parse("/calls", f"help-me {'x' * (LONGEST_ABOUT + 1)}")
    assert refused.value.example.startswith("/calls help-me")


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\x07"], ids=ascii)
def test_what_cannot_be_seen_is_taken_out(character: str) -> None:
    assert parse("/calls", f"help-me please{character} now") == AskForHelp(about="please now")


def test_a_line_end_is_a_space() -> None:
    assert parse("/calls", "help-me please\nnow") == AskForHelp(about="please now")


# ── examples ──


@pytest.mark.parametrize("verb", Verb)
def test_the_example_of_each_verb_is_that_verb(verb: Verb) -> None:
    assert understood(*EXAMPLES[verb].split(" ", 1)).action is VERBS[verb]


@pytest.mark.parametrize("verb", Verb)
def test_who_went_through_calls_is_shown_an_example_through_calls(verb: Verb) -> None:
    shown = correct_example("/calls", f"{verb} nonsense")
    command, text = shown.split(" ", 1)
    assert (command, understood(command, text).action) == ("/calls", VERBS[verb])


@pytest.mark.parametrize(("command", "text"), [("/calls", "bob"), ("/calls", ""), ("/dance", "210")])
def test_without_a_verb_the_example_is_help(command: str, text: str) -> None:
    assert correct_example(command, text) == CALLS_EXAMPLE


# ── any text ──

WORDS = [
    "0003*210",
    "210",
    "<@U0BOB|bob>",
    "call=",
    "call=c1",
    "view=01",
    "wait=",
    "20",
    "as=",
    '"',
    "private",
    "stop",
    "format=wav",
    "=",
    "&lt;",
    "&gt;",
    "&amp;",
    "<tel:+1|+1>",
    "@self",
    "monitor",
    "record",
    "help",
    "*",
    "<",
    ">",
    "|",
    "..",
]
HIDDEN = [" ", "  ", "John <1>", "\u201c", "\u00a0", "\u202e", "\n", "\u0661", "\ud800", "\x00"]
PIECES = st.sampled_from([*WORDS, *HIDDEN])
ANY_TEXT = st.text(st.characters() | st.just("\ud800")) | st.lists(PIECES, max_size=12).map("".join)


@quick
@given(st.sampled_from([*COMMANDS, "/dance", ""]) | st.text(), ANY_TEXT)
def test_no_text_does_worse_than_not_being_understood(command: str, text: str) -> None:
    try:
        parse(command, text)
    except BadCommand as error:
        right, words = error.example.split(" ", 1)
        assert not isinstance(parse(right, words), ListCalls)


@quick
@given(st.sampled_from(COMMANDS), ANY_TEXT)
def test_whatever_is_understood_keeps_to_the_table_of_options(command: str, text: str) -> None:
    try:
        read = parse(command, text)
    except BadCommand:
        return
    if isinstance(read, Intervene):
        assert read.action is ActionName.WHISPER or not read.private
        assert read.action is ActionName.START_RECORDING or read.format is None
        assert read.wait is None or 1 <= read.wait <= 300
