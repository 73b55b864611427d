"""What goes to a terminal, a file or a pipe: foreign text that can do nothing there, and colours only where they are seen."""

from typing import TextIO

from rich.console import Console
from rich.text import Text

from bot.app.findings import Finding, Mark
from bot.domain.foreign_text import stands

STYLES = {Mark.OK: "green", Mark.NO: "bold red", Mark.REMARK: "yellow"}


def visible(text: str) -> str:
    r"""The text with everything that moves a cursor, turns a line around or hides itself written as `\n`, `\u202e`."""
    return "".join(
        character if stands(text, place) else character.encode("unicode_escape").decode()
        for place, character in enumerate(text)
    )


def console(out: TextIO, *, width: int | None = None, wraps: bool = False) -> Console:
    """A console that takes every text as it is, and leaves long lines whole unless it `wraps`. `width` None: as it finds it."""
    return Console(file=out, width=width, highlight=False, markup=False, emoji=False, soft_wrap=not wraps)


def shown(finding: Finding) -> Text:
    """A finding as one line, its mark in colour."""
    line = Text(visible(str(finding)))
    line.stylize(STYLES[finding.mark], 0, len(finding.mark))
    return line
