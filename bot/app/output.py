"""Output on a terminal, in a file or a pipe: foreign text is made harmless, and only a terminal gets colours."""

from typing import TextIO

from rich.console import Console
from rich.text import Text

from bot.app.findings import Finding, Mark
from bot.domain.foreign_text import stands

STYLES = {Mark.OK: "green", Mark.NO: "bold red", Mark.REMARK: "yellow"}


def visible(text: str) -> str:
    r"""The text with control, direction and invisible characters written as escapes, like `\n` and `\u202e`."""
    return "".join(
        character if stands(text, place) else character.encode("unicode_escape").decode()
        for place, character in enumerate(text)
    )


def console(out: TextIO, *, width: int | None = None, wraps: bool = False) -> Console:
    """A console without markup, which breaks long lines only if it `wraps`. `width` None: that of the terminal."""
    return Console(file=out, width=width, highlight=False, markup=False, emoji=False, soft_wrap=not wraps)


def shown(finding: Finding) -> Text:
    """A finding as one line, with its mark in colour."""
    line = Text(visible(str(finding)))
    line.stylize(STYLES[finding.mark], 0, len(finding.mark))
    return line
