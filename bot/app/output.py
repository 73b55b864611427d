"""Lines on a terminal, in a file or a pipe: the findings of `callbot check`, and foreign text made harmless."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, TextIO

from rich.console import Console
from rich.text import Text

from bot.domain.foreign_text import written_out


class Mark(StrEnum):
    """How a line begins. Only NO is a failure; REMARK is a warning."""

    OK = "ok"
    NO = "no"
    REMARK = "??"


STYLES = {Mark.OK: "green", Mark.NO: "bold red", Mark.REMARK: "yellow"}
"""How a mark looks on a terminal."""


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


def visible(text: str) -> str:
    r"""The text with control, direction and invisible characters written as escapes, like `\n` and `\u202e`."""
    return written_out(text, lambda hidden: hidden.encode("unicode_escape").decode())


def console(out: TextIO, *, width: int | None = None, wraps: bool = False) -> Console:
    """A console without markup, which breaks long lines only if it `wraps`. `width` None: that of the terminal."""
    return Console(file=out, width=width, highlight=False, markup=False, emoji=False, soft_wrap=not wraps)


def shown(finding: Finding) -> Text:
    """A finding as one line, with its mark in colour."""
    line = Text(visible(str(finding)))
    line.stylize(STYLES[finding.mark], 0, len(finding.mark))
    return line
