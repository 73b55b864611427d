"""An invalid line gets an answer that names the invalid word and shows a valid example."""

import pytest

from bot.domain.commands import Help, Intervene
from bot.domain.errors import BadCommand
from bot.slack.command_parser import parse


def refused(command: str, text: str) -> BadCommand:
    with pytest.raises(BadCommand) as caught:
        parse(command, text)
    return caught.value


LONG = "x" * 65

# command, what is typed, the word that the answer must name
WRONG = [
    # targets
    ("/monitor", "@self", "@self"),
    ("/monitor", "U0BOB", "U0BOB"),
    ("/monitor", "@bob", "@bob"),
    ("/monitor", "bob", "bob"),
    ("/monitor", "@me", "@me"),
    ("/monitor", "@viewer", "@viewer"),
    ("/monitor", "<@>", "<@>"),
    ("/monitor", "<@U0BOB", "<@U0BOB"),
    ("/monitor", "<@u0bob|bob>", "<@u0bob|bob>"),
    ("/monitor", "<#C0FLOOR|floor>", "<#C0FLOOR|floor>"),
    ("/monitor", "<!here>", "<!here>"),
    ("/monitor", "0003*", "0003*"),
    ("/monitor", "*210", "*210"),
    ("/monitor", "0003*2*10", "0003*2*10"),
    ("/monitor", "0003*2XX", "0003*2XX"),
    ("/monitor", "+15550100", "+15550100"),
    ("/monitor", "2-1-0", "2-1-0"),
    ("/monitor", "1" * 17, "1" * 17),
    ("/monitor", "call=c1", "call=c1"),
    ("/monitor", "../210", "../210"),
    # unknown words
    ("/monitor", "210 please", "please"),
    ("/monitor", "210 211", "211"),
    ("/monitor", "210 Private", "Private"),
    ("/monitor", "210 CALL=c1", "CALL=c1"),
    ("/monitor", "210 sendCallTo=0003*999", "sendCallTo=0003*999"),
    ("/monitor", "210 =c1", "=c1"),
    ("/monitor", "210 foo=bar", "foo=bar"),
    # options of other verbs
    ("/monitor", "210 private", "private"),
    ("/barge", "210 private", "private"),
    ("/pickup", "210 private", "private"),
    ("/record", "210 private", "private"),
    ("/monitor", "210 stop", "stop"),
    ("/whisper", "210 stop", "stop"),
    ("/monitor", "210 format=wav", "format=wav"),
    ("/whisper", "210 format=wav", "format=wav"),
    ("/pickup", "210 format=wav", "format=wav"),
    ("/record", "210 wait=20", "wait=20"),
    ("/record", '210 as="John Doe <1>"', "as=John Doe <1>"),
    ("/record", "210 stop format=wav", "format"),
    # options twice
    ("/monitor", "210 call=c1 call=c1", "call"),
    ("/monitor", "210 view=01 call=c1 view=02", "view"),
    ("/monitor", "210 wait=20 wait=30", "wait"),
    ("/whisper", "210 private private", "private"),
    ("/record", "210 stop stop", "stop"),
    ("/barge", '210 as="A <1>" as="B <2>"', "as"),
    # values
    ("/monitor", "210 call", "call"),
    ("/monitor", "210 call=", "call="),
    ("/monitor", '210 call=""', "call="),
    ("/monitor", "210 call=.", "call=."),
    ("/monitor", "210 call=..", "call=.."),
    ("/monitor", "210 call=a/b", "call=a/b"),
    ("/monitor", "210 call=a%2fb", "call=a%2fb"),
    ("/monitor", f"210 call={LONG}", "call=xxxxxxxx"),
    ("/monitor", "210 view=0*1", "view=0*1"),
    ("/monitor", "210 view=..", "view=.."),
    ("/monitor", "210 wait=0", "wait=0"),
    ("/monitor", "210 wait=301", "wait=301"),
    ("/monitor", "210 wait=-5", "wait=-5"),
    ("/monitor", "210 wait=+5", "wait=+5"),
    ("/monitor", "210 wait=2.5", "wait=2.5"),
    ("/monitor", "210 wait=1e2", "wait=1e2"),
    ("/monitor", "210 wait=20s", "wait=20s"),
    ("/monitor", "210 wait=1000", "wait=1000"),
    ("/monitor", '210 wait="20 30"', "wait=20 30"),
    ("/barge", '210 as="John"', "as=John"),
    ("/barge", '210 as="<+333>"', "as=<+333>"),
    ("/barge", '210 as="John <abc>"', "as=John <abc>"),
    ("/barge", '210 as="J@hn <1>"', "as=J@hn <1>"),
    ("/record", "210 format=mp3", "format=mp3"),
    ("/record", "210 format=WAV", "format=WAV"),
    ("/whisper", "210 private=1", "private=1"),
    ("/record", "210 stop=yes", "stop=yes"),
    # quotes
    ("/barge", '210 as="John Doe <1>', 'as="John'),
    ("/barge", "210 as=\u201cJohn Doe <1>", 'as="John'),
    ("/barge", '210 "private"', '"private"'),
    ("/barge", '"210"', '"210"'),
    ("/barge", '210 as="A <1>"x', 'as="A'),
    ("/barge", '210 as=John"', 'as=John"'),
    # through /calls
    ("/calls", "monitor 210 please", "please"),
    ("/calls", "Monitor 210", "Monitor"),
    ("/calls", "HELP", "HELP"),
    ("/calls", "help nonsense", "nonsense"),
    ("/calls", '"bob', '"bob'),
    # not a command
    ("/dance", "210", "/dance"),
]


