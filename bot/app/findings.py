"""The findings of `callbot check`, a line each. No I/O here."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Mark(StrEnum):
    """How a line begins. Only NO is a failure; REMARK is a warning."""

    OK = "ok"
    NO = "no"
    REMARK = "??"


class Finding(NamedTuple):
    """One line: what was checked, and the result. A line that is not OK says what to do."""

    mark: Mark
    about: str
    text: str

    def __str__(self) -> str:
        """`ok  settings: all are there`."""
        return f"{self.mark:<4}{self.about}: {self.text}"


def ok(about: str, text: str) -> Finding:
    """It works."""
    return Finding(Mark.OK, about, text)


def no(about: str, text: str) -> Finding:
    """Something does not work."""
    return Finding(Mark.NO, about, text)


def remark(about: str, text: str) -> Finding:
    """It works, or could not be checked, and somebody may want to know."""
    return Finding(Mark.REMARK, about, text)


def some(items: Iterable[str], most: int = 20) -> str:
    """The first `most` items on one line, and how many more there are."""
    listed = list(items)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def counted(number: int, one: str, several: str = "") -> str:
    """`1 person`, `3 people`."""
    return f"{number} {one if number == 1 else several or one + 's'}"
