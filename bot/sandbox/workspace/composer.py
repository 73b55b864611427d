"""What Slack's message composer makes of a typed command, with "Escape channels, users, and links" switched on.

Source: "Implementing slash commands" (`should_escape`) and "Formatting text" (escaping).
"""

import re
from collections.abc import Iterable

from bot.sandbox.workspace.conversations import Conversations

COMMAND = re.compile(r"(/\S+)(?:\s+(.*))?", re.DOTALL)
URL = r"https?://[^\s<>]+"


def command_and_text(typed: str, conversations: Conversations, *, raw: bool) -> tuple[str, str]:
    """The command and the text that go to the app; `raw`: the text is already as Slack would send it.

    Raises `ValueError` for something that is no command.
    """
    found = COMMAND.fullmatch(typed.strip())
    if found is None:
        raise ValueError(f"not a slash command: {typed!r}")
    command, text = found.group(1), found.group(2) or ""
    return command, text if raw else escaped(text, conversations)


def escaped(text: str, conversations: Conversations) -> str:
    """Escape `& < >` and nothing else; then turn people, channels and links into Slack's control sequences."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    people = {person.name: person.id for person in conversations.people.values()}
    channels = {channel.name: channel.id for channel in conversations.channels.values() if channel.person is None}
    patterns = [
        f"(?P<url>{URL})",
        rf"(?<![\w.@])@(?P<person>{_any_of(people)})(?![\w-])",
        rf"(?<!\w)#(?P<channel>{_any_of(channels)})(?![\w-])",
    ]

    def control_sequence(found: re.Match[str]) -> str:
        if url := found.group("url"):
            return f"<{url}>"
        if person := found.group("person"):
            return f"<@{people[person]}|{person}>"
        return f"<#{channels[found.group('channel')]}|{found.group('channel')}>"

    return re.sub("|".join(patterns), control_sequence, safe)


def _any_of(names: Iterable[str]) -> str:
    """A pattern for any of these names, the longest first; without names it matches nothing."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"
