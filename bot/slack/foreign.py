"""Text that came from the PBX or from a person: it may not notify, link, format, or fake a line. Pure.

`plain` is for plain_text objects, which Slack does not parse. `foreign` is for mrkdwn and for the top-level `text`, where
escaping `& < >` is not enough: bare addresses, `@here`, `:emoji:` and `*stars*` are read there too ("Formatting message
text", docs.slack.dev). Extensions and numbers that match their grammar pass both unchanged.
"""

import re

from bot.domain.foreign_text import seen

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


def caller(caller_id: str) -> str:
    """A caller id as it is shown: the name that somebody gave themselves in quotation marks, so that it is no word of ours."""
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
    """Our own words with the three characters that Slack's markup is made of."""
    return text.translate(_ESCAPES)
