"""A typed line as the person meant it: without what phones and Slack change in it. Invisible characters are refused. Pure."""

import re
import unicodedata

from bot.domain.errors import BadCommand

_SHOWN = 40
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^<>]*)?>")
_TELEPHONE = re.compile(r"<tel:[^<>|]*\|([^<>|]*)>")
_QUOTES = str.maketrans({**dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‘’‚‛′", "'")})
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""Every space of Unicode (category Zs)."""


def as_typed(text: str) -> str:
    """The line as the person meant it: `<@U0BOB|bob>` without its label, links to numbers undone, escapes undone."""
    line = text
    if "<" in line:
        line = _TELEPHONE.sub(r"\1", _MENTION.sub(r"<@\1>", line))
    if "&" in line:
        line = line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    if not line.isascii():
        line = unicodedata.normalize("NFC", _SPACES.sub(" ", line.translate(_QUOTES)))
    return line.strip(" ")


def refuse_hostile_characters(line: str, shown: str) -> None:
    """Raise BadCommand, with the example `shown`, for invisible characters and digits other than 0 to 9."""
    if line.isascii() and line.isprintable():
        return
    for word in line.split(" "):
        for character in word:
            if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
                raise BadCommand(f"{named(word)} has an invisible character (U+{ord(character):04X}).", shown)
            if character.isdigit() and not character.isascii():
                raise BadCommand(f"{named(word)} has a digit that is not 0 to 9.", shown)


def named(word: str) -> str:
    """The word in quotes, cut to 40 characters, with invisible characters written as [U+200B]."""
    seen = "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in word[:_SHOWN])
    return f"“{seen}{'…' if len(word) > _SHOWN else ''}”"
