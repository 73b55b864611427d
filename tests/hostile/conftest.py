"""How documents are spoilt, and what a reader could see of a message."""

import copy
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

Spoil = Callable[[st.DataObject, Any], Any]
Hidden = Callable[[object], list[str]]

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=20) | st.sampled_from(
    [
        *("", " ", ".", "..", "0", "01", "5", "-1", "1e400", "@self", "@me", "0003*210", "0003*024", "0003*2XX", "*"),
        *("<!here>", "<@U0BOB>", "<https://evil.example|Bank>", "*bold*", ":100:", "`x`", "> x\nConnected after 1 s"),
        *("\u202e", "\u2066", "\u200b", "\x00", "\x1b[2J", "\ufeff", "\u2028", "\ud800", "\U000e0041", "e\u0301" * 40),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2012-06-27T16:08:55+03:00", "../../x?y#z"),
        *("x" * 5000, "\u0661\u0662", "12345678901234567890", "not_a_code", "pc_phonecall_invalid"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Control and bidi characters, halves of pairs, and line separators (Unicode, table 12)."""
SEEN = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u08e2\U000110bd\U000110cd")
"""Formats that are part of what is written: joiners, where they join, and signs of numbers."""


def places(document: object) -> Iterator[tuple[Any, Any]]:
    """Every place of a document: what holds it, and its key or index."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in keys:
        yield document, key
        yield from places(document[key])  # type: ignore[index]


@pytest.fixture(scope="session")
def spoil() -> Spoil:
    """A true document with one to four places that are missing, of another type, doubled or full of anything."""

    def spoilt(data: st.DataObject, document: Any) -> Any:
        spoilt = copy.deepcopy(document)
        for _ in range(data.draw(st.integers(1, 4))):
            found = list(places(spoilt))
            if not found:
                return data.draw(VALUES)
            holder, key = data.draw(st.sampled_from(found))
            match data.draw(st.sampled_from(["missing", "anything", "anything", "listed", "many", "other key"])):
                case "missing":
                    del holder[key]
                case "listed":
                    holder[key] = [holder[key]]
                case "many":
                    holder[key] = [copy.deepcopy(holder[key]) for _ in range(data.draw(st.sampled_from([0, 2, 60])))]
                case "other key" if isinstance(holder, dict):
                    holder[data.draw(TEXTS)] = holder.pop(key)
                case _:
                    holder[key] = data.draw(VALUES)
        return spoilt

    return spoilt


@pytest.fixture(scope="session")
def any_text() -> st.SearchStrategy[str]:
    """Texts that are hostile in one way or another."""
    return TEXTS


@pytest.fixture(scope="session")
def hidden() -> Hidden:
    """Every character that nobody sees, in all texts of a document; our own line ends do not count."""

    def texts(part: object) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            for value in part.values():
                yield from texts(value)
        elif isinstance(part, (list, tuple)):
            for value in part:
                yield from texts(value)

    def found(document: object) -> list[str]:
        characters = {character for text in texts(document) for character in text} - {"\n"} - SEEN
        return [f"U+{ord(one):04X}" for one in sorted(characters) if unicodedata.category(one) in HIDDEN]

    return found