@pytest.mark.parametrize(("command", "text", "word"), WRONG, ids=[f"{c} {ascii(t)[1:50]}" for c, t, _ in WRONG])
def test_the_answer_names_the_word_and_shows_an_example_that_is_right(command: str, text: str, word: str) -> None:
    answer = refused(command, text)
    right, words = answer.example.split(" ", 1)
    assert (word in answer.problem, isinstance(parse(right, words), Intervene | Help)) == (True, True)


@pytest.mark.parametrize("command", ["/monitor", "/whisper", "/barge", "/pickup", "/record"])
def test_a_verb_without_a_target_asks_for_one_with_its_own_example(command: str) -> None:
    error = refused(command, " ")
    assert (error.problem, error.example.split(" ")[0]) == ("Whose call? Name an extension or a person.", command)


INVISIBLE = {
    "newline": "\n",
    "tab": "\t",
    "nul": "\x00",
    "escape": "\x1b",
    "C1": "\x85",
    "right-to-left override": "\u202e",
    "left-to-right mark": "\u200e",
    "isolate": "\u2066",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "byte order mark": "\ufeff",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "private use": "\ue000",
    "surrogate": "\ud800",
    "tag": "\U000e0041",
    "unassigned": "\u0378",
}


@pytest.mark.parametrize("hidden", INVISIBLE.values(), ids=INVISIBLE)
def test_a_character_that_cannot_be_seen_is_refused_and_written_out(hidden: str) -> None:
    written_out = f"\u201c2[U+{ord(hidden):04X}]10\u201d"
    assert written_out in refused("/monitor", f"bob 2{hidden}10").problem
    assert written_out in refused("/calls", f"monitor bob 2{hidden}10").problem


@pytest.mark.parametrize("text", ["0003*{}10", "210 wait={}0", '210 as="John <{}>"', "210 call={}"])
def test_a_digit_that_is_not_0_to_9_is_refused(text: str) -> None:
    for digit in "\u0662\u06f2\u0968\uff12\u00b2\U0001d7d0":
        assert digit in refused("/monitor", text.format(digit)).problem


@pytest.mark.parametrize("search", ["x" * 101, "ab " * 34, '"' + "bob " * 26 + '"'])
def test_a_search_that_is_too_long_says_how_long_it_may_be(search: str) -> None:
    error = refused("/calls", search)
    assert ("at most 100 characters" in error.problem, error.example) == (True, "/calls help")


@pytest.mark.parametrize(("word", "named"), [("x" * 40, "x" * 40), ("x" * 41, "x" * 40 + "\u2026")], ids=["40", "41"])
def test_a_word_is_named_with_at_most_40_characters(word: str, named: str) -> None:
    assert f"\u201c{named}\u201d" in refused("/monitor", f"210 {word}").problem


def test_the_case_of_a_verb_is_put_right_in_the_answer() -> None:
    error = refused("/calls", "Whisper 210")
    assert ("whisper" in error.problem, error.example) == (True, "/calls whisper 0003*210")
