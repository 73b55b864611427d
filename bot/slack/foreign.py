"""Text that came from the PBX or from a person: it may not notify, link, format, or fake a line. Pure.

`plain` is for plain_text objects, which Slack does not parse. `foreign` is for mrkdwn and for the top-level `text`, where
escaping `& < >` is not enough: bare addresses, `@here`, `:emoji:` and `*stars*` are read there too ("Formatting message
text", docs.slack.dev). Extensions and numbers that match their grammar pass both unchanged.
"""

import re

from bot.foreign_text import seen

_EXACT = re.compile(r"(?<![\w*+])(?:[0-9X]{1,16}\*[0-9X]{1,16}|\+?[0-9]{1,32})(?![\w*])")
"""Extensions, patterns of them, and numbers. A star inside a word formats nothing."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HARMLESS = _ESCAPES | str.maketrans({"*": "∗", "_": "＿", "~": "～", "`": "ˋ", "@": "＠", "#": "＃"})
"""Escapes, and lookalikes: they are seen, and mean nothing to Slack."""
_EMOJI = re.compile(r":(?=[^\s:]+:)")
_ENTITY = re.compile(r"&(?=#?\w{1,10};)")
"""An escape that was written as a name: whoever undoes escapes once too often would find markup in it."""
_DOMAIN = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2,24}(?![^\W_]))")


def plain(text: str, limit: int = 120) -> str:
    """One line of what can be seen, at most `limit` characters; a dash where nothing is left."""
    line = seen(text[: limit * 8])  # what is longer is cut anyhow, and looking at it takes its time
    if len(line) > limit:
        line = line[: limit - 1].rstrip(" \u200c\u200d") + "…"  # nothing is joined to what is cut off
    return line or "–"


def foreign(text: str, limit: int = 120) -> str:
    """The same for places where Slack reads mrkdwn: every character is shown, none means anything."""
    line = _ENTITY.sub("＆", plain(text, limit))
    line = _DOMAIN.sub("․", _EMOJI.sub("꞉", line).replace("://", "꞉//"))
    parts: list[str] = []
    end = 0
    for exact in _EXACT.finditer(line):
        parts += [line[end : exact.start()].translate(_HARMLESS), exact[0]]
        end = exact.end()
    return "".join((*parts, line[end:].translate(_HARMLESS)))


def escaped(text: str) -> str:
    """Our own words with the three characters that Slack's markup is made of."""
    return text.translate(_ESCAPES)
