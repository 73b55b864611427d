"""Text from the PBX or from people, made safe: it cannot notify, link, format, or fake a line. Pure.

`plain` is for plain_text objects, which Slack does not parse. `foreign` is for mrkdwn and for the top-level `text`, where
escaping `& < >` is not enough: bare addresses, `@here`, `:emoji:` and `*stars*` are read there too ("Formatting message
text", docs.slack.dev). Extensions and numbers that match their grammar pass both unchanged.
"""

import re

from bot.domain.foreign_text import seen

_EXACT = re.compile(r"(?<![\w*+])(?:[0-9X]{1,16}\*[0-9X]{1,16}|\+?[0-9]{1,32})(?![\w*])")
"""Extensions, their patterns, and numbers. A star inside a word is no formatting."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HARMLESS = _ESCAPES | str.maketrans({"*": "∗", "_": "＿", "~": "～", "`": "ˋ", "@": "＠", "#": "＃"})
"""Escapes, and lookalikes that mean nothing to Slack."""
_EMOJI = re.compile(r":(?=[^\s:]+:)")
_ENTITY = re.compile(r"&(?=#?\w{1,10};)")
"""An HTML entity in the text, which would become markup if a reader unescapes twice."""
_DOMAIN = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2,24}(?![^\W_]))")


def plain(text: str, limit: int = 120) -> str:
    """The visible text on one line, at most `limit` characters; a dash if nothing is left. For plain_text objects."""
    line = seen(text[: limit * 8])  # the rest would be cut anyway, and cleaning it takes time
    if len(line) > limit:
        line = line[: limit - 1].rstrip(" \u200c\u200d") + "…"  # a joiner at the cut would join nothing
    return line or "–"


def foreign(text: str, limit: int = 120) -> str:
    """The visible text on one line for mrkdwn: Slack shows every character and interprets none."""
    line = _ENTITY.sub("＆", plain(text, limit))
    line = _DOMAIN.sub("․", _EMOJI.sub("꞉", line).replace("://", "꞉//"))
    parts: list[str] = []
    end = 0
    for exact in _EXACT.finditer(line):
        parts += [line[end : exact.start()].translate(_HARMLESS), exact[0]]
        end = exact.end()
    return "".join((*parts, line[end:].translate(_HARMLESS)))


def caller(caller_id: str) -> str:
    """A caller id with its name in quotation marks: callers choose it, so it must not read like a word of callbot."""
    text = seen(caller_id[:_LONGEST_CALLER_ID])
    if _NUMBER.fullmatch(text):
        return text
    named = _CALLER_ID.fullmatch(text)
    name, number = (named[1], f" {named[2]}") if named else (text, "")
    name = name.translate(_QUOTES).strip(" '")
    if _NUMBER.fullmatch(name):
        return f"{name}{number}".strip()
    return f"“{name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + '…'}”{number}"


_NUMBER = re.compile(r"<?[+0-9*][0-9*() ./-]*>?|")
_CALLER_ID = re.compile(r"(.*?) ?(<[+0-9*][0-9*() ./-]*>)")
_QUOTES = str.maketrans(dict.fromkeys('“”„‟«»‹›"″〝〞〟＂「」『』', "'"))
_LONGEST_NAME, _LONGEST_CALLER_ID = 60, 1000


def escaped(text: str) -> str:
    """Our own text with `& < >` escaped."""
    return text.translate(_ESCAPES)
