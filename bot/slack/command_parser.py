"""What people type, read into a Command. Pure: the same words always give the same Command.

    parse("/whisper", "<@U0BOB|bob> private")    ─┐
    parse("/calls", "whisper <@U0BOB> private")  ─┴→  Intervene(...)

Phones change what people type (curly quotes, no-break spaces, escapes, numbers made into links), and the parser accepts
that. It accepts nothing else: BadCommand names the invalid word and shows a correct example.
"""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum

from bot.domain.actions import ActionName
from bot.domain.calls import EXTENSION, OBJECT_ID, SHORT_EXTENSION, is_caller_id
from bot.domain.commands import (
    LONGEST_ABOUT,
    LONGEST_SEARCH,
    AskForHelp,
    Command,
    Help,
    Intervene,
    ListCalls,
    Target,
    mentioned,
)
from bot.domain.errors import BadCommand
from bot.domain.foreign_text import cleaned, visible_line


class Verb(StrEnum):
    """What a person wants, as they type it after the slash or after `/calls`."""

    MONITOR = "monitor"
    WHISPER = "whisper"
    BARGE = "barge"
    PICKUP = "pickup"
    RECORD = "record"


ACTION = {
    Verb.MONITOR: ActionName.MONITOR,
    Verb.WHISPER: ActionName.WHISPER,
    Verb.BARGE: ActionName.BARGE_IN,
    Verb.PICKUP: ActionName.PICK_UP,
    Verb.RECORD: ActionName.START_RECORDING,
}
OPTIONS = {
    Verb.MONITOR: ("call", "view", "wait", "as"),
    Verb.WHISPER: ("call", "view", "wait", "as", "private"),
    Verb.BARGE: ("call", "view", "wait", "as"),
    Verb.PICKUP: ("call", "view", "wait", "as"),
    Verb.RECORD: ("call", "view", "format", "stop"),
}
"""The options of each verb: those that its UnifiedAPI page has a field for."""
FLAGS = ("private", "stop")
EXAMPLES = {
    Verb.MONITOR: "/monitor 0003*210",
    Verb.WHISPER: "/whisper 0003*210",
    Verb.BARGE: "/barge 0003*210",
    Verb.PICKUP: "/pickup 0003*210 wait=20",
    Verb.RECORD: "/record 0003*210 format=wav",
}
CALLS_EXAMPLE = "/calls help"
HELP_ME, HELP_ME_EXAMPLE = "help-me", "/calls help-me the customer wants a refund"


def correct_example(command: str, text: str) -> str:
    """A valid command of the kind that the person typed."""
    verb = command.removeprefix("/")
    if verb == "calls":
        first = text.partition(" ")[0]
        if first in _VERBS:
            return EXAMPLES[Verb(first)].replace("/", "/calls ", 1)
        return HELP_ME_EXAMPLE if first == HELP_ME else CALLS_EXAMPLE
    return EXAMPLES[Verb(verb)] if verb in _VERBS else CALLS_EXAMPLE


def parse(command: str, text: str) -> Command:
    """Read a slash command (`/monitor`, `/calls`) and its text. Raises BadCommand."""
    line = _as_typed(text)
    through_calls = command == "/calls"
    free_text = through_calls and visible_line(line).partition(" ")[0].lower() not in {*_VERBS, "help"}  # in any script
    if free_text:
        line = cleaned(line).strip(" ")
    try:
        if not free_text:
            _refuse_hostile_characters(line)
        return _calls(line) if through_calls else _intervene(_verb(command), _words(line))
    except _Invalid as invalid:
        raise BadCommand(str(invalid), invalid.example or correct_example(command, line)) from None


class _Invalid(Exception):
    """What is invalid in a line. `example`: a correct one, where it is another than that of the command."""

    def __init__(self, problem: str, example: str = "") -> None:
        super().__init__(problem)
        self.example = example


_VERBS = frozenset(verb.value for verb in Verb)


def _verb(command: str) -> Verb:
    name = command.removeprefix("/")
    if name not in _VERBS:
        raise _Invalid(f"{_named(command)} is not a command of callbot.")
    return Verb(name)


def _calls(line: str) -> Command:
    first = line.partition(" ")[0]
    if first in _VERBS:
        return _intervene(Verb(first), _words(line)[1:])
    if line == "help":
        return Help()
    if first == HELP_ME:
        return _help_request(line.removeprefix(HELP_ME).strip(" "))
    if first == "help":
        raise _Invalid(f"{_named(line.split()[1])} is one word too many.")
    if first.lower() in {*_VERBS, "help", HELP_ME}:
        raise _Invalid(
            f"{_named(first)} is not known; did you mean “{first.lower()}”?", correct_example("/calls", line.lower())
        )
    if line.count('"') % 2:
        open_end = line[line.rindex('"') :]
        raise _Invalid(f"{_named(open_end)} has a quotation mark that is not closed.")
    words = tuple(line.replace('"', " ").split())
    if len(" ".join(words)) > LONGEST_SEARCH:
        raise _Invalid(
            f"{_named(line)} is too long to look for: a part of a name or a number, at most {LONGEST_SEARCH} characters.",
        )
    return ListCalls(words=words)


def _help_request(about: str) -> AskForHelp:
    if len(about) > LONGEST_ABOUT:
        raise _Invalid(f"{_named(about)} is too long: at most {LONGEST_ABOUT} characters.")
    return AskForHelp(about=about)


