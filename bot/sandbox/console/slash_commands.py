"""The app's slash commands, as Slack's composer lists them. A test compares this table with manifest.yml."""

from typing import NamedTuple


class SlashCommand(NamedTuple):
    """One command as the manifest describes it."""

    command: str
    description: str
    usage_hint: str


SLASH_COMMANDS = (
    SlashCommand("/monitor", "Listen silently to an agent's live call", "0003*210 or @agent [call=ID] [wait=SECONDS]"),
    SlashCommand(
        "/whisper",
        "Speak to the agent; the caller does not hear you",
        "0003*210 or @agent [private] [call=ID] [wait=SECONDS]",
    ),
    SlashCommand("/barge", "Join the conversation; everyone hears you", "0003*210 or @agent [call=ID] [wait=SECONDS]"),
    SlashCommand("/pickup", "Take a call that is ringing", "0003*210 or @agent [call=ID] [wait=SECONDS]"),
    SlashCommand("/record", "Start or stop recording a call", "0003*210 or @agent [stop] [format=wav|wav49]"),
    SlashCommand(
        "/calls",
        "The live calls with buttons, and help",
        "[a name or number] or help-me [what about] or help, or monitor 0003*210 …",
    ),
)
