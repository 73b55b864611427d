"""Text of any script, without what could deceive: controls, marks of direction, and what is invisible where it does nothing. Pure.

A joiner between Persian letters or two emoji is part of what is written, as is a variant of a Han character in a Japanese
name; between Latin letters they are invisible, and make two different names look the same (UTS #39, RFC 5892 A.1).
"""

import unicodedata

MOST_MARKS = 4
"""Marks above and below one letter; more would cover the lines around."""
_MOST_CARRIED = 8
"""Signs of any kind that one letter carries."""
_JOINERS = "\u200c\u200d"
_ALONE = frozenset(
    [0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFFA0, 0x2065, *range(0xFFF0, 0xFFF9)]
)
"""Invisible characters that Unicode counts as letters and marks, or not yet as anything (Default_Ignorable_Code_Point)."""
_SEEN_FORMATS = frozenset([*range(0x600, 0x606), 0x6DD, 0x8E2, 0x110BD, 0x110CD])
"""Signs of Arabic and Kaithi numbers, which are called formats and are seen."""
_VARIANTS = frozenset([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
"""What chooses between the forms of the character before it."""
_BLANK = "\u2800"
"""A Braille pattern without dots."""


def stands(text: str, place: int) -> bool:
    """Whether the character at that place can be seen there, or does there what it is for."""
    character = text[place]
    if character.isascii():
        return character.isprintable()
    code, category = ord(character), unicodedata.category(character)
    if category[0] == "L":
        return code not in _ALONE
    if category[0] == "M":
        return code not in _ALONE and (_varies if code in _VARIANTS else _is_carried)(text, place)
    if category[0] == "C":
        return _joins(text, place) if character in _JOINERS else code in _SEEN_FORMATS or _is_new(category, code)
    return category not in {"Zl", "Zp"}


class _Anywhere(dict[str, bool]):
    """Whether a character stands wherever it is, as most do: then nobody has to look at what is around it."""

    def __missing__(self, character: str) -> bool:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        kind = unicodedata.category(character)[0]
        self[character] = character == " " or (kind not in {"C", "M", "Z"} and ord(character) not in _ALONE)
        return self[character]


_ANYWHERE = _Anywhere()
_MOST_KNOWN = 2**14


def cleaned(text: str) -> str:
    """What can be seen of a text, composed (NFC), each white space a space."""
    if text.isascii() and text.isprintable():  # most text is, and then all of it can be seen
        return text
    text = unicodedata.normalize("NFC", text.replace(_BLANK, " "))
    if all(map(_ANYWHERE.__getitem__, text)):
        return text
    while (kept := "".join(_kept(text, place) for place in range(len(text)))) != text:
        text = kept  # what stood beside something that is gone stands beside something else now
    return text


def seen(text: str) -> str:
    """The visible text on one line, with single spaces between words; empty where nothing is left."""
    return " ".join(cleaned(text).split())


def folded(text: str) -> str:
    """The text without what people leave out when they look for it: capitals, accents, joiners, kinds of space, scripts of digits."""
    letters = unicodedata.normalize("NFKD", seen(text).casefold())
    kept = (letter for letter in letters if not unicodedata.combining(letter) and letter not in _JOINERS)
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in kept)


def _is_new(category: str, code: int) -> bool:
    """Whether it is a character that is newer than this Python, as the emoji of each year."""
    never = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF or 0xE0000 <= code <= 0xE0FFF or code in _ALONE
    return category == "Cn" and not never


def _kept(text: str, place: int) -> str:
    if _ANYWHERE[text[place]]:
        return text[place]
    if text[place].isspace():
        return " "
    return text[place] if stands(text, place) else ""


def _joins(text: str, place: int) -> bool:
    """Between letters of a script that joins, after a virama, or (ZWJ) between two emoji."""
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
    """Behind what has variants: symbols, Han characters, the digit of a keycap. Not behind letters that have capitals."""
    before = text[max(0, place - 1) : place]
    if before and before in "0123456789#*":
        return text[place + 1 : place + 2] == "\u20e3"
    return bool(before) and unicodedata.category(before) in {"Lo", "So", "Sk", "Sm", "Po", "Pd", "No", "Cn"}


def _is_carried(text: str, place: int) -> bool:
    """Whether a mark has something to stand on, which carries no more than it can."""
    marks = 0
    for before in range(place, max(-1, place - _MOST_CARRIED), -1):
        category = unicodedata.category(text[before])
        if category[0] != "M" and text[before] not in _JOINERS:
            return category[0] not in {"C", "Z"}
        marks += unicodedata.combining(text[before]) != 0
        if marks > MOST_MARKS:
            break
    return False