_WORD = re.compile(r'(?P<key>[a-z]+)="(?P<quoted>[^"]*)"(?= |$)|(?P<bare>[^ "]+)(?= |$)')


def _words(line: str) -> list[tuple[str, str | None]]:
    """The words as (key, value), flags and the target as (word, None). Only values may be in quotes."""
    words: list[tuple[str, str | None]] = []
    rest = line
    while rest:
        match = _WORD.match(rest)
        if match is None:
            broken = rest.partition(" ")[0]
            if rest.count('"') % 2:
                raise _Invalid(f"{_named(broken)} has a quotation mark that is not closed.")
            raise _Invalid(f"{_named(broken)} has a quotation mark where none belongs.")
        if match["key"] is not None:
            words.append((match["key"], match["quoted"]))
        else:
            key, equals, value = match["bare"].partition("=")
            words.append((key, value) if equals else (match["bare"], None))
        rest = rest[match.end() :].lstrip(" ")
    return words


# ── the target and the options ──


def _intervene(verb: Verb, words: list[tuple[str, str | None]]) -> Intervene:
    if not words:
        raise _Invalid("Whose call? Name an extension or a person.")
    (first, value), *rest = words
    target = _target(first if value is None else f"{first}={value}")
    given: dict[str, str] = {}
    for key, text in rest:
        _check_known(verb, key, text, given)
        given[key] = text or ""
    if "stop" in given and "format" in given:
        raise _Invalid("“format” goes with starting to record, not with “stop”.")
    wait = given.get("wait")
    return Intervene(
        action=ActionName.STOP_RECORDING if "stop" in given else ACTION[verb],
        target=target,
        call=given.get("call"),
        view=given.get("view"),
        wait=int(wait) if wait else None,
        caller_id=given.get("as"),
        format=given.get("format"),
        private="private" in given,
    )


def _target(word: str) -> Target:
    user = mentioned(word)
    if user is not None:
        return Target(kind="person", text=user)
    if EXTENSION.fullmatch(word):
        return Target(kind="extension", text=word)
    if SHORT_EXTENSION.fullmatch(word):
        return Target(kind="short", text=word)
    if word == "@self":
        raise _Invalid("“@self” would mean every call of a user; name one extension.")
    raise _Invalid(f"{_named(word)} is neither an extension nor a mention of a person.")


def _is_object_id(text: str) -> bool:
    return OBJECT_ID.fullmatch(text) is not None


def _is_wait(text: str) -> bool:
    return re.fullmatch("[0-9]{1,3}", text) is not None and 1 <= int(text) <= 300


_FORMS: dict[str, tuple[Callable[[str], bool], str]] = {
    "call": (_is_object_id, "a call id has letters, digits and ._- only"),
    "view": (_is_object_id, "a view id has letters, digits and ._- only"),
    "wait": (_is_wait, "wait is a whole number of seconds from 1 to 300"),
    "as": (is_caller_id, 'a caller id looks like as="John Doe <+15550100>"'),
    "format": (("wav", "wav49").__contains__, "a format is wav or wav49"),
}


def _check_known(verb: Verb, key: str, text: str | None, given: dict[str, str]) -> None:
    word = _named(key if text is None else f"{key}={text}")
    if key not in {*_FORMS, *FLAGS}:
        raise _Invalid(f"{word} is not an option.")
    if key not in OPTIONS[verb]:
        raise _Invalid(f"{word} does not go with {verb}.")
    if key in given:
        raise _Invalid(f"{_named(key)} is given twice.")
    if key in FLAGS:
        if text is not None:
            raise _Invalid(f"{word}: “{key}” stands alone, without a value.")
        return
    fits, form = _FORMS[key]
    if text is None or not fits(text):
        raise _Invalid(f"{word} is not right: {form}.")


# ── the line as the person meant it ──

_SHOWN = 40
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^<>]*)?>")
_TELEPHONE = re.compile(r"<tel:[^<>|]*\|([^<>|]*)>")
_QUOTES = str.maketrans({**dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‘’‚‛′", "'")})
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""Every space of Unicode (category Zs)."""


def _as_typed(text: str) -> str:
    """The line as the person meant it: `<@U0BOB|bob>` without its label, links to numbers undone, escapes undone."""
    line = text
    if "<" in line:
        line = _TELEPHONE.sub(r"\1", _MENTION.sub(r"<@\1>", line))
    if "&" in line:
        line = line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    if not line.isascii():
        line = unicodedata.normalize("NFC", _SPACES.sub(" ", line.translate(_QUOTES)))
    return line.strip(" ")


def _refuse_hostile_characters(line: str) -> None:
    """Raise _Invalid for invisible characters and digits other than 0 to 9."""
    if line.isascii() and line.isprintable():
        return
    for word in line.split(" "):
        for character in word:
            if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
                raise _Invalid(f"{_named(word)} has an invisible character (U+{ord(character):04X}).")
            if character.isdigit() and not character.isascii():
                raise _Invalid(f"{_named(word)} has a digit that is not 0 to 9.")


def _named(word: str) -> str:
    """The word in quotes, cut to 40 characters, with invisible characters written as [U+200B]."""
    seen = "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in word[:_SHOWN])
    return f"“{seen}{'…' if len(word) > _SHOWN else ''}”"
