"""Text of any script without characters that deceive: controls, marks of direction, invisible ones without effect. Pure.

A joiner between Persian letters or two emoji is part of what is written, as is a variant of a Han character in a Japanese
name; between Latin letters they are invisible, and make two different names look the same (UTS #39, RFC 5892 A.1).
"""

import unicodedata
from collections.abc import Callable
from functools import lru_cache

_MOST_MARKS = 4
"""Marks above and below one letter; more would cover the lines around."""
_MOST_CARRIED = 8
"""Marks and joiners of any kind behind one letter."""
_JOINERS = "\u200c\u200d"
_IGNORABLE = frozenset(
    [0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFFA0, 0x2065, *range(0xFFF0, 0xFFF9)]
)
"""Invisible characters that Unicode counts as letters and marks, or not yet as anything (Default_Ignorable_Code_Point)."""
_VISIBLE_FORMATS = frozenset([*range(0x600, 0x606), 0x6DD, 0x8E2, 0x110BD, 0x110CD])
"""Signs of Arabic and Kaithi numbers, which Unicode calls formats, and which are visible."""
_VARIATION_SELECTORS = frozenset([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
"""They choose between the forms of the character before them."""
_BLANK = "\u2800"
"""A Braille pattern without dots."""


def visible_line(text: str) -> str:
    """The visible text on one line, with single spaces between words; empty where nothing is left."""
    return " ".join(cleaned(text).split())


def cleaned(text: str) -> str:
    """The text without invisible characters, composed (NFC), each white space a space."""
    if text.isascii() and text.isprintable():  # most text is, and then all of it is visible
        return text
    text = unicodedata.normalize("NFC", text.replace(_BLANK, " "))
    while not all(map(_is_always_visible, text)):
        places = enumerate(text)
        kept = "".join(" " if c.isspace() else c for place, c in places if c.isspace() or _is_visible(text, place))
        if kept == text:
            break
        text = kept  # without a character, those around it have other neighbours
    return text


def written_out(text: str, code: Callable[[str], str]) -> str:
    """The text with the `code` of each invisible character in its place."""
    return "".join(c if _is_visible(text, place) else code(c) for place, c in enumerate(text))


def folded(text: str) -> str:
    """The text as people search for it: without capitals, accents, joiners, kinds of space, scripts of digits."""
    letters = unicodedata.normalize("NFKD", visible_line(text).casefold())
    kept = (letter for letter in letters if not unicodedata.combining(letter) and letter not in _JOINERS)
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in kept)


@lru_cache(maxsize=2**14)
def _is_always_visible(character: str) -> bool:
    """Whether a character is visible whatever stands beside it, as most are. Cached, as every text of a card comes here."""
    kind = unicodedata.category(character)[0]
    return character == " " or (kind not in {"C", "M", "Z"} and ord(character) not in _IGNORABLE)


def _is_visible(text: str, place: int) -> bool:
    """Whether the character at that place is visible, or has an effect there."""
    character = text[place]
    if _is_always_visible(character):
        return True
    code, category = ord(character), unicodedata.category(character)
    match category[0]:
        case "M":
            return code not in _IGNORABLE and (_varies if code in _VARIATION_SELECTORS else _is_carried)(text, place)
        case "C":
            return _joins(text, place) if character in _JOINERS else code in _VISIBLE_FORMATS or _is_new(category, code)
        case _:
            return category == "Zs"


def _is_new(category: str, code: int) -> bool:
    """Whether the character may be newer than this Python, as the emoji of each year."""
    never = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF or 0xE0000 <= code <= 0xE0FFF or code in _IGNORABLE
    return category == "Cn" and not never


def _joins(text: str, place: int) -> bool:
    """Whether the joiner at that place has an effect: between letters of a script that joins, after a virama, between two emoji."""
    before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    if not before:
        return False
    if unicodedata.combining(before) == 9:  # a virama: the joiner says how the letter before it is drawn
        return True
    if not after:
        return False
    if text[place] == "\u200d" and _is_emoji(before) and _is_emoji(after):
        return True
    return _is_joining(before) and _is_joining(after)


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Sk", "Cn"} or character == "\ufe0f"


def _is_joining(character: str) -> bool:
    """A letter or mark of a script whose letters join: Arabic, Syriac, N'Ko, Mongolian, those of India and around."""
    code = ord(character)
    joining = (
        0x600 <= code <= 0x1FFF or 0xA800 <= code <= 0xABFF or 0xFB50 <= code <= 0xFEFC or 0x10A00 <= code <= 0x11FFF
    )
    return joining and unicodedata.category(character)[0] in {"L", "M"} and not 0x10A0 <= code <= 0x13FF


def _varies(text: str, place: int) -> bool:
    """Whether the variation selector at that place has an effect: after symbols, Han characters, the digit of a keycap."""
    before = text[max(0, place - 1) : place]
    if before and before in "0123456789#*":
        return text[place + 1 : place + 2] == "\u20e3"
    return bool(before) and unicodedata.category(before) in {"Lo", "So", "Sk", "Sm", "Po", "Pd", "No", "Cn"}


def _is_carried(text: str, place: int) -> bool:
    """Whether the mark at that place belongs to a letter or sign before it, which carries no more than `_MOST_MARKS`."""
    marks = 0
    for before in range(place, max(-1, place - _MOST_CARRIED), -1):
        category = unicodedata.category(text[before])
        if category[0] != "M" and text[before] not in _JOINERS:
            return category[0] not in {"C", "Z"}
        marks += unicodedata.combining(text[before]) != 0
        if marks > _MOST_MARKS:
            break
    return False
